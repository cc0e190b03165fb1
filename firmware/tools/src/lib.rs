//! Flat images and UF2 files of the firmware, their build record, and their checks.

pub mod check;
pub mod flat;
pub mod record;

/// Hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
