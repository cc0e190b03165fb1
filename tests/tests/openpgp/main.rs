//! OpenPGP cards behind a real pcscd, shared with gpg: Nitrokey's own applet, and jcecard.

mod bench;
mod faults;
mod pin;
mod shared;
mod signs;
mod stores;
mod touch;
