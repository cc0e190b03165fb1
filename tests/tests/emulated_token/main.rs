//! The firmware's real RP2040 image in rp2040js, over its USB serial line.

mod alike;
mod button;
mod cuts;
mod faults;
mod frames;
mod hand;
mod job;
mod large;
mod peers;
mod pico_w;
mod pin;
mod secrets;
mod signs;
mod update;
