//! Parsers of what nsc's flags take.

pub mod boolean;
pub mod duration;
pub mod keys;
pub mod list;
pub mod moment;
pub mod name;
pub mod permissions;
pub mod rows;
pub mod selection;
pub mod size;
pub mod tags;
pub mod time;
pub mod user_limits;
pub mod validity;
