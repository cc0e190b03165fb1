//! Requests and answers.

use super::port::Port;
use super::{Found, TokenError, find};
use nkey_core::token::{
    Answer, Code, Command, FRAME_LEN, Fault, Hello, PRESS_MS, PROTOCOL, Press, Request, Response,
    Session, State, VIRTUAL, decode, encode,
};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How long a token may work on a request: stretching a PIN takes seconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long for what it only looks up.
const QUICK: Duration = Duration::from_secs(3);
/// How often it is looked whether the request was taken back.
const GLANCE: Duration = Duration::from_millis(100);
/// Most bytes of an answer's frame.
const MAX_ANSWER: usize = 4096;

/// Which token is meant, and where.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its port.
    pub port: PathBuf,
    /// Its serial number, if it is known.
    pub serial: Option<String>,
    /// The serial number of a virtual token that is allowed.
    pub allow_virtual: Option<String>,
}

/// The person at the token.
pub trait Hand {
    /// The button is wanted. Said once for a request, at once.
    fn wanted(&mut self, press: Press);

    /// Whether the request is to be taken back.
    fn is_cancelled(&mut self) -> bool {
        false
    }
}

/// Nobody in particular.
impl Hand for () {
    fn wanted(&mut self, _press: Press) {}
}

/// What a token says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The firmware's version.
    pub firmware: String,
    /// SHA-256 of the firmware, as it says itself.
    pub hash: [u8; 32],
    /// The serial number.
    pub serial: String,
    /// The chip.
    pub chip: String,
    /// The longest message that it signs.
    pub max_message: usize,
    /// Bits of `nkey_core::token`: `VIRTUAL`, `IMPORTABLE`, `PEER`.
    pub capabilities: u32,
    /// The state.
    pub state: State,
    /// Why the state is `Error`.
    pub fault: Option<Fault>,
    /// The device key.
    pub device: [u8; 32],
    /// Slots for keys.
    pub slots: u8,
}

impl From<Hello<'_>> for About {
    fn from(hello: Hello<'_>) -> About {
        About {
            firmware: shown(hello.firmware),
            hash: hello.hash,
            serial: shown(hello.serial),
            chip: shown(hello.chip),
            max_message: usize::try_from(hello.max_message).unwrap_or(usize::MAX),
            capabilities: hello.capabilities,
            state: hello.state,
            fault: hello.fault,
            device: hello.device,
            slots: hello.slots,
        }
    }
}

/// A token that is connected.
pub struct Token {
    port: Port,
    about: About,
    id: u32,
    /// The last answer, which may borrow from it.
    answer: Zeroizing<Vec<u8>>,
    /// What came behind it.
    rest: Vec<u8>,
    /// Until its first answer: what was meant for the port's last user may come before it.
    is_new: bool,
}

fn patience(command: &Command<'_>) -> Duration {
    match command {
        Command::Hello
        | Command::List
        | Command::Slot { .. }
        | Command::Tries
        | Command::Counters
        | Command::Lock => QUICK,
        _ => PATIENCE,
    }
}

impl Token {
    /// Connects to a token and asks who it is.
    ///
    /// # Errors
    /// If it is not there, is another one, is virtual without leave, or speaks another protocol.
    pub fn open(place: &Place) -> Result<Token, TokenError> {
        Token::greet(Port::open(&place.port)?, place)
    }

    /// Connects to the token of a serial number that is plugged in, by a root of sysfs and the
    /// folder of the ports.
    ///
    /// # Errors
    /// As [`Token::open`], and if none or two tokens have this serial number.
    pub fn open_serial(
        serial: &str,
        (sysfs, dev): (&Path, &Path),
        allow_virtual: bool,
    ) -> Result<Token, TokenError> {
        let mut found = find(sysfs, dev);
        found.retain(|found| found.serial == serial);
        let Some(Found { port: path, .. }) = found.pop() else {
            return Err(TokenError::Absent(serial.to_owned()));
        };
        if !found.is_empty() {
            return Err(TokenError::Twice(serial.to_owned()));
        }
        let port = Port::open(&path)?;
        // Another device may have taken the port's name meanwhile; it must not be written to.
        let is_it = |found: &Found| found.serial == serial && found.port == path;
        if !find(sysfs, dev).iter().any(is_it) {
            return Err(TokenError::Gone(serial.to_owned()));
        }
        let place = Place {
            port: path,
            serial: Some(serial.to_owned()),
            allow_virtual: allow_virtual.then(|| serial.to_owned()),
        };
        Token::greet(port, &place)
    }

    fn greet(port: Port, place: &Place) -> Result<Token, TokenError> {
        let mut token = Token {
            about: About {
                firmware: String::new(),
                hash: [0; 32],
                serial: place.port.display().to_string(),
                chip: String::new(),
                max_message: 0,
                capabilities: 0,
                state: State::Error,
                fault: None,
                device: [0; 32],
                slots: 0,
            },
            port,
            id: 0,
            answer: Zeroizing::default(),
            rest: Vec::new(),
            is_new: true,
        };
        token.refresh()?;
        token.is_new = false;
        let about = &token.about;
        if let Some(wanted) = &place.serial
            && *wanted != about.serial
        {
            return Err(TokenError::Other(about.serial.clone(), wanted.clone()));
        }
        let is_virtual = about.capabilities & VIRTUAL != 0 || about.serial.contains("VIRTUAL");
        if is_virtual && place.allow_virtual.as_ref() != Some(&about.serial) {
            return Err(TokenError::Virtual(about.serial.clone()));
        }
        Ok(token)
    }

    /// What it said of itself when it was asked last.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Its port.
    pub fn port(&self) -> &Path {
        Path::new(self.port.path())
    }

    /// Asks again who it is and in which state.
    ///
    /// # Errors
    /// As [`Token::call`], and [`TokenError::Protocol`].
    pub fn refresh(&mut self) -> Result<&About, TokenError> {
        let about = match self.call(None, Command::Hello, &mut ())? {
            Answer::Hello(hello) => {
                let versions = (hello.oldest, hello.newest);
                if versions.0 > PROTOCOL.1 || versions.1 < PROTOCOL.0 {
                    let serial = shown(hello.serial);
                    return Err(TokenError::Protocol { serial, versions });
                }
                About::from(hello)
            }
            _ => return Err(self.nonsense()),
        };
        self.about = about;
        Ok(&self.about)
    }

    /// Asks for something; the answer that ends it.
    ///
    /// # Errors
    /// What the token says, or that it says nothing that makes sense.
    pub fn call(
        &mut self,
        session: Option<Session>,
        command: Command<'_>,
        hand: &mut dyn Hand,
    ) -> Result<Answer<'_>, TokenError> {
        if let Command::Sign { message, .. } = command
            && message.len() > self.about.max_message
        {
            let most = self.about.max_message;
            return Err(TokenError::TooLarge(message.len(), most));
        }
        let wanted = self.next_id();
        let mut deadline = Instant::now() + patience(&command);
        self.send(wanted, session, command, deadline)?;
        let mut cancel = None;
        let mut waits = false;
        let mut stale = false;
        loop {
            let glances = waits && cancel.is_none();
            let received = match self.receive(deadline, glances) {
                Err(TokenError::Silent(_)) if stale => return Err(self.nonsense()),
                received => received?,
            };
            if !received {
                if hand.is_cancelled() {
                    let id = self.next_id();
                    self.send(id, None, Command::Cancel, deadline)?;
                    cancel = Some(id);
                }
                continue;
            }
            if self.is_new && !self.is_about(wanted) {
                stale = true;
                continue;
            }
            match self.step(wanted)? {
                Step::Waits(press) if !waits => {
                    waits = true;
                    deadline = Instant::now() + Duration::from_millis(PRESS_MS) + PATIENCE;
                    hand.wanted(press);
                }
                Step::Waits(_) => return Err(self.nonsense()),
                Step::Failed(error) => {
                    self.hear_out(cancel, deadline)?;
                    return Err(error);
                }
                Step::Done => {
                    self.hear_out(cancel, deadline)?;
                    return Ok(self.response()?.answer);
                }
            }
        }
    }

    fn next_id(&mut self) -> u32 {
        self.id = self.id.wrapping_add(1).max(1);
        self.id
    }

    /// Whether the last frame answers this request.
    fn is_about(&self, wanted: u32) -> bool {
        self.response().is_ok_and(|response| response.id == wanted)
    }

    /// What the last answer is to the request `wanted`.
    fn step(&self, wanted: u32) -> Result<Step, TokenError> {
        let response = self.response()?;
        // An error about a request that could not be read has no id.
        let is_error = matches!(response.answer, Answer::Error { .. });
        if response.id != wanted && !(response.id == 0 && is_error) {
            return Err(self.nonsense());
        }
        Ok(match response.answer {
            Answer::Waiting(press) => Step::Waits(press),
            Answer::Error {
                code: Code::Fault, ..
            } => Step::Failed(TokenError::Broken(self.about.fault)),
            Answer::Error { code, reason } => {
                Step::Failed(TokenError::Refused(code, shown(reason)))
            }
            _ => Step::Done,
        })
    }

    /// The answer to `Cancel` comes after that to the request that it took back.
    fn hear_out(&mut self, cancel: Option<u32>, deadline: Instant) -> Result<(), TokenError> {
        let Some(id) = cancel else {
            return Ok(());
        };
        let answer = std::mem::take(&mut self.answer);
        self.receive(deadline, false)?;
        let heard = self.step(id)?;
        self.answer = answer;
        match heard {
            Step::Done => Ok(()),
            _ => Err(self.nonsense()),
        }
    }

    fn response(&self) -> Result<Response<'_>, TokenError> {
        postcard::from_bytes(&self.answer).map_err(|_| self.nonsense())
    }

    fn nonsense(&self) -> TokenError {
        TokenError::Nonsense(self.about.serial.clone())
    }

    /// Takes the next frame. False: a glance is due first.
    fn receive(&mut self, deadline: Instant, glances: bool) -> Result<bool, TokenError> {
        let glance = Instant::now() + GLANCE;
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == 0) {
                let mut frame: Zeroizing<Vec<u8>> =
                    self.rest.drain(..=end).collect::<Vec<_>>().into();
                if frame.len() == 1 {
                    continue;
                }
                let body = decode(&mut frame).map(<[u8]>::to_vec);
                self.answer = match body {
                    Some(body) => body.into(),
                    None if self.is_new => Zeroizing::default(),
                    None => return Err(self.nonsense()),
                };
                return Ok(true);
            }
            if self.rest.len() > MAX_ANSWER {
                return Err(self.nonsense());
            }
            let until = if glances {
                glance.min(deadline)
            } else {
                deadline
            };
            let mut bytes = Zeroizing::new([0; 512]);
            match self.port.read(&mut bytes[..], until)? {
                0 if glances && Instant::now() < deadline => return Ok(false),
                0 => return Err(TokenError::Silent(self.about.serial.clone())),
                read => self.rest.extend_from_slice(&bytes[..read]),
            }
        }
    }

    fn send(
        &self,
        id: u32,
        session: Option<Session>,
        command: Command<'_>,
        deadline: Instant,
    ) -> Result<(), TokenError> {
        let request = Request {
            id,
            session,
            command,
        };
        // Both hold PINs and seeds on the way.
        let mut scratch = Zeroizing::new(vec![0; FRAME_LEN]);
        let mut frame = Zeroizing::new(vec![0; FRAME_LEN + FRAME_LEN / 64]);
        let len = encode(&request, &mut scratch, &mut frame)
            .ok_or(TokenError::TooLarge(FRAME_LEN, self.about.max_message))?;
        self.port.write(&frame[..len], deadline)
    }
}

/// What an answer means for its request.
enum Step {
    Waits(Press),
    Failed(TokenError),
    Done,
}

/// A text of the token, for terminals.
fn shown(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).collect()
}
