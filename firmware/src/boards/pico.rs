//! Raspberry Pi Pico: its own LED, and the BOOTSEL button.

use super::{Button, Layout};

/// The board.
pub const LAYOUT: Layout = Layout {
    name: "pico",
    chip: "RP2040",
    led: 25,
    button: Button::Bootsel,
    flash: 2 * 1024 * 1024,
    family: 0xE48B_FF56,
};
