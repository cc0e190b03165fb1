//! Generated users, each second one with something that may keep it out.

use crate::accounts::Account;
use crate::model::{Login, ZONES};
use crate::random::Random;
use crate::subjects::{Style, permissions};
use nkey_agent::message::flag;
use nkey_core::claims::owned::{
    Claims, GenericFields, NatsLimits, Permission, Standard, TimeRange, User as Nats,
    UserPermissionLimits,
};
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::tolerant::AnyClaims;

/// A user with a token that the agent has issued.
pub struct User {
    /// The key; the account's connection to the agent holds it.
    pub key: PublicKey,
    /// The token.
    pub token: String,
    /// What it says.
    pub claims: Claims<Nats>,
    /// How the client logs in.
    pub login: Login,
}

/// What is odd about a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    Expired,
    NotYet,
    WithinTime,
    WrongSignature,
    NoSignature,
    Bearer,
    BearerUnsigned,
    Source,
    TimeOfDay,
    ConnectionType,
    Proxy,
    StrayIssuer,
    OwnKey,
    NoIssuerAccount,
    OtherIssuerAccount,
    OwnPermissions,
    Revoked,
    SmallPayload,
    FewSubs,
    BadSubject,
}

impl Oddity {
    /// All of them.
    pub const ALL: [Oddity; 20] = [
        Oddity::Expired,
        Oddity::NotYet,
        Oddity::WithinTime,
        Oddity::WrongSignature,
        Oddity::NoSignature,
        Oddity::Bearer,
        Oddity::BearerUnsigned,
        Oddity::Source,
        Oddity::TimeOfDay,
        Oddity::ConnectionType,
        Oddity::Proxy,
        Oddity::StrayIssuer,
        Oddity::OwnKey,
        Oddity::NoIssuerAccount,
        Oddity::OtherIssuerAccount,
        Oddity::OwnPermissions,
        Oddity::Revoked,
        Oddity::SmallPayload,
        Oddity::FewSubs,
        Oddity::BadSubject,
    ];
}

/// Where users may come from.
pub fn networks(random: &mut Random) -> Vec<String> {
    const NETWORKS: [&str; 8] = [
        "127.0.0.0/8",
        "127.0.0.1/32",
        "0.0.0.0/0",
        "126.0.0.0/7",
        "127.0.0.2/31",
        "10.0.0.0/8",
        "::/0",
        "::1/128",
    ];
    let count = 1 + random.below(2);
    (0..count)
        .map(|_| random.pick(&NETWORKS).to_owned())
        .collect()
}

/// Times of day whose ends are more than ten minutes away, and their zone.
pub fn times(random: &mut Random, now: i64) -> (Vec<TimeRange>, String) {
    let known = std::path::Path::new("/usr/share/zoneinfo/Asia/Tokyo").exists();
    let (zone, offset) = ZONES[if known { random.below(ZONES.len()) } else { 0 }];
    let mut time = || {
        let away = random.between(10, 11 * 60) * 60 * random.pick(&[-1, 1]);
        let second = (now + offset + away).rem_euclid(86_400);
        format!(
            "{:02}:{:02}:{:02}",
            second / 3600,
            second / 60 % 60,
            second % 60
        )
    };
    let mut range = || TimeRange {
        start: time(),
        end: time(),
    };
    (vec![range(), range()], zone.to_owned())
}

/// Names of connection types, of which TCP clients are `STANDARD`.
pub fn connection_types(random: &mut Random) -> Vec<String> {
    let kinds = [
        "STANDARD",
        "WEBSOCKET",
        "MQTT",
        "LEAFNODE",
        "CARRIER_PIGEON",
    ];
    let count = 1 + random.below(2);
    (0..count).map(|_| random.pick(&kinds).to_owned()).collect()
}

/// Limits, of which each is often -1, and never 0 where `some` is asked for.
pub fn limits(random: &mut Random, some: bool) -> NatsLimits {
    let subs = random.pick(&[-1, -1, -1, 1, 3, if some { 7 } else { 0 }]);
    let payload = random.pick(&[-1, -1, -1, 0, 16, 300]);
    NatsLimits {
        subs,
        data: random.pick(&[-1, 0, 5]),
        payload,
    }
}

impl Account {
    /// Adds a user; `oddity` is what is odd about it.
    pub fn add_user(&mut self, random: &mut Random, oddity: Option<Oddity>, now: i64) {
        let key = self
            .agent
            .generate(Kind::User, "", flag::VOLATILE | flag::ANY_IAT)
            .expect("a key");
        let names = [
            "ann", "ann", "bob", "red", "al.ice", "a b", "*", ">", "x*", "",
        ];
        let tags = [
            "team:red",
            "team:blue",
            "team:a.b",
            "dept:a",
            "team:",
            "team:a b",
            "dept:*",
        ];
        let count = random.below(4);
        let mut generic = GenericFields {
            kind: "user".to_owned(),
            version: 2,
            tags: (0..count).map(|_| random.pick(&tags).to_owned()).collect(),
        };
        generic.tags.dedup();
        let mut claims = Claims {
            standard: Standard {
                sub: key.to_string(),
                name: random.pick(&names).to_owned(),
                ..Standard::default()
            },
            nats: Nats::default(),
            generic,
        };
        let scoped = random.chance(45) && oddity != Some(Oddity::OwnKey);
        let mut issuer = match scoped {
            true => random.pick(&self.scoped),
            false => self.plain,
        };
        claims.nats.issuer_account = self.key.to_string();
        claims.nats.permissions = if scoped {
            bare()
        } else {
            let mut own = bare();
            if !random.chance(20) {
                own.permissions = permissions(random, Style::Plain);
            }
            own.limits = unlimited();
            own
        };
        let mut login = Login::Signed;
        let mut iat = now - random.between(1, 200);
        let standard = &mut claims.standard;
        let own = &mut claims.nats.permissions;
        match oddity {
            None => {}
            Some(Oddity::Expired) => standard.exp = now - random.between(1, 100),
            Some(Oddity::NotYet) => standard.nbf = now + random.between(600, 1000),
            Some(Oddity::WithinTime) => {
                (standard.nbf, standard.exp) = (now - 5, now + random.between(600, 1000));
            }
            Some(Oddity::WrongSignature) => login = Login::Wrong,
            Some(Oddity::NoSignature) => login = Login::Unsigned,
            Some(Oddity::Bearer) => own.bearer_token = true,
            Some(Oddity::BearerUnsigned) => {
                own.bearer_token = true;
                login = random.pick(&[Login::Unsigned, Login::Wrong]);
            }
            Some(Oddity::Source) => own.user.src = networks(random),
            Some(Oddity::TimeOfDay) => {
                (own.user.times, own.user.times_location) = times(random, now);
            }
            Some(Oddity::ConnectionType) => {
                own.allowed_connection_types = connection_types(random);
            }
            Some(Oddity::Proxy) => own.proxy_required = true,
            Some(Oddity::StrayIssuer) => issuer = self.stray,
            Some(Oddity::OwnKey) => {
                issuer = self.key;
                if random.chance(50) {
                    claims.nats.issuer_account.clear();
                }
            }
            Some(Oddity::NoIssuerAccount) => claims.nats.issuer_account.clear(),
            Some(Oddity::OtherIssuerAccount) => {
                claims.nats.issuer_account = self.stray.to_string();
            }
            Some(Oddity::OwnPermissions) => own.permissions = permissions(random, Style::Plain),
            // Its entry in the account is made of this.
            Some(Oddity::Revoked) => iat = now - 150 + random.between(-1, 1),
            Some(Oddity::SmallPayload | Oddity::FewSubs) if !scoped => {
                own.limits = limits(random, self.keeps_connections());
            }
            Some(Oddity::SmallPayload | Oddity::FewSubs) => {}
            Some(Oddity::BadSubject) => {
                let deny = vec![
                    random
                        .pick(&["a..b", ".a", "a.", "a b c", "a q", "a\tb"])
                        .to_owned(),
                ];
                own.permissions.subscribe = Some(Permission {
                    allow: Vec::new(),
                    deny,
                });
            }
        }
        let user = self.issue_user(key, claims, &issuer, iat, login);
        if oddity == Some(Oddity::Revoked) {
            self.revoked.push((user.key, now - 150));
        }
        self.users.push(user);
    }

    /// A user with these claims.
    pub fn issue_user(
        &mut self,
        key: PublicKey,
        claims: Claims<Nats>,
        issuer: &PublicKey,
        iat: i64,
        login: Login,
    ) -> User {
        let json = AnyClaims::User(claims).to_json();
        let token = self.agent.issue(issuer, &json, iat, 0).expect(&json);
        let AnyClaims::User(claims) = crate::accounts::read(&token) else {
            panic!("not a user: {json}");
        };
        User {
            key,
            token,
            claims,
            login,
        }
    }
}

/// As `SetScoped(true)` of nats-io/jwt leaves a user.
pub fn bare() -> UserPermissionLimits {
    let mut own = UserPermissionLimits::default();
    own.permissions.publish = Some(Permission::default());
    own.permissions.subscribe = Some(Permission::default());
    own
}

/// No limits.
pub fn unlimited() -> NatsLimits {
    NatsLimits {
        subs: -1,
        data: -1,
        payload: -1,
    }
}
