//! PINs of OpenPGP cards: their lengths, what a card takes for them, and what it says of them.

use super::Known;
use crate::card::left;
use nkey_agent::device::{Failure, Fault};
use openpgp_card::ocard::data::KdfDo;
use secrecy::SecretBox;
use sha2::{Digest, Sha256, Sha512};
use zeroize::Zeroizing;

/// Most bytes that a card may want hashed for a PIN.
const MAX_HASHED: usize = 64 * 1024 * 1024;

/// Which PIN.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The user's.
    User,
    /// The admin's.
    Admin,
}

impl Kind {
    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::User => "PIN",
            Kind::Admin => "admin PIN",
        }
    }

    /// Its fewest bytes.
    fn least(self) -> usize {
        match self {
            Kind::User => 6,
            Kind::Admin => 8,
        }
    }
}

/// What the card takes for a PIN. One of a wrong length is not given to it: it would cost a try.
pub fn bytes(kind: Kind, pin: &str, known: &Known) -> Result<SecretBox<[u8]>, Failure> {
    let (least, most) = (kind.least(), known.longest(kind));
    if !(least..=most).contains(&pin.len()) {
        return Err(Failure::new(
            Fault::WrongPin,
            format!("its {} has {least} to {most} bytes", kind.name()),
        ));
    }
    let given = match &known.kdf {
        Some(kdf) if kdf.kdf_algo() != 0 => hashed(kind, pin, kdf).ok_or_else(|| {
            Failure::other("it wants its PIN hashed in a way that is not known here (KDF-DO)")
        })?,
        _ => Zeroizing::new(pin.as_bytes().to_vec()),
    };
    Ok(given.to_vec().into())
}

/// Iterated and salted (RFC 9580, 3.7.1.3).
fn hashed(kind: Kind, pin: &str, kdf: &KdfDo) -> Option<Zeroizing<Vec<u8>>> {
    let salt = match kind {
        Kind::User => kdf.salt_pw1(),
        Kind::Admin => kdf.salt_pw3(),
    };
    let block = Zeroizing::new([salt?, pin.as_bytes()].concat());
    let count = usize::try_from(kdf.iter_count()?).ok()?;
    if kdf.kdf_algo() != 3 || count > MAX_HASHED {
        return None;
    }
    Some(Zeroizing::new(match kdf.hash_algo()? {
        0x08 => iterated(Sha256::new(), &block, count),
        0x0a => iterated(Sha512::new(), &block, count),
        _ => return None,
    }))
}

fn iterated(mut hash: impl Digest, block: &[u8], count: usize) -> Vec<u8> {
    let mut left = count.max(block.len());
    while left > 0 {
        let part = &block[..left.min(block.len())];
        hash.update(part);
        left -= part.len();
    }
    hash.finalize().to_vec()
}

/// What the status word of a VERIFY or a change says; `tries` are those left, if they are known.
pub fn refused(kind: Kind, status: u16, tries: Option<u8>) -> Failure {
    let name = kind.name();
    let tries = match status {
        0x63c0..=0x63cf => Some((status & 0xf) as u8),
        _ => tries,
    };
    match (status, tries) {
        (0x6983, _) | (0x63c0..=0x63cf | 0x6300 | 0x6982, Some(0)) => blocked(kind),
        (0x63c0..=0x63cf | 0x6300 | 0x6982, Some(tries)) => Failure::new(
            Fault::WrongPin,
            format!("the {name} is wrong; {}", left(name, tries)),
        ),
        (0x6300 | 0x6982, None) => Failure::new(Fault::WrongPin, format!("the {name} is wrong")),
        // Some cards know the right length.
        (0x6700 | 0x6a80, _) => Failure::new(
            Fault::WrongPin,
            format!("the {name} does not have the right length (SW {status:04X})"),
        ),
        _ => Failure::other(format!("it does not take the {name} (SW {status:04X})")),
    }
}

fn blocked(kind: Kind) -> Failure {
    let text = match kind {
        Kind::User => {
            "its PIN is blocked: the admin PIN sets a new one (`nkey openpgp pin --unblock`)"
        }
        Kind::Admin => {
            "its admin PIN is blocked: only a factory reset, which deletes its keys, goes on from there"
        }
    };
    Failure::new(Fault::Blocked, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_hashed_as_the_specification_shows() {
        // Functional specification 3.4.1, page 20.
        let salt = b"01234567";
        let block = [&salt[..], b"123456"].concat();
        let hash = iterated(Sha256::new(), &block, 100_000);
        assert_eq!(&hash[..8], [0x77, 0x37, 0x84, 0xa6, 0x02, 0xb6, 0xc8, 0x1e]);
        let block = [&b"ABCDEFGH"[..], b"12345678"].concat();
        let hash = iterated(Sha256::new(), &block, 100_000);
        assert_eq!(&hash[..8], [0x26, 0x75, 0xd6, 0x16, 0x4a, 0x0d, 0x48, 0x27]);
    }

    #[test]
    fn tries_come_from_the_status_word_or_from_the_card() {
        let said = |status, tries| refused(Kind::User, status, tries);
        assert_eq!(said(0x63c2, None).fault, Fault::WrongPin);
        assert!(said(0x63c2, None).text.contains("2 tries are left"));
        assert!(said(0x6982, Some(1)).text.contains("one try is left"));
        assert_eq!(said(0x6982, Some(0)).fault, Fault::Blocked);
        assert_eq!(said(0x63c0, None).fault, Fault::Blocked);
        assert_eq!(said(0x6983, Some(3)).fault, Fault::Blocked);
        assert_eq!(said(0x6700, None).fault, Fault::WrongPin);
        assert_eq!(said(0x6f00, None).fault, Fault::Other);
        assert!(
            refused(Kind::Admin, 0x6983, None)
                .text
                .contains("factory reset")
        );
    }
}
