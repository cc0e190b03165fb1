//! URLs as Go's net/url reads them, as far as validation asks. Source: Go 1.26 `net/url/url.go`.

use core::net::Ipv6Addr;
use core::str::FromStr;

/// What validation asks of a URL.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Url<'a> {
    /// As it was written; Go makes it lower case.
    pub(super) scheme: &'a str,
    pub(super) has_user: bool,
    /// No host, or only a port.
    pub(super) is_host_empty: bool,
    pub(super) is_path_empty: bool,
}

/// In which part of a URL an escape stands.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Host,
    Zone,
    Other,
}

impl<'a> Url<'a> {
    /// Reads a URL, or says why Go would not.
    pub(super) fn parse(text: &'a str) -> Result<Url<'a>, &'static str> {
        let (before, fragment) = text.split_once('#').unwrap_or((text, ""));
        let url = Url::without_fragment(before)?;
        escapes(fragment, Part::Other)?;
        Ok(url)
    }

    fn without_fragment(text: &'a str) -> Result<Url<'a>, &'static str> {
        if text.bytes().any(|byte| byte < b' ' || byte == 0x7F) {
            return Err("it has a control character");
        }
        let mut url = Url {
            scheme: "",
            has_user: false,
            is_host_empty: true,
            is_path_empty: true,
        };
        if text == "*" {
            url.is_path_empty = false;
            return Ok(url);
        }
        let (scheme, rest) = scheme(text)?;
        url.scheme = scheme;
        let rest = rest.split_once('?').map_or(rest, |(rest, _)| rest);
        if !rest.starts_with('/') {
            if !scheme.is_empty() {
                // An opaque URL such as mailto:name; Go has no host or path of it.
                return Ok(url);
            }
            if rest
                .split('/')
                .next()
                .is_some_and(|first| first.contains(':'))
            {
                return Err("there is a colon in the first segment of the path");
            }
        }
        let authority = rest
            .strip_prefix("//")
            .filter(|_| !scheme.is_empty() || !rest.starts_with("///"));
        let path = match authority {
            None => rest,
            Some(after) => {
                let end = after.find('/').unwrap_or(after.len());
                url.authority(&after[..end])?;
                &after[end..]
            }
        };
        escapes(path, Part::Other)?;
        url.is_path_empty = path.is_empty();
        Ok(url)
    }

    fn authority(&mut self, authority: &str) -> Result<(), &'static str> {
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        self.host(host)?;
        let Some(user) = user else { return Ok(()) };
        let allowed =
            |letter: char| letter.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(letter);
        if !user.chars().all(allowed) {
            return Err("the user information has a character that may not stand there");
        }
        escapes(user, Part::Other)?;
        self.has_user = true;
        Ok(())
    }

    fn host(&mut self, host: &str) -> Result<(), &'static str> {
        if let Some(open) = host.rfind('[') {
            let inner = host.strip_prefix('[').filter(|_| open == 0);
            let (address, port) = inner
                .ok_or("there is a bracket inside the host")?
                .rsplit_once(']')
                .ok_or("there is no closing bracket in the host")?;
            self.is_host_empty = false;
            return port_only(port).and_then(|()| ip_literal(address));
        }
        if let Some(first) = host.find(':') {
            let http = ["http", "https"]
                .iter()
                .any(|http| self.scheme.eq_ignore_ascii_case(http));
            let port = if http {
                first
            } else {
                host.rfind(':').unwrap_or(first)
            };
            port_only(&host[port..])?;
        }
        escapes(host, Part::Host)?;
        self.is_host_empty = match host.rsplit_once(':') {
            Some((name, port)) if is_number(port) => name.is_empty(),
            _ => host.is_empty(),
        };
        Ok(())
    }
}

fn scheme(text: &str) -> Result<(&str, &str), &'static str> {
    let end = text
        .bytes()
        .position(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'+' | b'-' | b'.'));
    match end {
        Some(0) if text.starts_with(':') => Err("the scheme is missing before the colon"),
        Some(end)
            if text.as_bytes()[end] == b':'
                && text.starts_with(|letter: char| letter.is_ascii_alphabetic()) =>
        {
            Ok((&text[..end], &text[end + 1..]))
        }
        _ => Ok(("", text)),
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Nothing, or a colon and digits.
fn port_only(port: &str) -> Result<(), &'static str> {
    if port.is_empty() || port.strip_prefix(':').is_some_and(is_number) {
        Ok(())
    } else {
        Err("the port is not a number")
    }
}

/// What stands in brackets: an IPv6 address, and perhaps a zone after `%25`.
fn ip_literal(address: &str) -> Result<(), &'static str> {
    const NO_ADDRESS: &str = "there is no IPv6 address between the brackets";
    let (address, zone) = match address.find("%25") {
        Some(at) => (&address[..at], Some(&address[at..])),
        None => (address, None),
    };
    escapes(address, Part::Host)?;
    if let Some(zone) = zone {
        escapes(zone, Part::Zone)?;
        // The zone begins with the escaped per cent sign; there must be more of it.
        if zone.len() == 3 {
            return Err(NO_ADDRESS);
        }
    }
    // Bytes that may be escaped here are not ASCII, and no address has them.
    Ipv6Addr::from_str(address)
        .map(|_| ())
        .map_err(|_| NO_ADDRESS)
}

/// Checks the escapes, and in a host what stands unescaped.
fn escapes(text: &str, part: Part) -> Result<(), &'static str> {
    const BAD: &str = "it has a per cent sign that is no escape";
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let (digits, after) = after.split_first_chunk::<2>().ok_or(BAD)?;
            rest = after;
            let hex = |digit: u8| char::from(digit).to_digit(16).ok_or(BAD);
            let value = (hex(digits[0])? << 4 | hex(digits[1])?) as u8;
            let allowed = match part {
                Part::Host => value >= 0x80 || value == b'%',
                Part::Zone => matches!(value, b'%' | b' ') || is_host_byte(value),
                Part::Other => true,
            };
            if !allowed {
                return Err("the host has an escape that may not stand there");
            }
        } else if part != Part::Other && byte < 0x80 && !is_host_byte(byte) {
            return Err("the host has a character that may not stand there");
        }
    }
    Ok(())
}

/// Bytes that Go lets stand in a host as they are.
fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!\"$&'()*+,-.:;<=>[]_~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::Url;

    #[test]
    fn urls_are_read_as_go_reads_them() {
        // scheme, user, host empty, path empty
        for (text, wanted) in [
            ("nats://localhost:4222", Some(("nats", false, false, true))),
            ("nats://u:p@h", Some(("nats", true, false, true))),
            ("https://h/a%20b?c#d", Some(("https", false, false, false))),
            ("http://[::1]:80/", Some(("http", false, false, false))),
            ("http://[fe80::1%25en0]", Some(("http", false, false, true))),
            ("mailto:a", Some(("mailto", false, true, true))),
            ("h/a:b", Some(("", false, true, false))),
            ("//h", Some(("", false, false, true))),
            ("///h", Some(("", false, true, false))),
            ("nats:///a", Some(("nats", false, true, false))),
            ("nats://:4222", Some(("nats", false, true, true))),
            ("*", Some(("", false, true, false))),
            ("1a:b/c", None),
            ("nats://a:b:1", Some(("nats", false, false, true))),
            ("http://a:b:1", None),
            (":x", None),
            ("localhost:4222", Some(("localhost", false, true, true))),
            ("127.0.0.1:4222", None),
            ("nats://h:x", None),
            ("nats://[::1", None),
            ("nats://[1.2.3.4]", None),
            ("nats://h%41", None),
            ("nats://h%zz", None),
            ("nats://h/%zz", None),
            ("nats://a b", None),
            ("nats://h\u{7f}", None),
            ("nats://h#%", None),
            ("nats://a\"b@h", None),
        ] {
            let found = Url::parse(text).ok().map(|url| {
                (
                    url.scheme,
                    url.has_user,
                    url.is_host_empty,
                    url.is_path_empty,
                )
            });
            assert_eq!(found, wanted, "{text}");
        }
    }
}
