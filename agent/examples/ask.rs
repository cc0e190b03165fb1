//! Asks an agent to sign the bytes of a file, first by the standard request 13, then by
//! `sign-v1`, and prints both answers. Ends with 0 if both signed, 3 if both refused.
//!
//! ```text
//! cargo run --example ask -- NKEY FILE
//! ```
//! The socket is that of `NKEY_AUTH_SOCK`, or the default.

use nkey_agent::client::{Client, Error, socket_path};
use nkey_core::nkey::PublicKey;
use std::process::ExitCode;
use std::str::FromStr;

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(key), Some(file), None) = (arguments.next(), arguments.next(), arguments.next())
    else {
        eprintln!("usage: ask NKEY FILE");
        return Ok(ExitCode::from(2));
    };
    let key = PublicKey::from_str(&key)?;
    let data = std::fs::read(file)?;
    let mut agent = Client::connect(&socket_path(None)?)?;
    let plain = agent.sign_standard(&key, &data)?.is_some();
    println!("plain sign: {}", if plain { "signed" } else { "failure" });
    let explained = match agent.sign(&key, &data) {
        Ok(_) => {
            println!("sign-v1:    signed");
            true
        }
        Err(Error::Refused { reason, .. }) => {
            println!("sign-v1:    {reason}");
            false
        }
        Err(error) => return Err(error.into()),
    };
    Ok(match (plain, explained) {
        (true, true) => ExitCode::SUCCESS,
        (false, false) => ExitCode::from(3),
        _ => ExitCode::FAILURE,
    })
}
