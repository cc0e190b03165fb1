//! An update.

use crate::hand::*;
use nkey_agent::token::uf2::{FLASH, Family, Image};
use nkey_core::token::State;
use nkey_tests::emulator::with_version;
use nkey_tests::{Scratch, command, contains, program, run, wait_for};
use sha2::{Digest, Sha256};
use std::fs;

#[test]
fn an_update_keeps_keys() {
    let scratch = Scratch::new();
    let emulator = copy(&scratch);
    let before = open(&emulator).about().clone();
    let (image, version) = with_version(&scratch);
    emulator.flash(&image);
    let mut token = open(&emulator);
    let about = token.about().clone();
    assert_eq!(about.firmware, version);
    assert_ne!(about.firmware, before.firmware);
    let wanted: [u8; 32] = Sha256::digest(std::fs::read(&image).expect("the image")).into();
    assert_eq!(about.hash, wanted);
    assert_ne!(about.hash, before.hash);
    assert_eq!((about.device, about.state), (before.device, State::Locked));
    assert_eq!(keys(&mut token), [*prepared().key.as_bytes()]);
    let session = unlock(&mut token);
    let signature = sign(&mut token, session, 0, NONCE, &mut Finger(&emulator));
    assert!(prepared().key.verify(NONCE, &signature));
}

#[test]
fn nkey_token_flash_updates_a_running_token() {
    let scratch = Scratch::new();
    let emulator = copy(&scratch);
    emulator.presence(true);
    let before = open(&emulator).about().clone();
    let (image, version) = with_version(&scratch);
    let update = Image {
        family: Family::Rp2040,
        start: FLASH,
        payload: fs::read(image).expect("the image"),
    };
    let update = update.write().expect("a UF2");
    scratch.file("update.uf2", &update);
    scratch.file("pin", PIN);
    let drive = scratch.path().join("RPI-RP2");
    let mounts = format!("/dev/sdx1 {} vfat rw 0 0\n", drive.display());
    scratch.file("mounts", mounts);
    let flashed = std::thread::scope(|scope| {
        // The boot ROM: shows its drive, takes the file, writes it and restarts.
        scope.spawn(|| {
            emulator.in_bootsel();
            fs::create_dir(&drive).expect("a folder");
            let info = "UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n";
            fs::write(drive.join("INFO_UF2.TXT"), info).expect("a file");
            let file = drive.join("NKEY.UF2");
            let whole = || fs::metadata(&file).is_ok_and(|file| file.len() == update.len() as u64);
            wait_for(whole, "the file");
            emulator.flash(&file);
        });
        let mut nkey = command(program("nkey"));
        nkey.args(["token", "flash", "update.uf2", "--yes"])
            .args(["--pin-file", "pin", "--port", "ttyACM0"])
            .args([
                "--mounts", "mounts", "--sysfs", "nowhere", "--dev", "nowhere",
            ]);
        nkey.env("HOME", scratch.path()).current_dir(scratch.path());
        run(&mut nkey, "")
    });
    contains(&flashed.stderr, &["hold the button"]);
    contains(&flashed.ok(), &[&before.serial, "update.uf2"]);
    let mut token = open(&emulator);
    assert_eq!(token.about().firmware, version);
    assert_eq!(token.about().device, before.device);
    assert_eq!(keys(&mut token), [*prepared().key.as_bytes()]);
}
