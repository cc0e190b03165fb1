//! What the token knows, and what it does at power-up.

use super::refusal::Refusal;
use crate::policy::Signable;
use crate::token::SLOTS;
use crate::token::board::Board;
use crate::token::code::{Code, Fault, State};
use crate::token::flash::Place;
use crate::token::message::Session;
use crate::token::seal::Secret32;
use crate::token::store::{self, Config, Device, Master, RECORD, times, tries};
use crate::token::time::Clock;

/// An open session. Of secrets only the master key is kept.
pub(super) struct Open {
    pub(super) id: Session,
    pub(super) master: Secret32,
    /// Signatures of each slot since it was opened.
    pub(super) spent: [u32; SLOTS],
    /// Ticks of the last request.
    pub(super) used: u64,
}

/// When a press last counted for a slot and a type of claim, in ticks.
type Pressed = [[Option<u64>; Signable::ALL.len()]; SLOTS];

pub(super) struct Core<B> {
    pub(super) board: B,
    pub(super) fault: Option<Fault>,
    pub(super) device: Option<Device>,
    pub(super) config: Option<Config>,
    pub(super) clock: Option<Clock>,
    pub(super) open: Option<Open>,
    pub(super) pressed: Pressed,
    pub(super) record: [u8; RECORD],
    /// The host was told that the board goes to its bootloader.
    pub(super) leaving: bool,
}

impl<B: Board> Core<B> {
    pub(super) fn new(board: B) -> Core<B> {
        let mut core = Core {
            board,
            fault: None,
            device: None,
            config: None,
            clock: None,
            open: None,
            pressed: [[None; Signable::ALL.len()]; SLOTS],
            record: [0; RECORD],
            leaving: false,
        };
        core.fault = core.start().err();
        if core.board.info().panicked {
            core.fault = core.fault.or(Some(Fault::Panic));
        }
        core
    }

    /// Ends what was interrupted, then reads what is kept in memory.
    fn start(&mut self) -> Result<(), Fault> {
        Place::Device.log::<B::Flash>().tidy(self.board.flash())?;
        let device = match Device::read(self.board.flash(), &mut self.record)? {
            Some(device) if !device.resetting => device,
            _ => Device::renew(&mut self.board, &mut self.record)?,
        };
        // Kept even when something else is broken: Hello shows its key.
        self.device = Some(device);
        for place in [Place::Device].into_iter().chain(Place::others()) {
            store::settle(self.board.flash(), place, &mut self.record)?;
        }
        let master = Master::read(self.board.flash(), &mut self.record)?;
        self.config = master.map(|master| master.config);
        tries::left(self.board.flash())?;
        times::read(self.board.flash())?;
        store::signatures::count(self.board.flash())?;
        Ok(())
    }

    pub(super) fn reset(&mut self) -> Result<(), Fault> {
        self.end_session();
        self.clock = None;
        self.config = None;
        self.device = None;
        self.device = Some(Device::renew(&mut self.board, &mut self.record)?);
        self.fault = None;
        Ok(())
    }

    pub(super) fn state(&mut self) -> State {
        if self.fault.is_some() {
            return State::Error;
        }
        if self.config.is_none() {
            return State::Empty;
        }
        match tries::left(self.board.flash()) {
            Err(fault) => {
                self.fail(fault);
                State::Error
            }
            Ok(0) => State::Blocked,
            Ok(_) if self.open.is_some() => State::Unlocked,
            Ok(_) => State::Locked,
        }
    }

    pub(super) fn fail(&mut self, fault: Fault) {
        self.end_session();
        self.fault.get_or_insert(fault);
    }

    /// Wipes the master key and forgets every press.
    pub(super) fn end_session(&mut self) {
        self.open = None;
        self.pressed = [[None; Signable::ALL.len()]; SLOTS];
    }

    /// Ends a session that was idle too long.
    pub(super) fn expire(&mut self) {
        let now = self.board.ticks();
        let idle = self.config.map_or(0, |config| config.idle_seconds);
        if let Some(open) = &self.open
            && now.saturating_sub(open.used) >= u64::from(idle) * 1_000
        {
            self.end_session();
        }
    }

    /// The device's time.
    pub(super) fn now(&mut self) -> Result<u64, Refusal> {
        let ticks = self.board.ticks();
        let clock = self.clock.ok_or(Code::Locked)?;
        Ok(clock.now(ticks))
    }

    /// Keeps the device's time, and that somebody pressed now.
    pub(super) fn keep_time(&mut self, press: bool) -> Result<(), Refusal> {
        let now = self.now()?;
        let (mut times, doubtful) = times::read(self.board.flash())?;
        times.latest = times.latest.max(now);
        if press {
            times.witnessed = now;
        } else if doubtful {
            // Only a press ends the doubt.
            return Ok(());
        }
        Ok(times::write(self.board.flash(), times)?)
    }
}
