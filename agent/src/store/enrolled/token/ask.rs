//! Commands that a client may pass on to a token.

use nkey_core::token::{Answer, Command};

/// Most bytes of an answer.
const MAX_ANSWER: usize = 8192;

/// A command of a client.
pub(super) struct Ask<'a> {
    pub(super) command: Command<'a>,
}

impl<'a> Ask<'a> {
    /// Reads one. What the agent has a way of its own for would pass by it here.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Ask<'a>, &'static str> {
        match postcard::take_from_bytes(bytes) {
            Ok((Command::Sign { .. }, [])) => {
                Err("tokens sign what was read first: ask with sign-v1 or issue-v1")
            }
            Ok((Command::Unlock { .. }, [])) => Err("a token is unlocked with unlock-v2"),
            Ok((Command::Cancel, [])) => {
                Err("a request is taken back by closing the connection that it came over")
            }
            Ok((command, [])) => Ok(Ask { command }),
            _ => Err("these bytes are no command of this version"),
        }
    }

    /// Whether the token wants the id of a session with it.
    pub(super) fn needs_session(&self) -> bool {
        self.command.needs_session()
    }

    /// Whether no session is left after it.
    pub(super) fn ends_session(&self) -> bool {
        matches!(self.command, Command::Reset | Command::Bootloader)
    }

    /// The bytes of an answer.
    pub(super) fn bytes(answer: &Answer<'_>) -> Option<Vec<u8>> {
        let mut bytes = vec![0; MAX_ANSWER];
        let len = postcard::to_slice(answer, &mut bytes).ok()?.len();
        bytes.truncate(len);
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(command: Command<'_>) -> Result<bool, &'static str> {
        let mut bytes = [0; 256];
        let bytes = postcard::to_slice(&command, &mut bytes).unwrap();
        Ask::read(bytes).map(|ask| ask.needs_session())
    }

    #[test]
    fn what_would_pass_by_the_gate_is_refused_and_sessions_are_added_where_needed() {
        let sign = Command::Sign {
            slot: 0,
            message: b"abcdefghijklmno",
        };
        assert!(read(sign).is_err_and(|why| why.contains("sign-v1")));
        let unlock = Command::Unlock {
            pin: b"123456",
            time: 1,
        };
        assert!(read(unlock).is_err_and(|why| why.contains("unlock-v2")));
        assert!(read(Command::Cancel).is_err());
        assert_eq!(read(Command::Hello), Ok(false));
        assert_eq!(read(Command::Reset), Ok(false));
        assert_eq!(read(Command::Erase { slot: 1 }), Ok(true));
        for bytes in [&[][..], &[0, 0], &[99], &[9, 0]] {
            assert!(Ask::read(bytes).is_err(), "{bytes:?}");
        }
    }
}
