//! Claims of version 1, read as version 2 (`migrateV1` in nats-io/jwt).

use super::decode::folded;
use crate::canonical::same_fold;
use crate::claims::ClaimType;
use crate::json::Node;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Members that stood at the top level and are now in `nats`.
const MOVED: [&str; 3] = ["tags", "type", "issuer_account"];

/// Members of an account's limits that version 1 does not have.
const LATER_LIMITS: [&str; 9] = [
    "mem_storage",
    "disk_storage",
    "streams",
    "consumer",
    "max_ack_pending",
    "mem_max_stream_bytes",
    "disk_max_stream_bytes",
    "max_bytes_required",
    "tiered_limits",
];

/// Members of `nats` that version 1 does not have; none where Go reads version 1 as version 2.
fn later(claim_type: ClaimType) -> Option<&'static [&'static str]> {
    match claim_type {
        ClaimType::Operator => Some(&[
            "assert_server_version",
            "strict_signing_key_usage",
            "version",
        ]),
        ClaimType::Account => Some(&[
            "default_permissions",
            "mappings",
            "authorization",
            "trace",
            "cluster_traffic",
            "description",
            "info_url",
            "version",
        ]),
        ClaimType::User => Some(&["proxy_required", "allowed_connection_types", "version"]),
        ClaimType::Activation => Some(&["kind", "version"]),
        _ => None,
    }
}

/// A version 1 document in the form of version 2; its `nats.version` stays 1.
pub(super) fn migrated(document: Node, claim_type: ClaimType) -> Node {
    let Node::Map(members) = document else {
        return document;
    };
    let Some(later) = later(claim_type) else {
        return Node::Map(members);
    };
    let moved = |name: &str| MOVED.into_iter().find(|key| same_fold(name, key));
    let mut top = Vec::new();
    let mut nats = Vec::new();
    let mut late = Vec::new();
    for (name, node) in members {
        match (moved(&name), node) {
            (Some(key), node) => late.push((key.to_string(), node)),
            (None, Node::Map(inner)) if same_fold(&name, "nats") => nats.extend(inner),
            (None, node) => top.push((name, node)),
        }
    }
    // What version 2 has in `nats` is not read there in version 1.
    let is_later = |name: &str, later: &[&str]| later.iter().any(|key| same_fold(name, key));
    nats.retain(|(name, _)| !is_later(name, later));
    for (name, _) in &mut nats {
        if claim_type == ClaimType::Activation && same_fold(name, "type") {
            *name = "kind".to_string();
        }
    }
    nats.retain(|(name, _)| moved(name).is_none());
    for (name, node) in &mut nats {
        if let Node::Map(limits) = node
            && same_fold(name, "limits")
        {
            limits.retain(|(name, _)| !is_later(name, &LATER_LIMITS));
        }
    }
    let mut nats = Node::Map(nats);
    if claim_type == ClaimType::User {
        for limit in ["subs", "data", "payload"] {
            if folded(&nats, limit).is_none() {
                push(&mut nats, limit, Node::Int(-1));
            }
        }
    }
    for (key, node) in late {
        push(&mut nats, &key, node);
    }
    push(&mut nats, "version", Node::Uint(1));
    top.push((String::from("nats"), nats));
    Node::Map(top)
}

fn push(object: &mut Node, key: &str, value: Node) {
    if let Node::Map(members) = object {
        members.push((key.to_string(), value));
    }
}
