//! RP2040: noise of the ring oscillator, the flash chip's id.

use crate::storage::Storage;
use core::sync::atomic::{AtomicU32, Ordering};
use embassy_rp::pac;
use nkey_firmware::random::Tested;

/// A scratch register that the boot ROM leaves alone.
pub fn mark() -> pac::common::Reg<u32, pac::common::RW> {
    pac::WATCHDOG.scratch3()
}

/// Cycles from one bit to the next, 4 us: the oscillator runs some periods meanwhile.
const PAUSE: u32 = 500;

/// Where noise comes from.
pub type Source = Tested<fn() -> bool>;

/// The noise of the ring oscillator.
pub fn noise() -> Source {
    Tested::new(bit)
}

fn bit() -> bool {
    static TURN: AtomicU32 = AtomicU32::new(0);
    // Not a fixed step, which might beat with the oscillator.
    let turn = (TURN.load(Ordering::Relaxed) + 7) % 64;
    TURN.store(turn, Ordering::Relaxed);
    cortex_m::asm::delay(PAUSE + turn);
    pac::ROSC.randombit().read().randombit()
}

/// The id of the flash chip.
pub fn id(storage: &mut Storage) -> [u8; 8] {
    storage.unique_id()
}
