//! Tokens of version 1, made by the library of version 1.

use crate::{peer, rows};
use nkey_core::jwt::{self, Algorithm};
use nkey_core::tolerant::decode;
use nkey_core::validate::validate;

const TYPES: [&str; 4] = ["operator", "account", "user", "activation"];

#[test]
fn tokens_of_version_1_are_read_as_go_reads_them() {
    for kind in TYPES {
        for made in peer::claimsgen(&format!("v1:{kind}"), peer::count().div_ceil(4)) {
            let token = &made.token;
            let shown = String::from_utf8_lossy(&peer::payload(token)).into_owned();
            let decoded = decode(token).unwrap_or_else(|error| panic!("{error}: {shown}"));
            assert_eq!(decoded.version, Algorithm::V1);
            let effective = decoded.claims.effective();
            assert_eq!(effective.to_json(), made.again, "{shown}");
            let found = validate(&effective, effective.standard().iat, &crate::is_zone);
            assert_eq!(rows::ours(&found), rows::go(&made.read), "{shown}");

            let mut scratch = vec![0; token.len()];
            let verified = jwt::verify(token, &mut scratch).expect("a token");
            assert_eq!(verified.version, Algorithm::V1);
            assert_eq!(verified.claim_type.name(), kind);

            // What is written of it is version 2, or nothing.
            if let Ok((buf, input)) = decoded.claims.prepare(&decoded.iss, 1) {
                let again = String::from_utf8(buf[..input].to_vec()).expect("a text");
                let payload = peer::payload(&format!("{again}."));
                assert!(payload.ends_with(b",\"version\":2}}"));
            }
        }
    }
}
