//! Two claims compared, field by field.

use crate::output::clean_inline;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The field, such as `nats.limits.conn` or `nats.exports[orders.>]`.
    pub field: String,
    /// What it says now; none if it is not there.
    pub before: Option<Value>,
    /// What it would say; none if it would go.
    pub after: Option<Value>,
}

impl Change {
    /// The change on one line; of long values, such as tokens, the beginning.
    pub fn line(&self) -> String {
        let [before, after] = [&self.before, &self.after].map(|value| value.as_ref().map(short));
        let text = match (before, after) {
            (Some(before), Some(after)) => format!("  {}: {before} -> {after}", self.field),
            (None, Some(after)) => format!("+ {}: {after}", self.field),
            (Some(before), None) => format!("- {}: {before}", self.field),
            (None, None) => String::new(),
        };
        clean_inline(&text)
    }
}

/// The longest text that is shown whole, in characters.
const SHOWN: usize = 160;

fn short(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(key, value)| format!("{:?}:{}", key, short(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            format!(
                "[{}]",
                items.iter().map(short).collect::<Vec<_>>().join(",")
            )
        }
        value => {
            let text = value.to_string();
            match text.char_indices().nth(SHOWN) {
                Some((end, _)) => format!("{}…\"", &text[..end]),
                None => text,
            }
        }
    }
}

/// What changes when claims `before` become `after`. `jti` follows from the rest.
pub fn compare(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    walk("", Some(before), Some(after), &mut changes);
    changes.retain(|change| change.field != "jti");
    changes
}

fn walk(field: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<Change>) {
    match (before, after) {
        (before, after) if before == after => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            for key in names(old, new) {
                let path = match field {
                    "" => key.to_owned(),
                    field => format!("{field}.{key}"),
                };
                walk(&path, old.get(key), new.get(key), changes);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => list(field, old, new, changes),
        (before, after) => changes.push(Change {
            field: field.to_owned(),
            before: before.cloned(),
            after: after.cloned(),
        }),
    }
}

/// The members of both, in their order.
fn names<'v>(old: &'v Map<String, Value>, new: &'v Map<String, Value>) -> Vec<&'v str> {
    let mut names: Vec<&str> = old.keys().map(String::as_str).collect();
    names.extend(
        new.keys()
            .map(String::as_str)
            .filter(|key| !old.contains_key(*key)),
    );
    names
}

/// Items are the same by what names them; where that is not unique, by their place.
fn list(field: &str, old: &[Value], new: &[Value], changes: &mut Vec<Change>) {
    let identities = |items: &[Value]| items.iter().map(identity).collect::<Vec<_>>();
    let (old_ids, new_ids) = (identities(old), identities(new));
    let unique = |ids: &[String]| ids.iter().collect::<BTreeSet<_>>().len() == ids.len();
    if !unique(&old_ids) || !unique(&new_ids) {
        for index in 0..old.len().max(new.len()) {
            let path = format!("{field}[{index}]");
            walk(&path, old.get(index), new.get(index), changes);
        }
        return;
    }
    let place = |ids: &[String], id: &String| ids.iter().position(|other| other == id);
    for (id, item) in old_ids.iter().zip(old) {
        let other = place(&new_ids, id).and_then(|at| new.get(at));
        walk(&format!("{field}[{id}]"), Some(item), other, changes);
    }
    for (id, item) in new_ids.iter().zip(new) {
        if place(&old_ids, id).is_none() {
            walk(&format!("{field}[{id}]"), None, Some(item), changes);
        }
    }
}

/// What names an item of a list: itself, its key, or its subject and account.
fn identity(item: &Value) -> String {
    let Value::Object(members) = item else {
        return item
            .as_str()
            .map_or_else(|| item.to_string(), str::to_owned);
    };
    let text = |key: &str| members.get(key).and_then(Value::as_str);
    if let Some(key) = text("key") {
        return key.to_owned();
    }
    let parts = ["subject", "account", "type", "cluster", "start"];
    let named: Vec<&str> = parts.into_iter().filter_map(text).collect();
    if named.is_empty() {
        item.to_string()
    } else {
        named.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(before: Value, after: Value) -> Vec<String> {
        compare(&before, &after).iter().map(Change::line).collect()
    }

    #[test]
    fn fields_are_named_by_their_path_and_items_by_what_they_are() {
        let before = json!({"jti": "a", "iat": 1, "nats": {
            "limits": {"conn": -1, "subs": -1},
            "exports": [{"subject": "a", "type": "stream"}, {"subject": "b", "type": "stream"}],
            "signing_keys": ["A1", {"key": "A2", "role": "r"}],
            "revocations": {"U1": 5},
        }});
        let after = json!({"jti": "b", "iat": 2, "nats": {
            "limits": {"conn": 10, "subs": -1},
            "exports": [{"subject": "b", "type": "stream", "description": "x"}],
            "signing_keys": [{"key": "A2", "role": "s"}, "A3"],
            "revocations": {"U1": 5, "*": 6},
        }});
        assert_eq!(
            lines(before.clone(), after),
            [
                "  iat: 1 -> 2",
                "  nats.limits.conn: -1 -> 10",
                r#"- nats.exports[a stream]: {"subject":"a","type":"stream"}"#,
                r#"+ nats.exports[b stream].description: "x""#,
                r#"- nats.signing_keys[A1]: "A1""#,
                r#"  nats.signing_keys[A2].role: "r" -> "s""#,
                r#"+ nats.signing_keys[A3]: "A3""#,
                "+ nats.revocations.*: 6",
            ]
        );
        assert!(lines(before.clone(), before).is_empty());
    }

    #[test]
    fn items_that_share_a_name_are_compared_by_place_and_kinds_may_differ() {
        assert_eq!(
            lines(json!({"x": ["a", "a"]}), json!({"x": ["a", "b"]})),
            [r#"  x[1]: "a" -> "b""#]
        );
        assert_eq!(
            lines(json!({"x": []}), json!({"x": {"y": null}})),
            [r#"  x: [] -> {"y":null}"#]
        );
    }
}
