//! Flat images and UF2 files of the firmware, their build record, and their checks.

// The firmware's own constants: as a dependency it would bring a second copy of core.
#[path = "../../src/boards/mod.rs"]
pub mod boards;
pub mod check;
pub mod flat;
pub mod record;

/// Hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
