//! `nkey token verify-attestation`.

use super::device;
use super::statement::Statement;
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::source;
use crate::text::yes;
use data_encoding::HEXLOWER;
use nkey_core::token::{Attested, read_attestation};
use serde_json::json;

/// The longest statement, as text.
const MAX_FILE: usize = 16 * 1024;

#[derive(clap::Args)]
pub struct Args {
    /// What `nkey token attest` wrote, or - for standard input
    #[arg(value_name = "FILE")]
    file: String,
    /// The device key that somebody pinned when the board was initialised: a fingerprint, or 64 hexadecimal digits
    #[arg(long, value_name = "FINGERPRINT|HEX")]
    device_key: Option<String>,
    /// The challenge that it must answer, 64 hexadecimal digits
    #[arg(long, value_name = "HEX")]
    challenge: Option<String>,
    /// The hash that the policy must have, as `nkey token policy` shows it, 64 hexadecimal digits
    #[arg(long, value_name = "HEX")]
    policy_hash: Option<String>,
    /// Print JSON
    #[arg(long, short = 'J')]
    json: bool,
}

/// Checks a statement against the device key that was pinned. Without one nothing is proved.
///
/// # Errors
/// If it is another device's, was changed, or no device key is given.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let pinned = args
        .device_key
        .as_deref()
        .map(|text| device::parse("--device-key", text))
        .transpose()?;
    let challenge = digits("--challenge", args.challenge.as_deref())?;
    let policy = digits("--policy-hash", args.policy_hash.as_deref())?;
    let text = source::read(&args.file, MAX_FILE)?;
    let named = |error: Error| Error::failed(format!("{}: {error}", clean_inline(&args.file)));
    let statement = Statement::read(&text).map_err(named)?;
    let device = match pinned {
        Some(pinned) => pinned,
        None => statement
            .device()
            .ok_or_else(|| named(Error::failed("this is no statement of a token")))?,
    };
    let attested = checked(&statement, &device, challenge.as_ref()).map_err(named)?;
    if policy.is_some_and(|policy| attested.policy != policy) {
        return Err(named(Error::failed(format!(
            "the policy of {} has the hash {}",
            attested.key,
            HEXLOWER.encode(&attested.policy)
        ))));
    }
    show(args, ctx, &attested, pinned.is_some())?;
    if pinned.is_none() {
        ctx.out.flush()?;
        return Err(Error::failed(
            "UNPROVEN: whoever made this statement may have made the device key with it. \
             Only a device key that somebody pinned while initialising the board shows that it is that board",
        )
        .next(format!(
            "nkey token verify-attestation {} --device-key FINGERPRINT",
            clean_inline(&args.file)
        )));
    }
    Ok(())
}

/// 32 bytes of a flag.
///
/// # Errors
/// Exit 2 if they are not.
pub fn digits(flag: &str, text: Option<&str>) -> Result<Option<[u8; 32]>, Error> {
    let read = |text| {
        device::bytes32(text)
            .ok_or_else(|| Error::usage(format!("{flag} takes 64 hexadecimal digits")))
    };
    text.map(read).transpose()
}

/// What a statement says, if the device key signed it and it answers the challenge.
///
/// # Errors
/// Says which of these is not so.
pub fn checked(
    statement: &Statement,
    device: &[u8; 32],
    challenge: Option<&[u8; 32]>,
) -> Result<Attested, Error> {
    let read = read_attestation(device, &statement.bytes, &statement.signature);
    let attested = read.ok_or_else(|| {
        Error::failed(match statement.device() {
            Some(named) if named != *device => format!(
                "this is a statement of the device {}, not of {}",
                device::fingerprint(&named),
                device::fingerprint(device)
            ),
            _ => "the device key did not sign this".to_owned(),
        })
    })?;
    match challenge {
        Some(challenge) if attested.challenge != *challenge => Err(Error::failed(format!(
            "it answers the challenge {}",
            HEXLOWER.encode(&attested.challenge)
        ))),
        _ => Ok(attested),
    }
}

fn show(args: &Args, ctx: &mut Context, said: &Attested, proven: bool) -> Result<(), Error> {
    let hex = |bytes: &[u8; 32]| HEXLOWER.encode(bytes);
    if args.json {
        return ctx.out.json(&json!({
            "proven": proven,
            "device_key": device::fingerprint(&said.device),
            "slot": said.slot,
            "public_key": said.key.to_string(),
            "kind": said.key.kind().name(),
            "imported": said.imported,
            "exportable": said.exportable,
            "loosened": said.loosened,
            "generation": said.generation,
            "policy_hash": hex(&said.policy),
            "firmware_hash": hex(&said.firmware),
            "counter": said.counter,
            "challenge": hex(&said.challenge),
        }));
    }
    let lines = [
        ("device key", device::fingerprint(&said.device)),
        ("slot", said.slot.to_string()),
        ("public key", said.key.to_string()),
        ("imported", yes(said.imported).to_owned()),
        ("exportable", yes(said.exportable).to_owned()),
        ("loosened", yes(said.loosened).to_owned()),
        ("changes", said.generation.to_string()),
        ("policy hash", hex(&said.policy)),
        (
            "firmware hash",
            format!("{} (its own word)", hex(&said.firmware)),
        ),
        ("counter", said.counter.to_string()),
        ("challenge", hex(&said.challenge)),
    ];
    for (what, value) in lines {
        ctx.out.line(format!("{what:13}  {value}"))?;
    }
    if proven {
        ctx.out
            .line("the pinned device key signed this: it is the word of that board")?;
    }
    Ok(())
}
