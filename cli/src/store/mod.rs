//! nsc's store: the JWTs of operators, their accounts and users, as files. Public data only.
//!
//! The layout is nsc's (nsc 2.15.0, `cmd/store`): `STORES/OPERATOR/{.nsc, OPERATOR.jwt,
//! accounts/A/A.jwt, accounts/A/users/U.jwt}` and `CONFIG/nsc.json`. nsc and `nats auth`
//! use the same files without any lock, so whatever is replaced is first compared with
//! what was read.

mod chain;
mod config;
mod defaults;
pub mod file;
mod keys;
mod lock;
mod name;
mod operator;
mod places;
mod signer;
mod table;
mod token;

pub use chain::{Finding, Level, Report, check_store, check_token};
pub use config::{Info, Store};
pub use defaults::{as_claims, new_account, new_operator, new_user, system_exports};
pub use keys::{Fresh, key_names};
pub use lock::Lock;
pub use name::check_name;
pub use operator::Operator;
pub use signer::{Signer, account_signer, after_revocations, user_signer};
pub use table::{Row, write_rows};
pub use token::{Entry, Typed, read_token};
