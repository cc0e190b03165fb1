//! `nkey token bench`.

use super::ask::PinFlag;
use super::line::{Line, One};
use crate::context::Context;
use crate::error::Error;
use crate::output::Table;
use nkey_core::nkey::PublicKey;
use nkey_core::policy::{Presence, Signable};
use nkey_core::token::{Answer, Command, RANDOM_LEN};
use serde_json::{Value, json};
use std::time::Instant;

/// Letters of a server's nonce.
const NONCE_LEN: usize = 15;

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

/// Measures round trips, random bytes, and signatures of nonces by a key that wants no button.
/// Without such a key no signature is made: nobody presses twenty times.
///
/// # Errors
/// What the token says.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut line = args.one.open(ctx)?;
    let signer = line.slots()?.into_iter().find_map(|slot| {
        let key = slot.key?;
        let policy = key.policy();
        let fits = policy.claims.has(Signable::Nonce)
            && policy.presence == Presence::Never
            && policy.budget.is_none();
        fits.then_some((slot.number, key.key))
    });
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
    if let Some((slot, key)) = &signer {
        all.push(measure("signature of a nonce", args.count, || {
            sign(&mut line, *slot, key)
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
    if signer.is_none() {
        ctx.out.note(
            "signatures were not measured: no user key of the token signs without the button and without a budget",
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

fn sign(line: &mut Line, slot: u8, key: &PublicKey) -> Result<(), Error> {
    let mut nonce = [0u8; NONCE_LEN];
    getrandom::fill(&mut nonce).map_err(Error::failed)?;
    let message = nonce.map(|byte| b'a' + byte % 26);
    if let Some(agent) = line.agent() {
        // It verifies the signature itself.
        agent.sign(key, &message)?;
        return Ok(());
    }
    let command = Command::Sign {
        slot,
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
