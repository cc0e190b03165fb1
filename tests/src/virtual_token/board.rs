//! A board made of a file, a clock, and somebody at the terminal.

use super::flash::FileFlash;
use super::serve::Options;
use nkey_core::token::{Board, Info, Light, RandomFailed};
use std::io::BufRead;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Who presses the button.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Presence {
    /// The button is pressed whenever it is wanted.
    Always,
    /// It is never pressed.
    Never,
    /// Return on the terminal presses it.
    Ask,
}

/// The board.
pub struct VirtualBoard {
    pub flash: FileFlash,
    presence: Presence,
    answer: Arc<AtomicBool>,
    light: Light,
    since: Instant,
    start: Instant,
    speed: u64,
    serial: String,
    chip: String,
    hash: [u8; 32],
}

impl VirtualBoard {
    pub fn new(flash: FileFlash, options: &Options) -> VirtualBoard {
        let presence = options.presence;
        let answer = Arc::new(AtomicBool::new(false));
        if presence == Presence::Ask {
            let answer = answer.clone();
            std::thread::spawn(move || {
                for line in std::io::stdin().lock().lines() {
                    if line.is_err() {
                        return;
                    }
                    answer.store(true, Ordering::SeqCst);
                }
            });
        }
        VirtualBoard {
            flash,
            presence,
            answer,
            light: Light::Off,
            since: Instant::now(),
            start: Instant::now(),
            speed: options.speed,
            serial: match options.serial.contains("VIRTUAL") {
                true => options.serial.clone(),
                false => format!("VIRTUAL-{}", options.serial),
            },
            chip: options.chip.clone(),
            hash: options.hash,
        }
    }

    pub fn serial(&self) -> &str {
        &self.serial
    }
}

impl Board for VirtualBoard {
    type Flash = FileFlash;

    fn flash(&mut self) -> &mut FileFlash {
        &mut self.flash
    }

    fn random(&mut self, bytes: &mut [u8]) -> Result<(), RandomFailed> {
        getrandom::fill(bytes).map_err(|_| RandomFailed)
    }

    fn pressed(&mut self) -> bool {
        // Released for a moment first, as a finger would.
        self.light != Light::Off
            && self.since.elapsed().as_millis() > 60
            && match self.presence {
                Presence::Always => true,
                Presence::Never => false,
                Presence::Ask => self.answer.load(Ordering::SeqCst),
            }
    }

    fn light(&mut self, light: Light) {
        if light != self.light {
            self.light = light;
            self.since = Instant::now();
            self.answer.store(false, Ordering::SeqCst);
            let wanted = match light {
                Light::Off => return,
                Light::Slow => "press",
                Light::Fast => "hold",
            };
            if self.presence == Presence::Ask {
                eprintln!("{}: Return to {wanted} the button", self.serial);
            }
        }
    }

    fn ticks(&mut self) -> u64 {
        self.start.elapsed().as_millis() as u64 * self.speed
    }

    fn info(&self) -> Info<'_> {
        Info {
            firmware: env!("CARGO_PKG_VERSION"),
            hash: self.hash,
            serial: &self.serial,
            chip: &self.chip,
            is_virtual: true,
            panicked: false,
        }
    }
}
