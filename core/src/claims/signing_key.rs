//! An account's signing keys: a string, or a scope.

use super::model::UserScope;
use super::shape::{Object, Ty, Typed};
use crate::json::{Write, Writer};

/// A signing key of an account: plain, or with a scope.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "there is no box without alloc")]
pub enum SigningKey<'a> {
    /// A key without a scope.
    Plain(&'a str),
    /// A key with a role and a template.
    Scoped(UserScope<'a>),
}

impl Write for SigningKey<'_> {
    fn write(&self, writer: &mut Writer<'_>) {
        match self {
            SigningKey::Plain(key) => writer.text(key),
            SigningKey::Scoped(scope) => scope.write(writer),
        }
    }

    fn is_absent(&self) -> bool {
        false
    }
}

impl Typed for &[SigningKey<'_>] {
    const TY: Ty = Ty::SigningKeys(<UserScope<'static> as Object>::SHAPE);
}

/// The owned form.
#[cfg(feature = "alloc")]
pub mod owned {
    use crate::claims::ScopeType;
    use crate::claims::model::owned::UserScope;
    use crate::json::{Node, Write, Writer};
    use crate::tolerant::{Context, ReadError, ReadNode};
    use alloc::string::String;

    /// A signing key of an account: plain, or with a scope.
    #[derive(Clone, Debug, PartialEq)]
    #[expect(clippy::large_enum_variant, reason = "lists of keys are short")]
    pub enum SigningKey {
        /// A key without a scope.
        Plain(String),
        /// A key with a role and a template.
        Scoped(UserScope),
    }

    impl SigningKey {
        /// The public key, empty if a scope has none.
        pub fn key(&self) -> &str {
            match self {
                SigningKey::Plain(key) => key,
                SigningKey::Scoped(scope) => scope.key.as_deref().unwrap_or_default(),
            }
        }
    }

    impl Default for SigningKey {
        fn default() -> SigningKey {
            SigningKey::Plain(String::new())
        }
    }

    impl Write for SigningKey {
        fn write(&self, writer: &mut Writer<'_>) {
            match self {
                SigningKey::Plain(key) => writer.text(key),
                SigningKey::Scoped(scope) => scope.write(writer),
            }
        }

        fn is_absent(&self) -> bool {
            false
        }
    }

    impl ReadNode for SigningKey {
        // Go reads the list into a map, and a repeated list into the same map.
        const APPENDS: bool = true;

        fn read(&mut self, node: Node, cx: &mut Context) -> Result<(), ReadError> {
            if let Node::Map(_) = node {
                let mut scope = UserScope::default();
                // Go reads a scope into a map first: the last of equal keys counts, whole, and of
                // two spellings of a key the greater.
                let node = cx.unique(node);
                let kind = node.get("kind").cloned().unwrap_or_default();
                cx.within("kind", |cx| ScopeType::default().read(kind, cx))?;
                scope.read(node, cx)?;
                *self = SigningKey::Scoped(scope);
            } else {
                let mut key = String::new();
                key.read(node, cx)?;
                *self = SigningKey::Plain(key);
            }
            Ok(())
        }
    }
}
