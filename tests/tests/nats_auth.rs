//! `nats auth` and nkey on one store: each reads and edits what the other has written.

use nkey_tests::{Agent, Output, Scratch, command, run, skipped, tool};
use std::process::Command;

struct Place {
    agent: Agent,
    home: Scratch,
}

impl Place {
    fn at_home(&self, command: &mut Command) {
        for name in ["XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            command.env(name, self.home.path().join(name));
        }
    }

    fn run_nats(&self, arguments: &str) -> Output {
        let mut nats = command(tool("nats"));
        nats.env("HOME", self.home.path())
            .current_dir(self.home.path());
        self.at_home(&mut nats);
        nats.arg("auth").args(arguments.split_whitespace());
        run(&mut nats, "")
    }

    #[track_caller]
    fn nats(&self, arguments: &str) -> String {
        let output = self.run_nats(arguments);
        assert_eq!(
            output.status, 0,
            "nats auth {arguments}: {}{}",
            output.stdout, output.stderr
        );
        output.stdout
    }

    #[track_caller]
    fn nkey(&self, arguments: &str) -> String {
        let mut nkey = self.agent.nkey(self.home.path(), arguments);
        self.at_home(&mut nkey);
        run(&mut nkey, "").ok()
    }

    /// What `nats auth` says must hold all of these.
    #[track_caller]
    fn says(&self, arguments: &str, needles: &[&str]) {
        let said = self.nats(arguments);
        for needle in needles {
            assert!(
                said.contains(needle),
                "nats auth {arguments}: {needle}: {said}"
            );
        }
    }
}

#[test]
fn nats_auth_reads_and_edits_what_nkey_wrote() {
    if skipped("nats") {
        return;
    }
    let place = Place {
        agent: Agent::new(),
        home: Scratch::new(),
    };
    place.nats("operator add OP");
    place.nats("account add A --operator OP --defaults");
    place.nats("user add u A --operator OP --defaults");
    place.nkey("import keys -d XDG_DATA_HOME/nats/nsc/keys -R");
    for edit in [
        "select account A",
        "edit account A --conns 5 --tag one --disallow-bearer=false",
        "add user -n v --allow-pub v.>",
        "add export -s x.>",
        "add export -s svc -r",
        "add mapping -f m --to n --weight 50",
        "edit signing-key --sk generate --role worker --allow-pub jobs.>",
        "add user -n w -K worker",
        "edit user -n u --allow-sub s --bearer",
        "edit operator --tag eu",
        "add account -n B",
        "add import -a B --src-account A --remote-subject x.y -s local.y",
        "add user -a A -n gone",
        "delete user -a A -n gone -R -D",
        "select account A",
    ] {
        place.nkey(edit);
    }
    place.says("operator info OP", &["Accounts: 3"]);
    place.says("account ls OP", &["│ A ", "│ B ", "│ SYSTEM "]);
    let info = [
        "Connections: 5",
        "Tags: one",
        "Revocations: 1",
        "Users: 3",
        "Service Exports: 1",
    ];
    place.says("account info A --operator OP", &info);
    place.says("user ls A --operator OP", &["│ u ", "│ v ", "│ w    │"]);
    place.says(
        "user info v A --operator OP",
        &["v.>", "Bearer Token: false"],
    );
    place.says("user info u A --operator OP", &["Bearer Token: true"]);
    place.says("user info w A --operator OP", &["Scoped: true"]);
    place.says("account exports ls A --operator OP", &["x.>", "svc"]);
    place.says("account imports ls B OP", &["local.y", "x.y"]);
    place.says(
        "account mappings ls A --operator OP",
        &["│ m ", "│ n ", "50"],
    );
    place.says("account keys ls A --operator OP", &["worker"]);
    // The seeds of the operator, of A and of u are still where `nats auth` finds them.
    place.nats("account edit A --operator OP --subscriptions 7");
    place.nats("user edit u A --operator OP --payload 100");
    for (field, wanted) in [
        ("account A -F nats.limits.subs", "7\n"),
        ("account A -F nats.limits.conn", "5\n"),
        (
            "account A -F nats.mappings.m",
            "[{\"subject\":\"n\",\"weight\":50}]\n",
        ),
        ("user -n u -F nats.payload", "100\n"),
        ("user -n u -F nats.sub.allow", "[\"s\"]\n"),
    ] {
        assert_eq!(place.nkey(&format!("describe {field}")), wanted, "{field}");
    }
    place.nkey("edit user -n u --tag late");
    place.says("user info u A --operator OP", &["100"]);
    place.nkey("validate -A");

    // Without the seeds it still reads all, and signs nothing.
    place.nkey("import keys -d XDG_DATA_HOME/nats/nsc/keys -R");
    place.nkey("adopt -A --remove");
    place.nkey("edit account -n A --conns 9");
    place.nkey("add user -a A -n later");
    place.says("operator ls", &["OP"]);
    place.says("operator info OP", &["Accounts: 3"]);
    place.says(
        "account info A --operator OP",
        &["Connections: 9", "Users: 4"],
    );
    place.says("user ls A --operator OP", &["│ later ", "│ u "]);
    place.says("user info later A --operator OP", &["Bearer Token: false"]);
    place.says("account exports ls A --operator OP", &["x.>"]);
    place.says("account imports ls B OP", &["local.y"]);
    place.says("account keys ls A --operator OP", &["worker"]);
    let refused = place.run_nats("account edit A --operator OP --subscriptions 8");
    assert_ne!(refused.status, 0, "{}", refused.stdout);
    assert_eq!(place.nkey("describe account A -F nats.limits.subs"), "7\n");
    place.nkey("validate -A");
}
