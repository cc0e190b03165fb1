//! What a server answers to a request about accounts.

use serde::Deserialize;
use serde_json::Value;

/// The longest answer that is read, in bytes: nats-server's largest message.
const MAX_REPLY: usize = 64 * 1024 * 1024;

/// Who answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Server {
    /// Its name; several may have the same.
    #[serde(default)]
    pub name: String,
    /// Its identity.
    #[serde(default)]
    pub id: String,
}

impl Server {
    /// How people call it.
    pub fn shown(&self) -> &str {
        if self.name.is_empty() {
            &self.id
        } else {
            &self.name
        }
    }
}

/// The answer of one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The server.
    pub server: Server,
    /// What it says, or why it refused.
    pub result: Result<Value, String>,
}

impl Reply {
    /// What it says for people, if it did what was asked.
    pub fn message(&self) -> Result<&str, &str> {
        match &self.result {
            Ok(data) => Ok(data
                .get("message")
                .and_then(Value::as_str)
                .unwrap_or("done")),
            Err(reason) => Err(reason),
        }
    }

    /// The account that it is about, if it says so.
    pub fn account(&self) -> Option<&str> {
        self.result.as_ref().ok()?.get("account")?.as_str()
    }
}

#[derive(Deserialize)]
struct Answer {
    server: Option<Server>,
    data: Option<Value>,
    error: Option<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    #[serde(default)]
    description: String,
}

/// Reads an answer: `{"server":{…},"data":…}` or `{"server":{…},"error":{…}}`.
///
/// # Errors
/// If it has neither form.
pub fn read(payload: &[u8]) -> Result<Reply, String> {
    if payload.len() > MAX_REPLY {
        return Err(format!("an answer of {} bytes", payload.len()));
    }
    let answer: Answer = serde_json::from_slice(payload)
        .map_err(|error| format!("an answer that is not understood: {error}"))?;
    let server = answer.server.ok_or("an answer without a server")?;
    if server.shown().is_empty() {
        return Err("an answer of a server without a name".to_owned());
    }
    let result = match (answer.error, answer.data) {
        (Some(fault), _) if fault.description.is_empty() => Err("no reason given".to_owned()),
        (Some(fault), _) => Err(fault.description),
        (None, Some(data)) => Ok(data),
        (None, None) => return Err("an answer with neither data nor error".to_owned()),
    };
    Ok(Reply { server, result })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_forms_of_nats_server_are_read() {
        let reply = |text: &str| read(text.as_bytes());
        let ok = r#"{"server":{"name":"s1","id":"NID","host":"h"},"data":{"account":"A","code":200,"message":"jwt updated"}}"#;
        let read_ok = reply(ok).unwrap();
        assert_eq!(read_ok.server.shown(), "s1");
        assert_eq!(read_ok.message(), Ok("jwt updated"));
        assert_eq!(read_ok.account(), Some("A"));
        let no = r#"{"server":{"id":"NID"},"error":{"account":"A","code":500,"description":"jwt validation failed"}}"#;
        let read_no = reply(no).unwrap();
        assert_eq!(read_no.server.shown(), "NID");
        assert_eq!(read_no.message(), Err("jwt validation failed"));
        for bad in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"server":{},"data":{}}"#,
            r#"{"server":{"id":"x"}}"#,
            r#"{"data":{}}"#,
            "\u{1b}",
        ] {
            reply(bad).unwrap_err();
        }
        assert!(read(&vec![b' '; MAX_REPLY + 1]).is_err());
    }
}
