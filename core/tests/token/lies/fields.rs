//! For every field of every command what no host should say.

use super::bodies::{body, lengths, malformed, no_text, tags};
use super::world::{EXPORTABLE, FREE, World, details};
use super::{Lie, Spent};
use crate::host::*;
use crate::peer::Peer;
use nkey_core::nkey::Kind;
use nkey_core::policy::{Claims, Kinds, Policy, Presence, Subjects};
use nkey_core::token::*;
use std::collections::BTreeSet;

/// The names of a command's fields, as `Debug` writes them, those of a policy for the policy.
pub fn names(command: &Command<'_>) -> BTreeSet<String> {
    let text = format!("{command:#?}");
    let fields = text.lines().filter_map(|line| line.trim().split_once(": "));
    let names = fields.map(|(name, _)| name.to_owned());
    names.filter(|name| name != "policy").collect()
}

/// Kinds of key that no token holds.
const KINDS: [u8; 7] = [
    1,
    2,
    255,
    Kind::Server.prefix(),
    Kind::Cluster.prefix(),
    Kind::Curve.prefix(),
    18 << 3,
];

/// Texts that servers take for no subject, or that are none.
const SUBJECTS: [&str; 17] = [
    ".",
    "a.",
    ".a",
    "a..b",
    " a",
    "a ",
    "a  b",
    " ",
    ">.a",
    "a.>.b",
    "a.\tb",
    "a\nb",
    "a\0",
    "a.\u{7f}",
    "a.\u{85}",
    "a\u{2003}b",
    "a.> b..c",
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

struct Told {
    session: Option<Session>,
    good: Vec<u8>,
    lies: Vec<Lie>,
}

impl Told {
    fn lie(
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

    fn slots(&mut self, free: Code, make: impl Fn(u8) -> Command<'static>) {
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

    fn pins(
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

    fn texts(&mut self, name: &str, make: impl for<'n> Fn(&'n str) -> Command<'n>) {
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

    fn kinds(&mut self, make: impl Fn(u8) -> Command<'static>) {
        for kind in KINDS {
            self.lie("kind", kind, Code::Value, make(kind));
        }
    }

    fn policies(
        &mut self,
        policy: Policy<'static>,
        make: impl for<'p> Fn(Policy<'p>) -> Command<'p>,
    ) {
        let bytes = |policy| body(self.session, make(policy));
        let good = bytes(policy);
        let Policy {
            claims,
            kinds,
            bearer,
            life,
            within,
            presence,
            budget,
        } = policy;
        let others = [
            (
                "bearer",
                2,
                Policy {
                    bearer: !bearer,
                    ..policy
                },
            ),
            (
                "life",
                2,
                Policy {
                    life: life.map_or(Some(1), |_| None),
                    ..policy
                },
            ),
            (
                "budget",
                2,
                Policy {
                    budget: budget.map_or(Some(1), |_| None),
                    ..policy
                },
            ),
            (
                "within",
                2,
                Policy {
                    within: within.map_or(Some(Subjects("")), |_| None),
                    ..policy
                },
            ),
        ];
        let mut more = Vec::new();
        for (field, first, other) in others {
            more.extend(tags(field, &good, &bytes(other), first));
        }
        let never = match presence {
            Presence::Never => Presence::Always,
            Presence::Always | Presence::Cached(_) => Presence::Never,
        };
        more.extend(tags(
            "presence",
            &good,
            &bytes(Policy {
                presence: never,
                ..policy
            }),
            3,
        ));
        let subjects = Policy {
            within: Some(Subjects("orders.>")),
            ..policy
        };
        more.extend(lengths("within", &bytes(subjects), b"orders.>"));
        more.extend(no_text("within", &bytes(subjects), "orders.>"));
        self.lies.extend(more);

        for bits in [0x80, 0xFF, claims.0 | 0x80] {
            let policy = Policy {
                claims: Claims(bits),
                ..policy
            };
            self.lie("claims", bits, Code::Value, make(policy));
        }
        for bits in [0x80, 0xFF, kinds.0 | 0x80] {
            let policy = Policy {
                kinds: Kinds(bits),
                ..policy
            };
            self.lie("kinds", bits, Code::Value, make(policy));
        }
        for seconds in [0, 86_401, u32::MAX] {
            let policy = Policy {
                presence: Presence::Cached(seconds),
                ..policy
            };
            self.lie("presence", seconds, Code::Value, make(policy));
        }
        let many = ["a"; 17].join(" ");
        let long = "s".repeat(961);
        let huge = "a.b.c ".repeat(5_000) + "z";
        for text in SUBJECTS.into_iter().chain([many.as_str(), &long, &huge]) {
            let policy = Policy {
                within: Some(Subjects(text)),
                ..policy
            };
            let what = format!("{:?}", text.get(..9).unwrap_or(text));
            self.lie("within", what, Code::Value, make(policy));
        }
    }

    fn inits(&mut self, world: &World, init: Init<'static>) {
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

    fn times(&mut self, make: impl Fn(u64) -> Command<'static>) {
        for time in [0, 1, NOW - LEAP - 1, NOW + LEAP + 1, 1 << 63, u64::MAX] {
            self.lie("time", time, Code::Time, make(time));
        }
    }

    fn messages(&mut self, world: &World, make: impl for<'m> Fn(u8, &'m [u8]) -> Command<'m>) {
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

    fn seals(&mut self, world: &World) {
        let Details {
            kind: _,
            key: _,
            name: _,
            imported: _,
            exportable: _,
            generation: _,
            loosened: _,
            policy,
        } = details();
        let seed = super::world::SEED;
        let mut blobs = Vec::new();
        let mut said = |what: String, details: Details<'_>, seed: &[u8; 32]| {
            blobs.push((what, world.peer.seal(&world.own, &details, seed)));
        };
        for kind in KINDS {
            said(format!("kind {kind}"), Details { kind, ..details() }, &seed);
        }
        said(
            "another key".into(),
            Details {
                key: [3; 32],
                ..details()
            },
            &seed,
        );
        let key = *world.account.as_bytes();
        said(
            "the key in slot 0".into(),
            Details { key, ..details() },
            &seed,
        );
        said("a seed of another key".into(), details(), &[0x22; 32]);
        said("no seed".into(), details(), &[0; 32]);
        let long = "n".repeat(NAME_LEN + 1);
        for name in [long.as_str(), "a\nb", "\0"] {
            said(
                format!("name {name:?}"),
                Details { name, ..details() },
                &seed,
            );
        }
        for policy in [
            Policy {
                claims: Claims(0x80),
                ..policy
            },
            Policy {
                kinds: Kinds(0x80),
                ..policy
            },
            Policy {
                presence: Presence::Cached(0),
                ..policy
            },
            Policy {
                within: Some(Subjects("a..b")),
                ..policy
            },
        ] {
            said(
                format!("{policy:?}"),
                Details {
                    policy,
                    ..details()
                },
                &seed,
            );
        }
        let own = &world.own;
        let truth = postcard::to_allocvec(&details()).expect("details");
        let stranger = Peer::new(0x52);
        let mut label = *crate::peer::LABEL;
        label[19] = b'2';
        let good = &world.sealed;
        blobs.extend([
            ("another peer".into(), stranger.seal(own, &details(), &seed)),
            (
                "for another token".into(),
                world.peer.seal(&stranger.device(), &details(), &seed),
            ),
            (
                "another label".into(),
                world.peer.seal_bytes(&label, own, &truth, &seed),
            ),
            (
                "no details".into(),
                world.peer.seal_bytes(crate::peer::LABEL, own, b"", &seed),
            ),
            (
                "noise".into(),
                world
                    .peer
                    .seal_bytes(crate::peer::LABEL, own, &[0xEE; 90], &seed),
            ),
            (
                "a tail in front of the seal".into(),
                world
                    .peer
                    .seal_bytes(crate::peer::LABEL, own, &[&truth[..], &[0]].concat(), &seed),
            ),
            ("huge".into(), vec![0x6E; 32_000]),
            ("a tail".into(), [&good[..], &[0]].concat()),
        ]);
        for len in [0, 1, 63, 64, 111, 112, 117, 228, good.len() - 1] {
            blobs.push((format!("cut after {len}"), good[..len].to_vec()));
        }
        for at in 0..good.len() {
            let mut blob = good.to_vec();
            blob[at] ^= 1;
            blobs.push((format!("bit {at}"), blob));
        }
        for (what, sealed) in &blobs {
            self.lie("sealed", what, Code::Value, Command::Receive { sealed });
        }
        self.lies.extend(lengths("sealed", &self.good, good));
    }
}

fn unhex(text: &str) -> [u8; 32] {
    std::array::from_fn(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hex"))
}

/// All lies of a command. A new command or field does not compile here, and without a lie
/// [`names`] has a name more than the lies.
pub fn lies(world: &World, session: Option<Session>, good: Command<'static>) -> Vec<Lie> {
    let mut told = Told {
        session,
        good: body(session, good),
        lies: Vec::new(),
    };
    match good {
        Command::Hello
        | Command::List
        | Command::Tries
        | Command::Counters
        | Command::Cancel
        | Command::Lock
        | Command::Bootloader
        | Command::Reset => {}
        Command::Slot { slot: _ } => told.slots(Code::Slot, |slot| Command::Slot { slot }),
        Command::Init(init) => told.inits(world, init),
        Command::Unlock { pin, time } => {
            told.pins("pin", Some(Spent::Try), |pin| Command::Unlock { pin, time });
            told.times(|time| Command::Unlock { pin, time });
            let mut endless = told.good.clone();
            endless.truncate(endless.len() - 5);
            endless.extend_from_slice(&[0xFF; 10]);
            told.lies.push(malformed("time", "above 64 bits", endless));
            let more = lengths("pin", &told.good, pin);
            told.lies.extend(more);
        }
        Command::Sign { slot: _, message } => {
            told.slots(Code::Slot, |slot| Command::Sign { slot, message });
            told.messages(world, |slot, message| Command::Sign { slot, message });
            let more = lengths("message", &told.good, message);
            told.lies.extend(more);
        }
        Command::Generate {
            kind,
            name,
            exportable,
        } => {
            let make = |kind, name, exportable| Command::Generate {
                kind,
                name,
                exportable,
            };
            told.kinds(|kind| make(kind, name, exportable));
            told.texts(name, |name| Command::Generate {
                kind,
                name,
                exportable,
            });
            let other = body(session, make(kind, name, !exportable));
            let more = tags("exportable", &told.good, &other, 2);
            told.lies.extend(more);
        }
        Command::Name { slot: _, name } => {
            told.slots(Code::Slot, |slot| Command::Name { slot, name });
            told.texts(name, |name| Command::Name { slot: 1, name });
        }
        Command::Attest { slot: _, challenge } => {
            told.slots(Code::Slot, |slot| Command::Attest { slot, challenge });
            for len in [0, 1, 31] {
                let cut = &told.good[..told.good.len() - 32 + len];
                let lie = malformed("challenge", format!("{len} bytes"), cut.to_vec());
                told.lies.push(lie);
            }
        }
        Command::Random { len: _ } => {
            for len in [0, RANDOM_LEN as u16 + 1, 0x7FFF, u16::MAX] {
                told.lie("len", len, Code::Value, Command::Random { len });
            }
            let mut endless = told.good.clone();
            endless.truncate(endless.len() - 2);
            endless.extend_from_slice(&[0xFF, 0xFF, 0x07]);
            told.lies.push(malformed("len", "above 16 bits", endless));
        }
        Command::ChangePin { old, new } => {
            let wrong = Some(Spent::Try);
            told.pins("old", wrong, |old| Command::ChangePin { old, new });
            told.pins("new", None, |new| Command::ChangePin { old, new });
            let more = lengths("old", &told.good, old);
            told.lies.extend(more);
            let more = lengths("new", &told.good, new);
            told.lies.extend(more);
        }
        Command::Tighten { slot, policy } => {
            told.slots(Code::Slot, |slot| Command::Tighten { slot, policy });
            told.policies(policy, |policy| Command::Tighten { slot: 1, policy });
            for (field, policy) in wider(policy) {
                let command = Command::Tighten { slot, policy };
                told.lie(field, "wider", Code::Wider, command);
            }
        }
        Command::Loosen { slot: _, policy } => {
            told.slots(Code::Slot, |slot| Command::Loosen { slot, policy });
            told.policies(policy, |policy| Command::Loosen { slot: 1, policy });
        }
        Command::Import { kind, seed, name } => {
            told.kinds(|kind| Command::Import { kind, seed, name });
            told.texts(name, |name| Command::Import { kind, seed, name });
            let seed = [0; 32];
            let command = Command::Import { kind, seed, name };
            told.lie("seed", "zeros", Code::Value, command);
        }
        Command::Erase { slot: _ } => told.slots(Code::Slot, |slot| Command::Erase { slot }),
        Command::Export { slot, pin } => {
            told.slots(Code::Slot, |slot| Command::Export { slot, pin });
            let other = Command::Export { slot: 0, pin };
            told.lie("slot", "not exportable", Code::NotAllowed, other);
            assert_eq!(slot, EXPORTABLE);
            let wrong = Some(Spent::TryAndPress);
            told.pins("pin", wrong, |pin| Command::Export {
                slot: EXPORTABLE,
                pin,
            });
            let more = lengths("pin", &told.good, pin);
            told.lies.extend(more);
        }
        Command::Receive { sealed: _ } => told.seals(world),
    }
    told.lies
}

/// Policies that allow more than a new user's key may.
fn wider(policy: Policy<'static>) -> [(&'static str, Policy<'static>); 4] {
    [
        (
            "claims",
            Policy {
                claims: Claims(0x7F),
                ..policy
            },
        ),
        (
            "kinds",
            Policy {
                kinds: Kinds(1),
                ..policy
            },
        ),
        (
            "bearer",
            Policy {
                bearer: true,
                ..policy
            },
        ),
        (
            "presence",
            Policy {
                presence: Presence::Never,
                ..policy
            },
        ),
    ]
}
