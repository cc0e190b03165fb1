//! From a frame to a request.

use super::{Name, Ours, QUERY, Request, SESSION_BIND, flag, number};
use crate::wire::{Malformed, Reader};
use nkey_core::nkey::Kind;

/// A frame that is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Answered by a failure: an unknown type or extension, or a malformed standard request.
    Failure,
    /// An extension of this agent, malformed: answered with the reason.
    Ours(Name, Malformed),
}

impl From<Malformed> for Unreadable {
    fn from(_: Malformed) -> Unreadable {
        Unreadable::Failure
    }
}

/// Takes a frame's bytes (type and payload, without the length) apart.
///
/// # Errors
/// [`Unreadable`] says how to answer.
pub fn parse(frame: &[u8]) -> Result<Request<'_>, Unreadable> {
    let mut reader = Reader::new(frame);
    let request = match reader.byte()? {
        number::REQUEST_IDENTITIES => Request::List,
        number::SIGN_REQUEST => {
            let request = Request::Sign {
                key: reader.key_blob()?,
                data: reader.string()?,
            };
            // The flags choose among RSA hashes only.
            reader.uint32()?;
            request
        }
        number::LOCK => {
            reader.string()?;
            Request::Lock
        }
        number::UNLOCK => Request::Unlock {
            passphrase: reader.string()?,
        },
        number::EXTENSION => return extension(reader),
        _ => return Err(Unreadable::Failure),
    };
    reader.end()?;
    Ok(request)
}

fn extension(mut reader: Reader<'_>) -> Result<Request<'_>, Unreadable> {
    let name = reader.string()?;
    if name == QUERY.as_bytes() {
        reader.end()?;
        return Ok(Request::Query);
    }
    if name == SESSION_BIND.as_bytes() {
        // host key, session identifier, signature, is_forwarding (PROTOCOL.agent)
        for _ in 0..3 {
            reader.string()?;
        }
        reader.byte()?;
        reader.end()?;
        return Ok(Request::SessionBind);
    }
    let name = Name::ALL
        .iter()
        .copied()
        .find(|known| known.as_str().as_bytes() == name)
        .ok_or(Unreadable::Failure)?;
    ours(name, reader)
        .map(Request::Ours)
        .map_err(|malformed| Unreadable::Ours(name, malformed))
}

fn ours(name: Name, mut reader: Reader<'_>) -> Result<Ours<'_>, Malformed> {
    let request = match name {
        Name::Sign => Ours::Sign {
            key: reader.key_blob()?,
            data: reader.string()?,
        },
        Name::Issue => Ours::Issue {
            key: reader.key_blob()?,
            claims: reader.string()?,
            iat: reader.int64()?,
            after: reader.int64()?,
        },
        Name::List => Ours::List {
            offset: reader.uint32()?,
            limit: reader.uint32()?,
        },
        Name::Add => Ours::Add {
            seed: reader.text()?,
            name: reader.text()?,
            flags: flags(&mut reader)?,
        },
        Name::Generate => {
            let (kind, name, bits) = (kind(&mut reader)?, reader.text()?, reader.uint32()?);
            let later = bits & flag::LATER != 0;
            let flags = known(bits & !flag::LATER)?;
            if later && flags & flag::VOLATILE != 0 {
                return Err(Malformed("a volatile key is never on disk"));
            }
            Ours::Generate {
                kind,
                name,
                flags,
                later,
            }
        }
        Name::Flush => Ours::Flush,
        Name::Export => Ours::Export {
            key: reader.text()?,
        },
        Name::Remove => Ours::Remove {
            key: reader.text()?,
        },
        Name::Rename => Ours::Rename {
            key: reader.text()?,
            name: reader.text()?,
        },
        Name::Status => Ours::Status,
        Name::Unlock => Ours::Unlock {
            answer: reader.text()?,
        },
        Name::Stores => Ours::Stores,
        Name::Slots => Ours::Slots {
            store: reader.text()?,
        },
        Name::Enrol => Ours::Enrol {
            store: reader.text()?,
            slot: reader.text()?,
            kind: kind(&mut reader)?,
            name: reader.text()?,
            flags: flags(&mut reader)?,
            key: reader.text()?,
        },
        Name::GenerateIn => Ours::GenerateIn {
            store: reader.text()?,
            kind: kind(&mut reader)?,
            name: reader.text()?,
            flags: flags(&mut reader)?,
        },
        Name::UnlockIn => Ours::UnlockIn {
            store: reader.text()?,
            answer: reader.text()?,
        },
        Name::LockIn => Ours::LockIn {
            store: reader.text()?,
        },
        Name::Token => Ours::Token {
            store: reader.text()?,
            command: reader.string()?,
        },
    };
    reader.end()?;
    Ok(request)
}

fn kind(reader: &mut Reader<'_>) -> Result<Kind, Malformed> {
    Kind::from_name(reader.text()?).ok_or(Malformed("no such kind of key"))
}

fn flags(reader: &mut Reader<'_>) -> Result<u32, Malformed> {
    known(reader.uint32()?)
}

fn known(flags: u32) -> Result<u32, Malformed> {
    if flags & !flag::KNOWN == 0 {
        Ok(flags)
    } else {
        Err(Malformed("flags that this agent does not know"))
    }
}
