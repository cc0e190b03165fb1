//! What Go's reading makes of a claim, beside what the token says.

use super::AnyClaims;
use crate::claims::owned::{
    Account, AuthorizationRequest, ExternalAuthorization, JetStreamLimits, OperatorLimits,
    Permissions, ResponsePermission, ScopeType, SigningKey, Template, UserScope,
};
use crate::json::{Node, go_float};
use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;

impl AnyClaims {
    /// The same claim as nats-server sees it: what Go always has is there, each signing key
    /// stands once, a scope's limits are -1 where absent and have passed through float64, and
    /// with tiers the flat JetStream limits are gone. The numbers of a generic claim have passed
    /// through float64, and its keys ascend. For judging, not for signing.
    pub fn effective(&self) -> AnyClaims {
        let mut claims = self.clone();
        match &mut claims {
            AnyClaims::Account(claims) => account(&mut claims.nats),
            AnyClaims::User(claims) => permissions(&mut claims.nats.permissions.permissions),
            AnyClaims::AuthorizationRequest(claims) => request(&mut claims.nats),
            AnyClaims::Generic(claims) => claims.nats = free(core::mem::take(&mut claims.nats)),
            _ => {}
        }
        claims
    }
}

/// A free value as Go has it: every number is a float64, an object has each key once, the last,
/// and they ascend.
fn free(node: Node) -> Node {
    match node {
        Node::Int(value) => Node::Float(value as f64),
        Node::Uint(value) => Node::Float(value as f64),
        Node::List(items) => Node::List(items.into_iter().map(free).collect()),
        Node::Map(members) => {
            let members: BTreeMap<_, _> = members
                .into_iter()
                .map(|(key, value)| (key, free(value)))
                .collect();
            Node::Map(members.into_iter().collect())
        }
        other => other,
    }
}

fn account(account: &mut Account) {
    let limits = account.limits.get_or_insert_with(OperatorLimits::default);
    if !limits.tiered_limits.is_empty() {
        limits.jetstream = JetStreamLimits::default();
    }
    permissions(
        account
            .default_permissions
            .get_or_insert_with(Permissions::default),
    );
    account
        .authorization
        .get_or_insert_with(ExternalAuthorization::default);
    for export in &mut account.exports {
        if let Some(latency) = &mut export.service_latency {
            latency.sampling.get_or_insert_default();
            latency.results.get_or_insert_default();
        }
    }
    for mapping in account.mappings.values_mut().flatten() {
        mapping.subject.get_or_insert_default();
    }
    let mut keys = BTreeMap::new();
    for mut key in core::mem::take(&mut account.signing_keys) {
        if let SigningKey::Scoped(scope) = &mut key {
            complete(scope);
        }
        keys.insert(key.key().to_owned(), key);
    }
    account.signing_keys = keys.into_values().collect();
}

fn request(request: &mut AuthorizationRequest) {
    let server = request.server_id.get_or_insert_default();
    for text in [&mut server.name, &mut server.host, &mut server.id] {
        text.get_or_insert_default();
    }
    request.user_nkey.get_or_insert_default();
    request.client_info.get_or_insert_default();
    let options = request.connect_opts.get_or_insert_default();
    options.protocol.get_or_insert_default();
}

fn permissions(permissions: &mut Permissions) {
    permissions.publish.get_or_insert_default();
    permissions.subscribe.get_or_insert_default();
    if let Some(response) = &mut permissions.resp {
        response.max.get_or_insert(0);
        response.ttl.get_or_insert(0);
    }
}

fn complete(scope: &mut UserScope) {
    scope.kind.get_or_insert(ScopeType::UserScope);
    scope.key.get_or_insert_default();
    scope.role.get_or_insert_default();
    scope.description.get_or_insert_default();
    let template = scope.template.get_or_insert_with(Template::default);
    permissions(&mut template.permissions);
    let limits = &mut template.limits;
    for limit in [&mut limits.subs, &mut limits.data, &mut limits.payload] {
        *limit = Some(limit.map_or(-1, through_float));
    }
    if let Some(ResponsePermission { max, ttl }) = &mut template.permissions.resp {
        *max = max.map(through_float);
        *ttl = ttl.map(through_float);
    }
}

/// Go reads a scope into a map first, where every number is a float64, writes that with as few
/// digits as tell it apart, and reads it again. Near 2^63 it then fails; the value is left.
fn through_float(value: i64) -> i64 {
    go_float(value as f64).parse().unwrap_or(value)
}
