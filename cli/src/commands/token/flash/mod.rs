//! `nkey token flash`.

mod back;
mod image;
mod volume;
mod write;

use super::ask::{PinFlag, YesFlag, confirm};
use super::line::Line;
use super::reach::One;
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use image::Firmware;
use std::path::PathBuf;
use std::time::Duration;
use volume::Volume;

#[derive(clap::Args)]
pub struct Args {
    /// The firmware, such as pico.uf2 [default: what `make firmware` built for the chip]
    #[arg(value_name = "UF2")]
    file: Option<PathBuf>,
    #[command(flatten)]
    one: One,
    #[command(flatten)]
    pin: PinFlag,
    /// The folder where the drive of the bootloader is mounted
    #[arg(long, value_name = "DIR")]
    volume: Option<PathBuf>,
    /// SHA-256 that the image must have, as its build record or a release says
    #[arg(long, value_name = "HEX")]
    hash: Option<String>,
    /// How many seconds to wait for the board to come back; 0 does not compare its hash
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    wait: u16,
    /// Another table of mounts, for tests
    #[arg(long, value_name = "FILE", hide = true, default_value = "/proc/mounts")]
    mounts: PathBuf,
    #[command(flatten)]
    yes: YesFlag,
}

/// Puts firmware on a board in its bootloader, or on a token, which is sent there first. The
/// keys of a token stay.
///
/// # Errors
/// If the file is not for this board, no board is in its bootloader or several are, or the board
/// does not come back with this firmware.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    // Before a board is looked for.
    let given = match &args.file {
        Some(file) => Some(Firmware::read(file, args.hash.as_deref())?),
        None => None,
    };
    let named = args.one.serial.is_some() || args.one.flags.port.is_some();
    let volumes = volume::find(args.volume.as_deref(), &args.mounts)?;
    let before = args.one.flags.serials();
    let (volume, firmware, serial) = match volume::only(&volumes)? {
        Some(there) if named && args.volume.is_none() => {
            return Err(Error::usage(format!(
                "a board is in its bootloader already, at {}: unplug it, or name its drive by --volume instead of a token",
                there.shown()
            )));
        }
        Some(there) => {
            let firmware = args.firmware(given, there.chip()?)?;
            there.require(&firmware)?;
            let what = format!(
                "the board at {} gets {}; its program is replaced, the keys of a token stay",
                there.shown(),
                firmware.shown()
            );
            confirm(firmware.chip(), &what, args.yes)?;
            (there.clone(), firmware, None)
        }
        None if named || !before.is_empty() => {
            let (firmware, serial) = send(args, ctx, given)?;
            (arrival(args)?, firmware, Some(serial))
        }
        None => return Err(volume::none(&args.one.flags.dev)),
    };
    volume.require(&firmware)?;
    if let Some(remark) = firmware.remark() {
        ctx.out.note(remark);
    }
    let whole = write::image(&volume, firmware.bytes())?;
    if args.wait == 0 {
        if !whole {
            return Err(write::gone(&volume));
        }
        ctx.out.note(format!(
            "wrote {} to {}; what runs there was not asked",
            firmware.shown(),
            volume.shown()
        ));
        return Ok(());
    }
    let patience = Duration::from_secs(args.wait.into());
    let about = match back::wait(&args.one.flags, serial.as_deref(), &before, patience) {
        Some(about) => about,
        None if !whole => return Err(write::gone(&volume)),
        None => {
            return Err(Error::failed(format!(
                "all of {} was written, and no token came within {} s: unplug the board and plug it in again",
                firmware.shown(),
                args.wait
            ))
            .next("nkey token list"));
        }
    };
    back::compare(&about, &firmware)?;
    ctx.out.line(format!(
        "{} runs {}",
        clean_inline(&about.serial),
        firmware.shown()
    ))
}

impl Args {
    /// The firmware that is given, else the only one that was built for the chip.
    fn firmware(&self, given: Option<Firmware>, chip: &str) -> Result<Firmware, Error> {
        match given {
            Some(firmware) => Ok(firmware),
            None => Firmware::read(&image::built(chip)?, self.hash.as_deref()),
        }
    }
}

/// Sends a running token to its bootloader; the firmware for it and its serial number.
fn send(
    args: &Args,
    ctx: &mut Context,
    given: Option<Firmware>,
) -> Result<(Firmware, String), Error> {
    let mut line: Line = args.one.open(ctx)?;
    let serial = line.serial().to_owned();
    let chip = line.about().chip.clone();
    let firmware = args.firmware(given, &chip)?;
    if chip != firmware.chip() {
        return Err(Error::failed(format!(
            "the token {} has a chip {}, and {} is for {}: nothing was changed",
            clean_inline(&serial),
            clean_inline(&chip),
            firmware.shown(),
            firmware.chip()
        )));
    }
    line.require_usable()?;
    let what = format!(
        "it runs {}, gets {} and keeps its keys",
        clean_inline(&line.about().firmware),
        firmware.shown()
    );
    confirm(&serial, &what, args.yes)?;
    line.unlock(ctx, &args.pin)?;
    line.leave()?;
    Ok((firmware, serial))
}

/// The drive of a board that was sent to its bootloader.
fn arrival(args: &Args) -> Result<Volume, Error> {
    eprintln!("waiting for its drive; if nothing mounts it, mount it yourself");
    let patience = Duration::from_secs(args.wait.max(1).into());
    let volumes = back::until(patience, || {
        let volumes = volume::find(args.volume.as_deref(), &args.mounts).ok()?;
        (!volumes.is_empty()).then_some(volumes)
    });
    match volume::only(&volumes.unwrap_or_default())? {
        Some(volume) => Ok(volume.clone()),
        None => Err(volume::none(&args.one.flags.dev)),
    }
}
