//! Two servers in a cluster, and clients that are connected while accounts change.

use nkey_tests::nats::{Answer, Nats, PATIENCE};
use nkey_tests::{Demo, Server, free_port, run, skipped, wait_for};
use serde_json::Value;
use std::time::Duration;

/// A store and the two servers that have its accounts.
struct Cluster {
    demo: Demo,
    one: Server,
    two: Server,
}

impl Cluster {
    fn new(flags: &str) -> Cluster {
        let demo = Demo::new();
        let flags = &format!("--nats-resolver {flags}");
        let port = free_port();
        let extra = |name: &str, listen: &str, routes: &str| {
            format!(
                "server_name: {name}\ncluster {{ name: c, listen: \"127.0.0.1:{listen}\", \
                 no_advertise: true, {routes} }}"
            )
        };
        let one = demo.server(flags, &extra("one", &port.to_string(), ""));
        let route = format!("routes: [\"nats-route://127.0.0.1:{port}\"]");
        let two = demo.server(flags, &extra("two", "-1", &route));
        let mut system = demo
            .connect(&one, "SYS", "sys")
            .expect("the system account");
        wait_for(
            || {
                let patience = Duration::from_millis(200);
                let replies = system.request("$SYS.REQ.SERVER.PING", "", 2, patience);
                replies.len() == 2
            },
            "the cluster",
        );
        let cluster = Cluster { demo, one, two };
        cluster.push("-A");
        cluster
    }

    /// `nkey push` with these flags, to the first server; its standard output.
    #[track_caller]
    fn push(&self, flags: &str) -> String {
        self.demo
            .nkey(&format!("push {flags} -u {}", self.one.url()))
    }

    #[track_caller]
    fn connect(&self, server: &Server, account: &str, user: &str) -> Nats {
        let connection = self.demo.connect(server, account, user);
        connection.unwrap_or_else(|said| panic!("{account}/{user}: {said}"))
    }

    /// A change of the account must have a later second than the one before.
    fn wait_a_second(&self) {
        std::thread::sleep(Duration::from_millis(1100));
    }
}

#[track_caller]
fn dropped(connection: &mut Nats, said: &str) {
    let heard = connection
        .wait_closed(PATIENCE)
        .expect("the connection to end");
    assert_eq!(heard, [said]);
}

#[test]
fn both_servers_answer_a_push() {
    if skipped("nats-server") {
        return;
    }
    let cluster = Cluster::new("");
    let demo = &cluster.demo;
    demo.nkey("add account -n second");
    demo.nkey("add user -a second -n ann");
    let flags = format!("push -A -u {}", cluster.two.url());
    let pushed = run(&mut demo.command(&flags), "");
    assert!(
        pushed
            .stderr
            .contains("3 accounts pushed, 2 servers answered"),
        "{}",
        pushed.stderr
    );
    let lines = pushed.ok();
    for account in ["SYS", "demo", "second"] {
        for server in ["one", "two"] {
            let fits = |line: &&str| {
                line.starts_with(&format!("account {account}: {server}"))
                    && line.ends_with(": jwt updated")
            };
            assert_eq!(
                lines.lines().filter(fits).count(),
                1,
                "{account} {server}: {lines}"
            );
        }
    }
    for server in [&cluster.one, &cluster.two] {
        assert!(cluster.connect(server, "second", "ann").is_open());
    }
    let json = demo.nkey(&format!("push -a second --json -u {}", cluster.one.url()));
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(
        json[0]["servers"].as_array().map(Vec::len),
        Some(2),
        "{json}"
    );

    // Without leave to delete, both say so and the account stays.
    let flags = format!("push -R second -u {}", cluster.one.url());
    let refused = run(&mut demo.command(&flags), "").fails(1);
    assert!(
        refused.contains("allow_delete") || refused.contains("--allow-delete"),
        "{refused}"
    );
    cluster.connect(&cluster.two, "second", "ann");
}

#[test]
fn who_is_revoked_is_dropped_everywhere() {
    if skipped("nats-server") {
        return;
    }
    let cluster = Cluster::new("");
    let demo = &cluster.demo;
    demo.nkey("add user -a demo -n alice");
    demo.nkey("add user -a demo -n bob");
    let mut alice = [&cluster.one, &cluster.two].map(|at| cluster.connect(at, "demo", "alice"));
    let mut bob = [&cluster.one, &cluster.two].map(|at| cluster.connect(at, "demo", "bob"));
    demo.nkey("revocations add_user -a demo -n alice");
    assert!(alice.iter_mut().all(Nats::is_open), "before the push");
    cluster.push("-a demo");
    for connection in &mut alice {
        dropped(connection, "User Authentication Revoked");
    }
    assert!(bob.iter_mut().all(Nats::is_open));
    for server in [&cluster.one, &cluster.two] {
        let refused = demo.connect(server, "demo", "alice").err();
        assert_eq!(refused.as_deref(), Some("Authorization Violation"));
    }

    cluster.wait_a_second();
    demo.nkey("revocations add_user -a demo -u *");
    cluster.push("-a demo");
    for connection in &mut bob {
        dropped(connection, "User Authentication Revoked");
    }
    // Who gets a new token after it, in the same second, is in again.
    demo.nkey("edit user -a demo -n bob --tag again");
    assert!(cluster.connect(&cluster.two, "demo", "bob").is_open());
}

#[test]
fn who_is_deleted_at_the_servers_is_dropped() {
    if skipped("nats-server") {
        return;
    }
    let cluster = Cluster::new("--allow-delete");
    let demo = &cluster.demo;
    for name in ["removed", "pruned"] {
        demo.nkey(&format!("add account -n {name}"));
        demo.nkey(&format!("add user -a {name} -n ann"));
    }
    cluster.push("-A");
    let connect = |account: &str, user: &str| {
        [&cluster.one, &cluster.two].map(|at| cluster.connect(at, account, user))
    };
    let (mut removed, mut pruned) = (connect("removed", "ann"), connect("pruned", "ann"));
    let mut stays = connect("demo", "demo");
    let token = demo.token("pruned", "ann");

    cluster.push("-R removed");
    for connection in &mut removed {
        dropped(connection, "Account Authentication Expired");
    }
    assert!(demo.connect(&cluster.two, "removed", "ann").is_err());
    assert!(pruned.iter_mut().all(Nats::is_open));

    demo.nkey("delete account -n pruned");
    assert!(pruned.iter_mut().all(Nats::is_open), "before the push");
    cluster.push("-P");
    for connection in &mut pruned {
        dropped(connection, "Account Authentication Expired");
    }
    let again = Nats::sign_in(cluster.one.port(), &token, &mut demo.agent.client());
    assert!(again.is_err());
    assert!(stays.iter_mut().all(Nats::is_open));
}

#[test]
fn a_push_from_elsewhere_reaches_clients_and_is_pulled() {
    if skipped("nats-server") {
        return;
    }
    let cluster = Cluster::new("");
    let demo = &cluster.demo;
    let mut client = cluster.connect(&cluster.two, "demo", "demo");
    let subscribe = |client: &mut Nats, count: usize| {
        let sids: Vec<u32> = (0..count).map(|_| client.sid()).collect();
        let lines: String = sids.iter().map(|sid| format!("SUB a {sid}\r\n")).collect();
        let answers = client.ask(&lines);
        let lines: String = sids.iter().map(|sid| format!("UNSUB {sid}\r\n")).collect();
        client.ask(&lines);
        answers
    };
    assert_eq!(
        subscribe(&mut client, 3),
        [Answer::Ok, Answer::Ok, Answer::Ok]
    );

    // The same operator on another machine, whose agent is ours.
    let mut copy = nkey_tests::command("cp");
    copy.current_dir(demo.home.path())
        .args(["-r", "store", "elsewhere"]);
    run(&mut copy, "").ok();
    cluster.wait_a_second();
    let elsewhere = |arguments: &str| {
        let arguments = format!("--data-dir elsewhere --config-dir elsewhere {arguments}");
        run(&mut demo.agent.nkey(demo.home.path(), &arguments), "").ok()
    };
    elsewhere("edit account -n demo --subscriptions 2");
    elsewhere(&format!("push -a demo -u {}", cluster.one.url()));
    let too_many = Answer::Err("maximum subscriptions exceeded".to_owned());
    assert_eq!(
        subscribe(&mut client, 3),
        [Answer::Ok, Answer::Ok, too_many]
    );

    let limit = || demo.nkey("describe account -n demo -F nats.limits.subs");
    assert_eq!(limit().trim(), "-1");
    demo.nkey(&format!("pull -A -u {}", cluster.two.url()));
    assert_eq!(limit().trim(), "2");
    assert!(client.is_open());
}
