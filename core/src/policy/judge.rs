//! Judging one message.

use super::{Policy, Signable};
use crate::canonical::{Reading, Value, Visit};
use crate::claims::ClaimType;
use crate::json::Decoded;
use crate::language::Permit;
use crate::nkey::{Kind, PublicKey};
use core::fmt;
use core::str::FromStr;

/// The longest subject of a permission that is judged; a longer one lies within nothing.
const MAX_SUBJECT: usize = 256;

/// Why a policy does not allow a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// Nothing of this type.
    Claim(&'static str),
    /// The subject is a key of this kind, or no key.
    Kind(Option<Kind>),
    /// A user, or a scope, is a bearer.
    Bearer,
    /// The claim does not expire, and must within this many seconds.
    Eternal(u32),
    /// The claim expires later than this many seconds from now.
    Life(u32),
    /// The policy has subjects, and a claim of this type gives leave that they cannot bound.
    Unbounded(&'static str),
    /// A permission to publish or to subscribe, or the lack of one, reaches beyond the subjects.
    Outside(&'static str),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Violation::Claim(name) => write!(f, "the key's policy allows no {name}"),
            Violation::Kind(Some(kind)) => {
                write!(f, "the key's policy allows no subject of kind {kind}")
            }
            Violation::Kind(None) => f.write_str("the key's policy wants a key as the subject"),
            Violation::Bearer => f.write_str("the key's policy allows no bearer"),
            Violation::Eternal(most) => {
                write!(f, "the claim must expire within {most} s and does not")
            }
            Violation::Life(most) => write!(f, "the claim expires more than {most} s from now"),
            Violation::Unbounded(name) => write!(
                f,
                "the key's policy has subjects, which cannot bound a claim of type {name}"
            ),
            Violation::Outside(what) => {
                write!(f, "leave to {what} reaches beyond the policy's subjects")
            }
        }
    }
}

impl core::error::Error for Violation {}

/// What was seen of one list of permissions.
#[derive(Clone, Copy, Default)]
struct Leave {
    /// Something bounds it: without that, everything is allowed.
    bounded: bool,
    outside: bool,
}

impl Leave {
    fn reaches_out(self) -> bool {
        !self.bounded || self.outside
    }
}

/// Watches a claim while it is read; then [`Judge::verdict`].
pub struct Judge<'p> {
    policy: &'p Policy<'p>,
    bearer: bool,
    publish: Leave,
    subscribe: Leave,
    import: Leave,
    respond: bool,
}

impl<'p> Judge<'p> {
    /// By this policy.
    pub fn new(policy: &'p Policy<'p>) -> Judge<'p> {
        Judge {
            policy,
            bearer: false,
            publish: Leave::default(),
            subscribe: Leave::default(),
            import: Leave::default(),
            respond: false,
        }
    }

    /// What the message is, if the policy allows it at `now` (Unix seconds).
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn verdict(&self, permit: &Permit<'_>, now: i64) -> Result<Signable, Violation> {
        let (what, name) = match permit {
            Permit::Nonce => (Some(Signable::Nonce), Signable::Nonce.name()),
            Permit::Jwt(reading) => (Signable::of(reading.claim_type), reading.claim_type.name()),
        };
        let what = what
            .filter(|what| self.policy.claims.has(*what))
            .ok_or(Violation::Claim(name))?;
        if let Permit::Jwt(reading) = permit {
            self.claim(reading, now)?;
        }
        Ok(what)
    }

    fn claim(&self, reading: &Reading<'_>, now: i64) -> Result<(), Violation> {
        let kind = PublicKey::from_str(reading.sub).ok().map(|key| key.kind());
        if !self.policy.kinds.has(kind) {
            return Err(Violation::Kind(kind));
        }
        if self.bearer && !self.policy.bearer {
            return Err(Violation::Bearer);
        }
        if let Some(most) = self.policy.life {
            if reading.exp <= 0 {
                return Err(Violation::Eternal(most));
            }
            if reading.exp > now.saturating_add(i64::from(most)) {
                return Err(Violation::Life(most));
            }
        }
        if self.policy.within.is_none() {
            return Ok(());
        }
        match reading.claim_type {
            ClaimType::User if self.publish.reaches_out() => Err(Violation::Outside("publish")),
            ClaimType::User if self.subscribe.reaches_out() => Err(Violation::Outside("subscribe")),
            // Replies go wherever the request says.
            ClaimType::User if self.respond => Err(Violation::Outside("answer")),
            ClaimType::Activation if self.import.reaches_out() => Err(Violation::Outside("import")),
            ClaimType::User | ClaimType::Activation => Ok(()),
            other => Err(Violation::Unbounded(other.name())),
        }
    }

    /// Whether the text, still in Go's escapes, lies outside the subjects.
    fn outside(&self, raw: &str, queue: bool) -> bool {
        let Some(subjects) = self.policy.within else {
            return false;
        };
        let mut bytes = heapless::Vec::<u8, MAX_SUBJECT>::new();
        for byte in Decoded::new(raw) {
            if bytes.push(byte).is_err() {
                return true;
            }
        }
        let Ok(text) = core::str::from_utf8(&bytes) else {
            return true;
        };
        match text.split_once(' ') {
            // "subject queue": the group gives no further leave.
            Some((subject, group)) if queue => {
                group.contains(char::is_whitespace) || !subjects.contain(subject)
            }
            _ => !subjects.contain(text),
        }
    }
}

impl Visit for Judge<'_> {
    fn value(&mut self, path: &[&'static str], value: Value<'_>) {
        match (path, &value) {
            ([.., "bearer_token"], Value::Flag) => self.bearer = true,
            (["nats", "pub", "allow", "*"], Value::Text(raw)) => {
                self.publish.bounded = true;
                self.publish.outside |= self.outside(raw, false);
            }
            (["nats", "sub", "allow", "*"], Value::Text(raw)) => {
                self.subscribe.bounded = true;
                self.subscribe.outside |= self.outside(raw, true);
            }
            (["nats", "pub", "deny", "*"], value) if value.is_text(">") => {
                self.publish.bounded = true;
            }
            (["nats", "sub", "deny", "*"], value) if value.is_text(">") => {
                self.subscribe.bounded = true;
            }
            (["nats", "subject"], Value::Text(raw)) => {
                self.import.bounded = true;
                self.import.outside |= self.outside(raw, false);
            }
            (["nats", "resp", ..], _) => self.respond = true,
            _ => {}
        }
    }
}
