//! nsc's store: the JWTs of operators, their accounts and users, as files. Public data only.
//!
//! The layout is nsc's (nsc 2.15.0, `cmd/store`): `STORES/OPERATOR/{.nsc, OPERATOR.jwt,
//! accounts/A/A.jwt, accounts/A/users/U.jwt}` and `CONFIG/nsc.json`. nsc and `nats auth`
//! use the same files without any lock, so whatever is replaced is first compared with
//! what was read.

pub mod activation;
pub mod chain;
mod config;
pub mod cycles;
pub mod defaults;
pub mod edit;
pub mod exports;
pub mod file;
pub mod inventory;
pub mod issue;
pub mod journal;
pub mod keys;
pub mod keystore;
pub mod limits;
mod lock;
pub mod managed;
mod name;
mod operator;
mod places;
pub mod receive;
pub mod reissue;
pub mod report;
pub mod signer;
pub mod system;
pub mod table;
mod token;
pub mod trust;
pub mod well_known;

pub use config::{Store, folders, names};
pub use edit::Edit;
pub use lock::Lock;
pub use name::check_name;
pub use operator::Operator;
pub use token::{Entry, Typed};
