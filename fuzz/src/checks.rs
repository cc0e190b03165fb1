//! The checks. Each takes any bytes, and panics if something is wrong.

use super::go::Go;
use data_encoding::BASE64URL_NOPAD;
use nkey_core::canonical::{self, Reading};
use nkey_core::claims::Claim;
use nkey_core::creds;
use nkey_core::json::Node;
use nkey_core::jwt;
use nkey_core::nkey::{KeyPair, Kind, PublicKey, Seed};
use nkey_core::tolerant::{AnyClaims, decode, read_claims};
use nkey_core::validate::validate;
use std::str::FromStr;

/// What the strict reader accepts is what the model writes, and what would be signed.
pub fn canonical(data: &[u8]) {
    accepted(data);
}

/// The claims of a payload that is canonical with `jti` of its own registered claims, and its token.
fn accepted(data: &[u8]) -> Option<(AnyClaims, String)> {
    let payload = match canonical::read(data, &mut ()) {
        Ok(_) => data.to_vec(),
        Err(refusal) => {
            assert!(refusal.offset <= data.len());
            let _ = refusal.to_string();
            if refusal.why != canonical::Why::Jti {
                return None;
            }
            with_jti(data)?
        }
    };
    let Reading { iss, iat, .. } = canonical::read(&payload, &mut ()).ok()?;
    let pair = KeyPair::from_seed(&Seed::from_bytes(iss.kind(), [1; 32])).ok()?;
    let token = signed(&payload, &pair);
    if iss != pair.public_key() || token.len() > jwt::MAX_TOKEN {
        return None;
    }
    let decoded = decode(&token).expect("the tolerant reader takes what the strict one takes");
    assert!(decoded.notes.is_empty(), "{:?}", decoded.notes);
    assert_eq!(decoded.claims.to_json().as_bytes(), payload);
    let (buf, input) = decoded
        .claims
        .prepare(&iss, iat)
        .expect("what was accepted can be signed");
    assert!(token.as_bytes().starts_with(&buf[..input]));
    view(&decoded.claims);
    Some((decoded.claims, token))
}

/// A token with this payload as it stands.
fn signed(payload: &[u8], pair: &KeyPair) -> String {
    let input = format!("{}.{}", jwt::HEADER, BASE64URL_NOPAD.encode(payload));
    let signature = pair.sign(input.as_bytes());
    format!("{input}.{}", BASE64URL_NOPAD.encode(signature.as_bytes()))
}

fn with_jti(data: &[u8]) -> Option<Vec<u8>> {
    let (mut claims, _) = read_claims(data).ok()?;
    let mut scratch = vec![0; data.len() + 1024];
    let jti = jwt::jti(&claims.standard().as_borrowed(), &mut scratch).ok()?;
    claims.standard_mut().jti = String::from_utf8(jti.to_vec()).ok()?;
    Some(claims.to_json().into_bytes())
}

/// Looking twice shows the same, and validation takes anything.
fn view(claims: &AnyClaims) {
    let effective = claims.effective();
    assert_eq!(effective.effective(), effective);
    for claims in [claims, &effective] {
        let _ = validate(claims, 1_700_000_000, &|_| false);
    }
}

/// Of what the strict reader accepts Go reads the effective view.
pub fn differential(data: &[u8], go: &mut Go) {
    let Some((claims, token)) = accepted(data) else {
        return;
    };
    let ours = claims.effective();
    let theirs = go.read(&token);
    let shown = claims.to_json();
    assert_eq!(theirs.get("error"), None, "{shown}");
    // Go does not write the 0 of a scope's limit; tests/go compares those.
    let zero = |json: &str| {
        ["subs", "data", "payload"]
            .iter()
            .fold(json.to_owned(), |json, limit| {
                json.replace(&format!("\"{limit}\":0,"), "")
                    .replace(&format!(",\"{limit}\":0}}"), "}")
            })
    };
    let theirs = theirs
        .get("claims")
        .and_then(Node::as_text)
        .unwrap_or_default();
    assert_eq!(zero(&ours.to_json()), zero(theirs), "{shown}");
}

/// Any JSON: what is read and written is read again as the same.
pub fn tolerant(data: &[u8]) {
    let Ok((claims, notes)) = read_claims(data) else {
        return;
    };
    view(&claims);
    let json = claims.to_json();
    // What was passed over may have said what the claim is.
    if notes.is_empty() {
        let (again, _) = read_claims(json.as_bytes()).expect("our own JSON");
        assert_eq!(again.claim_type(), claims.claim_type());
        assert_eq!(again.to_json(), json);
    }
    let _ = claims.to_json_indented();
    if let Ok((buf, input)) =
        claims.prepare(&Seed::from_bytes(Kind::Account, [1; 32]).public_key(), 1)
    {
        let payload = BASE64URL_NOPAD.decode(&buf[jwt::HEADER.len() + 1..input]);
        assert!(canonical::read(&payload.expect("base64url"), &mut ()).is_ok());
    }
}

/// Any text as a token: the readers with and without alloc agree, where the first reads it at all.
pub fn token(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut scratch = vec![0; data.len()];
    let verified = jwt::verify(text, &mut scratch)
        .map(|verified| (verified.iss, verified.claim_type, verified.version));
    let decoded = decode(text);
    if let (Ok(verified), Ok(decoded)) = (verified, &decoded) {
        assert_eq!(
            verified,
            (decoded.iss, decoded.claims.claim_type(), decoded.version)
        );
    }
    // A payload without its signature is as good a start.
    let _ = decode(&format!(
        "{}.{}.{}",
        jwt::HEADER,
        BASE64URL_NOPAD.encode(data),
        "A".repeat(86)
    ));
}

/// A key has one spelling.
pub fn nkey(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(key) = PublicKey::from_str(text) {
        assert_eq!(&*key.encode(), text);
    }
    if let Ok(seed) = Seed::from_str(text) {
        assert_eq!(seed.encode().reveal(), text);
        assert_eq!(seed.public_key().kind(), seed.kind());
    }
    if let Ok(seed) = Seed::from_private(Kind::User, text) {
        assert_eq!(seed.encode_private().expect("a user's").reveal(), text);
    }
}

/// What is read from a creds file is read again from one that is written of it.
pub fn creds(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let token = creds::parse_token(text);
    assert!(text.contains(token));
    let _ = creds::parse_seed(text);
    let Ok(read) = creds::parse(text) else { return };
    assert_eq!(read.token, token);
    let mut buf = vec![0; data.len() + 1024];
    if let Ok(written) = creds::write(read.token, &read.seed, &mut buf) {
        let again = creds::parse(written).expect("our own file");
        assert_eq!(
            (again.token, again.seed.as_bytes()),
            (read.token, read.seed.as_bytes())
        );
    }
}
