//! A token without a board, for tests and for trying out: `virtual-token --help`.

use clap::Parser;
use nkey_tests::virtual_token::{Faults, Lie, Line, Options, Presence, serve};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// A VIRTUAL token: the firmware's application with its flash in a file. No secret is safe in it.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The file that is its flash; made if it is not there
    #[arg(long, value_name = "FILE")]
    flash: PathBuf,
    /// Be a terminal, with a link to it at this path
    #[arg(
        long,
        value_name = "LINK",
        required_unless_present = "socket",
        conflicts_with = "socket"
    )]
    pty: Option<PathBuf>,
    /// Be a unix socket at this path
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Its serial number if VIRTUAL stands in it, or the end of one, after VIRTUAL
    #[arg(long, default_value = "1")]
    serial: String,
    /// The chip that it says it has
    #[arg(long, default_value = "VIRTUAL")]
    chip: String,
    /// The hash that it says its firmware has
    #[arg(long, value_name = "HEX", default_value = "", value_parser = hash)]
    hash: Hash,
    /// Who presses the button
    #[arg(long, value_enum, default_value = "ask")]
    presence: Presence,
    /// The power fails in this step, a byte programmed or a sector erased, from 0
    #[arg(long, value_name = "STEP")]
    cut: Option<u64>,
    /// Flip a bit of the flash before power-up, as BYTE:BIT
    #[arg(long, value_name = "BYTE:BIT", value_parser = bit)]
    flip: Option<(usize, u8)>,
    /// Think so many milliseconds before each answer
    #[arg(long, value_name = "MS", default_value = "0")]
    slow: u64,
    /// Its clock runs so many times as fast
    #[arg(long, value_name = "TIMES", default_value = "1")]
    speed: u64,
    /// Lie about this
    #[arg(long, value_enum)]
    lie: Option<Lie>,
}

type Hash = [u8; 32];

fn hash(text: &str) -> Result<Hash, String> {
    let bytes = data_encoding::HEXLOWER
        .decode(text.as_bytes())
        .map_err(|error| error.to_string())?;
    match bytes.len() {
        0 => Ok([0; 32]),
        _ => bytes.try_into().map_err(|_| "wanted 64 digits".to_owned()),
    }
}

fn bit(text: &str) -> Result<(usize, u8), String> {
    let (byte, bit) = text.split_once(':').ok_or("wanted BYTE:BIT")?;
    let byte = byte.parse().map_err(|_| format!("{byte} is no number"))?;
    let bit = bit.parse().ok().filter(|bit| *bit < 8);
    Ok((byte, bit.ok_or("bits go from 0 to 7")?))
}

fn main() -> ExitCode {
    let args = Args::parse();
    let options = Options {
        flash: args.flash,
        serial: args.serial,
        chip: args.chip,
        hash: args.hash,
        presence: args.presence,
        faults: Faults {
            cut: args.cut,
            flip: args.flip,
        },
        slow: Duration::from_millis(args.slow),
        speed: args.speed,
        lie: args.lie,
    };
    let line = match (&args.pty, &args.socket) {
        (Some(path), _) => Line::pty(path),
        (None, Some(path)) => Line::socket(path),
        (None, None) => unreachable!("clap wants one of them"),
    };
    match line.and_then(|line| serve(&options, line)) {
        Ok(action) => {
            eprintln!("sent to the bootloader ({action:?})");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
