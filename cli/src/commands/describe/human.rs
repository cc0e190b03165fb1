//! Claims for people: sections of titles and values, in nsc's words.

use crate::output::clean_inline;
use crate::text;
use nkey_core::claims::Claim;
use nkey_core::claims::ExportType;
use nkey_core::claims::owned::{
    Account, Activation, Export, Import, NatsLimits, Operator, Permission, Permissions, SigningKey,
    Standard, Template, User, UserLimits, UserScope,
};
use nkey_core::tolerant::AnyClaims;
use std::fmt::Write;

/// The text that describes claims. `now` tells what has expired.
pub fn text(claims: &AnyClaims, long_ids: bool, now: i64) -> String {
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
            account(&mut page, &claims.nats, long_ids);
        }
        AnyClaims::User(claims) => {
            page.standard(
                "User",
                "User ID",
                &claims.standard,
                &claims.generic.tags,
                now,
            );
            user(&mut page, &claims.nats);
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
    page.finish()
}

/// Sections; the values of a section are aligned.
#[derive(Default)]
struct Page {
    done: String,
    rows: Vec<(String, String)>,
}

impl Page {
    fn section(&mut self, title: &str) {
        self.flush();
        if !self.done.is_empty() {
            self.done.push('\n');
        }
        let _ = writeln!(self.done, "{}", clean_inline(title));
    }

    fn row(&mut self, title: &str, value: &str) {
        self.rows.push((title.to_owned(), clean_inline(value)));
    }

    /// A row, unless the value is empty.
    fn some(&mut self, title: &str, value: &str) {
        if !value.is_empty() {
            self.row(title, value);
        }
    }

    /// One row for each value; the title stands at the first.
    fn list(&mut self, title: &str, values: &[String]) {
        for (index, value) in values.iter().enumerate() {
            self.row(if index == 0 { title } else { "" }, value);
        }
    }

    fn flush(&mut self) {
        let width = self
            .rows
            .iter()
            .map(|(title, _)| title.chars().count())
            .max()
            .unwrap_or(0);
        for (title, value) in self.rows.drain(..) {
            let line = format!("  {title:width$}  {value}");
            let _ = writeln!(self.done, "{}", line.trim_end());
        }
    }

    fn finish(mut self) -> String {
        self.flush();
        self.done
    }

    fn standard(&mut self, title: &str, id: &str, standard: &Standard, tags: &[String], now: i64) {
        self.section(title);
        self.row("Name", &standard.name);
        self.row(id, &standard.sub);
        self.row("Issuer ID", &standard.iss);
        self.row("Issued", &text::time(standard.iat));
        self.some("Not Before", &text::time(standard.nbf));
        let expired = if standard.exp != 0 && now > standard.exp {
            " (expired)"
        } else {
            ""
        };
        let never = if standard.exp == 0 { "never" } else { "" };
        self.row(
            "Expires",
            &format!("{}{never}{expired}", text::time(standard.exp)),
        );
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

fn account(page: &mut Page, account: &Account, long_ids: bool) {
    page.some("Description", &account.description);
    page.some("Info URL", &account.info_url);
    let keys: Vec<String> = account
        .signing_keys
        .iter()
        .map(|key| match key {
            SigningKey::Plain(key) => key.clone(),
            SigningKey::Scoped(scope) => format!(
                "{} (role {})",
                key.key(),
                scope.role.as_deref().unwrap_or_default()
            ),
        })
        .collect();
    page.list("Signing Keys", &keys);
    if let Some(auth) = &account.authorization {
        page.list("Auth Callout Users", &auth.auth_users);
        page.list("Auth Callout Accounts", &auth.allowed_accounts);
        page.some("Auth Callout Curve Key", &auth.xkey);
    }
    if let Some(trace) = &account.trace {
        page.row("Trace", &format!("{} ({} %)", trace.dest, trace.sampling));
    }
    page.some("Cluster Traffic", &account.cluster_traffic);
    if !account.revocations.is_empty() {
        page.row("Revocations", &account.revocations.len().to_string());
    }
    if let Some(permissions) = &account.default_permissions {
        page.permissions(permissions);
    }
    account_limits(page, account);
    imports(page, &account.imports, long_ids);
    exports(page, &account.exports);
    mappings(page, account);
    for key in &account.signing_keys {
        if let SigningKey::Scoped(scope) = key {
            scoped(page, scope);
        }
    }
}

fn account_limits(page: &mut Page, account: &Account) {
    let Some(limits) = &account.limits else {
        return;
    };
    page.section("Limits");
    page.row("Max Connections", &text::count(limits.account.conn));
    page.row(
        "Max Leaf Node Connections",
        &text::count(limits.account.leaf),
    );
    page.limits(&limits.nats);
    page.row("Max Exports", &text::count(limits.account.exports));
    page.row("Max Imports", &text::count(limits.account.imports));
    page.row(
        "Exports Allow Wildcards",
        text::yes(limits.account.wildcards),
    );
    page.row(
        "Disallow Bearer Token",
        text::yes(limits.account.disallow_bearer),
    );
    let flat = [(String::new(), limits.jetstream)];
    let tiers: Vec<_> = limits
        .tiered_limits
        .iter()
        .map(|(tier, limits)| (format!(" {tier}"), *limits))
        .collect();
    let tiers = if tiers.is_empty() { &flat[..] } else { &tiers };
    for (tier, limits) in tiers {
        if limits.mem_storage == 0 && limits.disk_storage == 0 {
            page.row(&format!("JetStream{tier}"), "Disabled");
            continue;
        }
        page.section(&format!("JetStream{tier}"));
        page.row("Max Disk Storage", &text::bytes(limits.disk_storage));
        page.row("Max Mem Storage", &text::bytes(limits.mem_storage));
        page.row("Max Streams", &text::count(limits.streams));
        page.row("Max Consumers", &text::count(limits.consumer));
        // The server takes all that is not above zero for unlimited.
        let unless_set = |limit: i64| if limit <= 0 { -1 } else { limit };
        page.row(
            "Max Ack Pending",
            &text::count(unless_set(limits.max_ack_pending)),
        );
        page.row(
            "Max Memory Stream",
            &text::bytes(unless_set(limits.mem_max_stream_bytes)),
        );
        page.row(
            "Max Disk Stream",
            &text::bytes(unless_set(limits.disk_max_stream_bytes)),
        );
        page.row("Max Bytes Required", text::yes(limits.max_bytes_required));
    }
}

const fn kind(kind: Option<ExportType>) -> &'static str {
    match kind {
        Some(kind) => kind.name(),
        None => "unknown",
    }
}

fn imports(page: &mut Page, imports: &[Import], long_ids: bool) {
    for import in imports {
        page.section(&format!("Import {}", import.name));
        page.row("Type", kind(import.kind));
        page.row("Remote", &import.subject);
        page.some(
            "Local",
            if import.local_subject.is_empty() {
                &import.to
            } else {
                &import.local_subject
            },
        );
        page.row("From Account", &text::id(&import.account, long_ids));
        page.row(
            "Activation",
            if import.token.is_empty() {
                "none"
            } else {
                "token"
            },
        );
        if import.share {
            page.row("Share", text::yes(true));
        }
        if import.allow_trace {
            page.row("Allow Trace", text::yes(true));
        }
    }
}

fn exports(page: &mut Page, exports: &[Export]) {
    for export in exports {
        page.section(&format!("Export {}", export.name));
        page.row("Type", kind(export.kind));
        page.row("Subject", &export.subject);
        page.row("Public", text::yes(!export.token_req));
        page.some("Response Type", &export.response_type);
        if export.response_threshold != 0 {
            page.row(
                "Response Threshold",
                &text::duration(export.response_threshold),
            );
        }
        if let Some(latency) = &export.service_latency {
            let results = latency.results.as_deref().unwrap_or_default();
            let sampling = match latency.sampling {
                Some(sampling) if sampling.0 != 0 => format!("{} %", sampling.0),
                _ => "by headers".to_owned(),
            };
            page.row("Latency", &format!("{sampling} to {results}"));
        }
        if export.account_token_position != 0 {
            page.row(
                "Account Token Position",
                &export.account_token_position.to_string(),
            );
        }
        if export.advertise {
            page.row("Advertise", text::yes(true));
        }
        if export.allow_trace {
            page.row("Allow Trace", text::yes(true));
        }
        if !export.revocations.is_empty() {
            page.row("Revocations", &export.revocations.len().to_string());
        }
        page.some("Description", &export.description);
        page.some("Info URL", &export.info_url);
    }
}

fn mappings(page: &mut Page, account: &Account) {
    if account.mappings.is_empty() {
        return;
    }
    page.section("Mappings");
    for (from, targets) in &account.mappings {
        for target in targets {
            let weight = if target.weight == 0 {
                100
            } else {
                target.weight
            };
            let cluster = if target.cluster.is_empty() {
                String::new()
            } else {
                format!(", cluster {}", target.cluster)
            };
            let to = target.subject.as_deref().unwrap_or_default();
            page.row(&clean_inline(from), &format!("{to} ({weight} %{cluster})"));
        }
    }
}

fn scoped(page: &mut Page, scope: &UserScope) {
    page.section(&format!(
        "Scoped signing key, role {}",
        scope.role.as_deref().unwrap_or_default()
    ));
    page.row("Key", scope.key.as_deref().unwrap_or_default());
    page.some(
        "Description",
        scope.description.as_deref().unwrap_or_default(),
    );
    if let Some(template) = &scope.template {
        template_rows(page, template);
    }
}

/// As Go reads a template: absent limits are unlimited.
fn template_rows(page: &mut Page, template: &Template) {
    page.permissions(&template.permissions);
    page.limits(&NatsLimits {
        subs: template.limits.subs.unwrap_or(-1),
        data: template.limits.data.unwrap_or(-1),
        payload: template.limits.payload.unwrap_or(-1),
    });
    page.user_limits(&template.user);
    page.row("Bearer Token", text::yes(template.bearer_token));
    page.row("Proxy Required", text::yes(template.proxy_required));
    page.list(
        "Allowed Connection Types",
        &template.allowed_connection_types,
    );
}

fn user(page: &mut Page, user: &User) {
    page.some("Issuer Account", &user.issuer_account);
    let permissions = &user.permissions;
    if *permissions == scoped_user() {
        page.row("Permissions", "those of the issuer's scope, if it has one");
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
