//! The program's own image in flash.

use sha2::{Digest, Sha256};

unsafe extern "C" {
    static __image_start: u8;
    static __image_end: u8;
}

/// SHA-256 of flash from the image's start to its end.
pub fn hash() -> [u8; 32] {
    let (start, end) = (&raw const __image_start, &raw const __image_end);
    // SAFETY: the linker's symbols around the image; nothing writes there while it runs.
    let image = unsafe { core::slice::from_raw_parts(start, end as usize - start as usize) };
    Sha256::digest(image).into()
}
