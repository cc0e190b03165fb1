//! The token's application on a model of its board: every message in every state, the power
//! cut at every byte, every stored bit flipped, frames of noise.

#[path = "../../../fuzz/src/app.rs"]
mod app;
mod board;
mod cached;
mod cut_commands;
mod cuts;
mod examples;
mod flips;
mod host;
mod lies;
mod matrix;
mod mix;
mod noise;
mod page;
mod peer;
mod person;
mod policies;
mod rules;
mod slots;
mod stale;
mod wear;
