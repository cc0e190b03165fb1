//! Templates of scoped signing keys, against nats-server's own code.

use crate::peer::{self, object, text};
use crate::random::Random;
use nkey_core::claims::owned::{Claims, ScopeType, SigningKey, UserScope};
use nkey_core::json::{Node, Write, Writer};
use nkey_core::template::{Error, Values, expand};
use nkey_core::tolerant::{AnyClaims, read_claims};

const PIECES: [&str; 24] = [
    "{{name()}}",
    "{{ subject() }}",
    "{{account-name()}}",
    "{{Account-Subject()}}",
    "{{tag(a)}}",
    "{{tag(A)}}",
    "{{tag(b)}}",
    "{{tag(none)}}",
    "{{account-tag(a)}}",
    "{{ACCOUNT-TAG(b)}}",
    "{{tag()}}",
    "{{Tag(b)}}",
    "{{x()}}",
    "{{}}",
    "{{",
    "}}",
    "{",
    "a",
    ".",
    ".b.",
    "*",
    ">",
    " q",
    "é",
];
const NAMES: [&str; 8] = [
    "n",
    "",
    "a b",
    "x.y",
    "{{tag(a)}}",
    "{{name()}}",
    "*",
    "é\n",
];
const TAGS: [&str; 12] = [
    "a:1",
    "a:2",
    "a:",
    "A:3",
    "b:x.y",
    "b: ",
    "b:{{name()}}",
    "tag(b:z",
    ":e",
    "none",
    "a:*",
    "é:1",
];

fn strings(list: &[String]) -> Node {
    Node::List(list.iter().cloned().map(Node::Text).collect())
}

/// The template of a scope, as the tolerant reader has it.
fn scope(template: &str) -> UserScope {
    let claims = format!(
        r#"{{"nats":{{"type":"account","signing_keys":[{{"kind":"user_scope","key":"A","template":{template}}}]}}}}"#
    );
    let (claims, _) = read_claims(claims.as_bytes()).expect("claims");
    let AnyClaims::Account(Claims { nats, .. }) = claims else {
        panic!("an account")
    };
    match nats.signing_keys.into_iter().next() {
        Some(SigningKey::Scoped(scope)) => scope,
        _ => panic!("a scope"),
    }
}

#[test]
fn templates_come_out_as_in_nats_server() {
    let mut random = Random::new(2);
    let (mut questions, mut cases) = (Vec::new(), Vec::new());
    for _ in 0..peer::count() {
        let mut lists = || -> Node {
            let list: Vec<_> = (0..random.below(4))
                .map(|_| {
                    let entry = random.join(5, "", &PIECES);
                    if random.chance(60) {
                        entry.replace("{{x()}}", "c").replace("{{Tag(b)}}", "d")
                    } else {
                        entry
                    }
                })
                .collect();
            strings(&list)
        };
        let mut permission =
            || Node::Map(vec![("allow".into(), lists()), ("deny".into(), lists())]);
        let members = vec![
            ("pub".into(), permission()),
            ("sub".into(), permission()),
            ("payload".into(), Node::Uint(7)),
        ];
        let template = Node::Map(members);
        let mut tags = || -> Vec<String> {
            let count = random.below(6);
            (0..count).map(|_| random.pick(&TAGS).to_owned()).collect()
        };
        let (user_tags, account_tags) = (tags(), tags());
        let [name, account_name] = [(); 2].map(|()| random.pick(&NAMES));
        questions.push(object(&[
            ("ask", Node::Text("scoped".into())),
            ("template", template.clone()),
            ("name", Node::Text(name.into())),
            ("sub", Node::Text("UB".into())),
            ("tags", strings(&user_tags)),
            ("account", Node::Text("AA".into())),
            ("account_name", Node::Text(account_name.into())),
            ("account_tags", strings(&account_tags)),
        ]));
        cases.push((template, name, account_name, user_tags, account_tags));
    }
    let mut outcomes = [0; 4];
    for ((answer, question), (template, name, account_name, tags, account_tags)) in
        peer::ask("corepeer", &questions)
            .iter()
            .zip(&questions)
            .zip(cases)
    {
        let scope = scope(&json(&template));
        assert_eq!(scope.kind, Some(ScopeType::UserScope));
        let values = Values {
            name,
            subject: "UB",
            tags: &tags,
            account_name,
            account_subject: "AA",
            account_tags: &account_tags,
        };
        let error = text(answer, "error");
        let made = expand(&scope.template.expect("a template"), &values);
        let outcome = match made {
            Ok(made) => {
                assert_eq!(error, "", "{question}");
                assert_eq!(json(&made), text(answer, "limits"), "{question}");
                0
            }
            Err(Error::Operation { .. }) => {
                assert!(
                    error.starts_with("template operation in"),
                    "{error} {question}"
                );
                1
            }
            Err(Error::Tag { .. }) => {
                assert!(error.ends_with("is not defined"), "{error} {question}");
                assert!(error.starts_with("generated invalid subject "), "{error}");
                2
            }
            Err(Error::Subject { .. }) => {
                assert_eq!(error, "generated invalid subject", "{question}");
                3
            }
            Err(other) => panic!("{other}: {question}"),
        };
        outcomes[outcome] += 1;
    }
    println!("{outcomes:?}");
    assert!(peer::count() < 2000 || outcomes.iter().all(|count| *count > 50));
}

fn json(value: &impl Write) -> String {
    let mut buf = vec![0; 1 << 16];
    let mut writer = Writer::new(&mut buf);
    value.write(&mut writer);
    let written = writer.finish().expect("a short value");
    String::from_utf8(written.to_vec()).expect("a text")
}
