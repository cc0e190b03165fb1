//! `nkey openpgp generate`.

use crate::card::openpgp::{Wish, named};
use crate::context::Context;
use crate::error::Error;
use crate::key_flags::Kinds;
use crate::output::clean_inline;
use nkey_agent::message::flag;
use nkey_core::nkey::PublicKey;
use std::str::FromStr;

#[derive(clap::Args)]
pub struct Args {
    /// The card, as holders.toml names it, or its serial number
    #[arg(value_name = "CARD")]
    pub card: String,
    /// The slot: sig (signature) or aut (authentication)
    #[arg(value_name = "SLOT", value_parser = ["sig", "aut"])]
    pub slot: String,
    #[command(flatten)]
    pub kinds: Kinds,
    /// The key's name in the agent
    #[arg(short, long, default_value = "")]
    pub name: String,
    /// Sign claims whatever their time of issue; otherwise it must be within 5 minutes of the clock
    #[arg(long)]
    pub any_iat: bool,
    /// The key that is in the slot, or its fingerprint: it is lost, for gpg as well
    #[arg(long, value_name = "KEY|FINGERPRINT")]
    pub overwrite: Option<String>,
    /// A file with the admin PIN (one last newline is no part of it), or - for standard input
    #[arg(long, value_name = "FILE")]
    pub admin_pin_file: Option<String>,
}

/// Makes a key in a card, which never gives it away, and enrols it if the agent knows the card.
///
/// # Errors
/// Exit 2 without exactly one kind, 3 if the admin PIN is wrong; what the card and the agent say.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let kind = crate::card::kind(&args.kinds.chosen())?;
    let replace = args.overwrite.as_deref().map(replaced).transpose()?;
    let card = named(&args.card, ctx)?;
    card.expect_open()?;
    let admin = card.admin_pin(args.admin_pin_file.as_deref())?;
    let wish = Wish {
        slot: &args.slot,
        kind,
        name: &args.name,
        flags: if args.any_iat { flag::ANY_IAT } else { 0 },
        replace: &replace.unwrap_or_default(),
    };
    let key = card.generate(&wish, &admin, ctx)?;
    ctx.out.line(key.to_string())
}

/// The key that may be replaced, in hexadecimal digits.
fn replaced(text: &str) -> Result<String, Error> {
    if let Ok(key) = PublicKey::from_str(text) {
        return Ok(key
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect());
    }
    // As gpg prints it, in groups.
    let digits: String = text.chars().filter(|digit| *digit != ' ').collect();
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is_hex && matches!(digits.len(), 40 | 64) {
        return Ok(digits);
    }
    Err(Error::usage(format!(
        "--overwrite {} is neither a public key nor a fingerprint of 40 digits",
        clean_inline(text)
    ))
    .next("nkey openpgp info CARD"))
}

#[cfg(test)]
mod tests {
    use super::replaced;
    use nkey_core::nkey::{Kind, PublicKey};

    #[test]
    fn a_key_is_named_as_nats_or_gpg_names_it() {
        let key = PublicKey::from_bytes(Kind::User, [0xab; 32]).to_string();
        assert_eq!(replaced(&key).unwrap(), "ab".repeat(32));
        let spaced = "C959 BDBA FA32 A2F8 9A15  3B67 8CFD E121 9796 5A9A";
        assert_eq!(
            replaced(spaced).unwrap(),
            "C959BDBAFA32A2F89A153B678CFDE12197965A9A"
        );
        for text in ["", "yes", &"a".repeat(39), &"é".repeat(20)] {
            assert!(replaced(text).is_err(), "{text}");
        }
    }
}
