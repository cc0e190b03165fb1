//! The claims of NATS JWT v2, each defined once.
//!
//! `define!` makes of one definition: a borrowed struct (no alloc), an owned
//! and editable one in [`owned`] (feature `alloc`), the shape that the strict reader
//! follows, the writer in Go's member order, and the tolerant reader. Source of
//! names, order and `omitempty`: nats-io/jwt v2.8.3.
//!
//! A member that Go leaves out when it is zero is plain here, and zero means absent.
//! A member that Go always writes is an `Option`: older libraries left some out, and
//! what is absent stays absent.

#[macro_use]
mod define;
mod enums;
mod model;
mod request;
mod shape;
mod signing_key;
mod token;

pub use enums::{ClaimType, ExportType, Sampling, ScopeType};
pub use model::*;
pub use request::{AuthorizationRequest, ClientInformation, ClientTls, ConnectOptions, ServerId};
pub use shape::{Member, Object, Shape, Ty, Typed};
pub(crate) use token::nats_shape;
pub use token::{Claim, Claims, Payload, Stamp};

/// The owned claims: `String`, `Vec` and `BTreeMap` in place of borrowed slices.
#[cfg(feature = "alloc")]
pub mod owned {
    pub use super::model::owned::*;
    pub use super::request::owned::{
        AuthorizationRequest, ClientInformation, ClientTls, ConnectOptions, ServerId,
    };
    pub use super::token::owned::*;
    #[doc(inline)]
    pub use super::{
        AccountLimits, ExportType, JetStreamLimits, NatsLimits, ResponsePermission, Sampling,
        ScopeType, TemplateLimits,
    };
}
