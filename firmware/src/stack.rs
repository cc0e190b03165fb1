//! The stack: what lies below its pointer is over, and may be a secret.

use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering};

unsafe extern "C" {
    static mut _stack_start: u32;
    static mut _stack_end: u32;
}

/// The lowest word that a request ever used: a test reads it.
#[used]
static LOWEST: AtomicU32 = AtomicU32::new(u32::MAX);

/// Before the first request.
pub fn start() {
    clear();
    LOWEST.store((&raw const _stack_start) as u32, Ordering::Relaxed);
}

/// Wipes what is not in use.
pub fn wipe() {
    let lowest = clear();
    if lowest < LOWEST.load(Ordering::Relaxed) {
        LOWEST.store(lowest, Ordering::Relaxed);
    }
}

/// Fills it with zeros, from its lowest word that is none; where that was.
#[inline(never)]
fn clear() -> u32 {
    let mut at = (&raw const _stack_end) as u32;
    let lowest;
    // SAFETY: only memory between the stack's end and the stack pointer is written. An interrupt
    // has its frames there too, but has returned before this goes on.
    unsafe {
        asm!(
            "mov {top}, sp",
            "2:",
            "cmp {at}, {top}",
            "bhs 3f",
            "ldr {word}, [{at}]",
            "ldr {more}, [{at}, #4]",
            "orrs {word}, {more}",
            "ldr {more}, [{at}, #8]",
            "orrs {word}, {more}",
            "ldr {more}, [{at}, #12]",
            "orrs {word}, {more}",
            "bne 3f",
            "adds {at}, #16",
            "b 2b",
            "3:",
            "mov {lowest}, {at}",
            "movs {word}, #0",
            "4:",
            "cmp {at}, {top}",
            "bhs 5f",
            "str {word}, [{at}]",
            "adds {at}, #4",
            "b 4b",
            "5:",
            at = inout(reg) at,
            top = out(reg) _,
            word = out(reg) _,
            more = out(reg) _,
            lowest = out(reg) lowest,
        );
    }
    let _ = at;
    lowest
}
