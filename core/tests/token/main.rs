//! The token's application on a model of its board: every message in every state, the power
//! cut at every byte, every stored bit flipped, frames of noise.

mod board;
mod cuts;
mod flips;
mod host;
mod noise;
mod rules;
mod wear;
