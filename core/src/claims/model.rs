//! Every object of the claims, in Go's member order (nats-io/jwt v2.8.3).

use super::shape::{Member, Object, Shape, Ty, Typed, write_member, write_object};
pub use super::signing_key::SigningKey;
use super::{ExportType, Sampling, ScopeType};
use crate::json::{Map, Write, Writer};

define! { @plain
    /// Limits on subscriptions and sizes; -1 is unlimited, 0 nothing. `NatsLimits`.
    NatsLimits {
        /// Most subscriptions.
        omit subs: i64 = "subs",
        /// Most bytes.
        omit data: i64 = "data",
        /// Largest message in bytes.
        omit payload: i64 = "payload",
    }
    /// [`NatsLimits`] of a scope's template: absent is unlimited, and 0 is nothing.
    TemplateLimits {
        /// Most subscriptions.
        always subs: Option<i64> = "subs",
        /// Most bytes.
        always data: Option<i64> = "data",
        /// Largest message in bytes.
        always payload: Option<i64> = "payload",
    }
    /// Limits on what an account has; -1 is unlimited. `AccountLimits`.
    AccountLimits {
        /// Most imports.
        omit imports: i64 = "imports",
        /// Most exports.
        omit exports: i64 = "exports",
        /// Whether exports may have wildcards.
        omit wildcards: bool = "wildcards",
        /// Whether bearer users are refused.
        omit disallow_bearer: bool = "disallow_bearer",
        /// Most connections.
        omit conn: i64 = "conn",
        /// Most leaf node connections.
        omit leaf: i64 = "leaf",
    }
    /// JetStream limits of an account or of one tier. `JetStreamLimits`.
    JetStreamLimits {
        /// Bytes in memory; 0 is off, -1 unlimited.
        omit mem_storage: i64 = "mem_storage",
        /// Bytes on disk; 0 is off, -1 unlimited.
        omit disk_storage: i64 = "disk_storage",
        /// Most streams.
        omit streams: i64 = "streams",
        /// Most consumers.
        omit consumer: i64 = "consumer",
        /// Most pending acknowledgements of a stream.
        omit max_ack_pending: i64 = "max_ack_pending",
        /// Most bytes of a stream in memory.
        omit mem_max_stream_bytes: i64 = "mem_max_stream_bytes",
        /// Most bytes of a stream on disk.
        omit disk_max_stream_bytes: i64 = "disk_max_stream_bytes",
        /// Whether every stream must state its most bytes.
        omit max_bytes_required: bool = "max_bytes_required",
    }
    /// Leave to answer requests. `ResponsePermission`.
    ResponsePermission {
        /// Most replies to one request.
        always max: Option<i64> = "max",
        /// How long a reply may take, in nanoseconds.
        always ttl: Option<i64> = "ttl",
    }
}

define! {
    /// The registered claims at the top level. `ClaimsData` without its `nats`.
    Standard {
        /// Audience.
        omit aud: text = "aud",
        /// Expiry, Unix seconds; expired when now is greater.
        omit exp: (plain i64) = "exp",
        /// Identity: base32 of SHA-512/256 over these claims without it, 52 characters.
        omit jti: text = "jti",
        /// Time of issue, Unix seconds.
        omit iat: (plain i64) = "iat",
        /// The public key that signed.
        omit iss: text = "iss",
        /// Display name.
        omit name: text = "name",
        /// Not valid before, Unix seconds.
        omit nbf: (plain i64) = "nbf",
        /// The public key (or text, in generic claims) that the claim is about.
        omit sub: text = "sub",
    }
    /// The last members of `nats`. `GenericFields`.
    GenericFields {
        /// Tags, lower case.
        omit tags: [text] = "tags",
        /// The claim's type.
        omit kind: text = "type",
        /// The version of the JWT format: 2.
        omit version: (plain i64) = "version",
    }
    /// What an operator's JWT says. `Operator`.
    Operator {
        /// Further operator keys that may sign accounts.
        omit signing_keys: [text] = "signing_keys",
        /// Where tools push accounts.
        omit account_server_url: text = "account_server_url",
        /// Where clients and tools connect.
        omit operator_service_urls: [text] = "operator_service_urls",
        /// The system account's public key.
        omit system_account: text = "system_account",
        /// The least server version, `major.minor.patch`.
        omit assert_server_version: text = "assert_server_version",
        /// Whether only signing keys may sign.
        omit strict_signing_key_usage: (plain bool) = "strict_signing_key_usage",
    }
    /// An import. `Import`.
    Import {
        /// Display name.
        omit name: text = "name",
        /// The exporter's subject.
        omit subject: text = "subject",
        /// The exporting account.
        omit account: text = "account",
        /// An activation token, or where to fetch one.
        omit token: text = "token",
        /// Deprecated form of the local subject.
        omit to: text = "to",
        /// The subject in this account.
        omit local_subject: text = "local_subject",
        /// Stream or service.
        omit kind: (opt (plain ExportType)) = "type",
        /// Whether latency results are shared with the exporter.
        omit share: (plain bool) = "share",
        /// Whether message traces may pass.
        omit allow_trace: (plain bool) = "allow_trace",
    }
    /// Where and how often a service's latency is reported. `ServiceLatency`.
    ServiceLatency {
        /// How often.
        always sampling: (opt (plain Sampling)) = "sampling",
        /// Where to.
        always results: (opt text) = "results",
    }
    /// An export. `Export`.
    Export {
        /// Display name.
        omit name: text = "name",
        /// The subject.
        omit subject: text = "subject",
        /// Stream or service.
        omit kind: (opt (plain ExportType)) = "type",
        /// Whether importers need an activation token.
        omit token_req: (plain bool) = "token_req",
        /// Revoked importers: account key or `*` to Unix seconds.
        omit revocations: {(plain i64)} = "revocations",
        /// `Singleton`, `Stream` or `Chunked`.
        omit response_type: text = "response_type",
        /// How long a response may take, in nanoseconds.
        omit response_threshold: (plain i64) = "response_threshold",
        /// Latency reports.
        omit service_latency: (opt ServiceLatency) = "service_latency",
        /// Which token of the subject is the importer's key, from 1.
        omit account_token_position: (plain u64) = "account_token_position",
        /// Whether the export is advertised.
        omit advertise: (plain bool) = "advertise",
        /// Whether message traces may pass.
        omit allow_trace: (plain bool) = "allow_trace",
        /// Description, at most 8,192 bytes.
        omit description: text = "description",
        /// Where to read more.
        omit info_url: text = "info_url",
    }
    /// An account's limits. `OperatorLimits`.
    OperatorLimits {
        /// Subscriptions and sizes.
        flat nats: (plain NatsLimits) = "",
        /// Imports, exports and connections.
        flat account: (plain AccountLimits) = "",
        /// JetStream, when there are no tiers.
        flat jetstream: (plain JetStreamLimits) = "",
        /// JetStream by tier (`R1`, `R3`).
        omit tiered_limits: {(plain JetStreamLimits)} = "tiered_limits",
    }
    /// Subjects allowed and denied. `Permission`.
    Permission {
        /// Allowed.
        omit allow: [text] = "allow",
        /// Denied.
        omit deny: [text] = "deny",
    }
    /// What may be published and subscribed. `Permissions`.
    Permissions {
        /// Publishing.
        always publish: (opt Permission) = "pub",
        /// Subscribing.
        always subscribe: (opt Permission) = "sub",
        /// Answering requests.
        omit resp: (opt (plain ResponsePermission)) = "resp",
    }
    /// A span of the day. `TimeRange`.
    TimeRange {
        /// Start, `15:04:05`.
        omit start: text = "start",
        /// End, `15:04:05`.
        omit end: text = "end",
    }
    /// Where from and when a user may connect. `UserLimits`.
    UserLimits {
        /// Networks that the user may come from, CIDR.
        omit src: [text] = "src",
        /// When the user may connect.
        omit times: [TimeRange] = "times",
        /// The IANA time zone of `times`.
        omit times_location: text = "times_location",
    }
    /// What a user may do. `UserPermissionLimits`.
    UserPermissionLimits {
        /// Subjects.
        flat permissions: Permissions = "",
        /// Where from and when.
        flat user: UserLimits = "",
        /// Subscriptions and sizes.
        flat limits: (plain NatsLimits) = "",
        /// Whether the user connects without signing the nonce.
        omit bearer_token: (plain bool) = "bearer_token",
        /// Whether the user must come through a trusted proxy.
        omit proxy_required: (plain bool) = "proxy_required",
        /// `STANDARD`, `WEBSOCKET`, `LEAFNODE`, `LEAFNODE_WS`, `MQTT`, `MQTT_WS`, `IN_PROCESS`.
        omit allowed_connection_types: [text] = "allowed_connection_types",
    }
    /// What the users of a scoped signing key may do: `UserPermissionLimits` as Go reads it
    /// in a scope, where an absent limit is -1 and not 0.
    Template {
        /// Subjects.
        flat permissions: Permissions = "",
        /// Where from and when.
        flat user: UserLimits = "",
        /// Subscriptions and sizes.
        flat limits: (plain TemplateLimits) = "",
        /// Whether the users connect without signing the nonce.
        omit bearer_token: (plain bool) = "bearer_token",
        /// Whether the users must come through a trusted proxy.
        omit proxy_required: (plain bool) = "proxy_required",
        /// As in [`UserPermissionLimits`].
        omit allowed_connection_types: [text] = "allowed_connection_types",
    }
    /// A signing key with a role and a template for its users. `UserScope`.
    UserScope {
        /// The kind of scope.
        always kind: (opt (plain ScopeType)) = "kind",
        /// The signing key, `A…`.
        always key: (opt text) = "key",
        /// The role's name.
        always role: (opt text) = "role",
        /// What its users may do.
        always template: (opt Template) = "template",
        /// Description.
        always description: (opt text) = "description",
    }
    /// Where a mapped subject goes. `WeightedMapping`.
    WeightedMapping {
        /// The destination.
        always subject: (opt text) = "subject",
        /// Its share in per cent; 0 is 100.
        omit weight: (plain u8) = "weight",
        /// The cluster in which it applies.
        omit cluster: text = "cluster",
    }
    /// Who decides about an account's users. `ExternalAuthorization`.
    ExternalAuthorization {
        /// Users that answer authorization requests.
        omit auth_users: [text] = "auth_users",
        /// Accounts they may place users in, or `*`.
        omit allowed_accounts: [text] = "allowed_accounts",
        /// The curve key to which requests are sealed.
        omit xkey: text = "xkey",
    }
    /// Message tracing. `MsgTrace`.
    MsgTrace {
        /// Where traces go.
        omit dest: text = "dest",
        /// Per cent of messages traced.
        omit sampling: (plain i64) = "sampling",
    }
    /// What an account's JWT says. `Account`.
    Account {
        /// Imports, sorted by subject.
        omit imports: [Import] = "imports",
        /// Exports, sorted by subject.
        omit exports: [Export] = "exports",
        /// Limits.
        always limits: (opt OperatorLimits) = "limits",
        /// Signing keys, ascending.
        omit signing_keys: [SigningKey] = "signing_keys",
        /// Revoked users: user key or `*` to Unix seconds.
        omit revocations: {(plain i64)} = "revocations",
        /// For users without permissions of their own.
        always default_permissions: (opt Permissions) = "default_permissions",
        /// Subject mappings.
        omit mappings: {[WeightedMapping]} = "mappings",
        /// Authorization by a service. Older libraries leave it out.
        always authorization: (opt ExternalAuthorization) = "authorization",
        /// Message tracing.
        omit trace: (opt MsgTrace) = "trace",
        /// `system` or `owner`: whose account carries cluster traffic.
        omit cluster_traffic: text = "cluster_traffic",
        /// Description, at most 8,192 bytes.
        omit description: text = "description",
        /// Where to read more.
        omit info_url: text = "info_url",
    }
    /// What a user's JWT says. `User`.
    User {
        /// Permissions and limits; all absent for a scoped user.
        flat permissions: UserPermissionLimits = "",
        /// The account, when a signing key issued the claim.
        omit issuer_account: text = "issuer_account",
    }
    /// Leave to import. `Activation`.
    Activation {
        /// The subject.
        omit subject: text = "subject",
        /// Stream or service.
        omit kind: (opt (plain ExportType)) = "kind",
        /// The exporting account, when a signing key issued the claim.
        omit issuer_account: text = "issuer_account",
    }
    /// The answer of an authorization service. `AuthorizationResponse`.
    AuthorizationResponse {
        /// The user's JWT.
        omit jwt: text = "jwt",
        /// Or why there is none.
        omit error: text = "error",
        /// The account, when a signing key issued the claim.
        omit issuer_account: text = "issuer_account",
    }
}
