//! `nkey generate profile`.

use crate::context::Context;
use crate::error::Error;
use crate::output::{clean_inline, json_text};
use crate::store::{Operator, Store, file};
use nkey_core::claims::owned::SigningKey;
use nkey_core::nkey::PublicKey;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

#[derive(clap::Args)]
pub struct Args {
    /// What is wanted, such as nsc://operator/account/user?names&keys. Also: seeds, which leave the
    /// agent, [operator|account|user]Key, Name and Seed[=KEY], store=DIR, keystore=DIR
    #[arg(value_name = "URL")]
    url: String,
    /// Write to FILE instead of standard output
    #[arg(
        short,
        long,
        value_name = "FILE",
        default_value = "--",
        hide_default_value = true
    )]
    output_file: PathBuf,
}

/// nsc's `Details`.
#[derive(Default, Serialize)]
struct Details {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    service: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
}

/// nsc's `Profile`.
#[derive(Default, Serialize)]
struct Profile {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_creds: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<Details>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<Details>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Details>,
}

/// A `nsc://` URL taken apart.
#[derive(Debug, PartialEq)]
struct Wanted {
    path: Vec<String>,
    query: BTreeMap<String, String>,
}

impl Wanted {
    fn parse(url: &str) -> Result<Wanted, Error> {
        let wrong = |why: &str| {
            Error::usage(format!(
                "{} is no nsc:// URL: {why}; write it as nsc://operator/account/user?names&keys",
                clean_inline(url)
            ))
        };
        let scheme = url.get(..6).unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("nsc://") {
            return Err(wrong("it must start with nsc://"));
        }
        let rest = url.get(6..).unwrap_or_default();
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let path: Vec<String> = path
            .trim_end_matches('/')
            .split('/')
            .map(unescape)
            .collect();
        if path.len() > 3 || path.iter().any(String::is_empty) {
            return Err(wrong(
                "it names an operator, perhaps an account, perhaps a user",
            ));
        }
        let query = query
            .split('&')
            .filter(|item| !item.is_empty())
            .map(|item| {
                let (key, value) = item.split_once('=').unwrap_or((item, ""));
                (key.to_ascii_lowercase(), unescape(value))
            })
            .collect();
        Ok(Wanted { path, query })
    }

    /// Whether a detail (`key`, `name` or `seed`) of the entity at `depth` is asked for, and of which key.
    fn asks(&self, detail: &str, entity: &str, depth: usize) -> Option<&str> {
        let last = self.path.len() - 1;
        let one = self.query.get(&format!("{entity}{detail}"));
        let all = self.query.get(&format!("{detail}s"));
        // As in nsc: `key` is the last one's, `name` and `seed` are everybody's.
        let short = self
            .query
            .get(detail)
            .filter(|_| detail != "key" || depth == last);
        one.or(all).or(short).map(String::as_str)
    }
}

/// Escapes of a URL: `%41`, and `+` for a space.
fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = text
            .get(at + 1..at + 3)
            .filter(|_| byte == b'%')
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match hex {
            Some(value) => {
                out.push(value);
                at += 3;
            }
            None => {
                out.push(if byte == b'+' { b' ' } else { byte });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The name among `names` that differs at most in letter case, else `wanted` itself.
fn folded(names: &[String], wanted: &str) -> String {
    let same = |name: &&String| name.eq_ignore_ascii_case(wanted);
    names
        .iter()
        .find(|name| *name == wanted)
        .or_else(|| names.iter().find(same))
        .cloned()
        .unwrap_or_else(|| wanted.to_owned())
}

/// Writes the profile as JSON.
///
/// # Errors
/// If there is no such entity, or a seed is asked for that cannot leave the agent.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let wanted = Wanted::parse(&args.url)?;
    if let Some(dir) = wanted.query.get("store").filter(|dir| !dir.is_empty()) {
        ctx.global.data_dir = Some(PathBuf::from(dir));
        ctx.global.all_dirs = None;
    }
    if let Some(dir) = wanted.query.get("keystore").filter(|dir| !dir.is_empty()) {
        ctx.global.keystore_dir = Some(PathBuf::from(dir));
        ctx.global.all_dirs = None;
    }
    let store = Store::open(&ctx.global)?;
    let profile = profile(&wanted, ctx, &store)?;
    let text = json_text(&profile)? + "\n";
    if args.output_file.as_os_str() == "--" {
        return ctx.out.bytes(text.as_bytes());
    }
    file::write_output(&args.output_file, text.as_bytes(), true)?;
    ctx.out
        .note(format!("wrote {}", args.output_file.display()));
    Ok(())
}

fn profile(wanted: &Wanted, ctx: &mut Context, store: &Store) -> Result<Profile, Error> {
    let mut names = wanted.path.iter();
    let operator = names
        .next()
        .map(|name| folded(&store.operators().unwrap_or_default(), name));
    let operator: Operator = store.operator(operator.as_deref())?;
    let entry = operator.claims()?;
    let mut profile = Profile::default();
    let mut keys = vec![entry.sub().to_owned()];
    keys.extend(entry.claims.nats.signing_keys.iter().cloned());
    let mut found = details(wanted, ctx, ("operator", 0), operator.name(), &keys)?;
    found.service = entry.claims.nats.operator_service_urls.clone();
    profile.operator = Some(found);
    let Some(account) = names.next() else {
        return Ok(profile);
    };
    let known = operator.accounts()?;
    let account = operator.account(&operator.find_account(&known, &folded(&known, account))?)?;
    let mut keys = vec![account.sub().to_owned()];
    let signing_keys = account.claims.nats.signing_keys.iter();
    keys.extend(signing_keys.map(SigningKey::key).map(str::to_owned));
    profile.account =
        Some(details(wanted, ctx, ("account", 1), &account.name, &keys)?).filter(Details::is_any);
    let Some(user) = names.next() else {
        return Ok(profile);
    };
    let known = operator.users(&account.name)?;
    let user = operator.find_user(&account.name, Some(&folded(&known, user)))?;
    let keys = [user.sub().to_owned()];
    profile.user =
        Some(details(wanted, ctx, ("user", 2), &user.name, &keys)?).filter(Details::is_any);
    let creds = store
        .keystore()
        .creds(operator.name(), &account.name, &user.name);
    profile.user_creds = creds.is_file().then(|| creds.display().to_string());
    Ok(profile)
}

impl Details {
    fn is_any(&self) -> bool {
        self.name.is_some() || self.seed.is_some() || self.id.is_some()
    }
}

fn details(
    wanted: &Wanted,
    ctx: &mut Context,
    (entity, depth): (&str, usize),
    name: &str,
    keys: &[String],
) -> Result<Details, Error> {
    let asked = |detail| wanted.asks(detail, entity, depth);
    Ok(Details {
        service: Vec::new(),
        name: asked("name").map(|_| name.to_owned()),
        id: asked("key").and(keys.first().cloned()),
        seed: asked("seed").map(|key| seed(ctx, key, keys)).transpose()?,
    })
}

/// The seed of the key `wanted`, or of the first that the agent gives away.
fn seed(ctx: &mut Context, wanted: &str, keys: &[String]) -> Result<String, Error> {
    let wanted = wanted.to_ascii_uppercase();
    let mut failure = None;
    for key in keys {
        if !wanted.is_empty() && *key != wanted {
            continue;
        }
        let Ok(key) = PublicKey::from_str(key) else {
            continue;
        };
        match ctx.agent()?.export(&key) {
            Ok(seed) => {
                ctx.out.note(format!("the seed of {key} leaves the agent"));
                return Ok(seed.encode().reveal().to_owned());
            }
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    match failure {
        Some(error) => Err(error.into()),
        None => Err(Error::failed(format!(
            "{} is none of its keys",
            clean_inline(&wanted)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart_as_nsc_does() {
        let wanted = Wanted::parse("NSC://o%70/a+b?Names&userKey&store=/A").unwrap();
        assert_eq!(wanted.path, ["op", "a b"]);
        assert_eq!(wanted.query["store"], "/A");
        assert!(wanted.asks("name", "operator", 0).is_some());
        assert!(wanted.asks("key", "user", 2).is_some());
        assert!(wanted.asks("key", "account", 1).is_none());
        let last = Wanted::parse("nsc://op/a?key").unwrap();
        assert!(
            last.asks("key", "operator", 0).is_none() && last.asks("key", "account", 1).is_some()
        );
        for bad in [
            "",
            "nsc:/",
            "nsc://",
            "http://x",
            "nsc://a/b/c/d",
            "nsc://a//c",
            "nsc\u{e9}//",
        ] {
            assert_eq!(Wanted::parse(bad).unwrap_err().code(), 2, "{bad}");
        }
        assert_eq!(unescape("%4g%"), "%4g%");
    }
}
