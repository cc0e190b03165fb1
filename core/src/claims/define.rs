//! The macro that makes everything of one definition.

/// The borrowed type of a member.
macro_rules! borrowed {
    ($l:lifetime text) => { &$l str };
    ($l:lifetime (plain $plain:ty)) => { $plain };
    ($l:lifetime (opt $kind:tt)) => { Option<borrowed!($l $kind)> };
    ($l:lifetime [$kind:tt]) => { &$l [borrowed!($l $kind)] };
    ($l:lifetime {$kind:tt}) => { Map<$l, borrowed!($l $kind)> };
    ($l:lifetime $object:ident) => { $object<$l> };
}

/// The owned type of a member.
#[cfg(feature = "alloc")]
macro_rules! owned {
    (text) => { String };
    ((plain $plain:ty)) => { $plain };
    ((opt $kind:tt)) => { Option<owned!($kind)> };
    ([$kind:tt]) => { Vec<owned!($kind)> };
    ({$kind:tt}) => { BTreeMap<String, owned!($kind)> };
    ($object:ident) => { $object };
}

/// The entry of a member in its shape.
macro_rules! member {
    (omit $ty:ty, $key:literal) => {
        Member {
            key: $key,
            ty: <$ty as Typed>::TY,
            always: false,
        }
    };
    (always $ty:ty, $key:literal) => {
        Member {
            key: $key,
            ty: <$ty as Typed>::TY,
            always: true,
        }
    };
    (flat $ty:ty, $key:literal) => {
        Member {
            key: $key,
            ty: Ty::Flat(<$ty as Object>::SHAPE),
            always: false,
        }
    };
}

macro_rules! write_member {
    (flat $value:expr, $key:literal, $writer:ident, $first:ident) => {
        $value.write_members($writer, $first)
    };
    ($mode:ident $value:expr, $key:literal, $writer:ident, $first:ident) => {
        write_member($key, &$value, $writer, $first)
    };
}

#[cfg(feature = "alloc")]
macro_rules! read_member {
    (flat $value:expr, $key:literal, $name:ident, $node:ident, $cx:ident) => {
        $node = match $value.read_member($name, $node, $cx)? {
            Some(node) => node,
            None => return Ok(None),
        }
    };
    ($mode:ident $value:expr, $key:literal, $name:ident, $node:ident, $cx:ident) => {
        if $cx.is_member($name, $key) {
            $cx.member($key, &mut $value, $node)?;
            return Ok(None);
        }
    };
}

/// Makes the structs, shape, writer and reader of an object.
///
/// A member is `mode name: kind = "key"`. Modes: `omit` (Go's `omitempty`), `always`,
/// `flat` (an embedded struct). Kinds: `text`, `(plain T)`, `(opt kind)`, `[kind]`,
/// `{kind}` (free keys) or another object's name.
macro_rules! define {
    ($(
        $(#[$doc:meta])*
        $object:ident {
            $( $(#[$member_doc:meta])* $mode:ident $name:ident : $kind:tt = $key:literal ),* $(,)?
        }
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, Default, PartialEq)]
            pub struct $object<'a> {
                $( $(#[$member_doc])* pub $name: borrowed!('a $kind), )*
            }

            impl<'a> Object for $object<'a> {
                const SHAPE: &'static Shape = &Shape {
                    name: stringify!($object),
                    members: &[ $( member!($mode borrowed!('static $kind), $key) ),* ],
                };

                fn write_members(&self, writer: &mut Writer<'_>, first: &mut bool) {
                    $( write_member!($mode self.$name, $key, writer, first); )*
                }
            }

            object_impls!($object<'_>);
        )*

        /// Owned forms.
        #[cfg(feature = "alloc")]
        #[allow(unused_imports, reason = "not every definition has all kinds of member")]
        pub mod owned {
            use super::*;
            pub use crate::claims::signing_key::owned::SigningKey;
            use alloc::collections::BTreeMap;
            use alloc::string::String;
            use alloc::vec::Vec;
            use crate::json::Node;
            use crate::tolerant::{Context, ReadError, ReadMembers, ReadNode};

            $(
                $(#[$doc])*
                #[derive(Clone, Debug, Default, PartialEq)]
                pub struct $object {
                    $( $(#[$member_doc])* pub $name: owned!($kind), )*
                }

                impl Object for $object {
                    const SHAPE: &'static Shape = <super::$object<'static> as Object>::SHAPE;

                    fn write_members(&self, writer: &mut Writer<'_>, first: &mut bool) {
                        $( write_member!($mode self.$name, $key, writer, first); )*
                    }
                }

                object_impls!($object);
                define!(@read $object; $( $mode $name = $key ),*);
            )*
        }
    };

    (@plain $(
        $(#[$doc:meta])*
        $object:ident {
            $( $(#[$member_doc:meta])* $mode:ident $name:ident : $ty:ty = $key:literal ),* $(,)?
        }
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, Default, PartialEq)]
            pub struct $object {
                $( $(#[$member_doc])* pub $name: $ty, )*
            }

            impl Object for $object {
                const SHAPE: &'static Shape = &Shape {
                    name: stringify!($object),
                    members: &[ $( member!($mode $ty, $key) ),* ],
                };

                fn write_members(&self, writer: &mut Writer<'_>, first: &mut bool) {
                    $( write_member!($mode self.$name, $key, writer, first); )*
                }
            }

            object_impls!($object);
            #[cfg(feature = "alloc")]
            const _: () = {
                use crate::json::Node;
                use crate::tolerant::{Context, ReadError, ReadMembers, ReadNode};
                define!(@read $object; $( $mode $name = $key ),*);
            };
        )*
    };

    (@read $object:ident; $( $mode:ident $name:ident = $key:literal ),*) => {
        impl ReadMembers for $object {
            fn read_member(
                &mut self,
                name: &str,
                #[allow(unused_mut)] mut node: Node,
                cx: &mut Context,
            ) -> Result<Option<Node>, ReadError> {
                $( read_member!($mode self.$name, $key, name, node, cx); )*
                Ok(Some(node))
            }
        }

        impl ReadNode for $object {
            fn read(&mut self, node: Node, cx: &mut Context) -> Result<(), ReadError> {
                cx.object(self, node)
            }
        }
    };
}

/// What every object has, whatever its world.
macro_rules! object_impls {
    ($object:ty) => {
        impl Write for $object {
            fn write(&self, writer: &mut Writer<'_>) {
                write_object(self, writer);
            }

            fn is_absent(&self) -> bool {
                false
            }
        }

        impl Typed for $object {
            const TY: Ty = Ty::Object(<Self as Object>::SHAPE);
        }
    };
}
