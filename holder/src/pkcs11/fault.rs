//! What a module's return values mean.

use cryptoki::error::{Error, RvError};
use nkey_agent::device::{Failure, Fault};

/// The failure of an error, with the name that the standard gives it.
pub fn failure(error: Error) -> Failure {
    let (fault, text) = match &error {
        Error::Pkcs11(RvError::PinIncorrect | RvError::PinLenRange | RvError::PinInvalid, _) => {
            (Fault::WrongPin, "the PIN is wrong".to_owned())
        }
        Error::Pkcs11(RvError::PinLocked, _) => (
            Fault::Blocked,
            "its PIN is blocked: its SO PIN sets a new one".to_owned(),
        ),
        Error::Pkcs11(RvError::UserNotLoggedIn, _) => {
            (Fault::NeedsPin, "it needs its PIN first".to_owned())
        }
        Error::Pkcs11(
            RvError::TokenNotPresent | RvError::DeviceRemoved | RvError::TokenNotRecognized,
            _,
        ) => (Fault::Absent, "the token is not there".to_owned()),
        Error::Pkcs11(value, function) => {
            let function = format!("{function:?}");
            (
                Fault::Other,
                format!("the module answers {} to C_{function}", name(value)),
            )
        }
        other => (Fault::Other, format!("the module: {other}")),
    };
    Failure::new(fault, text)
}

/// The name that the standard gives a value: `FunctionFailed` is `CKR_FUNCTION_FAILED`.
fn name(value: &RvError) -> String {
    let mut name = "CKR".to_owned();
    for letter in format!("{value:?}").chars() {
        if letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

/// Whether a session is gone, so that a new one may do.
pub fn is_lost(error: &Error) -> bool {
    matches!(
        error,
        Error::Pkcs11(
            RvError::SessionHandleInvalid
                | RvError::SessionClosed
                | RvError::KeyHandleInvalid
                | RvError::ObjectHandleInvalid
                | RvError::UserNotLoggedIn
                | RvError::OperationActive
                | RvError::DeviceRemoved
                | RvError::TokenNotPresent,
            _
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use cryptoki::context::Function;

    #[test]
    fn values_have_the_names_of_the_standard() {
        let told = |value| failure(Error::Pkcs11(value, Function::Sign));
        let text = told(RvError::FunctionFailed).text;
        assert_eq!(text, "the module answers CKR_FUNCTION_FAILED to C_Sign");
        assert_eq!(told(RvError::PinIncorrect).fault, Fault::WrongPin);
        assert_eq!(told(RvError::DeviceRemoved).fault, Fault::Absent);
    }
}
