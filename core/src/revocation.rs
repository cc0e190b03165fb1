//! Revocation lists: an account's users, an export's importers.
//!
//! A list maps a public key, or [`ALL`] for every key, to Unix seconds: what was issued then or
//! before is revoked. Source: nats-io/jwt `revocation_list.go`.

use crate::claims::Standard;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// Stands for every key.
pub const ALL: &str = "*";

/// Revokes what `key` was issued up to `at`, Unix seconds. A newer revocation is kept, since
/// taking it back would let in what it shut out; the time that then stands is returned.
pub fn revoke(list: &mut BTreeMap<String, i64>, key: &str, at: i64) -> i64 {
    match list.get_mut(key) {
        Some(stands) => {
            *stands = at.max(*stands);
            *stands
        }
        None => {
            list.insert(key.into(), at);
            at
        }
    }
}

/// Takes back the revocation of `key`; its time, if there was one. One of [`ALL`] still covers it.
pub fn clear(list: &mut BTreeMap<String, i64>, key: &str) -> Option<i64> {
    list.remove(key)
}

/// Whether what `key` was issued at `iat`, Unix seconds, is revoked, by its own entry or [`ALL`].
pub fn is_revoked(list: &BTreeMap<String, i64>, key: &str, iat: i64) -> bool {
    [ALL, key]
        .into_iter()
        .filter_map(|key| list.get(key))
        .any(|at| iat <= *at)
}

/// Whether a claim is revoked; one without `sub` or `iat` always is (`IsClaimRevoked`).
pub fn is_claim_revoked(list: &BTreeMap<String, i64>, claim: &Standard<'_>) -> bool {
    claim.iat == 0 || claim.sub.is_empty() || is_revoked(list, claim.sub, claim.iat)
}

/// Removes the entries that [`ALL`] covers, those that are not newer, and returns them, ascending
/// by key (`MaybeCompact`).
pub fn compact(list: &mut BTreeMap<String, i64>) -> Vec<(String, i64)> {
    let Some(&all) = list.get(ALL) else {
        return Vec::new();
    };
    list.extract_if(.., |key, at| key != ALL && *at <= all)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[(&str, i64)]) -> BTreeMap<String, i64> {
        entries
            .iter()
            .map(|(key, at)| ((*key).into(), *at))
            .collect()
    }

    #[test]
    fn an_older_revocation_does_not_replace_a_newer() {
        let mut revocations = list(&[]);
        assert_eq!(revoke(&mut revocations, "UA", 100), 100);
        assert_eq!(revoke(&mut revocations, "UA", 99), 100);
        assert_eq!(revoke(&mut revocations, "UA", 101), 101);
        assert_eq!(revoke(&mut revocations, ALL, -1), -1);
        assert_eq!(revocations, list(&[("UA", 101), (ALL, -1)]));
        assert_eq!(clear(&mut revocations, "UA"), Some(101));
        assert_eq!(clear(&mut revocations, "UA"), None);
        assert_eq!(revocations, list(&[(ALL, -1)]));
    }

    #[test]
    fn what_was_issued_up_to_the_second_is_revoked() {
        let revocations = list(&[("UA", 100), (ALL, 50)]);
        for (key, iat, revoked) in [
            ("UA", 99, true),
            ("UA", 100, true),
            ("UA", 101, false),
            ("UB", 50, true),
            ("UB", 51, false),
            (ALL, 51, false),
        ] {
            assert_eq!(is_revoked(&revocations, key, iat), revoked, "{key} {iat}");
        }
        assert!(!is_revoked(&list(&[]), "UA", i64::MIN));
        // An entry older than that of all does not let in what all shuts out.
        assert!(is_revoked(&list(&[("UA", 10), (ALL, 50)]), "UA", 50));
    }

    #[test]
    fn claims_without_subject_or_time_are_revoked() {
        let claim = |sub, iat| Standard {
            sub,
            iat,
            ..Standard::default()
        };
        let revocations = list(&[("UA", 100)]);
        assert!(is_claim_revoked(&revocations, &claim("", 101)));
        assert!(is_claim_revoked(&revocations, &claim("UA", 0)));
        assert!(is_claim_revoked(&revocations, &claim("UA", 100)));
        assert!(!is_claim_revoked(&revocations, &claim("UA", 101)));
    }

    #[test]
    fn compacting_removes_what_all_covers() {
        let mut revocations = list(&[("UA", 49), ("UB", 50), ("UC", 51), (ALL, 50)]);
        let before = revocations.clone();
        let removed = compact(&mut revocations);
        assert_eq!(removed, [("UA".into(), 49), ("UB".into(), 50)]);
        assert_eq!(revocations, list(&[("UC", 51), (ALL, 50)]));
        for key in ["UA", "UB", "UC", "UD"] {
            for iat in 48..53 {
                assert_eq!(
                    is_revoked(&before, key, iat),
                    is_revoked(&revocations, key, iat),
                    "{key} {iat}"
                );
            }
        }
        let mut without = list(&[("UA", 49)]);
        assert_eq!(compact(&mut without), []);
        assert_eq!(without, list(&[("UA", 49)]));
    }
}
