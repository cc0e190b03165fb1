//! The store that a real nsc wrote.

use crate::{peer, rows};
use nkey_core::canonical;
use nkey_core::claims::ClaimType;
use nkey_core::tolerant::decode;
use nkey_core::validate::validate;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|end| end == "jwt") {
            found.push(path);
        }
    }
}

#[test]
fn every_token_of_nscs_store_decodes_verifies_and_is_written_again() {
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/nsc-store");
    let mut paths = Vec::new();
    files(&store, &mut paths);
    let tokens: Vec<_> = paths
        .iter()
        .map(|path| std::fs::read_to_string(path).expect("a token"))
        .map(|text| nkey_core::creds::parse_token(&text).to_owned())
        .collect();
    let mut types: BTreeMap<&str, usize> = BTreeMap::new();
    for ((path, token), checked) in paths.iter().zip(&tokens).zip(peer::claimscheck(&tokens)) {
        let path = path.display();
        let decoded = decode(token).unwrap_or_else(|error| panic!("{path}: {error}"));
        let payload = peer::payload(token);
        assert_eq!(decoded.claims.to_json().as_bytes(), payload, "{path}");
        let reading = canonical::read(&payload, &mut ());
        let reading = reading.unwrap_or_else(|refusal| panic!("{path}: {refusal}"));
        assert_eq!(reading.iss, decoded.iss, "{path}");
        let (buf, input) = decoded.claims.prepare(&decoded.iss, reading.iat).unwrap();
        assert!(token.as_bytes().starts_with(&buf[..input]), "{path}");

        assert_eq!(checked.error, None, "{path}");
        let effective = decoded.claims.effective();
        assert_eq!(checked.agrees(&effective), Ok(()), "{path}");
        let found = validate(&effective, reading.iat, &crate::is_zone);
        assert_eq!(rows::ours(&found), rows::go(&checked.findings), "{path}");
        assert_eq!(found, [], "{path}");
        *types.entry(reading.claim_type.name()).or_default() += 1;
    }
    assert_eq!(
        types.into_iter().collect::<Vec<_>>(),
        [
            (ClaimType::Account.name(), 6),
            (ClaimType::Activation.name(), 2),
            (ClaimType::Operator.name(), 1),
            (ClaimType::User.name(), 6),
        ]
    );
}
