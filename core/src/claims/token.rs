//! A whole claim: registered claims, the payload of its type, and the generic members.

use super::model::{
    Account, Activation, AuthorizationResponse, GenericFields, Operator, Standard, User,
};
use super::request::AuthorizationRequest;
use super::shape::Object;
use super::{ClaimType, Ty};
use crate::json::{Write, Writer};

/// What one type of claim says in `nats`.
pub trait Payload: Object {
    /// The type that `nats.type` names.
    const TYPE: ClaimType;
}

/// A claim that can be written and signed, in either world.
pub trait Claim {
    /// The type of the payload.
    fn claim_type(&self) -> ClaimType;

    /// The registered claims.
    fn standard(&self) -> Standard<'_>;

    /// Writes the whole claim; a stamp, if given, in place of what the claim holds.
    fn write_stamped(&self, stamp: Option<&Stamp<'_>>, writer: &mut Writer<'_>);
}

/// What signing sets: `iss`, `iat`, `jti`, `nats.type` and `nats.version` 2.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'s> {
    /// The registered claims with issuer, time and identity set.
    pub standard: Standard<'s>,
    /// The type.
    pub claim_type: ClaimType,
}

/// A borrowed claim.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Claims<'a, N> {
    /// The registered claims.
    pub standard: Standard<'a>,
    /// The payload of the claim's type.
    pub nats: N,
    /// Tags, type and version.
    pub generic: GenericFields<'a>,
}

/// Writes a claim of either world.
fn write_claim<N: Object>(
    standard: Standard<'_>,
    nats: &N,
    tags: &impl Write,
    kind: &str,
    version: i64,
    writer: &mut Writer<'_>,
) {
    let mut first = writer.open(b'{');
    standard.write_members(writer, &mut first);
    writer.key(&mut first, "nats");
    let mut inner = writer.open(b'{');
    nats.write_members(writer, &mut inner);
    super::shape::write_member("tags", tags, writer, &mut inner);
    super::shape::write_member("type", &kind, writer, &mut inner);
    super::shape::write_member("version", &version, writer, &mut inner);
    writer.close(inner, b'}');
    writer.close(first, b'}');
}

/// The members that only strict signing fixes, taken from the stamp or else from the claim.
fn stamped<'s>(
    stamp: Option<&'s Stamp<'_>>,
    standard: Standard<'s>,
    kind: &'s str,
    version: i64,
) -> (Standard<'s>, &'s str, i64) {
    match stamp {
        Some(stamp) => (stamp.standard, stamp.claim_type.name(), 2),
        None => (standard, kind, version),
    }
}

impl<N: Payload> Claim for Claims<'_, N> {
    fn claim_type(&self) -> ClaimType {
        N::TYPE
    }

    fn standard(&self) -> Standard<'_> {
        self.standard
    }

    fn write_stamped(&self, stamp: Option<&Stamp<'_>>, writer: &mut Writer<'_>) {
        let (standard, kind, version) = stamped(
            stamp,
            self.standard,
            self.generic.kind,
            self.generic.version,
        );
        write_claim(
            standard,
            &self.nats,
            &self.generic.tags,
            kind,
            version,
            writer,
        );
    }
}

impl<N: Payload> Write for Claims<'_, N> {
    fn write(&self, writer: &mut Writer<'_>) {
        self.write_stamped(None, writer);
    }

    fn is_absent(&self) -> bool {
        false
    }
}

impl Payload for Operator<'_> {
    const TYPE: ClaimType = ClaimType::Operator;
}
impl Payload for Account<'_> {
    const TYPE: ClaimType = ClaimType::Account;
}
impl Payload for User<'_> {
    const TYPE: ClaimType = ClaimType::User;
}
impl Payload for Activation<'_> {
    const TYPE: ClaimType = ClaimType::Activation;
}
impl Payload for AuthorizationRequest<'_> {
    const TYPE: ClaimType = ClaimType::AuthorizationRequest;
}
impl Payload for AuthorizationResponse<'_> {
    const TYPE: ClaimType = ClaimType::AuthorizationResponse;
}

/// What `nats` holds before the generic members, for the strict reader; none: free members.
pub(crate) fn nats_shape(claim_type: ClaimType) -> Option<&'static Ty> {
    macro_rules! nats {
        ($payload:ident) => {{
            const TY: Ty = Ty::Flat(<$payload<'static> as Object>::SHAPE);
            Some(&TY)
        }};
    }
    match claim_type {
        ClaimType::Operator => nats!(Operator),
        ClaimType::Account => nats!(Account),
        ClaimType::User => nats!(User),
        ClaimType::Activation => nats!(Activation),
        ClaimType::AuthorizationRequest => nats!(AuthorizationRequest),
        ClaimType::AuthorizationResponse => nats!(AuthorizationResponse),
        ClaimType::Generic => None,
    }
}

/// The owned form.
#[cfg(feature = "alloc")]
pub mod owned {
    use super::super::model::{self, owned as payload};
    use super::{Claim, ClaimType, Payload, Stamp, stamped, write_claim};
    use crate::json::{Write, Writer};

    /// An owned claim.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Claims<N> {
        /// The registered claims.
        pub standard: payload::Standard,
        /// The payload of the claim's type.
        pub nats: N,
        /// Tags, type and version.
        pub generic: payload::GenericFields,
    }

    impl payload::Standard {
        /// The same, borrowed.
        pub fn as_borrowed(&self) -> model::Standard<'_> {
            model::Standard {
                aud: &self.aud,
                exp: self.exp,
                jti: &self.jti,
                iat: self.iat,
                iss: &self.iss,
                name: &self.name,
                nbf: self.nbf,
                sub: &self.sub,
            }
        }
    }

    impl<N: Payload> Claim for Claims<N> {
        fn claim_type(&self) -> ClaimType {
            N::TYPE
        }

        fn standard(&self) -> model::Standard<'_> {
            self.standard.as_borrowed()
        }

        fn write_stamped(&self, stamp: Option<&Stamp<'_>>, writer: &mut Writer<'_>) {
            let (standard, kind, version) = stamped(
                stamp,
                self.standard.as_borrowed(),
                &self.generic.kind,
                self.generic.version,
            );
            write_claim(
                standard,
                &self.nats,
                &self.generic.tags,
                kind,
                version,
                writer,
            );
        }
    }

    impl<N: Payload> Write for Claims<N> {
        fn write(&self, writer: &mut Writer<'_>) {
            self.write_stamped(None, writer);
        }

        fn is_absent(&self) -> bool {
            false
        }
    }

    macro_rules! payloads {
        ($( $name:ident ),*) => {
            $( impl Payload for payload::$name {
                const TYPE: ClaimType = ClaimType::$name;
            } )*
        };
    }
    payloads!(Operator, Account, User, Activation, AuthorizationResponse);
    impl Payload for crate::claims::request::owned::AuthorizationRequest {
        const TYPE: ClaimType = ClaimType::AuthorizationRequest;
    }
}
