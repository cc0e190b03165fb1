//! Values as people read them.

use jiff::{SignedDuration, Timestamp};

/// Unix seconds as a date in UTC, empty for 0 (not set).
pub fn time(seconds: i64) -> String {
    if seconds == 0 {
        return String::new();
    }
    match Timestamp::from_second(seconds) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => format!("second {seconds} of Unix time"),
    }
}

/// How far a time is from now, such as `in 3 days` or `2 hours ago`.
pub fn distance(seconds: i64, now: i64) -> String {
    const UNITS: [(u64, &str); 5] = [
        (365 * 86_400, "years"),
        (30 * 86_400, "months"),
        (86_400, "days"),
        (3_600, "hours"),
        (60, "minutes"),
    ];
    let away = seconds.abs_diff(now);
    // Twice the unit, so that no unit is ever one.
    let text = match UNITS.iter().find(|(unit, _)| away >= 2 * unit) {
        Some((unit, name)) => format!("{} {name}", away / unit),
        None => format!("{away} seconds"),
    };
    if seconds < now {
        format!("{text} ago")
    } else {
        format!("in {text}")
    }
}

/// Nanoseconds as a duration, such as `1m 30s`.
pub fn duration(nanoseconds: i64) -> String {
    format!("{:#}", SignedDuration::from_nanos(nanoseconds))
}

/// A limit of things, where -1 is none.
pub fn count(limit: i64) -> String {
    if limit == -1 {
        "Unlimited".to_owned()
    } else {
        limit.to_string()
    }
}

/// A limit of bytes, where -1 is none.
pub fn bytes(limit: i64) -> String {
    const BINARY: [(i64, &str); 4] = [
        (1 << 40, "TiB"),
        (1 << 30, "GiB"),
        (1 << 20, "MiB"),
        (1 << 10, "KiB"),
    ];
    const DECIMAL: [(i64, &str); 4] = [
        (1_000_000_000_000, "TB"),
        (1_000_000_000, "GB"),
        (1_000_000, "MB"),
        (1_000, "kB"),
    ];
    if limit == -1 {
        return "Unlimited".to_owned();
    }
    // Only a unit in which the limit is a whole number that people can take in.
    let fits =
        |(unit, _): &&(i64, &str)| limit >= *unit && limit % unit == 0 && limit / unit < 10_000;
    match BINARY
        .iter()
        .find(fits)
        .or_else(|| DECIMAL.iter().find(fits))
    {
        Some((unit, name)) => format!("{} {name} ({limit} bytes)", limit / unit),
        None => format!("{limit} bytes"),
    }
}

/// Yes or no.
pub const fn yes(flag: bool) -> &'static str {
    if flag { "Yes" } else { "No" }
}

/// A public key as a list shows it: its first 12 characters, unless `long`.
pub fn id(key: &str, long: bool) -> String {
    match key.char_indices().nth(12) {
        Some((end, _)) if !long => format!("{}…", &key[..end]),
        _ => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_told_in_one_unit() {
        for (seconds, wanted) in [
            (1_000, "in 0 seconds"),
            (1_119, "in 119 seconds"),
            (1_120, "in 2 minutes"),
            (1_000 - 7_200, "2 hours ago"),
            (1_000 + 47 * 3_600, "in 47 hours"),
            (1_000 + 49 * 3_600, "in 2 days"),
            (1_000 + 800 * 86_400, "in 2 years"),
            (i64::MIN, "292471208677 years ago"),
        ] {
            assert_eq!(distance(seconds, 1_000), wanted);
        }
    }

    #[test]
    fn values_read_as_people_write_them() {
        assert_eq!(time(1_678_973_945), "2023-03-16 13:39:05 UTC");
        assert_eq!(time(0), "");
        assert_eq!(time(i64::MAX), "second 9223372036854775807 of Unix time");
        assert_eq!(duration(90_000_000_000), "1m 30s");
        assert_eq!((count(-1).as_str(), count(0).as_str()), ("Unlimited", "0"));
        assert_eq!(bytes(1 << 30), "1 GiB (1073741824 bytes)");
        assert_eq!(bytes(10_000_000_000), "10 GB (10000000000 bytes)");
        assert_eq!(
            (bytes(1501).as_str(), bytes(-1).as_str(), bytes(0).as_str()),
            ("1501 bytes", "Unlimited", "0 bytes")
        );
        assert_eq!(id("ABCDEFGHIJKLMNOP", false), "ABCDEFGHIJKL…");
        assert_eq!(id("ABCDEFGHIJKLMNOP", true), "ABCDEFGHIJKLMNOP");
        assert_eq!(id("short", false), "short");
    }
}
