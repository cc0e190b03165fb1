//! `nkey piv verify-attestation`.

use super::chain::{self, Attested};
use super::flags::{PinPolicy, TouchPolicy};
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use clap::ValueEnum;
use nkey_core::nkey::PublicKey;
use serde_json::json;
use std::str::FromStr;

/// The first firmware with Ed25519.
const FIRST: [u8; 3] = [5, 7, 0];

#[derive(clap::Args)]
pub struct Args {
    /// The key that is attested
    #[arg(value_name = "PUBLIC KEY")]
    pub key: String,
    /// What `nkey piv attest` printed, or - for standard input; or the attestation and, in another
    /// file, the certificate of slot f9
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<String>,
    /// A root or an intermediate that you trust, from the card's maker; as many as the chain takes
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    pub ca: Vec<String>,
    /// The serial number that the card must have
    #[arg(long)]
    pub serial: Option<u32>,
    /// The oldest firmware that the card may have
    #[arg(long, value_name = "VERSION")]
    pub firmware: Option<String>,
    /// The PIN policy that the key must have
    #[arg(long, value_enum)]
    pub pin_policy: Option<PinPolicy>,
    /// The touch policy that the key must have
    #[arg(long, value_enum)]
    pub touch_policy: Option<TouchPolicy>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Checks that a card made a key itself: the chain to a root that you trust, and what it says.
///
/// # Errors
/// Exit 1 if anything is not as it should be, 2 if it cannot be read.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let key = PublicKey::from_str(&args.key)
        .map_err(|error| Error::usage(format!("{}: {error}", clean_inline(&args.key))))?;
    let firmware = args.firmware.as_deref().map(version).transpose()?;
    let chain = chain::read(&args.files)?;
    let [attestation, f9, more @ ..] = &chain[..] else {
        return Err(Error::usage(
            "give the attestation and the certificate of slot f9, as `nkey piv attest` prints them",
        ));
    };
    if !more.is_empty() {
        return Err(Error::usage(
            "there are more than two certificates: those that you trust belong to --ca",
        ));
    }
    let attested = chain::check(attestation, f9, &chain::read(&args.ca)?, ctx.now())
        .and_then(|attested| agrees(args, &key, firmware, &attested).map(|()| attested))
        .map_err(|why| Error::failed(format!("the attestation of {key} is not good: {why}")))?;
    show(&key, &attested, args.json, ctx)
}

fn version(text: &str) -> Result<[u8; 3], Error> {
    let wrong = || {
        Error::usage(format!(
            "--firmware {}: write it as 5.7.4",
            clean_inline(text)
        ))
    };
    let parts = text.split('.').map(|part| part.parse().ok());
    let mut parts = parts.collect::<Option<Vec<u8>>>().ok_or_else(wrong)?;
    if parts.len() > 3 || parts.len() < 2 {
        return Err(wrong());
    }
    parts.resize(3, 0);
    parts.try_into().map_err(|_| wrong())
}

fn dotted([major, minor, patch]: [u8; 3]) -> String {
    format!("{major}.{minor}.{patch}")
}

fn word(policy: impl ValueEnum) -> String {
    let value = policy.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

fn pin(policy: u8) -> Option<PinPolicy> {
    let all = [PinPolicy::Never, PinPolicy::Once, PinPolicy::Always];
    all.into_iter().find(|known| *known as u8 == policy)
}

fn touch(policy: u8) -> Option<TouchPolicy> {
    let all = [TouchPolicy::Never, TouchPolicy::Always, TouchPolicy::Cached];
    all.into_iter().find(|known| *known as u8 == policy)
}

fn agrees(
    args: &Args,
    key: &PublicKey,
    firmware: Option<[u8; 3]>,
    attested: &Attested,
) -> Result<(), String> {
    if attested.key != *key.as_bytes() {
        let other = PublicKey::from_bytes(key.kind(), attested.key);
        return Err(format!("it is about another key, {other}"));
    }
    let oldest = firmware.unwrap_or(FIRST).max(FIRST);
    if attested.firmware < oldest {
        let (found, oldest) = (dotted(attested.firmware), dotted(oldest));
        return Err(format!(
            "the card's firmware is {found}, older than {oldest}"
        ));
    }
    if let Some(serial) = args.serial
        && attested.serial != Some(serial)
    {
        let found = attested.serial.map_or_else(
            || "tells no serial number".to_owned(),
            |found| format!("has the serial number {found}"),
        );
        return Err(format!("the card {found}, not {serial}"));
    }
    let found = (pin(attested.pin), touch(attested.touch));
    let (Some(found_pin), Some(found_touch)) = found else {
        return Err("its policies are unknown ones".to_owned());
    };
    match (args.pin_policy, args.touch_policy) {
        (Some(wanted), _) if wanted != found_pin => Err(format!(
            "its PIN policy is {}, not {}",
            word(found_pin),
            word(wanted)
        )),
        (_, Some(wanted)) if wanted != found_touch => Err(format!(
            "its touch policy is {}, not {}",
            word(found_touch),
            word(wanted)
        )),
        _ => Ok(()),
    }
}

fn show(key: &PublicKey, attested: &Attested, json: bool, ctx: &mut Context) -> Result<(), Error> {
    let pin = pin(attested.pin).map(word).unwrap_or_default();
    let touch = touch(attested.touch).map(word).unwrap_or_default();
    let firmware = dotted(attested.firmware);
    if json {
        return ctx.out.json(&json!({
            "public_key": key.to_string(),
            "serial": attested.serial,
            "firmware": firmware,
            "pin_policy": pin,
            "touch_policy": touch,
            "chain": attested.chain,
        }));
    }
    ctx.out
        .line(format!("{key} was made in a card and never left it"))?;
    let serial = attested
        .serial
        .map_or_else(|| "not told".to_owned(), |serial| serial.to_string());
    ctx.out.line(format!("  serial number  {serial}"))?;
    ctx.out.line(format!("  firmware       {firmware}"))?;
    ctx.out.line(format!("  PIN policy     {pin}"))?;
    ctx.out.line(format!("  touch policy   {touch}"))?;
    let names: Vec<String> = attested
        .chain
        .iter()
        .map(|name| clean_inline(name))
        .collect();
    ctx.out
        .line(format!("  chain          {}", names.join(" < ")))
}
