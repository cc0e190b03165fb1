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
    writer.raw(NOTICE.as_bytes());
    block(
        &mut writer,
        ["USER", " NKEY SEED", ""],
        seed.encode().reveal(),
    );
    writer.raw(LAST.as_bytes());
    Ok(text(writer.finish()?))
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

/// The bodies between lines of dashes: `---…---`, one line, `---…---`.
struct Blocks<'a> {
    rest: &'a str,
}

impl<'a> Blocks<'a> {
    fn line(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        Some(line.strip_suffix('\r').unwrap_or(line))
    }
}

fn is_dashes(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 6 && line.starts_with("---") && line.ends_with("---")
}

impl<'a> Iterator for Blocks<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            if !is_dashes(self.line()?) {
                continue;
            }
            let before = self.rest;
            let body = self.line()?;
            let clean = !body.is_empty()
                && body.bytes().all(|byte| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'=')
                });
            if !clean || is_dashes(body) || !is_dashes(self.line()?) {
                self.rest = before;
                continue;
            }
            return Some(body);
        }
    }
}
