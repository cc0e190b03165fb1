//! One command, one file; folders mirror the command line.

pub mod add;
pub mod agent;
pub mod completions;
pub mod decode;
pub mod describe;
pub mod generate;
pub mod import;
pub mod init;
pub mod list;
pub mod man;
pub mod piv;
pub mod pkcs11;
pub mod push;
pub mod sign;
pub mod store;
pub mod validate;
pub mod verify;
