//! The tokens to which the host lies.

use crate::board::{Flash, SECTOR};
use crate::host::*;
use crate::peer::Peer;
use nkey_core::nkey::{KeyPair, Kind, PublicKey, Seed};
use nkey_core::policy::{Policy, Presence};
use nkey_core::token::*;
use std::collections::BTreeSet;

/// The slots: an account's, a user's, an exportable account's.
pub const EXPORTABLE: u8 = 2;
/// The first free slot.
pub const FREE: u8 = 3;

pub struct World {
    empty: Flash,
    ready: Flash,
    /// The device key of the token.
    pub own: [u8; 32],
    /// The key in slot 0.
    pub account: PublicKey,
    pub peer: Peer,
    /// A key that the peer sealed to the token.
    pub sealed: &'static [u8],
    /// The places of flash that a wrong PIN changes.
    pub tries: BTreeSet<usize>,
    /// The places of flash that a press for a change alters.
    pub times: BTreeSet<usize>,
}

/// The places, of two sectors each, that differ.
pub fn changed(before: &[u8], after: &[u8]) -> BTreeSet<usize> {
    let pairs = before.iter().zip(after).enumerate();
    pairs
        .filter(|(_, (before, after))| before != after)
        .map(|(at, _)| at / (2 * SECTOR))
        .collect()
}

pub const SEED: [u8; 32] = [0x21; 32];

/// What a peer truly says about the account's key of [`SEED`].
pub fn details() -> Details<'static> {
    let pair = KeyPair::from_seed(&Seed::from_bytes(Kind::Account, SEED)).expect("a key");
    Details {
        kind: Kind::Account.prefix(),
        key: *pair.public_key().as_bytes(),
        name: "backup",
        imported: false,
        exportable: true,
        generation: 0,
        loosened: false,
        policy: Policy::new(Kind::Account),
    }
}

impl World {
    pub fn new() -> World {
        let mut token = Token::new(Flash::new());
        let empty = token.app.board().flash.restored();
        let own = match token.ask(None, Command::Hello).answer() {
            Answer::Hello(hello) => hello.device,
            other => panic!("{other:?}"),
        };
        let peer = Peer::new(0x51);
        let init = Init {
            peer: Some(peer.device()),
            ..INIT
        };
        token.call(None, Command::Init(init)).ok();
        let session = token.unlock();
        let account = token.generate(session, Kind::Account);
        token.generate(session, Kind::User);
        let command = Command::Generate {
            kind: Kind::Account.prefix(),
            name: "main",
            exportable: true,
        };
        token.call(Some(session), command).ok();
        let ready = token.app.board().flash.restored();
        let mut world = World {
            sealed: peer.seal(&own, &details(), &SEED).leak(),
            empty,
            ready,
            own,
            account,
            peer,
            tries: BTreeSet::new(),
            times: BTreeSet::new(),
        };
        let (mut token, session) = world.before("Lock");
        let kept = token.app.board().flash.bytes.clone();
        let wrong = Command::Unlock {
            pin: b"wrong one",
            time: NOW,
        };
        assert_eq!(token.ask(None, wrong).code(), Some(Code::Pin));
        world.tries = changed(&kept, &token.app.board().flash.bytes);
        let kept = token.app.board().flash.bytes.clone();
        token.call(session, Command::Bootloader).ok();
        world.times = changed(&kept, &token.app.board().flash.bytes);
        assert_eq!((world.tries.len(), world.times.len()), (1, 1));
        world
    }

    /// A token that is ready for this message, and its session.
    pub fn before(&self, name: &str) -> (Token, Option<Session>) {
        if name == "Init" {
            return (Token::new(self.empty.clone()), None);
        }
        let mut token = Token::new(self.ready.clone());
        if name == "Unlock" {
            return (token, None);
        }
        let session = token.unlock();
        (token, Some(session))
    }

    /// A message that is carried out.
    pub fn good(&self, name: &str) -> Command<'static> {
        let policy = Policy {
            presence: Presence::Cached(60),
            life: Some(3_600),
            budget: Some(9),
            ..Policy::new(Kind::User)
        };
        match name {
            "Hello" => Command::Hello,
            "List" => Command::List,
            "Slot" => Command::Slot { slot: 1 },
            "Tries" => Command::Tries,
            "Counters" => Command::Counters,
            "Cancel" => Command::Cancel,
            "Init" => Command::Init(Init {
                peer: Some(self.peer.device()),
                ..INIT
            }),
            "Unlock" => Command::Unlock {
                pin: PIN,
                time: NOW,
            },
            "Lock" => Command::Lock,
            "Sign" => Command::Sign {
                slot: 1,
                message: NONCE,
            },
            "Generate" => Command::Generate {
                kind: Kind::User.prefix(),
                name: "name of it",
                exportable: false,
            },
            "Name" => Command::Name {
                slot: 1,
                name: "name of it",
            },
            "Attest" => Command::Attest {
                slot: 1,
                challenge: [0x44; 32],
            },
            "Random" => Command::Random { len: 256 },
            "ChangePin" => Command::ChangePin {
                old: PIN,
                new: b"battery staple",
            },
            "Tighten" => Command::Tighten {
                slot: 1,
                policy: Policy {
                    presence: Presence::Always,
                    ..policy
                },
            },
            "Loosen" => Command::Loosen { slot: 1, policy },
            "Import" => Command::Import {
                kind: Kind::User.prefix(),
                seed: [0x33; 32],
                name: "name of it",
            },
            "Erase" => Command::Erase { slot: 1 },
            "Export" => Command::Export {
                slot: EXPORTABLE,
                pin: PIN,
            },
            "Receive" => Command::Receive {
                sealed: self.sealed,
            },
            "Bootloader" => Command::Bootloader,
            "Reset" => Command::Reset,
            other => panic!("{other} has no lies"),
        }
    }
}
