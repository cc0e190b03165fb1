//! The PIN: setting it, opening a session with it, changing it.

use super::gate::held;
use super::inner::{Core, Open};
use super::refusal::Refusal;
use crate::token::board::Board;
use crate::token::code::{Code, Fault};
use crate::token::message::{Answer, Init};
use crate::token::seal::Secret32;
use crate::token::store::{Config, Master, times, tries};
use crate::token::time::{Clock, Need, Times};
use crate::token::{ITERATIONS, LEAP, PIN_LEN, SLOTS};

impl<B: Board> Core<B> {
    #[inline(never)]
    pub(super) fn init(
        &mut self,
        init: &Init<'_>,
        press: bool,
    ) -> Result<Answer<'static>, Refusal> {
        check_len(init.pin)?;
        let own = self.device.as_ref().ok_or(Fault::Device)?.key;
        let sound = ITERATIONS.contains(&init.iterations)
            && i64::try_from(init.time).is_ok_and(|time| time > 0)
            && u64::from(init.drift_days) * 86_400 <= LEAP
            && (60..=86_400).contains(&init.idle_seconds)
            && init
                .peer
                .is_none_or(|peer| peer != own && crate::token::transfer::is_peer(&peer));
        if !sound {
            return Err(Code::Value.into());
        }
        held(press)?;
        let config = Config {
            importable: init.importable,
            peer: init.peer,
            drift_days: init.drift_days,
            idle_seconds: init.idle_seconds,
            iterations: init.iterations,
        };
        // The first time a token hears is witnessed: somebody holds its button.
        times::write(
            self.board.flash(),
            Times {
                latest: init.time,
                witnessed: init.time,
            },
        )?;
        let mut master = Secret32::default();
        self.board
            .random(&mut master[..])
            .map_err(|_| Code::Random)?;
        self.write_master(config, init.pin, &master)?;
        self.config = Some(config);
        self.clock = Some(Clock::new(init.time, self.board.ticks()));
        Ok(Answer::Done)
    }

    #[inline(never)]
    pub(super) fn unlock(
        &mut self,
        pin: &[u8],
        stated: u64,
        press: bool,
    ) -> Result<Answer<'static>, Refusal> {
        check_len(pin)?;
        let config = self.config.ok_or(Code::Empty)?;
        let (mut times, doubtful) = times::read(self.board.flash())?;
        if self.clock.is_none() {
            let drift = u64::from(config.drift_days) * 86_400;
            match times.need(stated, drift, doubtful) {
                Need::Nothing => {}
                Need::Press => held(press)?,
                Need::Refused => {
                    return Err(Refusal::because(
                        Code::Time,
                        format_args!(
                            "{stated} is more than 400 days from the token's time, {} at the last press and {} at most",
                            times.witnessed, times.latest
                        ),
                    ));
                }
            }
        }
        let master = self.check_pin(pin)?;
        if self.clock.is_none() {
            if press {
                times = Times {
                    latest: stated,
                    witnessed: stated,
                };
            }
            times.latest = times.latest.max(stated);
            times::write(self.board.flash(), times)?;
            self.clock = Some(Clock::new(stated, self.board.ticks()));
        }
        self.end_session();
        let mut id = [0; 16];
        self.board.random(&mut id).map_err(|_| Code::Random)?;
        self.open = Some(Open {
            id,
            master,
            spent: [0; SLOTS],
            used: self.board.ticks(),
        });
        Ok(Answer::Session {
            session: id,
            time: self.now()?,
        })
    }

    #[inline(never)]
    pub(super) fn change_pin(
        &mut self,
        old: &[u8],
        new: &[u8],
    ) -> Result<Answer<'static>, Refusal> {
        check_len(old)?;
        check_len(new)?;
        let config = self.config.ok_or(Code::Empty)?;
        let master = self.check_pin(old)?;
        self.write_master(config, new, &master)?;
        Ok(Answer::Done)
    }

    /// The master key, if the PIN is right. The try is taken before the PIN is looked at.
    pub(super) fn check_pin(&mut self, pin: &[u8]) -> Result<Secret32, Refusal> {
        check_len(pin)?;
        let device = self.device.as_ref().ok_or(Fault::Device)?;
        let record = Master::read(self.board.flash(), &mut self.record)?.ok_or(Code::Empty)?;
        if !tries::take(self.board.flash())? {
            return Err(Code::Blocked.into());
        }
        let mut working = || self.board.working();
        let Some(master) = record.open(pin, &device.secret, &mut working) else {
            let left = tries::left(self.board.flash())?;
            if left == 0 {
                self.end_session();
            }
            return Err(Refusal::because(
                Code::Pin,
                format_args!("{left} tries are left"),
            ));
        };
        tries::restore(self.board.flash())?;
        Ok(master)
    }

    fn write_master(
        &mut self,
        config: Config,
        pin: &[u8],
        master: &[u8; 32],
    ) -> Result<(), Refusal> {
        let (mut salt, mut nonce) = ([0; 16], [0; 12]);
        self.board
            .random(&mut salt)
            .and_then(|()| self.board.random(&mut nonce))
            .map_err(|_| Code::Random)?;
        let device = self.device.as_ref().ok_or(Fault::Device)?;
        let fresh = (salt, nonce);
        let mut working = || self.board.working();
        let record = Master::new(config, pin, &device.secret, fresh, master, &mut working)
            .ok_or(Fault::Master)?;
        Ok(record.write(self.board.flash(), &mut self.record)?)
    }
}

pub(super) fn check_len(pin: &[u8]) -> Result<(), Refusal> {
    if PIN_LEN.contains(&pin.len()) {
        return Ok(());
    }
    Err(Refusal::because(
        Code::Value,
        format_args!("a PIN has {} to {} bytes", PIN_LEN.start(), PIN_LEN.end()),
    ))
}
