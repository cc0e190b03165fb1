//! The line to a token: open while a session or a request is, and never longer.

use super::Roots;
use super::say::Last;
use crate::store::enrolled::failed;
use crate::store::{Person, Prompt, StoreError};
use crate::token::{Hand, Place, Token, TokenError};
use nkey_core::token::{Answer, Code, Command, Press, Session, State, TRIES};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;
use zeroize::Zeroizing;

/// How often it is looked whether a session has ended.
const WATCH: Duration = Duration::from_secs(1);

/// A token with an open session.
struct Open {
    token: Token,
    session: Zeroizing<Session>,
}

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

/// The session that a request may use.
pub(super) type Granted = Result<Session, Trouble>;

pub(super) struct Line {
    name: String,
    serial: String,
    port: Option<PathBuf>,
    roots: Roots,
    allow_virtual: bool,
    open: Mutex<Option<Open>>,
    has_session: AtomicBool,
    /// The session is to end, as soon as nobody uses the line.
    stop: AtomicBool,
    /// Counts sessions, so that each is watched by its own thread.
    sessions: AtomicU64,
    last: Mutex<Option<Last>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Line {
    pub(super) fn new(
        name: &str,
        serial: &str,
        port: Option<PathBuf>,
        roots: Roots,
        allow_virtual: bool,
    ) -> Line {
        Line {
            name: name.to_owned(),
            serial: serial.to_owned(),
            port,
            roots,
            allow_virtual,
            open: Mutex::new(None),
            has_session: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            sessions: AtomicU64::new(0),
            last: Mutex::new(None),
        }
    }

    pub(super) fn serial(&self) -> &str {
        &self.serial
    }

    /// The token by its name and its serial number.
    pub(super) fn shown(&self) -> String {
        match self.name.ends_with(&self.serial) {
            true => self.name.clone(),
            false => format!("{} ({})", self.name, self.serial),
        }
    }

    /// What it said last.
    pub(super) fn last(&self) -> Option<Last> {
        lock(&self.last).clone()
    }

    fn found(&self) -> Option<PathBuf> {
        if let Some(port) = &self.port {
            return Some(port.clone());
        }
        let found = crate::token::find(&self.roots.sysfs, &self.roots.dev);
        let mine = found.into_iter().find(|found| found.serial == self.serial);
        mine.map(|found| found.port)
    }

    pub(super) fn is_there(&self) -> bool {
        self.found().is_some()
    }

    pub(super) fn place(&self) -> String {
        let place = match self.found() {
            Some(port) => port.display().to_string(),
            None => "not plugged in".to_owned(),
        };
        let told = self.last().is_some_and(|last| last.is_virtual());
        if told || self.serial.contains("VIRTUAL") {
            format!("VIRTUAL, no board: {place}")
        } else {
            place
        }
    }

    fn connect(&self) -> Result<Token, TokenError> {
        let Some(port) = &self.port else {
            let roots = (self.roots.sysfs.as_path(), self.roots.dev.as_path());
            return Token::open_serial(&self.serial, roots, self.allow_virtual);
        };
        Token::open(&Place {
            port: port.clone(),
            serial: Some(self.serial.clone()),
            allow_virtual: self.allow_virtual.then(|| self.serial.clone()),
        })
    }

    /// Has `work` done over the session's line, or over one for this request alone.
    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&mut Token, Granted) -> Result<T, Trouble>,
    ) -> Result<T, StoreError> {
        self.with_open(lock(&self.open), work)
    }

    fn with_open<T>(
        &self,
        mut open: MutexGuard<'_, Option<Open>>,
        work: impl FnOnce(&mut Token, Granted) -> Result<T, Trouble>,
    ) -> Result<T, StoreError> {
        self.drop_stopped(&mut open);
        let result = match open.as_mut() {
            Some(Open { token, session }) => work(token, Ok(**session)),
            None => match self.connect() {
                Ok(mut token) => work(&mut token, Err(Trouble::Locked)),
                Err(error) => Err(error.into()),
            },
        };
        if result.as_ref().is_err_and(ends_session) {
            self.close(&mut open);
        }
        self.drop_stopped(&mut open);
        result.map_err(|trouble| self.said(trouble))
    }

    /// Closing the port ends the session on the token.
    fn close(&self, open: &mut Option<Open>) {
        open.take();
        self.has_session.store(false, Ordering::SeqCst);
    }

    fn drop_stopped(&self, open: &mut Option<Open>) {
        if self.stop.swap(false, Ordering::SeqCst) {
            self.close(open);
        }
    }

    /// Asks who it is, and how many tries are left.
    pub(super) fn inquire(&self) -> Result<Last, StoreError> {
        self.inquire_by(lock(&self.open))
    }

    fn inquire_by(&self, open: MutexGuard<'_, Option<Open>>) -> Result<Last, StoreError> {
        self.with_open(open, |token, granted| {
            let about = token.refresh()?.clone();
            // It ended its session by itself.
            if granted.is_ok() && about.state != State::Unlocked {
                self.stop.store(true, Ordering::SeqCst);
            }
            let tries = match about.state {
                State::Error => 0,
                _ => match token.call(None, Command::Tries, &mut ())? {
                    Answer::Tries(left) => left,
                    _ => return Err(Trouble::Nonsense),
                },
            };
            let last = Last { about, tries };
            *lock(&self.last) = Some(last.clone());
            Ok(last)
        })
    }

    /// As [`Line::inquire`]; while the token works for somebody, what it said last is still true.
    pub(super) fn about(&self) -> Result<Last, StoreError> {
        match self.open.try_lock() {
            Ok(open) => self.inquire_by(open),
            Err(TryLockError::Poisoned(open)) => self.inquire_by(open.into_inner()),
            Err(TryLockError::WouldBlock) => match self.last() {
                Some(last) => Ok(last),
                None => self.inquire(),
            },
        }
    }

    /// Notices a session that the token has ended by itself.
    pub(super) fn check(&self) {
        if self.has_session() {
            let _ = self.about();
        }
    }

    pub(super) fn has_session(&self) -> bool {
        self.has_session.load(Ordering::SeqCst) && !self.stop.load(Ordering::SeqCst)
    }

    /// Ends the session; what waits for the button is taken back. Answers at once.
    pub(super) fn end(&self) {
        self.stop.store(true, Ordering::SeqCst);
        let free = match self.open.try_lock() {
            Ok(open) => Some(open),
            Err(TryLockError::Poisoned(open)) => Some(open.into_inner()),
            // Whoever uses the line ends it.
            Err(TryLockError::WouldBlock) => None,
        };
        if let Some(mut open) = free {
            self.drop_stopped(&mut open);
        }
    }

    /// The token has become another, or has gone.
    pub(super) fn forget(&self) {
        self.end();
        lock(&self.last).take();
    }

    /// Opens a session; the token's time. The PIN is sent once.
    pub(super) fn unlock(
        self: &Arc<Line>,
        pin: &str,
        time: u64,
        prompt: &mut dyn Prompt,
    ) -> Result<u64, StoreError> {
        let mut open = lock(&self.open);
        self.stop.store(false, Ordering::SeqCst);
        self.close(&mut open);
        let mut token = self
            .connect()
            .map_err(|error| self.said(Trouble::Token(error)))?;
        let mut asked = Asked { line: self, prompt };
        let pin = pin.as_bytes();
        let granted = match token.call(None, Command::Unlock { pin, time }, &mut asked) {
            Ok(Answer::Session { session, time }) => Ok((session, time)),
            Ok(_) => Err(Trouble::Nonsense),
            Err(error) => Err(error.into()),
        };
        let (session, time) = granted.map_err(|trouble| self.said(trouble))?;
        *open = Some(Open {
            token,
            session: session.into(),
        });
        self.has_session.store(true, Ordering::SeqCst);
        if let Some(last) = lock(&self.last).as_mut() {
            last.tries = TRIES;
        }
        drop(open);
        self.watch();
        Ok(time)
    }

    /// Closes the port when the token has ended the session: idle, pulled out, or spent.
    fn watch(self: &Arc<Line>) {
        let number = self.sessions.fetch_add(1, Ordering::SeqCst) + 1;
        let line = Arc::downgrade(self);
        // Without the thread it is noticed at the next request.
        let _ = std::thread::Builder::new()
            .name("token".to_owned())
            .spawn(move || {
                loop {
                    std::thread::sleep(WATCH);
                    let Some(line) = line.upgrade() else {
                        return;
                    };
                    if line.sessions.load(Ordering::SeqCst) != number {
                        return;
                    }
                    let Ok(mut open) = line.open.try_lock() else {
                        continue;
                    };
                    line.drop_stopped(&mut open);
                    let Some(session) = open.as_mut() else {
                        return;
                    };
                    let asked = session.token.refresh();
                    if !asked.is_ok_and(|about| about.state == State::Unlocked) {
                        line.close(&mut open);
                        return;
                    }
                }
            });
    }

    /// Tells a person when the button is wanted, and takes the request back when it is gone.
    pub(super) fn hand<'a>(&'a self, person: &'a dyn Person) -> impl Hand + 'a {
        Waits { line: self, person }
    }

    fn press(&self, press: Press) -> String {
        match press {
            Press::Short => format!("press the button on {}", self.shown()),
            Press::Held => format!("hold the button on {} for 3 s", self.shown()),
        }
    }

    /// The trouble as an error of this store.
    fn said(&self, trouble: Trouble) -> StoreError {
        let (name, serial) = (self.name.clone(), &self.serial);
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
                return failed(&name, TokenError::Nonsense(serial.clone()).to_string());
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
fn ends_session(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::Own(_) | Trouble::Locked | Trouble::Token(TokenError::TooLarge(..)) => false,
        Trouble::Token(TokenError::Refused(code, _)) => matches!(
            code,
            Code::Locked | Code::Session | Code::Blocked | Code::Empty | Code::Frame
        ),
        Trouble::Token(_) | Trouble::Nonsense => true,
    }
}

struct Waits<'a> {
    line: &'a Line,
    person: &'a dyn Person,
}

impl Hand for Waits<'_> {
    fn wanted(&mut self, press: Press) {
        self.person.say(&self.line.press(press));
    }

    fn is_cancelled(&mut self) -> bool {
        self.person.is_gone() || self.line.stop.load(Ordering::SeqCst)
    }
}

/// As [`Waits`], while unlocking.
struct Asked<'a> {
    line: &'a Line,
    prompt: &'a mut dyn Prompt,
}

impl Hand for Asked<'_> {
    fn wanted(&mut self, press: Press) {
        let text = format!(
            "{}: the time it is told is too far from the last time its button was pressed",
            self.line.press(press)
        );
        self.prompt.message(&text);
    }

    fn is_cancelled(&mut self) -> bool {
        self.prompt.is_gone() || self.line.stop.load(Ordering::SeqCst)
    }
}
