//! Pushing, pulling, comparing and pruning, while clients are connected and when servers misbehave.

use nkey_core::nkey::PublicKey;
use nkey_tests::nats::Message;
use nkey_tests::{Demo, Scratch, User, account_server, command, free_port, run, skipped, wait_for};
use std::net::TcpStream;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, Mutex};

const FULL: &str = "--nats-resolver --allow-delete";

#[test]
fn what_is_pushed_takes_effect_while_clients_are_connected() {
    if skipped("nats-server") {
        return;
    }
    let demo = Demo::new();
    demo.nkey("add account -n other");
    demo.nkey("add user -a other -n o");
    demo.nkey("add user -a demo -n leaver");
    demo.nkey("add user -a demo -n stayer");
    let [leaver, stayer] = ["leaver", "stayer"].map(|user| demo.creds("demo", user));
    let other = demo.creds("other", "o");
    let server = demo.server(FULL, "");
    let url = server.url();
    demo.nkey(&format!("push -A -u {url}"));
    let try_connect = |creds: &Path| User::connect(server.port(), creds);
    let connect = |creds: &Path| try_connect(creds).expect("to connect");
    let (left, mut stays, pruned) = (connect(&leaver), connect(&stayer), connect(&other));

    // A revocation ends the connection of the user, and of no other.
    let key = demo.nkey("describe user -a demo -n leaver -F sub");
    let key = key.trim().trim_matches('"');
    demo.change(
        "demo",
        "\"default_permissions\"",
        &format!(
            "\"revocations\":{{\"{key}\":{}}},\"default_permissions\"",
            now()
        ),
    );
    let compared = demo.nkey(&format!("push -D -u {url}"));
    assert!(
        compared.contains(&format!("+ nats.revocations: {{\"{key}\":")),
        "{compared}"
    );
    demo.nkey(&format!("push -a demo -u {url}"));
    assert!(left.ended().to_lowercase().contains("revoked"));
    assert!(try_connect(&leaver).is_err());
    stays.subscribe("still.there");

    // A smaller limit takes effect as well.
    demo.change("demo", "\"conn\":-1", "\"conn\":1");
    demo.nkey(&format!("push -a demo -u {url}"));
    assert!(try_connect(&stayer).is_err());
    stays.subscribe("still.here");

    // An account that is pruned ends all of its connections.
    std::fs::remove_dir_all(demo.path("store/demo/accounts/other")).expect("to remove it");
    let previewed = demo.nkey(&format!("push --diff --prune -u {url}"));
    assert_eq!(
        previewed.matches("; would be deleted").count(),
        1,
        "{previewed}"
    );
    assert!(try_connect(&other).is_ok());
    demo.nkey(&format!("push --prune -u {url}"));
    pruned.ended();
    assert!(try_connect(&other).is_err());
    stays.subscribe("here.still");

    // Pulling brings back nothing that was deleted, and everything else.
    std::fs::remove_dir_all(demo.path("store/demo/accounts/demo")).expect("to remove it");
    let pulled = demo.nkey(&format!("pull -A -u {url}"));
    assert!(
        pulled.contains("demo: new")
            && pulled.contains("SYS: unchanged")
            && !pulled.contains("other"),
        "{pulled}"
    );
    assert!(
        demo.nkey("describe account -n demo -F nats.limits.conn")
            .contains('1')
    );
}

#[test]
fn accounts_are_pushed_and_pulled_over_a_websocket() {
    if skipped("nats-server") {
        return;
    }
    let demo = Demo::new();
    let port = free_port();
    let socket = format!("websocket {{ listen: \"127.0.0.1:{port}\", no_tls: true }}");
    let server = demo.server(FULL, &socket);
    let pushed = demo.nkey(&format!("push -A -u ws://127.0.0.1:{port}"));
    assert!(pushed.contains("demo"), "{pushed}");
    let pulled = demo.nkey(&format!("pull -A -u ws://127.0.0.1:{port}"));
    assert!(pulled.contains("demo: unchanged"), "{pulled}");
    // What went in there is what the server has.
    let compared = demo.nkey(&format!("push -D -u {}", server.url()));
    assert!(
        compared.contains("account demo: no difference"),
        "{compared}"
    );
}

fn now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("the time")
        .as_secs()
}

#[test]
fn pull_takes_newer_tokens_and_older_ones_only_when_told() {
    if skipped("nats-server") {
        return;
    }
    let demo = Demo::new();
    let server = demo.server(FULL, "");
    let url = server.url();
    demo.nkey(&format!("push -A -u {url}"));
    let account = demo.path("store/demo/accounts/demo/demo.jwt");
    let pushed = std::fs::read_to_string(&account).expect("the account");
    demo.change("demo", "\"conn\":-1", "\"conn\":7");
    let newer = std::fs::read_to_string(&account).expect("the account");
    let refused = demo.run(&format!("pull -A -u {url}"));
    assert!(
        refused.stdout.contains("older than the stored one"),
        "{}",
        refused.stdout
    );
    refused.fails(1);
    assert_eq!(std::fs::read_to_string(&account).expect("it"), newer);
    demo.nkey(&format!("pull -a demo --overwrite-newer -u {url}"));
    assert_eq!(std::fs::read_to_string(&account).expect("it"), pushed);
    std::fs::write(&account, &newer).expect("to write");
    let compared = demo.nkey(&format!("push -D -a demo -u {url}"));
    assert!(compared.contains("nats.limits.conn: -1 -> 7"), "{compared}");
    demo.nkey(&format!("push -a demo -u {url}"));
    std::fs::write(&account, &pushed).expect("to write");
    let pulled = demo.nkey(&format!("pull -a demo -u {url} --json"));
    assert!(pulled.contains("\"result\": \"replaced\""), "{pulled}");
    let compared = demo.nkey(&format!("push -D -u {url}"));
    assert!(
        compared.contains("account demo: no difference"),
        "{compared}"
    );

    // A token of another operator is not taken, whatever the servers say.
    let other = Demo::new();
    other.nkey("add account -n theirs");
    let theirs = other.nkey("describe account -n theirs -R");
    std::fs::write(&account, theirs.trim()).expect("to write");
    let pushed = demo.run(&format!("push -a demo -u {url}")).fails(1);
    assert!(pushed.contains("neither the operator nor"), "{pushed}");
    // nats-server keeps it all the same, and uses it for nobody.
    demo.nkey(&format!("push -a demo -F -u {url}"));
    let pulled = demo.run(&format!("pull -A -u {url}"));
    assert!(
        pulled.stdout.contains("neither the operator nor"),
        "{}",
        pulled.stdout
    );
    pulled.fails(1);
}

/// A server whose only resolver is the test: it answers requests to update accounts.
fn misbehaving(
    answers: impl Fn(&Message) -> Vec<String> + Send + 'static,
) -> (Demo, nkey_tests::Server) {
    let demo = Demo::new();
    let server = demo.server("--mem-resolver", "");
    let creds = demo.creds("SYS", "sys");
    let mut fake = User::connect(server.port(), &creds).expect("to connect");
    fake.subscribe("$SYS.REQ.CLAIMS.UPDATE");
    std::thread::spawn(move || {
        while let Some(messages) = fake.messages() {
            for message in messages {
                for answer in answers(&message) {
                    fake.publish(&message.reply, &answer);
                }
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    });
    (demo, server)
}

fn answer(server: &str, account: &str) -> String {
    format!(
        r#"{{"server":{{"name":"{server}","id":"N{server}"}},"data":{{"account":"{account}","code":200,"message":"jwt updated"}}}}"#
    )
}

/// The account that a request is about.
fn account(request: &Message) -> String {
    let token = std::str::from_utf8(&request.payload).expect("text");
    let decoded = nkey_core::tolerant::decode(token).expect("a token");
    let sub = decoded.claims.standard().sub.clone();
    PublicKey::from_str(&sub).expect("a key").to_string()
}

#[test]
fn resolvers_that_answer_wrongly_twice_late_or_not_at_all_are_named() {
    if skipped("nats-server") {
        return;
    }
    let push = |demo: &Demo, server: &nkey_tests::Server, timeout: u8| {
        demo.run(&format!(
            "push -a demo --timeout {timeout} -u {}",
            server.url()
        ))
    };
    let (demo, server) = misbehaving(|request| vec![answer("s1", &account(request))]);
    push(&demo, &server, 1).ok();

    let (demo, server) = misbehaving(|request| vec![answer("s1", &account(request)); 2]);
    let twice = push(&demo, &server, 1);
    assert!(
        twice.stdout.contains("s1 answered twice"),
        "{}",
        twice.stdout
    );
    twice.fails(1);

    let (demo, server) = misbehaving(|_| vec![answer("s1", "AOTHER"), "+OK".to_owned()]);
    let wrong = push(&demo, &server, 1);
    assert!(
        wrong
            .stdout
            .contains("s1 answered about another account, AOTHER")
            && wrong.stdout.contains("not understood"),
        "{}",
        wrong.stdout
    );
    wrong.fails(1);

    let (demo, server) = misbehaving(|_| Vec::new());
    let none = push(&demo, &server, 1);
    assert!(
        none.stdout
            .contains("no server answered within 1 s (--timeout waits longer)"),
        "{}",
        none.stdout
    );
    none.fails(1);

    let (demo, server) = misbehaving(|request| {
        std::thread::sleep(std::time::Duration::from_secs(3));
        vec![answer("s1", &account(request))]
    });
    push(&demo, &server, 1).fails(1);
    push(&demo, &server, 9).ok();

    // One server takes it and another does not: that is a failure.
    let (demo, server) = misbehaving(|request| {
        let refusal =
            r#"{"server":{"name":"s2","id":"Ns2"},"error":{"code":500,"description":"disk full"}}"#;
        vec![answer("s1", &account(request)), refusal.to_owned()]
    });
    let partly = push(&demo, &server, 1);
    assert!(
        partly.stdout.contains("s1: jwt updated")
            && partly.stdout.contains("s2 refused: disk full"),
        "{}",
        partly.stdout
    );
    partly.fails(1);
}

#[test]
fn an_account_server_gets_and_gives_accounts() {
    let demo = Demo::new();
    let kept: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
    let files = Arc::clone(&kept);
    let operator = demo.nkey("describe operator -R");
    let url = account_server(move |method, path, body| {
        let mut files = files.lock().expect("the files");
        if path == "/jwt/v2/operator" {
            return (200, operator.clone());
        }
        if method == "POST" {
            files.retain(|(name, _)| name != path);
            files.push((path.to_owned(), body.to_owned()));
            return (200, String::new());
        }
        match files.iter().find(|(name, _)| name == path) {
            Some((_, token)) => (200, token.clone()),
            None => (404, "no such\u{1b}[31m account".to_owned()),
        }
    });
    let absent = demo.run(&format!("pull -A -u {url}"));
    assert!(
        absent.stdout.contains("404") && !absent.stdout.contains('\u{1b}'),
        "{}",
        absent.stdout
    );
    absent.fails(1);
    let compared = demo.nkey(&format!("push -A -D -u {url}"));
    assert!(
        compared.contains("account demo: on no server")
            && compared.contains("account SYS: on no server"),
        "{compared}"
    );
    demo.nkey(&format!("push -A -u {url}"));
    let key = demo.nkey("describe account -n demo -F sub");
    let path = format!("/jwt/v2/accounts/{}", key.trim().trim_matches('"'));
    assert!(
        kept.lock()
            .expect("it")
            .iter()
            .any(|(name, _)| *name == path)
    );
    let pulled = demo.nkey(&format!("pull -A -u {url}"));
    assert_eq!(pulled.matches("unchanged").count(), 3, "{pulled}");
    demo.change("demo", "\"conn\":-1", "\"conn\":7");
    let compared = demo.nkey(&format!("push -D -u {url}"));
    assert!(
        compared.contains("nats.limits.conn: -1 -> 7")
            && compared.contains("account SYS: no difference"),
        "{compared}"
    );
    let usage = demo.run(&format!("push -P -u {url}")).fails(2);
    assert!(usage.contains("deleted from nats-servers only"), "{usage}");
    let gone = demo.run("push -A -u http://127.0.0.1:1/x");
    assert!(
        gone.stdout.contains("cannot reach http://127.0.0.1:1"),
        "{}",
        gone.stdout
    );
    gone.fails(1);
}

#[test]
fn a_managed_operator_signs_what_signed_itself() {
    let owner = Arc::new(Demo::empty());
    owner.nkey("add operator -n big --generate-signing-key");
    let files: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
    // Not for longer than the test: the agent ends with its last owner.
    let (signer, kept) = (Arc::downgrade(&owner), Arc::clone(&files));
    let patient = Arc::new(Mutex::new(true));
    let signs = Arc::clone(&patient);
    let operator: Arc<Mutex<String>> = Arc::default();
    let served = Arc::clone(&operator);
    let url = account_server(move |method, path, body| {
        if path == "/jwt/v2/operator" {
            return (200, served.lock().expect("it").clone());
        }
        let mut kept = kept.lock().expect("the files");
        if method == "POST" {
            let token = if *signs.lock().expect("it") {
                let signer = signer.upgrade().expect("the operator");
                signer.home.file("in.jwt", body);
                signer.nkey("import account -j in.jwt --overwrite");
                let decoded = nkey_core::tolerant::decode(body).expect("a token");
                signer.nkey(&format!(
                    "describe account -n {} -R",
                    decoded.claims.standard().name
                ))
            } else {
                body.to_owned()
            };
            kept.retain(|(name, _)| name != path);
            kept.push((path.to_owned(), token));
            return (202, "thank you".to_owned());
        }
        match kept.iter().find(|(name, _)| name == path) {
            Some((_, token)) => (200, token.clone()),
            None => (404, String::new()),
        }
    });
    // The operator names its account server.
    let claims = owner.nkey("describe operator -J");
    let mut claims: serde_json::Value = serde_json::from_str(&claims).expect("JSON");
    claims["nats"]["account_server_url"] = url.clone().into();
    let key = claims["sub"].as_str().expect("a key").to_owned();
    let mut sign = owner.command(&format!("sign --key {key}"));
    let token = run(&mut sign, &claims.to_string()).ok();
    std::fs::write(owner.path("store/big/big.jwt"), token.trim()).expect("the operator");
    *operator.lock().expect("it") = token.trim().to_owned();

    let guest = Demo::empty();
    let made = guest.run(&format!("init -n mine -o {url}/operator"));
    assert!(
        made.stderr.contains("was signed by the operator"),
        "{}{}",
        made.stdout,
        made.stderr
    );
    made.ok();
    let issuer = |account: &str| {
        let field = guest.nkey(&format!("describe account -n {account} -F iss"));
        field.trim().trim_matches('"').to_owned()
    };
    assert!(issuer("mine").starts_with('O'));
    guest.nkey("validate -A");

    // While the operator has not signed, the account stays as it is, and push tries again.
    *patient.lock().expect("it") = false;
    let pending = guest.run("add account -n later");
    assert!(
        pending.stderr.contains("not signed it yet"),
        "{}",
        pending.stderr
    );
    pending.ok();
    assert!(issuer("later").starts_with('A'));
    *patient.lock().expect("it") = true;
    let pushed = guest.nkey("push -a later");
    assert!(
        pushed.contains("pending: thank you")
            && pushed.contains("signed by the operator and stored"),
        "{pushed}"
    );
    assert!(issuer("later").starts_with('O'));
    let pulled = guest.nkey("pull -A");
    assert_eq!(pulled.matches("unchanged").count(), 3, "{pulled}");

    // Edits go there and come back as well, and so does the end of an account.
    let edited = guest.run("edit account -n mine --conns 5");
    assert!(
        edited.stderr.contains("was signed by the operator"),
        "{}",
        edited.stderr
    );
    edited.ok();
    assert!(issuer("mine").starts_with('O'));
    assert_eq!(
        owner.nkey("describe account -n mine -F nats.limits.conn"),
        "5\n"
    );
    guest.run("delete account -n mine").fails(1);
    guest.nkey("delete account -n mine -F");
    assert_ne!(owner.nkey("describe account -n mine -F exp"), "null\n");
    assert!(
        owner
            .nkey("describe account -n mine -F nats.revocations")
            .contains("\"U")
    );
}

#[test]
fn activations_go_to_an_account_server_and_come_from_there() {
    let demo = Demo::new();
    let files: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
    let kept = Arc::clone(&files);
    let url = account_server(move |method, path, body| {
        let mut kept = kept.lock().expect("the files");
        if method == "POST" {
            let decoded = nkey_core::tolerant::decode(body).expect("a token");
            let nkey_core::tolerant::AnyClaims::Activation(claims) = decoded.claims else {
                return (400, "no activation".to_owned());
            };
            let hash = claims.hash_id().expect("a hash");
            kept.push((format!("{path}/{hash}"), body.to_owned()));
            return (200, String::new());
        }
        match kept.iter().find(|(name, _)| name == path) {
            Some((_, token)) => (200, token.clone()),
            None => (404, String::new()),
        }
    });
    demo.nkey("add account -n importer");
    demo.nkey("select account demo");
    demo.nkey("add export -s priv.> -p");
    let resolver = demo.run("generate activation -t importer --push").fails(2);
    assert!(resolver.contains("HTTP account servers"), "{resolver}");
    demo.nkey(&format!("edit operator --account-jwt-server-url {url}"));
    let generated = demo.run("generate activation -t importer -s priv.x --push -o act.jwt");
    let import = generated
        .stderr
        .lines()
        .find_map(|line| line.split_once("nkey add import -u "));
    let (_, at) = import.expect("what to type");
    assert!(
        at.starts_with(&format!("{url}/activations/")),
        "{}",
        generated.stderr
    );
    demo.nkey(&format!("add import -a importer -u {at}"));
    demo.nkey("validate -A");
    let absent = demo
        .run(&format!("add import -a importer -u {url}/activations/none"))
        .fails(1);
    assert!(absent.contains("404"), "{absent}");
    let secret = demo
        .run("add import -a importer -u http://u:p@127.0.0.1/x")
        .fails(2);
    assert!(secret.contains("name or password"), "{secret}");
}

/// A CA, a server's and a client's certificate, by openssl.
fn certificates(dir: &Path) {
    let make = |script: &str| {
        let mut shell = command("/bin/sh");
        shell.current_dir(dir).args(["-ec", script]);
        run(&mut shell, "").ok();
    };
    make(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 \
         -subj /CN=test-ca -addext basicConstraints=critical,CA:TRUE 2>/dev/null",
    );
    for name in ["server", "client"] {
        make(&format!(
            "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.csr \
             -subj /CN={name} 2>/dev/null; printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\\n' > ext; \
             openssl x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext \
             -out {name}.pem 2>/dev/null"
        ));
    }
}

#[test]
fn tls_with_an_own_authority_client_certificates_and_curves() {
    if skipped("nats-server") || skipped("openssl") {
        return;
    }
    let demo = Demo::new();
    certificates(demo.home.path());
    let path = |name: &str| demo.path(name).display().to_string();
    let tls = format!(
        "tls {{ cert_file: \"{}\", key_file: \"{}\", ca_file: \"{}\", verify: true, timeout: 5 }}",
        path("server.pem"),
        path("server.key"),
        path("ca.pem")
    );
    let server = demo.server(FULL, &tls);
    let url = format!("tls://127.0.0.1:{}", server.port());
    let own = "--client-cert client.pem --client-key client.key";
    demo.nkey(&format!("push -A -u {url} --ca-cert ca.pem {own}"));
    demo.nkey(&format!(
        "pull -A -u {url} --ca-cert ca.pem {own} --tls-curves P256,P384"
    ));
    for (flags, needle) in [
        (own.to_owned(), "certificate"),
        ("--ca-cert ca.pem".to_owned(), "cannot connect"),
        ("--ca-cert server.key".to_owned(), "server.key"),
        (
            "--ca-cert ca.pem --client-cert client.pem --client-key server.key".to_owned(),
            "--client-cert and --client-key",
        ),
        ("--tls-curves P521".to_owned(), "P521"),
    ] {
        let failed = demo.run(&format!("push -A -u {url} {flags}"));
        assert_ne!(failed.status, 0);
        assert!(failed.stderr.contains(needle), "{flags}: {}", failed.stderr);
    }
    // The server waits for TLS before it says anything.
    let first = demo.server(
        FULL,
        &tls.replace("timeout: 5", "timeout: 5, handshake_first: true"),
    );
    let url = format!("tls://127.0.0.1:{}", first.port());
    demo.nkey(&format!(
        "push -A -u {url} --ca-cert ca.pem {own} --tls-first"
    ));
}

#[test]
fn an_account_server_behind_tls_is_checked() {
    if skipped("openssl") {
        return;
    }
    let demo = Demo::new();
    certificates(demo.home.path());
    // openssl serves files: enough to pull from.
    let files = Scratch::new();
    std::fs::create_dir(files.path().join("accounts")).expect("a folder");
    let key = demo.nkey("describe account -n demo -F sub");
    let key = key.trim().trim_matches('"');
    let token = demo.nkey("describe account -n demo -R");
    std::fs::write(files.path().join("accounts").join(key), token).expect("a file");
    let port = nkey_tests::free_port();
    let mut server = command("openssl");
    server
        .current_dir(files.path())
        .args(["s_server", "-quiet", "-WWW", "-accept"])
        .arg(format!("127.0.0.1:{port}"))
        .arg("-cert")
        .arg(demo.path("server.pem"))
        .arg("-key")
        .arg(demo.path("server.key"));
    server
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let mut server = server.spawn().expect("openssl");
    wait_for(
        || TcpStream::connect(("127.0.0.1", port)).is_ok(),
        "openssl",
    );
    let url = format!("https://127.0.0.1:{port}");
    let pulled = demo.run(&format!("pull -a demo -u {url} --ca-cert ca.pem"));
    let untrusted = demo.run(&format!("pull -a demo -u {url}"));
    let _ = server.kill();
    let _ = server.wait();
    assert!(pulled.ok().contains("demo: unchanged"));
    assert!(
        untrusted.stdout.contains("cannot reach"),
        "{}",
        untrusted.stdout
    );
    untrusted.fails(1);
}
