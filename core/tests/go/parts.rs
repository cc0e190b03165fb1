//! Subjects, activations' names and revocation lists, against nats-io/jwt.

use crate::peer::{self, object, text};
use crate::random::Random;
use nkey_core::claims::owned::{Activation, Claims, GenericFields, Standard};
use nkey_core::json::Node;
use nkey_core::revocation;
use nkey_core::subject::{Fault, RenamingFault, Subject};
use std::collections::BTreeMap;

const TOKENS: [&str; 20] = [
    "a",
    "b",
    "foo",
    "*",
    "*",
    "*",
    ">",
    "$1",
    "$2",
    "$0",
    "$-1",
    "$+1",
    "$x",
    "$",
    "",
    "a b",
    "é",
    "a*",
    ">a",
    "$99999999999999999999",
];

fn subject(random: &mut Random) -> String {
    random.join(3, ".", &TOKENS)
}

fn texts(node: &Node, key: &str) -> Vec<String> {
    match node.get(key) {
        Some(Node::List(list)) => list
            .iter()
            .map(|text| text.as_text().unwrap_or_default().to_owned())
            .collect(),
        _ => Vec::new(),
    }
}

fn is(node: &Node, key: &str) -> bool {
    node.get(key) == Some(&Node::Flag(true))
}

/// Whether this is Go's sentence for a fault.
fn fits(fault: RenamingFault, sentence: &str) -> bool {
    match fault {
        RenamingFault::Subject(Fault::Empty) | RenamingFault::From => {
            sentence == "subject cannot be empty"
        }
        RenamingFault::Subject(Fault::Space) | RenamingFault::Space => {
            sentence.ends_with("cannot have spaces")
        }
        RenamingFault::Subject(Fault::Edge) => sentence.ends_with("cannot start or end with a `.`"),
        RenamingFault::Subject(Fault::Gap) => sentence.ends_with("cannot contain consecutive `.`"),
        RenamingFault::Full => sentence.ends_with("need to end or not end in >"),
        RenamingFault::Reference(wildcard) => {
            sentence.starts_with(&format!("Reference ${wildcard} in"))
        }
        RenamingFault::Count { .. } => sentence.starts_with("subject does not contain enough"),
    }
}

/// Our faults and Go's sentences, in any order.
fn agree(faults: Vec<RenamingFault>, mut sentences: Vec<String>) -> bool {
    let all = faults.len() == sentences.len();
    all && faults.into_iter().all(|fault| {
        let place = sentences.iter().position(|sentence| fits(fault, sentence));
        place.map(|place| sentences.swap_remove(place)).is_some()
    })
}

#[test]
fn subjects_are_judged_as_in_go() {
    let mut random = Random::new(3);
    let pairs: Vec<_> = (0..4 * peer::count())
        .map(|_| (subject(&mut random), subject(&mut random)))
        .collect();
    let questions: Vec<_> = pairs
        .iter()
        .map(|(a, b)| {
            object(&[
                ("ask", Node::Text("subject".into())),
                ("a", Node::Text(a.clone())),
                ("b", Node::Text(b.clone())),
            ])
        })
        .collect();
    let mut contained = 0;
    for ((a, b), answer) in pairs.iter().zip(peer::ask("corepeer", &questions)) {
        let (subject, other) = (Subject::new(a), Subject::new(b));
        let faults = subject.faults().map(RenamingFault::Subject).collect();
        assert!(agree(faults, texts(&answer, "faults")), "{a}: {answer:?}");
        let renaming = subject.renaming_faults(&other).collect();
        assert!(
            agree(renaming, texts(&answer, "renaming")),
            "{a} from {b}: {answer:?}"
        );
        assert_eq!(subject.has_wildcards(), is(&answer, "wildcards"), "{a}");
        assert_eq!(
            subject.is_contained_in(&other),
            is(&answer, "contained"),
            "{a} in {b}"
        );
        contained += usize::from(is(&answer, "contained"));
        let local: Vec<_> = Subject::local(a).tokens().collect();
        assert_eq!(local.join("."), text(&answer, "local"), "{a}");
    }
    assert!(contained > 0);
}

#[test]
fn activations_have_the_names_that_go_gives_them() {
    let mut random = Random::new(4);
    let (mut questions, mut names) = (Vec::new(), Vec::new());
    for _ in 0..peer::count() {
        let subject = subject(&mut random);
        let [iss, sub] = [(); 2].map(|()| random.pick(&["A", "ABC", "", "é"]).to_owned());
        questions.push(object(&[
            ("ask", Node::Text("hash".into())),
            ("a", Node::Text(subject.clone())),
            ("iss", Node::Text(iss.clone())),
            ("sub", Node::Text(sub.clone())),
        ]));
        let claims = Claims {
            standard: Standard {
                iss,
                sub,
                ..Standard::default()
            },
            nats: Activation {
                subject,
                ..Activation::default()
            },
            generic: GenericFields::default(),
        };
        names.push(claims.hash_id());
    }
    for ((name, answer), question) in names
        .iter()
        .zip(peer::ask("corepeer", &questions))
        .zip(questions)
    {
        let hash = text(&answer, "hash").to_owned();
        let ours = name.map(|name| name.to_string()).unwrap_or_default();
        assert_eq!(ours, hash, "{question}");
        assert_eq!(name.is_err(), answer.get("error").is_some(), "{question}");
    }
}

fn list(node: &Node, key: &str) -> BTreeMap<String, i64> {
    let Some(Node::Map(members)) = node.get(key) else {
        return BTreeMap::new();
    };
    members
        .iter()
        .map(|(key, at)| (key.clone(), number(at)))
        .collect()
}

fn number(node: &Node) -> i64 {
    match node {
        Node::Int(at) => *at,
        Node::Uint(at) => i64::try_from(*at).expect("seconds"),
        other => panic!("{other:?} is no number"),
    }
}

#[test]
fn revocations_are_entered_compacted_and_asked_for_as_in_go() {
    const KEYS: [&str; 5] = ["*", "UA", "UB", "UC", ""];
    const TIMES: [i64; 6] = [-1, 0, 5, 10, 11, 20];
    let int = |at: i64| Node::Int(at);
    let mut random = Random::new(5);
    let (mut questions, mut cases) = (Vec::new(), Vec::new());
    for _ in 0..peer::count() {
        let steps: Vec<_> = (0..random.below(8))
            .map(|_| (random.pick(&KEYS), random.pick(&TIMES)))
            .collect();
        let step = |(key, at): &(&str, i64)| {
            let key = ("key".to_owned(), Node::Text((*key).to_owned()));
            Node::Map(vec![key, ("at".to_owned(), int(*at))])
        };
        let keys = KEYS.map(|key| Node::Text(key.into())).to_vec();
        questions.push(object(&[
            ("ask", Node::Text("revoke".into())),
            ("steps", Node::List(steps.iter().map(step).collect())),
            ("keys", Node::List(keys)),
            ("times", Node::List(TIMES.map(int).to_vec())),
        ]));
        cases.push(steps);
    }
    for (answer, steps) in peer::ask("corepeer", &questions).iter().zip(cases) {
        let mut ours = BTreeMap::new();
        for (key, at) in &steps {
            revocation::revoke(&mut ours, key, *at);
        }
        assert_eq!(ours, list(answer, "list"), "{steps:?}");
        let revoked: Vec<_> = KEYS
            .iter()
            .flat_map(|key| TIMES.map(|at| Node::Flag(revocation::is_revoked(&ours, key, at))))
            .collect();
        assert_eq!(
            answer.get("revoked"),
            Some(&Node::List(revoked)),
            "{steps:?}"
        );
        let removed = revocation::compact(&mut ours);
        assert_eq!(ours, list(answer, "compact"), "{steps:?}");
        let theirs: Vec<_> = match answer.get("removed") {
            Some(Node::List(list)) => list
                .iter()
                .map(|step| {
                    (
                        text(step, "key").to_owned(),
                        step.get("at").map_or(0, number),
                    )
                })
                .collect(),
            _ => Vec::new(),
        };
        assert_eq!(removed, theirs, "{steps:?}");
    }
}
