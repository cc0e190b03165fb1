//! A press that counts for a while: for one slot and one type of claim, in one session, and
//! never for a change.

use crate::board::Flash;
use crate::host::*;
use crate::peer::Peer;
use nkey_core::claims::{Activation, Claims as Claim};
use nkey_core::nkey::{KeyPair, Kind, PublicKey, Seed};
use nkey_core::policy::{Claims, Kinds, Policy, Presence, Signable};
use nkey_core::token::*;

const SECONDS: u32 = 60;

/// Slots 0 and 3 have accounts' keys, slot 1 a user's; a press counts for a minute with all.
struct Cached {
    token: Token,
    session: Session,
    /// What each of the two account's keys signs: a user and an activation.
    messages: [[Vec<u8>; 2]; 2],
}

const USER: usize = 0;
const ACTIVATION: usize = 1;
const SLOTS_OF: [u8; 2] = [0, 3];

impl Cached {
    fn new() -> Cached {
        let (mut token, session) = ready();
        let second = token.generate(session, Kind::Account);
        let first = match token.ask(None, Command::List).answer() {
            Answer::List(rows) => rows.iter().next().and_then(|row| row.key).expect("a key"),
            other => panic!("{other:?}"),
        };
        let first = PublicKey::from_bytes(Kind::Account, first.key);
        let accounts = Policy {
            claims: Claims::of(&[Signable::User, Signable::Activation]),
            kinds: Kinds::of(&[Kind::User, Kind::Account]),
            presence: Presence::Cached(SECONDS),
            ..Policy::new(Kind::Account)
        };
        let users = Policy {
            presence: Presence::Cached(SECONDS),
            ..Policy::new(Kind::User)
        };
        for (slot, policy) in [(0, accounts), (3, accounts), (1, users)] {
            let command = Command::Loosen { slot, policy };
            token.call(Some(session), command).ok();
        }
        Cached {
            token,
            session,
            messages: [&first, &second].map(|key| [user(key, |_| {}), activation(key)]),
        }
    }

    /// Whether a signature asks for a press; the request is taken back.
    #[track_caller]
    fn asks(&mut self, key: usize, claim: usize) -> bool {
        let message = self.messages[key][claim].clone();
        self.asks_for(SLOTS_OF[key], &message)
    }

    #[track_caller]
    fn asks_for(&mut self, slot: u8, message: &[u8]) -> bool {
        let reply = self
            .token
            .ask(Some(self.session), Command::Sign { slot, message });
        match reply.answer() {
            Answer::Signature(_) => false,
            Answer::Waiting(Press::Short) => {
                let request = Request {
                    id: 1,
                    session: None,
                    command: Command::Cancel,
                };
                self.token.send(&frame(&request));
                self.token.replies();
                true
            }
            other => panic!("{other:?}"),
        }
    }

    /// Signs with a press.
    #[track_caller]
    fn press(&mut self, key: usize, claim: usize) {
        let message = self.messages[key][claim].clone();
        let command = Command::Sign {
            slot: SLOTS_OF[key],
            message: &message,
        };
        let reply = self.token.ask(Some(self.session), command);
        assert_eq!(reply.answer(), Answer::Waiting(Press::Short));
        self.token.press(100);
        self.token.replies().remove(0).signature();
    }
}

/// Leave to import, from the account that this key signs for.
fn activation(issuer: &PublicKey) -> Vec<u8> {
    let sub = PublicKey::from_bytes(Kind::Account, [9; 32]).encode();
    let mut claim = Claim::<Activation<'_>>::default();
    claim.standard.sub = &sub;
    claim.standard.iat = NOW as i64;
    claim.nats.subject = "orders.>";
    claim.nats.kind = Some(nkey_core::claims::ExportType::Stream);
    input(issuer, &claim, NOW as i64)
}

#[test]
fn it_is_for_one_slot_and_type_of_claim() {
    let mut cached = Cached::new();
    // The presses for the changes of the policies are none for a signature.
    for (key, claim) in [(0, USER), (0, ACTIVATION), (1, USER), (1, ACTIVATION)] {
        assert!(cached.asks(key, claim), "{key} {claim}");
    }
    cached.press(0, USER);
    assert!(!cached.asks(0, USER));
    assert!(cached.asks(0, ACTIVATION), "the other type of claim");
    assert!(cached.asks(1, USER), "the other slot");
    assert!(cached.asks_for(1, NONCE), "a nonce");
    cached.press(0, ACTIVATION);
    assert!(!cached.asks(0, ACTIVATION));
    assert!(!cached.asks(0, USER), "the first one still counts");
    assert!(cached.asks(1, ACTIVATION));
}

#[test]
fn each_ends_on_its_own() {
    let mut cached = Cached::new();
    cached.press(0, USER);
    cached.token.wait(30_000);
    cached.press(0, ACTIVATION);
    cached.token.wait(29_000);
    assert!(!cached.asks(0, USER));
    cached.token.wait(1_000);
    assert!(cached.asks(0, USER), "a minute after its press");
    assert!(!cached.asks(0, ACTIVATION));
    // A signature without a press does not make it last longer.
    cached.token.wait(29_000);
    assert!(!cached.asks(0, ACTIVATION));
    cached.token.wait(1_000);
    assert!(cached.asks(0, ACTIVATION));
}

#[test]
fn it_ends_with_the_session() {
    type End = fn(&mut Token, Session);
    let ends: [(&str, End); 6] = [
        ("lock", |token, session| {
            token.call(Some(session), Command::Lock).ok();
        }),
        ("the line closed or suspended", |token, _| {
            token.app.disconnect()
        }),
        ("another session", |token, _| {
            token.unlock();
        }),
        ("idle", |token, _| token.wait(600_000)),
        ("power", |token, _| {
            let flash = std::mem::replace(token, Token::new(Flash::new())).flash();
            *token = Token::new(flash);
        }),
        ("a right PIN after wrong ones", |token, _| {
            let wrong = Command::Unlock {
                pin: b"wrong one",
                time: NOW,
            };
            for _ in 1..TRIES {
                assert_eq!(token.ask(None, wrong).code(), Some(Code::Pin));
            }
            token.unlock();
        }),
    ];
    for (name, end) in ends {
        let mut cached = Cached::new();
        if name == "idle" {
            // Longer than a session may be idle, so that nothing else ends it.
            let policy = Policy {
                presence: Presence::Cached(3_600),
                claims: Claims::of(&[Signable::User]),
                ..Policy::new(Kind::Account)
            };
            let command = Command::Loosen { slot: 0, policy };
            cached.token.call(Some(cached.session), command).ok();
        }
        cached.press(0, USER);
        assert!(!cached.asks(0, USER), "{name}");
        end(&mut cached.token, cached.session);
        cached.session = cached.token.unlock();
        // What the clock says must still let the claim be signed.
        if name == "idle" {
            let account = cached.token.ask(None, Command::Slot { slot: 0 });
            let Answer::Slot(details) = account.answer() else {
                panic!()
            };
            let account = PublicKey::from_bytes(Kind::Account, details.key);
            cached.messages[0][USER] =
                user(&account, |claim| claim.standard.iat = NOW as i64 + 600);
        }
        assert!(cached.asks(0, USER), "{name}");
    }
}

#[test]
fn it_is_never_for_a_change() {
    let mut cached = Cached::new();
    cached.press(0, USER);
    assert!(!cached.asks(0, USER));
    let policy = Policy {
        presence: Presence::Cached(SECONDS),
        ..Policy::new(Kind::Account)
    };
    let import = Command::Import {
        kind: Kind::Account.prefix(),
        seed: [5; 32],
        name: "old",
    };
    for command in [
        Command::Erase { slot: 0 },
        Command::Loosen { slot: 0, policy },
        import,
        Command::Bootloader,
        Command::Reset,
    ] {
        let reply = cached.token.ask(Some(cached.session), command);
        assert_eq!(reply.answer(), Answer::Waiting(Press::Held), "{command:?}");
        let request = Request {
            id: 1,
            session: None,
            command: Command::Cancel,
        };
        cached.token.send(&frame(&request));
        cached.token.replies();
    }
    assert!(!cached.asks(0, USER));
    // A press belongs to the policy under which it was asked for.
    let command = Command::Loosen { slot: 0, policy };
    cached.token.call(Some(cached.session), command).ok();
    assert!(cached.asks(0, USER));
}

#[test]
fn it_does_not_outlive_its_key() {
    let mut token = Token::new(Flash::new());
    let peer = Peer::new(0x61);
    let init = Init {
        peer: Some(peer.device()),
        ..INIT
    };
    token.call(None, Command::Init(init)).ok();
    let session = token.unlock();
    let pair = KeyPair::from_seed(&Seed::from_bytes(Kind::User, [7; 32])).expect("a key");
    let sent = Details {
        kind: Kind::User.prefix(),
        key: *pair.public_key().as_bytes(),
        name: "front",
        imported: false,
        exportable: true,
        generation: 1,
        loosened: true,
        policy: Policy {
            presence: Presence::Cached(SECONDS),
            ..Policy::new(Kind::User)
        },
    };
    let sealed = peer.seal(&device(&mut token), &sent, &[7; 32]);
    let receive = Command::Receive { sealed: &sealed };
    token.call(Some(session), receive).ok();
    let sign = Command::Sign {
        slot: 0,
        message: NONCE,
    };
    token.call(Some(session), sign).signature();
    token.ask(Some(session), sign).signature();
    // The same key in the same slot, whose policy came with it.
    let erase = Command::Erase { slot: 0 };
    token.call(Some(session), erase).ok();
    token.call(Some(session), receive).ok();
    let reply = token.ask(Some(session), sign);
    assert_eq!(reply.answer(), Answer::Waiting(Press::Short));
}
