//! One request to all servers: what every one of them answers.

use super::connect::Connection;
use crate::error::Error;
use async_nats::StatusCode;
use futures_util::StreamExt;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Servers that may answer one request; more is no cluster that we know.
const MAX_SERVERS: usize = 10_000;

/// Answers that a stream of them may have: one for each account of a server.
const MAX_STREAM: usize = 10_000_000;

/// As many times its patience an operation may last, however often somebody answers.
const MAX_ROUNDS: u32 = 30;

/// A request.
pub struct Request<'a> {
    /// Its subject.
    pub subject: String,
    /// What is asked.
    pub payload: &'a [u8],
    /// How many answers will come, if it is known: then nobody waits for more.
    pub expected: Option<usize>,
}

/// What came back.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// The answers, in the order of their coming.
    pub payloads: Vec<Vec<u8>>,
    /// Nothing listens to the request.
    pub no_responders: bool,
}

impl Answers {
    fn is_whole(&self, request: &Request<'_>) -> bool {
        self.no_responders
            || request
                .expected
                .is_some_and(|expected| self.payloads.len() >= expected)
    }
}

fn failed(what: &str, error: &dyn std::fmt::Display) -> Error {
    Error::failed(format!("{what} failed: {error}"))
}

/// Sends the requests and collects what comes back, until nobody has answered for `patience`.
///
/// # Errors
/// If the connection breaks, or a request is larger than the server takes.
pub async fn ask_all(
    connection: &Connection,
    requests: &[Request<'_>],
    patience: Duration,
) -> Result<Vec<Answers>, Error> {
    let client = &connection.client;
    let limit = client.max_payload();
    if let Some(request) = requests
        .iter()
        .find(|request| request.payload.len() > limit)
    {
        return Err(Error::failed(format!(
            "a request of {} bytes is needed, and the server takes messages of at most {limit} (max_payload)",
            request.payload.len()
        )));
    }
    let inbox = client.new_inbox();
    let mut messages = client
        .subscribe(format!("{inbox}.*"))
        .await
        .map_err(|error| failed("subscribing to the answers", &error))?;
    for (index, request) in requests.iter().enumerate() {
        let payload = request.payload.to_vec().into();
        client
            .publish_with_reply(request.subject.clone(), format!("{inbox}.{index}"), payload)
            .await
            .map_err(|error| failed("sending a request", &error))?;
    }
    client
        .flush()
        .await
        .map_err(|error| failed("sending the requests", &error))?;
    let mut all = vec![Answers::default(); requests.len()];
    let mut waiting = requests.len();
    let last = Instant::now() + patience * MAX_ROUNDS;
    let mut deadline = Instant::now() + patience;
    while waiting > 0
        && let Ok(Some(message)) = timeout_at(deadline.min(last), messages.next()).await
    {
        let index = message
            .subject
            .rsplit('.')
            .next()
            .and_then(|index| index.parse::<usize>().ok());
        let found = index.and_then(|index| all.get_mut(index).zip(requests.get(index)));
        let Some((answers, request)) = found else {
            continue;
        };
        let whole = answers.is_whole(request);
        if message.status == Some(StatusCode::NO_RESPONDERS) {
            answers.no_responders = true;
        } else if answers.payloads.len() >= MAX_SERVERS {
            return Err(Error::failed("more answers came than there can be servers"));
        } else {
            answers.payloads.push(message.payload.to_vec());
        }
        if !whole && answers.is_whole(request) {
            waiting -= 1;
        }
        deadline = Instant::now() + patience;
    }
    Ok(all)
}

/// Sends one request, whose answer is a stream of messages up to an empty one.
///
/// # Errors
/// If it does not end with one.
pub async fn ask_stream(
    connection: &Connection,
    subject: &str,
    patience: Duration,
) -> Result<Vec<Vec<u8>>, Error> {
    let client = &connection.client;
    let inbox = client.new_inbox();
    let mut messages = client
        .subscribe(inbox.clone())
        .await
        .map_err(|error| failed("subscribing to the answers", &error))?;
    client
        .publish_with_reply(subject.to_owned(), inbox, "".into())
        .await
        .map_err(|error| failed("sending a request", &error))?;
    client
        .flush()
        .await
        .map_err(|error| failed("sending a request", &error))?;
    let mut payloads = Vec::new();
    loop {
        let seconds = patience.as_secs();
        match timeout_at(Instant::now() + patience, messages.next()).await {
            Ok(Some(message)) if message.status == Some(StatusCode::NO_RESPONDERS) => {
                return Err(no_resolver());
            }
            Ok(Some(message)) if message.payload.is_empty() => return Ok(payloads),
            Ok(Some(message)) if payloads.len() < MAX_STREAM => {
                payloads.push(message.payload.to_vec());
            }
            Ok(Some(_)) => return Err(Error::failed("the server's answer does not end")),
            Ok(None) => return Err(Error::failed("the connection broke")),
            Err(_) if payloads.is_empty() => {
                return Err(Error::failed(format!(
                    "no server answered within {seconds} s"
                )));
            }
            Err(_) => {
                return Err(Error::failed(format!(
                    "the server stopped in the middle of its answer: {} messages came, then nothing for {seconds} s. \
                     Nothing of it was stored",
                    payloads.len()
                )));
            }
        }
    }
}

/// The error that nothing listens to requests about accounts.
pub fn no_resolver() -> Error {
    Error::failed("no server keeps accounts. The full resolver does")
        .next("nkey generate config --nats-resolver")
}
