//! A token that gets any bytes, while its button, its clock and its power do as they like.

use crate::board::{Flash, Model};
use nkey_core::nkey::Kind;
use nkey_core::policy::Policy;
use nkey_core::token::{
    Answer, App, Command, FRAME_LEN, Init, Memory, PRESS_MS, Request, Response, Session, decode,
    encode,
};

const NOW: u64 = 1_800_000_000;
const PIN: &[u8] = b"correct horse";

struct Talk {
    app: App<Model, Box<Memory>>,
    session: Option<Session>,
}

fn framed(id: u32, session: Option<Session>, command: Command<'_>) -> Vec<u8> {
    let (mut scratch, mut frame) = (vec![0; FRAME_LEN], vec![0; FRAME_LEN + 400]);
    let request = Request {
        id,
        session,
        command,
    };
    let len = encode(&request, &mut scratch, &mut frame).unwrap_or(0);
    frame.truncate(len);
    frame
}

impl Talk {
    fn new(flash: Flash) -> Talk {
        Talk {
            app: App::new(Model::new(flash), Box::new(Memory::new())),
            session: None,
        }
    }

    /// Every byte is taken, and what is answered can be read.
    fn send(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = self.app.receive(bytes);
            assert!(taken > 0 || !self.app.output().is_empty(), "it hangs");
            bytes = &bytes[taken..];
            self.hear();
        }
    }

    fn hear(&mut self) {
        let output = self.app.output().to_vec();
        self.app.sent(output.len());
        for frame in output.split_inclusive(|byte| *byte == 0) {
            let mut frame = frame.to_vec();
            let body = decode(&mut frame).expect("a whole frame");
            let response: Response<'_> = postcard::from_bytes(body).expect("a response");
            if let Answer::Session { session, .. } = response.answer {
                self.session = Some(session);
            }
        }
    }

    fn wait(&mut self, ms: u64) {
        for _ in 0..ms / 50 {
            self.app.board().ticks += 50;
            self.app.poll();
            self.hear();
        }
    }

    fn known(&mut self, which: u8, data: &[u8]) {
        let slot = data.first().copied().unwrap_or(0) % 4;
        let text = std::str::from_utf8(data).unwrap_or("name");
        let policy = Policy::new(Kind::User);
        let init = Init {
            pin: PIN,
            time: NOW,
            iterations: 1_000,
            importable: true,
            peer: None,
            drift_days: 30,
            idle_seconds: 600,
        };
        let commands = [
            Command::Init(init),
            Command::Unlock {
                pin: PIN,
                time: NOW + u64::from(slot),
            },
            Command::Generate {
                kind: Kind::User.prefix(),
                name: text,
                exportable: false,
            },
            Command::Sign {
                slot,
                message: data,
            },
            Command::Sign {
                slot,
                message: b"PXoWU7zWAMt75FY",
            },
            Command::Name { slot, name: text },
            Command::Tighten { slot, policy },
            Command::Loosen { slot, policy },
            Command::Erase { slot },
            Command::Receive { sealed: data },
            Command::Unlock {
                pin: data,
                time: NOW,
            },
            Command::Lock,
            Command::Cancel,
        ];
        let command = commands[usize::from(which) % commands.len()];
        let frame = framed(9, self.session, command);
        self.send(&frame);
    }
}

/// Whatever comes, the token neither panics nor falls silent, and what it kept is readable.
pub fn app(data: &[u8]) {
    let mut talk = Talk::new(Flash::new());
    let mut rest = data;
    while let Some((&[what, len], after)) = rest.split_first_chunk::<2>() {
        let (bytes, next) = after.split_at(usize::from(len).min(after.len()));
        rest = next;
        match what % 8 {
            0 => talk.send(bytes),
            1..=3 => talk.known(what / 8, bytes),
            4 => {
                talk.app.board().pressed = !talk.app.board().pressed;
                talk.wait(u64::from(len) * 20);
            }
            5 => {
                talk.app.board().pressed = false;
                talk.wait(50);
                talk.app.board().pressed = true;
                talk.wait(3_200);
            }
            6 => talk.app.disconnect(),
            _ => {
                // The power fails some steps on, and comes back.
                talk.app.board().flash.left = Some(u64::from(len) * 4);
                talk.known(what / 8, bytes);
                talk.wait(PRESS_MS / 8);
                talk = Talk::new(talk.app.into_board().flash.restored());
            }
        }
    }
    // Whatever has begun ends, and it answers.
    talk.app.disconnect();
    talk.send(&framed(77, None, Command::Hello));
}
