//! What the firmware consists of beside the chip: the boards' constants and the random
//! bytes. It builds on a host too, where its tests run.

#![cfg_attr(not(test), no_std)]

pub mod boards;
pub mod drbg;
pub mod health;
pub mod random;
pub mod trng;

pub use nkey_core::token::{PRODUCT, SERIAL_PREFIX, USB_ID};

/// The firmware's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Bytes of a serial number.
pub const SERIAL_LEN: usize = SERIAL_PREFIX.len() + 16;

/// A serial number of the id of the flash chip or of the microcontroller.
pub fn serial(id: [u8; 8]) -> [u8; SERIAL_LEN] {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut serial = [0; SERIAL_LEN];
    let (prefix, rest) = serial.split_at_mut(SERIAL_PREFIX.len());
    prefix.copy_from_slice(SERIAL_PREFIX.as_bytes());
    for (pair, byte) in rest.chunks_exact_mut(2).zip(id) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    serial
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_names_the_whole_id() {
        let id = [0xE6, 0x61, 0x38, 0x52, 0x83, 0x1F, 0x0A, 0xB0];
        assert_eq!(&serial(id), b"NKEY-E6613852831F0AB0");
    }
}
