//! Numbers and sizes as nsc's `ParseNumber` reads them: `-1`, `10G`, `64KiB`, `1,000`.
//! Source: dustin/go-humanize `bytes.go`; `k` is 1,000 and `Ki` 1,024.

const UNITS: [(&str, u64); 13] = [
    ("", 1),
    ("k", 1_000),
    ("ki", 1 << 10),
    ("m", 1_000_000),
    ("mi", 1 << 20),
    ("g", 1_000_000_000),
    ("gi", 1 << 30),
    ("t", 1_000_000_000_000),
    ("ti", 1 << 40),
    ("p", 1_000_000_000_000_000),
    ("pi", 1 << 50),
    ("e", 1_000_000_000_000_000_000),
    ("ei", 1 << 60),
];

/// A whole number.
///
/// # Errors
/// Says what a size is.
pub fn parse(text: &str) -> Result<i64, String> {
    let wrong = || format!("\"{text}\" is no number or size: write it as 1000, 10G, 64KiB or -1");
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let end = rest
        .find(|char: char| !matches!(char, '0'..='9' | '.' | ','))
        .unwrap_or(rest.len());
    let (number, unit) = rest.split_at(end);
    let unit = unit.trim().to_ascii_lowercase();
    let unit = unit.strip_suffix('b').unwrap_or(&unit);
    let &(_, scale) = UNITS
        .iter()
        .find(|(known, _)| *known == unit)
        .ok_or_else(wrong)?;
    let number = number.replace(',', "");
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') || fraction.len() > 18 {
        return Err(wrong());
    }
    // Exact, where go-humanize goes through a 64-bit float and rounds large numbers.
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().map_err(|_| wrong())?
    };
    let parts: u64 = if fraction.is_empty() {
        0
    } else {
        fraction.parse().map_err(|_| wrong())?
    };
    let part = u128::from(parts) * u128::from(scale)
        / 10u128.pow(u32::try_from(fraction.len()).map_err(|_| wrong())?);
    let total = u128::from(whole) * u128::from(scale) + part;
    let total = i64::try_from(total).map_err(|_| wrong())?;
    Ok(if negative { -total } else { total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_nsc_reads_them() {
        for (text, number) in [
            ("0", 0),
            ("-1", -1),
            ("1000", 1000),
            ("1,000,000", 1_000_000),
            ("10G", 10_000_000_000),
            ("10GB", 10_000_000_000),
            ("64KiB", 65_536),
            ("64 kib", 65_536),
            ("1.5Ki", 1_536),
            ("1.5k", 1_500),
            ("42mb", 42_000_000),
            (".5k", 500),
            ("1.", 1),
            ("7b", 7),
            ("7EiB", 7 << 60),
            ("9223372036854775807", i64::MAX),
        ] {
            assert_eq!(parse(text), Ok(number), "{text}");
        }
        for text in [
            "",
            "-",
            "k",
            "1x",
            "1kk",
            "1.2.3",
            "--1",
            "8EiB",
            "99999999999999999999",
            "1 2",
        ] {
            assert!(parse(text).unwrap_err().contains(text), "{text}");
        }
    }
}
