//! A claim of whatever type.

use crate::claims::owned::{
    Account, Activation, AuthorizationRequest, AuthorizationResponse, Claims, Operator, Standard,
    User,
};
use crate::claims::{Claim, ClaimType, Object, Stamp};
use crate::json::{Full, Node, Write, Writer};
use crate::jwt;
use crate::nkey::PublicKey;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// A claim of any type, owned.
#[derive(Clone, Debug, PartialEq)]
#[allow(
    clippy::large_enum_variant,
    reason = "one is read at a time, and a box would be in every pattern"
)]
pub enum AnyClaims {
    /// An operator's.
    Operator(Claims<Operator>),
    /// An account's.
    Account(Claims<Account>),
    /// A user's.
    User(Claims<User>),
    /// An activation.
    Activation(Claims<Activation>),
    /// What a server asks an authorization service.
    AuthorizationRequest(Claims<AuthorizationRequest>),
    /// The answer of an authorization service.
    AuthorizationResponse(Claims<AuthorizationResponse>),
    /// Any other.
    Generic(Generic),
}

/// A claim whose `nats` has free members.
#[derive(Clone, Debug, PartialEq)]
pub struct Generic {
    /// The registered claims.
    pub standard: Standard,
    /// `nats`, an object; null is an empty one.
    pub nats: Node,
}

impl AnyClaims {
    /// The registered claims.
    pub fn standard(&self) -> &Standard {
        match self {
            AnyClaims::Operator(claims) => &claims.standard,
            AnyClaims::Account(claims) => &claims.standard,
            AnyClaims::User(claims) => &claims.standard,
            AnyClaims::Activation(claims) => &claims.standard,
            AnyClaims::AuthorizationRequest(claims) => &claims.standard,
            AnyClaims::AuthorizationResponse(claims) => &claims.standard,
            AnyClaims::Generic(claims) => &claims.standard,
        }
    }

    /// The registered claims, to edit.
    pub fn standard_mut(&mut self) -> &mut Standard {
        match self {
            AnyClaims::Operator(claims) => &mut claims.standard,
            AnyClaims::Account(claims) => &mut claims.standard,
            AnyClaims::User(claims) => &mut claims.standard,
            AnyClaims::Activation(claims) => &mut claims.standard,
            AnyClaims::AuthorizationRequest(claims) => &mut claims.standard,
            AnyClaims::AuthorizationResponse(claims) => &mut claims.standard,
            AnyClaims::Generic(claims) => &mut claims.standard,
        }
    }

    /// Sorts imports and exports by subject, stably: Go sorts them when it encodes.
    pub fn sort(&mut self) {
        if let AnyClaims::Account(claims) = self {
            claims
                .nats
                .imports
                .sort_by(|a, b| a.subject.cmp(&b.subject));
            claims
                .nats
                .exports
                .sort_by(|a, b| a.subject.cmp(&b.subject));
        }
    }

    /// The claims as compact JSON.
    pub fn to_json(&self) -> String {
        let length = self.likely_len();
        write_all(|writer| self.write_stamped(None, writer), false, length)
    }

    /// The claims as JSON indented by two spaces, as Go's `MarshalIndent`.
    pub fn to_json_indented(&self) -> String {
        let length = self.likely_len();
        write_all(|writer| self.write_stamped(None, writer), true, length)
    }

    /// The signing input of these claims, and room for the signature.
    ///
    /// # Errors
    /// As [`jwt::prepare`], except for the length.
    pub fn prepare(&self, issuer: &PublicKey, iat: i64) -> Result<(Vec<u8>, usize), jwt::Error> {
        let mut buf = vec![0u8; self.likely_len()];
        match jwt::prepare(self, issuer, iat, &mut buf) {
            Err(jwt::Error::Full(Full { needed })) => {
                if needed > jwt::MAX_TOKEN {
                    return Err(jwt::Error::TooLarge(needed));
                }
                buf.resize(needed, 0);
                let input = jwt::prepare(self, issuer, iat, &mut buf)?;
                Ok((buf, input))
            }
            other => other.map(|input| (buf, input)),
        }
    }
}

impl AnyClaims {
    /// A guess at the token's length, so that a long list is not written twice to learn it.
    fn likely_len(&self) -> usize {
        // `"U…":1700000000,` is 70 bytes, 94 characters of a token.
        const REVOCATION: usize = 100;
        let revocations = match self {
            AnyClaims::Account(claims) => claims.nats.revocations.len(),
            _ => 0,
        };
        (2048 + REVOCATION * revocations).min(jwt::MAX_TOKEN)
    }
}

fn write_all(write: impl Fn(&mut Writer<'_>), indented: bool, length: usize) -> String {
    let mut buf = vec![0u8; length];
    loop {
        let mut writer = if indented {
            Writer::indented(&mut buf)
        } else {
            Writer::new(&mut buf)
        };
        write(&mut writer);
        let needed = writer.len();
        if needed <= buf.len() {
            buf.truncate(needed);
            return String::from_utf8(buf).unwrap_or_default();
        }
        buf.resize(needed, 0);
    }
}

impl Claim for AnyClaims {
    fn claim_type(&self) -> ClaimType {
        match self {
            AnyClaims::Operator(claims) => claims.claim_type(),
            AnyClaims::Account(claims) => claims.claim_type(),
            AnyClaims::User(claims) => claims.claim_type(),
            AnyClaims::Activation(claims) => claims.claim_type(),
            AnyClaims::AuthorizationRequest(claims) => claims.claim_type(),
            AnyClaims::AuthorizationResponse(claims) => claims.claim_type(),
            AnyClaims::Generic(_) => ClaimType::Generic,
        }
    }

    fn standard(&self) -> crate::claims::Standard<'_> {
        AnyClaims::standard(self).as_borrowed()
    }

    fn write_stamped(&self, stamp: Option<&Stamp<'_>>, writer: &mut Writer<'_>) {
        match self {
            AnyClaims::Operator(claims) => claims.write_stamped(stamp, writer),
            AnyClaims::Account(claims) => claims.write_stamped(stamp, writer),
            AnyClaims::User(claims) => claims.write_stamped(stamp, writer),
            AnyClaims::Activation(claims) => claims.write_stamped(stamp, writer),
            AnyClaims::AuthorizationRequest(claims) => claims.write_stamped(stamp, writer),
            AnyClaims::AuthorizationResponse(claims) => claims.write_stamped(stamp, writer),
            AnyClaims::Generic(claims) => claims.write_stamped(stamp, writer),
        }
    }
}

impl Generic {
    /// Writes the claim; under a stamp the members of `nats` are sorted and `version` is 2.
    fn write_stamped(&self, stamp: Option<&Stamp<'_>>, writer: &mut Writer<'_>) {
        let standard = stamp.map_or_else(|| self.standard.as_borrowed(), |stamp| stamp.standard);
        let mut first = writer.open(b'{');
        standard.write_members(writer, &mut first);
        let members: &[_] = match &self.nats {
            Node::Map(members) => members,
            _ => &[],
        };
        if stamp.is_some() {
            let version = ("version".into(), Node::Uint(2));
            let untyped = ("type".into(), Node::Text(String::new()));
            let others = members
                .iter()
                .filter(|member| member.0 != "version" && **member != untyped)
                .cloned();
            writer.key(&mut first, "nats");
            Node::Map(others.chain([version]).collect())
                .sorted()
                .write(writer);
        } else if !members.is_empty() {
            writer.key(&mut first, "nats");
            self.nats.write(writer);
        }
        writer.close(first, b'}');
    }
}
