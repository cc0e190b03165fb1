//! Raspberry Pi Pico 2: its own LED, and a button from GP22 to ground.

use super::{Button, Layout};

/// The board.
pub const LAYOUT: Layout = Layout {
    name: "pico2",
    chip: "RP2350",
    led: 25,
    button: Button::Pin(22),
    flash: 4 * 1024 * 1024,
    family: 0xE48B_FF59,
};
