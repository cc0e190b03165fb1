use super::*;
use core::str::FromStr;

const OPERATOR_SEED: &str = "SOALU7LPGJK2BDF7IHD7UZT6ZM23UMKYLGJLNN35QJSUI5BNR4DJRFH4R4";
const OPERATOR: &str = "OCCKR76QCKV4R224WP6ZISXWLXLJZWDF22TRZFQM2I6KUPEDQ3OVCJ6N";

fn public(seed: &str) -> PublicKey {
    KeyPair::from_seed(&Seed::from_str(seed).unwrap())
        .unwrap()
        .public_key()
}

#[test]
fn seeds_of_the_example_give_its_public_keys() {
    for (seed, key) in [
        (OPERATOR_SEED, OPERATOR),
        (
            "SAALXUEDN2QR5KZDDSH5S4RIWAZDM7CVDG5HNJI2HS5LBVYFTLAQCOXZAU",
            "AB5D6N64ZGUTCGETBW3HSORLTJH5UCCB5CKPZFWCF6UV3KI5BCTRPFDC",
        ),
        (
            "SUALJTG5JNRQCQKFE652DV4XID522ALOHJNQVHKKDJNVGWHCLHOEXEROEM",
            "UATWOEX5T5LGWJ54SC7H762G5PKSSFPVTJX67IUFENTVPYHA4DPDJUZU",
        ),
    ] {
        assert_eq!(public(seed).encode().as_str(), key);
        assert_eq!(Seed::from_str(seed).unwrap().encode().reveal(), seed);
        assert_eq!(PublicKey::from_str(key).unwrap(), public(seed));
    }
}

/// ed25519-compact panics on such a seed where it is not asked otherwise.
#[test]
fn a_seed_of_zeros_is_refused_everywhere() {
    for kind in Kind::ALL {
        let zeros = Seed::from_bytes(kind, [0; 32]);
        let text = zeros.encode();
        assert_eq!(
            Seed::from_str(text.reveal()).map(|_| ()),
            Err(Error::ZeroSeed),
            "{kind}"
        );
        assert!(KeyPair::from_seed(&zeros).is_err());
        zeros.public_key();
    }
}

/// A curve key of tests/fixtures/nsc-store, which nsc made.
#[test]
fn a_curve_seed_gives_the_key_that_nsc_names_its_file_by() {
    let seed = include_str!(
        "../../../tests/fixtures/nsc-store/keys/keys/X/BH/XBHFMJ7ZFBU6ED2EKX3QDM3SKWFDAGYIONRGHPA3CB5OFARBDZ4XDZDZ.nk"
    );
    let key = Seed::from_str(seed.trim()).unwrap().public_key();
    assert_eq!(
        key.encode().as_str(),
        "XBHFMJ7ZFBU6ED2EKX3QDM3SKWFDAGYIONRGHPA3CB5OFARBDZ4XDZDZ"
    );
}

#[test]
fn every_kind_survives_the_round_trip_and_shows_its_letter() {
    for kind in Kind::ALL {
        let seed = Seed::generate(kind, |bytes| -> Result<(), ()> {
            bytes.fill(7);
            Ok(())
        })
        .unwrap();
        let text = seed.encode();
        assert_eq!(text.reveal().len(), SEED_LEN);
        assert_eq!(text.reveal().chars().nth(1), Some(kind.letter()));
        assert_eq!(Seed::from_str(text.reveal()).unwrap().kind(), kind);
        let key = PublicKey::from_bytes(kind, [9; 32]).encode();
        assert!(key.starts_with(kind.letter()));
        assert_eq!(PublicKey::from_str(&key).unwrap().kind(), kind);
        assert_eq!(Kind::from_name(kind.name()), Some(kind));
    }
}

#[test]
fn errors_tell_the_reasons_apart() {
    let parse = PublicKey::from_str;
    assert_eq!(
        parse("OA"),
        Err(Error::Length {
            found: 2,
            wanted: 56
        })
    );
    let lower = OPERATOR.to_ascii_lowercase();
    assert_eq!(parse(&lower), Err(Error::Base32 { position: 0 }));
    let typo = OPERATOR.replace("QCKV4R", "QCKV4S");
    assert_eq!(parse(&typo), Err(Error::Checksum));
    assert_eq!(parse(OPERATOR_SEED), Err(Error::IsSeed));
    let mut unknown = [0u8; PUBLIC_LEN];
    codec::encode(&[25 << 3], &[0; 32], &mut unknown);
    let unknown = core::str::from_utf8(&unknown).unwrap();
    assert_eq!(parse(unknown), Err(Error::UnknownPrefix(0xC8)));
    let both = parse(OPERATOR)
        .unwrap()
        .expect_kind(Kind::User)
        .unwrap_err();
    assert_eq!(
        both,
        Error::WrongKind {
            found: Kind::Operator,
            wanted: Kind::User
        }
    );
    assert_eq!(
        Seed::from_str(OPERATOR).unwrap_err(),
        Error::IsPublic(Kind::Operator)
    );
    assert_eq!(
        Seed::from_str(OPERATOR_SEED)
            .unwrap()
            .expect_kind(Kind::Account)
            .unwrap_err(),
        Error::WrongKind {
            found: Kind::Operator,
            wanted: Kind::Account
        }
    );
    let failing = Seed::generate(Kind::User, |_| Err::<(), ()>(()));
    assert_eq!(failing.unwrap_err(), Error::Random);
}

#[test]
fn private_keys_round_trip_and_a_foreign_half_is_refused() {
    let seed = Seed::from_str(OPERATOR_SEED).unwrap();
    let private = seed.encode_private().unwrap();
    assert_eq!(private.reveal().len(), PRIVATE_LEN);
    assert!(private.reveal().starts_with('P'));
    assert_eq!(PublicKey::from_str(private.reveal()), Err(Error::IsPrivate));
    let back = Seed::from_private(Kind::Operator, private.reveal()).unwrap();
    assert_eq!(back.as_bytes(), seed.as_bytes());
    let mut foreign = *KeyPair::from_seed(&seed).unwrap().expanded();
    foreign[40] ^= 1;
    let mut text = [0u8; PRIVATE_LEN];
    codec::encode(&[codec::PREFIX_PRIVATE], &foreign, &mut text);
    let text = core::str::from_utf8(&text).unwrap();
    assert_eq!(
        Seed::from_private(Kind::Operator, text).unwrap_err(),
        Error::Checksum
    );
}

#[test]
fn a_second_spelling_of_a_seed_is_refused() {
    let mut text = [0u8; SEED_LEN];
    codec::encode(
        &[codec::PREFIX_SEED | 3, (14 << 3 & 31) << 3 | 1],
        &[1; 32],
        &mut text,
    );
    let text = core::str::from_utf8(&text).unwrap();
    assert!(matches!(Seed::from_str(text), Err(Error::UnknownPrefix(_))));
}

#[test]
fn signatures_verify_and_curve_keys_do_not_sign() {
    let pair = KeyPair::from_seed(&Seed::from_str(OPERATOR_SEED).unwrap()).unwrap();
    let signature = pair.sign(b"nonce");
    assert!(pair.public_key().verify(b"nonce", &signature));
    assert!(!pair.public_key().verify(b"nonc3", &signature));
    let curve = Seed::from_bytes(Kind::Curve, [3; 32]);
    assert_eq!(KeyPair::from_seed(&curve).unwrap_err(), Error::CannotSign);
    assert!(
        !PublicKey::from_bytes(Kind::Curve, *pair.public_key().as_bytes())
            .verify(b"nonce", &signature)
    );
}

#[cfg(feature = "std")]
#[test]
fn debug_never_shows_a_secret() {
    let seed = Seed::from_str(OPERATOR_SEED).unwrap();
    let pair = KeyPair::from_seed(&seed).unwrap();
    let shown = std::format!("{seed:?} {pair:?} {:?}", seed.encode());
    assert!(shown.contains("redacted") && !shown.contains(&OPERATOR_SEED[2..]));
    for bytes in [
        std::format!("{:?}", seed.as_bytes()),
        std::format!("{:x?}", seed.as_bytes()),
    ] {
        assert!(!shown.contains(&bytes));
    }
}
