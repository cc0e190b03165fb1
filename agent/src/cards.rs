//! Cards that `nkey-holder` finds.

use crate::wire::{Malformed, Reader, Writer};

/// Most cards that are read.
const MAX: u32 = 256;

/// A card that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Its serial number, as holders.toml takes it.
    pub serial: String,
    /// What it is: the firmware of PIV cards, maker and version of OpenPGP cards.
    pub label: String,
    /// The reader that it is in.
    pub reader: String,
}

/// The bytes of a list of cards.
pub fn write(cards: &[Card], out: &mut Writer) {
    out.uint32(u32::try_from(cards.len()).unwrap_or(0));
    for card in cards {
        for text in [&card.serial, &card.label, &card.reader] {
            out.string(text.as_bytes());
        }
    }
}

/// The list of cards of these bytes.
///
/// # Errors
/// [`Malformed`] if they are none.
pub fn read(bytes: &[u8]) -> Result<Vec<Card>, Malformed> {
    let mut reader = Reader::new(bytes);
    let count = reader.uint32()?.min(MAX);
    let mut cards = Vec::new();
    for _ in 0..count {
        let mut text = || reader.text().map(str::to_owned);
        cards.push(Card {
            serial: text()?,
            label: text()?,
            reader: text()?,
        });
    }
    reader.end()?;
    Ok(cards)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_every_cut_is_an_error() {
        let cards = [Card {
            serial: "000F:00000001".into(),
            label: "l".into(),
            reader: "r".into(),
        }];
        let mut out = Writer::new();
        write(&cards, &mut out);
        assert_eq!(read(out.as_bytes()).as_deref(), Ok(&cards[..]));
        for cut in 0..out.as_bytes().len() {
            assert!(read(&out.as_bytes()[..cut]).is_err());
        }
    }
}
