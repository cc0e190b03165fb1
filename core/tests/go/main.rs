//! core against nats-io/jwt in Go: the same bytes, the same reading, the same findings.
//!
//! Environment: `NKEY_TOOLS` is the folder whose `bin` holds claimsgen and claimscheck (default
//! `.tools` of the checkout), `NKEY_CLAIMS` the number of claims of each type (default 2000),
//! `NKEY_SEED` the seed of the random claims (default 1).

mod peer;
mod read;
mod rows;
mod write;

/// The types that are signed.
const TYPES: [&str; 6] = [
    "operator",
    "account",
    "user",
    "activation",
    "authorization_response",
    "generic",
];

/// Zones that the programs' claims name and that exist.
fn is_zone(name: &str) -> bool {
    matches!(name, "Europe/Zurich" | "America/New_York")
}
