//! The work that is measured: a user's claim of about 600 bytes, as in the seed example.

#[cfg(not(feature = "token"))]
use crate::{print, stack_of};
use core::fmt::Write;
#[cfg(not(feature = "token"))]
use core::hint::black_box;
use nkey_core::claims::{
    Claims, NatsLimits, Permission, Permissions, Standard, User, UserPermissionLimits,
};
#[cfg(not(feature = "token"))]
use nkey_core::jwt;
#[cfg(not(feature = "token"))]
use nkey_core::nkey::{KeyPair, Kind, Seed};

const SUBJECT: &str = "UATWOEX5T5LGWJ54SC7H762G5PKSSFPVTJX67IUFENTVPYHA4DPDJUZU";
const SYST_CSR: *mut u32 = 0xE000_E010 as *mut u32;
const SYST_RVR: *mut u32 = 0xE000_E014 as *mut u32;
const SYST_CVR: *mut u32 = 0xE000_E018 as *mut u32;
const SPAN: u32 = 0x00FF_FFFF;
/// Instructions that QEMU counts for a tick of the board's SysTick.
pub const TICK: u32 = if cfg!(an505) { 50 } else { 40 };

pub fn claims() -> Claims<'static, User<'static>> {
    let allow = |allow| Some(Permission { allow, deny: &[] });
    Claims {
        standard: Standard {
            name: "my-user",
            sub: SUBJECT,
            ..Standard::default()
        },
        nats: User {
            permissions: UserPermissionLimits {
                permissions: Permissions {
                    publish: allow(&["foo.>", "bar.>"]),
                    subscribe: allow(&["_INBOX.>"]),
                    resp: None,
                },
                limits: NatsLimits {
                    subs: -1,
                    data: 1 << 30,
                    payload: -1,
                },
                ..UserPermissionLimits::default()
            },
            issuer_account: "",
        },
        ..Claims::default()
    }
}

/// SysTick ticks that `work` takes.
pub fn ticks(work: impl FnOnce()) -> u32 {
    // SAFETY: SysTick's registers; nothing else uses the timer.
    unsafe {
        SYST_CSR.write_volatile(0);
        SYST_RVR.write_volatile(SPAN);
        SYST_CVR.write_volatile(0);
        SYST_CSR.write_volatile(5);
        let before = SYST_CVR.read_volatile();
        work();
        before.wrapping_sub(SYST_CVR.read_volatile()) & SPAN
    }
}

#[cfg(not(feature = "token"))]
pub fn measure() {
    let pair = match KeyPair::from_seed(&Seed::from_bytes(Kind::Account, [7; 32])) {
        Ok(pair) => pair,
        Err(_) => return print("no key\n\0"),
    };
    let mut buf = [0u8; 1024];
    let claims = claims();
    let mut len = 0;
    let mut sign = || {
        #[cfg(not(feature = "verify"))]
        let token = jwt::sign(black_box(&claims), &pair, 1_678_973_945, &mut buf);
        #[cfg(feature = "verify")]
        let token = jwt::sign_checked(black_box(&claims), &pair, 1_678_973_945, &mut buf);
        len = black_box(token).map_or(0, str::len);
    };
    let stack = stack_of(&mut sign);
    let used = ticks(&mut sign);
    let mut line = Line::new();
    let _ = write!(
        line,
        "token {len} stack {stack} instructions {}\n",
        used * TICK
    );
    print(line.text());
}

/// A zero-ended line.
pub struct Line {
    text: [u8; 200],
    len: usize,
}

impl Line {
    pub const fn new() -> Line {
        Line {
            text: [0; 200],
            len: 0,
        }
    }

    pub fn text(&self) -> &str {
        core::str::from_utf8(&self.text).unwrap_or("text\n\0")
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let room = self
            .text
            .get_mut(self.len..self.len + text.len())
            .ok_or(core::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}
