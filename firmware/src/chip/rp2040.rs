//! RP2040: noise of the ring oscillator, the flash chip's id.

use crate::storage::Storage;
use embassy_rp::pac;
use nkey_firmware::random::{Noise, Tested};

/// A scratch register that the boot ROM leaves alone.
pub fn mark() -> pac::common::Reg<u32, pac::common::RW> {
    pac::WATCHDOG.scratch3()
}

/// Cycles from one bit to the next, 4 us: the oscillator runs some periods meanwhile.
const PAUSE: u32 = 500;

/// The noise of the ring oscillator.
pub fn noise() -> impl Noise {
    let mut turn = 0;
    Tested::new(move || {
        // Not a fixed step, which might beat with the oscillator.
        turn = (turn + 7) % 64;
        cortex_m::asm::delay(PAUSE + turn);
        pac::ROSC.randombit().read().randombit()
    })
}

/// The id of the flash chip.
pub fn id(storage: &mut Storage) -> [u8; 8] {
    storage.unique_id()
}
