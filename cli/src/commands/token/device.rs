//! Device keys, and bytes as people copy them.

use crate::error::Error;
use crate::output::clean_inline;
use data_encoding::HEXLOWER_PERMISSIVE;
use nkey_core::nkey::{Kind, PublicKey};
use std::str::FromStr;

/// A device key as its fingerprint: the whole key, with the checksum of an NKey.
pub fn fingerprint(device: &[u8; 32]) -> String {
    PublicKey::from_bytes(Kind::Server, *device).to_string()
}

/// The device key that the value of `flag` is: a fingerprint, or 64 hexadecimal digits.
///
/// # Errors
/// Exit 2 if it is neither.
pub fn parse(flag: &str, text: &str) -> Result<[u8; 32], Error> {
    if text.starts_with('N') {
        return PublicKey::from_str(text)
            .and_then(|key| key.expect_kind(Kind::Server))
            .map(|key| *key.as_bytes())
            .map_err(|error| Error::usage(format!("{flag}: {error}")));
    }
    bytes32(text).ok_or_else(|| {
        Error::usage(format!(
            "{flag} takes a device key, as `nkey token info` shows it, and {} is none",
            clean_inline(text)
        ))
    })
}

/// 32 bytes in hexadecimal digits.
pub fn bytes32(text: &str) -> Option<[u8; 32]> {
    HEXLOWER_PERMISSIVE
        .decode(text.as_bytes())
        .ok()?
        .try_into()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_key_is_read_as_it_is_shown_and_in_digits() {
        let shown = fingerprint(&[7; 32]);
        assert!(shown.starts_with('N') && shown.len() == 56);
        assert_eq!(parse("--device-key", &shown).unwrap(), [7; 32]);
        assert_eq!(parse("--device-key", &"07".repeat(32)).unwrap(), [7; 32]);
        let mut slip = shown.clone();
        slip.replace_range(9..10, if &shown[9..10] == "A" { "B" } else { "A" });
        for bad in [slip.as_str(), "", "0707", "N", "zz"] {
            let error = parse("--device-key", bad).unwrap_err();
            assert_eq!(error.code(), 2, "{bad}");
        }
    }
}
