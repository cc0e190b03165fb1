//! Signing: read, judge, ask, count, sign, verify.

use super::gate::find;
use super::inner::Core;
use super::refusal::Refusal;
use crate::language::{Permit, permit};
use crate::nkey::KeyPair;
use crate::policy::{Judge, Presence};
use crate::token::board::Board;
use crate::token::code::{Code, Fault};
use crate::token::message::{Answer, Press};
use crate::token::store::signatures;
use crate::token::{MAX_MESSAGE, SKEW};
use zeroize::Zeroizing;

impl<B: Board> Core<B> {
    pub(super) fn sign(
        &mut self,
        slot: u8,
        message: &[u8],
        press: bool,
        scratch: &mut [u8],
    ) -> Result<Answer<'static>, Refusal> {
        if message.len() > MAX_MESSAGE {
            return Err(Refusal::because(
                Code::TooLarge,
                format_args!(
                    "a message has at most {MAX_MESSAGE} bytes, this has {}",
                    message.len()
                ),
            ));
        }
        let now = self.now()?;
        let ticks = self.board.ticks();
        let stored = find(&mut self.board, slot, &mut self.record)?;
        let key = stored.public_key().ok_or(Code::Slot)?;
        let policy = stored.details.policy;
        let budget = policy.budget;

        let signed_now = i64::try_from(now).map_err(|_| Code::Time)?;
        let mut judge = Judge::new(&policy);
        let permit = permit(&key, message, scratch, &mut judge)
            .map_err(|denial| Refusal::because(Code::Language, denial))?;
        if let Permit::Jwt(reading) = &permit
            && reading.iat.abs_diff(signed_now) > SKEW
        {
            return Err(Refusal::because(
                Code::Iat,
                format_args!(
                    "iat is {}, the token's time {now}, at most {SKEW} s apart",
                    reading.iat
                ),
            ));
        }
        let what = judge
            .verdict(&permit, signed_now)
            .map_err(|violation| Refusal::because(Code::Policy, violation))?;

        let at = usize::from(slot);
        let open = self.open.as_ref().ok_or(Code::Locked)?;
        let spent = open.spent.get(at).copied().unwrap_or(u32::MAX);
        if budget.is_some_and(|budget| spent >= budget) {
            return Err(Refusal::because(
                Code::Policy,
                format_args!("the key's {spent} signatures of this session are spent"),
            ));
        }
        let last = self.pressed.get(at).and_then(|slot| slot[what as usize]);
        let present = press
            || match policy.presence {
                Presence::Always => false,
                Presence::Never => true,
                Presence::Cached(seconds) => {
                    last.is_some_and(|last| ticks.saturating_sub(last) < u64::from(seconds) * 1_000)
                }
            };
        if !present {
            return Err(Refusal::Press(Press::Short));
        }

        // Opening the seal proves that the policy is the one that was sealed with the seed.
        let seed = stored.open(slot, &open.master, scratch).ok_or_else(|| {
            Refusal::because(
                Code::Slot,
                format_args!("the record of slot {slot} was changed"),
            )
        })?;
        let mut expanded = Zeroizing::new([0; 64]);
        expanded[..32].copy_from_slice(&seed[..]);
        expanded[32..].copy_from_slice(key.as_bytes());
        drop(seed);
        let pair = KeyPair::from_expanded(key.kind(), *expanded);

        self.keep_time(press)?;
        signatures::next(self.board.flash())?;
        let signature = pair.sign(message);
        drop(pair);
        if !key.verify(message, &signature) {
            return Err(Fault::Signature.into());
        }

        if press && let Some(pressed) = self.pressed.get_mut(at) {
            pressed[what as usize] = Some(ticks);
        }
        if let Some(open) = &mut self.open {
            let spent = spent.saturating_add(1);
            open.spent[at] = spent;
            if budget == Some(spent) {
                self.end_session();
            }
        }
        Ok(Answer::Signature(signature.into()))
    }
}
