//! The line to a token: open while a session or a request is, and never longer.

use super::Roots;
use super::hand::Asked;
use super::say::Last;
use super::trouble::{Trouble, ends_session};
use crate::store::{Prompt, StoreError};
use crate::token::{Place, Token, TokenError, Unlocked, unlock};
use nkey_core::token::{Answer, Command, Session, State, TRIES};
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
    /// Counts requests to end it: one that falls into an unlocking wins.
    ends: AtomicU64,
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
            ends: AtomicU64::new(0),
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

    pub(super) fn is_virtual(&self) -> bool {
        let told = self.last().is_some_and(|last| last.is_virtual());
        told || self.serial.contains("VIRTUAL")
    }

    pub(super) fn place(&self) -> String {
        let place = match self.found() {
            Some(port) => port.display().to_string(),
            None => "not plugged in".to_owned(),
        };
        if self.is_virtual() {
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
            self.part(open);
        }
    }

    /// Ends the session and closes the port. Somebody else who has the port open would keep DTR up.
    fn part(&self, open: &mut Option<Open>) {
        if let Some(Open { token, session }) = open {
            let _ = token.call(Some(**session), Command::Lock, &mut ());
        }
        self.close(open);
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

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether what waits is to be taken back.
    pub(super) fn is_to_stop(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    pub(super) fn has_session(&self) -> bool {
        self.has_session.load(Ordering::SeqCst) && !self.stop.load(Ordering::SeqCst)
    }

    /// Ends the session; what waits for the button is taken back. Answers at once.
    pub(super) fn end(&self) {
        self.ends.fetch_add(1, Ordering::SeqCst);
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

    /// How often its session was to end.
    pub(super) fn ends(&self) -> u64 {
        self.ends.load(Ordering::SeqCst)
    }

    /// Opens a session, unless it was to end since there were so many `ends`.
    pub(super) fn unlock(
        self: &Arc<Line>,
        pin: &str,
        time: u64,
        ends: u64,
        prompt: &mut dyn Prompt,
    ) -> Result<Unlocked, StoreError> {
        let mut open = lock(&self.open);
        self.stop.store(false, Ordering::SeqCst);
        self.part(&mut open);
        let locked = || {
            let why = "it was locked while it was being unlocked";
            StoreError::Declined(self.name.clone(), why.to_owned())
        };
        if self.ends() != ends {
            return Err(locked());
        }
        let mut token = self
            .connect()
            .map_err(|error| self.said(Trouble::Token(error)))?;
        let mut asked = Asked { line: self, prompt };
        let unlocked = unlock(&mut token, pin.as_bytes(), time, &mut asked)
            .map_err(|error| self.said(Trouble::Token(error)))?;
        *open = Some(Open {
            token,
            session: unlocked.session.into(),
        });
        if self.ends() != ends {
            self.part(&mut open);
            return Err(locked());
        }
        self.has_session.store(true, Ordering::SeqCst);
        if let Some(last) = lock(&self.last).as_mut() {
            last.tries = TRIES;
        }
        drop(open);
        self.watch();
        Ok(unlocked)
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
}
