//! A line from the terminal without echo.
//!
//! The terminal hands over every key as it is pressed, so that Ctrl-C finds echo on again: whoever
//! is ended by a signal while echo is off leaves a terminal that shows nothing.

use rustix::process::{Signal, getpid, kill_process};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use std::fs::File;
use std::io::{self, Read, Write};
use zeroize::Zeroizing;

/// The longest secret, in bytes; more would be a pasted file.
const MAX: usize = 4096;

const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;
const CTRL_U: u8 = 0x15;
const CTRL_Z: u8 = 0x1A;
const CTRL_BACKSLASH: u8 = 0x1C;
const BACKSPACE: [u8; 2] = [0x08, 0x7F];

/// Puts the terminal back when it is dropped.
struct Quiet<'t> {
    terminal: &'t File,
    before: Termios,
}

impl<'t> Quiet<'t> {
    fn new(terminal: &'t File) -> io::Result<Quiet<'t>> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes -=
            LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
        Ok(Quiet { terminal, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
        let _ = writeln!(&mut &*self.terminal);
    }
}

/// How a line ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Line,
    /// Ctrl-D on an empty line, or a terminal that is gone.
    Nothing,
    Signal(Signal),
}

/// What was typed; `None` when Ctrl-D was. Ctrl-C ends the program as it always does.
///
/// # Errors
/// If there is no terminal, or what was typed is no text.
pub(super) fn line(question: &str) -> io::Result<Option<Zeroizing<String>>> {
    let mut terminal = File::options().read(true).write(true).open("/dev/tty")?;
    terminal.write_all(question.as_bytes())?;
    // Of full size from the start, so that growing leaves no copy behind.
    let mut typed = Zeroizing::new(Vec::with_capacity(MAX));
    loop {
        let quiet = Quiet::new(&terminal)?;
        let end = read(&mut (&terminal), &mut typed)?;
        drop(quiet);
        match end {
            End::Nothing => return Ok(None),
            End::Signal(signal) => {
                kill_process(getpid(), signal)?;
                // Continued after Ctrl-Z: from the start.
                typed.clear();
                terminal.write_all(question.as_bytes())?;
            }
            End::Line => {
                return std::str::from_utf8(&typed)
                    .map(|text| Some(Zeroizing::new(text.to_owned())))
                    .map_err(|_| io::Error::other("what was typed is not UTF-8"));
            }
        }
    }
}

fn read(keys: &mut impl Read, typed: &mut Vec<u8>) -> io::Result<End> {
    let mut key = Zeroizing::new([0u8; 1]);
    loop {
        match keys.read(&mut key[..]) {
            Ok(0) => return Ok(End::Nothing),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        match key[0] {
            b'\n' | b'\r' => return Ok(End::Line),
            CTRL_C => return Ok(End::Signal(Signal::INT)),
            CTRL_BACKSLASH => return Ok(End::Signal(Signal::QUIT)),
            CTRL_Z => return Ok(End::Signal(Signal::TSTP)),
            CTRL_D if typed.is_empty() => return Ok(End::Nothing),
            CTRL_D => {}
            CTRL_U => typed.clear(),
            byte if BACKSPACE.contains(&byte) => {
                // One character, not one byte.
                while typed.pop().is_some_and(|byte| byte & 0xC0 == 0x80) {}
            }
            _ if typed.len() == MAX => {
                return Err(io::Error::other(format!(
                    "more than {MAX} bytes were typed"
                )));
            }
            byte => typed.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typing(keys: &[u8]) -> (End, String) {
        let mut typed = Vec::new();
        let end = read(&mut &keys[..], &mut typed).expect("keys");
        (end, String::from_utf8(typed).expect("text"))
    }

    #[test]
    fn a_line_is_edited_as_terminals_do() {
        assert_eq!(typing(b"secret\nmore"), (End::Line, "secret".into()));
        assert_eq!(typing("aé\x7fb\r".as_bytes()), (End::Line, "ab".into()));
        assert_eq!(typing(b"wrong\x15right\n"), (End::Line, "right".into()));
        assert_eq!(typing(b"\x7f\x08x\n"), (End::Line, "x".into()));
        assert_eq!(typing(b"\x04"), (End::Nothing, String::new()));
        assert_eq!(typing(b""), (End::Nothing, String::new()));
        assert_eq!(typing(b"ab\x03").0, End::Signal(Signal::INT));
        assert_eq!(typing(b"ab\x1a").0, End::Signal(Signal::TSTP));
        assert!(read(&mut &vec![b'x'; MAX + 1][..], &mut Vec::new()).is_err());
    }
}
