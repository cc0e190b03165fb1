//! A backup peer of our own, which seals keys as docs/token-protocol.md describes, and lies.

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _};
use ed25519_compact::{KeyPair, PublicKey, Seed, x25519};
use hmac::{Hmac, Mac};
use nkey_core::token::Details;
use sha2::{Digest, Sha256};

pub const LABEL: &[u8; 21] = b"nkey-token-export-v1\0";

pub struct Peer(KeyPair);

impl Peer {
    pub fn new(seed: u8) -> Peer {
        Peer(KeyPair::from_seed(Seed::new([seed; 32])))
    }

    /// Its device key.
    pub fn device(&self) -> [u8; 32] {
        *self.0.pk
    }

    /// Label, both device keys, an ephemeral key, the details, the sealed seed, a signature.
    pub fn seal(&self, receiver: &[u8; 32], details: &Details<'_>, seed: &[u8; 32]) -> Vec<u8> {
        let said = postcard::to_allocvec(details).expect("details");
        self.seal_bytes(LABEL, receiver, &said, seed)
    }

    /// The same of any bytes instead of details.
    pub fn seal_bytes(
        &self,
        label: &[u8; 21],
        receiver: &[u8; 32],
        said: &[u8],
        seed: &[u8; 32],
    ) -> Vec<u8> {
        let ephemeral = x25519::SecretKey::new([0x77; 32]);
        let public = ephemeral.recover_public_key().expect("a key");
        let mut blob = [&label[..], &self.device(), receiver, &public[..]].concat();
        let theirs = x25519::PublicKey::from_ed25519(&PublicKey::new(*receiver)).expect("a key");
        let shared = theirs.dh(&ephemeral).expect("a shared secret");
        let mut mac = Hmac::<Sha256>::new_from_slice(&shared[..]).expect("any length");
        mac.update(&blob);
        let key: [u8; 32] = mac.finalize().into_bytes().into();
        blob.extend_from_slice(said);
        let about: [u8; 32] = Sha256::digest(&blob).into();
        let mut text = *seed;
        let tag = ChaCha20Poly1305::new(&key.into())
            .encrypt_inout_detached(&[0; 12].into(), &about, text.as_mut_slice().into())
            .expect("a seal");
        blob.extend_from_slice(&text);
        blob.extend_from_slice(&tag);
        let signature = self.0.sk.sign(&blob, None);
        blob.extend_from_slice(&*signature);
        blob
    }
}
