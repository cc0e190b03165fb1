//! `nkey token attest`.

use super::ask::PinFlag;
use super::line::Line;
use super::reach::Of;
use super::statement::Statement;
use super::{device, verify_attestation};
use crate::context::Context;
use crate::error::Error;
use crate::output::json_text;
use crate::store::file;
use nkey_core::token::{Answer, Attested, Command};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    /// The key: its slot, public key or name; not needed if the token has one key only
    #[arg(value_name = "KEY")]
    key: Option<String>,
    /// What whoever wants to know has chosen, 64 hexadecimal digits [default: random]
    #[arg(long, value_name = "HEX")]
    challenge: Option<String>,
    /// Write to FILE instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output_file: Option<PathBuf>,
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    pin: PinFlag,
}

/// Has a token state what it holds, signed by its device key.
///
/// # Errors
/// If there is no such key; what the token says.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let challenge = match verify_attestation::digits("--challenge", args.challenge.as_deref())? {
        Some(challenge) => challenge,
        None => random()?,
    };
    let mut line = args.of.open(ctx)?;
    let (slot, _) = line.find_key(args.key.as_deref())?;
    line.unlock(ctx, &args.pin)?;
    let (statement, said) = attested(&mut line, slot, &challenge)?;
    line.lock()?;
    let device = said.device;
    let text = json_text(&statement.json())? + "\n";
    match &args.output_file {
        Some(path) => {
            file::write_output(path, text.as_bytes(), true)?;
            ctx.out.note(format!(
                "wrote {}\ntype: nkey token verify-attestation {} --device-key {}",
                path.display(),
                path.display(),
                device::fingerprint(&device)
            ));
            Ok(())
        }
        None => ctx.out.bytes(text.as_bytes()),
    }
}

/// A challenge that nobody can know before.
///
/// # Errors
/// If the system gives no random numbers.
pub fn random() -> Result<[u8; 32], Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::failed(format!("the system gives no random numbers: {error}")))?;
    Ok(bytes)
}

/// What a token states about a slot, signed by the device key that it says it has.
///
/// # Errors
/// What the token says; if its device key did not sign this.
pub fn attested(
    line: &mut Line,
    slot: u8,
    challenge: &[u8; 32],
) -> Result<(Statement, Attested), Error> {
    let command = Command::Attest {
        slot,
        challenge: *challenge,
    };
    let statement = line.ask(command, |answer| match answer {
        Answer::Attestation {
            statement,
            signature,
        } => Some(Statement {
            bytes: statement.to_vec(),
            signature: signature.into(),
        }),
        _ => None,
    })?;
    let device = line.about().device;
    // One that its own key did not sign would be found out later, by somebody else.
    let said = verify_attestation::checked(&statement, &device, Some(challenge))?;
    Ok((statement, said))
}
