//! Sending accounts to the servers' resolvers, and collecting what every server answers.

use super::connect::Connection;
use super::reply::{self, Reply};
use crate::error::Error;
use async_nats::StatusCode;
use futures_util::StreamExt;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The subject of the request (nats-server `accounts.go`).
pub const SUBJECT: &str = "$SYS.REQ.CLAIMS.UPDATE";

/// Servers that may answer for one account; more is no cluster that we know.
const MAX_SERVERS: usize = 10_000;

/// What became of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The answers, by server.
    pub replies: Vec<Reply>,
    /// Answers that are none.
    pub unreadable: Vec<String>,
    /// Nothing listens to the request.
    pub no_responders: bool,
    /// Servers that answered for other accounts and not for this one.
    pub silent: Vec<String>,
}

impl Outcome {
    /// Whether every server took the account.
    pub fn is_complete(&self) -> bool {
        !self.replies.is_empty()
            && self.replies.iter().all(|reply| reply.result.is_ok())
            && self.unreadable.is_empty()
            && self.silent.is_empty()
    }
}

/// Sends the tokens and waits until no server has answered for `patience`.
///
/// # Errors
/// If the connection breaks or a token is larger than the server takes.
pub async fn update(
    connection: &Connection,
    tokens: &[&str],
    patience: Duration,
) -> Result<Vec<Outcome>, Error> {
    let failed = |what: &str, error: &dyn std::fmt::Display| {
        Error::failed(format!("{what} failed: {error}"))
    };
    let client = &connection.client;
    let limit = client.max_payload();
    if let Some(token) = tokens.iter().find(|token| token.len() > limit) {
        return Err(Error::failed(format!(
            "an account's token has {} bytes, and the server takes messages of at most {limit} (max_payload)",
            token.len()
        )));
    }
    let inbox = client.new_inbox();
    let mut answers = client
        .subscribe(format!("{inbox}.*"))
        .await
        .map_err(|error| failed("subscribing to the answers", &error))?;
    for (index, token) in tokens.iter().enumerate() {
        let payload = token.as_bytes().to_vec().into();
        client
            .publish_with_reply(SUBJECT, format!("{inbox}.{index}"), payload)
            .await
            .map_err(|error| failed("sending an account", &error))?;
    }
    client
        .flush()
        .await
        .map_err(|error| failed("sending the accounts", &error))?;
    let mut outcomes = vec![Outcome::default(); tokens.len()];
    let mut deadline = Instant::now() + patience;
    while let Ok(Some(message)) = timeout_at(deadline, answers.next()).await {
        let index = message
            .subject
            .rsplit('.')
            .next()
            .and_then(|index| index.parse::<usize>().ok());
        let Some(outcome) = index.and_then(|index| outcomes.get_mut(index)) else {
            continue;
        };
        if message.status == Some(StatusCode::NO_RESPONDERS) {
            outcome.no_responders = true;
            if outcomes.iter().all(|outcome| outcome.no_responders) {
                break;
            }
            continue;
        }
        if outcome.replies.len() + outcome.unreadable.len() >= MAX_SERVERS {
            return Err(Error::failed("more answers came than there can be servers"));
        }
        match reply::read(&message.payload) {
            Ok(reply) => outcome.replies.push(reply),
            Err(reason) => outcome.unreadable.push(reason),
        }
        deadline = Instant::now() + patience;
    }
    find_silent(&mut outcomes);
    Ok(outcomes)
}

fn find_silent(outcomes: &mut [Outcome]) {
    let of = |outcome: &Outcome| {
        outcome
            .replies
            .iter()
            .map(|reply| reply.server.clone())
            .collect::<BTreeSet<_>>()
    };
    let all: BTreeSet<String> = outcomes.iter().flat_map(of).collect();
    for outcome in outcomes {
        outcome.silent = all.difference(&of(outcome)).cloned().collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(servers: &[(&str, bool)]) -> Outcome {
        let reply = |&(server, ok): &(&str, bool)| Reply {
            server: server.to_owned(),
            result: if ok {
                Ok("jwt updated".to_owned())
            } else {
                Err("no".to_owned())
            },
        };
        Outcome {
            replies: servers.iter().map(reply).collect(),
            ..Outcome::default()
        }
    }

    #[test]
    fn only_what_every_server_took_is_complete() {
        let mut outcomes = [
            outcome(&[("s1", true), ("s2", true)]),
            outcome(&[("s2", true)]),
            outcome(&[("s1", true), ("s2", false)]),
            outcome(&[]),
        ];
        find_silent(&mut outcomes);
        assert_eq!(
            outcomes.clone().map(|outcome| outcome.is_complete()),
            [true, false, false, false]
        );
        assert_eq!(outcomes[1].silent, ["s1"]);
        assert_eq!(outcomes[3].silent, ["s1", "s2"]);
    }
}
