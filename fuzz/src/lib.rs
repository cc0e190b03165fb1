//! What must hold for any bytes.

pub mod app;
#[path = "../../core/tests/token/board.rs"]
pub mod board;
pub mod checks;
pub mod go;
