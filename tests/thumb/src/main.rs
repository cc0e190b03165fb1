//! Measures signing on a Cortex-M: the stack it takes (painted) and the instructions, by
//! QEMU's SysTick under `-icount shift=0`. Prints one line through semihosting and ends QEMU.
#![no_std]
#![no_main]

#[cfg(feature = "token")]
mod token;
#[cfg(any(feature = "sign", feature = "verify", feature = "token"))]
mod work;

use core::arch::asm;

const PAINT: u32 = 0xA5A5_A5A5;

unsafe extern "C" {
    static mut _stack_end: u32;
}

#[unsafe(link_section = ".vectors")]
#[used]
static RESET: unsafe extern "C" fn() -> ! = Reset;

/// # Safety
/// The reset vector: called by the processor alone.
#[unsafe(no_mangle)]
unsafe extern "C" fn Reset() -> ! {
    #[cfg(feature = "token")]
    token::measure();
    #[cfg(all(any(feature = "sign", feature = "verify"), not(feature = "token")))]
    work::measure();
    #[cfg(not(any(feature = "sign", feature = "verify", feature = "token")))]
    print("frame\n\0");
    exit()
}

/// A semihosting call.
fn call(operation: u32, argument: u32) {
    // SAFETY: QEMU answers the breakpoint; it reads memory that the argument points to.
    unsafe {
        asm!("bkpt 0xAB", inlateout("r0") operation => _, in("r1") argument);
    }
}

fn print(text: &str) {
    call(4, text.as_ptr() as u32);
}

fn exit() -> ! {
    // ADP_Stopped_ApplicationExit
    call(0x18, 0x20026);
    loop {}
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    print("panic\n\0");
    exit()
}

/// Runs `work` on a painted stack; the bytes it used.
#[cfg_attr(
    not(any(feature = "sign", feature = "verify", feature = "token")),
    expect(dead_code)
)]
fn stack_of(work: impl FnOnce()) -> usize {
    let low = &raw mut _stack_end;
    let top: u32;
    // SAFETY: reads the stack pointer.
    unsafe { asm!("mov {}, sp", out(reg) top) };
    let words = (top as usize - low as usize) / 4 - 16;
    // SAFETY: everything between .bss and the stack pointer is unused; 64 bytes are left for this frame.
    unsafe {
        for word in 0..words {
            low.add(word).write_volatile(PAINT);
        }
    }
    work();
    let mut clean = 0;
    // SAFETY: as above.
    unsafe {
        while clean < words && low.add(clean).read_volatile() == PAINT {
            clean += 1;
        }
    }
    (words - clean) * 4
}
