use super::*;
use crate::nkey;
use alloc::format;
use alloc::string::ToString;

fn pair(byte: u8) -> CurvePair {
    CurvePair::from_seed(&Seed::from_bytes(Kind::Curve, [byte; 32])).unwrap()
}

fn nonce(bytes: &mut [u8]) -> Result<(), ()> {
    bytes.fill(7);
    Ok(())
}

#[test]
fn what_is_sealed_opens_for_both_and_nobody_else() {
    let (alice, bob, eve) = (pair(1), pair(2), pair(3));
    for plaintext in [&b""[..], b"x", &[9; 5000]] {
        let sealed = alice.seal(&bob.public_key(), plaintext, nonce).unwrap();
        assert_eq!(sealed.len(), plaintext.len() + 44);
        assert_eq!(&sealed[..4], b"xkv1");
        assert_eq!(sealed[4..28], [7; 24]);
        let opened = bob.open(&alice.public_key(), &sealed);
        assert_eq!(opened.as_deref().map(Vec::as_slice), Ok(plaintext));
        let opened = alice.open(&bob.public_key(), &sealed);
        assert_eq!(opened.as_deref().map(Vec::as_slice), Ok(plaintext));
        assert_eq!(bob.open(&eve.public_key(), &sealed), Err(Error::Open));
        assert_eq!(eve.open(&alice.public_key(), &sealed), Err(Error::Open));
    }
}

#[test]
fn every_byte_counts() {
    let (alice, bob) = (pair(1), pair(2));
    let sealed = alice.seal(&bob.public_key(), b"plaintext", nonce).unwrap();
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 0x80;
        let wanted = if at < 4 { Error::Version } else { Error::Open };
        assert_eq!(bob.open(&alice.public_key(), &changed), Err(wanted));
    }
    for length in 0..sealed.len() {
        let wanted = if length < OVERHEAD {
            Error::TooShort(length)
        } else {
            Error::Open
        };
        let cut = &sealed[..length];
        assert_eq!(bob.open(&alice.public_key(), cut), Err(wanted));
    }
    let longer = [&sealed[..], b"\0"].concat();
    assert_eq!(bob.open(&alice.public_key(), &longer), Err(Error::Open));
}

/// NaCl's own example (`tests/box.c`), with the keys of RFC 7748, section 6.1.
#[test]
fn the_box_is_that_of_nacl() {
    let bytes = |hex: &str| data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
    let curve = |hex: &str| {
        let seed = Seed::from_bytes(Kind::Curve, bytes(hex).try_into().unwrap());
        CurvePair::from_seed(&seed).unwrap()
    };
    let alice = curve("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    let bob = curve("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    assert_eq!(
        bob.public_key().as_bytes()[..],
        bytes("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
    );
    let plaintext = bytes(concat!(
        "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c6129",
        "6cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde",
        "048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705"
    ));
    let boxed = bytes(concat!(
        "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186a",
        "c0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae",
        "90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74",
        "e355a5"
    ));
    let nonce = bytes("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37");
    let sealed = alice.seal(&bob.public_key(), &plaintext, |bytes| {
        bytes.copy_from_slice(&nonce);
        Ok::<(), ()>(())
    });
    assert_eq!(sealed.unwrap()[HEAD_LEN..], boxed);
}

#[test]
fn other_keys_are_refused_by_name() {
    let wrong = |found| nkey::Error::WrongKind {
        found,
        wanted: Kind::Curve,
    };
    let alice = pair(1);
    for kind in Kind::ALL.into_iter().filter(|kind| kind.can_sign()) {
        let seed = Seed::from_bytes(kind, [1; 32]);
        let refused = CurvePair::from_seed(&seed).unwrap_err();
        assert_eq!(refused, Error::Seed(wrong(kind)));
        let key = seed.public_key();
        let sealed = alice.seal(&key, b"", nonce);
        assert_eq!(sealed, Err(Error::Recipient(wrong(kind))));
        let sealed = alice.seal(&alice.public_key(), b"", nonce).unwrap();
        let opened = alice.open(&key, &sealed);
        assert_eq!(opened, Err(Error::Sender(wrong(kind))));
    }
    let user = Seed::from_bytes(Kind::User, [1; 32]).public_key();
    assert_eq!(
        alice.seal(&user, b"", nonce).unwrap_err().to_string(),
        "the recipient is not a curve key: wanted a curve key, this is a user key"
    );
}

/// The points of RFC 7748 whose multiples are few, in both spellings that fit 255 bits.
#[test]
fn points_of_small_order_are_refused() {
    let alice = pair(1);
    let near_p = |low: u8| {
        let mut bytes = [0xFF; 32];
        (bytes[0], bytes[31]) = (low, 0x7F);
        bytes
    };
    let small = |low: u8| {
        let mut bytes = [0; 32];
        bytes[0] = low;
        bytes
    };
    let order_8 = |hex: &str| {
        let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
        <[u8; 32]>::try_from(bytes).unwrap()
    };
    let points = [
        small(0),
        small(1),
        order_8("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        order_8("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        near_p(0xEC),
        near_p(0xED),
        near_p(0xEE),
    ];
    for point in points {
        for high in [0, 0x80] {
            let mut point = point;
            point[31] |= high;
            let key = PublicKey::from_bytes(Kind::Curve, point);
            let sealed = alice.seal(&key, b"secret", nonce);
            assert_eq!(sealed, Err(Error::Recipient(nkey::Error::SmallOrder)));
            let opened = alice.open(&key, &[b"xkv1".as_slice(), &[0; 40]].concat());
            assert_eq!(opened, Err(Error::Sender(nkey::Error::SmallOrder)));
        }
    }
}

#[test]
fn sizes_and_the_generator_are_checked() {
    let alice = pair(1);
    let key = alice.public_key();
    let long = vec![0; MAX_SEALED - OVERHEAD + 1];
    assert_eq!(
        alice.seal(&key, &long, nonce),
        Err(Error::TooLong(MAX_SEALED + 1))
    );
    let long = vec![0; MAX_SEALED + 1];
    assert_eq!(alice.open(&key, &long), Err(Error::TooLong(MAX_SEALED + 1)));
    assert_eq!(alice.seal(&key, b"", |_| Err(())), Err(Error::Random));
}

#[test]
fn the_pair_is_that_of_the_seed_and_prints_no_secret() {
    let seed = Seed::from_bytes(Kind::Curve, [1; 32]);
    let pair = pair(1);
    assert_eq!(pair.public_key(), seed.public_key());
    let shown = format!("{pair:?}");
    assert_eq!(
        shown,
        format!("CurvePair({}, S…redacted)", seed.public_key())
    );
}
