//! BER-TLV with tags of one byte, as PIV uses it.

/// The value of the first `tag` in `bytes`.
pub fn find(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    all(bytes)
        .find(|(found, _)| *found == tag)
        .map(|(_, value)| value)
}

/// All of them, up to one that is cut off.
pub fn all(mut bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (&tag, rest) = bytes.split_first()?;
        let (length, rest) = length(rest)?;
        let (value, rest) = rest.split_at_checked(length)?;
        bytes = rest;
        Some((tag, value))
    })
}

fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match bytes {
        [short @ ..=0x7f, rest @ ..] => Some((usize::from(*short), rest)),
        [0x81, length, rest @ ..] => Some((usize::from(*length), rest)),
        [0x82, high, low, rest @ ..] => {
            Some((usize::from(u16::from_be_bytes([*high, *low])), rest))
        }
        _ => None,
    }
}

/// `tag`, the length and `value`. Nothing longer than 65,535 bytes is ever given.
pub fn write(out: &mut Vec<u8>, tag: u8, value: &[u8]) {
    out.push(tag);
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    match length {
        0..=0x7f => out.push(length.to_be_bytes()[1]),
        0x80..=0xff => out.extend([0x81, length.to_be_bytes()[1]]),
        _ => {
            out.push(0x82);
            out.extend(length.to_be_bytes());
        }
    }
    out.extend(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_found_at_every_length_and_cuts_are_nothing() {
        for length in [0, 1, 127, 128, 255, 256, 3045] {
            let value = vec![7; length];
            let mut bytes = Vec::new();
            write(&mut bytes, 0x82, &[]);
            write(&mut bytes, 0x81, &value);
            assert_eq!(find(&bytes, 0x81), Some(&value[..]));
            assert_eq!(find(&bytes, 0x82), Some(&[][..]));
            assert_eq!(find(&bytes, 0x83), None);
            for cut in 2..bytes.len() {
                assert_eq!(find(&bytes[..cut], 0x81), None, "{cut}");
            }
        }
        assert_eq!(find(&[0x81, 0x84, 0, 0, 0, 1, 7], 0x81), None);
    }
}
