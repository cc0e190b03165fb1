//! What we make, Go reads.

use crate::{TYPES, peer, rows};
use nkey_core::jwt;
use nkey_core::tolerant::decode;
use nkey_core::validate::validate;

#[test]
fn go_decodes_and_validates_what_we_sign() {
    for kind in TYPES {
        let (mut tokens, mut claims) = (Vec::new(), Vec::new());
        for made in peer::claims(kind) {
            let decoded = decode(&made.token).expect("a token of Go");
            let pair = peer::pair(&made.seed);
            // Another second, so that neither jti nor signature can be Go's.
            let iat = decoded.claims.standard().iat + 1;
            let (mut buf, input) = decoded.claims.prepare(&pair.public_key(), iat).unwrap();
            let signature = pair.sign(&buf[..input]);
            tokens.push(jwt::finish(input, &signature, &mut buf).unwrap().to_owned());
            claims.push((decoded.claims, iat));
        }
        for (checked, (token, (claims, iat))) in peer::claimscheck(&tokens)
            .iter()
            .zip(tokens.iter().zip(&claims))
        {
            assert_eq!(checked.error, None, "{token}");
            let ours = decode(token).expect("our token").claims.effective();
            assert_eq!(checked.agrees(&ours), Ok(()), "{token}");
            assert_eq!(ours.standard().iat, *iat);
            let found = validate(&claims.effective(), *iat, &crate::is_zone);
            assert_eq!(rows::ours(&found), rows::go(&checked.findings), "{token}");
        }
    }
}
