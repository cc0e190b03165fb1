//! The images that `make firmware` builds.

use crate::Scratch;
use std::path::PathBuf;

const BLOCK: usize = 512;

/// The UF2 of the Pico.
#[track_caller]
pub fn firmware() -> PathBuf {
    image("pico")
}

/// The UF2 of a board, in `target/firmware` or `NKEY_FIRMWARE`.
#[track_caller]
pub fn image(board: &str) -> PathBuf {
    let folder = std::env::var_os("NKEY_FIRMWARE").map_or_else(
        || crate::root().join("target/firmware"),
        std::path::PathBuf::from,
    );
    let path = folder.join(format!("{board}.uf2"));
    assert!(
        path.is_file(),
        "{} is not built: build it with `scripts/firmware {board}`, or `make firmware`",
        path.display()
    );
    path
}

/// The image as it lies in flash: the payload of the UF2.
pub fn flat() -> Vec<u8> {
    let uf2 = std::fs::read(firmware()).expect("the UF2");
    assert_eq!(uf2.len() % BLOCK, 0, "a UF2 of whole blocks");
    let mut flat = Vec::new();
    for block in uf2.chunks(BLOCK) {
        let word = |at: usize| {
            u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]) as usize
        };
        assert_eq!(word(12), 0x1000_0000 + flat.len(), "blocks in order");
        flat.extend_from_slice(&block[32..32 + word(16)]);
    }
    flat
}

/// The image with another version string, and that version.
pub fn with_version(scratch: &Scratch) -> (PathBuf, String) {
    let mut flat = flat();
    let record = std::fs::read(firmware().with_extension("json")).expect("the build record");
    let record: serde_json::Value = serde_json::from_slice(&record).expect("JSON");
    let version = record["version"].as_str().expect("a version");
    let at: Vec<usize> = (0..flat.len() - version.len())
        .filter(|at| flat[*at..].starts_with(version.as_bytes()))
        .collect();
    assert_eq!(at.len(), 1, "one version string in the image");
    let other = version.replace(|letter: char| letter.is_ascii_digit(), "7");
    flat[at[0]..at[0] + other.len()].copy_from_slice(other.as_bytes());
    (scratch.file("other.bin", flat), other)
}
