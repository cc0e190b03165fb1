//! Claims for people: sections of titles and values, in nsc's words.

mod account;
mod page;

use crate::output::Style;
use crate::text;
use nkey_core::claims::Claim;
use nkey_core::claims::owned::{
    Activation, ExportType, NatsLimits, Operator, Permission, Permissions, Standard, User,
    UserLimits, UserScope,
};
use nkey_core::tolerant::AnyClaims;
use page::Page;

/// The text that describes claims. `now` tells what has expired; `scope` is that of a user's issuer.
pub fn text(
    claims: &AnyClaims,
    scope: Option<&UserScope>,
    long_ids: bool,
    now: i64,
    style: Style,
) -> String {
    let mut page = Page::default();
    match claims {
        AnyClaims::Operator(claims) => {
            page.standard(
                "Operator",
                "Operator ID",
                &claims.standard,
                &claims.generic.tags,
                now,
            );
            operator(&mut page, &claims.nats);
        }
        AnyClaims::Account(claims) => {
            page.standard(
                "Account",
                "Account ID",
                &claims.standard,
                &claims.generic.tags,
                now,
            );
            account::account(&mut page, &claims.nats, long_ids, now);
        }
        AnyClaims::User(claims) => {
            page.standard(
                "User",
                "User ID",
                &claims.standard,
                &claims.generic.tags,
                now,
            );
            user(&mut page, &claims.nats, scope);
        }
        AnyClaims::Activation(claims) => {
            page.standard(
                "Activation",
                "Importing Account",
                &claims.standard,
                &claims.generic.tags,
                now,
            );
            activation(&mut page, &claims.nats);
        }
        AnyClaims::AuthorizationRequest(claims) => {
            page.standard(
                "Authorization request",
                "Subject",
                &claims.standard,
                &claims.generic.tags,
                now,
            );
            let user = claims.nats.user_nkey.as_deref().unwrap_or_default();
            page.some("User ID", user);
        }
        AnyClaims::AuthorizationResponse(claims) => {
            page.standard(
                "Authorization response",
                "User ID",
                &claims.standard,
                &claims.generic.tags,
                now,
            );
            page.some("Issuer Account", &claims.nats.issuer_account);
            page.some("Error", &claims.nats.error);
            page.some("User JWT", &claims.nats.jwt);
        }
        AnyClaims::Generic(generic) => {
            page.standard("Generic claim", "Subject", &generic.standard, &[], now);
            page.row("Type", claims.claim_type().name());
            page.row("Claims", &crate::token::compact(&generic.nats));
        }
    }
    page.text(style)
}

impl Page {
    pub(super) fn standard(
        &mut self,
        title: &str,
        id: &str,
        standard: &Standard,
        tags: &[String],
        now: i64,
    ) {
        self.section(title);
        self.row("Name", &standard.name);
        self.row(id, &standard.sub);
        self.row("Issuer ID", &standard.iss);
        self.row("Issued", &text::time(standard.iat));
        match text::time(standard.nbf) {
            time if now < standard.nbf => {
                self.alert("Not Before", &format!("{time} (not yet valid)"))
            }
            time => self.some("Not Before", &time),
        }
        match text::time(standard.exp) {
            never if never.is_empty() => self.row("Expires", "never"),
            time if now > standard.exp => self.alert("Expires", &format!("{time} (expired)")),
            time => self.row("Expires", &time),
        }
        self.some("Audience", &standard.aud);
        self.list("Tags", tags);
    }

    fn permission(&mut self, verb: &str, permission: Option<&Permission>) {
        if let Some(permission) = permission {
            self.list(&format!("{verb} Allow"), &permission.allow);
            self.list(&format!("{verb} Deny"), &permission.deny);
        }
    }

    fn permissions(&mut self, permissions: &Permissions) {
        self.permission("Pub", permissions.publish.as_ref());
        self.permission("Sub", permissions.subscribe.as_ref());
        if let Some(resp) = &permissions.resp {
            self.row("Max Responses", &text::count(resp.max.unwrap_or_default()));
            self.row(
                "Response Permission TTL",
                &text::duration(resp.ttl.unwrap_or_default()),
            );
        }
    }

    fn limits(&mut self, limits: &NatsLimits) {
        self.row("Max Msg Payload", &text::bytes(limits.payload));
        self.row("Max Data", &text::bytes(limits.data));
        self.row("Max Subs", &text::count(limits.subs));
    }

    fn user_limits(&mut self, limits: &UserLimits) {
        self.list("Network Src", &limits.src);
        let times: Vec<String> = limits
            .times
            .iter()
            .map(|span| format!("{}-{}", span.start, span.end))
            .collect();
        self.list("Time", &times);
        self.some("Time Zone", &limits.times_location);
    }
}

fn operator(page: &mut Page, operator: &Operator) {
    page.some("Account JWT Server", &operator.account_server_url);
    page.list("Operator Service URLs", &operator.operator_service_urls);
    page.some("System Account", &operator.system_account);
    page.some("Server Version", &operator.assert_server_version);
    page.row(
        "Require Signing Keys",
        text::yes(operator.strict_signing_key_usage),
    );
    page.list("Signing Keys", &operator.signing_keys);
}

fn user(page: &mut Page, user: &User, scope: Option<&UserScope>) {
    page.some("Issuer Account", &user.issuer_account);
    let permissions = &user.permissions;
    if *permissions == scoped_user() {
        match scope {
            Some(scope) => account::scoped(page, scope),
            None => page.row("Permissions", "those of the issuer's scope, if it has one"),
        }
        return;
    }
    page.row("Bearer Token", text::yes(permissions.bearer_token));
    if permissions.proxy_required {
        page.row("Proxy Required", text::yes(true));
    }
    page.permissions(&permissions.permissions);
    page.limits(&permissions.limits);
    page.user_limits(&permissions.user);
    page.list(
        "Allowed Connection Types",
        &permissions.allowed_connection_types,
    );
}

/// What a scoped user's claims hold: nothing but the two empty permissions.
fn scoped_user() -> nkey_core::claims::owned::UserPermissionLimits {
    let mut none = nkey_core::claims::owned::UserPermissionLimits::default();
    none.permissions.publish = Some(Permission::default());
    none.permissions.subscribe = Some(Permission::default());
    none
}

fn activation(page: &mut Page, activation: &Activation) {
    page.row("Type", kind(activation.kind));
    page.row("Subject", &activation.subject);
    page.some("Exporting Account", &activation.issuer_account);
}

const fn kind(kind: Option<ExportType>) -> &'static str {
    match kind {
        Some(kind) => kind.name(),
        None => "unknown",
    }
}
