//! How an image was built.

use serde::{Deserialize, Serialize};

/// The build record.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The board.
    pub board: String,
    /// Its chip.
    pub chip: String,
    /// The firmware's version.
    pub version: String,
    /// The compiler, as it names itself.
    pub compiler: String,
    /// Bytes of the image.
    pub size: usize,
    /// SHA-256 of the image: what `Hello` says.
    pub image_sha256: String,
    /// SHA-256 of the UF2 file.
    pub uf2_sha256: String,
}
