//! A NATS client whose key stays in the agent.
//!
//! ```sh
//! client --server URL --jwt app.jwt [--socket PATH] sub SUBJECT [--count N]
//! client --server URL --jwt app.jwt [--socket PATH] pub SUBJECT TEXT
//! client --server URL --creds app.creds pub SUBJECT TEXT     # a seed on disk, to compare
//! ```
//! `sub` says `subscribed SUBJECT` on stderr once the server knows, and prints each message on a line.
//! The exit status is not 0 if the server refuses the connection, denies the subject or does not answer.

use async_nats::{Client, ConnectOptions, Event};
use futures_util::StreamExt;
use nkey_agent::client::{nats, socket_path};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

type Failure = Box<dyn std::error::Error>;

const USAGE: &str = "usage: client --server URL (--jwt FILE [--socket PATH] | --creds FILE) \
                     (sub SUBJECT [--count N] | pub SUBJECT TEXT)";

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Args {
    server: Option<String>,
    creds: Option<PathBuf>,
    jwt: Option<PathBuf>,
    socket: Option<PathBuf>,
    count: Option<usize>,
    words: Vec<String>,
}

impl Args {
    fn read(mut from: impl Iterator<Item = String>) -> Result<Args, Failure> {
        let mut args = Args::default();
        while let Some(word) = from.next() {
            let mut value = || from.next().ok_or(USAGE);
            match word.as_str() {
                "--server" => args.server = Some(value()?),
                "--creds" => args.creds = Some(value()?.into()),
                "--jwt" => args.jwt = Some(value()?.into()),
                "--socket" => args.socket = Some(value()?.into()),
                "--count" => args.count = Some(value()?.parse()?),
                _ => args.words.push(word),
            }
        }
        Ok(args)
    }

    async fn options(&self) -> Result<ConnectOptions, Failure> {
        match (&self.jwt, &self.creds) {
            (Some(jwt), None) => {
                let token = std::fs::read_to_string(jwt)
                    .map_err(|error| format!("cannot read {}: {error}", jwt.display()))?;
                Ok(nats::connect_options(
                    &token,
                    &socket_path(self.socket.as_deref())?,
                )?)
            }
            (None, Some(creds)) => Ok(ConnectOptions::with_credentials_file(creds).await?),
            _ => Err(USAGE.into()),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = match Args::read(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    match run(&args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("client: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Result<(), Failure> {
    let server = args.server.as_deref().ok_or(USAGE)?;
    // The server reports a denied subject later, beside the answers.
    let (tell, mut reports) = unbounded_channel();
    let client = args
        .options()
        .await?
        .event_callback(move |event| {
            if let Event::ServerError(error) = event {
                let _ = tell.send(error.to_string());
            }
            async {}
        })
        .connect(server)
        .await?;
    match args.words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["pub", subject, text] => {
            client
                .publish(subject.to_owned(), text.to_owned().into())
                .await?;
            settle(&client, &mut reports).await?;
            Ok(())
        }
        ["sub", subject] => {
            let messages = client.subscribe(subject.to_owned()).await?;
            let inbox = settle(&client, &mut reports).await?;
            eprintln!("subscribed {subject}");
            let mut messages = messages.take(args.count.unwrap_or(usize::MAX));
            loop {
                tokio::select! {
                    Some(error) = reports.recv() => if !error.contains(&inbox) {
                        return Err(error.into());
                    },
                    message = messages.next() => match message {
                        Some(message) => println!("{}", String::from_utf8_lossy(&message.payload)),
                        None => return Ok(()),
                    },
                }
            }
        }
        _ => Err(USAGE.into()),
    }
}

/// Waits until the server has read all that was sent, and says if it denied some of it.
///
/// The server answers in order, so a message to an inbox of our own comes back, or is denied
/// itself, after every answer to what was sent before it. Returns that inbox, since a second
/// denial of it may follow.
async fn settle(
    client: &Client,
    reports: &mut UnboundedReceiver<String>,
) -> Result<String, Failure> {
    let inbox = client.new_inbox();
    let mut back = client.subscribe(inbox.clone()).await?;
    client.publish(inbox.clone(), "".into()).await?;
    let answered = async {
        tokio::select! {
            biased;
            Some(error) = reports.recv() => Some(error),
            _ = back.next() => None,
        }
    };
    let first = tokio::time::timeout(PATIENCE, answered)
        .await
        .map_err(|_| "the server does not answer")?;
    // Reports come by way of a task of their own, which may not have run yet.
    tokio::task::yield_now().await;
    match first.or_else(|| reports.try_recv().ok()) {
        Some(error) if !error.contains(&inbox) => Err(error.into()),
        _ => Ok(inbox),
    }
}
