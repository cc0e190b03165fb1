//! Raspberry Pi Pico W: its LED hangs on the radio chip, so one with a resistor on GP21.

use super::{Button, Layout};

/// The board.
pub const LAYOUT: Layout = Layout {
    name: "pico-w",
    chip: "RP2040",
    led: 21,
    button: Button::Bootsel,
    flash: 2 * 1024 * 1024,
    family: 0xE48B_FF56,
};
