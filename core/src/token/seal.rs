//! Sealing secrets.

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

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

/// The key that a PIN makes.
pub(super) fn stretch(pin: &[u8], salt: &[u8; 16], device: &[u8; 32], iterations: u32) -> Secret32 {
    let mut both = Zeroizing::new([0u8; 48]);
    both[..16].copy_from_slice(salt);
    both[16..].copy_from_slice(device);
    let mut key = Secret32::default();
    pbkdf2::pbkdf2_hmac::<Sha256>(pin, &both[..], iterations, &mut key[..]);
    key
}
