//! What every key holder must be able to do: a real server accepts what it signed.

use crate::{Agent, Scratch, Server, program, run};
use nkey_core::nkey::PublicKey;

/// Issues an operator, an account and a user with keys that may lie anywhere, starts a real
/// nats-server that trusts them, and connects as the user, whose key signs the server's nonce.
#[track_caller]
pub fn server_accepts(agent: &Agent, operator: &PublicKey, account: &PublicKey, user: &PublicKey) {
    let home = Scratch::new();
    let mut client = agent.client();
    let mut issue = |issuer: &PublicKey, subject: &PublicKey, claims: &str| {
        let claims = format!(r#"{{"sub":"{subject}","name":"proof","nats":{claims}}}"#);
        client.issue(issuer, &claims, 0, 0).expect("a token")
    };
    let top = issue(operator, operator, "{}");
    let limits = r#"{"limits":{"subs":-1,"data":-1,"payload":-1,"imports":-1,"exports":-1,"wildcards":true,"conn":-1,"leaf":-1}}"#;
    let middle = issue(operator, account, limits);
    let low = issue(account, user, r#"{"subs":-1,"data":-1,"payload":-1}"#);
    let config = home.file(
        "server.conf",
        format!("operator: {top}\nresolver: MEMORY\nresolver_preload: {{ {account}: {middle} }}\n"),
    );
    let token = home.file("user.jwt", low);
    let server = Server::start(&config, "");
    let mut publish = crate::command(program("examples/client"));
    publish.env("NKEY_AUTH_SOCK", agent.socket());
    publish
        .arg("--server")
        .arg(server.url())
        .arg("--jwt")
        .arg(token);
    publish.args(["pub", "proof", "hello"]);
    run(&mut publish, "").ok();
}
