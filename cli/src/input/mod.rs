//! Parsers of what nsc's flags take.

pub mod duration;
pub mod list;
pub mod name;
pub mod permissions;
pub mod size;
pub mod time;
pub mod validity;
