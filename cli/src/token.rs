//! Tokens that people hand over, read as Go reads them.

use crate::error::Error;
use crate::output::clean_inline;
use crate::source;
use nkey_core::creds;
use nkey_core::json::{Node, Write, Writer};
use nkey_core::jwt::{self, Algorithm, Parts};
use nkey_core::nkey::PublicKey;
use nkey_core::tolerant::{self, AnyClaims, DecodeError, Notes};

/// The token that an argument is, or that the file it names holds; of standard input for `-` or none.
/// A creds file and other decorations are taken off.
///
/// # Errors
/// If there is nothing to read.
pub fn read(argument: Option<&str>) -> Result<String, Error> {
    let argument = argument.unwrap_or("-");
    if is_token(argument) {
        return Ok(argument.to_owned());
    }
    let text = source::read(argument, source::MAX_TEXT)?;
    let token = creds::parse_token(&text);
    if token.is_empty() {
        return Err(Error::failed(format!(
            "{} holds no JWT",
            clean_inline(argument)
        )));
    }
    Ok(token.to_owned())
}

/// Whether a text looks like a token.
pub fn is_token(text: &str) -> bool {
    text.starts_with("eyJ") && text.split('.').count() == 3
}

/// What a token says, whether or not its signature is right.
pub struct Inspection {
    /// The payload as it stands, repeated and unknown members included.
    pub payload: Node,
    /// What the header says.
    pub algorithm: Algorithm,
    /// The claims as Go reads them.
    pub claims: AnyClaims,
    /// What reading passed over.
    pub notes: Notes,
    /// The key that signed, or why the token is not one that servers take.
    pub signed: Result<PublicKey, DecodeError>,
}

/// Takes a token apart and checks its signature.
///
/// # Errors
/// If there are no claims to be read.
pub fn inspect(token: &str) -> Result<Inspection, Error> {
    let unread = |error: jwt::Error| Error::failed(format!("this is no JWT: {error}"));
    let parts = Parts::new(token).map_err(unread)?;
    let mut scratch = vec![0u8; parts.payload_len().map_err(unread)?];
    let json = parts.decode_payload(&mut scratch).map_err(unread)?;
    let failed = |error: &dyn std::fmt::Display| {
        Error::failed(format!("the payload is not that of a claim: {error}"))
    };
    let payload = Node::parse(json).map_err(|error| failed(&error))?;
    let algorithm = parts.algorithm;
    Ok(match tolerant::decode(token) {
        Ok(decoded) => Inspection {
            payload,
            algorithm,
            claims: decoded.claims,
            notes: decoded.notes,
            signed: Ok(decoded.iss),
        },
        Err(error) => {
            let (claims, notes) = tolerant::read_claims(json).map_err(|error| failed(&error))?;
            Inspection {
                payload,
                algorithm,
                claims,
                notes,
                signed: Err(error),
            }
        }
    })
}

impl Inspection {
    /// The key that signed.
    ///
    /// # Errors
    /// Says what is wrong with the token, and how to see it all the same.
    pub fn require_signed(&self) -> Result<PublicKey, Error> {
        match &self.signed {
            Ok(key) => Ok(*key),
            Err(error) => Err(Error::failed(format!(
                "servers do not take this token: {error}; `nkey decode` shows what it says"
            ))),
        }
    }
}

/// One sentence for each thing that reading passed over.
pub fn warnings(notes: &Notes) -> Vec<String> {
    let unknown = notes.unknown.iter().map(|(path, value)| {
        format!(
            "`{path}` is not a member of these claims; servers pass over it: {}",
            compact(value)
        )
    });
    let spelled = notes.spelled.iter().map(|path| {
        format!("`{path}` is written in another letter case; servers take it for the member all the same")
    });
    let repeated = notes
        .repeated
        .iter()
        .map(|path| format!("`{path}` stands more than once; for servers the last one counts"));
    unknown.chain(spelled).chain(repeated).collect()
}

/// JSON in one line.
pub fn compact(value: &impl Write) -> String {
    written(value, false)
}

/// The same value, of repeated members the last, as servers read it.
pub fn value(node: &Node) -> serde_json::Value {
    serde_json::from_str(&compact(node)).unwrap_or_default()
}

/// JSON indented by two spaces.
pub fn indented(value: &impl Write) -> String {
    written(value, true)
}

fn written(value: &impl Write, indented: bool) -> String {
    let mut buf = vec![0u8; 4096];
    loop {
        let mut out = if indented {
            Writer::indented(&mut buf)
        } else {
            Writer::new(&mut buf)
        };
        value.write(&mut out);
        let needed = out.len();
        if needed <= buf.len() {
            buf.truncate(needed);
            return String::from_utf8_lossy(&buf).into_owned();
        }
        buf.resize(needed, 0);
    }
}

/// The member at `path`, such as `nats.limits.conn` or `nats.signing_keys[0]`.
///
/// # Errors
/// Exit 2 if the path itself is wrong; an absent member is `null`, as nsc prints it.
pub fn field(document: &Node, path: &str) -> Result<Node, Error> {
    let wrong = || {
        Error::usage(format!(
            "{} is no path to a field; try nats.limits.conn",
            clean_inline(path)
        ))
    };
    let mut node = Some(document);
    for step in path.split('.') {
        let (key, indexes) = match step.find('[') {
            Some(at) => step.split_at(at),
            None => (step, ""),
        };
        if key.is_empty() {
            return Err(wrong());
        }
        node = node.and_then(|node| node.get(key));
        for index in indexes.split_terminator(']') {
            let index: usize = index
                .strip_prefix('[')
                .and_then(|index| index.parse().ok())
                .ok_or_else(wrong)?;
            node = match node {
                Some(Node::List(items)) => items.get(index),
                _ => None,
            };
        }
        if !indexes.is_empty() && !indexes.ends_with(']') {
            return Err(wrong());
        }
    }
    Ok(node.cloned().unwrap_or(Node::Null))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_its_field() {
        let document = Node::parse(br#"{"a":{"b":[1,{"c":"x"}]},"d.e":2}"#).unwrap();
        let at = |path| {
            field(&document, path)
                .map(|node| compact(&node))
                .map_err(|error| error.code())
        };
        assert_eq!(at("a.b[0]").as_deref(), Ok("1"));
        assert_eq!(at("a.b[1].c").as_deref(), Ok("\"x\""));
        assert_eq!(at("a.b").as_deref(), Ok(r#"[1,{"c":"x"}]"#));
        for absent in ["a.x", "a.b[7]", "a[0]", "x.y.z"] {
            assert_eq!(at(absent).as_deref(), Ok("null"), "{absent}");
        }
        for wrong in [
            "", "a..b", "a.b[", "a.b[x]", "a.b[-1]", "a.b[0", "[0]", "a.b[0]x",
        ] {
            assert_eq!(at(wrong), Err(2), "{wrong}");
        }
    }

    #[test]
    fn what_go_would_read_otherwise_is_said() {
        let json =
            br#"{"sub":"x","Sub":"y","sub":"z","nats":{"type":"user","version":2,"more":[1]}}"#;
        let (_, notes) = tolerant::read_claims(json).unwrap();
        let said = warnings(&notes).join("\n");
        for part in [
            "`nats.more` is not a member",
            ": [1]",
            "`Sub` is written in another letter case",
            "`sub` stands more than once",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }

    #[test]
    fn a_damaged_token_is_shown_and_not_taken() {
        let example = include_str!("../../tests/fixtures/seed-example.txt");
        let token = example
            .split("\nuser jwt: ")
            .nth(1)
            .and_then(|rest| rest.lines().next())
            .unwrap();
        assert!(inspect(token).unwrap().require_signed().is_ok());
        let mut damaged = token.to_owned();
        damaged.replace_range(token.len() - 40..token.len() - 39, "A");
        let inspection = inspect(&damaged).unwrap();
        assert_eq!(inspection.claims.standard().name, "my-user");
        let error = inspection.require_signed().unwrap_err().to_string();
        assert!(
            error.contains("signature") && error.contains("nkey decode"),
            "{error}"
        );
        assert!(inspect("a.b").is_err_and(|error| error.to_string().contains("three parts")));
    }
}
