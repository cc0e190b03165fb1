//! Users.

use super::Findings;
use super::common::{issuer_account, permissions};
use super::text::Quoted;
use crate::claims::owned::{User, UserLimits};
use alloc::format;
use core::net::IpAddr;
use core::str::FromStr;

/// `UserClaims.Validate`.
pub(super) fn user(user: &User, found: &mut Findings<'_>) {
    permissions(&user.permissions.permissions, "nats", found);
    limits(&user.permissions.user, found);
    issuer_account(&user.issuer_account, "nats.issuer_account", found);
}

/// `Limits.Validate`.
fn limits(limits: &UserLimits, found: &mut Findings<'_>) {
    for (index, network) in limits.src.iter().enumerate() {
        if !is_network(network) {
            let at = &format!("nats.src.{index}");
            found.error(
                at,
                format_args!("{} is not a network such as 192.0.2.0/24", Quoted(network)),
            );
        }
    }
    for (index, range) in limits.times.iter().enumerate() {
        for (key, time) in [("start", &range.start), ("end", &range.end)] {
            let at = &format!("nats.times.{index}.{key}");
            if time.is_empty() {
                found.error(at, format_args!("the {key} of a time range is missing"));
            } else if !is_time(time) {
                found.error(
                    at,
                    format_args!(
                        "the {key} of a time range, {}, is not a time such as 15:04:05",
                        Quoted(time)
                    ),
                );
            }
        }
    }
    let zone = &limits.times_location;
    if !zone.is_empty() && !is_location(zone, found.is_zone) {
        let zone = Quoted(zone);
        found.error(
            "nats.times_location",
            format_args!("{zone} is not a time zone such as Europe/Zurich"),
        );
    }
}

/// An address, a slash and the bits of the network (Go's `net.ParseCIDR`).
fn is_network(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else {
        return false;
    };
    let most = match IpAddr::from_str(address) {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    // Go takes leading zeros, but no sign.
    bits.bytes().all(|digit| digit.is_ascii_digit())
        && bits.parse::<u32>().is_ok_and(|bits| bits <= most)
}

/// Go's `time.Parse` by `15:04:05`: the hour may have one digit, the seconds a fraction.
fn is_time(text: &str) -> bool {
    let number = |digits: &str, lengths: &[usize], end: u8| {
        lengths.contains(&digits.len())
            && digits.bytes().all(|digit| digit.is_ascii_digit())
            && digits.parse::<u8>().is_ok_and(|value| value < end)
    };
    let mut parts = text.splitn(3, ':');
    let (Some(hours), Some(minutes), Some(seconds)) = (parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let (seconds, fraction) = match seconds.find(['.', ',']) {
        Some(at) => (&seconds[..at], Some(&seconds[at + 1..])),
        None => (seconds, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    number(hours, &[1, 2], 24)
        && number(minutes, &[2], 60)
        && number(seconds, &[2], 60)
        && fraction.is_none_or(digits)
}

/// Go's `time.LoadLocation`: two names of its own, and none that could leave the zones' folder.
fn is_location(zone: &str, is_zone: &dyn Fn(&str) -> bool) -> bool {
    match zone {
        "UTC" | "Local" => true,
        _ if zone.contains("..") || zone.starts_with(['/', '\\']) => false,
        _ => is_zone(zone),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_as_in_go() {
        for good in [
            "192.0.2.0/24",
            "0.0.0.0/0",
            "192.0.2.1/032",
            "::/0",
            "2001:db8::/128",
            "::ffff:1.2.3.4/96",
        ] {
            assert!(is_network(good), "{good}");
        }
        for bad in [
            "",
            "/",
            "192.0.2.0",
            "192.0.2.0/33",
            "192.0.2.0/",
            "192.0.2.0/+8",
            "192.0.2.0/-1",
            "1.2.3/8",
        ] {
            assert!(!is_network(bad), "{bad}");
        }
        for bad in [
            "01.2.3.4/8",
            "::/129",
            "fe80::1%eth0/64",
            " ::/0",
            "192.0.2.0/8/8",
            "1.2.3.4/99999999999",
        ] {
            assert!(!is_network(bad), "{bad}");
        }
    }

    #[test]
    fn times_as_in_go() {
        for good in [
            "00:00:00",
            "23:59:59",
            "1:02:03",
            "01:02:03.5",
            "01:02:03,123456789012",
        ] {
            assert!(is_time(good), "{good}");
        }
        for bad in [
            "",
            "24:00:00",
            "01:60:00",
            "01:02:60",
            "01:2:03",
            "01:02",
            "01:02:03.",
            "01:02:03.x",
            "001:02:03",
        ] {
            assert!(!is_time(bad), "{bad}");
        }
        for bad in [
            "01:02:03 ",
            "-1:02:03",
            "+1:02:03",
            "01:02:03:04",
            "1.5:02:03",
        ] {
            assert!(!is_time(bad), "{bad}");
        }
    }

    #[test]
    fn zones_are_the_callers_but_never_a_path() {
        assert!(is_location("UTC", &|_| false) && is_location("Local", &|_| false));
        assert!(is_location("Europe/Zurich", &|zone| zone == "Europe/Zurich"));
        for bad in ["/etc/passwd", "..", "a/../b", "\\a"] {
            assert!(!is_location(bad, &|_| true), "{bad}");
        }
    }
}
