//! `nkey token policy`.

use super::ask::PinFlag;
use super::line::Line;
use super::reach::{Of, PREFIX};
use super::words;
use crate::context::Context;
use crate::error::Error;
use crate::input::{boolean, time};
use data_encoding::HEXLOWER;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::policy::{
    Claims, Kinds, MAX_SUBJECTS, MAX_SUBJECTS_LEN, Policy, Presence, Signable, Subjects,
};
use nkey_core::token::{Command, policy_hash};
use serde_json::json;

#[derive(clap::Args)]
pub struct Args {
    /// The key: its slot, public key or name; not needed if the token has one key only
    #[arg(value_name = "KEY")]
    key: Option<String>,
    /// The types of claim that it signs, such as user,activation, or none
    #[arg(long, value_name = "LIST", value_parser = words::parse_types)]
    types: Option<Claims>,
    /// The kinds of key that the claims may be about, such as user, or none
    #[arg(long, value_name = "LIST", value_parser = words::parse_kinds)]
    subject_kinds: Option<Kinds>,
    /// Whether users may be bearers
    #[arg(long, value_name = "BOOL", value_parser = boolean::parse)]
    bearer: Option<bool>,
    /// The longest life of what it signs, such as 90d or 12h; 0 for no limit
    #[arg(long, value_name = "TIME", value_parser = life)]
    longest_life: Option<Bound>,
    /// The subjects within which all permissions must lie, with commas; any for no limit
    #[arg(long, value_name = "LIST")]
    subjects: Option<String>,
    /// Whether the button is wanted: always, cached=SECONDS or never
    #[arg(long, value_name = "WHEN", value_parser = words::parse_presence)]
    presence: Option<Presence>,
    /// Signatures between one unlocking and the next; 0 for no limit
    #[arg(long, value_name = "N")]
    budget: Option<u32>,
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    pin: PinFlag,
    /// Print JSON
    #[arg(long, short = 'J')]
    json: bool,
}

/// A limit, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bound(Option<u32>);

fn life(text: &str) -> Result<Bound, String> {
    let seconds = time::parse(text, 0)?;
    match u32::try_from(seconds) {
        Ok(0) => Ok(Bound(None)),
        Ok(seconds) => Ok(Bound(Some(seconds))),
        Err(_) => Err(format!("\"{text}\" is no span that a token can count")),
    }
}

impl Args {
    fn changes(&self) -> bool {
        self.types.is_some()
            || self.subject_kinds.is_some()
            || self.bearer.is_some()
            || self.longest_life.is_some()
            || self.subjects.is_some()
            || self.presence.is_some()
            || self.budget.is_some()
    }
}

/// Shows what a key may sign; with flags, changes it. What is no wider needs the PIN only, all
/// else the button as well.
///
/// # Errors
/// If there is no such key; what the token says.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let mut line = args.of.open(ctx)?;
    let (slot, key) = line.find_key(args.key.as_deref())?;
    let old = key.policy();
    if !args.changes() {
        return show(args, ctx, &old, key.generation, key.loosened);
    }
    let subjects = args.subjects.as_deref().map(|text| {
        text.split([',', ' '])
            .filter(|subject| !subject.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    });
    let within = match subjects.as_deref() {
        None => old.within,
        Some("any") => None,
        Some(subjects) => Some(Subjects(subjects)),
    };
    let policy = Policy {
        claims: args.types.unwrap_or(old.claims),
        kinds: args.subject_kinds.unwrap_or(old.kinds),
        bearer: args.bearer.unwrap_or(old.bearer),
        life: args.longest_life.map_or(old.life, |bound| bound.0),
        within,
        presence: args.presence.unwrap_or(old.presence),
        budget: args.budget.map_or(old.budget, |n| (n > 0).then_some(n)),
    };
    if !policy.is_valid() {
        return Err(Error::usage(format!(
            "--subjects: at most {MAX_SUBJECTS} subjects of together {MAX_SUBJECTS_LEN} bytes, such as orders.>"
        )));
    }
    if policy == old {
        ctx.out.note("the policy is so already");
        return show(args, ctx, &old, key.generation, key.loosened);
    }
    let tighter = policy.narrower(&old);
    ctx.out.note(if tighter {
        "this allows nothing more: the PIN is enough"
    } else {
        "this allows more, or cannot be shown to allow less: it needs the button, and the key is marked as loosened"
    });
    line.unlock(ctx, &args.pin)?;
    line.done(match tighter {
        true => Command::Tighten { slot, policy },
        false => Command::Loosen { slot, policy },
    })?;
    let (_, now) = line.find_key(Some(&slot.to_string()))?;
    line.lock()?;
    show(args, ctx, &now.policy(), now.generation, now.loosened)
}

/// Lets an operator's key that was made on a token sign the operator's own claims, and its
/// accounts' as well where no signing key does: a new key signs accounts only.
///
/// # Errors
/// What the agent or the token says.
pub fn let_sign_operator(
    ctx: &mut Context,
    store: &str,
    key: &PublicKey,
    accounts: bool,
) -> Result<(), Error> {
    if !store.starts_with(PREFIX) {
        return Ok(());
    }
    let mut line = Line::by_agent(ctx, store)?;
    let (slot, found) = line.find_key(Some(&key.to_string()))?;
    let (mut claims, mut kinds) = (vec![Signable::Operator], vec![Kind::Operator]);
    if accounts {
        claims.push(Signable::Account);
        kinds.push(Kind::Account);
    }
    let policy = Policy {
        claims: Claims::of(&claims),
        kinds: Kinds::of(&kinds),
        ..found.policy()
    };
    ctx.out.note(format!(
        "{key} shall sign its operator's claims, which a new key does not"
    ));
    line.done(Command::Loosen { slot, policy })
}

fn show(
    args: &Args,
    ctx: &mut Context,
    policy: &Policy<'_>,
    generation: u32,
    loosened: bool,
) -> Result<(), Error> {
    let hash = HEXLOWER.encode(&policy_hash(policy));
    if args.json {
        let mut value = words::policy_json(policy);
        value["generation"] = json!(generation);
        value["loosened"] = json!(loosened);
        value["policy_hash"] = json!(hash);
        return ctx.out.json(&value);
    }
    let limit = |limit: Option<u32>, unit: &str| {
        limit.map_or_else(|| "no limit".to_owned(), |limit| format!("{limit}{unit}"))
    };
    let lines = [
        ("types", words::types(policy.claims)),
        ("subject kinds", words::kinds(policy.kinds)),
        ("bearer", policy.bearer.to_string()),
        ("longest life", limit(policy.life, " s")),
        (
            "subjects",
            policy
                .within
                .map_or_else(|| "any".to_owned(), |subjects| subjects.0.replace(' ', ",")),
        ),
        ("presence", words::presence(policy.presence)),
        ("budget", limit(policy.budget, " signatures per unlocking")),
        (
            "changed",
            match (generation, loosened) {
                (0, _) => "never".to_owned(),
                (1, true) => "once, loosened".to_owned(),
                (1, false) => "once, never loosened".to_owned(),
                (n, true) => format!("{n} times, loosened"),
                (n, false) => format!("{n} times, never loosened"),
            },
        ),
        ("policy hash", hash),
    ];
    for (what, value) in lines {
        let value = crate::output::clean_inline(&value);
        ctx.out.line(format!("{what:13}  {value}"))?;
    }
    Ok(())
}
