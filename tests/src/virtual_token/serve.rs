//! The loop of the virtual token, as that of the firmware.

use super::board::{Presence, VirtualBoard};
use super::flash::{Faults, FileFlash};
use super::lie::{Lie, rewrite};
use super::line::{Came, Line};
use nkey_core::token::{Action, App, Memory};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// How a virtual token behaves.
pub struct Options {
    /// The file that is its flash.
    pub flash: PathBuf,
    /// Its serial number, or the end of one after VIRTUAL.
    pub serial: String,
    /// The chip that it says it has.
    pub chip: String,
    /// The hash that it says its firmware has.
    pub hash: [u8; 32],
    /// Who presses its button.
    pub presence: Presence,
    /// What goes wrong in its flash.
    pub faults: Faults,
    /// How long it thinks before each answer.
    pub slow: Duration,
    /// How many times as fast its clock runs.
    pub speed: u64,
    /// What it lies about.
    pub lie: Option<Lie>,
}

/// Runs a virtual token on a line until it is sent to its bootloader.
pub fn serve(options: &Options, mut line: Line) -> io::Result<Action> {
    let flash = FileFlash::open(&options.flash, options.faults)?;
    let board = VirtualBoard::new(flash, options);
    let mut app = App::new(board, Box::new(Memory::new()));
    eprintln!(
        "{}: a VIRTUAL token, no board: its keys are in {}",
        app.board().serial(),
        options.flash.display()
    );
    let mut bytes = [0; 4096];
    let mut connected = false;
    loop {
        match line.read(&mut bytes)? {
            Came::Bytes(len) => {
                connected = true;
                let mut rest = &bytes[..len];
                while !rest.is_empty() {
                    rest = &rest[app.receive(rest)..];
                    flush(&mut app, &mut line, options);
                }
            }
            Came::Nothing => {}
            Came::Closed => {
                if std::mem::take(&mut connected) {
                    app.disconnect();
                }
            }
        }
        app.poll();
        flush(&mut app, &mut line, options);
        if let Some(action) = app.action() {
            // As on a board, the answer leaves before the line does.
            std::thread::sleep(Duration::from_millis(200));
            return Ok(action);
        }
    }
}

fn flush(app: &mut App<VirtualBoard, Box<Memory>>, line: &mut Line, options: &Options) {
    if app.output().is_empty() {
        return;
    }
    std::thread::sleep(options.slow);
    let frames = app.output().to_vec();
    app.sent(frames.len());
    let frames = match options.lie {
        Some(lie) => rewrite(lie, &frames),
        None => frames,
    };
    let mut rest = &frames[..];
    while !rest.is_empty() {
        rest = &rest[line.write(rest)..];
    }
}
