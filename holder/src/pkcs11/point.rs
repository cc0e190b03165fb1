//! Public keys as tokens write them.

/// The curve as PKCS#11 3.0 names it: the printable string "edwards25519".
pub const EDWARDS25519: [u8; 14] = *b"\x13\x0cedwards25519";

/// The key of a CKA_EC_POINT: bare, in an OCTET STRING, or in a BIT STRING.
pub fn read(point: &[u8]) -> Option<[u8; 32]> {
    let bare = match point {
        [0x04, 0x20, key @ ..] if key.len() == 32 => key,
        [0x03, 0x21, 0x00, key @ ..] if key.len() == 32 => key,
        key => key,
    };
    bare.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_forms_are_one_key_and_all_else_is_none() {
        // A bare key may start like a form.
        let mut key = [9; 32];
        key[..2].copy_from_slice(&[0x04, 0x20]);
        let octets = [&[0x04, 0x20][..], &key].concat();
        let bits = [&[0x03, 0x21, 0x00][..], &key].concat();
        for form in [&key[..], &octets, &bits] {
            assert_eq!(read(form), Some(key));
        }
        for wrong in [
            &[][..],
            &key[1..],
            &octets[1..],
            &[7; 57],
            &[&[0x03, 0x21, 0x01][..], &key].concat(),
        ] {
            assert_eq!(read(wrong), None);
        }
    }
}
