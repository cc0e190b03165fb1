//! The agent in the foreground.
fn main() {}
