//! Sealing secrets.

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

/// 32 secret bytes, wiped when dropped.
pub(super) type Secret32 = Zeroizing<[u8; 32]>;

/// 32 bytes sealed with ChaCha20-Poly1305.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct Sealed {
    pub(super) nonce: [u8; 12],
    pub(super) text: [u8; 32],
    pub(super) tag: [u8; 16],
}

/// Seals `secret`; the nonce must be new for this key. None: `about` is longer than any record.
pub(super) fn seal(
    key: &[u8; 32],
    nonce: [u8; 12],
    about: &[u8],
    secret: &[u8; 32],
) -> Option<Sealed> {
    let mut text = *secret;
    let tag = ChaCha20Poly1305::new(key.into())
        .encrypt_inout_detached(&nonce.into(), about, text.as_mut_slice().into())
        .ok()?;
    Some(Sealed {
        nonce,
        text,
        tag: tag.into(),
    })
}

/// Opens what [`seal`] sealed about the same.
pub(super) fn open(key: &[u8; 32], about: &[u8], sealed: &Sealed) -> Option<Secret32> {
    let mut text = Secret32::new(sealed.text);
    ChaCha20Poly1305::new(key.into())
        .decrypt_inout_detached(
            &sealed.nonce.into(),
            about,
            text.as_mut_slice().into(),
            &sealed.tag.into(),
        )
        .ok()?;
    Some(text)
}

/// Iterations between two signs of life.
const BREATH: u32 = 256;

/// The key that a PIN makes: PBKDF2-HMAC-SHA256 with the salt and the device's secret, one
/// block. It takes seconds, so `working` is called again and again meanwhile.
pub(super) fn stretch(
    pin: &[u8],
    salt: &[u8; 16],
    device: &[u8; 32],
    iterations: u32,
    working: &mut dyn FnMut(),
) -> Secret32 {
    let mut key = Secret32::default();
    // HMAC takes keys of any length.
    let Ok(keyed) = Hmac::<Sha256>::new_from_slice(pin) else {
        return key;
    };
    let mut hash = keyed.clone();
    for part in [&salt[..], device, &1u32.to_be_bytes()] {
        hash.update(part);
    }
    let mut last = hash.finalize().into_bytes();
    key.copy_from_slice(&last);
    for iteration in 1..iterations {
        if iteration % BREATH == 0 {
            working();
        }
        let mut hash = keyed.clone();
        hash.update(&last);
        last = hash.finalize().into_bytes();
        key.iter_mut()
            .zip(&last)
            .for_each(|(key, last)| *key ^= last);
    }
    last.zeroize();
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretching_is_pbkdf2_and_shows_signs_of_life() {
        for (pin, iterations, signs) in [(&b"correct horse"[..], 1_000, 3), (&[7; 64], 1, 0)] {
            let (salt, device) = ([1; 16], [2; 32]);
            let both = [&salt[..], &device].concat();
            let mut wanted = [0; 32];
            pbkdf2::pbkdf2_hmac::<Sha256>(pin, &both, iterations, &mut wanted);
            let mut seen = 0;
            let key = stretch(pin, &salt, &device, iterations, &mut || seen += 1);
            assert_eq!(*key, wanted);
            assert_eq!(seen, signs);
        }
    }
}
