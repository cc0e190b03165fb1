//! Sealing an exportable key from one token to its backup peer.
//!
//! Label, sender's device key, receiver's, an ephemeral X25519 key, what is said about the
//! key, its sealed seed; all of it signed by the sender. The sealing key is used once.

use super::message::Details;
use super::seal::{self, Sealed, Secret32};
use ed25519_compact::{PublicKey, SecretKey, Signature, x25519};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const LABEL: &[u8; 21] = b"nkey-token-export-v1\0";
const KEYS: usize = LABEL.len() + 3 * 32;
const SEED: usize = 32 + 16;
const SIGNATURE: usize = 64;

/// A device's own key.
pub(super) struct Own<'a> {
    pub(super) seed: &'a [u8; 32],
    pub(super) key: &'a [u8; 32],
}

impl Own<'_> {
    fn secret(&self) -> SecretKey {
        let mut both = Zeroizing::new([0u8; 64]);
        both[..32].copy_from_slice(self.seed);
        both[32..].copy_from_slice(self.key);
        SecretKey::new(*both)
    }
}

/// Whether keys can be sealed to this device key.
pub(super) fn is_peer(key: &[u8; 32]) -> bool {
    x25519::PublicKey::from_ed25519(&PublicKey::new(*key)).is_ok()
}

/// Writes the sealed key to `blob`; its bytes.
pub(super) fn send(
    own: &Own<'_>,
    peer: &[u8; 32],
    ephemeral: &[u8; 32],
    details: &Details<'_>,
    seed: &[u8; 32],
    blob: &mut [u8],
) -> Option<usize> {
    let ephemeral = x25519::SecretKey::new(*ephemeral);
    let public = ephemeral.recover_public_key().ok()?;
    let peer_x = x25519::PublicKey::from_ed25519(&PublicKey::new(*peer)).ok()?;
    for (at, piece) in [&LABEL[..], own.key, peer, &public[..]]
        .into_iter()
        .scan(0, |at, piece| {
            let start = *at;
            *at += piece.len();
            Some((start, piece))
        })
    {
        blob.get_mut(at..at + piece.len())?.copy_from_slice(piece);
    }
    let key = derive(&peer_x, &ephemeral, &blob[..KEYS])?;
    let body = KEYS
        + postcard::to_slice(details, blob.get_mut(KEYS..)?)
            .ok()?
            .len();
    let about: [u8; 32] = Sha256::digest(&blob[..body]).into();
    let sealed = seal::seal(&key, [0; 12], &about, seed)?;
    let end = body + SEED;
    let place = blob.get_mut(body..end + SIGNATURE)?;
    place[..32].copy_from_slice(&sealed.text);
    place[32..SEED].copy_from_slice(&sealed.tag);
    let signature = own.secret().sign(&blob[..end], None);
    blob[end..end + SIGNATURE].copy_from_slice(&*signature);
    Some(end + SIGNATURE)
}

/// Opens what `peer` sealed to this device.
pub(super) fn receive<'a>(
    own: &Own<'_>,
    peer: &[u8; 32],
    blob: &'a [u8],
) -> Option<(Details<'a>, Secret32)> {
    let (signed, signature) = blob.split_last_chunk::<SIGNATURE>()?;
    PublicKey::new(*peer)
        .verify(signed, &Signature::new(*signature))
        .ok()?;
    let (said, sealed) = signed.split_last_chunk::<SEED>()?;
    let (keys, details) = said.split_first_chunk::<KEYS>()?;
    let rest = keys.strip_prefix(LABEL)?;
    let rest = rest.strip_prefix(peer)?;
    let ephemeral: &[u8; 32] = rest.strip_prefix(own.key)?.try_into().ok()?;
    let secret = x25519::SecretKey::from_ed25519(&own.secret()).ok()?;
    let key = derive(&x25519::PublicKey::new(*ephemeral), &secret, keys)?;
    let about: [u8; 32] = Sha256::digest(said).into();
    let (text, tag) = sealed.split_first_chunk::<32>()?;
    let sealed = Sealed {
        nonce: [0; 12],
        text: *text,
        tag: tag.try_into().ok()?,
    };
    let seed = seal::open(&key, &about, &sealed)?;
    match postcard::take_from_bytes(details) {
        Ok((details, [])) => Some((details, seed)),
        _ => None,
    }
}

fn derive(public: &x25519::PublicKey, secret: &x25519::SecretKey, keys: &[u8]) -> Option<Secret32> {
    let shared = public.dh(secret).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&shared[..]).ok()?;
    mac.update(keys);
    Some(Secret32::new(mac.finalize().into_bytes().into()))
}
