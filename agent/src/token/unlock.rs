//! Opening a session: the PIN, and the time that the token is told.

use super::{Hand, Token, TokenError};
use nkey_core::token::{Answer, Code, Command, LEAP, SKEW, Session, nearest};

/// An open session.
#[derive(Clone, Copy, Debug)]
pub struct Unlocked {
    /// Its id.
    pub session: Session,
    /// The token's time.
    pub time: u64,
    /// The host's.
    pub wanted: u64,
}

/// Opens a session. A token that was not pressed for long, or was told a wrong time, takes only
/// a nearer one than `wanted`, and is told that.
///
/// # Errors
/// What the token says.
pub fn unlock(
    token: &mut Token,
    pin: &[u8],
    wanted: u64,
    hand: &mut dyn Hand,
) -> Result<Unlocked, TokenError> {
    let mut time = wanted;
    // It refuses a time before it looks at the PIN, so this costs no try.
    match open(token, pin, time, hand) {
        Err(TokenError::Refused(Code::Time, _)) => {}
        opened => {
            return opened.map(|(session, time)| Unlocked {
                session,
                time,
                wanted,
            });
        }
    }
    if let Answer::Counters(counters) = token.call(None, Command::Counters, &mut ())? {
        time = nearest(wanted, &counters);
    }
    let (session, time) = open(token, pin, time, hand)?;
    Ok(Unlocked {
        session,
        time,
        wanted,
    })
}

fn open(
    token: &mut Token,
    pin: &[u8],
    time: u64,
    hand: &mut dyn Hand,
) -> Result<(Session, u64), TokenError> {
    match token.call(None, Command::Unlock { pin, time }, hand)? {
        Answer::Session { session, time } => Ok((session, time)),
        _ => Err(TokenError::Nonsense(token.about().serial.clone())),
    }
}

impl Unlocked {
    /// What a person is to know of the time of the token that is `shown` so.
    pub fn remark(&self, shown: &str) -> Option<String> {
        let away = self.time.abs_diff(self.wanted);
        if away <= SKEW {
            return None;
        }
        let (time, wanted) = (self.time, self.wanted);
        let text = format!(
            "the time of {shown} is {time}, this clock says {wanted}: it refuses claims until it is unplugged and unlocked again"
        );
        Some(match away.div_ceil(LEAP) {
            1 => text,
            times => {
                format!("{text}, {times} times, since one press moves its time by 400 days at most")
            }
        })
    }
}
