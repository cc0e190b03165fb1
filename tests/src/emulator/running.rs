//! The program tests/emulator/emulator.mjs, for one test.

use super::told::Told;
use super::{bridge, firmware};
use crate::{Scratch, root};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// An emulated Pico. Its flash is the file `flash.bin` of its folder.
pub struct Emulator {
    child: Child,
    orders: Mutex<std::process::ChildStdin>,
    told: Arc<Told>,
    threads: Vec<JoinHandle<()>>,
    next: AtomicU64,
    /// Its terminal, while it is plugged in.
    pub path: PathBuf,
}

/// What the host read from its descriptors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Vendor and product, hexadecimal.
    pub ids: (String, String),
    /// The product string.
    pub product: String,
    /// The serial number.
    pub serial: String,
}

/// A call of the boot ROM that changes flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Erases, otherwise programs.
    pub erases: bool,
    /// Where in flash.
    pub offset: u64,
    /// How many bytes.
    pub length: u64,
}

/// Where in a call the power fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing of it happened.
    Before,
    /// Half of it.
    Half,
    /// All of it.
    After,
}

impl Phase {
    /// All of them.
    pub const ALL: [Phase; 3] = [Phase::Before, Phase::Half, Phase::After];

    fn name(self) -> &'static str {
        match self {
            Phase::Before => "before",
            Phase::Half => "half",
            Phase::After => "after",
        }
    }
}

impl Emulator {
    /// Flashes the firmware onto a new Pico in this folder and plugs it in; it is there when this returns.
    #[track_caller]
    pub fn start(scratch: &Scratch) -> Emulator {
        Emulator::in_folder(scratch.path(), &firmware(), &[])
    }

    /// The same with this image and further arguments.
    #[track_caller]
    pub fn in_folder(folder: &Path, image: &Path, more: &[&str]) -> Emulator {
        let program = root().join("tests/emulator");
        assert!(
            program.join("node_modules/rp2040js").is_dir(),
            "rp2040js is not installed: install it with `make tools`"
        );
        let (socket, path) = (folder.join("usb"), folder.join("ttyACM0"));
        let _ = std::fs::remove_file(&socket);
        let mut child = Command::new("node")
            .arg(program.join("emulator.mjs"))
            .arg("--flash")
            .arg(folder.join("flash.bin"))
            .arg("--line")
            .arg(&socket)
            .arg("--image")
            .arg(image)
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node, which `scripts/prerequisites` asks for");
        let orders = child.stdin.take().expect("its standard input");
        let output = child.stdout.take().expect("its standard output");
        let told = Arc::new(Told::default());
        let hears = Arc::clone(&told);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                let Ok(line) = line else { break };
                hears.hear(&line);
            }
            hears.change(|state| {
                state
                    .ended
                    .get_or_insert_with(|| "it closed its output".to_owned());
            });
        });
        let (bridged, link) = (Arc::clone(&told), path.clone());
        let bridge = std::thread::spawn(move || bridge::run(&bridged, &socket, &link));
        let emulator = Emulator {
            child,
            orders: Mutex::new(orders),
            told,
            threads: vec![reader, bridge],
            next: AtomicU64::new(1),
            path,
        };
        emulator.attached();
        emulator
    }

    /// Waits until it is plugged in and its terminal is there.
    #[track_caller]
    pub fn attached(&self) -> Device {
        let device = self.told.wait("the device", |state| {
            state.device.clone().filter(|_| state.linked)
        });
        let text = |name: &str| device[name].as_str().unwrap_or_default().to_owned();
        Device {
            ids: (text("vendor"), text("id")),
            product: text("product"),
            serial: text("serial"),
        }
    }

    #[track_caller]
    fn detached(&self) {
        self.told
            .wait("the terminal's end", |state| (!state.linked).then_some(()));
    }

    /// Gives an order; what it answers.
    #[track_caller]
    fn order(&self, order: &str, mut more: Value) -> Value {
        let id = self.next.fetch_add(1, Ordering::SeqCst);
        more["id"] = json!(id);
        more["order"] = json!(order);
        let line = format!("{more}\n");
        let sent = self
            .orders
            .lock()
            .expect("no panic elsewhere")
            .write_all(line.as_bytes());
        sent.expect("an emulator that runs");
        let answer = self.told.wait(&line, |state| state.answers.remove(&id));
        assert!(answer["error"].is_null(), "{line}{answer}");
        answer
    }

    /// Presses the button for so many milliseconds of the chip's time, which passes as fast as it can.
    #[track_caller]
    pub fn press(&self, millis: u64) {
        self.order("press", json!({ "ms": millis }));
    }

    /// Presses it and stays on it, or lets it go.
    #[track_caller]
    pub fn button(&self, down: bool) {
        self.order(if down { "down" } else { "up" }, json!({}));
    }

    /// Whether somebody presses the button whenever the light blinks.
    #[track_caller]
    pub fn presence(&self, always: bool) {
        self.order("presence", json!({ "always": always }));
    }

    /// Somebody presses it now, for as long as the light blinks.
    #[track_caller]
    pub fn hand(&self) {
        self.order("hand", json!({}));
    }

    /// Whether its ring oscillator is stuck.
    #[track_caller]
    pub fn stuck(&self, stuck: bool) {
        self.order("noise", json!({ "stuck": stuck }));
    }

    /// Lets so much of the chip's time pass, as fast as it can.
    #[track_caller]
    pub fn pass(&self, millis: u64) {
        self.order("wait", json!({ "ms": millis }));
    }

    /// Pulls it out.
    #[track_caller]
    pub fn unplug(&self) {
        self.order("unplug", json!({}));
        self.detached();
    }

    /// Plugs it in again.
    #[track_caller]
    pub fn plug(&self) {
        self.order("plug", json!({}));
        self.attached();
    }

    /// The host suspends the bus.
    #[track_caller]
    pub fn suspend(&self) {
        self.order("suspend", json!({}));
    }

    /// The host resumes the bus.
    #[track_caller]
    pub fn resume(&self) {
        self.order("resume", json!({}));
    }

    /// Writes an image, as its bootloader would, and powers it up.
    #[track_caller]
    pub fn flash(&self, image: &Path) {
        self.unplug();
        self.order("image", json!({ "path": image }));
        self.attached();
    }

    /// All of its memory: RAM from 0x20000000 on, then that of the USB controller.
    #[track_caller]
    pub fn memory(&self) -> Vec<u8> {
        let file = self.path.with_file_name("memory.bin");
        self.order("memory", json!({ "path": file }));
        std::fs::read(file).expect("its memory")
    }

    /// Counts calls from now on.
    #[track_caller]
    pub fn record(&self) {
        self.order("record", json!({}));
    }

    /// The calls since then.
    #[track_caller]
    pub fn calls(&self) -> Vec<Call> {
        let answer = self.order("calls", json!({}));
        let calls = answer["calls"].as_array().expect("a list").iter();
        calls
            .map(|call| Call {
                erases: call["erases"] == true,
                offset: call["offset"].as_u64().expect("an offset"),
                length: call["length"].as_u64().expect("a length"),
            })
            .collect()
    }

    /// Powers it up as if the power had failed in this one of the calls; whether that was torn, neither not done nor done.
    #[track_caller]
    pub fn replay(&self, call: usize, phase: Phase) -> bool {
        self.unplug();
        let answer = self.order("replay", json!({ "call": call, "phase": phase.name() }));
        self.attached();
        answer["torn"] == true
    }

    /// The power will fail in this one of the calls from now on.
    #[track_caller]
    pub fn cut(&self, call: usize, phase: Phase) {
        self.record();
        self.order("cut", json!({ "call": call, "phase": phase.name() }));
    }

    /// Waits until the power has failed so often, and the terminal is gone.
    #[track_caller]
    pub fn was_cut(&self, times: u32) {
        self.told
            .wait("the cut", |state| (state.cuts >= times).then_some(()));
        self.detached();
    }

    /// Waits until the boot ROM waits for an image.
    #[track_caller]
    pub fn in_bootsel(&self) {
        self.told
            .wait("the bootloader", |state| state.bootsel.then_some(()));
        self.detached();
    }

    /// What it says of itself: `cycles`, `resets`, `warnings` and more.
    #[track_caller]
    pub fn state(&self) -> Value {
        self.order("state", json!({}))
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.told.change(|state| {
            state.ended.get_or_insert_with(|| "it was ended".to_owned());
        });
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
