//! Claims as nats-io/jwt's `New…Claims` makes them, and the exports of nsc's system account.

use super::token::Typed;
use nkey_core::claims::owned::{
    Account, AccountLimits, Claims, ExportType, ExternalAuthorization, NatsLimits, Operator,
    OperatorLimits, Permission, Permissions, User, UserPermissionLimits,
};
use nkey_core::claims::owned::{Export, GenericFields, Standard};
use nkey_core::nkey::PublicKey;

/// No limit, in every limit of an account or user.
const NO_LIMIT: i64 = -1;

fn claims<N: Typed>(sub: &PublicKey, name: &str, nats: N) -> Claims<N> {
    Claims {
        standard: Standard {
            sub: sub.to_string(),
            name: name.to_owned(),
            ..Standard::default()
        },
        nats,
        generic: GenericFields {
            kind: N::TYPE.name().to_owned(),
            version: 2,
            ..GenericFields::default()
        },
    }
}

/// `NewOperatorClaims`.
pub fn new_operator(sub: &PublicKey, name: &str) -> Claims<Operator> {
    claims(sub, name, Operator::default())
}

fn open() -> Permissions {
    Permissions {
        publish: Some(Permission::default()),
        subscribe: Some(Permission::default()),
        resp: None,
    }
}

fn unlimited() -> NatsLimits {
    NatsLimits {
        subs: NO_LIMIT,
        data: NO_LIMIT,
        payload: NO_LIMIT,
    }
}

/// `NewAccountClaims`: everything unlimited, without JetStream.
pub fn new_account(sub: &PublicKey, name: &str) -> Claims<Account> {
    let limits = OperatorLimits {
        nats: unlimited(),
        account: AccountLimits {
            imports: NO_LIMIT,
            exports: NO_LIMIT,
            wildcards: true,
            disallow_bearer: false,
            conn: NO_LIMIT,
            leaf: NO_LIMIT,
        },
        ..OperatorLimits::default()
    };
    let nats = Account {
        limits: Some(limits),
        default_permissions: Some(open()),
        authorization: Some(ExternalAuthorization::default()),
        ..Account::default()
    };
    claims(sub, name, nats)
}

/// `NewUserClaims`, or, with a scoped signing key, the same after `SetScoped(true)`: no limits
/// and permissions of its own.
pub fn new_user(sub: &PublicKey, name: &str, scoped: bool) -> Claims<User> {
    let mut permissions = scoped_permissions();
    if !scoped {
        permissions.limits = unlimited();
    }
    claims(
        sub,
        name,
        User {
            permissions,
            ..User::default()
        },
    )
}

/// The permissions of a user of a scoped signing key: none of its own.
pub fn scoped_permissions() -> UserPermissionLimits {
    UserPermissionLimits {
        permissions: open(),
        ..UserPermissionLimits::default()
    }
}

/// The two monitoring exports that nsc gives its system account (`cmd/init.go`).
pub fn system_exports() -> Vec<Export> {
    let export = |name: &str, subject: &str, kind, position, description: &str| Export {
        name: name.to_owned(),
        subject: subject.to_owned(),
        kind: Some(kind),
        account_token_position: position,
        description: description.to_owned(),
        info_url: "https://docs.nats.io/nats-server/configuration/sys_accounts".to_owned(),
        ..Export::default()
    };
    let services = Export {
        response_type: "Stream".to_owned(),
        ..export(
            "account-monitoring-services",
            "$SYS.REQ.ACCOUNT.*.*",
            ExportType::Service,
            4,
            "Request account specific monitoring services for: SUBSZ, CONNZ, LEAFZ, JSZ and INFO",
        )
    };
    let streams = export(
        "account-monitoring-streams",
        "$SYS.ACCOUNT.*.>",
        ExportType::Stream,
        3,
        "Account specific monitoring stream",
    );
    vec![services, streams]
}

#[cfg(test)]
mod tests {
    use super::*;
    use nkey_core::tolerant::{self, AnyClaims};
    use std::str::FromStr;

    /// What nsc wrote, without what the signer sets.
    fn nsc(token: &str) -> AnyClaims {
        let mut claims = tolerant::decode(token.trim()).unwrap().claims;
        let standard = claims.standard_mut();
        (standard.iss, standard.jti, standard.iat) = (String::new(), String::new(), 0);
        claims
    }

    fn sorted<N: Typed>(claims: Claims<N>) -> AnyClaims {
        let mut claims = N::into_any(claims);
        claims.sort();
        claims
    }

    fn key(claims: &AnyClaims) -> PublicKey {
        PublicKey::from_str(&claims.standard().sub).unwrap()
    }

    #[test]
    fn the_system_account_is_the_one_that_nsc_makes() {
        let theirs = nsc(include_str!(
            "../../../tests/fixtures/nsc-store/stores/demoop/accounts/SYS/SYS.jwt"
        ));
        let mut ours = new_account(&key(&theirs), "SYS");
        ours.nats.exports = system_exports();
        let AnyClaims::Account(account) = &theirs else {
            panic!()
        };
        ours.nats.signing_keys = account.nats.signing_keys.clone();
        assert_eq!(sorted(ours).to_json(), theirs.to_json());
    }

    #[test]
    fn users_are_the_ones_that_nsc_makes() {
        let theirs = nsc(include_str!(
            "../../../tests/fixtures/nsc-store/stores/demoop/accounts/SYS/users/sys.jwt"
        ));
        let mut ours = new_user(&key(&theirs), "sys", false);
        let AnyClaims::User(user) = &theirs else {
            panic!()
        };
        ours.nats.issuer_account = user.nats.issuer_account.clone();
        assert_eq!(sorted(ours).to_json(), theirs.to_json());

        let theirs = nsc(include_str!(
            "../../../tests/fixtures/nsc-store/stores/demoop/accounts/demoJS/users/scoped.jwt"
        ));
        let mut ours = new_user(&key(&theirs), "scoped", true);
        let AnyClaims::User(user) = &theirs else {
            panic!()
        };
        ours.nats.issuer_account = user.nats.issuer_account.clone();
        ours.generic.tags = user.generic.tags.clone();
        assert_eq!(sorted(ours).to_json(), theirs.to_json());
    }
}
