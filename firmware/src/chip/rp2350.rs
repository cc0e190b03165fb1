//! RP2350: its true random number generator, the chip's id.

use crate::storage::Storage;
use embassy_rp::peripherals::TRNG;
use embassy_rp::trng::{Config, InterruptHandler, Trng};
use embassy_rp::{Peri, bind_interrupts, otp, pac};
use nkey_firmware::random::{Failed, Noise};

/// A scratch register that the boot ROM leaves alone.
pub fn mark() -> pac::common::Reg<u32, pac::common::RW> {
    pac::WATCHDOG.scratch0()
}

bind_interrupts!(struct Irqs {
    TRNG_IRQ => InterruptHandler<TRNG>;
});

/// The generator, whose own tests (autocorrelation, CRNGT, von Neumann) are on.
pub struct Generator(Trng<'static, TRNG>);

/// The noise of the generator.
pub fn noise(trng: Peri<'static, TRNG>) -> impl Noise {
    Generator(Trng::new(trng, Irqs, Config::default()))
}

impl Noise for Generator {
    /// Twice what full entropy would take.
    const SEED: usize = 64;

    fn start(&mut self) -> Result<(), Failed> {
        let mut two = [[0u8; 64]; 2];
        self.fill(&mut two[0])?;
        self.fill(&mut two[1])?;
        if two[0] == two[1] {
            Err(Failed)
        } else {
            Ok(())
        }
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Failed> {
        self.0.blocking_fill_bytes(bytes);
        if bytes.iter().all(|byte| *byte == bytes[0]) {
            return Err(Failed);
        }
        Ok(())
    }
}

/// The chip's id.
pub fn id(_: &mut Storage) -> [u8; 8] {
    otp::get_chipid().unwrap_or_default().to_be_bytes()
}
