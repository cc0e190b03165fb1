//! The chain of an attestation, up to a root that the person names.

use crate::error::Error;
use crate::source;
use nkey_core::jwt::MAX_TOKEN;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    UnparsedPublicKey, VerificationAlgorithm,
};
use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier as Oid;
use x509_cert::der::pem::LineEnding;
use x509_cert::der::{Decode, DecodePem, Encode, EncodePem};
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};

const ED25519: Oid = Oid::new_unwrap("1.3.101.112");
const RSA: Oid = Oid::new_unwrap("1.2.840.113549.1.1.1");
const EC: Oid = Oid::new_unwrap("1.2.840.10045.2.1");
const P256: Oid = Oid::new_unwrap("1.2.840.10045.3.1.7");
const P384: Oid = Oid::new_unwrap("1.3.132.0.34");
const RSA_SHA256: Oid = Oid::new_unwrap("1.2.840.113549.1.1.11");
const RSA_SHA384: Oid = Oid::new_unwrap("1.2.840.113549.1.1.12");
const RSA_SHA512: Oid = Oid::new_unwrap("1.2.840.113549.1.1.13");
const ECDSA_SHA256: Oid = Oid::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA384: Oid = Oid::new_unwrap("1.2.840.10045.4.3.3");
const BASIC_CONSTRAINTS: Oid = Oid::new_unwrap("2.5.29.19");
const KEY_USAGE: Oid = Oid::new_unwrap("2.5.29.15");
/// Yubico's extensions of an attestation.
const FIRMWARE: Oid = Oid::new_unwrap("1.3.6.1.4.1.41482.3.3");
const SERIAL: Oid = Oid::new_unwrap("1.3.6.1.4.1.41482.3.7");
const POLICY: Oid = Oid::new_unwrap("1.3.6.1.4.1.41482.3.8");

/// Most certificates that are read from all files together.
const MAX_CERTIFICATES: usize = 64;
/// The longest chain above F9.
const MAX_DEPTH: usize = 8;

/// What a good attestation says.
#[derive(Debug, PartialEq, Eq)]
pub struct Attested {
    /// The Ed25519 key.
    pub key: [u8; 32],
    /// The card's serial number, if it tells it.
    pub serial: Option<u32>,
    /// The card's firmware.
    pub firmware: [u8; 3],
    /// The PIN policy in the card's numbers.
    pub pin: u8,
    /// The touch policy in the card's numbers.
    pub touch: u8,
    /// The names from F9 to the root.
    pub chain: Vec<String>,
}

/// A certificate as PEM.
///
/// # Errors
/// If it is none.
pub fn pem(der: &[u8]) -> Result<String, Error> {
    Certificate::from_der(der)
        .and_then(|certificate| certificate.to_pem(LineEnding::LF))
        .map_err(|error| Error::failed(format!("the card's certificate is none: {error}")))
}

/// The certificates of PEM files.
///
/// # Errors
/// If a file cannot be read or holds none.
pub fn read(files: &[String]) -> Result<Vec<Certificate>, Error> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    let mut all = Vec::new();
    for file in files {
        let text = source::read(file, MAX_TOKEN)?;
        let mut parts = text.split(BEGIN);
        parts.next();
        let before = all.len();
        for part in parts {
            let wrong = |error| Error::failed(format!("{file}: a certificate is damaged: {error}"));
            if all.len() == MAX_CERTIFICATES {
                return Err(Error::usage(format!(
                    "there are more than {MAX_CERTIFICATES} certificates"
                )));
            }
            let end = "-----END CERTIFICATE-----";
            let length = part.find(end).map_or(part.len(), |at| at + end.len());
            let pem = format!("{BEGIN}{}\n", part.get(..length).unwrap_or(part));
            all.push(Certificate::from_pem(pem).map_err(wrong)?);
        }
        if all.len() == before {
            return Err(Error::failed(format!("{file} holds no certificate in PEM")));
        }
    }
    Ok(all)
}

/// Checks that `f9` signed `attestation`, and that `cas` lead from `f9` to one that signed itself.
///
/// # Errors
/// What is wrong, as part of a sentence.
pub fn check(
    attestation: &Certificate,
    f9: &Certificate,
    cas: &[Certificate],
    now: i64,
) -> Result<Attested, String> {
    signed(attestation, f9)?;
    in_time(attestation, now)?;
    in_time(f9, now)?;
    // Firmware 5.2.4 has none on F9: that it signs attestations is its whole purpose.
    if let Some((_, constraints)) = extension::<BasicConstraints>(f9)?
        && !constraints.ca
    {
        return Err(format!("{} may not sign certificates", name(f9)));
    }
    let mut chain = vec![name(f9)];
    let mut last = f9;
    // F9 lies below the first of them.
    for below in 1..=MAX_DEPTH {
        let issuer = last.tbs_certificate().issuer();
        let named: Vec<&Certificate> = cas
            .iter()
            .filter(|ca| ca.tbs_certificate().subject() == issuer)
            .collect();
        if named.is_empty() {
            return Err(format!(
                "{} was signed by {issuer}, which is not among those of --ca",
                name(last)
            ));
        }
        let mut why = String::new();
        let found = named.into_iter().find(|ca| {
            let fits = signed(last, ca)
                .and_then(|()| may_sign(ca, below))
                .and_then(|()| in_time(ca, now));
            fits.map_err(|reason| why = reason).is_ok()
        });
        last = found.ok_or(why)?;
        chain.push(name(last));
        let certificate = last.tbs_certificate();
        if certificate.issuer() == certificate.subject() {
            signed(last, last)?;
            return attested(attestation, chain);
        }
    }
    Err(format!("its chain is longer than {MAX_DEPTH} certificates"))
}

fn name(certificate: &Certificate) -> String {
    certificate.tbs_certificate().subject().to_string()
}

fn extension<T>(certificate: &Certificate) -> Result<Option<(bool, T)>, String>
where
    T: for<'a> Decode<'a> + x509_cert::der::oid::AssociatedOid,
{
    certificate
        .tbs_certificate()
        .get_extension::<T>()
        .map_err(|error| format!("{} is damaged: {error}", name(certificate)))
}

fn may_sign(ca: &Certificate, below: usize) -> Result<(), String> {
    let no = |why: &str| Err(format!("{} {why}", name(ca)));
    match extension::<BasicConstraints>(ca)? {
        Some((_, constraints)) if constraints.ca => {
            let most = constraints.path_len_constraint.map(usize::from);
            if most.is_some_and(|most| below > most) {
                return no("may not stand so high in a chain");
            }
        }
        _ => return no("is no certificate authority"),
    }
    if let Some((_, usage)) = extension::<KeyUsage>(ca)?
        && !usage.key_cert_sign()
    {
        return no("may not sign certificates");
    }
    let extensions = ca.tbs_certificate().extensions();
    let unknown = extensions.into_iter().flatten().find(|extension| {
        extension.critical && ![BASIC_CONSTRAINTS, KEY_USAGE].contains(&extension.extn_id)
    });
    match unknown {
        Some(extension) => no(&format!(
            "has a critical extension that is not known here, {}",
            extension.extn_id
        )),
        None => Ok(()),
    }
}

fn in_time(certificate: &Certificate, now: i64) -> Result<(), String> {
    let validity = certificate.tbs_certificate().validity();
    let seconds = |time: &x509_cert::time::Time| {
        i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
    };
    if now < seconds(&validity.not_before) {
        return Err(format!("{} is not valid yet", name(certificate)));
    }
    if now > seconds(&validity.not_after) {
        return Err(format!("{} has expired", name(certificate)));
    }
    Ok(())
}

/// How `signer` signs with this algorithm.
fn algorithm(signer: &Certificate, oid: Oid) -> Option<&'static dyn VerificationAlgorithm> {
    let key = &signer.tbs_certificate().subject_public_key_info().algorithm;
    if key.oid == RSA {
        return match oid {
            RSA_SHA256 => Some(&RSA_PKCS1_2048_8192_SHA256),
            RSA_SHA384 => Some(&RSA_PKCS1_2048_8192_SHA384),
            RSA_SHA512 => Some(&RSA_PKCS1_2048_8192_SHA512),
            _ => None,
        };
    }
    let curve = key.parameters.as_ref()?.decode_as::<Oid>().ok()?;
    if key.oid != EC {
        return None;
    }
    match (curve, oid) {
        (P256, ECDSA_SHA256) => Some(&ECDSA_P256_SHA256_ASN1),
        (P256, ECDSA_SHA384) => Some(&ECDSA_P256_SHA384_ASN1),
        (P384, ECDSA_SHA256) => Some(&ECDSA_P384_SHA256_ASN1),
        (P384, ECDSA_SHA384) => Some(&ECDSA_P384_SHA384_ASN1),
        _ => None,
    }
}

fn signed(certificate: &Certificate, signer: &Certificate) -> Result<(), String> {
    let content = certificate.tbs_certificate();
    let stated = certificate.signature_algorithm();
    let unknown = || {
        format!(
            "{} is signed by {} with an algorithm that is not known here, {}",
            name(certificate),
            name(signer),
            stated.oid
        )
    };
    let algorithm = algorithm(signer, stated.oid).ok_or_else(unknown)?;
    let by_another = || {
        let (which, who) = (name(certificate), name(signer));
        format!("{which} was not signed by {who}")
    };
    if content.signature() != stated || content.issuer() != signer.tbs_certificate().subject() {
        return Err(by_another());
    }
    let key = signer
        .tbs_certificate()
        .subject_public_key_info()
        .subject_public_key
        .raw_bytes();
    let bytes = content
        .to_der()
        .map_err(|error| format!("{} is damaged: {error}", name(certificate)))?;
    UnparsedPublicKey::new(algorithm, key)
        .verify(&bytes, certificate.signature().raw_bytes())
        .map_err(|_| by_another())
}

fn attested(attestation: &Certificate, chain: Vec<String>) -> Result<Attested, String> {
    let content = attestation.tbs_certificate();
    let key = content.subject_public_key_info();
    let bytes = key.subject_public_key.raw_bytes().try_into();
    let (Ok(key), true) = (bytes, key.algorithm.oid == ED25519) else {
        return Err("it is about a key that is not Ed25519".to_owned());
    };
    let value = |oid: Oid| {
        let mut all = content.extensions().into_iter().flatten();
        all.find(|extension| extension.extn_id == oid)
            .map(|extension| extension.extn_value.as_bytes())
    };
    let Some(&[major, minor, patch]) = value(FIRMWARE) else {
        return Err("it does not tell the card's firmware".to_owned());
    };
    let Some(&[pin, touch]) = value(POLICY) else {
        return Err("it does not tell the key's policies".to_owned());
    };
    let serial = value(SERIAL)
        .map(u32::from_der)
        .transpose()
        .map_err(|_| "its serial number is damaged".to_owned())?;
    Ok(Attested {
        key,
        serial,
        firmware: [major, minor, patch],
        pin,
        touch,
        chain,
    })
}
