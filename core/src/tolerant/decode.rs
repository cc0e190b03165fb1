//! Whole tokens and whole claims.

use super::read::{Context, Notes, ReadError, ReadMembers};
use crate::canonical::same_fold;
use crate::claims::owned::{
    Account, Activation, AuthorizationRequest, AuthorizationResponse, Claims, GenericFields,
    Operator, Standard, User,
};
use crate::claims::{Claim, ClaimType, Object, Stamp};
use crate::json::{Full, Node, NodeError, Write, Writer};
use crate::jwt::{self, Algorithm, Parts};
use crate::nkey::{Kind, PublicKey};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

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

/// A token that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The claims.
    pub claims: AnyClaims,
    /// What was passed over while reading.
    pub notes: Notes,
    /// The key that signed.
    pub iss: PublicKey,
    /// The version of the claim.
    pub version: Algorithm,
}

/// Why a token or claims could not be read.
#[derive(Clone, Debug, PartialEq)]
pub enum DecodeError {
    /// The token's form or signature.
    Token(jwt::Error),
    /// The payload is not JSON.
    Json(NodeError),
    /// A member does not fit.
    Member(ReadError),
    /// Claims of this type are not read.
    Type(String),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Token(error) => error.fmt(f),
            DecodeError::Json(error) => error.fmt(f),
            DecodeError::Member(error) => error.fmt(f),
            DecodeError::Type(name) => write!(f, "claims of type {name} are not supported"),
        }
    }
}

impl core::error::Error for DecodeError {}

impl From<jwt::Error> for DecodeError {
    fn from(error: jwt::Error) -> DecodeError {
        DecodeError::Token(error)
    }
}

/// The last member that Go takes for `key`; null leaves what stood before.
pub(super) fn folded<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    match node {
        Node::Map(members) => members
            .iter()
            .rev()
            .find(|(name, node)| !matches!(node, Node::Null) && same_fold(name, key))
            .map(|(_, node)| node),
        _ => None,
    }
}

/// What a claim is, as Go finds out before it reads the whole (`identifier`).
struct Identity<'n> {
    /// The type stands at the top level: version 1.
    old: bool,
    /// The type, if one stands anywhere.
    name: Option<&'n str>,
    version: i64,
}

impl<'n> Identity<'n> {
    fn of(document: &'n Node) -> Identity<'n> {
        let members: &[_] = match document {
            Node::Map(members) => members,
            _ => &[],
        };
        // Go reads a `nats` that stands again onto the first.
        let in_nats = |key| {
            let all = members
                .iter()
                .rev()
                .filter(|(name, _)| same_fold(name, "nats"));
            all.filter_map(|(_, nats)| folded(nats, key)).next()
        };
        let old = folded(document, "type")
            .and_then(Node::as_text)
            .filter(|name| !name.is_empty());
        let version = match in_nats("version") {
            _ if old.is_some() => 1,
            Some(Node::Uint(version)) => i64::try_from(*version).unwrap_or(i64::MAX),
            _ => 0,
        };
        Identity {
            old: old.is_some(),
            name: old.or_else(|| in_nats("type").and_then(Node::as_text)),
            version,
        }
    }
}

struct Whole<'c, N> {
    standard: &'c mut Standard,
    nats: &'c mut N,
}

struct Nats<'c, N> {
    payload: &'c mut N,
    generic: &'c mut GenericFields,
}

impl<N: ReadMembers> ReadMembers for Nats<'_, N> {
    fn read_member(
        &mut self,
        name: &str,
        node: Node,
        cx: &mut Context,
    ) -> Result<Option<Node>, ReadError> {
        match self.payload.read_member(name, node, cx)? {
            Some(node) => self.generic.read_member(name, node, cx),
            None => Ok(None),
        }
    }
}

/// A part of a claim that reads itself as one member.
trait ReadWhole {
    fn read_whole(&mut self, node: Node, cx: &mut Context) -> Result<(), ReadError>;
}

impl<N: ReadMembers> ReadWhole for Nats<'_, N> {
    fn read_whole(&mut self, node: Node, cx: &mut Context) -> Result<(), ReadError> {
        cx.object(self, node)
    }
}

impl ReadWhole for Node {
    fn read_whole(&mut self, node: Node, cx: &mut Context) -> Result<(), ReadError> {
        match (&mut *self, node) {
            // Go reads a map that stands again into the first.
            (Node::Map(members), Node::Map(more)) => members.extend(more),
            (_, node @ (Node::Map(_) | Node::Null)) => *self = node,
            (_, other) => return Err(cx.wrong("an object", &other)),
        }
        Ok(())
    }
}

impl<N: ReadWhole> ReadMembers for Whole<'_, N> {
    fn read_member(
        &mut self,
        name: &str,
        node: Node,
        cx: &mut Context,
    ) -> Result<Option<Node>, ReadError> {
        let Some(node) = self.standard.read_member(name, node, cx)? else {
            return Ok(None);
        };
        if !cx.is_member(name, "nats") {
            return Ok(Some(node));
        }
        cx.within("nats", |cx| self.nats.read_whole(node, cx))?;
        Ok(None)
    }
}

fn typed<N: ReadMembers + Default>(node: Node, cx: &mut Context) -> Result<Claims<N>, ReadError> {
    let mut claims = Claims::<N>::default();
    let mut nats = Nats {
        payload: &mut claims.nats,
        generic: &mut claims.generic,
    };
    let mut whole = Whole {
        standard: &mut claims.standard,
        nats: &mut nats,
    };
    cx.object(&mut whole, node)?;
    Ok(claims)
}

/// Reads claims as JSON. Their type is `nats.type`, or, where that is absent, what `sub` is a
/// key of. An empty `nats.type` asks for a generic claim without a type.
///
/// # Errors
/// Says where the JSON is damaged or which member does not fit.
pub fn read_claims(json: &[u8]) -> Result<(AnyClaims, Notes), DecodeError> {
    let document = Node::parse(json).map_err(DecodeError::Json)?;
    let claim_type = claim_type(&document)?;
    from_document(document, claim_type)
}

fn claim_type(document: &Node) -> Result<ClaimType, DecodeError> {
    match Identity::of(document).name {
        Some(old @ ("cluster" | "server")) => Err(DecodeError::Type(old.into())),
        Some(name) => Ok(ClaimType::from_name(name)),
        None => Ok(folded(document, "sub")
            .and_then(Node::as_text)
            .and_then(|sub| PublicKey::from_str(sub).ok())
            .map_or(ClaimType::Generic, |sub| match sub.kind() {
                Kind::Operator => ClaimType::Operator,
                Kind::Account => ClaimType::Account,
                Kind::User => ClaimType::User,
                _ => ClaimType::Generic,
            })),
    }
}

fn from_document(document: Node, claim_type: ClaimType) -> Result<(AnyClaims, Notes), DecodeError> {
    let mut cx = Context::default();
    let claims = match claim_type {
        ClaimType::Operator => typed(document, &mut cx).map(AnyClaims::Operator),
        ClaimType::Account => typed(document, &mut cx).map(AnyClaims::Account),
        ClaimType::User => typed(document, &mut cx).map(AnyClaims::User),
        ClaimType::Activation => typed(document, &mut cx).map(AnyClaims::Activation),
        ClaimType::AuthorizationRequest => {
            typed(document, &mut cx).map(AnyClaims::AuthorizationRequest)
        }
        ClaimType::AuthorizationResponse => {
            typed(document, &mut cx).map(AnyClaims::AuthorizationResponse)
        }
        ClaimType::Generic => {
            let mut generic = Generic {
                standard: Standard::default(),
                nats: Node::Null,
            };
            let mut whole = Whole {
                standard: &mut generic.standard,
                nats: &mut generic.nats,
            };
            cx.object(&mut whole, document)
                .and_then(|()| fixed(&generic.nats))
                .map(|()| AnyClaims::Generic(generic))
        }
    };
    Ok((claims.map_err(DecodeError::Member)?, cx.notes))
}

/// Reads what is not free in a generic claim's `nats`: Go reads tags, type and version as such.
fn fixed(nats: &Node) -> Result<(), ReadError> {
    let Node::Map(members) = nats else {
        return Ok(());
    };
    let is_fixed = |name: &str| {
        ["tags", "type", "version"]
            .iter()
            .any(|key| same_fold(name, key))
    };
    let fixed = members.iter().filter(|(name, _)| is_fixed(name)).cloned();
    let fixed = Node::Map(fixed.collect());
    let mut fields = GenericFields::default();
    Context::default().within("nats", |cx| cx.object(&mut fields, fixed))
}

/// Reads a token as nats-io/jwt's `Decode` does, and verifies it: header, signature of `iss`,
/// and that a key of its kind may issue the claim. Not checked: expiry, trust in `iss`.
///
/// # Errors
/// Names what is wrong with the token, or the member that does not fit.
pub fn decode(token: &str) -> Result<Decoded, DecodeError> {
    let parts = Parts::new(token)?;
    let mut scratch = vec![0u8; parts.payload_len()?];
    let document = Node::parse(parts.decode_payload(&mut scratch)?).map_err(DecodeError::Json)?;
    let identity = Identity::of(&document);
    let claim_type = match identity.name {
        // Without a type Go reads a generic claim, whatever `sub` is.
        None => ClaimType::Generic,
        Some(_) => claim_type(&document)?,
    };
    let version = jwt::rule(identity.old, claim_type, identity.version, parts.algorithm)?;
    let document = match version {
        Algorithm::V1 => super::old::migrated(document, claim_type),
        Algorithm::V2 => document,
    };
    let (claims, notes) = from_document(document, claim_type)?;
    let iss = PublicKey::from_str(&claims.standard().iss).map_err(jwt::Error::Issuer)?;
    let issuers = claim_type.issuers();
    if let (Some(&wanted), false) = (issuers.first(), issuers.contains(&iss.kind())) {
        let found = iss.kind();
        return Err(jwt::Error::Issuer(crate::nkey::Error::WrongKind { found, wanted }).into());
    }
    if !parts.is_signed_by(&iss, version) {
        return Err(jwt::Error::Signature.into());
    }
    Ok(Decoded {
        claims,
        notes,
        iss,
        version,
    })
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
        write_all(|writer| self.write_stamped(None, writer), false)
    }

    /// The claims as JSON indented by two spaces, as Go's `MarshalIndent`.
    pub fn to_json_indented(&self) -> String {
        write_all(|writer| self.write_stamped(None, writer), true)
    }

    /// The signing input of these claims, and room for the signature.
    ///
    /// # Errors
    /// As [`jwt::prepare`], except for the length.
    pub fn prepare(&self, issuer: &PublicKey, iat: i64) -> Result<(Vec<u8>, usize), jwt::Error> {
        let mut buf = vec![0u8; 2048];
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

fn write_all(write: impl Fn(&mut Writer<'_>), indented: bool) -> String {
    let mut buf = vec![0u8; 2048];
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
