//! Sealed boxes, against nats-io/nkeys in both directions.

use crate::peer::{self, object, text};
use crate::random::Random;
use data_encoding::BASE64;
use nkey_core::json::Node;
use nkey_core::nkey::{Kind, Seed};
use nkey_core::xkey::{CurvePair, Error};

fn bytes<const N: usize>(random: &mut Random) -> [u8; N] {
    std::array::from_fn(|_| random.next() as u8)
}

fn question(ask: &str, seed: &Seed, peer: &CurvePair, data: &[u8]) -> String {
    object(&[
        ("ask", Node::Text(ask.into())),
        ("seed", Node::Text(seed.encode().reveal().into())),
        ("peer", Node::Text(peer.public_key().to_string())),
        ("data", Node::Text(BASE64.encode(data))),
    ])
}

fn data(answer: &Node) -> Vec<u8> {
    assert_eq!(answer.get("error"), None);
    BASE64
        .decode(text(answer, "data").as_bytes())
        .expect("base64")
}

#[test]
fn go_opens_what_we_seal_and_we_what_go_seals() {
    let mut random = Random::new(6);
    let mut seeds = || Seed::from_bytes(Kind::Curve, bytes(&mut random));
    let pairs: Vec<_> = (0..peer::count().div_ceil(10))
        .map(|_| [seeds(), seeds()])
        .collect();
    let mut random = Random::new(7);
    let (mut opens, mut seals, mut plain) = (Vec::new(), Vec::new(), Vec::new());
    for [alice_seed, bob_seed] in &pairs {
        let [alice, bob] = [alice_seed, bob_seed].map(|seed| CurvePair::from_seed(seed).unwrap());
        let length = random.pick(&[0, 1, 15, 16, 17, 63, 64, 65, 4000]);
        let text: Vec<_> = (0..length).map(|_| random.next() as u8).collect();
        let mut nonce = |nonce: &mut [u8]| {
            nonce.copy_from_slice(&bytes::<24>(&mut random));
            Ok::<(), ()>(())
        };
        let sealed = alice.seal(&bob.public_key(), &text, &mut nonce).unwrap();
        opens.push(question("open", bob_seed, &alice, &sealed));
        seals.push(question("seal", alice_seed, &bob, &text));
        plain.push(text);
    }
    for (answer, text) in peer::ask("corepeer", &opens).iter().zip(&plain) {
        assert_eq!(data(answer), *text);
    }
    for ((answer, text), [alice_seed, bob_seed]) in
        peer::ask("corepeer", &seals).iter().zip(&plain).zip(&pairs)
    {
        let [alice, bob] = [alice_seed, bob_seed].map(|seed| CurvePair::from_seed(seed).unwrap());
        let mut sealed = data(answer);
        let opened = bob.open(&alice.public_key(), &sealed).unwrap();
        assert_eq!(*opened, *text);
        let opened = alice.open(&bob.public_key(), &sealed).unwrap();
        assert_eq!(*opened, *text);
        let at = random.below(sealed.len());
        sealed[at] ^= 1 << random.below(8);
        let refused = bob.open(&alice.public_key(), &sealed).unwrap_err();
        assert!(matches!(refused, Error::Open | Error::Version));
    }
}
