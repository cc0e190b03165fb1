//! A backup peer of our own, which seals keys as docs/token-protocol.md describes, and lies.

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _};
use ed25519_compact::{KeyPair, PublicKey, Seed, Signature, x25519};
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
        let key = sealing(&theirs, &ephemeral, &blob);
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

    /// What this sender exported to the peer.
    pub fn open<'a>(&self, sender: &[u8; 32], blob: &'a [u8]) -> (Details<'a>, [u8; 32]) {
        let (signed, signature) = blob.split_last_chunk::<64>().expect("a signature");
        let public = PublicKey::new(*sender);
        let signature = Signature::new(*signature);
        assert!(public.verify(signed, &signature).is_ok());
        let (about, tag) = signed.split_last_chunk::<16>().expect("a tag");
        let (about, text) = about.split_last_chunk::<32>().expect("a seed");
        let (keys, details) = about.split_at(LABEL.len() + 96);
        let head = [&LABEL[..], sender, &self.device()].concat();
        let ephemeral = keys.strip_prefix(&head[..]).expect("label and keys");
        let ephemeral = x25519::PublicKey::new(ephemeral.try_into().expect("32 bytes"));
        let own = x25519::SecretKey::from_ed25519(&self.0.sk).expect("a key");
        let key = sealing(&ephemeral, &own, keys);
        let about: [u8; 32] = Sha256::digest(about).into();
        let mut seed = *text;
        ChaCha20Poly1305::new(&key.into())
            .decrypt_inout_detached(
                &[0; 12].into(),
                &about,
                seed.as_mut_slice().into(),
                &(*tag).into(),
            )
            .expect("the seal");
        (postcard::from_bytes(details).expect("details"), seed)
    }
}

/// HMAC-SHA256 of label and keys, under the X25519 secret that both have.
fn sealing(theirs: &x25519::PublicKey, own: &x25519::SecretKey, keys: &[u8]) -> [u8; 32] {
    let shared = theirs.dh(own).expect("a shared secret");
    let mut mac = Hmac::<Sha256>::new_from_slice(&shared[..]).expect("any length");
    mac.update(keys);
    mac.finalize().into_bytes().into()
}
