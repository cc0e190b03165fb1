//! Random rules over few tokens, and subjects near their borders.

use crate::random::Random;
use crate::rights::{Rights, Rule};
use nkey_core::claims::owned::{Permission, Permissions, ResponsePermission};
use std::collections::BTreeSet;

const TOKENS: [&str; 6] = ["a", "b", "red", "blue", "ann", "x*"];
const TEMPLATES: [&str; 15] = [
    "{{name()}}",
    "{{name()}}",
    "{{subject()}}",
    "{{account-name()}}",
    "{{account-subject()}}",
    "{{tag(team)}}",
    "{{tag(team)}}",
    "{{tag(dept)}}",
    "{{tag(none)}}",
    "{{account-tag(region)}}",
    "{{account-tag(team)}}",
    "{{ Name() }}",
    "{{TAG(team)}}",
    "n-{{name()}}-{{tag(team)}}",
    "{{nothing()}}",
];
const GROUPS: [&str; 5] = ["q", "q.a", "q.*", "q.>", "*"];

/// Which parts of rules there may be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A user's own, or an account's default ones.
    Plain,
    /// A scope's.
    Template,
}

fn pattern(random: &mut Random, style: Style) -> String {
    let depth = 1 + random.below(4);
    let mut tokens: Vec<String> = Vec::new();
    for at in 0..depth {
        let token = match random.below(100) {
            0..20 => "*",
            20..40 if at > 0 && at + 1 == depth => ">",
            // Where there is no scope, this is a token as any other.
            40..44 if style == Style::Plain => "{{name()}}",
            // The last one makes the server refuse every user.
            40..75 if style == Style::Template => {
                let end = TEMPLATES.len() - usize::from(!random.chance(5));
                TEMPLATES[random.below(end)]
            }
            _ => TOKENS[random.below(TOKENS.len())],
        };
        tokens.push(token.to_owned());
    }
    tokens.join(".")
}

fn patterns(random: &mut Random, style: Style, most: usize, groups: usize) -> Vec<String> {
    let count = 1 + random.below(most);
    let mut found: Vec<String> = (0..count)
        .map(|_| {
            let subject = pattern(random, style);
            match random.chance(groups) {
                true => format!("{subject} {}", random.pick(&GROUPS)),
                false => subject,
            }
        })
        .collect();
    if random.chance(8) {
        found.push(">".to_owned());
    }
    found
}

/// Random permissions, sometimes none.
pub fn permissions(random: &mut Random, style: Style) -> Permissions {
    let mut rule = |allowed: usize, groups: usize, bad_groups: usize| {
        let allow = random.chance(allowed);
        Permission {
            allow: match allow {
                true => patterns(random, style, 4, groups + bad_groups),
                false => Vec::new(),
            },
            deny: match random.chance(50) {
                true => patterns(random, style, 3, groups),
                false => Vec::new(),
            },
        }
    };
    // Only in a template does a queue group get past validation where one publishes.
    let bad_groups = if style == Style::Template { 4 } else { 0 };
    let publish = Some(rule(70, 0, bad_groups));
    let subscribe = Some(rule(75, 25, 0));
    let resp = random.chance(25).then(|| ResponsePermission {
        max: Some(random.pick(&[0, 1, 2, 3, -1])),
        ttl: Some(random.pick(&[0, 0, -1, 10_000_000_000, 250_000_000])),
    });
    Permissions {
        publish,
        subscribe,
        resp,
    }
}

/// Subjects without wildcards on both sides of the rule's borders, and elsewhere.
pub fn literals(random: &mut Random, rule: &Rule, most: usize) -> Vec<String> {
    let mut found = BTreeSet::new();
    let entries = rule.allow.iter().flatten().chain(&rule.deny);
    for entry in entries {
        let tokens: Vec<&str> = entry.subject.split('.').collect();
        let inside = instance(random, &tokens);
        found.insert(inside.join("."));
        found.insert(near(random, inside));
    }
    while found.len() < 5 {
        let depth = 1 + random.below(4);
        let tokens: Vec<String> = (0..depth)
            .map(|_| random.pick(&TOKENS).to_owned())
            .collect();
        found.insert(tokens.join("."));
    }
    sample(random, found, most)
}

/// Subscriptions near the rule's borders: subject and queue group.
pub fn subscriptions(
    random: &mut Random,
    rights: &Rights,
    most: usize,
) -> Vec<(String, Option<String>)> {
    let rule = &rights.subscribe;
    let mut subjects: BTreeSet<String> = literals(random, rule, most).into_iter().collect();
    for entry in rule.allow.iter().flatten().chain(&rule.deny) {
        let tokens: Vec<&str> = entry.subject.split('.').collect();
        subjects.insert(entry.subject.clone());
        let mut wider: Vec<&str> = tokens.clone();
        let at = random.below(wider.len());
        if random.chance(50) {
            wider.truncate(at + 1);
            wider[at] = ">";
        } else if wider[at] != ">" {
            wider[at] = "*";
        }
        subjects.insert(wider.join("."));
        if tokens.last() == Some(&">") {
            let mut narrower = tokens;
            narrower.pop();
            narrower.extend(["a", "*"]);
            subjects.insert(narrower.join("."));
        }
    }
    let groups = ["q", "q.a", "q.b", "q.a.b", "other"];
    let mut found = BTreeSet::new();
    for subject in subjects {
        found.insert((subject.clone(), Some(random.pick(&groups).to_owned())));
        found.insert((subject, None));
    }
    sample(random, found, most)
}

/// A subject that a pattern stands for.
fn instance(random: &mut Random, tokens: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for token in tokens {
        match *token {
            "*" => found.push(random.pick(&TOKENS).to_owned()),
            ">" => {
                let count = 1 + random.below(2);
                found.extend((0..count).map(|_| random.pick(&TOKENS).to_owned()));
            }
            token => found.push(token.to_owned()),
        }
    }
    found
}

/// A neighbour: one token more, less or another.
fn near(random: &mut Random, mut tokens: Vec<String>) -> String {
    match random.below(3) {
        0 if tokens.len() > 1 => {
            tokens.pop();
        }
        1 => tokens.push(random.pick(&TOKENS).to_owned()),
        _ => {
            let at = random.below(tokens.len());
            tokens[at] = random.pick(&["zz", "a", "red", "ann"]).to_owned();
        }
    }
    tokens.join(".")
}

fn sample<T: Ord>(random: &mut Random, from: BTreeSet<T>, most: usize) -> Vec<T> {
    let mut found: Vec<T> = from.into_iter().collect();
    while found.len() > most {
        found.swap_remove(random.below(found.len()));
    }
    found
}
