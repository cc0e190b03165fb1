//! The firmware that is to be written.

use super::super::device;
use crate::error::Error;
use crate::output::clean_inline;
use data_encoding::HEXLOWER;
use nkey_agent::token::uf2::{Image, MAX_LEN};
use serde_json::Value;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The longest build record, in bytes.
const MAX_RECORD: u64 = 16 * 1024;

/// A file that is firmware.
pub struct Firmware {
    image: Image,
    bytes: Vec<u8>,
    name: String,
    /// Whether somebody said which hash it must have.
    is_compared: bool,
}

/// The hash in the record that `make firmware` writes beside an image, if there is one.
fn recorded(image: &Path) -> Result<Option<[u8; 32]>, Error> {
    let path = image.with_extension("json");
    let name = clean_inline(&path.display().to_string());
    let text = match read(&path, MAX_RECORD) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::failed(format!("cannot read {name}: {error}"))),
    };
    let record = serde_json::from_slice::<Value>(&text).unwrap_or_default();
    let hash = record["image_sha256"].as_str().and_then(device::bytes32);
    let damaged = || {
        Error::failed(format!(
            "{name} is no build record (it has no image_sha256 of 64 hexadecimal digits): nothing was written. \
             Build both anew, or remove it and give the hash by --hash"
        ))
    };
    hash.map(Some).ok_or_else(damaged)
}

impl Firmware {
    /// Reads a UF2 file and checks it: whole, for one chip, within the program's flash, and with
    /// the hash that is wanted or that the build record beside it names.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn read(path: &Path, wanted: Option<&str>) -> Result<Firmware, Error> {
        let name = clean_inline(&path.display().to_string());
        let bytes = read(path, MAX_LEN as u64 + 1)
            .map_err(|error| Error::failed(format!("cannot read {name}: {error}")))?;
        let image = Image::read(&bytes)
            .map_err(|error| Error::failed(format!("{name} is no firmware: {error}")))?;
        let mut firmware = Firmware {
            image,
            bytes,
            name,
            is_compared: false,
        };
        if let Some(text) = wanted {
            let wanted = device::bytes32(text)
                .ok_or_else(|| Error::usage("--hash takes 64 hexadecimal digits"))?;
            firmware.require("--hash", &wanted)?;
        }
        let recorded = recorded(path)?;
        if let Some(recorded) = &recorded {
            firmware.require("its build record", recorded)?;
        }
        firmware.is_compared = wanted.is_some() || recorded.is_some();
        Ok(firmware)
    }

    fn require(&self, whose: &str, wanted: &[u8; 32]) -> Result<(), Error> {
        if self.image.hash() == *wanted {
            return Ok(());
        }
        Err(Error::failed(format!(
            "{} has the hash {}, {whose} says {}: nothing was written",
            self.name,
            HEXLOWER.encode(&self.image.hash()),
            HEXLOWER.encode(wanted)
        )))
    }

    /// The file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The chip that it is for.
    pub fn chip(&self) -> &'static str {
        self.image.family.chip()
    }

    /// What is said of one whose hash was compared with nothing.
    pub fn remark(&self) -> Option<String> {
        (!self.is_compared).then(|| {
            format!(
                "{} has no build record beside it, and no --hash was given: its hash was compared with nothing",
                self.name
            )
        })
    }

    /// SHA-256 of the image.
    pub fn hash(&self) -> [u8; 32] {
        self.image.hash()
    }

    /// The file's name and the hash.
    pub fn shown(&self) -> String {
        format!(
            "{} (image {})",
            self.name,
            HEXLOWER.encode(&self.image.hash())
        )
    }
}

/// The only image for this chip where `make firmware` puts them: $NKEY_FIRMWARE, or target/firmware.
///
/// # Errors
/// If there is none, or there are several: the chip does not tell which board it is.
pub fn built(chip: &str) -> Result<PathBuf, Error> {
    let folder = std::env::var_os("NKEY_FIRMWARE")
        .map_or_else(|| PathBuf::from("target/firmware"), PathBuf::from);
    let images = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "uf2"));
    let mut fitting: Vec<PathBuf> = Vec::new();
    for path in images {
        // One that does not read may be the one for this board.
        if Firmware::read(&path, None)?.chip() == chip {
            fitting.push(path);
        }
    }
    fitting.sort();
    let shown = |path: &Path| clean_inline(&path.display().to_string());
    match &fitting[..] {
        [one] => Ok(one.clone()),
        [] => Err(Error::usage(format!(
            "{} holds no firmware for {}: name a file",
            shown(&folder),
            clean_inline(chip)
        ))
        .next("make firmware")),
        several => {
            let all: Vec<String> = several.iter().map(|path| shown(path)).collect();
            Err(Error::usage(format!(
                "several images are for {}: name the one for your board: {}",
                clean_inline(chip),
                all.join(", ")
            )))
        }
    }
}

fn read(path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
