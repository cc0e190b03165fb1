//! `nkey token flash`, with folders in place of drives and virtual tokens in place of boards.

use nkey_agent::token::uf2::{BLOCK, FLASH, Family, Image, PAYLOAD};
use nkey_tests::{
    Desk, Output, Scratch, command, contains, plugged_in, program, pty, run, slave, wait_for,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn image(family: Family) -> Image {
    Image {
        family,
        start: FLASH,
        payload: (0..300 * PAYLOAD).map(|at| (at / 3) as u8).collect(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A folder as a bootloader shows itself.
fn drive(dir: &Path, board_id: &str) {
    fs::create_dir_all(dir).expect("a folder");
    let info = format!("UF2 Bootloader v3.0\r\nModel: Raspberry Pi\r\nBoard-ID: {board_id}\r\n");
    fs::write(dir.join("INFO_UF2.TXT"), info).expect("a file");
}

/// A table of mounts with these folders.
fn mounts(scratch: &Scratch, drives: &[&Path]) {
    let mut table = "proc /proc proc rw 0 0\n".to_owned();
    for dir in drives {
        let dir = dir.display().to_string().replace(' ', "\\040");
        table.push_str(&format!("/dev/sdx1 {dir} vfat rw 0 0\n"));
    }
    scratch.file("mounts", table);
}

/// A person with firmware, drives, and no token.
struct Bench {
    scratch: Scratch,
    drive: PathBuf,
}

impl Bench {
    fn new() -> Bench {
        let scratch = Scratch::new();
        scratch.file("pico.uf2", image(Family::Rp2040).write().expect("a file"));
        scratch.file("pico2.uf2", image(Family::Rp2350).write().expect("a file"));
        let drive = scratch.path().join("my drives/RPI-RP2");
        mounts(&scratch, &[&drive]);
        Bench { scratch, drive }
    }

    fn flash(&self, arguments: &str) -> Output {
        run(&mut self.command(arguments), "")
    }

    fn command(&self, arguments: &str) -> Command {
        let mut nkey = command(program("nkey"));
        nkey.args(["token", "flash"])
            .args(arguments.split_whitespace());
        nkey.args(["--mounts", "mounts", "--sysfs", "nowhere", "--dev", "dev"]);
        nkey.env("HOME", self.scratch.path())
            .current_dir(self.scratch.path());
        nkey
    }

    fn written(&self) -> Option<Vec<u8>> {
        fs::read(self.drive.join("NKEY.UF2")).ok()
    }
}

#[test]
fn a_bare_board_is_flashed() {
    let bench = Bench::new();
    drive(&bench.drive, "RPI-RP2");
    contains(
        &bench.flash("pico.uf2").fails(2),
        &["gets pico.uf2", "nobody is there", "--yes"],
    );
    assert_eq!(bench.written(), None);
    let done = bench.flash("pico.uf2 --yes --wait 0");
    contains(
        &done.stderr,
        &[
            "my drives/RPI-RP2 (RPI-RP2)",
            "was not asked",
            "its hash was compared with nothing",
        ],
    );
    done.ok();
    let wanted = image(Family::Rp2040).write().expect("a file");
    assert_eq!(bench.written(), Some(wanted));
    // Nothing comes back from a folder.
    contains(
        &bench.flash("pico.uf2 --yes --wait 1").fails(1),
        &["no token came within 1 s", "plug it in again"],
    );
}

#[test]
fn the_wrong_file_is_never_written() {
    let bench = Bench::new();
    drive(&bench.drive, "RPI-RP2");
    let whole = image(Family::Rp2040).write().expect("a file");
    let file = |name: &str, bytes: &[u8]| drop(bench.scratch.file(name, bytes));
    file("cut.uf2", &whole[..whole.len() - BLOCK]);
    file("torn.uf2", &whole[..whole.len() - 100]);
    file("text.uf2", b"not firmware at all");
    let mut storage = whole.clone();
    storage
        .chunks_exact_mut(BLOCK)
        .for_each(|block| block[15] = 0x11);
    file("storage.uf2", &storage);
    let mut family = whole.clone();
    family
        .chunks_exact_mut(BLOCK)
        .for_each(|block| block[28] = 0);
    file("family.uf2", &family);
    file("damaged.uf2", &whole);
    file("damaged.json", b"{\"image_sha256\":\"00\"}");
    file("text.json.uf2", &whole);
    file("text.json.json", b"{\"image_sha256");
    file("folder.uf2", &whole);
    fs::create_dir(bench.scratch.path().join("folder.json")).expect("a folder");
    for (arguments, status, said) in [
        ("pico2.uf2 --yes", 1, "is for RP2350: nothing was written"),
        ("cut.uf2 --yes", 1, "truncated"),
        ("torn.uf2 --yes", 1, "truncated"),
        ("text.uf2 --yes", 1, "not a UF2 file"),
        ("storage.uf2 --yes", 1, "it would be written to 0x11000000"),
        ("family.uf2 --yes", 1, "neither RP2040 nor RP2350"),
        ("none.uf2 --yes", 1, "cannot read none.uf2"),
        ("damaged.uf2 --yes", 1, "damaged.json is no build record"),
        (
            "text.json.uf2 --yes",
            1,
            "text.json.json is no build record",
        ),
        ("folder.uf2 --yes", 1, "cannot read folder.json"),
        ("pico.uf2 --yes --hash 12", 2, "64 hexadecimal digits"),
    ] {
        contains(&bench.flash(arguments).fails(status), &[said]);
        assert_eq!(bench.written(), None, "{arguments}");
    }
    let zeros = "00".repeat(32);
    contains(
        &bench
            .flash(&format!("pico.uf2 --yes --hash {zeros}"))
            .fails(1),
        &["--hash says 0000", "nothing was written"],
    );
    file(
        "pico.json",
        format!("{{\"image_sha256\":\"{zeros}\"}}").as_bytes(),
    );
    contains(
        &bench.flash("pico.uf2 --yes").fails(1),
        &["its build record says 0000"],
    );
    assert_eq!(bench.written(), None);
    let hash = hex(&image(Family::Rp2040).hash());
    file(
        "pico.json",
        format!("{{\"image_sha256\":\"{hash}\"}}").as_bytes(),
    );
    let done = bench.flash(&format!("pico.uf2 --yes --wait 0 --hash {hash}"));
    assert!(!done.stderr.contains("compared with nothing"), "{done:?}");
    done.ok();
    assert!(bench.written().is_some());
}

#[test]
fn who_watches_sees_how_far_it_is() {
    let bench = Bench::new();
    drive(&bench.drive, "RPI-RP2");
    let (end, path) = pty();
    let terminal = slave(&path);
    let mut nkey = bench.command("pico.uf2 --yes --wait 0");
    let mut child = nkey.stderr(terminal).spawn().expect("nkey");
    drop(nkey);
    assert!(child.wait().expect("its end").success());
    let mut shown = Vec::new();
    let mut bytes = [0; 4096];
    // Nobody has the terminal's other end open, which Linux calls an error.
    while let Ok(len @ 1..) = rustix::io::read(&end, &mut bytes) {
        shown.extend_from_slice(&bytes[..len]);
    }
    let shown = String::from_utf8_lossy(&shown);
    let bars = shown.matches("\rwriting [").count();
    assert!(bars > 3, "{shown}");
    let whole = format!("[{}] 100 %", "#".repeat(32));
    contains(&shown, &["[###", &whole]);
}

#[test]
fn no_drive_two_drives_and_drives_of_others() {
    let bench = Bench::new();
    contains(
        &bench.flash("pico.uf2 --yes").fails(1),
        &["no board is in its bootloader", "hold BOOTSEL"],
    );
    let label = bench.scratch.path().join("dev/disk/by-label");
    fs::create_dir_all(&label).expect("a folder");
    fs::write(label.join("RPI-RP2"), "").expect("a file");
    contains(
        &bench.flash("pico.uf2 --yes").fails(1),
        &[
            "not mounted",
            "udisksctl mount -b dev/disk/by-label/RPI-RP2",
        ],
    );
    contains(
        &bench.flash("pico.uf2 --yes --volume .").fails(1),
        &["no INFO_UF2.TXT"],
    );
    let other = bench.scratch.path().join("other");
    drive(&bench.drive, "RPI-RP2");
    drive(&other, "RP2350");
    mounts(&bench.scratch, &[&bench.drive, &other]);
    contains(
        &bench.flash("pico.uf2 --yes").fails(2),
        &["several boards", "RPI-RP2", "RP2350", "--volume"],
    );
    bench.flash("pico2.uf2 --yes --wait 0 --volume other").ok();
    assert!(other.join("NKEY.UF2").exists() && bench.written().is_none());
    contains(
        &bench.flash("pico.uf2 --yes --volume other").fails(1),
        &["has RP2350"],
    );
    drive(&other, "SAMD21");
    contains(
        &bench.flash("pico.uf2 --yes --volume other").fails(1),
        &["no chip that can be a token"],
    );
    mounts(&bench.scratch, &[&bench.drive]);
    contains(
        &bench.flash("pico.uf2 NKEY-1 --yes").fails(2),
        &["in its bootloader already"],
    );
}

#[test]
fn a_drive_that_is_full_or_gone_half_way_is_named() {
    let bench = Bench::new();
    drive(&bench.drive, "RPI-RP2");
    // The shell's limit ends the writing after 64 KiB.
    let line = format!(
        "trap '' XFSZ; ulimit -f 64; exec {} token flash pico.uf2 --yes --mounts mounts --sysfs nowhere",
        program("nkey").display()
    );
    let mut shell = command("/bin/bash");
    shell
        .args(["-c", &line])
        .env("HOME", bench.scratch.path())
        .current_dir(bench.scratch.path());
    let said = run(&mut shell, "").fails(1);
    contains(
        &said,
        &[
            "was gone after 65536 of 153600 bytes",
            "Hold BOOTSEL",
            "flash it again",
        ],
    );
}

/// Flashes a running token, as somebody would see it: the board leaves, its drive comes, takes
/// the file and goes, and the board comes back, saying `hash`.
fn update(desk: &mut Desk, bench: &Bench, hash: &str) -> Output {
    let mut nkey = desk.command("flash pico.uf2 --yes --pin-file pin --wait 20 --port line");
    nkey.args(["--allow-virtual", "VIRTUAL-T1", "--sysfs", "nowhere"]);
    nkey.arg("--mounts")
        .arg(bench.scratch.path().join("mounts"));
    let child = nkey
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("nkey");
    let mut board = desk.running.take().expect("the board");
    wait_for(|| board.has_ended(), "the board to leave");
    drive(&bench.drive, "RPI-RP2");
    let size = image(Family::Rp2040).write().expect("a file").len();
    wait_for(
        || bench.written().is_some_and(|file| file.len() == size),
        "the file",
    );
    fs::remove_dir_all(&bench.drive).expect("no drive");
    drop(board);
    desk.plug("always", &["--chip", "RP2040", "--hash", hash]);
    let output = child.wait_with_output().expect("its end");
    Output {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn a_running_token_is_updated_keeps_its_keys_and_its_hash_is_compared() {
    let bench = Bench::new();
    let mut desk = Desk::initialised("VIRTUAL-T1", "");
    let file = image(Family::Rp2040).write().expect("a file");
    desk.scratch.file("pico.uf2", &file);
    let key = desk.generate("-u");
    // No board at all.
    let refused = desk.nkey("flash pico.uf2 --yes --pin-file pin --sysfs nowhere");
    contains(
        &refused.fails(1),
        &["has a chip VIRTUAL", "nothing was changed"],
    );
    desk.plug("always", &["--chip", "RP2040"]);
    let hash = hex(&image(Family::Rp2040).hash());
    let done = update(&mut desk, &bench, &hash);
    contains(
        &done.stderr,
        &["keeps its keys", "hold the button of VIRTUAL-T1"],
    );
    contains(&done.ok(), &["VIRTUAL-T1 runs pico.uf2", &hash]);
    let info = desk.json("info");
    assert_eq!(info["keys"][0]["public_key"], key.to_string());
    assert_eq!(info["firmware_hash"], hash.as_str());
    let other = update(&mut desk, &bench, &"ab".repeat(32));
    contains(
        &other.fails(1),
        &["says that it runs abab", "do not use it"],
    );
}

#[test]
fn without_a_file_the_one_that_was_built_for_the_chip_is_taken() {
    let bench = Bench::new();
    drive(&bench.drive, "RPI-RP2");
    contains(
        &bench.flash("--yes --wait 0").fails(2),
        &[
            "target/firmware holds no firmware for RP2040",
            "type: make firmware",
        ],
    );
    let built = bench.scratch.path().join("target/firmware");
    fs::create_dir_all(&built).expect("a folder");
    let copy = |from: &str, to: &str| {
        fs::copy(bench.scratch.path().join(from), built.join(to)).expect("a copy");
    };
    copy("pico2.uf2", "pico2.uf2");
    copy("pico.uf2", "pico.uf2");
    // One that does not read might be the one for this board.
    fs::write(built.join("pico-w.uf2"), "half a file").expect("a file");
    contains(
        &bench.flash("--yes --wait 0").fails(1),
        &["target/firmware/pico-w.uf2 is no firmware"],
    );
    assert_eq!(bench.written(), None);
    fs::remove_file(built.join("pico-w.uf2")).expect("to remove it");
    bench.flash("--yes --wait 0").ok();
    assert_eq!(
        bench.written(),
        fs::read(bench.scratch.path().join("pico.uf2")).ok()
    );
    copy("pico.uf2", "pico-w.uf2");
    contains(
        &bench.flash("--yes --wait 0").fails(2),
        &["target/firmware/pico-w.uf2, target/firmware/pico.uf2"],
    );
}

#[test]
fn a_bare_board_comes_back_as_a_token_that_was_not_there_before() {
    let bench = Bench::new();
    drive(&bench.drive, "RPI-RP2");
    let root = Scratch::new();
    let mut desk = Desk::new("NKEY-VIRTUAL-B");
    let hash = hex(&image(Family::Rp2040).hash());
    desk.plug("always", &["--chip", "RP2040", "--hash", &hash]);
    // One that has nothing to do with it.
    plugged_in(&root, "ttyACM0", "NKEY-VIRTUAL-A", Path::new("/nowhere"));
    let mut nkey = command(program("nkey"));
    nkey.args(["token", "flash", "pico.uf2", "--yes", "--wait", "20"]);
    nkey.args(["--mounts", "mounts", "--allow-virtual", "NKEY-VIRTUAL-B"]);
    nkey.arg("--sysfs").arg(root.path().join("sys"));
    nkey.arg("--dev").arg(root.path().join("dev"));
    nkey.env("HOME", bench.scratch.path())
        .current_dir(bench.scratch.path());
    let child = nkey
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("nkey");
    wait_for(|| bench.written().is_some(), "the file");
    let port = desk.scratch.path().join("line");
    plugged_in(&root, "ttyACM1", "NKEY-VIRTUAL-B", &port);
    let output = child.wait_with_output().expect("its end");
    let said = String::from_utf8_lossy(&output.stdout);
    contains(&said, &["NKEY-VIRTUAL-B runs pico.uf2", &hash]);
    assert!(output.status.success());
}
