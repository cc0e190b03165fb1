//! What an edit has changed: the members that differ between two payloads.

use crate::output::clean_inline;
use serde::Serialize;
use serde_json::Value;

/// Members that every new token sets.
const STAMPED: [&str; 3] = ["iat", "iss", "jti"];
/// The longest text of a value that is shown whole, in characters.
const SHOWN: usize = 120;

/// A member that differs; `null` where it was or is absent.
#[derive(Debug, PartialEq, Serialize)]
pub struct Change {
    /// The member, as keys divided by dots.
    pub field: String,
    /// What stood there.
    pub before: Value,
    /// What stands there.
    pub after: Value,
}

impl Change {
    /// The change in one line.
    pub fn line(&self) -> String {
        let field = clean_inline(&self.field);
        match (&self.before, &self.after) {
            (Value::Null, after) => format!("{field}: added {}", short(after)),
            (before, Value::Null) => format!("{field}: removed {}", short(before)),
            (before, after) => format!("{field}: {} is now {}", short(before), short(after)),
        }
    }
}

fn short(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", clean_inline(&text[..end])),
        None => clean_inline(&text),
    }
}

/// The members of two claims that differ, apart from what signing sets.
pub fn between(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare("", before, after, &mut changes);
    changes.retain(|change| !STAMPED.contains(&change.field.as_str()));
    changes
}

fn compare(path: &str, before: &Value, after: &Value, changes: &mut Vec<Change>) {
    match (before, after) {
        _ if before == after => {}
        (Value::Object(old), Value::Object(new)) => {
            let added = new.keys().filter(|key| !old.contains_key(*key));
            for key in old.keys().chain(added) {
                let field = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                let member = |object: &serde_json::Map<String, Value>| {
                    object.get(key).cloned().unwrap_or_default()
                };
                compare(&field, &member(old), &member(new), changes);
            }
        }
        (Value::Array(old), Value::Array(new)) => lists(path, old, new, changes),
        (Value::Array(old), Value::Null) => lists(path, old, &[], changes),
        (Value::Null, Value::Array(new)) => lists(path, &[], new, changes),
        _ => changes.push(Change {
            field: path.to_owned(),
            before: before.clone(),
            after: after.clone(),
        }),
    }
}

/// What names an element of a list: a subject, or the key of a scope.
fn identity(value: &Value) -> Option<&str> {
    ["subject", "key"]
        .iter()
        .find_map(|key| value.get(key)?.as_str())
}

fn lists(path: &str, old: &[Value], new: &[Value], changes: &mut Vec<Change>) {
    let mut added: Vec<&Value> = new.iter().collect();
    let mut removed: Vec<&Value> = Vec::new();
    for value in old {
        match added.iter().position(|other| *other == value) {
            Some(at) => drop(added.remove(at)),
            None => removed.push(value),
        }
    }
    for value in removed {
        let name = identity(value);
        let same = |other: &&&Value| name.is_some() && identity(other) == name;
        if let (Some(name), Some(at)) = (name, added.iter().position(|other| same(&other))) {
            let after = added.remove(at);
            compare(&format!("{path}[{name}]"), value, after, changes);
        } else {
            changes.push(Change {
                field: path.to_owned(),
                before: value.clone(),
                after: Value::Null,
            });
        }
    }
    changes.extend(added.into_iter().map(|value| Change {
        field: path.to_owned(),
        before: Value::Null,
        after: value.clone(),
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_differs_is_shown_and_not_what_signing_sets() {
        let before = json!({
            "iat": 1, "jti": "a", "name": "A",
            "nats": { "limits": { "conn": -1 }, "tags": ["a", "b"], "exports": [{ "subject": "x", "type": "stream" }] }
        });
        let after = json!({
            "iat": 2, "jti": "b", "name": "A", "exp": 9,
            "nats": { "limits": { "conn": 5 }, "tags": ["b", "c\n"], "exports": [{ "subject": "x", "type": "service" }] }
        });
        let lines: Vec<String> = between(&before, &after).iter().map(Change::line).collect();
        assert_eq!(
            lines,
            [
                "nats.limits.conn: -1 is now 5",
                "nats.tags: removed a",
                "nats.tags: added c\\n",
                "nats.exports[x].type: stream is now service",
                "exp: added 9",
            ]
        );
        let lists = between(&json!({}), &json!({ "l": [1, 1] }));
        assert_eq!(lists.len(), 2);
        assert_eq!(between(&before, &before), []);
        let long = Change {
            field: "f".to_owned(),
            before: Value::Null,
            after: json!("ä".repeat(200)),
        };
        assert!(long.line().ends_with("ä…"));
    }
}
