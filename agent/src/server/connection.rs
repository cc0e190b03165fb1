//! One connection: frames in, answers out, nothing unbounded.

use super::answer::{self, Outcome};
use super::budget::SMALL;
use super::keys::{make_keys, makes_key, same_marks};
use super::later::Adding;
use super::ours::wipe_stack;
use super::slow::gone;
use super::unlock::Session;
use super::{Agent, Counted};
use crate::message::{MAX_FRAME, number};
use crate::store::volatile::Volatile;
use crate::store::{Nobody, Person};
use crate::wire::Writer;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;
use zeroize::Zeroize;

/// How long a frame that has begun may take to arrive.
const BODY: Duration = Duration::from_secs(10);

/// How long a frame that holds a share of the memory may make no progress.
const STALL: Duration = Duration::from_secs(2);

/// How long a client may take to read its answers.
const PATIENCE: Duration = Duration::from_secs(30);

/// Keys that are made at once, if so many are asked for.
const MANY: usize = 256;

/// Bytes that may wait where many keys are asked for.
const MANY_BYTES: usize = 64 * 1024;

/// Bytes read at a time.
const CHUNK: usize = 4096;

/// What a connection has of its own.
pub struct Connection {
    /// The process at the other end, for the log.
    pub pid: Option<i32>,
    /// Keys of this connection only.
    pub volatile: Arc<Volatile>,
    /// Unlocking that waits for an answer.
    pub session: Option<Session>,
    /// A key that was answered, and is not known to be on disk.
    pub adding: Option<Adding>,
    /// How often the connection was bound to a forwarded session.
    pub bindings: usize,
    /// Who waits at the other end.
    pub person: Box<dyn Person + Send + Sync>,
}

impl Connection {
    /// What a request needs of it on a thread of its own.
    pub fn for_thread(&self, person: Box<dyn Person + Send + Sync>) -> Connection {
        Connection {
            pid: self.pid,
            volatile: Arc::clone(&self.volatile),
            session: None,
            adding: None,
            bindings: self.bindings,
            person,
        }
    }
}

/// Serves a connection until it ends.
pub async fn serve(agent: &Arc<Agent>, mut stream: UnixStream, pid: Option<i32>) {
    let mut connection = Connection {
        pid,
        volatile: Arc::new(Volatile::new()),
        session: None,
        adding: None,
        bindings: 0,
        person: Box::new(Nobody),
    };
    let mut input = Input::default();
    let mut output = Writer::new();
    // An error ends the connection; the client sees its socket closed.
    let _ = frames(agent, &mut stream, &mut connection, &mut input, &mut output).await;
}

async fn frames(
    agent: &Arc<Agent>,
    stream: &mut UnixStream,
    connection: &mut Connection,
    input: &mut Input,
    output: &mut Writer,
) -> io::Result<()> {
    // What was signed counts as under way until it is sent: a signal waits for it.
    let mut under_way = None;
    loop {
        let Some(length) = input.length() else {
            flush(stream, output).await?;
            under_way = None;
            if !input.read(stream).await? {
                return Ok(());
            }
            continue;
        };
        if length == 0 || length > MAX_FRAME {
            failure(output);
            return flush(stream, output).await;
        }
        let mut share = None;
        if length > SMALL || input.missing(length) > 0 {
            flush(stream, output).await?;
            under_way = None;
            // Whoever announces a large frame shows first that it comes, and only then holds
            // memory that others wait for.
            timeout(BODY, input.fill(stream, length.min(SMALL))).await??;
            share = agent.frames.share(length).await;
            timeout(BODY, input.fill(stream, length)).await??;
        }
        // A forwarded connection is refused each of them.
        if connection.bindings == 0 && makes_key(input.frame(length)) {
            input.more(stream);
            let count = input
                .frames()
                .take(MANY)
                .take_while(|frame| makes_key(frame) && same_marks(frame, input.frame(length)))
                .count();
            if count > 1 {
                under_way.get_or_insert_with(|| Counted::new(&agent.under_way));
                make_keys(agent, input.frames().take(count), output);
                wipe_stack();
                for _ in 0..count {
                    input.consume(input.length().unwrap_or(0));
                }
                flush(stream, output).await?;
                continue;
            }
        }
        under_way.get_or_insert_with(|| Counted::new(&agent.under_way));
        let answers = agent.answers.share(answer::room(input.frame(length))).await;
        let mut outcome = answer::answer(agent, connection, input.frame(length), output);
        input.consume(length);
        while let Outcome::Wait(work) = outcome {
            flush(stream, output).await?;
            outcome = tokio::select! {
                outcome = answer::resume(agent, connection, work, output) => outcome,
                () = gone(stream) => return Ok(()),
            };
        }
        if output.as_bytes().len() > SMALL || share.is_some() {
            flush(stream, output).await?;
        }
        drop(answers);
    }
}

fn failure(output: &mut Writer) {
    output.uint32(1).byte(number::FAILURE);
}

async fn flush(stream: &mut UnixStream, output: &mut Writer) -> io::Result<()> {
    let bytes = output.as_bytes();
    if bytes.is_empty() {
        return Ok(());
    }
    // Nearly always all of it fits into the socket at once.
    let sent = match stream.try_write(bytes) {
        Ok(sent) => sent,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
        Err(error) => return Err(error),
    };
    if sent < bytes.len() {
        timeout(PATIENCE, stream.write_all(&bytes[sent..])).await??;
    }
    if bytes.len() > SMALL {
        *output = Writer::new();
    } else {
        output.clear();
    }
    Ok(())
}

/// Bytes that have arrived and are not used yet. Wiped as they are used: some are secrets.
#[derive(Default)]
struct Input {
    bytes: Vec<u8>,
    start: usize,
}

impl Input {
    /// The length that the next frame announces, once its four bytes are there.
    fn length(&self) -> Option<usize> {
        let length = self.bytes[self.start..].first_chunk::<4>()?;
        usize::try_from(u32::from_be_bytes(*length)).ok()
    }

    /// Bytes of the next frame that have not arrived.
    fn missing(&self, length: usize) -> usize {
        (4 + length).saturating_sub(self.bytes.len() - self.start)
    }

    fn frame(&self, length: usize) -> &[u8] {
        self.bytes
            .get(self.start + 4..self.start + 4 + length)
            .unwrap_or_default()
    }

    fn consume(&mut self, length: usize) {
        let end = (self.start + 4 + length).min(self.bytes.len());
        self.bytes[self.start..end].zeroize();
        self.start = end;
        if self.start == self.bytes.len() {
            self.start = 0;
            if self.bytes.capacity() > 2 * SMALL {
                self.bytes = Vec::new();
            } else {
                self.bytes.clear();
            }
        }
    }

    /// Reads what there is; whether the client is still there.
    async fn read(&mut self, stream: &mut UnixStream) -> io::Result<bool> {
        self.room(CHUNK);
        Ok(stream.read_buf(&mut self.bytes).await? > 0)
    }

    /// Takes what has arrived already, and waits for nothing.
    fn more(&mut self, stream: &UnixStream) {
        while self.bytes.len() - self.start < MANY_BYTES {
            self.room(CHUNK);
            match stream.try_read_buf(&mut self.bytes) {
                // The end, or an error, shows at the next read.
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }

    /// The whole frames that have arrived.
    fn frames(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.bytes.get(self.start..).unwrap_or_default();
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first_chunk::<4>()?;
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let (frame, after) = after.split_at_checked(length)?;
            rest = after;
            Some(frame)
        })
    }

    /// Reads until the whole frame is there.
    async fn fill(&mut self, stream: &mut UnixStream, length: usize) -> io::Result<()> {
        loop {
            match self.missing(length) {
                0 => return Ok(()),
                missing => self.room(missing.max(CHUNK)),
            }
            if timeout(STALL, stream.read_buf(&mut self.bytes)).await?? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Makes room by hand, so that no secret stays behind where the bytes were.
    fn room(&mut self, more: usize) {
        if self.bytes.capacity() - self.bytes.len() >= more {
            return;
        }
        let waiting = self.bytes.len() - self.start;
        let mut larger = Vec::with_capacity(waiting + more);
        larger.extend_from_slice(&self.bytes[self.start..]);
        self.bytes.zeroize();
        self.bytes = larger;
        self.start = 0;
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}
