//! Sending accounts to the servers' resolvers, and judging what every server answers.

use super::connect::Connection;
use super::reply::{self, Reply, Server};
use super::request::{Answers, Request, ask_all};
use crate::error::Error;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The subject of the request (nats-server `accounts.go`).
pub const SUBJECT: &str = "$SYS.REQ.CLAIMS.UPDATE";

/// What a cache says of an account that it does not have: nothing is kept.
const SKIPPED: &str = "jwt update cache skipped";

/// What became of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The answers, by server.
    pub replies: Vec<Reply>,
    /// Answers that are none: what is wrong with them.
    pub wrong: Vec<String>,
    /// Nothing listens to the request.
    pub no_responders: bool,
    /// Servers that answered for other accounts and not for this one.
    pub silent: Vec<Server>,
}

impl Outcome {
    /// Reads the answers to a request about `account`, or about several.
    pub fn read(answers: &Answers, account: Option<&str>) -> Outcome {
        let mut outcome = Outcome {
            no_responders: answers.no_responders,
            ..Outcome::default()
        };
        let mut seen: BTreeMap<Server, usize> = BTreeMap::new();
        for payload in &answers.payloads {
            let reply = match reply::read(payload) {
                Ok(reply) => reply,
                Err(reason) => {
                    outcome.wrong.push(reason);
                    continue;
                }
            };
            let server = reply.server.shown().to_owned();
            let count = seen.entry(reply.server.clone()).or_default();
            *count += 1;
            match (reply.account(), account) {
                (Some(found), Some(wanted)) if found != wanted => outcome
                    .wrong
                    .push(format!("{server} answered about another account, {found}")),
                _ if *count == 2 => outcome.wrong.push(format!("{server} answered twice")),
                _ if *count > 2 => {}
                _ => outcome.replies.push(reply),
            }
        }
        outcome.replies.sort_by(|a, b| a.server.cmp(&b.server));
        outcome
    }

    /// Whether every server did what was asked.
    pub fn is_complete(&self) -> bool {
        self.replies.iter().any(|reply| !skipped(reply))
            && self.replies.iter().all(|reply| reply.result.is_ok())
            && self.wrong.is_empty()
            && self.silent.is_empty()
    }

    /// One line for each server.
    pub fn lines(&self, patience: Duration) -> Vec<String> {
        let line = |reply: &Reply| match reply.message() {
            Ok(message) => format!("{}: {message}", reply.server.shown()),
            Err(reason) => format!("{} refused: {reason}", reply.server.shown()),
        };
        let mut lines: Vec<String> = self.replies.iter().map(line).collect();
        lines.extend(self.wrong.iter().cloned());
        lines.extend(
            self.silent
                .iter()
                .map(|server| format!("{} did not answer", server.shown())),
        );
        if !self.replies.is_empty() && self.replies.iter().all(skipped) {
            lines.push("only caches answered: no server keeps the account".to_owned());
        }
        if lines.is_empty() && self.no_responders {
            lines.push("no server keeps accounts".to_owned());
        } else if lines.is_empty() {
            lines.push(format!(
                "no server answered within {} s (--timeout waits longer)",
                patience.as_secs()
            ));
        }
        lines
    }
}

fn skipped(reply: &Reply) -> bool {
    reply.message() == Ok(SKIPPED)
}

/// Sends the tokens, each with its account, and waits until no server has answered for `patience`.
///
/// # Errors
/// If the connection breaks or a token is larger than the server takes.
pub async fn update(
    connection: &Connection,
    tokens: &[(&str, &str)],
    patience: Duration,
) -> Result<Vec<Outcome>, Error> {
    let requests: Vec<Request<'_>> = tokens
        .iter()
        .map(|(_, token)| Request {
            subject: SUBJECT.to_owned(),
            payload: token.as_bytes(),
            expected: None,
        })
        .collect();
    let answers = ask_all(connection, &requests, patience).await?;
    let mut outcomes: Vec<Outcome> = answers
        .iter()
        .zip(tokens)
        .map(|(answers, (account, _))| Outcome::read(answers, Some(account)))
        .collect();
    find_silent(&mut outcomes);
    Ok(outcomes)
}

/// Finds the servers that answered some of the requests and not others.
pub fn find_silent(outcomes: &mut [Outcome]) {
    let of = |outcome: &Outcome| {
        outcome
            .replies
            .iter()
            .map(|reply| reply.server.clone())
            .collect::<BTreeSet<_>>()
    };
    let all: BTreeSet<Server> = outcomes.iter().flat_map(of).collect();
    for outcome in outcomes {
        outcome.silent = all.difference(&of(outcome)).cloned().collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(servers: &[(&str, &str, bool)]) -> Answers {
        let payload = |(server, account, ok): &(&str, &str, bool)| {
            let what = if *ok {
                format!(r#""data":{{"account":"{account}","message":"jwt updated"}}"#)
            } else {
                r#""error":{"description":"no"}"#.to_owned()
            };
            format!(r#"{{"server":{{"name":"{server}","id":"N{server}"}},{what}}}"#).into_bytes()
        };
        Answers {
            payloads: servers.iter().map(payload).collect(),
            no_responders: false,
        }
    }

    fn outcome(servers: &[(&str, &str, bool)]) -> Outcome {
        Outcome::read(&answers(servers), Some("A"))
    }

    #[test]
    fn only_what_every_server_took_is_complete() {
        let mut outcomes = [
            outcome(&[("s1", "A", true), ("s2", "A", true)]),
            outcome(&[("s2", "A", true)]),
            outcome(&[("s1", "A", true), ("s2", "A", false)]),
            outcome(&[]),
            outcome(&[("s1", "A", true), ("s2", "A", true), ("s1", "A", true)]),
            outcome(&[("s1", "B", true), ("s2", "A", true)]),
        ];
        find_silent(&mut outcomes);
        assert_eq!(
            outcomes.clone().map(|outcome| outcome.is_complete()),
            [true, false, false, false, false, false]
        );
        assert_eq!(outcomes[1].silent[0].name, "s1");
        assert_eq!(outcomes[3].silent.len(), 2);
        assert_eq!(outcomes[4].wrong, ["s1 answered twice"]);
        assert_eq!(outcomes[5].wrong, ["s1 answered about another account, B"]);
    }

    #[test]
    fn caches_alone_keep_nothing() {
        let cache = br#"{"server":{"name":"c","id":"NC"},"data":{"account":"A","code":200,"message":"jwt update cache skipped"}}"#;
        let mut answers = answers(&[]);
        answers.payloads.push(cache.to_vec());
        let alone = Outcome::read(&answers, Some("A"));
        assert!(!alone.is_complete());
        let lines = alone.lines(Duration::from_secs(1));
        assert_eq!(
            lines[1],
            "only caches answered: no server keeps the account"
        );
        answers
            .payloads
            .extend(self::answers(&[("s1", "A", true)]).payloads);
        let both = Outcome::read(&answers, Some("A"));
        assert!(both.is_complete());
        assert_eq!(both.lines(Duration::from_secs(1)).len(), 2);
    }

    #[test]
    fn what_is_no_answer_is_shown_and_no_answer_names_the_flag() {
        let mut bad = answers(&[("s1", "A", true)]);
        bad.payloads.push(b"+OK".to_vec());
        let outcome = Outcome::read(&bad, Some("A"));
        assert!(!outcome.is_complete());
        assert!(outcome.lines(Duration::from_secs(1))[1].contains("not understood"));
        let none = Outcome::default().lines(Duration::from_secs(1));
        assert!(none[0].contains("--timeout"), "{none:?}");
    }
}
