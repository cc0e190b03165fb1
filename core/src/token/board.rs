//! What a board brings.

use embedded_storage::nor_flash::NorFlash;

/// What the light shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Light {
    /// Nothing is asked.
    Off,
    /// A short press is wanted.
    Slow,
    /// The button is to be held.
    Fast,
}

/// The random number generator did not pass its own tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomFailed;

/// What a board says about itself.
#[derive(Clone, Copy, Debug)]
pub struct Info<'a> {
    /// The firmware's version.
    pub firmware: &'a str,
    /// SHA-256 of the firmware, computed by itself.
    pub hash: [u8; 32],
    /// The board's serial number.
    pub serial: &'a str,
    /// The chip.
    pub chip: &'a str,
    /// Whether this is a program and no board.
    pub is_virtual: bool,
    /// Whether the firmware's last run ended in a panic.
    pub panicked: bool,
}

/// Flash, random bytes, a button, a light and a tick.
pub trait Board {
    /// At least [`super::storage_len`] bytes, programmable byte by byte.
    type Flash: NorFlash;

    /// The storage of the token, from offset 0.
    fn flash(&mut self) -> &mut Self::Flash;

    /// Fills `bytes` with random ones.
    ///
    /// # Errors
    /// [`RandomFailed`] when they cannot be trusted.
    fn random(&mut self, bytes: &mut [u8]) -> Result<(), RandomFailed>;

    /// Whether the button is down now.
    fn pressed(&mut self) -> bool;

    /// Shows this until told otherwise.
    fn light(&mut self, light: Light);

    /// Milliseconds since power-up, never going back.
    fn ticks(&mut self) -> u64;

    /// Called again and again while a PIN is stretched, which takes seconds: a sign of life
    /// for a watchdog.
    fn working(&mut self) {}

    /// About the board.
    fn info(&self) -> Info<'_>;
}
