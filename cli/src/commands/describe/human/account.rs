//! An account for people.

use super::kind;
use super::page::{Grid, Page};
use crate::text;
use nkey_core::claims::owned::{
    Account, Export, ExternalAuthorization, Import, NatsLimits, Permissions, SigningKey, Template,
    UserScope,
};
use nkey_core::revocation::ALL;
use nkey_core::tolerant;
use std::collections::BTreeMap;

/// Everything that an account's token says beside who it is.
pub fn account(page: &mut Page, account: &Account, long_ids: bool, now: i64) {
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
    if let Some(trace) = &account.trace {
        // As the server reads it: 0 is every message.
        let sampling = if trace.sampling == 0 {
            100
        } else {
            trace.sampling
        };
        page.row("Trace", &format!("{} ({sampling} %)", trace.dest));
    }
    page.some("Cluster Traffic", &account.cluster_traffic);
    account_limits(page, account);
    if let Some(permissions) = &account.default_permissions
        && !is_open(permissions)
    {
        page.section("Default Permissions");
        page.permissions(permissions);
    }
    if let Some(authorization) = &account.authorization {
        external(page, authorization);
    }
    imports(page, &account.imports, long_ids, now);
    exports(page, &account.exports, long_ids);
    mappings(page, account);
    revocations(
        page,
        "Revoked Users",
        &account.revocations,
        "all users",
        long_ids,
    );
    for key in &account.signing_keys {
        if let SigningKey::Scoped(scope) = key {
            scoped(page, scope);
        }
    }
}

fn is_open(permissions: &Permissions) -> bool {
    let lists = [&permissions.publish, &permissions.subscribe];
    let mut lists = lists.into_iter().flatten();
    permissions.resp.is_none() && lists.all(|list| list.allow.is_empty() && list.deny.is_empty())
}

fn external(page: &mut Page, authorization: &ExternalAuthorization) {
    if *authorization == ExternalAuthorization::default() {
        return;
    }
    page.section("External Authorization");
    page.list("Users of the Service", &authorization.auth_users);
    page.list("Allowed Accounts", &authorization.allowed_accounts);
    page.some("Curve Key", &authorization.xkey);
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

fn imports(page: &mut Page, imports: &[Import], long_ids: bool, now: i64) {
    let mut grid = Grid::new(&[
        "NAME",
        "TYPE",
        "REMOTE",
        "LOCAL",
        "FROM ACCOUNT",
        "ACTIVATION",
        "SHARED",
        "TRACED",
    ]);
    for import in imports {
        let local = [&import.local_subject, &import.to];
        let local = local.into_iter().find(|subject| !subject.is_empty());
        grid.row(vec![
            import.name.clone(),
            kind(import.kind).to_owned(),
            import.subject.clone(),
            local.unwrap_or(&import.subject).clone(),
            text::id(&import.account, long_ids),
            activation(&import.token, now),
            mark(import.share),
            mark(import.allow_trace),
        ]);
    }
    page.grid("Imports", grid);
}

/// What an import's activation is worth.
fn activation(token: &str, now: i64) -> String {
    if token.is_empty() {
        return "none".to_owned();
    }
    match tolerant::decode(token) {
        Ok(decoded) => match decoded.claims.standard().exp {
            0 => "does not expire".to_owned(),
            exp if now > exp => format!("expired {}", text::time(exp)),
            exp => format!("expires {}", text::time(exp)),
        },
        Err(_) if token.contains("://") => token.to_owned(),
        Err(error) => format!("not valid: {error}"),
    }
}

fn mark(set: bool) -> String {
    if set { text::yes(true) } else { "" }.to_owned()
}

fn exports(page: &mut Page, exports: &[Export], long_ids: bool) {
    let mut grid = Grid::new(&[
        "NAME",
        "TYPE",
        "SUBJECT",
        "PUBLIC",
        "RESPONSE",
        "THRESHOLD",
        "LATENCY",
        "ACCOUNT TOKEN",
        "ADVERTISED",
        "TRACED",
        "DESCRIPTION",
        "INFO URL",
    ]);
    for export in exports {
        let unless_0 = |number: u64| {
            if number == 0 {
                String::new()
            } else {
                number.to_string()
            }
        };
        let threshold = match export.response_threshold {
            0 => String::new(),
            threshold => text::duration(threshold),
        };
        grid.row(vec![
            export.name.clone(),
            kind(export.kind).to_owned(),
            export.subject.clone(),
            text::yes(!export.token_req).to_owned(),
            export.response_type.clone(),
            threshold,
            latency(export),
            unless_0(export.account_token_position),
            mark(export.advertise),
            mark(export.allow_trace),
            export.description.clone(),
            export.info_url.clone(),
        ]);
    }
    page.grid("Exports", grid);
    for export in exports {
        let title = format!("Revoked Activations of {}", export.subject);
        revocations(page, &title, &export.revocations, "all accounts", long_ids);
    }
}

fn latency(export: &Export) -> String {
    let Some(latency) = &export.service_latency else {
        return String::new();
    };
    let results = latency.results.as_deref().unwrap_or_default();
    match latency.sampling {
        Some(sampling) if sampling.0 != 0 => format!("{} % to {results}", sampling.0),
        _ => format!("by headers to {results}"),
    }
}

fn mappings(page: &mut Page, account: &Account) {
    let mut grid = Grid::new(&["FROM", "TO", "WEIGHT", "CLUSTER"]);
    for (from, targets) in &account.mappings {
        for target in targets {
            let weight = if target.weight == 0 {
                100
            } else {
                target.weight
            };
            grid.row(vec![
                from.clone(),
                target.subject.clone().unwrap_or_default(),
                format!("{weight} %"),
                target.cluster.clone(),
            ]);
        }
    }
    page.grid("Mappings", grid);
}

fn revocations(
    page: &mut Page,
    title: &str,
    revocations: &BTreeMap<String, i64>,
    all: &str,
    long_ids: bool,
) {
    let mut grid = Grid::new(&["KEY", "IF ISSUED UNTIL"]);
    for (key, at) in revocations {
        let key = match key.as_str() {
            ALL => format!("{ALL} ({all})"),
            key => text::id(key, long_ids),
        };
        // 0 is a time here, not an absent one.
        let time = match at {
            0 => "1970-01-01 00:00:00 UTC".to_owned(),
            at => text::time(*at),
        };
        grid.row(vec![key, time]);
    }
    page.grid(title, grid);
}

pub(super) fn scoped(page: &mut Page, scope: &UserScope) {
    let role = scope.role.as_deref().unwrap_or_default();
    page.section(&format!("Scoped Signing Key, Role {role}"));
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
