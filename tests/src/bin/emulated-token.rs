//! The firmware's real image in an emulated Pico, for the demo and for trying out: `emulated-token --help`.

use clap::{Parser, ValueEnum};
use nkey_tests::emulator::Emulator;
use std::io::BufRead;
use std::path::PathBuf;
use std::process::ExitCode;

/// An emulated Pico that runs the token's firmware, its serial line at a terminal. It ends when standard input does.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The folder of its flash and of its terminal, ttyACM0
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,
    /// The image, a UF2 or flash from its start; target/firmware/pico.uf2 if it is not given
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// The id of its flash chip, of which its serial number is made
    #[arg(long, value_name = "HEX", default_value = "e6613852831f0ab0")]
    id: String,
    /// Who presses its button
    #[arg(long, value_enum, default_value = "ask")]
    presence: Presence,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Presence {
    /// The button is pressed whenever its light blinks
    Always,
    /// It is never pressed
    Never,
    /// Return presses it for as long as its light blinks
    Ask,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let image = args.image.unwrap_or_else(nkey_tests::emulator::firmware);
    let emulator = Emulator::in_folder(&args.folder, &image, &["--id", &args.id]);
    emulator.presence(args.presence == Presence::Always);
    println!("{}", emulator.attached().serial);
    for line in std::io::stdin().lock().lines() {
        if line.is_err() {
            break;
        }
        if args.presence == Presence::Ask {
            emulator.hand();
        }
    }
    ExitCode::SUCCESS
}
