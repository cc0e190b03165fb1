//! Reading answers: how long, what is said meanwhile, and what is wiped.

use super::{Client, Error};
use crate::message::{MAX_FRAME, Name};
use std::io::{self, ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use zeroize::Zeroize;

/// How long the agent may take to answer what asks nobody. A device may wait for a press.
const PATIENCE: Duration = Duration::from_secs(120);

/// The same for unlocking: the agent gives a plugin 300 s.
const UNLOCKING: Duration = Duration::from_secs(330);

/// After so long the person is told that the agent has not answered.
const QUIET: Duration = Duration::from_secs(5);

/// Bytes asked for at first: most answers are shorter.
const FIRST: usize = 4096;

/// The wait for one answer.
pub(super) struct Waiting {
    patience: Duration,
    /// The person knows what is waited for.
    pub(super) is_said: bool,
}

impl Default for Waiting {
    fn default() -> Waiting {
        Waiting {
            patience: PATIENCE,
            is_said: false,
        }
    }
}

impl Waiting {
    /// The wait for the answer to an extension.
    pub(super) fn of(name: Name) -> Waiting {
        Waiting {
            patience: match name {
                Name::Unlock | Name::UnlockIn => UNLOCKING,
                _ => PATIENCE,
            },
            is_said: false,
        }
    }
}

pub(super) fn set_timeouts(stream: &UnixStream) -> io::Result<()> {
    stream.set_read_timeout(Some(QUIET))?;
    stream.set_write_timeout(Some(PATIENCE))
}

impl Client {
    /// Reads one frame into `answer`, most often with one call.
    pub(super) fn read_answer(&mut self) -> Result<(), Error> {
        self.answer.as_mut_slice().zeroize();
        self.answer.resize(FIRST, 0);
        let mut have = self.rest.len();
        self.answer[..have].copy_from_slice(&self.rest);
        self.rest.zeroize();
        while have < 4 {
            have += self.read_some(have)?;
        }
        let length = self.announced()?;
        if have > 4 + length {
            self.rest.extend_from_slice(&self.answer[4 + length..have]);
            have = 4 + length;
        }
        self.answer.copy_within(4..have, 0);
        self.resize_answer(length);
        self.fill(have - 4)
    }

    /// Reads one frame into `answer`; others may follow it.
    pub(super) fn read_next(&mut self) -> Result<(), Error> {
        self.answer.as_mut_slice().zeroize();
        self.answer.resize(4, 0);
        self.fill(0)?;
        let length = self.announced()?;
        self.answer.resize(length, 0);
        self.fill(0)
    }

    /// The length that the first four bytes of `answer` announce.
    fn announced(&self) -> Result<usize, Error> {
        let length = match self.answer.first_chunk::<4>() {
            Some(length) => u32::from_be_bytes(*length) as usize,
            None => 0,
        };
        if length == 0 || length > MAX_FRAME {
            return Err(Error::Answer("an answer of impossible length"));
        }
        Ok(length)
    }

    /// Fills `answer` from here on.
    fn fill(&mut self, mut from: usize) -> Result<(), Error> {
        while from < self.answer.len() {
            from += self.read_some(from)?;
        }
        Ok(())
    }

    /// Reads what there is, behind what there was.
    fn read_some(&mut self, from: usize) -> Result<usize, Error> {
        let mut begun = None;
        loop {
            match self.stream.read(&mut self.answer[from..]) {
                Ok(0) => return Err(self.broken(ErrorKind::UnexpectedEof.into())),
                Ok(read) => return Ok(read),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_timeout(&error) => {
                    let begun: Instant = *begun.get_or_insert_with(Instant::now);
                    if begun.elapsed() + QUIET >= self.waiting.patience {
                        let patience = self.waiting.patience.as_secs();
                        let silent = format!("nothing came for {patience} s");
                        return Err(self.broken(io::Error::new(ErrorKind::TimedOut, silent)));
                    }
                    self.say_waiting();
                }
                Err(error) => return Err(self.broken(error)),
            }
        }
    }

    /// Tells the person once that nothing comes.
    fn say_waiting(&mut self) {
        if let (Some(notice), false) = (&mut self.notice, self.waiting.is_said) {
            let seconds = self.waiting.patience.as_secs();
            notice(&format!(
                "waiting for the agent at {}, which has not answered yet; it has {seconds} s",
                self.path.display()
            ));
        }
        self.waiting.is_said = true;
    }

    /// Wipes what is given up: an answer may hold a seed.
    fn resize_answer(&mut self, length: usize) {
        if length <= self.answer.len() {
            self.answer[length..].zeroize();
            self.answer.truncate(length);
        } else {
            let mut larger = vec![0; length];
            larger[..self.answer.len()].copy_from_slice(&self.answer);
            self.answer.zeroize();
            self.answer = larger;
        }
    }
}

/// A socket's timeout is "would block" on most systems.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
