//! Reading a whole claim.

use super::object::{Reader, Top};
use super::{Refusal, Visit, Why};
use crate::claims::{ClaimType, GenericFields, Member, Object, Shape, Standard, Ty, nats_shape};
use crate::nkey::PublicKey;
use core::str::FromStr;
use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha512_256};

/// What a claim that was accepted says at its top level.
///
/// Texts are as they stand between their quotes, in Go's escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading<'a> {
    /// The claim's type.
    pub claim_type: ClaimType,
    /// The key that signs; its kind may issue this type.
    pub iss: PublicKey,
    /// The subject, of the kind that this type needs.
    pub sub: &'a str,
    /// The audience, empty if absent.
    pub aud: &'a str,
    /// The display name, empty if absent.
    pub name: &'a str,
    /// The hash of the registered claims, 52 characters.
    pub jti: &'a str,
    /// Time of issue, Unix seconds.
    pub iat: i64,
    /// Expiry, Unix seconds; 0 is never.
    pub exp: i64,
    /// Start of validity, Unix seconds; 0 is at once.
    pub nbf: i64,
}

/// Reads a payload strictly, shows its values to `visitor`, and says what it is.
///
/// # Errors
/// A [`Refusal`] with place and reason, for anything but the one spelling that
/// nats-io/jwt writes of a version 2 claim with `iss`, `iat`, `sub` and the right `jti`.
pub fn read<'a>(payload: &'a [u8], visitor: &mut dyn Visit) -> Result<Reading<'a>, Refusal> {
    let text = core::str::from_utf8(payload).map_err(|error| Refusal {
        offset: error.valid_up_to(),
        member: None,
        why: Why::Utf8,
    })?;
    let claim_type = type_of(text);
    let refused = match with_type(text, claim_type, visitor) {
        Err(refusal) if claim_type == ClaimType::Generic => refusal,
        other => return other,
    };
    // A claim whose end is not as it should be is taken for a generic one. If it names a type,
    // the reason is in what it is as that.
    let Some(named) = named_type(text) else {
        return Err(refused);
    };
    Err(match with_type(text, named, &mut ()) {
        Err(refusal) => refusal,
        Ok(_) => Refusal {
            why: Why::Version,
            ..refused
        },
    })
}

fn with_type<'a>(
    text: &'a str,
    claim_type: ClaimType,
    visitor: &mut dyn Visit,
) -> Result<Reading<'a>, Refusal> {
    let mut reader = Reader::new(text, visitor);
    whole(&mut reader, claim_type).map_err(|why| Refusal {
        offset: reader.cursor.at,
        member: reader.member,
        why,
    })
}

/// The member beside the registered claims.
const NATS: &Shape = &Shape {
    name: "Claims",
    members: &[Member {
        key: "nats",
        ty: Ty::Any,
        always: true,
    }],
};

fn whole<'a>(reader: &mut Reader<'a, '_>, claim_type: ClaimType) -> Result<Reading<'a>, Why> {
    let text = reader.cursor.text();
    let first = reader.open()?;
    let left = reader.members(Standard::SHAPE, first)?;
    let Some((_, nats_at)) = left.filter(|(key, _)| *key == "nats") else {
        return Err(match reader.close(left, &[Standard::SHAPE, NATS]) {
            Err(why) => why,
            Ok(()) => Why::Missing("nats"),
        });
    };
    nats(reader, claim_type)?;
    let more = reader.next()?;
    reader.close(more, &[Standard::SHAPE, NATS])?;
    if reader.cursor.peek().is_some() {
        return Err(Why::Trailing);
    }
    reader.member = None;
    judge(core::mem::take(&mut reader.top), claim_type, text, nats_at)
}

/// The type by the end of the payload: Go writes it there in every claim but a generic one.
///
/// The reader then insists on that very member, so a wrong guess is refused.
fn type_of(text: &str) -> ClaimType {
    text.strip_suffix(",\"version\":2}}")
        .and_then(|rest| rest.strip_suffix('"'))
        .and_then(|rest| {
            ClaimType::KNOWN.into_iter().find(|known| {
                rest.strip_suffix(known.name())
                    .is_some_and(|rest| rest.ends_with("\"type\":\""))
            })
        })
        .unwrap_or(ClaimType::Generic)
}

/// The type of its own that a payload names last, wherever.
fn named_type(text: &str) -> Option<ClaimType> {
    const KEY: &str = "\"type\":\"";
    let name = text[text.rfind(KEY)? + KEY.len()..].split('"').next()?;
    ClaimType::KNOWN
        .into_iter()
        .find(|known| known.name() == name)
}

fn nats(reader: &mut Reader<'_, '_>, claim_type: ClaimType) -> Result<(), Why> {
    reader.enter("nats")?;
    match nats_shape(claim_type) {
        Some(Ty::Flat(shape)) => {
            let first = reader.open()?;
            let left = reader.members(shape, first)?;
            let left = reader.members(GenericFields::SHAPE, left)?;
            reader.close(left, &[shape, GenericFields::SHAPE])?;
        }
        _ => reader.generic()?,
    }
    reader.leave();
    Ok(())
}

fn judge<'a>(
    top: Top<'a>,
    claim_type: ClaimType,
    text: &'a str,
    nats_at: usize,
) -> Result<Reading<'a>, Why> {
    if top.iat <= 0 {
        return Err(Why::Missing("iat"));
    }
    if top.iss.is_empty() {
        return Err(Why::Missing("iss"));
    }
    if top.sub.is_empty() {
        return Err(Why::Missing("sub"));
    }
    let Some((jti, jti_at)) = top.jti else {
        return Err(Why::Missing("jti"));
    };
    let iss = PublicKey::from_str(top.iss).map_err(Why::Key)?;
    let issuers = claim_type.issuers();
    if !issuers.is_empty() && !issuers.contains(&iss.kind()) {
        return Err(Why::Issuer {
            claim: claim_type,
            issuer: iss.kind(),
        });
    }
    if let Some(wanted) = claim_type.subject() {
        let subject = PublicKey::from_str(top.sub).map_err(Why::Key)?;
        if subject.kind() != wanted {
            return Err(Why::Subject {
                claim: claim_type,
                wanted,
            });
        }
    }
    // The payload is canonical, so Go's hash input is its own bytes: what stands before
    // `nats`, without jti. Something always follows jti, since iat is there.
    let after = text.get(jti_at.end + 1..nats_at - 1).ok_or(Why::Jti)?;
    if !jti.bytes().eq(hash(&[&text[..jti_at.start], after, "}"])) {
        return Err(Why::Jti);
    }
    Ok(Reading {
        claim_type,
        iss,
        sub: top.sub,
        aud: top.aud,
        name: top.name,
        jti,
        iat: top.iat,
        exp: top.exp,
        nbf: top.nbf,
    })
}

/// `jti`: base32 of SHA-512/256 over the pieces, 52 characters.
pub(crate) fn hash(pieces: &[&str]) -> [u8; 52] {
    let mut hasher = Sha512_256::new();
    for piece in pieces {
        hasher.update(piece.as_bytes());
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let mut text = [0u8; 52];
    BASE32_NOPAD.encode_mut(&digest, &mut text);
    text
}
