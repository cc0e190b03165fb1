//! The watchdog, and how the last run ended.
//!
//! It is fed by the main loop, by every sector that was erased, and by the application
//! while it stretches a PIN: all of them are steps of work that end by themselves.

use crate::chip;
use embassy_rp::pac;

/// As long as the RP2040 can wait: its counter has 24 bits and counts twice a microsecond.
const TIMEOUT_US: u32 = 8_000_000;
/// Steps of the counter in a microsecond (RP2040-E1).
const STEPS: u32 = if cfg!(feature = "rp2040") { 2 } else { 1 };

/// The firmware runs.
const RUNNING: u32 = 0x4E4B_0001;
/// It panicked.
const PANICKED: u32 = 0x4E4B_0002;

/// Starts it; whether the last run ended in a panic, a fault, or by the watchdog.
pub fn start() -> bool {
    let mark = chip::mark().read();
    // The boot ROM resets by the watchdog too, but only after `leave`.
    let bitten = pac::WATCHDOG.reason().read().timer();
    chip::mark().write_value(RUNNING);
    everything();
    feed();
    pac::WATCHDOG.ctrl().modify(|ctrl| ctrl.set_enable(true));
    mark == PANICKED || (mark == RUNNING && bitten)
}

/// To be called at least every 8 s.
pub fn feed() {
    let load = pac::watchdog::regs::Load(TIMEOUT_US * STEPS);
    pac::WATCHDOG.load().write_value(load);
}

/// The firmware ends as it should.
pub fn leave() {
    chip::mark().write_value(0);
}

/// It panicked: resets, and the next run says so.
pub fn bite() -> ! {
    chip::mark().write_value(PANICKED);
    everything();
    pac::WATCHDOG.ctrl().modify(|ctrl| ctrl.set_trigger(true));
    loop {
        cortex_m::asm::nop();
    }
}

/// A reset is one of everything but the oscillators.
fn everything() {
    pac::PSM.wdsel().write(|select| {
        select.0 = 0x0001_FFFF;
        select.set_rosc(false);
        select.set_xosc(false);
    });
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    cortex_m::interrupt::disable();
    bite()
}

/// # Safety
/// The processor calls it, and it does not return.
#[cortex_m_rt::exception]
unsafe fn HardFault(_: &cortex_m_rt::ExceptionFrame) -> ! {
    bite()
}
