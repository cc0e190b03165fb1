//! Members with a fixed set of values.

use super::{Ty, Typed};
use crate::json::{Write, Writer};
use crate::nkey::Kind;

/// The type of a claim, `nats.type`. Source: nats-io/jwt `claims.go`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClaimType {
    /// `operator`
    Operator,
    /// `account`
    Account,
    /// `user`
    User,
    /// `activation`
    Activation,
    /// `authorization_request`
    AuthorizationRequest,
    /// `authorization_response`
    AuthorizationResponse,
    /// Anything else.
    Generic,
}

impl ClaimType {
    /// Every type that has a name of its own.
    pub const KNOWN: [ClaimType; 6] = [
        ClaimType::Operator,
        ClaimType::Account,
        ClaimType::User,
        ClaimType::Activation,
        ClaimType::AuthorizationRequest,
        ClaimType::AuthorizationResponse,
    ];

    /// The name in `nats.type`; `generic` for the others.
    pub const fn name(self) -> &'static str {
        match self {
            ClaimType::Operator => "operator",
            ClaimType::Account => "account",
            ClaimType::User => "user",
            ClaimType::Activation => "activation",
            ClaimType::AuthorizationRequest => "authorization_request",
            ClaimType::AuthorizationResponse => "authorization_response",
            ClaimType::Generic => "generic",
        }
    }

    /// The type that `nats.type` names.
    pub fn from_name(name: &str) -> ClaimType {
        ClaimType::KNOWN
            .into_iter()
            .find(|known| known.name() == name)
            .unwrap_or(ClaimType::Generic)
    }

    /// The kinds of key that may issue it (`ExpectedPrefixes` in nats-io/jwt); none: any.
    pub const fn issuers(self) -> &'static [Kind] {
        match self {
            ClaimType::Operator => &[Kind::Operator],
            ClaimType::Account | ClaimType::Activation => &[Kind::Account, Kind::Operator],
            ClaimType::User | ClaimType::AuthorizationResponse => &[Kind::Account],
            ClaimType::AuthorizationRequest => &[Kind::Server],
            ClaimType::Generic => &[],
        }
    }

    /// The kind of key that `sub` must be when the claim is encoded; none: any text.
    pub const fn subject(self) -> Option<Kind> {
        match self {
            ClaimType::Operator => Some(Kind::Operator),
            ClaimType::Account | ClaimType::Activation => Some(Kind::Account),
            ClaimType::User => Some(Kind::User),
            _ => None,
        }
    }
}

impl core::fmt::Display for ClaimType {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}

/// A type whose JSON is one of a few strings.
macro_rules! text_enum {
    ($( $(#[$doc:meta])* $name:ident { $( $(#[$variant_doc:meta])* $variant:ident = $text:literal ),* } )*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $( $(#[$variant_doc])* $variant ),*
        }

        impl $name {
            /// The text in JSON.
            pub const fn name(self) -> &'static str {
                match self { $( $name::$variant => $text ),* }
            }

            /// The value that this text is.
            pub fn from_name(name: &str) -> Option<$name> {
                match name { $( $text => Some($name::$variant), )* _ => None }
            }
        }

        impl Typed for $name {
            const TY: Ty = Ty::OneOf(&[$( $text ),*]);
        }

        impl Write for $name {
            fn write(&self, writer: &mut Writer<'_>) {
                writer.text(self.name());
            }

            fn is_absent(&self) -> bool {
                false
            }
        }
    )* };
}

text_enum! {
    /// What an export offers or an import takes.
    ExportType {
        /// Messages flow from the exporter.
        Stream = "stream",
        /// Requests flow to the exporter.
        Service = "service"
    }
    /// The kind of a scoped signing key.
    ScopeType {
        /// The scope limits the users that the key signs.
        UserScope = "user_scope"
    }
}

/// How often a service's latency is sampled: 0 means by headers, else 1 to 100 per cent.
///
/// Go reads any number, so that a wrong one is for validation to find; none is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sampling(pub i64);

impl Typed for Sampling {
    const TY: Ty = Ty::Sampling;
}

impl Write for Sampling {
    fn write(&self, writer: &mut Writer<'_>) {
        if self.0 == 0 {
            writer.text("headers");
        } else {
            self.0.write(writer);
        }
    }

    fn is_absent(&self) -> bool {
        false
    }
}
