//! One command, one file; folders mirror the command line.

pub mod add;
pub mod adopt;
pub mod agent;
pub mod completions;
pub mod decode;
pub mod delete;
pub mod describe;
pub mod edit;
pub mod env;
pub mod expirations;
pub mod export;
pub mod generate;
pub mod import;
pub mod init;
pub mod list;
pub mod man;
pub mod pull;
pub mod push;
pub mod reissue;
pub mod rename;
pub mod revocations;
pub mod select;
pub mod sign;
pub mod validate;
pub mod verify;
