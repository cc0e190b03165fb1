//! The other end of the line.

use crate::board::{Flash, Model};
use nkey_core::claims::{self, Claim};
use nkey_core::jwt;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::token::*;

pub const NOW: u64 = 1_800_000_000;
pub const PIN: &[u8] = b"correct horse";

pub const INIT: Init<'static> = Init {
    pin: PIN,
    time: NOW,
    iterations: 1_000,
    importable: true,
    peer: None,
    drift_days: 30,
    idle_seconds: 600,
};

pub struct Token {
    pub app: App<Model, Box<Memory>>,
    id: u32,
}

/// A response, decoded when it is looked at.
#[derive(Clone)]
pub struct Reply(Vec<u8>);

impl Reply {
    pub fn answer(&self) -> Answer<'_> {
        self.response().answer
    }

    pub fn response(&self) -> Response<'_> {
        postcard::from_bytes(&self.0).expect("a response")
    }

    pub fn code(&self) -> Option<Code> {
        match self.answer() {
            Answer::Error { code, .. } => Some(code),
            _ => None,
        }
    }

    #[track_caller]
    pub fn ok(self) -> Reply {
        assert!(self.code().is_none(), "{:?}", self.answer());
        self
    }

    #[track_caller]
    pub fn session(&self) -> Session {
        match self.answer() {
            Answer::Session { session, .. } => session,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    pub fn key(&self) -> PublicKey {
        match self.answer() {
            Answer::Key(key) => {
                PublicKey::from_bytes(Kind::from_prefix(key.kind).unwrap(), key.key)
            }
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    pub fn rows(&self) -> Vec<Row> {
        match self.answer() {
            Answer::List(rows) => rows.iter().collect(),
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    pub fn signature(&self) -> nkey_core::Signature {
        match self.answer() {
            Answer::Signature(signature) => signature.into(),
            other => panic!("{other:?}"),
        }
    }
}

pub fn frame(request: &Request<'_>) -> Vec<u8> {
    let (mut scratch, mut frame) = (vec![0; FRAME_LEN + 4_000], vec![0; FRAME_LEN + 8_000]);
    let len = encode(request, &mut scratch, &mut frame).expect("a request fits");
    frame.truncate(len);
    frame
}

/// A frame with this message, whatever it is.
pub fn raw(body: &[u8]) -> Vec<u8> {
    let sum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(body);
    let mut whole = body.to_vec();
    whole.extend_from_slice(&sum.to_le_bytes());
    let mut frame = cobs::encode_vec(&whole);
    frame.push(0);
    frame
}

impl Token {
    pub fn new(flash: Flash) -> Token {
        Token::on(Model::new(flash))
    }

    pub fn on(board: Model) -> Token {
        Token {
            app: App::new(board, Box::new(Memory::new())),
            id: 0,
        }
    }

    /// The flash, after the power was cut.
    pub fn flash(self) -> Flash {
        self.app.into_board().flash.restored()
    }

    /// Powered off and on.
    pub fn reboot(self) -> Token {
        Token::new(self.flash())
    }

    pub fn send(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = self.app.receive(rest);
            assert!(
                taken > 0 || !self.app.output().is_empty(),
                "the token hangs"
            );
            if taken == 0 {
                return;
            }
            rest = &rest[taken..];
        }
    }

    /// What the token has to say, frame by frame.
    pub fn replies(&mut self) -> Vec<Reply> {
        let bytes = self.app.output().to_vec();
        self.app.sent(bytes.len());
        bytes
            .split_inclusive(|byte| *byte == 0)
            .filter(|frame| frame.len() > 1)
            .map(|frame| Reply(decode(&mut frame.to_vec()).expect("a whole frame").to_vec()))
            .collect()
    }

    /// Sends a command; the first answer.
    #[track_caller]
    pub fn ask(&mut self, session: Option<Session>, command: Command<'_>) -> Reply {
        self.id += 1;
        let request = Request {
            id: self.id,
            session,
            command,
        };
        self.send(&frame(&request));
        let mut replies = self.replies();
        assert_eq!(replies.len(), 1);
        let reply = replies.remove(0);
        assert_eq!(reply.response().id, self.id);
        reply
    }

    /// Sends a command, and presses the button as it is asked to.
    #[track_caller]
    pub fn call(&mut self, session: Option<Session>, command: Command<'_>) -> Reply {
        let reply = self.ask(session, command);
        match reply.answer() {
            Answer::Waiting(press) => {
                self.press(if press == Press::Short { 100 } else { 3_100 });
                let mut replies = self.replies();
                assert_eq!(replies.len(), 1, "one answer to a press");
                replies.remove(0)
            }
            _ => reply,
        }
    }

    /// Lets time pass.
    pub fn wait(&mut self, ms: u64) {
        for _ in 0..ms.div_ceil(20) {
            self.app.board().ticks += 20;
            self.app.poll();
        }
    }

    /// Releases the button, then presses it for so long.
    pub fn press(&mut self, ms: u64) {
        self.app.board().pressed = false;
        self.wait(40);
        self.app.board().pressed = true;
        self.wait(ms);
        self.app.board().pressed = false;
        self.wait(40);
    }

    pub fn init(&mut self) {
        self.call(None, Command::Init(INIT)).ok();
    }

    #[track_caller]
    pub fn unlock(&mut self) -> Session {
        self.call(
            None,
            Command::Unlock {
                pin: PIN,
                time: NOW,
            },
        )
        .session()
    }

    pub fn generate(&mut self, session: Session, kind: Kind) -> PublicKey {
        let command = Command::Generate {
            kind: kind.prefix(),
            name: "key",
            exportable: false,
        };
        self.call(Some(session), command).ok().key()
    }
}

/// A token with an account's key in slot 0, a user's in 1 and an operator's in 2.
pub fn ready() -> (Token, Session) {
    let mut token = Token::new(Flash::new());
    token.init();
    let session = token.unlock();
    for kind in [Kind::Account, Kind::User, Kind::Operator] {
        token.generate(session, kind);
    }
    (token, session)
}

/// The device key.
pub fn device(token: &mut Token) -> [u8; 32] {
    match token.ask(None, Command::Hello).answer() {
        Answer::Hello(hello) => hello.device,
        other => panic!("{other:?}"),
    }
}

/// Two tokens that pinned each other, each with a session.
pub fn peers() -> [(Token, Session); 2] {
    let mut tokens = [7, 8].map(|seed| Token::on(Model::seeded(Flash::new(), seed)));
    let keys = tokens.each_mut().map(device);
    let mut at = 2;
    tokens.map(|mut token| {
        at -= 1;
        let init = Init {
            importable: false,
            peer: Some(keys[at]),
            ..INIT
        };
        token.call(None, Command::Init(init)).ok();
        let session = token.unlock();
        (token, session)
    })
}

/// The signing input of a user's claim.
pub fn user(
    issuer: &PublicKey,
    change: impl FnOnce(&mut claims::Claims<'_, claims::User<'_>>),
) -> Vec<u8> {
    let sub = PublicKey::from_bytes(Kind::User, [9; 32]).encode();
    let mut claim = claims::Claims::<claims::User<'_>>::default();
    claim.standard.sub = &sub;
    claim.standard.iat = NOW as i64;
    change(&mut claim);
    input(issuer, &claim, claim.standard.iat)
}

pub fn input(issuer: &PublicKey, claim: &impl Claim, iat: i64) -> Vec<u8> {
    let mut buf = vec![0; 40_000];
    let len = jwt::prepare(claim, issuer, iat, &mut buf).expect("a claim");
    buf.truncate(len);
    buf
}

pub const NONCE: &[u8] = b"PXoWU7zWAMt75FY";
