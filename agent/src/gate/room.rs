//! What takes the most room in claims that are too large.

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

/// How many fields are named.
const NAMED: usize = 3;

/// The largest fields of a JWT signing input with the bytes they take in it, the largest first:
/// `nats.exports 812, nats.imports 300`. Nothing for what is no JWT.
pub fn largest(data: &[u8]) -> Option<String> {
    let dot = data.iter().position(|byte| *byte == b'.')?;
    let payload = BASE64URL_NOPAD.decode(data.get(dot + 1..)?).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    let claims = claims.as_object()?;
    let top = claims.iter().filter(|(name, _)| *name != "nats");
    let nats = claims.get("nats").and_then(Value::as_object);
    let mut sizes: Vec<(usize, String)> = top
        .map(|(name, value)| (name, value, ""))
        .chain(
            nats.into_iter()
                .flatten()
                .map(|(name, value)| (name, value, "nats.")),
        )
        .map(|(name, value, within)| {
            let bytes = name.len() + 4 + value.to_string().len();
            // Four characters of base64 carry three bytes.
            (bytes * 4 / 3, format!("{within}{name}"))
        })
        .collect();
    sizes.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
    let named: Vec<String> = sizes
        .iter()
        .take(NAMED)
        .map(|(size, name)| format!("{name} {size}"))
        .collect();
    (!named.is_empty()).then(|| named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_fields_come_first_and_what_is_no_jwt_has_none() {
        let imports = "x".repeat(300);
        let claims = format!(
            r#"{{"jti":"J","iss":"I","nats":{{"exports":[1,2,3],"imports":["{imports}"],"type":"account"}}}}"#
        );
        let data = format!("header.{}", BASE64URL_NOPAD.encode(claims.as_bytes()));
        let named = largest(data.as_bytes()).unwrap();
        assert!(named.starts_with("nats.imports 42"), "{named}");
        assert!(named.contains(", nats.type "), "{named}");
        for none in ["abc", "a.b", "a.", "a.bnVsbA"] {
            assert_eq!(largest(none.as_bytes()), None);
        }
    }
}
