//! RP2350: its true random number generator, the chip's id.

use crate::storage::Storage;
use embassy_rp::peripherals::TRNG;
use embassy_rp::{Peri, otp, pac};
use nkey_firmware::trng::{BLOCK, Blocks, Generator, Look};

/// A scratch register that the boot ROM leaves alone.
pub fn mark() -> pac::common::Reg<u32, pac::common::RW> {
    pac::WATCHDOG.scratch0()
}

/// Cycles between two bits, and the length of the chain of inverters: what the datasheet's 12.12.2 advises.
const SAMPLE: u32 = 25;
const CHAIN: u8 = 1;

/// The generator with its own tests (autocorrelation, CRNGT, von Neumann), by its registers: embassy's driver waits
/// for ever when they go on failing.
pub struct Trng(Peri<'static, TRNG>);

/// Where noise comes from.
pub type Source = Blocks<Trng>;

/// The noise of the generator.
pub fn noise(trng: Peri<'static, TRNG>) -> Source {
    Blocks::new(Trng(trng))
}

impl Generator for Trng {
    fn start(&mut self) {
        let trng = pac::TRNG;
        // It forgets everything, also a failed autocorrelation, which nothing else clears.
        trng.trng_sw_reset()
            .write(|reset| reset.set_trng_sw_reset(true));
        // The reset takes as long as a read.
        trng.trng_sw_reset().read();
        trng.rng_icr().write_value(pac::trng::regs::RngIcr(0xF));
        trng.rng_imr().write_value(pac::trng::regs::RngImr(0xF));
        trng.trng_config()
            .write(|config| config.set_rnd_src_sel(CHAIN));
        trng.sample_cnt1().write_value(SAMPLE);
        // No test is left out.
        trng.trng_debug_control()
            .write_value(pac::trng::regs::TrngDebugControl(0));
        trng.rnd_source_enable()
            .write(|source| source.set_rnd_src_en(true));
    }

    fn look(&mut self) -> Look {
        let trng = pac::TRNG;
        let seen = trng.rng_isr().read();
        if seen.autocorr_err() || seen.crngt_err() || seen.vn_err() {
            return Look::Failed;
        }
        if !trng.trng_valid().read().ehr_valid() {
            return Look::Busy;
        }
        let mut block = [0; BLOCK];
        // Reading the last word clears them all.
        let words = [
            trng.ehr_data0(),
            trng.ehr_data1(),
            trng.ehr_data2(),
            trng.ehr_data3(),
            trng.ehr_data4(),
            trng.ehr_data5(),
        ];
        for (place, word) in block.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.read().to_le_bytes());
        }
        trng.rng_icr().write(|clear| clear.set_ehr_valid(true));
        Look::Block(block)
    }

    fn stop(&mut self) {
        pac::TRNG
            .rnd_source_enable()
            .write(|source| source.set_rnd_src_en(false));
    }
}

/// The chip's id.
pub fn id(_: &mut Storage) -> [u8; 8] {
    otp::get_chipid().unwrap_or_default().to_be_bytes()
}
