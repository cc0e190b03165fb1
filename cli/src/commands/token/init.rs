//! `nkey token init`.

use super::ask::{PinFlag, YesFlag, confirm};
use super::device;
use super::line::now;
use super::reach::One;
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use nkey_core::token::{Command, ITERATIONS, Init, LEAP, State};
use serde_json::json;
use std::ops::RangeInclusive;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    pin: PinFlag,
    /// Let seeds be imported; without it every key is born on the token
    #[arg(long)]
    importable: bool,
    /// The device key of the token to which keys made exportable can be sealed
    #[arg(long, value_name = "FINGERPRINT")]
    backup_peer: Option<String>,
    /// Rounds of PBKDF2 over the PIN: more make each guess and each unlocking slower
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(i64::from(*ITERATIONS.start())..=i64::from(*ITERATIONS.end())))]
    iterations: u32,
    /// How many days after the last press a host may state the time without one
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(0..=MAX_DRIFT))]
    drift_days: u16,
    /// After how many seconds without a request a session ends
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(60..=86_400))]
    idle: u32,
    #[command(flatten)]
    yes: YesFlag,
    /// Print JSON
    #[arg(long, short = 'J')]
    json: bool,
}

const MAX_DRIFT: i64 = (LEAP / 86_400).cast_signed();

/// 2026-01-01 and 50 years later, in Unix seconds: before and after them no clock is right.
const CLOCKS: RangeInclusive<u64> = 1_767_225_600..=3_345_062_400;

/// The time, which the token will hold to.
fn sound(now: u64) -> Result<u64, Error> {
    if CLOCKS.contains(&now) {
        return Ok(now);
    }
    Err(Error::failed(format!(
        "this machine's clock says {now} s since 1970, which cannot be: the token would hold to it, \
         and one press moves its time by 400 days at most. Nothing was changed: set the clock first"
    )))
}

/// Gives a token its PIN, and fixes what only a factory reset can change.
///
/// # Errors
/// If it has one already.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let peer = args
        .backup_peer
        .as_deref()
        .map(|text| device::parse("--backup-peer", text))
        .transpose()?;
    let time = sound(now(ctx))?;
    let mut line = args.one.open(ctx)?;
    let serial = clean_inline(line.serial());
    match line.about().state {
        State::Empty => {}
        State::Locked | State::Unlocked => {
            return Err(
                Error::failed(format!("the token {serial} has a PIN already"))
                    .next(format!("nkey token pin {serial}")),
            );
        }
        State::Blocked | State::Error => line.require_usable()?,
    }
    if peer == Some(line.about().device) {
        return Err(Error::usage(format!(
            "--backup-peer: this is {serial}'s own device key"
        )));
    }
    confirm(
        &serial,
        "there is no PUK: after 8 wrong PINs the token is blocked, and its keys are lost. \
         Only a factory reset changes what is fixed now: whether keys can be imported, and the backup peer",
        args.yes,
    )?;
    let pin = args.pin.read_new(&serial)?;
    line.done(Command::Init(Init {
        pin: pin.as_bytes(),
        time,
        iterations: args.iterations,
        importable: args.importable,
        peer,
        drift_days: args.drift_days,
        idle_seconds: args.idle,
    }))?;
    let device_key = device::fingerprint(&line.about().device);
    if args.json {
        return ctx.out.json(&json!({
            "serial": line.serial(),
            "device_key": device_key,
            "importable": args.importable,
            "backup_peer": peer.map(|peer| device::fingerprint(&peer)),
        }));
    }
    ctx.out.line(format!("initialised {serial}"))?;
    ctx.out.line(format!("  device key  {device_key}"))?;
    ctx.out.note(
        "keep the device key: by it you know this board again (nkey token verify-attestation --device-key)",
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_cannot_be_right_is_not_told() {
        assert_eq!(sound(1_800_000_000).ok(), Some(1_800_000_000));
        for now in [0, 86_400, 1_767_225_599, 3_345_062_401, u64::MAX] {
            let error = sound(now).expect_err("a senseless clock").to_string();
            assert!(error.contains(&now.to_string()), "{error}");
            assert!(error.contains("set the clock first"), "{error}");
        }
    }
}
