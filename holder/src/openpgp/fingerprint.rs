//! The fingerprint that gpg shows of a key: of version 4, EdDSA over Ed25519.

use openpgp_card::ocard::KeyType;
use openpgp_card::ocard::crypto::PublicKeyMaterial;
use openpgp_card::ocard::data::{Fingerprint, KeyGenerationTime};
use sha1::{Digest, Sha1};

/// 1.3.6.1.4.1.11591.15.1
pub const ED25519: [u8; 9] = [0x2b, 6, 1, 4, 1, 0xda, 0x47, 15, 1];
const EDDSA: u8 = 22;

/// The Ed25519 key in what a card says of a public key.
pub fn ed25519(material: &PublicKeyMaterial) -> Option<[u8; 32]> {
    let PublicKeyMaterial::E(point) = material else {
        return None;
    };
    match point.data() {
        // Some write the prefix of OpenPGP before it.
        [0x40, key @ ..] if key.len() == 32 => key.try_into().ok(),
        key => key.try_into().ok(),
    }
}

/// The fingerprint of a key that was made at `time`.
pub fn of(
    material: &PublicKeyMaterial,
    time: KeyGenerationTime,
    _: KeyType,
) -> Result<Fingerprint, openpgp_card::Error> {
    let key = ed25519(material).ok_or_else(|| {
        openpgp_card::Error::UnsupportedAlgo("its new key is not one of Ed25519".to_owned())
    })?;
    of_ed25519(&key, time.get())
}

/// The fingerprint of an Ed25519 key that was made at `time`, in seconds since 1970.
pub fn of_ed25519(key: &[u8; 32], time: u32) -> Result<Fingerprint, openpgp_card::Error> {
    Fingerprint::try_from(&hash(key, time)[..])
}

fn hash(key: &[u8; 32], time: u32) -> [u8; 20] {
    let mut body = vec![4];
    body.extend(time.to_be_bytes());
    body.push(EDDSA);
    body.push(ED25519.len() as u8);
    body.extend(ED25519);
    // A number of 263 bits: 0x40 and the key.
    body.extend([1, 7, 0x40]);
    body.extend(key);
    let mut hash = Sha1::new();
    hash.update([0x99]);
    hash.update((body.len() as u16).to_be_bytes());
    hash.update(&body);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::hash;

    #[test]
    fn it_is_the_one_that_rfc_9580_shows() {
        // Appendix A.1: a version 4 Ed25519 legacy key.
        let key = [
            0x3f, 0x09, 0x89, 0x94, 0xbd, 0xd9, 0x16, 0xed, 0x40, 0x53, 0x19, 0x79, 0x34, 0xe4,
            0xa8, 0x7c, 0x80, 0x73, 0x3a, 0x12, 0x80, 0xd6, 0x2f, 0x80, 0x10, 0x99, 0x2e, 0x43,
            0xee, 0x3b, 0x24, 0x06,
        ];
        let hex: String = hash(&key, 0x53f3_5f0b)
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        assert_eq!(hex, "C959BDBAFA32A2F89A153B678CFDE12197965A9A");
    }
}
