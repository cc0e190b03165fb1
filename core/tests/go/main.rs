//! core against nats-io/jwt, nkeys and nats-server in Go: the same bytes, the same reading, the same findings.
//!
//! Environment: `NKEY_TOOLS` is the folder whose `bin` holds claimsgen, claimscheck and corepeer (default
//! `.tools` of the checkout), `NKEY_CLAIMS` the number of claims of each type (default 2000),
//! `NKEY_SEED` the seed of what is random (default: a fresh one, which is printed).

mod creds;
mod mutate;
mod old;
mod parts;
mod peer;
mod random;
mod read;
mod rows;
mod scoped;
mod store;
#[path = "../../src/canonical/tricks.rs"]
mod table;
mod tricks;
mod write;
#[cfg(feature = "xkey")]
mod xkey;

/// The types that there are.
const TYPES: [&str; 7] = [
    "operator",
    "account",
    "user",
    "activation",
    "authorization_request",
    "authorization_response",
    "generic",
];

/// Zones that the programs' claims name and that exist.
fn is_zone(name: &str) -> bool {
    matches!(name, "Europe/Zurich" | "Europe/Vienna" | "America/New_York")
}
