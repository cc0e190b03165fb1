//! What must hold for any bytes.

pub mod checks;
pub mod go;
