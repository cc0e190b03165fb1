//! The main job as a person would do it: `nkey` over a real agent, a real nats-server, a real nsc.

use nkey_agent::client::Client;
use nkey_agent::message::flag;
use nkey_core::nkey::Kind;
use nkey_tests::{Agent, Demo, Scratch, Server, command, example, program, run, skipped, tool};
use std::path::Path;
use std::process::Command;

fn client(demo: &Demo, server: &Server, arguments: &str) -> Command {
    let mut client = command(program("examples/client"));
    client
        .current_dir(demo.home.path())
        .env("NKEY_AUTH_SOCK", demo.agent.socket());
    client
        .arg("--server")
        .arg(server.url())
        .args(arguments.split_whitespace());
    client
}

#[test]
fn a_real_server_accepts_what_was_issued_and_enforces_it() {
    if skipped("nats-server") {
        return;
    }
    let demo = Demo::new();
    let server = demo.server("--nats-resolver", "");
    demo.nkey(&format!("push -A -u {}", server.url()));
    demo.nkey("add user -a demo -n alice --allow-pub foo.>,bar.> --allow-sub _INBOX.>");
    demo.nkey("generate creds -a demo -n alice -o alice.creds");
    let creds = demo.home.path().join("alice.creds");
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(creds).expect("the creds"));
    assert_eq!(mode & 0o777, 0o600);
    // A seed that has left is accounted for.
    let alice = demo.nkey("describe user -a demo -n alice -F sub");
    let line = format!("exported: {} for process ", alice.trim().trim_matches('"'));
    nkey_tests::wait_for(|| demo.agent.log().contains(&line), "the agent's log");

    let agent_held = "--jwt store/demo/accounts/demo/users/demo.jwt";
    let mut waiting = client(&demo, &server, &format!("{agent_held} sub foo.> --count 1"));
    waiting
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let waiting = waiting.spawn().expect("the subscriber");
    // The publisher repeats until the subscriber is there.
    let mut waiting = Some(waiting);
    nkey_tests::wait_for(
        || {
            run(
                &mut client(&demo, &server, "--creds alice.creds pub foo.x hello"),
                "",
            )
            .ok();
            let ended = waiting
                .as_mut()
                .is_some_and(|child| child.try_wait().expect("its state").is_some());
            std::thread::sleep(std::time::Duration::from_millis(50));
            ended
        },
        "the message",
    );
    let output = waiting
        .take()
        .expect("the subscriber")
        .wait_with_output()
        .expect("its output");
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("hello"));

    let denied = run(
        &mut client(&demo, &server, "--creds alice.creds pub secret.x hello"),
        "",
    );
    assert_ne!(denied.status, 0);
    assert!(
        denied
            .stderr
            .to_lowercase()
            .contains("permissions violation"),
        "{}",
        denied.stderr
    );
}

#[test]
fn a_server_refuses_an_account_that_was_not_pushed() {
    if skipped("nats-server") {
        return;
    }
    let demo = Demo::new();
    let server = demo.server("--nats-resolver", "");
    let refused = run(
        &mut client(
            &demo,
            &server,
            "--jwt store/demo/accounts/demo/users/demo.jwt pub foo hello",
        ),
        "",
    );
    assert_ne!(refused.status, 0);
    assert!(
        refused
            .stderr
            .to_lowercase()
            .contains("authorization violation"),
        "{}",
        refused.stderr
    );
}

#[test]
fn nsc_describes_and_validates_a_store_that_we_made() {
    if skipped("nsc") {
        return;
    }
    let demo = Demo::new();
    demo.nkey("add user -a demo -n alice --allow-pub foo.> --tag team:a --expiry 30d --bearer");
    demo.nkey("add account -n second");
    let nsc = |arguments: &str| {
        let mut nsc = command(tool("nsc"));
        nsc.env("HOME", demo.home.path())
            .env("NSC_NO_GIT_IGNORE", "true");
        nsc.current_dir(demo.home.path()).args(["-H", "store"]);
        run(nsc.args(arguments.split_whitespace()), "")
    };
    for arguments in [
        "describe operator",
        "describe account demo",
        "describe account SYS",
        "describe user -a demo alice",
        "describe user -a SYS sys",
        "list accounts",
        "list users -a demo",
    ] {
        let described = nsc(arguments);
        assert_eq!(
            described.status, 0,
            "{arguments}: {}{}",
            described.stdout, described.stderr
        );
    }
    let validated = nsc("validate --all-accounts");
    assert_eq!(
        validated.status, 0,
        "{}{}",
        validated.stdout, validated.stderr
    );
    // nsc and nkey show the same claims.
    let json = |text: String| -> serde_json::Value { serde_json::from_str(&text).expect("JSON") };
    for arguments in [
        "describe operator --json",
        "describe account demo --json",
        "describe user -a demo alice --json",
    ] {
        let ours = match arguments.split_once(" demo ") {
            Some((before, after)) if before.contains("user") => format!("{before} demo -n {after}"),
            Some((before, after)) => format!("{before} -n demo {after}"),
            None => arguments.to_owned(),
        };
        assert_eq!(
            json(demo.nkey(&ours)),
            json(nsc(arguments).ok()),
            "{arguments}"
        );
    }
}

#[test]
fn the_seed_example_comes_out_through_cli_socket_and_agent() {
    let agent = Agent::new();
    let home = Scratch::new();
    for kind in ["operator", "account", "user"] {
        let seed = example(&format!("{kind} seed: "), "\n");
        home.file(kind, &seed);
        let imported = run(
            &mut agent.nkey(
                home.path(),
                &format!("import keys {kind} --any-iat --exportable"),
            ),
            "",
        );
        assert!(!imported.stdout.contains(&seed) && !imported.stderr.contains(&seed));
        let key = example(&format!("{kind} pubkey: "), "\n");
        assert!(imported.ok().contains(&key));
    }
    for (issuer, claims, token) in [
        ("operator pubkey: ", "\naccount claims: ", "\naccount jwt: "),
        ("account pubkey: ", "\nuserclaims: ", "\nuser jwt: "),
    ] {
        let claims = example(claims, token);
        let issuer = example(issuer, "\n");
        let mut sign = agent.nkey(
            home.path(),
            &format!("sign --key {issuer} --iat 1678973945"),
        );
        let signed = run(&mut sign, &claims).ok();
        assert_eq!(signed, example(token, "\n") + "\n");
        // What it says is what was given, line for line, and what signing adds.
        let decoded = run(&mut agent.nkey(home.path(), "decode -"), &signed).ok();
        let (_, shown) = decoded.split_once("\n\n").expect("the claims");
        let added = ["jti", "iat", "iss", "type", "version"].map(|key| format!("\"{key}\": "));
        let given: Vec<&str> = shown
            .lines()
            .filter(|line| !added.iter().any(|key| line.trim_start().starts_with(key)))
            .collect();
        let given = given.join("\n").replace("},\n  }", "}\n  }");
        assert_eq!(given.replace("-1,\n  }", "-1\n  }"), claims);
    }

    // The creds file, from a store that holds the example's tokens.
    let operator = example("operator pubkey: ", "\n");
    let claims = format!(
        r#"{{"iss":"{operator}","name":"local","sub":"{operator}","nats":{{"type":"operator"}}}}"#
    );
    let local = run(&mut agent.nkey(home.path(), "sign"), &claims).ok();
    let accounts = "stores/local/accounts/my-account";
    std::fs::create_dir_all(home.path().join(accounts).join("users")).expect("folders");
    for (file, text) in [
        (
            "stores/local/.nsc",
            r#"{"managed":false,"name":"local","kind":"operator","version":"1"}"#,
        ),
        ("stores/local/local.jwt", local.trim_end()),
        (
            &format!("{accounts}/my-account.jwt"),
            &example("\naccount jwt: ", "\n"),
        ),
        (
            &format!("{accounts}/users/my-user.jwt"),
            &example("\nuser jwt: ", "\n"),
        ),
    ] {
        home.file(file, text);
    }
    let creds = "--data-dir stores generate creds -a my-account -n my-user";
    let made = run(&mut agent.nkey(home.path(), creds), "").ok();
    assert_eq!(
        made.trim_end(),
        example("creds file: ", "\n\nRecording").trim_end()
    );
}

#[test]
fn exit_statuses_tell_the_reasons_apart() {
    let mut agent = Agent::new();
    let home = Scratch::new();
    let operator = agent.add_example("operator seed: ", "op", flag::ANY_IAT);
    let claims = example("\naccount claims: ", "\naccount jwt: ");
    let nkey = |agent: &Agent, arguments: &str, input: &str| {
        run(&mut agent.nkey(home.path(), arguments), input)
    };
    let sign = format!("sign --key {operator}");
    nkey(&agent, &sign, &claims).ok();
    nkey(&agent, "sign", &claims).fails(2);
    nkey(&agent, "sign --key nobody", &claims).fails(1);
    let twice = claims.replacen("{", "{\"Sub\": \"x\",", 1);
    assert!(nkey(&agent, &sign, &twice).status > 0);
    let future = format!("{sign} --iat 1");
    nkey(&agent, &future, &claims).ok();
    let stale = agent
        .client()
        .generate(nkey_core::nkey::Kind::Operator, "fresh", 0)
        .expect("a key");
    let refused = nkey(&agent, &format!("sign --key {stale} --iat 1"), &claims).fails(3);
    assert!(refused.contains("iat"), "{refused}");
    nkey(&agent, "agent lock", "").ok();
    let locked = nkey(&agent, &sign, &claims).fails(4);
    assert!(locked.contains("nkey agent unlock"), "{locked}");
    agent.end(rustix::process::Signal::TERM);
    let gone = nkey(&agent, &sign, &claims).fails(4);
    assert!(gone.contains("nkey agent start"), "{gone}");
    assert!(!Path::new(&agent.socket()).exists());
}

#[test]
fn a_plugin_for_a_vault_with_a_passphrase_is_refused_and_not_passed_over() {
    let mut agent = Agent::new();
    agent.end(rustix::process::Signal::TERM);
    let mut again = command(program("nkey-agent"));
    again.arg("--socket").arg(agent.socket());
    again.arg("--vault").arg(agent.vault());
    let refused = run(again.args(["--plugin", "yubikey"]), "");
    assert_eq!(refused.status, 1, "{refused:?}");
    assert!(
        refused.stderr.contains("is sealed by a passphrase"),
        "{refused:?}"
    );
    agent.start();
}

#[test]
fn whoever_waits_for_an_agent_that_hangs_is_told() {
    let demo = Demo::new();
    let pid = i32::try_from(demo.agent.pid()).expect("a process id");
    let pid = rustix::process::Pid::from_raw(pid).expect("a process id");
    let signal = |signal| rustix::process::kill_process(pid, signal).expect("signalled");
    signal(rustix::process::Signal::STOP);
    let waits = demo
        .command("list keys")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("nkey");
    std::thread::sleep(std::time::Duration::from_secs(7));
    signal(rustix::process::Signal::CONT);
    let output = waits.wait_with_output().expect("its output");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.matches("waiting for the agent").count(), 1, "{said}");
    assert!(output.status.success(), "{said}");
}

#[test]
fn connections_leave_the_agent_files_for_its_own_work() {
    let mut agent = Agent::new();
    agent.end(rustix::process::Signal::TERM);
    let mut limited = command("sh");
    let script =
        "ulimit -n 100; exec \"$0\" --socket \"$1\" --vault \"$2\" --passphrase-file \"$3\"";
    limited.args(["-c", script]).arg(program("nkey-agent"));
    limited.arg(agent.socket()).arg(agent.vault());
    limited.arg(agent.scratch().path().join("passphrase"));
    let mut child = limited
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the agent");
    nkey_tests::wait_for(
        || Client::connect(&agent.socket()).is_ok_and(|mut client| client.status().is_ok()),
        "the agent",
    );
    let mut first = agent.client();
    let held: Vec<_> = (0..150)
        .map(|_| std::os::unix::net::UnixStream::connect(agent.socket()))
        .collect();
    // All that the agent lets in are there by now, and a key can still be written.
    nkey_tests::wait_for(
        || Client::connect(&agent.socket()).is_ok_and(|mut client| client.status().is_err()),
        "a connection to be refused",
    );
    first
        .generate(Kind::User, "while crowded", 0)
        .expect("a key");
    drop(held);
    child.kill().expect("its end");
    child.wait().expect("its end");
    agent.start();
}
