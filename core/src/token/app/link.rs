//! The line to the host: frames in and out, and the request that waits for the button.

use super::inner::Core;
use super::refusal::Refusal;
use crate::token::board::{Board, Light};
use crate::token::button::Button;
use crate::token::code::{Code, State};
use crate::token::frame::{self, End, FRAME_LEN, Receiver};
use crate::token::message::{Answer, COMMANDS, Command, Press, Request, Response, Session};
use crate::token::store::RECORD;
use crate::token::{FRAME_MS, MAX_MESSAGE, PRESS_MS};
use core::ops::DerefMut;

/// Bytes of a frame that comes while another request waits: enough for `Cancel` and `Hello`.
const SIDE_LEN: usize = 64;
/// Bytes of the longest answer's frame, and of short ones before it.
const OUTPUT_LEN: usize = RECORD + 256;

/// What the board is to do when everything was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Restart in the bootloader.
    Bootloader,
}

/// A request that waits for the button. It stays in the receiver, and is carried out from
/// its beginning when the button was pressed, so that nothing it rests on can have changed.
struct Waiting {
    id: u32,
    button: Button,
    since: u64,
}

/// The memory of an [`App`], 70 KiB: a static on a chip, whose stack could not hold it, a
/// box on a host.
pub struct Memory {
    requests: Receiver<FRAME_LEN>,
    /// Takes the frames that come while a request waits.
    side: Receiver<SIDE_LEN>,
    output: Output,
    /// Three quarters of a message hold its payload.
    scratch: [u8; MAX_MESSAGE / 4 * 3 + 4],
}

impl Memory {
    /// Empty.
    #[expect(
        clippy::new_without_default,
        reason = "too large to be made on a stack unasked"
    )]
    pub const fn new() -> Memory {
        Memory {
            requests: Receiver::new(),
            side: Receiver::new(),
            output: Output::new(),
            scratch: [0; MAX_MESSAGE / 4 * 3 + 4],
        }
    }
}

/// The token: give it bytes and poll it, send what it has to say.
pub struct App<B, M = &'static mut Memory> {
    core: Core<B>,
    memory: M,
    waiting: Option<Waiting>,
}

impl<B: Board, M: DerefMut<Target = Memory>> App<B, M> {
    /// Powers up: ends what a power cut interrupted, and formats flash that is blank.
    pub fn new(board: B, memory: M) -> App<B, M> {
        App {
            core: Core::new(board),
            memory,
            waiting: None,
        }
    }

    /// Takes bytes from the host, as many as it can before its last answer is sent; how many.
    pub fn receive(&mut self, bytes: &[u8]) -> usize {
        let now = self.core.board.ticks();
        for (at, byte) in bytes.iter().enumerate() {
            if !self.memory.output.is_empty() {
                return at;
            }
            if self.waiting.is_some() || self.memory.side.active() {
                if let Some(end) = self.memory.side.push(*byte, now) {
                    self.aside(end);
                }
            } else if let Some(end) = self.memory.requests.push(*byte, now) {
                match end {
                    End::Whole => self.run(false),
                    End::Damaged => self.memory.output.error(0, Code::Frame, ""),
                    End::TooLong => {
                        let (id, _) = parse(self.memory.requests.message());
                        self.memory.output.error(id, Code::TooLarge, "");
                        self.memory.requests.clear();
                    }
                }
            }
        }
        bytes.len()
    }

    /// To be called at least every 50 ms: looks at the button, and at what has waited too long.
    pub fn poll(&mut self) {
        self.core.expire();
        let now = self.core.board.ticks();
        let expired = [
            self.memory.requests.expire(now),
            self.memory.side.expire(now),
        ];
        for _ in expired.into_iter().filter(|expired| *expired) {
            self.memory.output.error(
                0,
                Code::Frame,
                format_args!("the frame paused for more than {FRAME_MS} ms"),
            );
        }
        let Some(waiting) = &mut self.waiting else {
            return;
        };
        let pressed = self.core.board.pressed();
        if waiting.button.look(pressed, now) {
            self.settle();
            self.run(true);
        } else if now.saturating_sub(waiting.since) >= PRESS_MS {
            self.give_up(Code::NoPress);
        } else if self.core.state() != State::Unlocked && self.needs_session() {
            self.give_up(Code::Session);
        }
    }

    /// The host closed the line (DTR) or suspended the bus: the session ends, and with it
    /// whatever waits or was not sent.
    pub fn disconnect(&mut self) {
        self.core.end_session();
        self.settle();
        self.memory.requests.clear();
        self.memory.side.clear();
        self.memory.output.clear();
    }

    /// What is to be sent.
    pub fn output(&self) -> &[u8] {
        self.memory.output.rest()
    }

    /// So many bytes were sent.
    pub fn sent(&mut self, bytes: usize) {
        self.memory.output.advance(bytes);
    }

    /// What the board is to do now.
    pub fn action(&mut self) -> Option<Action> {
        (self.memory.output.is_empty() && core::mem::take(&mut self.core.leaving))
            .then_some(Action::Bootloader)
    }

    /// The state.
    pub fn state(&mut self) -> State {
        self.core.state()
    }

    /// The press that a request waits for.
    pub fn waits_for(&self) -> Option<Press> {
        self.waiting.as_ref().map(|waiting| waiting.button.wanted())
    }

    /// The board.
    pub fn board(&mut self) -> &mut B {
        &mut self.core.board
    }

    /// The board, with everything secret wiped from memory.
    pub fn into_board(self) -> B {
        self.core.board
    }

    /// Carries out the request in the receiver.
    fn run(&mut self, press: bool) {
        let Memory {
            requests,
            output,
            scratch,
            ..
        } = &mut *self.memory;
        let (id, request) = parse(requests.message());
        let outcome = match request {
            Ok(request) => self.core.handle(&request, press, scratch),
            Err(code) => Err(code.into()),
        };
        let mut wait = None;
        let mut broken = None;
        match outcome {
            Ok(answer) => output.push(id, answer),
            Err(Refusal::Press(wanted)) => {
                output.push(id, Answer::Waiting(wanted));
                wait = Some(wanted);
            }
            Err(Refusal::No(code, reason)) => output.error(id, code, reason),
            Err(Refusal::Broken(fault)) => broken = Some(fault),
        }
        if let Some(fault) = broken {
            self.core.fail(fault);
            self.memory.output.error(id, Code::Fault, "");
        }
        match wait {
            Some(wanted) => {
                let now = self.core.board.ticks();
                self.waiting = Some(Waiting {
                    id,
                    button: Button::new(wanted, now),
                    since: now,
                });
                self.core.board.light(match wanted {
                    Press::Short => Light::Slow,
                    Press::Held => Light::Fast,
                });
            }
            None => self.memory.requests.clear(),
        }
    }

    /// A frame that came while a request waits, or had begun while it did.
    fn aside(&mut self, end: End) {
        let busy = self.waiting.is_some();
        let (id, request) = match end {
            End::Whole => parse(self.memory.side.message()),
            End::Damaged => (0, Err(Code::Frame)),
            End::TooLong => (parse(self.memory.side.message()).0, Err(Code::Busy)),
        };
        let command = request.map(|request| match request.command {
            Command::Hello => Aside::Hello,
            Command::Cancel => Aside::Cancel,
            _ => Aside::Other,
        });
        match command {
            Err(code) => self.memory.output.error(id, code, ""),
            Ok(Aside::Other) => self.memory.output.error(id, Code::Busy, ""),
            Ok(Aside::Hello) => {
                let hello = self.core.hello();
                self.memory.output.push(id, Answer::Hello(hello));
            }
            Ok(Aside::Cancel) => {
                if busy {
                    self.give_up(Code::Cancelled);
                }
                self.memory.output.push(id, Answer::Done);
            }
        }
        self.memory.side.clear();
    }

    fn needs_session(&self) -> bool {
        matches!(parse(self.memory.requests.message()), (_, Ok(request)) if request.command.needs_session())
    }

    /// Ends the wait without a press.
    fn give_up(&mut self, code: Code) {
        if let Some(waiting) = &self.waiting {
            self.memory.output.error(waiting.id, code, "");
        }
        self.settle();
        self.memory.requests.clear();
    }

    fn settle(&mut self) {
        self.waiting = None;
        self.core.board.light(Light::Off);
    }
}

/// The id and the request in a message.
fn parse(message: &[u8]) -> (u32, Result<Request<'_>, Code>) {
    let Ok((id, rest)) = postcard::take_from_bytes::<u32>(message) else {
        return (0, Err(Code::Malformed));
    };
    let whole = |rest| {
        let (_, command) =
            postcard::take_from_bytes::<Option<Session>>(rest).map_err(|_| Code::Malformed)?;
        let (number, _) = postcard::take_from_bytes::<u32>(command).map_err(|_| Code::Malformed)?;
        if number >= COMMANDS {
            return Err(Code::Unknown);
        }
        match postcard::take_from_bytes::<Request<'_>>(message) {
            Ok((request, [])) => Ok(request),
            _ => Err(Code::Malformed),
        }
    };
    (id, whole(rest))
}

/// What can be done while a request waits.
enum Aside {
    Hello,
    Cancel,
    Other,
}

/// Frames to be sent.
struct Output {
    frames: [u8; OUTPUT_LEN],
    len: usize,
    sent: usize,
    scratch: [u8; RECORD],
}

impl Output {
    const fn new() -> Output {
        Output {
            frames: [0; OUTPUT_LEN],
            len: 0,
            sent: 0,
            scratch: [0; RECORD],
        }
    }

    fn rest(&self) -> &[u8] {
        &self.frames[self.sent..self.len]
    }

    fn is_empty(&self) -> bool {
        self.sent == self.len
    }

    fn advance(&mut self, bytes: usize) {
        self.sent = (self.sent + bytes).min(self.len);
        if self.is_empty() {
            self.clear();
        }
    }

    fn clear(&mut self) {
        self.len = 0;
        self.sent = 0;
    }

    fn push(&mut self, id: u32, answer: Answer<'_>) {
        let response = Response { id, answer };
        if let Some(len) = frame::encode(&response, &mut self.scratch, &mut self.frames[self.len..])
        {
            self.len += len;
        }
    }

    fn error(&mut self, id: u32, code: Code, reason: impl core::fmt::Display) {
        let text = match Refusal::because(code, reason) {
            Refusal::No(_, reason) => reason,
            _ => Default::default(),
        };
        self.push(
            id,
            Answer::Error {
                code,
                reason: &text,
            },
        );
    }
}
