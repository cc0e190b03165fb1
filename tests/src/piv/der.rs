//! Tag, length, value: DER of certificates, and the card's own data.

/// `tag` around `parts`.
pub fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let value = parts.concat();
    let length = u16::try_from(value.len()).expect("a short value");
    let mut out = vec![tag];
    match length.to_be_bytes() {
        [0, low @ ..=0x7f] => out.push(low),
        [0, low] => out.extend([0x81, low]),
        bytes => {
            out.push(0x82);
            out.extend(bytes);
        }
    }
    out.extend(value);
    out
}

/// The first tag, its value and what follows.
pub fn next(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (length, rest) = match rest {
        [0x82, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        [0x81, length, rest @ ..] => (usize::from(*length), rest),
        [length @ ..=0x7f, rest @ ..] => (usize::from(*length), rest),
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(length)?;
    Some((tag, value, rest))
}

/// The value of the first `tag`.
pub fn find(mut bytes: &[u8], wanted: u8) -> Option<&[u8]> {
    loop {
        let (tag, value, rest) = next(bytes)?;
        if tag == wanted {
            return Some(value);
        }
        bytes = rest;
    }
}
