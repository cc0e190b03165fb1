use super::*;

#[test]
fn faults_are_named_each() {
    for (text, faults) in [
        ("a.b", &[][..]),
        ("", &[Fault::Empty]),
        (" ", &[Fault::Space]),
        (".", &[Fault::Edge]),
        ("..", &[Fault::Edge, Fault::Gap]),
        ("a. ..b.", &[Fault::Space, Fault::Edge, Fault::Gap]),
        ("a\tb", &[]),
        (">.a", &[]),
    ] {
        assert!(
            Subject::new(text).faults().eq(faults.iter().copied()),
            "{text}"
        );
        assert_eq!(Subject::new(text).is_valid(), faults.is_empty());
    }
}

#[test]
fn wildcards_are_whole_tokens() {
    for (text, stars, any) in [
        ("a.b", 0, false),
        ("*", 1, true),
        ("*.a", 1, true),
        ("a.*.b.*", 2, true),
        ("a*.b", 0, false),
        (">", 0, true),
        ("a.>", 0, true),
        (">.a", 0, false),
        ("a>", 0, false),
        ("$1.a", 0, false),
    ] {
        let subject = Subject::new(text);
        assert_eq!(
            (subject.wildcard_tokens(), subject.has_wildcards()),
            (stars, any),
            "{text}"
        );
    }
    assert_eq!(Subject::local("$1.$x.$22.$").wildcard_tokens(), 2);
}

#[test]
fn containment_is_by_tokens() {
    for (inner, outer, contained) in [
        ("a", "a", true),
        ("a", "b", false),
        ("a.b", "a.*", true),
        ("a.b", "a.>", true),
        ("a.b.c", "a.>", true),
        ("a", "a.>", false),
        ("a.b.c", "a.*", false),
        ("a.*", "a.b", false),
        ("a.>", "a.*", true),
        ("a.>", ">", true),
        ("a.*", "a.>", true),
        ("a.b", ">.b", false),
        ("", ">", true),
        ("a.", "a.*", true),
    ] {
        let (inner_subject, outer_subject) = (Subject::new(inner), Subject::new(outer));
        assert_eq!(
            inner_subject.is_contained_in(&outer_subject),
            contained,
            "{inner} in {outer}"
        );
    }
    assert!(Subject::local("a.$1").is_contained_in(&Subject::new("a.*")));
    assert!(!Subject::new("a.$1").is_contained_in(&Subject::local("b.$1")));
}

#[test]
fn a_local_subject_uses_each_wildcard_once() {
    use RenamingFault::{Count, From, Full, Reference, Space};
    for (local, from, faults) in [
        ("x.$1", "a.*", &[][..]),
        ("x.*", "a.*", &[]),
        ("$2.$1", "*.*", &[]),
        ("x.>", "a.>", &[]),
        ("x", "a.>", &[Full]),
        (
            "x.$2",
            "a.*",
            &[
                Reference(2),
                Count {
                    found: 0,
                    wanted: 1,
                },
            ],
        ),
        (
            "x",
            "a.*",
            &[Count {
                found: 0,
                wanted: 1,
            }],
        ),
        (
            "x.$1.$1",
            "a.*",
            &[Count {
                found: 2,
                wanted: 1,
            }],
        ),
        // Go's Atoi reads 0 and signs, and nats-io/jwt has only an upper bound.
        ("x.$0", "a.*", &[]),
        ("x.$-7", "a.*", &[]),
        ("x.$+1", "a.*", &[]),
        ("x.$99999999999999999999", "a", &[]),
        ("x", "", &[From]),
        ("x y", "a", &[RenamingFault::Subject(Fault::Space), Space]),
    ] {
        let found = Subject::new(local).renaming_faults(&Subject::new(from));
        assert!(
            found.clone().eq(faults.iter().copied()),
            "{local} from {from}"
        );
    }
}
