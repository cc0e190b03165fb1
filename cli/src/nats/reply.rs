//! What a server answers to a request about accounts.

use serde::Deserialize;

/// The longest answer that is read, in bytes: a message's default limit.
const MAX_REPLY: usize = 1024 * 1024;

/// The answer of one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The server's name, else its identity.
    pub server: String,
    /// Its message, or why it refused.
    pub result: Result<String, String>,
}

#[derive(Deserialize)]
struct Answer {
    server: Option<Server>,
    data: Option<Data>,
    error: Option<Fault>,
}

#[derive(Deserialize)]
struct Server {
    #[serde(default)]
    name: String,
    #[serde(default)]
    id: String,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Fault {
    #[serde(default)]
    description: String,
}

/// Reads an answer: `{"server":{…},"data":{…}}` or `{"server":{…},"error":{…}}`.
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
    let result = match (answer.error, answer.data) {
        (Some(fault), _) if fault.description.is_empty() => Err("no reason given".to_owned()),
        (Some(fault), _) => Err(fault.description),
        (None, Some(data)) => Ok(data.message),
        (None, None) => return Err("an answer with neither data nor error".to_owned()),
    };
    Ok(Reply {
        server: if server.name.is_empty() {
            server.id
        } else {
            server.name
        },
        result,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_forms_of_nats_server_are_read() {
        let reply = |text: &str| read(text.as_bytes());
        let ok = r#"{"server":{"name":"s1","id":"NID","host":"h"},"data":{"account":"A","code":200,"message":"jwt updated"}}"#;
        assert_eq!(
            reply(ok),
            Ok(Reply {
                server: "s1".into(),
                result: Ok("jwt updated".into())
            })
        );
        let no = r#"{"server":{"id":"NID"},"error":{"account":"A","code":500,"description":"jwt validation failed"}}"#;
        assert_eq!(
            reply(no),
            Ok(Reply {
                server: "NID".into(),
                result: Err("jwt validation failed".into())
            })
        );
        for bad in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"server":{"id":"x"}}"#,
            r#"{"data":{}}"#,
            "\u{1b}",
        ] {
            reply(bad).unwrap_err();
        }
        assert!(read(&vec![b' '; MAX_REPLY + 1]).is_err());
    }
}
