//! nsc and nkey on one store: the same edit by each gives the same claims, and each takes what
//! the other has written.

use nkey_core::creds;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::tolerant;
use nkey_tests::{Agent, Output, Scratch, command, run, skipped, tool};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A folder `store` with nsc's files, and an agent.
struct Place {
    home: Scratch,
    store: PathBuf,
}

impl Place {
    fn new() -> Place {
        let home = Scratch::new();
        let store = home.path().join("store");
        fs::create_dir(&store).expect("a folder");
        Place { home, store }
    }

    /// A copy of another, whose `nsc.json` names the copy.
    fn copy(other: &Place) -> Place {
        let place = Place::new();
        copy(&other.store, &place.store);
        let config = place.store.join("nsc.json");
        let text = fs::read_to_string(&config).expect("nsc.json");
        let [old, new] = [other, &place].map(|place| place.store.display().to_string());
        fs::write(&config, text.replace(&old, &new)).expect("nsc.json");
        place
    }

    fn try_nsc(&self, arguments: &str) -> Output {
        let mut nsc = command(tool("nsc"));
        nsc.env("HOME", self.home.path())
            .env("NSC_NO_GIT_IGNORE", "true");
        nsc.current_dir(self.home.path()).args(["-H", "store"]);
        run(nsc.args(words(arguments)), "")
    }

    #[track_caller]
    fn nsc(&self, arguments: &str) -> String {
        let output = self.try_nsc(arguments);
        assert_eq!(
            output.status, 0,
            "nsc {arguments}: {}{}",
            output.stdout, output.stderr
        );
        output.stdout
    }

    fn try_nkey(&self, agent: &Agent, arguments: &str) -> Output {
        let mut nkey = agent.nkey(self.home.path(), "-H store");
        run(nkey.args(words(arguments)), "")
    }

    #[track_caller]
    fn nkey(&self, agent: &Agent, arguments: &str) -> String {
        let output = self.try_nkey(agent, arguments);
        assert_eq!(
            output.status, 0,
            "nkey {arguments}: {}{}",
            output.stdout, output.stderr
        );
        output.stdout
    }

    /// The payload of every JWT, by the path of its file.
    fn payloads(&self) -> BTreeMap<String, Value> {
        let mut found = Vec::new();
        files(&self.store, &mut found);
        let tokens = found
            .iter()
            .filter(|path| path.extension().is_some_and(|end| end == "jwt"));
        tokens
            .map(|path| {
                let text = fs::read_to_string(path).expect("a token");
                let name = path
                    .strip_prefix(&self.store)
                    .expect("below")
                    .display()
                    .to_string();
                (name, payload(creds::parse_token(&text).trim()))
            })
            .collect()
    }
}

/// Words divided by spaces; quoted ones hold spaces.
fn words(arguments: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let parts = arguments.split('\'').enumerate();
    for (index, part) in parts {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            fs::create_dir(&target).expect("a folder");
            copy(&source, &target);
        } else {
            fs::copy(&source, &target).expect("a copy");
        }
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        if entry.path().is_dir() {
            files(&entry.path(), found);
        } else {
            found.push(entry.path());
        }
    }
}

fn payload(token: &str) -> Value {
    let decoded = tolerant::decode(token).expect("a token");
    serde_json::from_str(&decoded.claims.to_json()).expect("JSON")
}

/// The store that every edit of the table starts from, made by nsc alone. A `strict` operator
/// requires signing keys.
fn base(strict: bool) -> Place {
    let place = Place::new();
    place.nsc("add operator -n O --sys --generate-signing-key");
    if strict {
        place.nsc("edit operator --require-signing-keys");
    }
    for arguments in [
        "edit operator --service-url nats://localhost:4222 --tag one,two",
        "add account -n A",
        "edit account -n A --sk generate",
        "add account -n B",
        "add account -n J",
        "edit account -n J --js-disk-storage 10G --js-mem-storage 1G",
        "add account -n T",
        "edit account -n T --js-tier 1 --js-disk-storage 10G",
        "add user -a A -n u --allow-pub a,b --allow-sub 'c q' --deny-pubsub d --tag x --source-network 10.0.0.0/8",
        "add user -a A -n z",
        "edit user -a A -n u --time 01:00:00-02:00:00 --time 03:00:00-04:00:00 --locale Europe/Zurich --conn-type mqtt,standard",
        "edit user -a A -n u --allow-pub-response=3 --response-ttl 5s",
        "edit signing-key -a A --sk generate --role worker --allow-pub jobs.> --conn-type mqtt --subs 10",
        "add user -a A -n w -K worker",
        "add export -a A -s pub.>",
        "add export -a A -s priv.> -p",
        "add export -a A -s svc.echo -r -n echo --latency lat.echo --sampling 50",
        "add export -a A -s psvc.* -r -p",
        "add import -a B --src-account A --remote-subject pub.x",
        "add import -a J --src-account A --remote-subject svc.echo --service -s local.echo",
        "add mapping -a A -f m --to one --weight 50",
        "add mapping -a A -f m --to two --weight 20",
        "add mapping -a A -f m --to two --weight 30 --cluster c",
        "revocations add-user -a A -n z --at 1700000000",
        "revocations add_activation -a A -s priv.> -t B --at 1700000000",
        "generate activation -a A -s priv.x.> -t T -o store/for-t.jwt",
    ] {
        place.nsc(arguments);
    }
    place
}

/// Edits that both programs make, with the same arguments.
const EDITS: &str = "
edit operator --tag three,ONE --rm-tag two
edit operator --account-jwt-server-url nats://localhost:4222
edit operator -n nats://LOCALHOST:4333,tls://x:1 --rm-service-url nats://localhost:4222
edit operator --system-account SYS
edit operator --system-account B
edit operator --expiry 2031-02-03
edit operator --expiry 3d --start 2026-01-31
edit operator --sk generate
edit operator --sk generate,generate --sk generate
edit operator --require-signing-keys=false
edit account -n A --conns 5 --leaf-conns 2 --data 10G --exports 10 --imports 20 --payload 64KiB --subscriptions 1,000
edit account A --wildcard-exports=true --disallow-bearer
edit account A --description 'what it is' --info-url https://example.com/a
edit account A --tag b,A --tag c --rm-tag b
edit account A --expiry 1M --start -1d
edit account A --expiry 0
edit account A --sk generate
edit account A --allow-pub x,y --allow-sub 'z q' --deny-pub n --allow-pub-response=5 --response-ttl 1m
edit account A --trace-context-subject t.x --trace-context-sampling 50
edit account A --trace-context-subject t.x
edit account A --host-cluster-traffic
edit account B --js-disk-storage 1G
edit account B --js-mem-storage 512MiB --js-disk-storage -1 --js-streams 5 --js-consumer 10 --js-max-mem-stream 1k --js-max-disk-stream 2k --js-max-ack-pending 100
edit account B --js-tier 3 --js-disk-storage 1G --js-max-bytes-required
edit account B --js-enable 0
edit account B --js-enable 3
edit account B --mem-storage 1G --streams 3
edit account J --js-streams 7
edit account J --js-disable
edit account J --rm-js-tier 0
edit account T --js-tier 1 --js-streams 7
edit account T --js-tier 3 --js-disk-storage 20G
edit account T --rm-js-tier 1
edit account T --js-enable 3
edit account T --js-disable
edit user -a A -n u --allow-pub c,a --rm b --deny-sub x
edit user -a A -n u --allow-pubsub p --deny-pub q
edit user -a A -n u --rm 'c q'
edit user -a A -n u --allow-pub-response=7
edit user -a A -n u --response-ttl 9s
edit user -a A -n u --rm-response-perms
edit user -a A -n u --bearer
edit user -a A -n u --subs 5 --data 1M --payload 1Ki
edit user -a A -n u --conn-type websocket,LEAFNODE --rm-conn-type mqtt
edit user -a A -n u --source-network 192.168.0.0/16 --rm-source-network 10.0.0.0/8
edit user -a A -n u --time 05:00:00-06:00:00 --rm-time 01:00:00
edit user -a A -n u --locale America/New_York --tag l
edit user -a A -n u --tag Y --rm-tag x --expiry 2w
edit user -a A -n w --tag night --expiry 2030-01-01
edit signing-key -a A --sk generate
edit signing-key -a A --sk generate --role watcher --description 'who watches' --allow-sub >
edit signing-key -a A --sk worker --allow-pub more.> --subs -1 --data 5M --payload 100
edit signing-key -a A --role worker --rm jobs.> --bearer --conn-type standard --rm-conn-type mqtt
edit signing-key -a A --sk worker --role boss --source-network 10.0.0.0/8 --time 01:00:00-02:00:00 --locale UTC
edit export -a A -s pub.> -n other --description text --info-url https://example.com
edit export -a A -s pub.> --private
edit export -a A -s pub.> --service --response-type Stream
edit export -a A -s svc.echo --response-type Chunked --response-threshold 5s
edit export -a A -s svc.echo --response-type Chunked --latency lat.other --sampling 10
edit export -a A -s svc.echo --response-type Chunked --sampling header
edit export -a A -s svc.echo --response-type Chunked --name x --rm-latency-sampling
edit export -a A -s svc.echo --response-type Stream --allow-trace
edit authcallout -a B --auth-user {u} --allowed-account {A}
edit authcallout -a B --auth-user {u},{z} --allowed-account * -x generate
add export -a B -s one.>
add export -a B -s two -r
add export -a B --subject three.* --name n --private
add export -a B -s four -r --response-type Stream --response-threshold 100ms --latency lat.four --sampling header --allow-trace
add export -a B -s five.*.x --account-token-position 2
add export -a B -s six --advertise
add import -a T --src-account A --remote-subject pub.>
add import -a T --src-account {A} --remote-subject pub.y -s local.y -n name --allow-trace
add import -a T --src-account A --remote-subject svc.echo --service --share -s l
add import -a T --src-account {other} --remote-subject far.>
add import -a T -u store/for-t.jwt
add import -a T --token store/for-t.jwt -s local.> -n name
generate activation -a A -s priv.x -t J -o store/act.jwt
generate activation -a A --subject psvc.* --target-account {other} --expiry 2031-01-01 --start 2026-01-01 --output-file store/act.jwt
add mapping -a A -f m --to two --weight 25
add mapping -a A -f n.* --to o.{{wildcard(1)}}
add mapping -a B --from x --to y --cluster z
delete export -a A -s pub.>
delete import -a B
delete import -a J -s svc.echo
delete import -a J -s svc.echo --src-account {A}
delete mapping -a A -f m --to one
delete mapping -a A -f m --to two
delete mapping -a A -f m
delete user -a A z
delete user -a A -n u,z --revoke
delete account -n T
delete account J --revoke=false
revocations add-user -a A -n u
revocations add-user -a A -n U --at 1800000000
revocations add-user -a A -u {u} --at 2026-01-31T15:04:05Z
revocations add_user -a A -u * --at 1700000001
revocations add-user -a A -n z --at 1600000000
revocations delete-user -a A -n z
revocations delete_user -a A -u {z}
revocations add_activation -a A -s priv.x -t J --at 1800000000
revocations add-activation -a A -s psvc.* --service -t *
revocations add_activation -a A --subject priv.> -t {other} --at 2026-01-31T15:04:05+02:00
revocations delete_activation -a A -s priv.> -t B
rename account A C --OK
add account -n N --expiry 1y --start 2026-01-01 --allow-pub a,b --allow-sub 'c q' --allow-pubsub p --deny-pub d --deny-sub e --deny-pubsub f --allow-pub-response=2 --response-ttl 3s
add account N -k {other}
add account N -K {Osk}
add user -a A -n n --allow-pub a,b --allow-sub 'c q' --allow-pubsub p --deny-pub d --deny-sub e --deny-pubsub f --allow-pub-response --response-ttl 3s
add user -a A n --bearer --expiry 2h --source-network 10.0.0.0/8,192.168.0.0/16 --tag X,y
add user -a A n -k {user}
add user -a A n -K worker
add user -a A n -K {Ask}
add operator -n P
add operator -n P --sys --generate-signing-key --expiry 1y
edit user -a A -n u -K {Ask} --tag k
edit account -n A -K {Osk} --tag k
select account B
select operator O
env -a T
";

/// Edits of a store whose operator requires signing keys.
const STRICT: &str = "
edit operator --tag three
edit account -n A --conns 5
edit account -n B --sk generate
edit user -a A -n u --allow-pub c
edit user -a A -n w --tag night
edit signing-key -a A --sk worker --allow-pub more.>
add account -n N --expiry 1y
add user -a A -n n --allow-pub a -K {Ask}
add user -a A -n n -K worker
add export -a B -s one.>
add import -a T -u store/for-t.jwt
generate activation -a A -s priv.x -t J -o store/act.jwt -K {Ask}
revocations add-user -a A -n u
delete user -a A -n u --revoke
rename account A C --OK
";

/// What the programs made of the same store, made comparable.
fn comparable(place: &Place, known: &BTreeSet<String>) -> Value {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let payloads = place.payloads();
    let mut all = serde_json::to_value(&payloads).expect("JSON");
    let accounts: Vec<String> = payloads.keys().cloned().collect();
    rename(&mut all, known, &mut names);
    for payload in all.as_object_mut().expect("an object").values_mut() {
        let payload = payload.as_object_mut().expect("an object");
        payload.remove("iat");
        payload.remove("jti");
        normalize(&mut payload["nats"]);
    }
    let config = fs::read_to_string(place.store.join("nsc.json")).expect("nsc.json");
    let config: Value = serde_json::from_str(&config).expect("JSON");
    serde_json::json!({
        "tokens": all,
        "files": accounts,
        "selected": [config["operator"], config["account"]],
    })
}

/// Gives keys that were not there before the edit a name that both programs have.
fn rename(value: &mut Value, known: &BTreeSet<String>, names: &mut BTreeMap<String, String>) {
    match value {
        Value::String(text) if PublicKey::from_str(text).is_ok() && !known.contains(text) => {
            let name = format!("a new {} key", &text[..1]);
            names.insert(text.clone(), name.clone());
            *text = name;
        }
        Value::Array(list) => list
            .iter_mut()
            .for_each(|value| rename(value, known, names)),
        Value::Object(map) => map
            .values_mut()
            .for_each(|value| rename(value, known, names)),
        _ => {}
    }
}

/// Takes away what means the same: limits of JetStream where it is off, a template's absent
/// limits, the order of keys that were made just now.
fn normalize(nats: &mut Value) {
    if let Some(limits) = nats.get_mut("limits").and_then(Value::as_object_mut) {
        let off = ["mem_storage", "disk_storage"]
            .iter()
            .all(|key| !limits.contains_key(*key));
        if off || limits.contains_key("tiered_limits") {
            for key in [
                "streams",
                "consumer",
                "max_ack_pending",
                "mem_max_stream_bytes",
                "disk_max_stream_bytes",
            ] {
                limits.remove(key);
            }
        }
    }
    if let Some(keys) = nats.get_mut("signing_keys").and_then(Value::as_array_mut) {
        for key in keys.iter_mut().filter_map(|key| key.get_mut("template")) {
            let template = key.as_object_mut().expect("an object");
            template.retain(|key, value| {
                !["subs", "data", "payload"].contains(&key.as_str()) || *value != -1
            });
        }
        keys.sort_by_key(Value::to_string);
    }
}

/// The members that differ; moments may differ by the time that the programs took.
fn differences(path: &str, nsc: &Value, nkey: &Value, found: &mut Vec<String>) {
    let moment = |value: &Value| value.as_i64().filter(|at| *at > 1_500_000_000);
    match (nsc, nkey) {
        _ if nsc == nkey => {}
        (Value::Object(one), Value::Object(two)) => {
            let keys: BTreeSet<&String> = one.keys().chain(two.keys()).collect();
            for key in keys {
                let member = |object: &serde_json::Map<String, Value>| {
                    object.get(key).cloned().unwrap_or_default()
                };
                differences(&format!("{path}/{key}"), &member(one), &member(two), found);
            }
        }
        (Value::Array(one), Value::Array(two)) if one.len() == two.len() => {
            for (index, (one, two)) in one.iter().zip(two).enumerate() {
                differences(&format!("{path}/{index}"), one, two, found);
            }
        }
        _ => match (moment(nsc), moment(nkey)) {
            (Some(one), Some(two)) if one.abs_diff(two) < 60 => {}
            _ => found.push(format!("{path}: nsc {nsc}, nkey {nkey}")),
        },
    }
}

/// Where nkey does more than nsc, on purpose; docs/nsc.md says why.
const BETTER: &[(&str, &str)] = &[
    // nsc leaves an older revocation, which the user's newer token escapes.
    ("delete user -a A -n u,z --revoke", "revocations"),
    // The operator's own key signs the operator; nsc takes a signing key.
    ("edit operator --tag three", "/iss"),
    // A strict operator's new account gets the signing key that its users need.
    ("add account -n N --expiry 1y", "signing_keys"),
];

/// Edits that build on one another, in the words of both.
const TURNS: &str = "
edit account -n A --conns 5 --tag one
edit user -a A -n u --allow-pub more --rm a
edit signing-key -a A --sk worker --allow-pub even.more --payload 100
add export -a B -s b.>
edit export -a B -s b.> --description text
add import -a A --src-account B --remote-subject b.x -s local.x
add mapping -a A -f turn --to one --weight 40
add user -a B -n new --allow-sub x
edit user -a B -n new --bearer
edit account -n B --js-disk-storage 1G --js-streams 4
edit account -n B --js-streams 5
edit authcallout -a B --auth-user {u} --allowed-account *
edit authcallout -a B --rm-auth-user {u} --auth-user {z}
edit authcallout -a B --disable
revocations add-user -a A -n u --at 1700000005
revocations add_activation -a A -s priv.> -t J --at 1700000005
edit operator --tag turn
revocations delete-user -a A -n z
delete mapping -a A -f turn
delete user -a A z
edit user -a A -n w --tag late
edit account -n A --description done
edit user -a A -n u --expiry 2031-01-01
delete import -a A -s b.x
delete export -a B -s b.>
edit operator --service-url nats://other:4222
";

#[test]
fn both_take_turns_on_one_store() {
    if skipped("nsc") {
        return;
    }
    let base = base(false);
    let agent = Agent::new();
    base.nkey(&agent, "import keys -d store/keys -R");
    let payloads = base.payloads();
    let sub = |file: &str| payloads[file]["sub"].as_str().expect("a key").to_owned();
    let mut keys = Vec::new();
    files(&base.store.join("keys"), &mut keys);
    let name = |path: &PathBuf| Some(path.file_stem()?.to_str()?.to_owned());
    let known: BTreeSet<String> = keys.iter().filter_map(name).collect();
    let [alone, first, second] = [(); 3].map(|()| Place::copy(&base));
    for (index, line) in TURNS.lines().filter(|line| !line.is_empty()).enumerate() {
        let edit = line.replace("{u}", &sub("O/accounts/A/users/u.jwt"));
        let edit = edit.replace("{z}", &sub("O/accounts/A/users/z.jwt"));
        alone.nsc(&edit);
        let (nsc, nkey) = if index % 2 == 0 {
            (&first, &second)
        } else {
            (&second, &first)
        };
        nsc.nsc(&edit);
        let before = nkey.payloads();
        nkey.nkey(&agent, &edit);
        // A token is never issued anew with the time of the one before.
        for (file, payload) in nkey.payloads() {
            let iat = |payload: &Value| payload["iat"].as_i64();
            if let Some(old) = before.get(&file).filter(|old| **old != payload) {
                assert!(iat(old) < iat(&payload), "{edit}: {file}");
            }
        }
    }
    let wanted = comparable(&alone, &known);
    for place in [&first, &second] {
        let mut found = Vec::new();
        differences("", &wanted, &comparable(place, &known), &mut found);
        assert!(found.is_empty(), "{}", found.join("\n"));
        place.nsc("validate --all-accounts");
        place.nkey(&agent, "validate -A");
        let json = |text: String| -> Value { serde_json::from_str(&text).expect("JSON") };
        for entity in [
            "operator",
            "account -n A",
            "account -n B",
            "user -a A -n u",
            "user -a A -n w",
            "user -a B -n new",
        ] {
            let describe = format!("describe {entity} --json");
            assert_eq!(
                json(place.nkey(&agent, &describe)),
                json(place.nsc(&describe)),
                "{describe}"
            );
        }
    }
}

#[test]
fn the_same_edit_gives_the_same_claims() {
    if !skipped("nsc") {
        same_claims(&base(false), EDITS);
    }
}

#[test]
fn the_same_edit_gives_the_same_claims_under_a_strict_operator() {
    if !skipped("nsc") {
        same_claims(&base(true), STRICT);
    }
}

#[track_caller]
fn same_claims(base: &Place, edits: &str) {
    let agent = Agent::new();
    base.nkey(&agent, "import keys -d store/keys -R");
    let payloads = base.payloads();
    let sub = |file: &str| payloads[file]["sub"].as_str().expect("a key").to_owned();
    let stranger = |kind| {
        let key = agent.client().generate(kind, "stranger", 0);
        key.expect("a key").to_string()
    };
    let (other, user) = (stranger(Kind::Account), stranger(Kind::User));
    let signing_key = |file: &str| {
        let keys = payloads[file]["nats"]["signing_keys"]
            .as_array()
            .expect("keys");
        let plain = keys.iter().find_map(Value::as_str);
        plain.expect("a key without a role").to_owned()
    };
    let names = [
        ("{A}", sub("O/accounts/A/A.jwt")),
        ("{u}", sub("O/accounts/A/users/u.jwt")),
        ("{z}", sub("O/accounts/A/users/z.jwt")),
        ("{Ask}", signing_key("O/accounts/A/A.jwt")),
        ("{Osk}", signing_key("O/O.jwt")),
        ("{other}", other.clone()),
        ("{user}", user.clone()),
    ];
    let mut known: BTreeSet<String> = BTreeSet::from([other, user]);
    let mut keys = Vec::new();
    files(&base.store.join("keys"), &mut keys);
    known.extend(
        keys.iter()
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())),
    );
    let edits: Vec<&str> = edits.lines().filter(|line| !line.is_empty()).collect();
    let judge = |line: &&str| {
        let names = names.iter();
        let edit = names.fold((*line).to_owned(), |edit, (name, key)| {
            edit.replace(name, key)
        });
        one_edit(base, &agent, &known, line, &edit)
    };
    // Each edit has a copy of the store, so they need not wait for one another.
    let halves = edits.split_at(edits.len() / 2);
    let failures: Vec<String> = std::thread::scope(|scope| {
        let other = scope.spawn(|| halves.1.iter().filter_map(judge).collect::<Vec<_>>());
        let mut failures: Vec<String> = halves.0.iter().filter_map(judge).collect();
        failures.extend(other.join().expect("the other half"));
        failures
    });
    assert!(
        failures.is_empty(),
        "{} edits differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// What is different when nsc and nkey make an edit, if anything is.
fn one_edit(
    base: &Place,
    agent: &Agent,
    known: &BTreeSet<String>,
    line: &str,
    edit: &str,
) -> Option<String> {
    let places = [Place::copy(base), Place::copy(base)];
    let outputs = [places[0].try_nsc(edit), places[1].try_nkey(agent, edit)];
    let statuses = outputs.each_ref().map(|output| output.status);
    if statuses != [0, 0] {
        let [nsc, nkey] = outputs.map(|output| output.stdout + &output.stderr);
        return Some(format!(
            "{line}\n  nsc {}: {nsc}\n  nkey {}: {nkey}",
            statuses[0], statuses[1]
        ));
    }
    let mut found = Vec::new();
    let [one, two] = places.each_ref().map(|place| comparable(place, known));
    differences("", &one, &two, &mut found);
    let better = |text: &String| {
        let mut known = BETTER.iter();
        known.any(|(edit, member)| line.starts_with(edit) && text.contains(member))
    };
    found.retain(|text| !better(text));
    // nsc reads what nkey has written, and finds nothing wrong.
    let validated = places[1].try_nsc("validate --all-accounts");
    if validated.status != 0 {
        found.push(format!(
            "nsc validate: {}{}",
            validated.stdout, validated.stderr
        ));
    }
    (!found.is_empty()).then(|| format!("{line}\n  {}", found.join("\n  ")))
}
