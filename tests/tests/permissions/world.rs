//! The operator, its system account, a server, and the agent that holds all keys.

use crate::accounts::{Account, Case, read};
use crate::model::Login;
use crate::random::Random;
use crate::users::{User, bare, unlimited};
use data_encoding::BASE64URL_NOPAD;
use nkey_agent::client::Client;
use nkey_agent::message::flag;
use nkey_core::claims::owned::{
    Account as AccountNats, AccountLimits, Claims, GenericFields, Operator, OperatorLimits,
    SigningKey, Standard, User as UserNats,
};
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::tolerant::AnyClaims;
use nkey_tests::nats::{Nats, PATIENCE};
use nkey_tests::{Agent, Scratch, Server};
use std::time::{SystemTime, UNIX_EPOCH};

/// Everything but the accounts.
pub struct World {
    /// The operator's claims.
    pub operator: Claims<Operator>,
    /// The server.
    pub server: Server,
    keys: Client,
    own: PublicKey,
    signing: PublicKey,
    stray: PublicKey,
    system: Nats,
    agent: Agent,
}

/// Unix seconds.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.expect("a clock").as_secs()).expect("a time")
}

/// Logs in; what the server says if it refuses.
pub fn login(agent: &mut Client, user: &User, port: u16) -> (Nats, Result<(), String>) {
    let mut nats = Nats::open(port);
    let mut sign = |nonce: &str| {
        let signature = agent
            .sign(&user.key, nonce.as_bytes())
            .expect("a signature");
        BASE64URL_NOPAD.encode(signature.as_bytes())
    };
    let signature = match user.login {
        Login::Signed => sign(nats.nonce()),
        Login::Wrong => sign("AAAAAAAAAAAAAAA"),
        Login::Unsigned => String::new(),
    };
    let result = nats.login(&user.token, &signature);
    (nats, result)
}

fn generic(kind: &str) -> GenericFields {
    GenericFields {
        kind: kind.to_owned(),
        version: 2,
        ..GenericFields::default()
    }
}

fn standard(sub: &PublicKey, name: &str) -> Standard {
    Standard {
        sub: sub.to_string(),
        name: name.to_owned(),
        ..Standard::default()
    }
}

impl World {
    /// A new operator, strict or not, and a server that has nothing but its system account.
    pub fn new(random: &mut Random) -> World {
        let agent = Agent::new();
        let mut keys = agent.client();
        let mut make = |kind| {
            let flags = flag::VOLATILE | flag::ANY_IAT;
            keys.generate(kind, "", flags).expect("a key")
        };
        let (own, signing, stray) = (
            make(Kind::Operator),
            make(Kind::Operator),
            make(Kind::Operator),
        );
        let (sys, sys_signing, sys_user) =
            (make(Kind::Account), make(Kind::Account), make(Kind::User));
        let mut issue = |key: &PublicKey, claims: AnyClaims| {
            let json = claims.to_json();
            keys.issue(key, &json, 0, 0).expect(&json)
        };
        let operator = issue(
            &own,
            AnyClaims::Operator(Claims {
                standard: standard(&own, "op"),
                nats: Operator {
                    signing_keys: vec![signing.to_string()],
                    system_account: sys.to_string(),
                    strict_signing_key_usage: random.chance(50),
                    ..Operator::default()
                },
                generic: generic("operator"),
            }),
        );
        let account = AccountNats {
            limits: Some(OperatorLimits {
                nats: unlimited(),
                account: AccountLimits {
                    imports: -1,
                    exports: -1,
                    wildcards: true,
                    disallow_bearer: false,
                    conn: -1,
                    leaf: -1,
                },
                ..OperatorLimits::default()
            }),
            signing_keys: vec![SigningKey::Plain(sys_signing.to_string())],
            default_permissions: Some(bare().permissions),
            authorization: Some(Default::default()),
            ..AccountNats::default()
        };
        let system = issue(
            &signing,
            AnyClaims::Account(Claims {
                standard: standard(&sys, "SYS"),
                nats: account,
                generic: generic("account"),
            }),
        );
        let mut permissions = bare();
        permissions.limits = unlimited();
        let token = issue(
            &sys_signing,
            AnyClaims::User(Claims {
                standard: standard(&sys_user, "sys"),
                nats: UserNats {
                    permissions,
                    issuer_account: sys.to_string(),
                },
                generic: generic("user"),
            }),
        );
        let config = format!(
            "operator: {operator}\nsystem_account: {sys}\nresolver {{ type: full, dir: './jwt', \
             interval: '2m', timeout: '100ms' }}\nresolver_preload {{ {sys}: {system} }}\n"
        );
        let scratch = Scratch::new();
        let server = Server::start(&scratch.file("server.conf", config), "");
        let system = Nats::sign_in(server.port(), &token, &mut keys);
        let system = system.unwrap_or_else(|said| panic!("the system account: {said}"));
        let AnyClaims::Operator(operator) = read(&operator) else {
            panic!("not an operator");
        };
        World {
            operator,
            server,
            keys,
            own,
            signing,
            stray,
            system,
            agent,
        }
    }

    /// A new connection to the agent.
    pub fn client(&self) -> Client {
        self.agent.client()
    }

    /// Signs an account's claims as its case wants it.
    pub fn issue(&mut self, account: &mut Account, iat: i64) {
        let json = AnyClaims::Account(account.claims.clone()).to_json();
        let issued = match account.case {
            Case::Itself => account.agent.issue(&account.key, &json, iat, 0),
            Case::OperatorKey => self.keys.issue(&self.own, &json, iat, 0),
            Case::StrayKey => self.keys.issue(&self.stray, &json, iat, 0),
            _ => self.keys.issue(&self.signing, &json, iat, 0),
        };
        account.token = issued.expect(&json);
        let AnyClaims::Account(claims) = read(&account.token) else {
            panic!("not an account: {json}");
        };
        account.claims = claims;
    }

    /// Sends an account to the server.
    ///
    /// # Errors
    /// What the server says.
    pub fn push(&mut self, token: &str) -> Result<(), String> {
        let subject = "$SYS.REQ.CLAIMS.UPDATE";
        let replies = self.system.request(subject, token, 1, PATIENCE);
        let reply: serde_json::Value = serde_json::from_slice(&replies[0]).expect("JSON");
        match &reply["error"] {
            serde_json::Value::Null => Ok(()),
            error => Err(error["description"].as_str().unwrap_or_default().to_owned()),
        }
    }
}
