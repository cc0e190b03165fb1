//! Attestations: F9 certifies that a key was made in the card.

use super::der::{find, next, tlv};
use crate::{Scratch, command, run};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use std::path::Path;

enum Key {
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

/// The key and certificate of F9.
pub struct Attestor {
    key: Key,
    /// Its certificate in DER.
    pub certificate: Vec<u8>,
}

impl Attestor {
    /// Reads `f9.key` and `f9.der` of the folder.
    pub fn read(folder: &Path) -> Attestor {
        let pkcs8 = std::fs::read(folder.join("f9.key.der")).expect("f9.key.der");
        let random = SystemRandom::new();
        let ecdsa = |algorithm| EcdsaKeyPair::from_pkcs8(algorithm, &pkcs8, &random);
        let key = ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING)
            .map(Key::P256)
            .or_else(|_| ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING).map(Key::P384))
            .or_else(|_| RsaKeyPair::from_pkcs8(&pkcs8).map(Key::Rsa))
            .expect("a key of F9");
        Attestor {
            key,
            certificate: std::fs::read(folder.join("f9.der")).expect("f9.der"),
        }
    }

    fn subject(&self) -> Vec<u8> {
        let (_, certificate, _) = next(&self.certificate).expect("a certificate");
        let (_, mut content, _) = next(certificate).expect("its content");
        // Version, serial number, algorithm, issuer, validity.
        for _ in 0..5 {
            content = next(content).expect("a member").2;
        }
        tlv(0x30, &[next(content).expect("the subject").1])
    }

    fn algorithm(&self) -> Vec<u8> {
        let ecdsa = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3];
        match &self.key {
            Key::P256(_) => tlv(0x30, &[&ecdsa, &[2]]),
            Key::P384(_) => tlv(0x30, &[&ecdsa, &[3]]),
            Key::Rsa(_) => tlv(
                0x30,
                &[
                    &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11],
                    &[5, 0],
                ],
            ),
        }
    }

    fn sign(&self, content: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Key::P256(pair) | Key::P384(pair) => pair
                .sign(&random, content)
                .expect("to sign")
                .as_ref()
                .to_vec(),
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, content, &mut signature)
                    .expect("to sign");
                signature
            }
        }
    }

    /// What F9 says of an Ed25519 key.
    pub fn attest(
        &self,
        slot: u8,
        key: &[u8; 32],
        serial: u32,
        version: [u8; 3],
        policy: [u8; 2],
    ) -> Vec<u8> {
        let extension = |number: u8, value: &[u8]| {
            let oid = [6, 10, 0x2b, 6, 1, 4, 1, 0x82, 0xc4, 0x0a, 3, number];
            tlv(0x30, &[&oid, &tlv(4, &[value])])
        };
        let name = format!("YubiKey PIV Attestation {slot:02x}");
        let name = tlv(0x30, &[&[6, 3, 0x55, 4, 3], &tlv(0x0c, &[name.as_bytes()])]);
        let ed25519 = tlv(0x30, &[&[6, 3, 0x2b, 0x65, 0x70]]);
        // A leading zero, so that the number is positive.
        let number = [&[0], &serial.to_be_bytes()[..]].concat();
        let number: Vec<u8> = match number.iter().position(|byte| *byte != 0) {
            Some(at) if number[at] < 0x80 => number[at..].to_vec(),
            Some(at) => number[at - 1..].to_vec(),
            None => vec![0],
        };
        let content = tlv(
            0x30,
            &[
                &tlv(0xa0, &[&[2, 1, 2]]),
                &tlv(2, &[&[1, slot]]),
                &self.algorithm(),
                &self.subject(),
                &tlv(
                    0x30,
                    &[
                        &tlv(0x17, &[b"160314000000Z"]),
                        &tlv(0x18, &[b"20520417000000Z"]),
                    ],
                ),
                &tlv(0x30, &[&tlv(0x31, &[&name])]),
                &tlv(0x30, &[&ed25519, &tlv(3, &[&[0], key])]),
                &tlv(
                    0xa3,
                    &[&tlv(
                        0x30,
                        &[
                            &extension(3, &version),
                            &extension(7, &tlv(2, &[&number])),
                            &extension(8, &policy),
                            &extension(9, &[1]),
                        ],
                    )],
                ),
            ],
        );
        let signature = self.sign(&content);
        tlv(
            0x30,
            &[&content, &self.algorithm(), &tlv(3, &[&[0], &signature])],
        )
    }
}

/// Makes a chain with openssl: `root.pem`, `middle.pem` below it and F9 below that. `algorithm`
/// is what `openssl genpkey` takes for F9; without `constraints` its certificate does not say
/// that it may sign others, as in firmware 5.2.4.
pub fn attestors(algorithm: &str, constraints: bool) -> Scratch {
    let scratch = Scratch::new();
    let openssl = |arguments: &str| {
        let mut openssl = command("openssl");
        openssl.current_dir(scratch.path());
        run(openssl.args(arguments.split(' ')), "").ok();
    };
    scratch.file(
        "ca.ext",
        "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n",
    );
    let plain = if constraints {
        "basicConstraints=critical,CA:TRUE,pathlen:0\n"
    } else {
        "subjectKeyIdentifier=hash\n"
    };
    scratch.file("f9.ext", plain);
    openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out root.key");
    openssl(
        "req -x509 -new -key root.key -sha256 -days 3650 -subj /CN=Test-Root -addext keyUsage=keyCertSign -out root.pem",
    );
    openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out middle.key");
    openssl("req -new -key middle.key -subj /CN=Test-Middle -out middle.csr");
    openssl(
        "x509 -req -in middle.csr -CA root.pem -CAkey root.key -set_serial 2 -sha256 -days 3650 -extfile ca.ext -out middle.pem",
    );
    openssl(&format!("genpkey {algorithm} -out f9.key"));
    openssl("req -new -key f9.key -subj /CN=Test-PIV-Attestation -out f9.csr");
    openssl(
        "x509 -req -in f9.csr -CA middle.pem -CAkey middle.key -set_serial 3 -sha384 -days 3650 -extfile f9.ext -out f9.pem",
    );
    openssl("pkcs8 -topk8 -nocrypt -in f9.key -outform DER -out f9.key.der");
    openssl("x509 -in f9.pem -outform DER -out f9.der");
    let certificate = std::fs::read(scratch.path().join("f9.der")).expect("f9.der");
    assert!(find(&certificate, 0x30).is_some());
    scratch
}
