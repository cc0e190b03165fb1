//! Hash_DRBG with SHA-256 (NIST SP 800-90A, 10.1.1).

use sha2::{Digest, Sha256};
use zeroize::Zeroize;

/// Bytes of its state: 440 bits.
const SEED_LEN: usize = 55;
/// Bytes of a hash.
const HASH_LEN: usize = 32;

/// The generator. It never counts to the limit of requests: its user reseeds it for each.
pub struct Drbg {
    v: [u8; SEED_LEN],
    c: [u8; SEED_LEN],
    count: u32,
}

impl Drbg {
    /// Instantiates: entropy and nonce, and what sets this generator apart from others.
    pub fn new(entropy: &[u8], personal: &[u8]) -> Drbg {
        let mut drbg = Drbg {
            v: [0; SEED_LEN],
            c: [0; SEED_LEN],
            count: 1,
        };
        derive(&[entropy, personal], &mut drbg.v);
        drbg.constant();
        drbg
    }

    /// Mixes fresh entropy in.
    pub fn reseed(&mut self, entropy: &[u8]) {
        let mut old = self.v;
        derive(&[&[1], &old, entropy], &mut self.v);
        old.zeroize();
        self.constant();
        self.count = 1;
    }

    /// Fills `bytes`, and steps on so that they cannot be told from the new state.
    pub fn generate(&mut self, bytes: &mut [u8]) {
        let mut data = self.v;
        for chunk in bytes.chunks_mut(HASH_LEN) {
            let mut hash = Sha256::digest(data);
            chunk.copy_from_slice(&hash[..chunk.len()]);
            hash.zeroize();
            add(&mut data, &[1]);
        }
        data.zeroize();
        let mut hash = Sha256::new_with_prefix([3]).chain_update(self.v).finalize();
        add(&mut self.v, &hash);
        hash.zeroize();
        let c = self.c;
        add(&mut self.v, &c);
        add(&mut self.v, &self.count.to_be_bytes());
        self.count += 1;
    }

    fn constant(&mut self) {
        derive(&[&[0], &self.v], &mut self.c);
    }
}

impl Drop for Drbg {
    fn drop(&mut self) {
        self.v.zeroize();
        self.c.zeroize();
    }
}

/// Hash_df: 440 bits of the inputs, one after the other.
fn derive(inputs: &[&[u8]], out: &mut [u8; SEED_LEN]) {
    for (chunk, counter) in out.chunks_mut(HASH_LEN).zip(1u8..) {
        let mut hash = Sha256::new();
        hash.update([counter]);
        hash.update((SEED_LEN as u32 * 8).to_be_bytes());
        for input in inputs {
            hash.update(input);
        }
        let mut hash = hash.finalize();
        chunk.copy_from_slice(&hash[..chunk.len()]);
        hash.zeroize();
    }
}

/// Adds a big-endian number, modulo 2^440.
fn add(sum: &mut [u8; SEED_LEN], number: &[u8]) {
    let mut carry = 0;
    for at in 0..SEED_LEN {
        let digit = number.len().checked_sub(at + 1).map_or(0, |at| number[at]);
        let place = &mut sum[SEED_LEN - 1 - at];
        let total = u16::from(*place) + u16::from(digit) + carry;
        *place = total as u8;
        carry = total >> 8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len()).step_by(2).map(digit).collect()
    }

    /// NIST's CAVP, Hash_DRBG, SHA-256, no reseed, no additional input, the first of its vectors.
    #[test]
    fn bytes_are_those_of_nists_vector() {
        let entropy = "a65ad0f345db4e0effe875c3a2e71f42c7129d620ff5c119a9ef55f05185e0fb";
        let nonce = "8581f9317517276e06e9607ddbcbcc2e";
        let wanted = "d3e160c35b99f340b2628264d1751060e0045da383ff57a57d73a673d2b8d80d\
                      aaf6a6c35a91bb4579d73fd0c8fed111b0391306828adfed528f018121b3febd\
                      c343e797b87dbb63db1333ded9d1ece177cfa6b71fe8ab1da46624ed6415e51c\
                      cde2c7ca86e283990eeaeb91120415528b2295910281b02dd431f4c9f70427df";
        let mut drbg = Drbg::new(&hex(&format!("{entropy}{nonce}")), &[]);
        let mut bytes = [0; 128];
        // The vector is of the second request.
        drbg.generate(&mut bytes);
        drbg.generate(&mut bytes);
        assert_eq!(bytes.as_slice(), hex(wanted));
    }

    #[test]
    fn a_reseed_changes_what_follows() {
        let bytes = |entropy: Option<&[u8]>| {
            let mut drbg = Drbg::new(&[7; 48], b"board");
            if let Some(entropy) = entropy {
                drbg.reseed(entropy);
            }
            let mut bytes = [0; 40];
            drbg.generate(&mut bytes);
            bytes
        };
        assert_eq!(bytes(None), bytes(None));
        assert_ne!(bytes(None), bytes(Some(&[1])));
        assert_ne!(bytes(Some(&[1])), bytes(Some(&[2])));
    }

    #[test]
    fn sums_carry_and_wrap() {
        let mut sum = [0xFF; SEED_LEN];
        add(&mut sum, &[1]);
        assert_eq!(sum, [0; SEED_LEN]);
        add(&mut sum, &[1, 0xFF]);
        add(&mut sum, &[1]);
        assert_eq!(sum[SEED_LEN - 2..], [2, 0]);
    }
}
