//! Smart cards, for all commands that use them: `nkey-holder` talks with them, no agent does.

mod holder;
mod maker;
pub mod openpgp;
pub mod secret;

pub use holder::{ask, cards, nonsense, start};
pub use maker::Maker;

use crate::error::Error;
use nkey_core::nkey::Kind;

/// A kind that cards hold, of those asked for.
///
/// # Errors
/// Exit 2 if there is not exactly one.
pub fn kind(kinds: &[Kind]) -> Result<Kind, Error> {
    match kinds {
        [kind @ (Kind::Operator | Kind::Account | Kind::User)] => Ok(*kind),
        _ => Err(Error::usage(
            "say what kind of key it shall be: -o (operator), -a (account) or -u (user)",
        )),
    }
}
