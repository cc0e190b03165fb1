//! pcscd with virtual readers, without root and side by side with others.

use crate::{Scratch, program, tool, wait_for};
use std::path::{Path, PathBuf};

/// Where an agent finds virtual readers: a script that makes a place of its own, starts pcscd
/// and the cards there, and then becomes the program that it is given.
pub struct Readers {
    scratch: Scratch,
    lines: String,
    count: u16,
}

impl Drop for Readers {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.scratch.path().join("pcscd.log"));
            eprintln!("pcscd's log:\n{}", log.unwrap_or_default());
        }
    }
}

/// The first port; each place has ports of its own.
const PORT: u16 = 35_963;

impl Readers {
    /// No reader yet.
    #[expect(clippy::new_without_default, reason = "it makes a folder")]
    pub fn new() -> Readers {
        Readers {
            scratch: Scratch::new(),
            lines: String::new(),
            count: 0,
        }
    }

    /// The process id of pcscd, which is started anew when it ends.
    pub fn pcscd(&self) -> i32 {
        let mut id = None;
        // The file is empty for a moment, while it is written.
        let read = || {
            let text = std::fs::read_to_string(self.scratch.path().join("pcscd.pid"));
            id = text.ok().and_then(|text| text.trim().parse().ok());
            id.is_some()
        };
        wait_for(read, "pcscd's id");
        id.expect("a number")
    }

    /// The order by which an unplugged card is plugged into the slot with this number.
    pub fn plug_into(slot: u16) -> String {
        format!("at {}", PORT + slot)
    }

    /// Puts a PIV card into one of the two slots; the file that gives it orders.
    pub fn add(&mut self, serial: u32, version: &str, slots: &[(u8, u8)]) -> PathBuf {
        self.add_attesting(serial, version, slots, None)
    }

    /// The same, with what [`crate::attestors`] made.
    pub fn add_attesting(
        &mut self,
        serial: u32,
        version: &str,
        slots: &[(u8, u8)],
        attestors: Option<&Path>,
    ) -> PathBuf {
        let orders = self.scratch.file(&format!("orders-{serial}"), "");
        assert!(self.count < 2, "vpcd has two slots");
        let port = PORT + self.count;
        self.count += 1;
        let slots: Vec<String> = slots
            .iter()
            .map(|(slot, byte)| format!("{slot:02x}={byte}"))
            .collect();
        self.lines += &format!(
            "{} {port} {serial} {version} {} {} {} 2>/dev/null &\n",
            program("nkey-test-card").display(),
            orders.display(),
            attestors.unwrap_or(Path::new("-")).display(),
            slots.join(" ")
        );
        orders
    }

    /// Puts Nitrokey's OpenPGP applet into one of the two slots; the file that gives it orders.
    pub fn add_opcard(&mut self, ident: &str) -> PathBuf {
        self.plug(tool("nkey-test-opcard").display().to_string(), ident)
    }

    /// Puts jcecard's OpenPGP card into one of the two slots; the file that gives it orders.
    pub fn add_jcecard(&mut self) -> PathBuf {
        let program = format!(
            "{} {}",
            tool("python").display(),
            crate::root().join("tests/python/openpgp_card.py").display()
        );
        let folder = self.scratch.path().join(format!("card-{}", self.count));
        self.plug(program, &folder.display().to_string())
    }

    /// `program PORT WHICH ORDERS`.
    fn plug(&mut self, program: String, which: &str) -> PathBuf {
        assert!(self.count < 2, "vpcd has two slots");
        let orders = self
            .scratch
            .file(&format!("card-orders-{}", self.count), "");
        let port = PORT + self.count;
        self.count += 1;
        self.lines += &format!(
            "{program} {port} {which} {} 2>/dev/null &\n",
            orders.display()
        );
        orders
    }

    /// The script, which takes a command as its arguments.
    pub fn script(&self) -> PathBuf {
        // One driver has two slots, at this port and the next.
        let config = format!(
            "FRIENDLYNAME \"Yubico YubiKey CCID\"\nDEVICENAME /dev/null:0x{PORT:X}\nLIBPATH /usr/lib/pcsc/drivers/serial/libifdvpcd.so\nCHANNELID 0x{PORT:X}\n"
        );
        // pcscd reads every file of this folder.
        let _ = std::fs::create_dir(self.scratch.path().join("conf"));
        self.scratch.file("conf/reader.conf", config);
        let folder = self.scratch.path().display();
        // The agent's process id is the script's.
        self.scratch.file(
            "inside",
            format!(
                "set -e\nPATH=$PATH:/usr/sbin:/sbin\nmkdir -p /run/pcscd 2>/dev/null || true\nmount -t tmpfs none /run/pcscd\nip link set lo up\n\
                 agent=$$\n\
                 (while kill -0 $agent 2>/dev/null; do\n\
                 pcscd -f -c {folder}/conf >>{folder}/pcscd.log 2>&1 & pcscd=$!; echo $pcscd >{folder}/pcscd.pid\n\
                 while kill -0 $agent 2>/dev/null && kill -0 $pcscd 2>/dev/null; do sleep 0.1; done\n\
                 kill $pcscd 2>/dev/null || true; wait $pcscd || true\ndone) >/dev/null 2>&1 &\n\
                 {}n=0\nuntil [ -S /run/pcscd/pcscd.comm ]; do n=$((n+1)); [ $n -lt 200 ]; sleep 0.05; done\nsleep 1\nexec \"$@\"\n",
                self.lines
            ),
        )
    }
}
