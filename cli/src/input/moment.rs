//! `--at`: nsc's forms (`cmd/common.go`, `dateTime`).

use jiff::Timestamp;

/// Unix seconds; 0 stands for now.
///
/// # Errors
/// Names the forms.
pub fn parse(text: &str) -> Result<i64, String> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    let time: Result<Timestamp, _> = text.parse();
    match time {
        Ok(time) if text.contains(['T', 't']) => Ok(time.as_second()),
        _ => Err(format!(
            "\"{text}\" is no moment: write it as 2027-01-31T15:04:05Z, as Unix seconds, or 0 for now"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_seconds_or_rfc_3339() {
        for (text, seconds) in [
            ("0", 0),
            (" 0 ", 0),
            ("1700000000", 1_700_000_000),
            ("-5", -5),
            ("2023-11-14T22:13:20Z", 1_700_000_000),
            ("2023-11-14T23:13:20+01:00", 1_700_000_000),
        ] {
            assert_eq!(parse(text), Ok(seconds), "{text}");
        }
        for text in ["", "now", "3d", "2023-11-14", "99999999999999999999"] {
            assert!(parse(text).unwrap_err().contains("Unix seconds"), "{text}");
        }
    }
}
