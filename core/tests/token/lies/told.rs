//! Lies, told one after the other.

use super::bodies::{body, lengths, no_text, tags};
use super::world::{FREE, World};
use super::{Lie, Spent};
use crate::host::*;
use nkey_core::nkey::Kind;
use nkey_core::token::*;

/// Kinds of key that no token holds.
pub const KINDS: [u8; 7] = [
    1,
    2,
    255,
    Kind::Server.prefix(),
    Kind::Cluster.prefix(),
    Kind::Curve.prefix(),
    18 << 3,
];

/// Points of small order, of which every secret makes the same, and what is no point.
const NO_PEERS: [&str; 9] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "0200000000000000000000000000000000000000000000000000000000000000",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

pub struct Told {
    pub session: Option<Session>,
    /// The body of the good request.
    pub good: Vec<u8>,
    pub lies: Vec<Lie>,
}

impl Told {
    pub fn new(session: Option<Session>, good: Command<'_>) -> Told {
        Told {
            session,
            good: body(session, good),
            lies: Vec::new(),
        }
    }

    pub fn lie(
        &mut self,
        field: &'static str,
        what: impl ToString,
        code: Code,
        command: Command<'_>,
    ) -> &mut Lie {
        let what = what.to_string();
        self.lies.push(Lie {
            field,
            what,
            body: body(self.session, command),
            code,
            spent: Spent::Nothing,
        });
        self.lies.last_mut().expect("one")
    }

    pub fn slots(&mut self, free: Code, make: impl Fn(u8) -> Command<'static>) {
        for (slot, code) in [
            (FREE, free),
            (SLOTS as u8 - 1, free),
            (SLOTS as u8, Code::Value),
            (0x7F, Code::Value),
            (0x80, Code::Value),
            (255, Code::Value),
        ] {
            self.lie("slot", slot, code, make(slot));
        }
    }

    pub fn pins(
        &mut self,
        field: &'static str,
        wrong: Option<Spent>,
        make: impl for<'p> Fn(&'p [u8]) -> Command<'p>,
    ) {
        for len in [0, 1, 5, 65, 200, 30_000] {
            let pin = vec![b'p'; len];
            self.lie(field, format!("{len} bytes"), Code::Value, make(&pin));
        }
        let Some(spent) = wrong else { return };
        for pin in [&b"correct hors"[..], b"correct horse ", b"Correct horse"] {
            let text = String::from_utf8_lossy(pin).into_owned();
            self.lie(field, text, Code::Pin, make(pin)).spent = spent;
        }
    }

    pub fn texts(&mut self, name: &str, make: impl for<'n> Fn(&'n str) -> Command<'n>) {
        let long = "n".repeat(NAME_LEN + 1);
        let wide = "\u{e9}".repeat(NAME_LEN / 2) + "n";
        let huge = "n".repeat(30_000);
        let texts = [
            long.as_str(),
            &wide,
            &huge,
            "a\nb",
            "\0",
            "\x1b[2J",
            "a\x7f",
            "a\u{85}b",
        ];
        for text in texts {
            let what = format!("{:?}", text.get(..9).unwrap_or(text));
            self.lie("name", what, Code::Value, make(text));
        }
        self.lies
            .extend(lengths("name", &self.good, name.as_bytes()));
        self.lies.extend(no_text("name", &self.good, name));
    }

    pub fn kinds(&mut self, make: impl Fn(u8) -> Command<'static>) {
        for kind in KINDS {
            self.lie("kind", kind, Code::Value, make(kind));
        }
    }

    pub fn inits(&mut self, world: &World, init: Init<'static>) {
        let Init {
            pin,
            time: _,
            iterations: _,
            importable,
            peer: _,
            drift_days: _,
            idle_seconds: _,
        } = init;
        self.pins("pin", None, |pin| Command::Init(Init { pin, ..init }));
        self.lies.extend(lengths("pin", &self.good, pin));
        for time in [0, u64::MAX, i64::MAX as u64 + 1] {
            let init = Init { time, ..init };
            self.lie("time", time, Code::Value, Command::Init(init));
        }
        for iterations in [0, 1, 999, 200_001, u32::MAX] {
            let init = Init { iterations, ..init };
            self.lie("iterations", iterations, Code::Value, Command::Init(init));
        }
        for drift_days in [401, u16::MAX] {
            let init = Init { drift_days, ..init };
            self.lie("drift_days", drift_days, Code::Value, Command::Init(init));
        }
        for idle_seconds in [0, 59, 86_401, u32::MAX] {
            let init = Init {
                idle_seconds,
                ..init
            };
            self.lie(
                "idle_seconds",
                idle_seconds,
                Code::Value,
                Command::Init(init),
            );
        }
        let no_peers = NO_PEERS.map(unhex);
        for peer in no_peers.into_iter().chain([world.own]) {
            let init = Init {
                peer: Some(peer),
                ..init
            };
            self.lie(
                "peer",
                format!("{peer:02x?}"),
                Code::Value,
                Command::Init(init),
            );
        }
        let importing = Init {
            importable: !importable,
            ..init
        };
        let other = body(self.session, Command::Init(importing));
        self.lies.extend(tags("importable", &self.good, &other, 2));
        let lonely = body(self.session, Command::Init(Init { peer: None, ..init }));
        self.lies.extend(tags("peer", &self.good, &lonely, 2));
    }

    pub fn times(&mut self, make: impl Fn(u64) -> Command<'static>) {
        for time in [0, 1, NOW - LEAP - 1, NOW + LEAP + 1, 1 << 63, u64::MAX] {
            self.lie("time", time, Code::Time, make(time));
        }
    }

    pub fn messages(&mut self, world: &World, make: impl for<'m> Fn(u8, &'m [u8]) -> Command<'m>) {
        let claim = user(&world.account, |_| {});
        let (mut tail, mut jti) = (claim.clone(), claim.clone());
        tail.push(b'A');
        let at = jti.len() / 2;
        jti[at] ^= 1;
        let most = vec![b'm'; MAX_MESSAGE];
        let more = vec![b'm'; MAX_MESSAGE + 1];
        let stranger = nkey_core::nkey::PublicKey::from_bytes(Kind::Account, [8; 32]);
        let foreign = user(&stranger, |_| {});
        let bearer = user(&world.account, |claim| {
            claim.nats.permissions.bearer_token = true
        });
        let early = user(&world.account, |claim| claim.standard.iat -= 302);
        let late = user(&world.account, |claim| claim.standard.iat += 900);
        for (what, slot, message, code) in [
            ("nothing", 1, &b""[..], Code::Language),
            ("a short nonce", 1, &NONCE[1..], Code::Language),
            ("a claim for a user's key", 1, &claim, Code::Language),
            ("a nonce for an account's key", 0, NONCE, Code::Language),
            ("the longest", 0, &most, Code::Language),
            ("a longer one", 0, &more, Code::TooLarge),
            ("a tail", 0, &tail, Code::Language),
            ("another byte", 0, &jti, Code::Language),
            ("another issuer", 0, &foreign, Code::Language),
            ("a bearer", 0, &bearer, Code::Policy),
            ("too early", 0, &early, Code::Iat),
            ("too late", 0, &late, Code::Iat),
        ] {
            self.lie("message", what, code, make(slot, message));
        }
    }
}

fn unhex(text: &str) -> [u8; 32] {
    std::array::from_fn(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hex"))
}
