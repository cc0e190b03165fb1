//! What a backup peer that lies could seal, and what somebody could make of it.

use super::bodies::lengths;
use super::told::{KINDS, Told};
use super::world::{SEED, World, details};
use crate::peer::Peer;
use nkey_core::policy::{Claims, Kinds, Policy, Presence, Subjects};
use nkey_core::token::*;

impl Told {
    pub fn seals(&mut self, world: &World) {
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
        let seed = SEED;
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
