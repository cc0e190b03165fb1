use super::*;
use crate::claims::owned::{GenericFields, Standard, TemplateLimits, UserLimits};
use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

fn template(lists: [&[&str]; 4]) -> Template {
    let [sub_allow, sub_deny, pub_allow, pub_deny] = lists.map(strings);
    Template {
        permissions: Permissions {
            subscribe: Some(Permission {
                allow: sub_allow,
                deny: sub_deny,
            }),
            publish: Some(Permission {
                allow: pub_allow,
                deny: pub_deny,
            }),
            resp: None,
        },
        ..Template::default()
    }
}

/// The four lists: subscribe allow and deny, publish allow and deny.
fn expanded(lists: [&[&str]; 4], values: &Values<'_>) -> Result<[Vec<String>; 4], Error> {
    let permissions = expand(&template(lists), values)?.permissions;
    let [subscribe, publish] = [permissions.subscribe, permissions.publish].map(Option::unwrap);
    Ok([subscribe.allow, subscribe.deny, publish.allow, publish.deny])
}

/// nats-server's `TestJWTTemplates`, `TestJWTInLineTemplates`, `TestJWTTemplateGoodTagAfterBadTag`.
#[test]
fn the_servers_own_cases() {
    let tags = strings(&[
        "foo:foo1", "foo:foo2", "bar:bar1", "bar:bar2", "bar:bar3", "bucket:a",
    ]);
    let account_tags = strings(&["acc:acc1", "acc:acc2"]);
    let values = Values {
        name: "myname",
        subject: "UB",
        tags: &tags,
        account_name: "accname",
        account_subject: "AA",
        account_tags: &account_tags,
    };
    let made = expanded(
        [
            &["{{tag(NOT_THERE)}}"],
            &["foo.{{name()}}.{{subject()}}.{{account-name()}}.{{account-subject()}}.bar"],
            &["{{tag(foo)}}.none.{{tag(bar)}}"],
            &["{{tag(foo)}}.{{account-tag(acc)}}"],
        ],
        &values,
    );
    let [sub_allow, sub_deny, pub_allow, pub_deny] = made.unwrap();
    assert_eq!(sub_allow, [""; 0]);
    assert_eq!(sub_deny, ["foo.myname.UB.accname.AA.bar", ">"]);
    assert_eq!(
        pub_allow,
        [
            "foo1.none.bar1",
            "foo1.none.bar2",
            "foo1.none.bar3",
            "foo2.none.bar1",
            "foo2.none.bar2",
            "foo2.none.bar3"
        ]
    );
    assert_eq!(
        pub_deny,
        ["foo1.acc1", "foo1.acc2", "foo2.acc1", "foo2.acc2"]
    );
    let made = expanded(
        [&[], &[], &["$JS.API.STREAM.INFO.KV_{{tag(bucket)}}"], &[]],
        &values,
    );
    assert_eq!(made.unwrap()[2], ["$JS.API.STREAM.INFO.KV_a"]);
    for entry in ["{{tag(NOT_THERE)}}", "{{tag(NOT_THERE)}}.{{tag(foo)}}"] {
        assert_eq!(
            expanded([&[], &[], &[], &[entry]], &values),
            Err(Error::Tag {
                entry: entry.into(),
                tag: "NOT_THERE".into()
            })
        );
    }
}

/// nats-server's `TestProcessUserPermissionsTemplate…`.
#[test]
fn what_is_unknown_or_too_much_is_an_error() {
    let values = Values::default();
    let unknown = |entry: &str, operation: &str| {
        Err(Error::Operation {
            entry: entry.into(),
            operation: operation.into(),
        })
    };
    let made = expanded([&[], &["foo.{{x}}"], &[], &[]], &values);
    assert_eq!(made, unknown("foo.{{x}}", "x"));
    let made = expanded([&[], &[], &["foo.{{unknown()}}"], &[]], &values);
    assert_eq!(made, unknown("foo.{{unknown()}}", "unknown()"));

    let tags = |count: usize| -> Vec<String> {
        let both = ["a", "b"].map(|key| (0..count).map(move |value| format!("{key}:v{value}")));
        both.into_iter().flatten().collect()
    };
    let made = |count: usize, entries: &[&str]| {
        let tags = tags(count);
        let values = Values {
            tags: &tags,
            ..Values::default()
        };
        expanded([&[], &[], entries, &[]], &values).map(|[_, _, allow, _]| allow.len())
    };
    let both = "foo.{{tag(a)}}.{{tag(b)}}";
    assert_eq!(made(64, &[both]), Ok(4096));
    let too_many = Err(Error::Expansions { entry: both.into() });
    assert_eq!(made(65, &[both]), too_many);
    assert_eq!(made(128, &[both]), too_many);
    assert_eq!(made(64, &["x", both]), too_many);
    assert_eq!(made(64, &[both, "x"]), Ok(4097));
}

#[test]
fn the_spellings_of_a_template() {
    let tags = strings(&["a:1", "a:", ":empty", "tag(a:2", "k", "ä:3"]);
    let values = Values {
        name: "n",
        subject: "UB",
        tags: &tags,
        ..Values::default()
    };
    for (entry, wanted) in [
        ("{{ name() }}", &["n"][..]),
        ("{{NAME()}}.{{\u{17F}ubject()}}", &["n.UB"]),
        ("{{name()}}{{name()}}", &["nn"]),
        ("{{tag(a)}}", &["1"]),
        ("x{{tag(a)}}", &["x1", "x"]),
        ("{{tag(A)}}", &["1"]),
        ("{{tag(Ä)}}", &["3"]),
        ("{{TAG(a)}}", &["2"]),
        ("{{tag()}}", &["empty"]),
        ("{{name()}.{{name()}}", &["{{name()}.n"]),
        ("{{}}.{{name()}}", &["{{}}.n"]),
        ("a b", &[]),
        ("a.>.b", &[]),
        ("a..b", &[]),
        ("a.>", &["a.>"]),
        ("{{account-name()}}", &[]),
    ] {
        // With a second entry, so that the list has a template in any case.
        let made = expanded([&[entry, "{{name()}}"], &[], &[], &[]], &values).unwrap();
        let [allow, deny, ..] = made;
        let wanted: Vec<_> = wanted.iter().copied().chain(["n"]).collect();
        assert_eq!((allow, deny), (strings(&wanted), vec![]), "{entry}");
    }
    // Without a template in the list nothing is looked at.
    let made = expanded([&["a b"], &["a b c"], &[], &[]], &values).unwrap();
    assert_eq!(
        made,
        [strings(&["a b"]), strings(&["a b c"]), vec![], vec![]]
    );
    // A brace more belongs to the operation.
    let made = expanded([&["{{{name()}}}"], &[], &[], &[]], &values);
    assert!(matches!(made, Err(Error::Operation { operation, .. }) if operation == "{name()"));
    let made = expanded([&[], &["{{account-name()}}"], &[], &[]], &values);
    let entry = "{{account-name()}}".to_string();
    assert_eq!(made, Err(Error::Subject { entry }));
}

#[test]
fn values_that_hold_templates_do_not_grow_without_end() {
    let values = Values {
        name: "{{name()}}{{name()}}",
        ..Values::default()
    };
    let entry = "{{name()}}".repeat(100);
    assert_eq!(
        expanded([&[&entry], &[], &[], &[]], &values),
        Err(Error::Work)
    );
    let open = "{{".repeat(500_000);
    assert!(expanded([&[&open], &[], &[], &[]], &values).is_ok());
}

#[test]
fn only_a_scoped_user_gets_what_the_scope_gives() {
    let scope = UserScope {
        key: Some("AKEY".into()),
        template: Some(Template {
            limits: TemplateLimits {
                data: Some(0),
                payload: Some(9),
                subs: None,
            },
            bearer_token: true,
            ..template([&["{{name()}}.{{account-name()}}"], &[], &[], &[]])
        }),
        ..UserScope::default()
    };
    let standard = |name: &str, iss: &str| Standard {
        name: name.into(),
        iss: iss.into(),
        ..Standard::default()
    };
    let mut user = Claims {
        standard: standard("u", "AKEY"),
        nats: User::default(),
        generic: GenericFields::default(),
    };
    let account = Claims {
        standard: standard("a", "O"),
        nats: Account::default(),
        generic: GenericFields::default(),
    };
    let given = apply(&scope, &user, &account).unwrap();
    assert_eq!(given.permissions.subscribe.unwrap().allow, ["u.a"]);
    assert_eq!(
        (given.limits.subs, given.limits.data, given.limits.payload),
        (-1, 0, 9)
    );
    assert!(given.bearer_token);

    user.nats.permissions.permissions.publish = Some(Permission::default());
    assert!(apply(&scope, &user, &account).is_ok());
    user.nats.permissions.user = UserLimits {
        times_location: "UTC".into(),
        ..UserLimits::default()
    };
    assert_eq!(apply(&scope, &user, &account), Err(Error::Permissions));
    user.standard.iss = "A".into();
    assert_eq!(apply(&scope, &user, &account), Err(Error::Issuer));
}
