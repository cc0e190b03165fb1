//! Durations as Go's `time.ParseDuration` reads them: `5s`, `1h30m`, `1.5s`, `100ms`.

const UNITS: [(&str, i64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Nanoseconds.
///
/// # Errors
/// Says what a duration is.
pub fn parse(text: &str) -> Result<i64, String> {
    let wrong = || format!("\"{text}\" is no duration: write it as 5s, 1h30m or 100ms");
    let (negative, mut rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut total = 0i64;
    while !rest.is_empty() {
        let number = rest
            .find(|char: char| !char.is_ascii_digit() && char != '.')
            .ok_or_else(wrong)?;
        let (digits, after) = rest.split_at(number);
        let unit = after
            .find(|char: char| char.is_ascii_digit() || char == '.')
            .unwrap_or(after.len());
        let (name, next) = after.split_at(unit);
        let &(_, scale) = UNITS
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(wrong)?;
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return Err(wrong());
        }
        let whole: i64 = if whole.is_empty() {
            0
        } else {
            whole.parse().map_err(|_| wrong())?
        };
        let mut part = whole.checked_mul(scale).ok_or_else(wrong)?;
        let mut scale = scale;
        for digit in fraction.bytes() {
            scale /= 10;
            part = part
                .checked_add(i64::from(digit - b'0') * scale)
                .ok_or_else(wrong)?;
        }
        total = total.checked_add(part).ok_or_else(wrong)?;
        rest = next;
    }
    Ok(if negative { -total } else { total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, nanoseconds) in [
            ("0", 0),
            ("5s", 5_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1.5s", 1_500_000_000),
            (".5m", 30_000_000_000),
            ("1.s", 1_000_000_000),
            ("100ms", 100_000_000),
            ("3us", 3_000),
            ("3µs", 3_000),
            ("1h1ns", 3_600_000_000_001),
            ("-2s", -2_000_000_000),
            ("+2s", 2_000_000_000),
            ("1.0000000009s", 1_000_000_000),
        ] {
            assert_eq!(parse(text), Ok(nanoseconds), "{text}");
        }
        for text in [
            "",
            "-",
            "5",
            "s",
            "5d",
            ".s",
            "1..5s",
            "5 s",
            "s5",
            "9999999999h",
            "99999999999999999999s",
            "1h-5m",
        ] {
            assert!(parse(text).unwrap_err().contains(text), "{text}");
        }
    }
}
