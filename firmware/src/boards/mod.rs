//! What differs between the boards, as constants.

pub mod pico;
pub mod pico2;
pub mod pico_w;

use nkey_core::token::storage_len;

/// Bytes of flash that are erased together.
pub const SECTOR: usize = 4096;
/// Bytes at the beginning of flash that a program may take. The linker's memory map says so too.
pub const PROGRAM_LEN: usize = 256 * 1024;
/// Bytes at the end of flash that are the token's storage.
pub const STORAGE_LEN: usize = storage_len(SECTOR);

/// Where the button is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    /// The board's BOOTSEL button, which pulls the flash's chip select low.
    Bootsel,
    /// A button from this pin to ground.
    Pin(u8),
}

/// A board.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Its name, as `make firmware` calls it.
    pub name: &'static str,
    /// Its chip, as `Hello` says it.
    pub chip: &'static str,
    /// The light's pin: on when high.
    pub led: u8,
    /// The button.
    pub button: Button,
    /// Bytes of flash.
    pub flash: usize,
    /// The family of its UF2 files.
    pub family: u32,
}

/// What the name of an image's board follows in it, padded with zeros.
pub const MARK: &[u8; 12] = b"nkey-board:\0";
/// Bytes of the two.
pub const MARK_LEN: usize = MARK.len() + 12;

impl Layout {
    /// What an image for this board says of it.
    pub const fn mark(&self) -> [u8; MARK_LEN] {
        let mut mark = [0; MARK_LEN];
        let (prefix, rest) = mark.split_at_mut(MARK.len());
        prefix.copy_from_slice(MARK);
        let (name, _) = rest.split_at_mut(self.name.len());
        name.copy_from_slice(self.name.as_bytes());
        mark
    }

    /// Offset of the token's storage in flash.
    pub const fn storage(&self) -> usize {
        self.flash - STORAGE_LEN
    }
}

/// All boards.
pub const ALL: [Layout; 3] = [pico::LAYOUT, pico_w::LAYOUT, pico2::LAYOUT];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn storage_lies_in_flash_and_apart_from_the_program() {
        for board in ALL {
            assert_eq!(board.storage() % SECTOR, 0, "{}", board.name);
            assert!(board.storage() >= PROGRAM_LEN, "{}", board.name);
            assert_eq!(board.storage() + STORAGE_LEN, board.flash, "{}", board.name);
        }
        assert_eq!(STORAGE_LEN, 168 * 1024);
    }
}
