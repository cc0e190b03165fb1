//! The firmware that is to be written.

use super::super::device;
use crate::error::Error;
use crate::output::clean_inline;
use data_encoding::HEXLOWER;
use nkey_agent::token::uf2::{Image, MAX_LEN};
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The longest build record, in bytes.
const MAX_RECORD: u64 = 16 * 1024;

/// A file that is firmware.
pub struct Firmware {
    image: Image,
    bytes: Vec<u8>,
    name: String,
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
        let firmware = Firmware { image, bytes, name };
        if let Some(text) = wanted {
            let wanted = device::bytes32(text)
                .ok_or_else(|| Error::usage("--hash takes 64 hexadecimal digits"))?;
            firmware.require("--hash", &wanted)?;
        }
        // What is built by `make firmware` has its record beside it.
        let record = path.with_extension("json");
        if let Ok(text) = read(&record, MAX_RECORD)
            && let Ok(record) = serde_json::from_slice::<Value>(&text)
            && let Some(wanted) = record["image_sha256"].as_str().and_then(device::bytes32)
        {
            firmware.require("its build record", &wanted)?;
        }
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

    /// What the bootloader of that chip calls itself.
    pub fn board_id(&self) -> &'static str {
        self.image.family.board_id()
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

fn read(path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
