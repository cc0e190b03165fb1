//! The management key and the mutual authentication with it.

use super::der::{find, tlv};
use super::{Answer, said};
use aes::cipher::{BlockCipherEncrypt, KeyInit};

/// The key that cards come with.
const DEFAULT: [u8; 24] = [
    1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8,
];

enum Cipher {
    Aes128(aes::Aes128),
    Aes192(aes::Aes192),
    Aes256(aes::Aes256),
}

impl Cipher {
    fn of(algorithm: u8, key: &[u8]) -> Option<Cipher> {
        match algorithm {
            0x08 => aes::Aes128::new_from_slice(key).ok().map(Cipher::Aes128),
            0x0a => aes::Aes192::new_from_slice(key).ok().map(Cipher::Aes192),
            0x0c => aes::Aes256::new_from_slice(key).ok().map(Cipher::Aes256),
            _ => None,
        }
    }

    fn encrypt(&self, block: &[u8; 16]) -> [u8; 16] {
        let mut block = (*block).into();
        match self {
            Cipher::Aes128(cipher) => cipher.encrypt_block(&mut block),
            Cipher::Aes192(cipher) => cipher.encrypt_block(&mut block),
            Cipher::Aes256(cipher) => cipher.encrypt_block(&mut block),
        }
        block.into()
    }
}

/// The key, and how far an authentication has come.
pub struct Management {
    algorithm: u8,
    key: Vec<u8>,
    witness: Option<[u8; 16]>,
    /// Whether whoever talks has shown the key.
    pub authenticated: bool,
}

impl Management {
    pub fn new() -> Management {
        Management {
            algorithm: 0x0a,
            key: DEFAULT.to_vec(),
            witness: None,
            authenticated: false,
        }
    }

    /// The metadata of 9B.
    pub fn metadata(&self) -> Vec<u8> {
        let is_default = u8::from(self.algorithm == 0x0a && self.key == DEFAULT);
        vec![1, 1, self.algorithm, 2, 2, 0, 1, 5, 1, is_default]
    }

    /// GENERAL AUTHENTICATE with 9B.
    pub fn answer(&mut self, algorithm: u8, data: &[u8]) -> Option<Answer> {
        self.authenticated = false;
        let cipher = Cipher::of(self.algorithm, &self.key)?;
        let Some(inner) = find(data, 0x7c).filter(|_| algorithm == self.algorithm) else {
            return said(0x6a80);
        };
        if find(inner, 0x80) == Some(&[]) {
            let mut witness = [0; 16];
            getrandom::fill(&mut witness).ok()?;
            self.witness = Some(witness);
            return Some((
                0x9000,
                tlv(0x7c, &[&tlv(0x80, &[&cipher.encrypt(&witness)])]),
            ));
        }
        let shown = find(inner, 0x80);
        let challenge = find(inner, 0x81).and_then(|challenge| challenge.try_into().ok());
        match (self.witness.take(), shown, challenge) {
            (Some(witness), Some(shown), Some(challenge)) if shown == witness => {
                self.authenticated = true;
                Some((
                    0x9000,
                    tlv(0x7c, &[&tlv(0x82, &[&cipher.encrypt(&challenge)])]),
                ))
            }
            _ => said(0x6982),
        }
    }

    /// SET MANAGEMENT KEY.
    pub fn set(&mut self, data: &[u8]) -> u16 {
        match data {
            [algorithm, 0x9b, length, key @ ..]
                if usize::from(*length) == key.len() && Cipher::of(*algorithm, key).is_some() =>
            {
                self.algorithm = *algorithm;
                self.key = key.to_vec();
                0x9000
            }
            _ => 0x6a80,
        }
    }
}
