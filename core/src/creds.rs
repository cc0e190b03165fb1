//! Creds files: a user's JWT and seed in one text. Source: nats-io/jwt `creds_utils.go`.

use crate::claims::ClaimType;
use crate::json::{Full, Writer};
use crate::nkey::{self, Kind, Seed};
use core::fmt;
use core::str::FromStr;

const NOTICE: &str = "************************* IMPORTANT *************************
NKEY Seed printed below can be used to sign and prove identity.
NKEYs are sensitive and should be treated as secrets.

";
const LAST: &str = "*************************************************************\n";

/// Why a text is not a creds file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// A buffer is too small.
    Full(Full),
    /// There is no block with a JWT.
    NoToken,
    /// There is no block with a seed.
    NoSeed,
    /// The seed's block holds no seed.
    Seed(nkey::Error),
    /// Only operators, accounts and users have decorated seeds.
    Kind(Kind),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Full(full) => full.fmt(f),
            Error::NoToken => f.write_str("no block with a JWT: this is not a creds file"),
            Error::NoSeed => f.write_str("no block with a seed: this is not a whole creds file"),
            Error::Seed(error) => write!(f, "the seed in the creds file is damaged: {error}"),
            Error::Kind(kind) => {
                write!(f, "a seed of kind {kind} is not written to files like this")
            }
        }
    }
}

impl core::error::Error for Error {}

impl From<Full> for Error {
    fn from(full: Full) -> Error {
        Error::Full(full)
    }
}

/// The two parts of a creds file.
#[derive(Debug)]
pub struct Creds<'a> {
    /// The JWT, nothing verified.
    pub token: &'a str,
    /// The seed.
    pub seed: Seed,
}

fn block(writer: &mut Writer<'_>, pieces: [&str; 3], body: &str) {
    let title =
        |writer: &mut Writer<'_>| pieces.iter().for_each(|piece| writer.raw(piece.as_bytes()));
    writer.raw(b"-----BEGIN ");
    title(writer);
    writer.raw(b"-----\n");
    writer.raw(body.as_bytes());
    writer.raw(b"\n------END ");
    title(writer);
    writer.raw(b"------\n\n");
}

/// `claim_type` in upper case, as the blocks name it.
fn upper(claim_type: ClaimType) -> &'static str {
    match claim_type {
        ClaimType::Operator => "OPERATOR",
        ClaimType::Account => "ACCOUNT",
        ClaimType::User => "USER",
        ClaimType::Activation => "ACTIVATION",
        ClaimType::AuthorizationRequest => "AUTHORIZATION_REQUEST",
        ClaimType::AuthorizationResponse => "AUTHORIZATION_RESPONSE",
        ClaimType::Generic => "GENERIC",
    }
}

fn text(bytes: &mut [u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or_default()
}

/// Writes a JWT as a decorated block (`DecorateJWT`).
///
/// # Errors
/// [`Error::Full`] with the length needed.
pub fn write_token<'b>(
    claim_type: ClaimType,
    token: &str,
    buf: &'b mut [u8],
) -> Result<&'b str, Error> {
    let mut writer = Writer::new(buf);
    block(&mut writer, ["NATS ", upper(claim_type), " JWT"], token);
    Ok(text(writer.finish()?))
}

/// Writes a user's creds file (`FormatUserConfig`). The buffer then holds the seed: wipe it.
///
/// Whether the seed is the token's subject is for the caller to check.
///
/// # Errors
/// [`Error::Full`] with the length needed, [`Error::Kind`] unless it is a user's seed.
pub fn write<'b>(token: &str, seed: &Seed, buf: &'b mut [u8]) -> Result<&'b str, Error> {
    if seed.kind() != Kind::User {
        return Err(Error::Kind(seed.kind()));
    }
    let mut writer = Writer::new(buf);
    block(&mut writer, ["NATS ", "USER", " JWT"], token);
    seed_block(&mut writer, "USER", seed);
    Ok(text(writer.finish()?))
}

/// Writes a seed as a decorated block (`DecorateSeed`). The buffer then holds the seed: wipe it.
///
/// # Errors
/// [`Error::Full`] with the length needed, [`Error::Kind`] unless it is an operator's, an
/// account's or a user's seed.
pub fn write_seed<'b>(seed: &Seed, buf: &'b mut [u8]) -> Result<&'b str, Error> {
    let kind = match seed.kind() {
        Kind::Operator => "OPERATOR",
        Kind::Account => "ACCOUNT",
        Kind::User => "USER",
        other => return Err(Error::Kind(other)),
    };
    let mut writer = Writer::new(buf);
    seed_block(&mut writer, kind, seed);
    Ok(text(writer.finish()?))
}

fn seed_block(writer: &mut Writer<'_>, kind: &str, seed: &Seed) {
    writer.raw(NOTICE.as_bytes());
    block(writer, [kind, " NKEY SEED", ""], seed.encode().reveal());
    writer.raw(LAST.as_bytes());
}

/// Reads a creds file: the first block is the JWT, the second the seed.
///
/// # Errors
/// Says which block is missing or damaged; never quotes the seed.
pub fn parse(text: &str) -> Result<Creds<'_>, Error> {
    let mut blocks = Blocks { rest: text };
    let token = blocks.next().ok_or(Error::NoToken)?;
    let seed = blocks.next().ok_or(Error::NoSeed)?;
    Ok(Creds {
        token,
        seed: Seed::from_str(seed).map_err(Error::Seed)?,
    })
}

/// The JWT of a decorated text, or the trimmed text itself when it has no block (`ParseDecoratedJWT`).
pub fn parse_token(text: &str) -> &str {
    Blocks { rest: text }.next().unwrap_or_else(|| text.trim())
}

/// The seed of a decorated text, or of one that holds a seed on a line of its own (`ParseDecoratedNKey`).
///
/// # Errors
/// [`Error::NoSeed`], or why what looks like one is none.
pub fn parse_seed(text: &str) -> Result<Seed, Error> {
    let mut blocks = Blocks { rest: text };
    let second = blocks.next().and_then(|_| blocks.next());
    let line = second.or_else(|| {
        text.lines().map(str::trim).find(|line| {
            ["SO", "SA", "SU", "SX", "SN", "SC"]
                .iter()
                .any(|seed| line.starts_with(seed))
        })
    });
    Seed::from_str(line.ok_or(Error::NoSeed)?).map_err(Error::Seed)
}

/// The bodies between lines of dashes: a line that ends in `---…---`, one of a token's characters,
/// and one that is `---…---` (`userConfigRE` in nats-io/jwt).
struct Blocks<'a> {
    rest: &'a str,
}

/// The first line of `text`, whether it ends with a line break, and what follows.
fn line(text: &str) -> (&str, bool, &str) {
    match text.split_once('\n') {
        Some((line, rest)) => (line.strip_suffix('\r').unwrap_or(line), true, rest),
        None => (text, false, ""),
    }
}

/// Whether `line` ends in dashes, after others in it.
fn ends_in_dashes(line: &str) -> bool {
    line.find("---")
        .is_some_and(|first| line.len() >= first + 6 && line.ends_with("---"))
}

fn is_body(line: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'=');
    !line.is_empty() && line.bytes().all(allowed)
}

impl<'a> Iterator for Blocks<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        while !self.rest.is_empty() {
            let (before, broken, rest) = line(self.rest);
            self.rest = rest;
            if !broken || !ends_in_dashes(before) {
                continue;
            }
            let (body, broken, rest) = line(rest);
            let (after, _, rest) = line(rest);
            if broken && is_body(body) && after.starts_with("---") && ends_in_dashes(after) {
                self.rest = rest;
                return Some(body);
            }
        }
        None
    }
}
