//! The longest message that a card signs. Ed25519 signs the message itself, and cards announce
//! more than they sign: Nitrokey's applet announces 7,609 bytes and signs 1,024.

/// A card that is not known.
const UNKNOWN: usize = 1024;
/// Gnuk, which Nitrokey Start and others run.
const GNUK: usize = 256;
/// The first version of the specification that no Gnuk states.
const THREE: u16 = 0x0300;

/// What a card of this manufacturer and version signs; `stated` is what it says itself.
pub fn of(manufacturer: u16, version: u16, stated: Option<usize>) -> usize {
    let known = match manufacturer {
        // Free Software Initiative of Japan.
        0xf517 => GNUK,
        // Nitrokey, and numbers that nobody manages.
        0x000f | 0xff00..=0xfffe if version < THREE => GNUK,
        _ => UNKNOWN,
    };
    stated.map_or(known, |stated| stated.min(known))
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn the_smaller_of_both_is_taken() {
        assert_eq!(of(0x000f, 0x0304, Some(7609)), 1024);
        assert_eq!(of(0x000f, 0x0200, None), 256);
        assert_eq!(of(0xfffe, 0x0200, Some(2048)), 256);
        assert_eq!(of(0xf517, 0x0304, None), 256);
        assert_eq!(of(0x0006, 0x0304, Some(900)), 900);
        assert_eq!(of(0x0006, 0x0304, None), 1024);
    }
}
