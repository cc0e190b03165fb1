//! `nkey token udev`.

use crate::context::Context;
use crate::error::Error;

/// The rule, which docs/token.md says how to install.
const RULE: &str = include_str!("../../../../docs/70-nkey-token.rules");

#[derive(clap::Args)]
pub struct Args {}

/// Prints the udev rule.
///
/// # Errors
/// If standard output is closed.
pub fn run(_: &Args, ctx: &mut Context) -> Result<(), Error> {
    ctx.out.bytes(RULE.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use nkey_agent::token::{PRODUCT, USB_ID};

    #[test]
    fn the_rule_names_the_tokens_that_are_looked_for() {
        for part in [
            format!("ATTRS{{idVendor}}==\"{:04x}\"", USB_ID.0),
            format!("ATTRS{{idProduct}}==\"{:04x}\"", USB_ID.1),
            format!("ATTRS{{product}}==\"{PRODUCT}\""),
            "TAG+=\"uaccess\"".to_owned(),
            "ATTRS{idVendor}==\"2e8a\"".to_owned(),
        ] {
            assert!(RULE.contains(&part), "{part}");
        }
    }
}
