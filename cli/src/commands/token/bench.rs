//! `nkey token bench`.

use super::ask::PinFlag;
use super::keys::Slot;
use super::line::Line;
use super::reach::One;
use crate::context::Context;
use crate::error::Error;
use crate::output::Table;
use nkey_core::claims::{Account, Claims, User};
use nkey_core::jwt;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::policy::{Presence, Signable};
use nkey_core::token::{Answer, Command, RANDOM_LEN};
use serde_json::{Value, json};
use std::time::Instant;

/// Letters of a server's nonce.
const NONCE_LEN: usize = 15;
/// Most bytes of a claim that says nothing.
const MAX_CLAIM: usize = 2048;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    pin: PinFlag,
    /// How often each is done
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    count: u16,
    /// Print JSON
    #[arg(long, short = 'J')]
    json: bool,
}

struct Measured {
    what: String,
    seconds: f64,
    count: u16,
}

/// Something that a key of the token signs unasked.
struct Signer {
    slot: u8,
    key: PublicKey,
    what: Signable,
}

impl Signer {
    /// Of the kinds of thing that keys sign by themselves, what this one does.
    fn of(slot: Slot) -> Option<Signer> {
        let key = slot.key?;
        let policy = key.policy();
        let (what, is_bounded) = match key.key.kind() {
            Kind::Operator => (Signable::Account, true),
            Kind::Account => (Signable::User, true),
            _ => (Signable::Nonce, false),
        };
        let limits = is_bounded && (policy.life.is_some() || policy.within.is_some());
        let fits = policy.claims.has(what)
            && policy.presence == Presence::Never
            && policy.budget.is_none()
            && !limits;
        fits.then_some(Signer {
            slot: slot.number,
            key: key.key,
            what,
        })
    }

    const fn name(&self) -> &'static str {
        match self.what {
            Signable::Account => "signature of an account",
            Signable::User => "signature of a user",
            _ => "signature of a nonce",
        }
    }

    /// One more of it.
    fn message(&self, now: i64) -> Result<Vec<u8>, Error> {
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(Error::failed)?;
        let mut buf = vec![0; MAX_CLAIM];
        let subject = |kind| PublicKey::from_bytes(kind, random).encode();
        let made = match self.what {
            Signable::Account => {
                let sub = subject(Kind::Account);
                let mut claim = Claims::<Account<'_>>::default();
                claim.standard.sub = &sub;
                jwt::prepare(&claim, &self.key, now, &mut buf)
            }
            Signable::User => {
                let sub = subject(Kind::User);
                let mut claim = Claims::<User<'_>>::default();
                claim.standard.sub = &sub;
                jwt::prepare(&claim, &self.key, now, &mut buf)
            }
            _ => {
                let nonce = random.map(|byte| b'a' + byte % 26);
                return Ok(nonce[..NONCE_LEN].to_vec());
            }
        };
        let len = made.map_err(|error| Error::failed(format!("a claim: {error}")))?;
        buf.truncate(len);
        Ok(buf)
    }
}

/// Measures round trips, random bytes, and signatures of nonces, users and accounts by keys that
/// want no button. Without such a key no signature is made: nobody presses twenty times.
///
/// # Errors
/// What the token says.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut line = args.one.open(ctx)?;
    let mut signers: Vec<Signer> = Vec::new();
    for signer in line.slots()?.into_iter().filter_map(Signer::of) {
        if signers.iter().all(|other| other.what != signer.what) {
            signers.push(signer);
        }
    }
    let now = ctx.now();
    line.unlock(ctx, &args.pin)?;
    let mut all = vec![
        measure("Hello", args.count, || line.refresh())?,
        measure("256 random bytes", args.count, || {
            let len = u16::try_from(RANDOM_LEN).unwrap_or(u16::MAX);
            line.ask(Command::Random { len }, |answer| {
                matches!(answer, Answer::Bytes(bytes) if bytes.len() == RANDOM_LEN).then_some(())
            })
        })?,
    ];
    for signer in &signers {
        all.push(measure(signer.name(), args.count, || {
            sign(&mut line, signer, now)
        })?);
    }
    line.lock()?;
    if args.json {
        let rows: Vec<Value> = all
            .iter()
            .map(|one| {
                json!({
                    "what": one.what,
                    "milliseconds": one.seconds * 1_000.0 / f64::from(one.count),
                    "per_second": f64::from(one.count) / one.seconds,
                })
            })
            .collect();
        return ctx.out.json(&rows);
    }
    let mut table = Table::new(&["WHAT", "MILLISECONDS", "PER SECOND"]);
    for one in &all {
        table.row(&[
            &one.what,
            &format!("{:.1}", one.seconds * 1_000.0 / f64::from(one.count)),
            &format!("{:.1}", f64::from(one.count) / one.seconds),
        ]);
    }
    table.write(&mut ctx.out)?;
    if signers.is_empty() {
        ctx.out.note(
            "signatures were not measured: no key of the token signs without the button, without a budget, and claims without limits",
        );
    }
    Ok(())
}

fn measure(
    what: &str,
    count: u16,
    mut once: impl FnMut() -> Result<(), Error>,
) -> Result<Measured, Error> {
    let start = Instant::now();
    for _ in 0..count {
        once()?;
    }
    Ok(Measured {
        what: what.to_owned(),
        seconds: start.elapsed().as_secs_f64().max(1e-9),
        count,
    })
}

fn sign(line: &mut Line, signer: &Signer, now: i64) -> Result<(), Error> {
    let Signer { slot, key, .. } = signer;
    let message = signer.message(now)?;
    if let Some(agent) = line.agent() {
        // It verifies the signature itself.
        agent.sign(key, &message)?;
        return Ok(());
    }
    let command = Command::Sign {
        slot: *slot,
        message: &message,
    };
    let signature = line.ask(command, |answer| match answer {
        Answer::Signature(signature) => Some(signature.into()),
        _ => None,
    })?;
    match key.verify(&message, &signature) {
        true => Ok(()),
        false => Err(Error::failed(format!(
            "a signature of {key} is wrong: do not use this token"
        ))),
    }
}
