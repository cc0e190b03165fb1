//! Keys and signatures.

use super::{Client, Error};
use crate::message::{Name, Status, number};
use crate::wire::{ED25519, Reader};
use nkey_core::nkey::{Kind, PublicKey, Seed};
use nkey_core::{SignError, Signature, Signer};
use std::cell::RefCell;
use std::str::FromStr;

/// Rows asked for at a time.
const PAGE: u32 = 1000;

/// A key that the agent holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// The public key.
    pub key: PublicKey,
    /// Its name; may be empty.
    pub name: String,
    /// The store that holds it.
    pub store: String,
    /// [`crate::message::flag`] bits.
    pub flags: u32,
}

impl Client {
    /// All keys that the agent holds; works while it is locked.
    ///
    /// # Errors
    /// If the agent does not answer as it should.
    pub fn list(&mut self) -> Result<Vec<KeyInfo>, Error> {
        let mut keys = Vec::new();
        loop {
            let offset = u32::try_from(keys.len()).unwrap_or(u32::MAX);
            let mut rows = self.ask(Name::List, |request| {
                request.uint32(offset).uint32(PAGE);
            })?;
            let total = rows.uint32()?;
            let before = keys.len();
            while !rows.rest().is_empty() {
                let key = PublicKey::from_str(rows.text()?)?;
                // The kind stands in the key as well.
                rows.text()?;
                keys.push(KeyInfo {
                    key,
                    name: rows.text()?.to_owned(),
                    store: rows.text()?.to_owned(),
                    flags: rows.uint32()?,
                });
            }
            if keys.len() as u64 >= u64::from(total) || keys.len() == before {
                return Ok(keys);
            }
        }
    }

    /// The signature of `data` by `key`, verified.
    ///
    /// # Errors
    /// [`Error::Refused`] with the agent's reason.
    pub fn sign(&mut self, key: &PublicKey, data: &[u8]) -> Result<Signature, Error> {
        let mut body = self.ask(Name::Sign, |request| {
            request.key_blob(key).string(data);
        })?;
        let bytes: [u8; 64] = body
            .string()?
            .try_into()
            .map_err(|_| Error::Answer("a signature that is not 64 bytes"))?;
        body.end()?;
        let signature = Signature::from_bytes(bytes);
        if key.verify(data, &signature) {
            Ok(signature)
        } else {
            Err(Error::Signature(*key))
        }
    }

    /// The signature by request 13 of RFC 9987, as any ssh-agent client asks for it; none if the
    /// agent refuses, and then without a reason.
    ///
    /// # Errors
    /// If the agent does not answer as it should.
    pub fn sign_standard(
        &mut self,
        key: &PublicKey,
        data: &[u8],
    ) -> Result<Option<Signature>, Error> {
        let (kind, rest) = self.standard(number::SIGN_REQUEST, |request| {
            request.key_blob(key).string(data).uint32(0);
        })?;
        if kind == number::FAILURE {
            return Ok(None);
        }
        let mut blob = Reader::new(Reader::new(rest).string()?);
        if kind != number::SIGN_RESPONSE || blob.string()? != ED25519 {
            return Err(Error::Answer("not a signature"));
        }
        let bytes = blob
            .string()?
            .try_into()
            .map_err(|_| Error::Answer("a signature that is not 64 bytes"))?;
        let signature = Signature::from_bytes(bytes);
        if key.verify(data, &signature) {
            Ok(Some(signature))
        } else {
            Err(Error::Signature(*key))
        }
    }

    /// A token with these claims (JSON), signed by `key`. The agent sets `iss`, `iat`,
    /// `jti` and `nats.version`. `iat` 0 is now; `after` other than 0 asks for an `iat`
    /// greater than it. Both are Unix seconds.
    ///
    /// # Errors
    /// [`Error::Refused`] with the agent's reason.
    pub fn issue(
        &mut self,
        key: &PublicKey,
        claims: &str,
        iat: i64,
        after: i64,
    ) -> Result<String, Error> {
        self.issue_ahead(key, claims, iat, after)?;
        self.issued()
    }

    /// Adds a seed. `flags` are [`crate::message::flag`] bits.
    ///
    /// # Errors
    /// [`Error::Refused`] with the agent's reason.
    pub fn add(&mut self, seed: &Seed, name: &str, flags: u32) -> Result<PublicKey, Error> {
        let text = seed.encode();
        let mut body = self.ask(Name::Add, |request| {
            request
                .string(text.reveal().as_bytes())
                .string(name.as_bytes())
                .uint32(flags);
        })?;
        Ok(PublicKey::from_str(body.text()?)?)
    }

    /// Makes a key that is born in the agent.
    ///
    /// # Errors
    /// [`Error::Refused`] with the agent's reason.
    pub fn generate(&mut self, kind: Kind, name: &str, flags: u32) -> Result<PublicKey, Error> {
        let body = self.ask(Name::Generate, |request| {
            request
                .string(kind.name().as_bytes())
                .string(name.as_bytes())
                .uint32(flags);
        })?;
        Client::made(kind, body)
    }

    /// The key that was made.
    pub(super) fn made(kind: Kind, mut body: Reader<'_>) -> Result<PublicKey, Error> {
        Ok(PublicKey::from_str(body.text()?)?.expect_kind(kind)?)
    }

    /// The seed of an exportable key. It leaves the agent.
    ///
    /// # Errors
    /// [`Error::Refused`] if the key is not exportable.
    pub fn export(&mut self, key: &PublicKey) -> Result<Seed, Error> {
        let mut body = self.ask(Name::Export, |request| {
            request.string(key.encode().as_bytes());
        })?;
        let seed = Seed::from_str(body.text()?)?;
        self.answer.fill(0);
        Ok(seed)
    }

    /// Removes a key for good.
    ///
    /// # Errors
    /// [`Error::Refused`] with the agent's reason.
    pub fn remove(&mut self, key: &PublicKey) -> Result<(), Error> {
        let body = self.ask(Name::Remove, |request| {
            request.string(key.encode().as_bytes());
        })?;
        Ok(body.end()?)
    }

    /// Gives a key another name.
    ///
    /// # Errors
    /// [`Error::Refused`] with the agent's reason.
    pub fn rename(&mut self, key: &PublicKey, name: &str) -> Result<(), Error> {
        let body = self.ask(Name::Rename, |request| {
            request
                .string(key.encode().as_bytes())
                .string(name.as_bytes());
        })?;
        Ok(body.end()?)
    }

    /// A signer for one key of the agent.
    pub fn signer(self, key: PublicKey) -> AgentSigner {
        AgentSigner {
            client: RefCell::new(self),
            key,
        }
    }
}

/// A key in an agent, as a [`Signer`].
pub struct AgentSigner {
    client: RefCell<Client>,
    key: PublicKey,
}

impl Signer for AgentSigner {
    fn public_key(&self) -> PublicKey {
        self.key
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        self.client
            .borrow_mut()
            .sign(&self.key, message)
            .map_err(|error| match error {
                Error::Refused {
                    status: Status::Refused | Status::Malformed | Status::UnknownKey,
                    ..
                } => SignError::Refused,
                _ => SignError::Unavailable,
            })
    }
}
