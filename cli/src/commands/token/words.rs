//! States, marks and policies in words, and back.

use nkey_core::nkey::Kind;
use nkey_core::policy::{Claims, Kinds, MAX_CACHED, Policy, Presence, Signable};
use nkey_core::token::{Fault, State};
use serde_json::{Value, json};

/// The word for a text that is no key.
const OTHER: &str = "other";

/// A state in a word.
pub const fn state(state: State) -> &'static str {
    match state {
        State::Empty => "empty",
        State::Locked => "locked",
        State::Unlocked => "unlocked",
        State::Blocked => "blocked",
        State::Error => "broken",
    }
}

/// What to do in a state where nothing else goes.
pub const fn advice(state: State) -> Option<&'static str> {
    match state {
        State::Empty => Some("nkey token init"),
        State::Blocked | State::Error => Some("nkey token reset"),
        State::Locked | State::Unlocked => None,
    }
}

/// A fault in words.
pub const fn fault(fault: Fault) -> &'static str {
    match fault {
        Fault::Flash => "its flash fails",
        Fault::Device => "the record that makes it this token is unreadable",
        Fault::Master => "the record of its master key is unreadable: the keys are lost",
        Fault::Tries => "the tries of its PIN cannot be told",
        Fault::Signatures => "its counter of signatures cannot be told",
        Fault::Time => "its times cannot be told",
        Fault::Random => "its random number generator failed its tests",
        Fault::Signature => "a signature came out wrong; plugging it in again clears this",
        Fault::Panic => "its firmware panicked; plugging it in again clears this",
    }
}

/// Names with commas, or `none`.
fn list(names: impl Iterator<Item = &'static str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(",")
    }
}

/// The types of claim, as `--types` takes them.
pub fn types(claims: Claims) -> String {
    list(
        Signable::ALL
            .into_iter()
            .filter(|one| claims.has(*one))
            .map(Signable::name),
    )
}

/// The kinds of subject, as `--subject-kinds` takes them.
pub fn kinds(kinds: Kinds) -> String {
    let keys = Kind::ALL
        .into_iter()
        .filter(|kind| kinds.has(Some(*kind)))
        .map(Kind::name);
    list(keys.chain(kinds.has(None).then_some(OTHER)))
}

/// The presence, as `--presence` takes it.
pub fn presence(presence: Presence) -> String {
    match presence {
        Presence::Always => "always".to_owned(),
        Presence::Cached(seconds) => format!("cached={seconds}"),
        Presence::Never => "never".to_owned(),
    }
}

/// A policy in one line.
pub fn policy(policy: &Policy<'_>) -> String {
    let mut words = vec![format!("signs {}", types(policy.claims))];
    if policy.bearer {
        words.push("bearers".to_owned());
    }
    if let Some(life) = policy.life {
        words.push(format!("life {life} s"));
    }
    if policy.within.is_some() {
        words.push("subjects".to_owned());
    }
    if let Some(budget) = policy.budget {
        words.push(format!("budget {budget}"));
    }
    words.push(format!("press {}", presence(policy.presence)));
    words.join("; ")
}

/// A policy as JSON.
pub fn policy_json(policy: &Policy<'_>) -> Value {
    let subjects: Option<Vec<&str>> = policy.within.map(|subjects| subjects.iter().collect());
    let names = |text: String| -> Vec<String> {
        text.split(',')
            .filter(|name| *name != "none")
            .map(str::to_owned)
            .collect()
    };
    json!({
        "types": names(types(policy.claims)),
        "subject_kinds": names(kinds(policy.kinds)),
        "bearer": policy.bearer,
        "longest_life": policy.life,
        "subjects": subjects,
        "presence": presence(policy.presence),
        "budget": policy.budget,
    })
}

/// What `--types` says.
///
/// # Errors
/// Names the types.
pub fn parse_types(text: &str) -> Result<Claims, String> {
    let mut claims = Vec::new();
    for name in parts(text) {
        let found = Signable::ALL.into_iter().find(|one| one.name() == name);
        claims.push(found.ok_or_else(|| {
            let all = list(Signable::ALL.into_iter().map(Signable::name));
            format!("\"{name}\" is none of {all}, none")
        })?);
    }
    Ok(Claims::of(&claims))
}

/// What `--subject-kinds` says.
///
/// # Errors
/// Names the kinds.
pub fn parse_kinds(text: &str) -> Result<Kinds, String> {
    let mut kinds = Kinds::NONE;
    for name in parts(text) {
        kinds.0 |= match Kind::from_name(name) {
            Some(kind) => Kinds::of(&[kind]).0,
            None if name == OTHER => Kinds::OTHER.0,
            None => {
                let all = list(Kind::ALL.into_iter().map(Kind::name));
                return Err(format!("\"{name}\" is none of {all},{OTHER}, none"));
            }
        };
    }
    Ok(kinds)
}

/// What `--presence` says.
///
/// # Errors
/// Names the forms.
pub fn parse_presence(text: &str) -> Result<Presence, String> {
    let wrong =
        || format!("\"{text}\" is none of always, cached=SECONDS (at most {MAX_CACHED}), never");
    match text {
        "always" => Ok(Presence::Always),
        "never" => Ok(Presence::Never),
        _ => text
            .strip_prefix("cached=")
            .and_then(|seconds| seconds.parse().ok())
            .filter(|seconds| (1..=MAX_CACHED).contains(seconds))
            .map(Presence::Cached)
            .ok_or_else(wrong),
    }
}

/// The names in a list with commas; none of `none`.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty() && *name != "none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_again() {
        for bits in 0..128 {
            assert_eq!(parse_types(&types(Claims(bits))), Ok(Claims(bits)));
            assert_eq!(parse_kinds(&kinds(Kinds(bits))), Ok(Kinds(bits)));
        }
        for one in [Presence::Always, Presence::Cached(60), Presence::Never] {
            assert_eq!(parse_presence(&presence(one)), Ok(one));
        }
    }

    #[test]
    fn other_words_are_refused_with_the_right_ones() {
        assert!(
            parse_types("users")
                .unwrap_err()
                .contains("user,activation")
        );
        assert!(parse_kinds("user,x").unwrap_err().contains("\"x\""));
        for bad in ["", "cached", "cached=0", "cached=86401", "sometimes"] {
            assert!(
                parse_presence(bad).unwrap_err().contains("cached=SECONDS"),
                "{bad}"
            );
        }
    }
}
