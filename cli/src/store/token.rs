//! Tokens of the store, read and verified.

use super::file;
use crate::error::Error;
use crate::output::clean_inline;
use nkey_core::claims::ClaimType;
use nkey_core::claims::owned::{Account, Activation, Claims, Operator, User};
use nkey_core::creds;
use nkey_core::jwt::{Algorithm, Parts};
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::tolerant::{self, AnyClaims, Decoded, Notes};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A token of the store and what it says.
#[derive(Clone, Debug)]
pub struct Entry<N> {
    /// The name of its file, without `.jwt`.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// The token.
    pub token: String,
    /// The bytes of the file.
    pub bytes: Vec<u8>,
    /// The claims.
    pub claims: Claims<N>,
    /// What the tolerant reader passed over.
    pub notes: Notes,
    /// The version of the claim.
    pub version: Algorithm,
}

/// A payload that the store keeps.
pub trait Typed: Sized {
    /// Its type.
    const TYPE: ClaimType;
    /// The kind of key that it is about.
    const KIND: Kind;
    /// The claims, if they are of this type.
    fn from_any(claims: AnyClaims) -> Option<Claims<Self>>;
    /// The claims as ones of any type.
    fn into_any(claims: Claims<Self>) -> AnyClaims;
}

macro_rules! typed {
    ($( $payload:ident about $kind:ident ),*) => { $(
        impl Typed for $payload {
            const TYPE: ClaimType = ClaimType::$payload;
            const KIND: Kind = Kind::$kind;

            fn from_any(claims: AnyClaims) -> Option<Claims<$payload>> {
                match claims {
                    AnyClaims::$payload(claims) => Some(claims),
                    _ => None,
                }
            }

            fn into_any(claims: Claims<$payload>) -> AnyClaims {
                AnyClaims::$payload(claims)
            }
        }
    )* };
}
typed!(
    Operator about Operator,
    Account about Account,
    User about User,
    Activation about Account
);

/// The token in the bytes of a file, verified.
fn decode(path: &Path, bytes: &[u8]) -> Result<(String, Decoded), Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| {
        Error::failed(format!(
            "{} is not text, so it holds no token",
            path.display()
        ))
    })?;
    let token = creds::parse_token(text).to_owned();
    let decoded = tolerant::decode(&token)
        .map_err(|error| Error::failed(format!("{}: {error}", path.display())))?;
    Ok((token, decoded))
}

/// Whether a token in a file holds this text: quick, since nothing is parsed or verified.
pub fn mentions(path: &Path, text: &str) -> bool {
    let Ok(Some(bytes)) = file::read(path) else {
        return false;
    };
    let Ok(Ok(parts)) =
        std::str::from_utf8(&bytes).map(|file| Parts::new(creds::parse_token(file)))
    else {
        return false;
    };
    let mut scratch = vec![0; parts.payload_len().unwrap_or(0)];
    let payload = parts.decode_payload(&mut scratch).unwrap_or_default();
    let (text, first) = (text.as_bytes(), text.bytes().next());
    let mut starts = (0..payload.len()).filter(|&at| payload.get(at).copied() == first);
    starts.any(|at| payload[at..].starts_with(text))
}

impl<N: Typed> Entry<N> {
    /// Reads the token of `name`; none if there is no such file.
    ///
    /// # Errors
    /// Names the file, and the member that does not fit; also if the token is of another type or
    /// about another kind of key.
    pub fn read(name: &str, path: PathBuf) -> Result<Option<Entry<N>>, Error> {
        match file::read(&path)? {
            Some(bytes) => Entry::of(name, path, bytes).map(Some),
            None => Ok(None),
        }
    }

    /// The token of `name` in `bytes`, which came from `path`: a file, or the text of a URL.
    ///
    /// # Errors
    /// As [`Entry::read`].
    pub fn of(name: &str, path: PathBuf, bytes: Vec<u8>) -> Result<Entry<N>, Error> {
        let (token, decoded) = decode(&path, &bytes)?;
        let Some(claims) = N::from_any(decoded.claims) else {
            return Err(Error::failed(format!(
                "{} is not the token of an {}",
                path.display(),
                N::TYPE
            )));
        };
        // It goes into configurations and paths, so it must be no more than a key.
        PublicKey::from_str(&claims.standard.sub)
            .and_then(|key| key.expect_kind(N::KIND))
            .map_err(|error| {
                let sub = clean_inline(&claims.standard.sub);
                Error::failed(format!("{}: sub {sub}: {error}", path.display()))
            })?;
        Ok(Entry {
            name: name.to_owned(),
            path,
            token,
            bytes,
            claims,
            notes: decoded.notes,
            version: decoded.version,
        })
    }

    /// The public key that the token is about.
    pub fn sub(&self) -> &str {
        &self.claims.standard.sub
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::BASE64URL_NOPAD;
    use nkey_core::nkey::{KeyPair, Seed};
    use nkey_tests::Scratch;

    /// A rightly signed account's token about `sub`, as no library of NATS would make it.
    fn account_about(sub: &str) -> String {
        let pair = KeyPair::from_seed(&Seed::from_bytes(Kind::Operator, [7; 32])).unwrap();
        let payload = serde_json::json!({
            "iat": 1, "iss": pair.public_key().to_string(), "name": "evil", "sub": sub,
            "nats": {"type": "account", "version": 2},
        });
        let header = br#"{"typ":"JWT","alg":"ed25519-nkey"}"#;
        let [header, payload] =
            [&header[..], payload.to_string().as_bytes()].map(|part| BASE64URL_NOPAD.encode(part));
        let input = format!("{header}.{payload}");
        let signature = pair.sign(input.as_bytes());
        format!("{input}.{}", BASE64URL_NOPAD.encode(signature.as_bytes()))
    }

    #[test]
    fn a_token_about_anything_but_its_kind_of_key_is_refused() {
        let home = Scratch::new();
        let seed = |kind| Seed::from_bytes(kind, [8; 32]);
        let account = seed(Kind::Account).public_key().to_string();
        let path = home.file("evil.jwt", account_about(&account));
        assert!(Entry::<Account>::read("evil", path).is_ok_and(|entry| entry.is_some()));
        let user = seed(Kind::User).public_key().to_string();
        for sub in [
            "}\nmonitor_port: 1\nx: {",
            "",
            &user,
            &account.to_lowercase(),
        ] {
            let path = home.file("evil.jwt", account_about(sub));
            let error = Entry::<Account>::read("evil", path)
                .unwrap_err()
                .to_string();
            assert!(error.contains("evil.jwt: sub "), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }
}
