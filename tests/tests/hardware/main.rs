//! One suite for cards: on the tests' own with every run, and on a real one by
//! `make test-hardware CARD=serial`, on slots that are named.

mod bench;
mod openpgp;
mod piv;
mod shared;
