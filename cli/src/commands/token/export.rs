//! `nkey token export`.

use super::ask::PinFlag;
use super::reach::Of;
use super::{device, sealed};
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::store::file;
use nkey_core::token::{Answer, Command};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    /// The key: its slot, public key or name
    #[arg(value_name = "KEY")]
    key: String,
    /// The device key of the backup peer, as `nkey token info` shows it there
    #[arg(long, value_name = "FINGERPRINT")]
    to: String,
    /// Write to FILE instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output_file: Option<PathBuf>,
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    pin: PinFlag,
}

/// Seals a key that was made exportable to the backup peer, which alone can open it.
///
/// # Errors
/// If it was not made exportable, or the peer is another one; what the token says.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let to = device::parse("--to", &args.to)?;
    let mut line = args.of.open(ctx)?;
    line.require_usable()?;
    let serial = clean_inline(line.serial());
    let (slot, key) = line.find_key(Some(&args.key))?;
    if !key.exportable {
        return Err(Error::refused(format!(
            "{} was not made exportable, which cannot be changed",
            key.key
        )));
    }
    let pin = line.pin(ctx, &args.pin)?;
    line.unlock_with(ctx, pin.as_bytes())?;
    let command = Command::Export {
        slot,
        pin: pin.as_bytes(),
    };
    let bytes = line.ask(command, |answer| match answer {
        Answer::Bytes(bytes) => Some(bytes.to_vec()),
        _ => None,
    })?;
    line.lock()?;
    let peer = sealed::receiver(&bytes)?;
    if peer != to {
        return Err(Error::refused(format!(
            "the backup peer of {serial} is {}, not {}: nothing was written",
            device::fingerprint(&peer),
            device::fingerprint(&to)
        )));
    }
    let text = sealed::write(&bytes);
    match &args.output_file {
        Some(path) => {
            file::write_output(path, text.as_bytes(), true)?;
            ctx.out.note(format!(
                "{} is sealed in {}\ntype: nkey token receive {}",
                key.key,
                path.display(),
                path.display()
            ));
            Ok(())
        }
        None => ctx.out.bytes(text.as_bytes()),
    }
}
