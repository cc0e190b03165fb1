//! Many requests under way at once: the agent answers in their order.

use super::{Client, Error};
use crate::message::{Name, Status, number};
use crate::wire::{Reader, Writer};
use nkey_core::nkey::{Kind, PublicKey};
use std::io::Write;

/// Requests under way at most.
const WINDOW: usize = 512;

/// Bytes of requests under way at most, unless one is larger. What they and their answers need
/// stays below what a socket takes, so that neither side waits for the other to read.
const WINDOW_BYTES: usize = 48 * 1024;

impl Client {
    /// Makes keys that are born in the agent, one of each name.
    ///
    /// # Errors
    /// If the connection breaks; whether a key was made stands in its place.
    pub fn generate_many(
        &mut self,
        kind: Kind,
        names: &[String],
        flags: u32,
    ) -> Result<Vec<Result<PublicKey, Error>>, Error> {
        self.ask_many(
            Name::Generate,
            names,
            |request, name| {
                request
                    .string(kind.name().as_bytes())
                    .string(name.as_bytes())
                    .uint32(flags);
            },
            |body| Client::made(kind, body),
        )
    }

    /// Tokens with these claims, signed by `key` now; as [`Client::issue`].
    ///
    /// # Errors
    /// If the connection breaks; whether a token was issued stands in its place.
    pub fn issue_many(
        &mut self,
        key: &PublicKey,
        claims: &[String],
        after: i64,
    ) -> Result<Vec<Result<String, Error>>, Error> {
        self.ask_many(
            Name::Issue,
            claims,
            |request, claims| {
                request
                    .key_blob(key)
                    .string(claims.as_bytes())
                    .int64(0)
                    .int64(after);
            },
            |mut body| Ok(body.text()?.to_owned()),
        )
    }

    fn ask_many<T>(
        &mut self,
        name: Name,
        items: &[String],
        write: impl Fn(&mut Writer, &str),
        read: impl Fn(Reader<'_>) -> Result<T, Error>,
    ) -> Result<Vec<Result<T, Error>>, Error> {
        self.settle()?;
        self.waiting = super::read::Waiting::of(name);
        let mut results = Vec::with_capacity(items.len());
        let mut sizes = Vec::with_capacity(items.len());
        let mut under_way = 0;
        while results.len() < items.len() {
            // Filled up only when half empty, so that the agent reads many at once.
            if sizes.len() - results.len() <= WINDOW / 2 && under_way <= WINDOW_BYTES / 2 {
                self.request.clear();
                while let Some(item) = items.get(sizes.len())
                    && sizes.len() - results.len() < WINDOW
                    && (under_way == 0 || under_way + item.len() < WINDOW_BYTES)
                {
                    let before = self.request.as_bytes().len();
                    let frame = self.request.begin_frame();
                    self.request
                        .byte(number::EXTENSION)
                        .string(name.as_str().as_bytes());
                    write(&mut self.request, item);
                    self.request.end_frame(frame);
                    let size = self.request.as_bytes().len() - before;
                    under_way += size;
                    sizes.push(size);
                }
                let sent = self.stream.write_all(self.request.as_bytes());
                self.request.clear();
                sent.map_err(|error| self.broken(error))?;
            }
            self.read_next()?;
            while self.heard_notice(name)? {
                self.read_next()?;
            }
            under_way -= sizes.get(results.len()).copied().unwrap_or_default();
            results.push(self.one(name, &read)?);
        }
        Ok(results)
    }

    /// The answer that was read: an error that is not about one request ends all of them.
    fn one<T>(
        &self,
        name: Name,
        read: impl Fn(Reader<'_>) -> Result<T, Error>,
    ) -> Result<Result<T, Error>, Error> {
        Ok(match self.outcome(name)? {
            (Status::Ok, _, body) => read(body),
            (status, reason, _) => Err(Error::Refused { status, reason }),
        })
    }
}
