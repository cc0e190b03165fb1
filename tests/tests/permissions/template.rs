//! What nats-server makes of the templates of a scope (`processUserPermissionsTemplate`).

use nkey_core::claims::owned::{Permission, Permissions};

/// Most subjects of one list.
const MOST: usize = 4096;

/// Whose values stand for the templates.
pub struct Values<'a> {
    /// The user's name.
    pub name: &'a str,
    /// The user's public key.
    pub subject: &'a str,
    /// The user's tags.
    pub tags: &'a [String],
    /// The account's name.
    pub account_name: &'a str,
    /// The account's public key.
    pub account_subject: &'a str,
    /// The account's tags.
    pub account_tags: &'a [String],
}

/// The permissions that a user gets; none: the server refuses the user.
pub fn expand(template: &Permissions, values: &Values<'_>) -> Option<Permissions> {
    let mut permissions = template.clone();
    for permission in [&mut permissions.subscribe, &mut permissions.publish] {
        let Permission { allow, deny } = permission.get_or_insert_default();
        let allowed_some = !allow.is_empty();
        *allow = list(allow, values, false)?;
        *deny = list(deny, values, true)?;
        if allowed_some && allow.is_empty() {
            deny.push(">".to_owned());
        }
    }
    Some(permissions)
}

fn list(subjects: &[String], values: &Values<'_>, strict: bool) -> Option<Vec<String>> {
    if !subjects.iter().any(|subject| next(subject).is_some()) {
        return Some(subjects.to_vec());
    }
    let mut found = Vec::new();
    for subject in subjects {
        let mut made = vec![subject.clone()];
        let (mut rest, mut product) = (subject.as_str(), 1usize);
        while let Some((template, after)) = next(rest) {
            rest = after;
            let choices = choices(template, values, strict)?;
            product = product.checked_mul(choices.len())?;
            if product > MOST {
                return None;
            }
            made = made
                .iter()
                .flat_map(|text| choices.iter().map(|value| text.replace(template, value)))
                .collect();
        }
        if found.len() + product > MOST {
            return None;
        }
        for subject in made {
            if is_valid(&subject) {
                found.push(subject);
            } else if strict {
                return None;
            }
        }
    }
    Some(found)
}

/// The next `{{…}}` and what follows it.
fn next(text: &str) -> Option<(&str, &str)> {
    let start = text.find("{{")?;
    let end = start + text[start..].find("}}")? + 2;
    Some((&text[start..end], &text[end..]))
}

fn choices(template: &str, values: &Values<'_>, strict: bool) -> Option<Vec<String>> {
    let operation = template[2..template.len() - 2].trim();
    let is = |name: &str| operation.eq_ignore_ascii_case(name);
    let one = |value: &str| Some(vec![value.to_owned()]);
    if is("name()") {
        return one(values.name);
    } else if is("subject()") {
        return one(values.subject);
    } else if is("account-name()") {
        return one(values.account_name);
    } else if is("account-subject()") {
        return one(values.account_subject);
    }
    for (name, tags) in [("tag(", values.tags), ("account-tag(", values.account_tags)] {
        let fits = operation
            .get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name));
        if !fits || !operation.ends_with(')') {
            continue;
        }
        // Go cuts off the name only in lower case: `TAG(x)` asks for the tag `tag(x`.
        let tag = operation.strip_prefix(name).unwrap_or(operation);
        let tag = tag.strip_suffix(')').unwrap_or(tag).to_lowercase() + ":";
        let found: Vec<String> = tags
            .iter()
            .filter_map(|held| held.strip_prefix(&tag))
            .map(str::to_owned)
            .collect();
        return match (found.is_empty(), strict) {
            (false, _) => Some(found),
            (true, true) => None,
            // A subject that is not valid, and so is dropped.
            (true, false) => one(" "),
        };
    }
    None
}

/// `IsValidSubject` of nats-server.
pub fn is_valid(subject: &str) -> bool {
    let mut tokens = subject.split('.').peekable();
    while let Some(token) = tokens.next() {
        let blank = token.contains(['\t', '\n', '\u{c}', '\r', ' ']);
        if token.is_empty() || blank || (token == ">" && tokens.peek().is_some()) {
            return false;
        }
    }
    true
}
