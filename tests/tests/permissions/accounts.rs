//! Generated accounts, some of which no server takes.

use crate::model::Login;
use crate::random::Random;
use crate::subjects::{Style, permissions};
use crate::users::{Oddity, User, bare, connection_types, limits, networks, times, unlimited};
use nkey_agent::client::Client;
use nkey_agent::message::flag;
use nkey_core::claims::owned::{
    Account as Nats, AccountLimits, Claims, GenericFields, OperatorLimits, ScopeType, SigningKey,
    Standard, Template, TemplateLimits, User as UserNats, UserScope,
};
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::tolerant::{AnyClaims, decode};

/// Who signs an account and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// A signing key of the operator.
    Ordinary,
    /// The same, with so many connections.
    Connections(i64),
    /// The same, and it is over.
    Expired,
    /// The same, and it has not begun.
    NotYet,
    /// The operator's own key.
    OperatorKey,
    /// A key that the operator does not list.
    StrayKey,
    /// The account itself.
    Itself,
    /// It is not pushed.
    Kept,
}

impl Case {
    /// The odd ones; all further accounts are ordinary.
    pub const ODD: [Case; 9] = [
        Case::Connections(0),
        Case::Connections(1),
        Case::Connections(4),
        Case::Expired,
        Case::NotYet,
        Case::OperatorKey,
        Case::StrayKey,
        Case::Itself,
        Case::Kept,
    ];
}

/// An account, its keys and its users.
pub struct Account {
    /// What is odd about it.
    pub case: Case,
    /// The connection to the agent that holds the keys.
    pub agent: Client,
    /// The account's own key.
    pub key: PublicKey,
    /// A signing key without a scope.
    pub plain: PublicKey,
    /// Signing keys with a scope.
    pub scoped: Vec<PublicKey>,
    /// A key that the account does not list.
    pub stray: PublicKey,
    /// Users to be revoked, and when.
    pub revoked: Vec<(PublicKey, i64)>,
    /// The claims; as issued once they are.
    pub claims: Claims<Nats>,
    /// The token.
    pub token: String,
    /// The users.
    pub users: Vec<User>,
    /// One that may do everything, if the account lets it in.
    pub driver: Option<User>,
}

/// The claims of a token, as nats-server reads them.
pub fn read(token: &str) -> AnyClaims {
    decode(token).expect("a token").claims.effective()
}

impl Account {
    /// An account and its users; not signed yet.
    pub fn new(
        mut agent: Client,
        random: &mut Random,
        case: Case,
        number: usize,
        now: i64,
    ) -> Account {
        let mut make = || {
            let flags = flag::VOLATILE | flag::ANY_IAT;
            agent.generate(Kind::Account, "", flags).expect("a key")
        };
        let (key, plain, stray) = (make(), make(), make());
        let scoped = vec![make(), make()];
        let mut account = Account {
            case,
            agent,
            key,
            plain,
            scoped,
            stray,
            revoked: Vec::new(),
            claims: Claims::default(),
            token: String::new(),
            users: Vec::new(),
            driver: None,
        };
        account.claims = account.make_claims(random, number, now);
        let first = random.below(Oddity::ALL.len());
        let ordinary = matches!(
            case,
            Case::Ordinary | Case::OperatorKey | Case::Connections(_)
        );
        for at in 0..if ordinary { 12 } else { 3 } {
            let odd = at % 2 == 1;
            let oddity =
                odd.then(|| Oddity::ALL[(first + at / 2 * 4 + number) % Oddity::ALL.len()]);
            account.add_user(random, oddity, now);
        }
        let revocations = &mut account.claims.nats.revocations;
        revocations.extend(
            account
                .revoked
                .drain(..)
                .map(|(key, at)| (key.to_string(), at)),
        );
        if random.chance(30) {
            revocations.insert("*".to_owned(), now - random.between(100, 300));
        }
        account.add_driver(now);
        account
    }

    /// Whether connections must stay, since they are counted.
    pub fn keeps_connections(&self) -> bool {
        matches!(self.case, Case::Connections(_))
    }

    fn make_claims(&mut self, random: &mut Random, number: usize, now: i64) -> Claims<Nats> {
        let names = ["acme", "a b", "*", "red", "x.y"];
        let tags = ["region:a", "region:red", "team:blue", "region:b.c"];
        let count = random.below(4);
        let mut keys = vec![SigningKey::Plain(self.plain.to_string())];
        for key in self.scoped.clone() {
            let template = self.template(random, now);
            keys.push(SigningKey::Scoped(UserScope {
                kind: Some(ScopeType::UserScope),
                key: Some(key.to_string()),
                role: Some(format!("role{number}")),
                template: Some(template),
                description: Some(String::new()),
            }));
        }
        keys.sort_by(|one, other| one.key().cmp(other.key()));
        let mut nats = limits(random, true);
        nats.subs = random.pick(&[-1, -1, 5]);
        let account = AccountLimits {
            imports: -1,
            exports: -1,
            wildcards: true,
            disallow_bearer: random.chance(40),
            conn: match self.case {
                Case::Connections(most) => most,
                _ => random.pick(&[-1, 1000]),
            },
            leaf: -1,
        };
        let mut tags: Vec<String> = (0..count).map(|_| random.pick(&tags).to_owned()).collect();
        tags.dedup();
        let mut standard = Standard {
            sub: self.key.to_string(),
            name: random.pick(&names).to_owned(),
            ..Standard::default()
        };
        match self.case {
            Case::Expired => standard.exp = now - 5,
            Case::NotYet => standard.nbf = now + 1000,
            _ => {}
        }
        Claims {
            standard,
            nats: Nats {
                limits: Some(OperatorLimits {
                    nats,
                    account,
                    ..OperatorLimits::default()
                }),
                signing_keys: keys,
                default_permissions: Some(match random.chance(60) {
                    true => permissions(random, Style::Plain),
                    false => bare().permissions,
                }),
                authorization: Some(Default::default()),
                ..Nats::default()
            },
            generic: GenericFields {
                kind: "account".to_owned(),
                version: 2,
                tags,
            },
        }
    }

    /// A scope's template.
    pub fn template(&self, random: &mut Random, now: i64) -> Template {
        let limits = match random.chance(30) {
            true => limits(random, self.keeps_connections()),
            false => unlimited(),
        };
        let limit = |limit: i64| (limit != -1).then_some(limit);
        let mut template = Template {
            limits: TemplateLimits {
                subs: limit(limits.subs),
                data: limit(limits.data),
                payload: limit(limits.payload),
            },
            permissions: bare().permissions,
            bearer_token: random.chance(15),
            proxy_required: random.chance(10),
            ..Template::default()
        };
        if random.chance(90) {
            template.permissions = permissions(random, Style::Template);
        }
        if random.chance(10) {
            template.user.src = networks(random);
        }
        if random.chance(10) {
            (template.user.times, template.user.times_location) = times(random, now);
        }
        if random.chance(10) {
            template.allowed_connection_types = connection_types(random);
        }
        template
    }

    fn add_driver(&mut self, now: i64) {
        let key = self
            .agent
            .generate(Kind::User, "", flag::VOLATILE | flag::ANY_IAT)
            .expect("a key");
        let mut own = bare();
        for rule in [&mut own.permissions.publish, &mut own.permissions.subscribe] {
            rule.get_or_insert_default().allow = vec![">".to_owned()];
        }
        own.limits = unlimited();
        let claims = Claims {
            standard: Standard {
                sub: key.to_string(),
                name: "driver".to_owned(),
                ..Standard::default()
            },
            nats: UserNats {
                permissions: own,
                issuer_account: self.key.to_string(),
            },
            generic: GenericFields {
                kind: "user".to_owned(),
                version: 2,
                ..GenericFields::default()
            },
        };
        let plain = self.plain;
        self.driver = Some(self.issue_user(key, claims, &plain, now, Login::Signed));
    }
}
