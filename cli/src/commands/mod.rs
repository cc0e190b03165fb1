//! One command, one file; folders mirror the command line.

pub mod add;
pub mod adopt;
pub mod agent;
pub mod completions;
pub mod decode;
pub mod describe;
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
pub mod sign;
pub mod validate;
pub mod verify;
