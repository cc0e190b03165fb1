//! How people name a card: as gpg shows it.

use openpgp_card::ocard::data::ApplicationIdentifier;
use std::fmt;

/// A card's name: manufacturer and serial number, or the serial number alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ident {
    manufacturer: Option<u16>,
    serial: u32,
}

impl Ident {
    /// `MANUFACTURER:SERIAL`, `SERIAL` or the whole application ID, in hexadecimal digits.
    pub fn parse(text: &str) -> Option<Ident> {
        let number = |digits: &str| {
            let fits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            fits.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
        };
        let (manufacturer, serial) = match (text.split_once(':'), text.len()) {
            (Some((manufacturer, serial)), _) => (manufacturer, serial),
            // D276000124 01, version, manufacturer, serial number, 0000.
            (None, 32) if text.is_ascii() => (&text[16..20], &text[20..28]),
            (None, _) => ("", text),
        };
        if serial.len() != 8 || !matches!(manufacturer.len(), 0 | 4) {
            return None;
        }
        let manufacturer = match manufacturer {
            "" => None,
            digits => Some(u16::try_from(number(digits)?).ok()?),
        };
        Some(Ident {
            manufacturer,
            serial: number(serial)?,
        })
    }

    /// Whether a card is meant.
    pub fn fits(&self, card: &ApplicationIdentifier) -> bool {
        self.serial == card.serial()
            && self
                .manufacturer
                .is_none_or(|wanted| wanted == card.manufacturer())
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(manufacturer) = self.manufacturer {
            write!(f, "{manufacturer:04X}:")?;
        }
        write!(f, "{:08X}", self.serial)
    }
}

#[cfg(test)]
mod tests {
    use super::Ident;

    #[test]
    fn each_spelling_names_the_card() {
        let full = Ident::parse("000F:0000a1B2");
        let wanted = Ident {
            manufacturer: Some(15),
            serial: 0xa1b2,
        };
        assert_eq!(full, Some(wanted.clone()));
        assert_eq!(Ident::parse("D276000124010304000F0000A1B20000"), full);
        let alone = Ident {
            manufacturer: None,
            ..wanted
        };
        assert_eq!(Ident::parse("0000A1B2"), Some(alone));
        for text in [
            "",
            "A1B2",
            "F:0000A1B2",
            "000F:A1B2",
            "000F:+000A1B2",
            "0000A1B2é",
        ] {
            assert_eq!(Ident::parse(text), None, "{text}");
        }
        let odd = "é".repeat(16);
        assert_eq!(Ident::parse(&odd), None);
    }
}
