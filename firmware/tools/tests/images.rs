//! The images that `make firmware` built, and that each check fails on a spoilt one.
//! They are in target/firmware, or where NKEY_FIRMWARE says.

use nkey_agent::token::uf2::{FLASH, Image};
use nkey_image::boards::{self, Layout};
use nkey_image::record::Record;
use nkey_image::{check, flat, hex};
use sha2::{Digest, Sha256};
use std::path::PathBuf;

fn file(board: &Layout, end: &str) -> Vec<u8> {
    let built = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/firmware");
    let folder = std::env::var_os("NKEY_FIRMWARE").map_or(built, PathBuf::from);
    let path = folder.join(format!("{}.{end}", board.name));
    std::fs::read(&path).unwrap_or_else(|error| {
        panic!("{}: {error}: build it with `make firmware`", path.display())
    })
}

/// The image with these bytes changed.
fn spoilt(bytes: &[u8], at: usize, change: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + change.len()].copy_from_slice(change);
    bytes
}

fn refused(outcome: Result<(), String>, why: &str) {
    let error = outcome.expect_err(why);
    assert!(error.starts_with(why), "{error}");
}

#[test]
fn records_say_what_the_files_are() {
    for board in boards::ALL {
        let record: Record = serde_json::from_slice(&file(&board, "json")).expect("a record");
        let bytes = file(&board, "bin");
        assert_eq!(
            (record.board.as_str(), record.chip.as_str()),
            (board.name, board.chip)
        );
        assert_eq!(record.size, bytes.len());
        assert_eq!(record.image_sha256, hex(&Sha256::digest(&bytes)));
        let uf2 = file(&board, "uf2");
        assert_eq!(record.uf2_sha256, hex(&Sha256::digest(&uf2)));
        let image = Image::read(&uf2).expect("a UF2 file");
        assert_eq!(record.image_sha256, hex(&image.hash()));
        let flat = flat::read(&file(&board, "elf")).expect("an ELF file");
        assert_eq!(flat.bytes, bytes);
        assert_eq!(flat.compiler, record.compiler);
        assert!(flat.stack >= check::STACK, "{}", flat.stack);
    }
}

#[test]
fn images_are_good_and_spoilt_ones_are_not() {
    for board in boards::ALL {
        let bytes = file(&board, "bin");
        check::image(&board, &bytes).expect("a good image");
        for other in boards::ALL {
            if other.name != board.name {
                refused(check::image(&other, &bytes), "board");
            }
        }
        let table = if board.chip == "RP2040" { 256 } else { 0 };
        // Below memory, above it, and not whole words.
        for stack in [0x2000_0000u32, 0x2008_2008, 0x2000_1004] {
            refused(
                check::image(&board, &spoilt(&bytes, table, &stack.to_le_bytes())),
                "stack pointer",
            );
        }
        // In memory, in the second stage or the table, behind the image, and Arm code.
        let end = FLASH + bytes.len() as u32 + 1;
        for handler in [0x2000_1001u32, FLASH + 1, end, FLASH + 0x1000] {
            for number in 1..=3 {
                let change = handler.to_le_bytes();
                refused(
                    check::image(&board, &spoilt(&bytes, table + number * 4, &change)),
                    "vector table",
                );
            }
        }
        let mut long = bytes.clone();
        long.resize(256 * 1024 + 256, 0);
        refused(check::image(&board, &long), "size");
    }
}

#[test]
fn images_have_no_debug_output() {
    for board in boards::ALL {
        let bytes = file(&board, "bin");
        let at = bytes.len() - 1_000;
        for words in [
            "panicked at",
            "src/main.rs",
            "index out of bounds: the len is",
        ] {
            refused(
                check::image(&board, &spoilt(&bytes, at, words.as_bytes())),
                "debug output",
            );
        }
    }
}

#[test]
fn the_second_stage_has_its_checksum() {
    for board in [boards::pico::LAYOUT, boards::pico_w::LAYOUT] {
        let bytes = file(&board, "bin");
        for at in [0, 100, 251, 252, 255] {
            refused(
                check::image(&board, &spoilt(&bytes, at, &[bytes[at] ^ 1])),
                "second stage",
            );
        }
    }
}

#[test]
fn the_rp2350_finds_its_image_definition() {
    let board = boards::pico2::LAYOUT;
    let bytes = file(&board, "bin");
    let marker = 0xFFFF_DED3u32.to_le_bytes();
    let at = (0..4096)
        .step_by(4)
        .find(|at| bytes[*at..*at + 4] == marker)
        .expect("a definition");
    for step in (0..20).step_by(4) {
        refused(
            check::image(&board, &spoilt(&bytes, at + step, &[0x55])),
            "image definition",
        );
    }
    // Whole, but too far away.
    let definition = bytes[at..at + 20].to_vec();
    let late = spoilt(&spoilt(&bytes, at, &[0; 20]), 4096, &definition);
    refused(check::image(&board, &late), "image definition");
}

#[test]
fn uf2_files_are_for_their_chip_and_leave_the_storage_alone() {
    for board in boards::ALL {
        let (bytes, uf2) = (file(&board, "bin"), file(&board, "uf2"));
        check::uf2(&board, &uf2, &bytes).expect("a good file");
        for other in boards::ALL {
            if other.chip != board.chip {
                refused(check::uf2(&other, &uf2, &bytes), "family");
            }
        }
        refused(check::uf2(&board, &uf2, &bytes[256..]), "payload");
        refused(check::uf2(&board, &uf2[..uf2.len() - 512], &bytes), "UF2");
        // Every block moved into the storage, and the last one alone.
        let storage = FLASH + board.storage() as u32;
        let mut moved = uf2.clone();
        for (block, at) in moved.chunks_mut(512).zip(0u32..) {
            block[12..16].copy_from_slice(&(storage + at * 256).to_le_bytes());
        }
        refused(check::uf2(&board, &moved, &bytes), "UF2");
        refused(
            check::uf2(
                &board,
                &spoilt(&uf2, uf2.len() - 500, &storage.to_le_bytes()),
                &bytes,
            ),
            "UF2",
        );
        // A board whose storage began within the program.
        let small = Layout {
            flash: boards::STORAGE_LEN + 4096,
            ..board
        };
        refused(check::uf2(&small, &uf2, &bytes), "storage");
    }
}

#[test]
fn the_host_looks_for_what_the_firmware_is() {
    use nkey_agent::token;
    assert_eq!(boards::PROGRAM_LEN, token::uf2::PROGRAM_LEN);
    for board in boards::ALL {
        check::family(&board).expect("a family");
    }
}

#[test]
fn both_workspaces_have_one_version() {
    let facts = |manifest: &str| -> Vec<String> {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(manifest);
        let text = std::fs::read_to_string(path).expect("a manifest");
        let section = text
            .split("[workspace.package]")
            .nth(1)
            .expect("the section");
        let lines = section.lines().skip(1).take_while(|line| !line.is_empty());
        lines.map(str::to_owned).collect()
    };
    let ours = facts("../Cargo.toml");
    assert!(ours.len() > 3, "{ours:?}");
    assert_eq!(ours, facts("../../Cargo.toml"));
}
