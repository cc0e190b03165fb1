//! The block of docs/token.md from a bare board to the first signed account, line by line, with
//! a folder for the drive and a virtual token for the board.

use nkey_agent::token::uf2::{FLASH, Family, Image, PAYLOAD};
use nkey_tests::virtual_token::Running;
use nkey_tests::virtual_token::ports::Ports;
use nkey_tests::{Scratch, command, contains, program, root, run, wait_for};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const TITLE: &str = "## From a bare board to the first signed account";
const SHOWN: &str = "NKEY-E6613852831F0AB0";
const SERIAL: &str = "NKEY-VIRTUAL-831F0AB0";

/// The lines that a person types.
fn lines() -> Vec<String> {
    let page = fs::read_to_string(root().join("docs/token.md")).expect("the page");
    let section = page.split_once(TITLE).expect("the section").1;
    let block = section.split("```").nth(1).expect("its block");
    let typed = block.lines().filter_map(|line| line.strip_prefix("$ "));
    typed.map(|line| line.replace(SHOWN, SERIAL)).collect()
}

fn image() -> Image {
    Image {
        family: Family::Rp2040,
        start: FLASH,
        payload: (0..100 * PAYLOAD).map(|at| (at / 5) as u8).collect(),
    }
}

fn script(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("a program");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode");
}

/// A desk with programs that stand for what a test cannot do: build firmware, become root, hold
/// a button; and files for what is typed.
struct Desk {
    scratch: Scratch,
    ports: Ports,
    drive: PathBuf,
}

impl Desk {
    fn new() -> Desk {
        let scratch = Scratch::new();
        let ports = Ports::new();
        let home = scratch.path();
        let folder = home.join("programs");
        fs::create_dir(&folder).expect("a folder");
        let drive = home.join("RPI-RP2");
        scratch.file(
            "mounts",
            format!("/dev/sdx1 {} vfat rw 0 0\n", drive.display()),
        );
        scratch.file("built.uf2", image().write().expect("a file"));
        scratch.file("pin", "six random words are a passphrase\n");
        scratch.file("passphrase", "correct horse battery staple\n");
        scratch.file("holders.toml", ports.config(&[SERIAL]));
        script(
            &folder,
            "make",
            "test \"$1\" = firmware && mkdir -p target/firmware && cp built.uf2 target/firmware/pico.uf2",
        );
        script(
            &folder,
            "sudo",
            "case $1 in tee) cat > rules;; udevadm) echo reloaded >> rules;; *) exit 1;; esac",
        );
        let (sysfs, dev) = ports.folders();
        let (nkey, usb) = (
            program("nkey"),
            format!(
                "--sysfs {} --dev {} --allow-virtual {SERIAL}",
                sysfs.display(),
                dev.display()
            ),
        );
        script(
            &folder,
            "nkey",
            &format!(
                "nkey={}\ncase \"$1 $2\" in\n\
                 'token flash') exec $nkey \"$@\" {usb} --mounts mounts --yes;;\n\
                 'token init') exec $nkey \"$@\" {usb} --yes --pin-file pin --iterations 1000;;\n\
                 'token list') exec $nkey \"$@\" {usb};;\n\
                 'token unlock') exec $nkey \"$@\" --pin-file pin;;\n\
                 'agent start') exec $nkey \"$@\" --passphrase-file passphrase --holders holders.toml;;\n\
                 *) exec $nkey \"$@\";;\nesac",
                nkey.display()
            ),
        );
        Desk {
            scratch,
            ports,
            drive,
        }
    }

    fn types(&self, line: &str) -> nkey_tests::Output {
        let home = self.scratch.path();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut shell = command("/bin/sh");
        shell
            .args(["-c", line])
            .env("PATH", format!("{}/programs:{path}", home.display()))
            .env("HOME", home)
            .env("XDG_RUNTIME_DIR", home)
            .current_dir(home);
        run(&mut shell, "")
    }

    /// The board takes the file, leaves its bootloader, and comes back as a token.
    fn restarts(&self) -> Running {
        let file = self.drive.join("NKEY.UF2");
        let size = image().write().expect("a file").len();
        wait_for(
            || fs::read(&file).is_ok_and(|bytes| bytes.len() == size),
            "the file",
        );
        fs::remove_dir_all(&self.drive).expect("no drive");
        let hash: String = image()
            .hash()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let more = ["--serial", SERIAL, "--chip", "RP2040", "--hash", &hash];
        let running = Running::start(&self.scratch, true, "always", &more);
        self.ports.plug("ttyACM0", SERIAL, &running.path);
        running
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.types("nkey agent stop");
    }
}

#[test]
fn the_ten_lines_of_the_page_lead_to_a_signed_account() {
    let lines = lines();
    assert_eq!(lines.len(), 10, "{lines:?}");
    let desk = Desk::new();
    let mut board = None;
    let mut said = Vec::new();
    for line in &lines {
        let output = if line.contains("token flash") {
            // BOOTSEL is held while it is plugged in.
            fs::create_dir(&desk.drive).expect("a drive");
            fs::write(desk.drive.join("INFO_UF2.TXT"), "Board-ID: RPI-RP2\r\n").expect("a file");
            std::thread::scope(|scope| {
                let typed = scope.spawn(|| desk.types(line));
                board = Some(desk.restarts());
                typed.join().expect("a shell")
            })
        } else {
            desk.types(line)
        };
        assert_eq!(output.status, 0, "{line}: {output:?}");
        said.push(output);
    }
    let rules = fs::read_to_string(desk.scratch.path().join("rules")).expect("the rule");
    contains(&rules, &["idVendor", "1209", "reloaded"]);
    contains(&said[2].stdout, &[SERIAL, "runs target/firmware/pico.uf2"]);
    contains(&said[3].stdout, &[SERIAL, "empty"]);
    contains(&said[4].stderr, &["hold the button"]);
    contains(
        &said[7].stderr,
        &["hold the button on", "press the button on"],
    );
    contains(&said[8].stderr, &["press the button on"]);
    contains(&said[9].stdout, &["ORDERS"]);
    drop(board);
}
