//! The firmware's real RP2040 image in rp2040js (tests/emulator), with its serial line at a terminal.

mod bridge;
mod image;
mod running;
mod told;

pub use image::{firmware, flat, image, with_version};
pub use running::{Call, Device, Emulator, Phase};
