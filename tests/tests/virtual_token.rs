//! The virtual token over its lines: the same application as in the firmware.

use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::token::{
    Answer, Code, Command, Init, Request, Response, Session, State, TRIES, VIRTUAL, decode, encode,
};
use nkey_tests::virtual_token::Running;
use nkey_tests::{Scratch, wait_for};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

const PIN: &[u8] = b"correct horse";
const NOW: u64 = 1_800_000_000;
const NONCE: &[u8] = b"PXoWU7zWAMt75FY";

/// Someone at the other end of its line.
fn connect(running: &Running) -> Host {
    let line: Box<dyn Line> = if running.pty {
        let mut open = File::options();
        open.read(true).write(true);
        Box::new(open.open(&running.path).expect("the terminal"))
    } else {
        // Bound a moment before it is listened to.
        let mut stream = None;
        let ready = || {
            stream = UnixStream::connect(&running.path).ok();
            stream.is_some()
        };
        wait_for(ready, "the socket");
        let stream = stream.expect("the socket");
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a timeout");
        Box::new(stream)
    };
    Host { line, id: 0 }
}

trait Line: Read + Write {}
impl<T: Read + Write> Line for T {}

struct Host {
    line: Box<dyn Line>,
    id: u32,
}

impl Host {
    fn send(&mut self, session: Option<Session>, command: Command<'_>) {
        self.id += 1;
        let request = Request {
            id: self.id,
            session,
            command,
        };
        let (mut scratch, mut frame) = (vec![0; 40_000], vec![0; 41_000]);
        let len = encode(&request, &mut scratch, &mut frame).expect("a request");
        self.line.write_all(&frame[..len]).expect("a line");
    }

    /// One frame, decoded; none when the line ends.
    fn hear(&mut self) -> Option<Vec<u8>> {
        let (mut frame, mut byte) = (Vec::new(), [0]);
        loop {
            match self.line.read(&mut byte) {
                Ok(1) => frame.push(byte[0]),
                _ => return None,
            }
            if byte == [0] {
                return Some(decode(&mut frame).expect("a whole frame").to_vec());
            }
        }
    }

    /// The final answer to a command, shown to `look`.
    fn call<T>(
        &mut self,
        session: Option<Session>,
        command: Command<'_>,
        look: impl FnOnce(Response<'_>) -> T,
    ) -> Option<T> {
        self.send(session, command);
        loop {
            let body = self.hear()?;
            let response: Response<'_> = postcard::from_bytes(&body).expect("a response");
            if !matches!(response.answer, Answer::Waiting(_)) {
                return Some(look(response));
            }
        }
    }

    fn code(&mut self, session: Option<Session>, command: Command<'_>) -> Option<Code> {
        self.call(session, command, |response| match response.answer {
            Answer::Error { code, .. } => Some(code),
            _ => None,
        })
        .expect("an answer")
    }

    fn state(&mut self) -> (State, String, u32) {
        self.call(None, Command::Hello, |response| match response.answer {
            Answer::Hello(hello) => (hello.state, hello.serial.to_owned(), hello.capabilities),
            other => panic!("{other:?}"),
        })
        .expect("an answer")
    }

    fn init(&mut self) {
        let init = Init {
            pin: PIN,
            time: NOW,
            iterations: 1_000,
            importable: false,
            peer: None,
            drift_days: 30,
            idle_seconds: 600,
        };
        assert_eq!(self.code(None, Command::Init(init)), None);
    }

    fn unlock(&mut self) -> Option<Session> {
        self.call(
            None,
            Command::Unlock {
                pin: PIN,
                time: NOW,
            },
            |response| match response.answer {
                Answer::Session { session, .. } => session,
                other => panic!("{other:?}"),
            },
        )
    }

    fn generate(&mut self, session: Session) -> Option<PublicKey> {
        let command = Command::Generate {
            kind: Kind::User.prefix(),
            name: "front",
            exportable: false,
        };
        self.call(Some(session), command, |response| match response.answer {
            Answer::Key(key) => PublicKey::from_bytes(Kind::User, key.key),
            other => panic!("{other:?}"),
        })
    }

    fn sign(&mut self, session: Session) -> Option<nkey_core::Signature> {
        self.call(
            Some(session),
            Command::Sign {
                slot: 0,
                message: NONCE,
            },
            |response| match response.answer {
                Answer::Signature(signature) => signature.into(),
                other => panic!("{other:?}"),
            },
        )
    }

    fn keys(&mut self) -> usize {
        self.call(None, Command::List, |response| match response.answer {
            Answer::List(rows) => rows.iter().filter(|row| row.key.is_some()).count(),
            other => panic!("{other:?}"),
        })
        .expect("an answer")
    }
}

#[test]
fn it_signs_over_each_line_and_keeps_its_keys() {
    for pty in [false, true] {
        let scratch = Scratch::new();
        let running = Running::start(&scratch, pty, "always", &["--serial", "T1"]);
        let mut host = connect(&running);
        assert_eq!(
            host.state(),
            (State::Empty, "VIRTUAL-T1".to_owned(), VIRTUAL)
        );
        host.init();
        let session = host.unlock().expect("a session");
        let key = host.generate(session).expect("a key");
        let signature = host.sign(session).expect("a signature");
        assert!(key.verify(NONCE, &signature));
        // The line is closed: the session has ended.
        drop(host);
        std::thread::sleep(Duration::from_millis(200));
        let mut host = connect(&running);
        assert_eq!(
            host.code(Some(session), Command::Lock),
            Some(Code::Locked),
            "pty {pty}"
        );
        drop(host);
        assert!(running.stop().contains("VIRTUAL token, no board"));
        let running = Running::start(&scratch, pty, "always", &[]);
        let mut host = connect(&running);
        let session = host.unlock().expect("a session");
        assert!(key.verify(NONCE, &host.sign(session).expect("a signature")));
    }
}

#[test]
fn nobody_presses() {
    let scratch = Scratch::new();
    let running = Running::start(&scratch, false, "always", &[]);
    let mut host = connect(&running);
    host.init();
    let session = host.unlock().expect("a session");
    host.generate(session).expect("a key");
    drop(host);
    drop(running);
    let running = Running::start(&scratch, false, "never", &[]);
    let mut host = connect(&running);
    let session = host.unlock().expect("a session");
    host.send(
        Some(session),
        Command::Sign {
            slot: 0,
            message: NONCE,
        },
    );
    let waits = host.hear().expect("an answer");
    let response: Response<'_> = postcard::from_bytes(&waits).expect("a response");
    assert!(matches!(response.answer, Answer::Waiting(_)));
    host.send(None, Command::Cancel);
    let cancelled = host.hear().expect("an answer");
    let response: Response<'_> = postcard::from_bytes(&cancelled).expect("a response");
    assert!(matches!(
        response.answer,
        Answer::Error {
            code: Code::Cancelled,
            ..
        }
    ));
}

/// The flash of an initialised token, in the scratch folder.
fn prepared(path: &Path) {
    let scratch = Scratch::new();
    let running = Running::start(&scratch, false, "always", &[]);
    let mut host = connect(&running);
    host.init();
    drop(running);
    std::fs::copy(scratch.path().join("flash"), path).expect("a copy");
}

#[test]
fn a_cut_leaves_the_old_state_or_the_new_one() {
    let scratch = Scratch::new();
    let start = scratch.path().join("start");
    prepared(&start);
    for cut in [0, 20, 30, 100, 300, 500, 700] {
        std::fs::copy(&start, scratch.path().join("flash")).expect("a copy");
        let running = Running::start(&scratch, false, "always", &["--cut", &cut.to_string()]);
        let mut host = connect(&running);
        let made = host
            .unlock()
            .and_then(|session| host.generate(session))
            .is_some();
        drop(running);
        let running = Running::start(&scratch, false, "always", &[]);
        let mut host = connect(&running);
        assert_eq!(host.state().0, State::Locked, "cut {cut}");
        let keys = host.keys();
        assert!(keys == 1 || (keys == 0 && !made), "cut {cut}");
        host.unlock().expect("a session");
    }
}

#[test]
fn a_flipped_bit_is_survived_and_a_lie_told() {
    let scratch = Scratch::new();
    let running = Running::start(&scratch, false, "always", &[]);
    let mut host = connect(&running);
    host.init();
    let session = host.unlock().expect("a session");
    let key = host.generate(session).expect("a key");
    drop(running);
    let running = Running::start(
        &scratch,
        false,
        "always",
        &["--flip", "8200:3", "--lie", "signature", "--slow", "5"],
    );
    let mut host = connect(&running);
    let session = host.unlock().expect("a session");
    assert!(!key.verify(NONCE, &host.sign(session).expect("a signature")));
    let left = host.call(None, Command::Tries, |response| match response.answer {
        Answer::Tries(left) => left,
        other => panic!("{other:?}"),
    });
    assert_eq!(left, Some(TRIES));
}
