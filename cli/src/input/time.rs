//! `--expiry` and `--start`: nsc's forms (`cmd/timeparams.go`), and RFC 3339.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// Unix seconds; 0 for no bound. `now` is what spans such as `3d` count from, in UTC.
///
/// # Errors
/// Names the forms.
pub fn parse(text: &str, now: i64) -> Result<i64, String> {
    let wrong = || {
        format!(
            "\"{text}\" is no time: write it as 3d (m, h, d, w, M, y), 2027-01-31, 2027-01-31T15:04:05Z, or 0 for none"
        )
    };
    if text.is_empty() || text == "0" {
        return Ok(0);
    }
    if text.len() > 64 || text.contains('.') {
        return Err(wrong());
    }
    let utc = |time: DateTime| {
        time.to_zoned_datetime(TimeZone::UTC)
            .map(|time| time.timestamp().as_second())
    };
    if let Some(time) = text.strip_suffix(" UTC") {
        let time: DateTime = time.parse().map_err(|_| wrong())?;
        return utc(time).map_err(|_| wrong());
    }
    if let Some(&unit) = text
        .as_bytes()
        .last()
        .filter(|unit| b"mhdwMy".contains(unit))
    {
        let count: i64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
        return if count == 0 {
            Ok(0)
        } else {
            later(now, count, unit).ok_or_else(wrong)
        };
    }
    if text.contains(['T', 't']) {
        let time: Timestamp = text.parse().map_err(|_| wrong())?;
        return Ok(time.as_second());
    }
    let date: Date = text.parse().map_err(|_| wrong())?;
    utc(date.at(0, 0, 0, 0)).map_err(|_| wrong())
}

/// `now` and a span, as Go's `AddDate` counts: a day that the month does not have runs into the next.
fn later(now: i64, count: i64, unit: u8) -> Option<i64> {
    let days = |count: i64| count.checked_mul(86_400);
    let months = match unit {
        b'm' => return now.checked_add(count.checked_mul(60)?),
        b'h' => return now.checked_add(count.checked_mul(3_600)?),
        b'd' => return now.checked_add(days(count)?),
        b'w' => return now.checked_add(days(count.checked_mul(7)?)?),
        b'M' => count,
        _ => count.checked_mul(12)?,
    };
    let time = Timestamp::from_second(now)
        .ok()?
        .to_zoned_datetime(TimeZone::UTC)
        .datetime();
    let first = time
        .date()
        .first_of_month()
        .checked_add(Span::new().try_months(months).ok()?)
        .ok()?;
    let date = first
        .checked_add(Span::new().try_days(i64::from(time.day()) - 1).ok()?)
        .ok()?;
    Some(
        date.to_datetime(time.time())
            .to_zoned_datetime(TimeZone::UTC)
            .ok()?
            .timestamp()
            .as_second(),
    )
}

/// Whether this is an IANA time zone, such as `Europe/Zurich`; as in Go, empty and `UTC` are.
pub fn is_zone(name: &str) -> bool {
    matches!(name, "" | "UTC" | "Local") || TimeZone::get(name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-31T12:30:15Z
    const NOW: i64 = 1_769_862_615;

    #[test]
    fn the_forms_of_nsc_and_rfc_3339_are_read() {
        for (text, wanted) in [
            ("", "0"),
            ("0", "0"),
            ("0d", "0"),
            ("5m", "2026-01-31T12:35:15Z"),
            ("2h", "2026-01-31T14:30:15Z"),
            ("3d", "2026-02-03T12:30:15Z"),
            ("1w", "2026-02-07T12:30:15Z"),
            ("-1d", "2026-01-30T12:30:15Z"),
            // Go: 31 February is 3 March.
            ("1M", "2026-03-03T12:30:15Z"),
            ("-2M", "2025-12-01T12:30:15Z"),
            ("2y", "2028-01-31T12:30:15Z"),
            ("2027-01-31", "2027-01-31T00:00:00Z"),
            ("2027-01-31 15:04:05 UTC", "2027-01-31T15:04:05Z"),
            ("2027-01-31T15:04:05Z", "2027-01-31T15:04:05Z"),
            ("2027-01-31T15:04:05+02:00", "2027-01-31T13:04:05Z"),
        ] {
            let wanted = if wanted == "0" {
                0
            } else {
                wanted.parse::<Timestamp>().unwrap().as_second()
            };
            assert_eq!(parse(text, NOW), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_the_forms() {
        for text in [
            "3",
            "d",
            "3x",
            "3d4h",
            "1.5d",
            "2027-13-01",
            "2027-02-30",
            "yesterday",
            "2027-01-31T15:04:05",
            "9999999999999y",
            "9223372036854775807m",
            "10000y",
            "2027-01-31T15:04:05.5Z",
            "ä",
            "dä",
        ] {
            let error = parse(text, NOW).unwrap_err();
            assert!(error.contains("3d (m, h, d, w, M, y)"), "{text}: {error}");
        }
    }

    #[test]
    fn zones_are_the_ones_of_iana() {
        assert!(is_zone("Europe/Zurich") && is_zone("UTC") && is_zone(""));
        assert!(!is_zone("Europe/Atlantis"));
    }
}
