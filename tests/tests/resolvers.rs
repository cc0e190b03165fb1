//! Every kind of resolver on a real nats-server, and clusters of them.

use nkey_tests::{Demo, Server, User, free_port, skipped, wait_for};

fn connects(server: &Server, creds: &std::path::Path) -> bool {
    User::connect(server.port(), creds).is_ok()
}

#[test]
fn with_the_memory_resolver_clients_connect_and_a_push_is_explained() {
    if skipped("nats-server") {
        return;
    }
    let demo = Demo::new();
    let creds = demo.creds("demo", "demo");
    let server = demo.server("--mem-resolver", "");
    assert!(connects(&server, &creds));
    let refused = demo.run(&format!("push -A -u {}", server.url())).fails(1);
    assert!(
        refused.contains("no server keeps accounts")
            && refused.contains("type: nkey generate config --nats-resolver"),
        "{refused}"
    );
    for command in ["pull -A", "push -D", "push -P"] {
        let refused = demo.run(&format!("{command} -u {}", server.url())).fails(1);
        assert!(refused.contains("no server keeps accounts"), "{refused}");
    }
}

/// Two servers in one cluster, each with its own configuration.
fn cluster(demo: &Demo, first: &str, second: &str) -> (Server, Server) {
    let ports = [free_port(), free_port()];
    let extra = |name: &str, own: u16, other: u16| {
        format!(
            "server_name: {name}\ncluster {{ name: c, listen: \"127.0.0.1:{own}\", \
             routes: [\"nats://127.0.0.1:{other}\"] }}"
        )
    };
    let one = demo.server(first, &extra("s1", ports[0], ports[1]));
    let two = demo.server(second, &extra("s2", ports[1], ports[0]));
    // Routed when both answer.
    wait_for(
        || {
            let listed = demo.run(&format!("push -D -u {} --json", one.url()));
            let log = |server: &Server| server.log().contains("Route connection created");
            listed.status == 0 && log(&one) && log(&two)
        },
        "the route",
    );
    (one, two)
}

#[test]
fn both_servers_of_a_cluster_answer_a_push() {
    if skipped("nats-server") {
        return;
    }
    let demo = Demo::new();
    let creds = demo.creds("demo", "demo");
    let flags = "--nats-resolver --allow-delete";
    let (one, two) = cluster(&demo, flags, flags);
    assert!(!connects(&one, &creds) && !connects(&two, &creds));
    let mut rows = serde_json::Value::Null;
    wait_for(
        || {
            let pushed = demo.nkey(&format!("push -A -u {} --json", one.url()));
            rows = serde_json::from_str(&pushed).expect("JSON");
            rows[0]["servers"].as_array().map(Vec::len) == Some(2)
        },
        "both servers to answer",
    );
    for row in rows.as_array().expect("rows") {
        assert_eq!(row["pushed"], true, "{row}");
        let mut names: Vec<&str> = row["servers"]
            .as_array()
            .expect("servers")
            .iter()
            .filter_map(|server| server["server"].as_str())
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["s1", "s2"]);
    }
    assert!(connects(&one, &creds) && connects(&two, &creds));

    // Both delete what the store no longer has.
    std::fs::remove_dir_all(demo.path("store/demo/accounts/demo")).expect("to remove it");
    let pruned = demo.run(&format!("push -P -u {}", two.url()));
    assert!(
        pruned
            .stderr
            .contains("1 accounts deleted, 2 servers answered"),
        "{}{}",
        pruned.stdout,
        pruned.stderr
    );
    pruned.ok();
    assert!(!connects(&one, &creds) && !connects(&two, &creds));
    let again = demo.run(&format!("push -P -u {}", one.url()));
    assert!(
        again.stderr.contains("nothing to prune"),
        "{}",
        again.stderr
    );
    again.ok();
}

#[test]
fn a_server_that_may_not_delete_makes_a_prune_fail() {
    if skipped("nats-server") {
        return;
    }
    let demo = Demo::new();
    let (one, _two) = cluster(&demo, "--nats-resolver --allow-delete", "--nats-resolver");
    wait_for(
        || {
            let pushed = demo.run(&format!("push -A -u {}", one.url()));
            pushed.stderr.contains("2 servers answered")
        },
        "both servers",
    );
    let failed = demo.run(&format!("push -R demo -u {}", one.url())).fails(1);
    assert!(
        failed.contains("allow_delete") && failed.contains("--allow-delete"),
        "{failed}"
    );
    // Only one of them has it now, and a comparison says so.
    let compared = demo.nkey(&format!("push -D -u {}", one.url()));
    assert!(compared.contains("account demo: not on s1"), "{compared}");
}

#[test]
fn a_cache_beside_a_full_resolver_serves_what_was_pushed() {
    if skipped("nats-server") {
        return;
    }
    let demo = Demo::new();
    let creds = demo.creds("demo", "demo");
    let (full, cache) = cluster(&demo, "--nats-resolver", "--nats-resolver-cache");
    assert!(!connects(&cache, &creds));
    // A cache alone takes an account and keeps it nowhere.
    let lone = demo.server("--nats-resolver-cache", "");
    let pushed = demo.run(&format!("push -A -u {}", lone.url()));
    assert!(
        pushed
            .stdout
            .contains("account demo: only caches answered: no server keeps the account"),
        "{}",
        pushed.stdout
    );
    pushed.fails(1);
    demo.nkey(&format!("push -A -u {}", full.url()));
    wait_for(
        || connects(&cache, &creds),
        "the cache to fetch the account",
    );
    // A cache keeps what it has used, and does not show it.
    let compared = demo.nkey(&format!("push -D -a demo -u {}", full.url()));
    assert!(compared.contains("account demo: "), "{compared}");
}
