//! What went wrong with a token, as errors of its store.

use super::line::Line;
use crate::store::StoreError;
use crate::store::enrolled::failed;
use crate::token::TokenError;
use nkey_core::token::Code;

/// Why a request to a token was not done.
pub(super) enum Trouble {
    /// What the line says.
    Token(TokenError),
    /// What we say.
    Own(StoreError),
    /// The request needs a session, and there is none.
    Locked,
    /// An answer to something else.
    Nonsense,
}

impl From<TokenError> for Trouble {
    fn from(error: TokenError) -> Trouble {
        Trouble::Token(error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Trouble {
        Trouble::Own(error)
    }
}

impl Line {
    /// The trouble as an error of this store.
    pub(super) fn said(&self, trouble: Trouble) -> StoreError {
        let (name, serial) = (self.name().to_owned(), self.serial());
        let unlock = |why: &str| {
            StoreError::LockedUntil(format!(
                "{} {why}: type `nkey token unlock {serial}`",
                self.shown()
            ))
        };
        let error = match trouble {
            Trouble::Own(error) => return error,
            Trouble::Locked => return unlock("is locked"),
            Trouble::Nonsense => {
                return failed(&name, TokenError::Nonsense(serial.to_owned()).to_string());
            }
            Trouble::Token(error) => error,
        };
        let because = |code: Code, reason: &str| match reason {
            "" => code.to_string(),
            reason => format!("{code}: {reason}"),
        };
        match error {
            TokenError::Refused(Code::Locked | Code::Session, _) => unlock("has ended its session"),
            TokenError::Refused(code @ Code::Pin, reason) => {
                StoreError::WrongPin(name, because(code, &reason))
            }
            TokenError::Refused(Code::Empty, _) => StoreError::Declined(
                name,
                format!("it has no PIN yet: type `nkey token init {serial}`"),
            ),
            TokenError::Refused(Code::Blocked, _) => StoreError::Declined(
                name,
                format!(
                    "it is blocked, its keys are lost: only `nkey token reset {serial}` remains"
                ),
            ),
            TokenError::Refused(code, reason) => StoreError::Declined(name, because(code, &reason)),
            error @ TokenError::TooLarge(..) => StoreError::Declined(name, error.to_string()),
            TokenError::Gone(_) => failed(
                &name,
                format!("it is gone: plug it in again and type `nkey token unlock {serial}`"),
            ),
            error => failed(&name, error.to_string()),
        }
    }
}

/// Whether the session cannot be used any more, or the line not be trusted.
pub(super) fn ends_session(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::Own(_) | Trouble::Locked | Trouble::Token(TokenError::TooLarge(..)) => false,
        Trouble::Token(TokenError::Refused(code, _)) => matches!(
            code,
            Code::Locked | Code::Session | Code::Blocked | Code::Empty | Code::Frame
        ),
        Trouble::Token(_) | Trouble::Nonsense => true,
    }
}
