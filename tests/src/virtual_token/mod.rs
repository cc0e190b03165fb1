//! A token without a board: the application of the firmware on the host, its flash a file.
//!
//! Its keys are as safe as that file, so it says VIRTUAL wherever a token says who it is.

mod board;
mod flash;
mod lie;
mod line;
pub mod ports;
mod running;
mod serve;

pub use board::Presence;
pub use flash::Faults;
pub use lie::Lie;
pub use line::Line;
pub use running::Running;
pub use serve::{Options, serve};
