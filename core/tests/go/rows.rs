//! Go's findings and ours, side by side.

use nkey_core::validate::{Class, Finding};

/// Go's sentence, and ours for the same thing; `{}` stands for any text. The first that fits counts.
const ROWS: &[(&str, &[&str])] = &[
    ("claim is expired", &["the claim expired {} seconds ago"]),
    (
        "claim is not yet valid",
        &["the claim is valid in {} seconds"],
    ),
    (
        "error parsing account server url: {}",
        &["account server {} is not a URL: {}"],
    ),
    (
        "account server url {} requires a protocol",
        &["account server {} has no scheme such as nats://"],
    ),
    (
        "error parsing operator service url {}: {}",
        &["service {} is not a URL: {}"],
    ),
    (
        "operator service url {} - credentials are not supported",
        &["service {} has a user, which may not stand there"],
    ),
    (
        "operator service url {} - paths are not supported",
        &["service {} has a path, which may not stand there"],
    ),
    (
        "operator service url {} - protocol not supported (only 'nats', 'tls', 'ws', 'wss' only)",
        &["service {} does not begin with nats://, tls://, ws:// or wss://"],
    ),
    (
        "assert server version error: {}",
        &["server version {} is not three numbers divided by dots"],
    ),
    (
        "JetStream Limits and tiered JetStream Limits are mutually exclusive",
        &["there are JetStream limits with tiers and without: only one kind may be set"],
    ),
    (
        "Tiered JetStream Limits can not contain a blank \"\" tier name",
        &["a tier has no name"],
    ),
    (
        "Mapping {} has a weight {} that exceeds 100",
        &["mapping {} has a weight of {}, more than 100"],
    ),
    (
        "Mapping {} in cluster {} exceeds 100% among all of it's weighted to mappings",
        &["the weights of mapping {} in cluster {} add up to more than 100"],
    ),
    (
        "Mapping {} exceeds 100% among all of it's weighted to mappings",
        &["the weights of mapping {} add up to more than 100"],
    ),
    (
        "External authorization cannot have accounts without users specified",
        &["accounts are allowed, but there is no user that could place others in them"],
    ),
    (
        "AllowedAccounts can only be a list of accounts or \"*\"",
        &["* stands beside other accounts, but it must stand alone"],
    ),
    (
        "XKey {} is not a valid public xkey",
        &["{} is not a public curve key"],
    ),
    (
        "the account Trace.Destination subject {} is not a valid publish subject",
        &["trace destination {} has wildcards: nothing can be published there"],
    ),
    (
        "the account Trace.Destination subject {}",
        &[
            "trace destination {} is empty",
            "trace destination {} has a space",
            "trace destination {} starts or ends with a dot",
            "trace destination {} has two dots in a row",
        ],
    ),
    (
        "the account Trace.Sampling value '{}' is not valid, should be in the range [1..100]",
        &["a trace sampling of {} is not between 1 and 100"],
    ),
    (
        "the account contains more imports than allowed by the operator",
        &["there are {} imports, and the operator allows {}"],
    ),
    (
        "the account contains more exports than allowed by the operator",
        &["there are {} exports, and the operator allows {}"],
    ),
    (
        "the account contains wildcard exports that are not allowed by the operator",
        &["export {} has wildcards, which the operator does not allow"],
    ),
    (
        "unknown cluster traffic option: {}",
        &["cluster traffic {} is neither system nor owner"],
    ),
    (
        "self-signed account JWTs shouldn't contain operator limits",
        &["an account that signs itself should not have limits: only its operator sets them"],
    ),
    (
        "Description is too long",
        &["the description has {} bytes, more than 8192"],
    ),
    (
        "Info URL is too long",
        &["the URL has {} bytes, more than 8192"],
    ),
    (
        "error parsing info url: no hostname or scheme",
        &["{} is not a URL with a scheme and a host"],
    ),
    (
        "invalid export type: {}",
        &["the export is neither a stream nor a service"],
    ),
    (
        "invalid response type for service: {}",
        &["response type {} of a service is not Singleton, Stream or Chunked"],
    ),
    (
        "invalid response type for stream: {}",
        &["a stream has response type {}, and streams have none"],
    ),
    (
        "AllowTrace only valid for service export",
        &["traces may pass an export of a stream, but only those of services"],
    ),
    (
        "latency tracking only permitted for services",
        &["latency is reported, but only that of services is"],
    ),
    (
        "sampling percentage needs to be between 1-100",
        &["a latency sampling of {} is neither headers nor between 1 and 100"],
    ),
    (
        "results subject can not contain wildcards",
        &["latency results {} has wildcards: nothing can be published there"],
    ),
    (
        "negative response threshold is invalid",
        &["the response threshold is negative"],
    ),
    (
        "response threshold only valid for services",
        &["there is a response threshold, which only services have"],
    ),
    (
        "Account Token Position can only be used with wildcard subjects: {}",
        &["an account token position needs a subject with wildcards, not {}"],
    ),
    (
        "Account Token Position {} exceeds length of subject '{}'",
        &["account token position {} is behind the last token of {}"],
    ),
    (
        "Account Token Position {} matches '{}' but must match a * in: {}",
        &["account token position {} is {} in {}, and must be *"],
    ),
    (
        "service export subject {} already exports {}",
        &["service export {} already exports {}"],
    ),
    (
        "stream export subject {} already exports {}",
        &["stream export {} already exports {}"],
    ),
    // Activations in imports share this one.
    (
        "invalid import type: {}",
        &[
            "the import is neither a stream nor a service",
            "the activation is neither for a stream nor for a service",
        ],
    ),
    (
        "AllowTrace only valid for stream import",
        &["traces may pass an import of a service, but only those of streams"],
    ),
    (
        "account to import from is not specified",
        &["the account to import from is missing"],
    ),
    (
        "the field to has been deprecated (use LocalSubject instead)",
        &["`to` is deprecated: use `local_subject`"],
    ),
    (
        "Local Subject replaces To",
        &["`local_subject` and `to` are both set: remove `to`"],
    ),
    (
        "sharing information (for latency tracking) is only valid for services: {}",
        &["latency of {} is shared, but only that of services can be"],
    ),
    (
        "import {} contains an invalid activation token",
        &["the activation token of {} is not one: {}"],
    ),
    (
        "activation token doesn't match account for import {}",
        &["the activation token of {} is not from account {}"],
    ),
    (
        "activation token doesn't match account it is being included in, {}",
        &["the activation token of {} is for another account, {}"],
    ),
    (
        "mismatch between token import type {} and type of import {}",
        &["the activation token of {} and the import are not both streams or both services"],
    ),
    (
        "activation token import subject {} doesn't match import {}",
        &["the activation token allows {}, which does not contain {}"],
    ),
    (
        "overlapping subject namespace for {} and {} in same account {}",
        &["{} overlaps {}, also imported from account {}"],
    ),
    (
        "overlapping subject namespace for {} in account {}",
        &["{} is imported twice from account {}"],
    ),
    (
        "both, renaming subject and subject, need to end or not end in >",
        &["local subject {} and the exporter's must both end in >, or neither"],
    ),
    (
        "Reference ${} in {} reference * in {} that do not exist",
        &["local subject {} refers to wildcard {}, which the exporter's subject does not have"],
    ),
    (
        "subject does not contain enough * or reference wildcards $[0-9]",
        &[
            "local subject {} has {} wildcards and references for the {} wildcards of the exporter's",
        ],
    ),
    (
        "invalid cidr {} in user src limits",
        &["{} is not a network such as 192.0.2.0/24"],
    ),
    (
        "time ranges start must contain a start",
        &["the start of a time range is missing"],
    ),
    (
        "time ranges end must contain an end",
        &["the end of a time range is missing"],
    ),
    (
        "start in time range is invalid {}",
        &["the start of a time range, {}, is not a time such as 15:04:05"],
    ),
    (
        "end in time range is invalid {}",
        &["the end of a time range, {}, is not a time such as 15:04:05"],
    ),
    (
        "could not parse iana time zone by name: {}",
        &["{} is not a time zone such as Europe/Zurich"],
    ),
    (
        "Permission Subject \"{}\" is not allowed to contain queue",
        &["{} has a queue, which only subscribe permissions have"],
    ),
    (
        "Permission Subject \"{}\" contains too many spaces",
        &["{} has more than one space"],
    ),
    (
        "Subject must be a user public key",
        &["subject {} is not the public key of a user"],
    ),
    (
        "Audience must be a server public key",
        &["audience {} is not the public key of a server"],
    ),
    (
        "Error or Jwt is required",
        &["there is neither a user's JWT nor an error"],
    ),
    (
        "Only Error or Jwt can be set",
        &["there is a user's JWT and an error as well"],
    ),
    (
        "issuer_account is not an account public key",
        &["the response's issuer account {} is not the public key of an account"],
    ),
    (
        "account_id is not an account public key",
        &["issuer account {} is not the public key of an account"],
    ),
    ("User nkey is required", &["the user's key is missing"]),
    (
        "User nkey {} is not a valid user public key",
        &["user key {} is not the public key of a user"],
    ),
    (
        "AuthUser {} is not a valid user public key",
        &["{} is not the public key of a user"],
    ),
    (
        "{} is not a valid account signing key",
        &["signing key {} is not the public key of an account"],
    ),
    (
        "Account {} is not a valid account public key",
        &["allowed account {} is not the public key of an account"],
    ),
    (
        "{} is not an operator public key",
        &["{} is not the public key of an operator"],
    ),
    (
        "{} is not an account public key",
        &["{} is not the public key of an account"],
    ),
    ("error parsing info url: {}", &["{} is not a URL: {}"]),
    (
        "subject cannot be empty",
        &[
            "subject \"\" is empty",
            "local subject {} renames an empty subject",
        ],
    ),
    (
        "subject {} cannot have spaces",
        &[
            "local subject {} has a space",
            "local subject {} must not have a space",
            "subject {} has a space",
        ],
    ),
    (
        "subject {} cannot start or end with a `.`",
        &[
            "local subject {} starts or ends with a dot",
            "subject {} starts or ends with a dot",
        ],
    ),
    (
        "subject {} cannot contain consecutive `.`",
        &[
            "local subject {} has two dots in a row",
            "subject {} has two dots in a row",
        ],
    ),
];

/// Whether `text` is `pattern` with something in each place.
fn fits(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split("{}");
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let pieces: Vec<_> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else {
        return rest.is_empty();
    };
    for piece in middle {
        match rest.split_once(piece) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn row(texts: impl Fn(usize) -> Vec<&'static str>, text: &str) -> usize {
    (0..ROWS.len())
        .find(|row| texts(*row).iter().any(|pattern| fits(pattern, text)))
        .unwrap_or_else(|| panic!("no row for: {text}"))
}

/// Go's findings as class and sentence, sorted.
pub fn go(findings: &[(Class, String)]) -> Vec<(Class, &'static str)> {
    let mut rows: Vec<_> = findings
        .iter()
        .map(|(class, text)| (*class, ROWS[row(|row| vec![ROWS[row].0], text)].0))
        .collect();
    rows.sort_unstable();
    rows
}

/// Our findings as class and Go's sentence, sorted. Go says of a scope's key what it says of
/// the system account.
pub fn ours(findings: &[Finding]) -> Vec<(Class, &'static str)> {
    let mut rows: Vec<_> = findings
        .iter()
        .map(|finding| {
            let is_scope =
                finding.field.starts_with("nats.signing_keys.") && finding.field.ends_with(".key");
            let sentence = if is_scope {
                "{} is not an account public key"
            } else {
                ROWS[row(|row| ROWS[row].1.to_vec(), &finding.text)].0
            };
            (finding.class, sentence)
        })
        .collect();
    rows.sort_unstable();
    rows
}

/// How often each of Go's sentences came up: what never does is not compared.
pub fn unseen<'s>(seen: impl IntoIterator<Item = &'s str>) -> Vec<&'static str> {
    let seen: std::collections::BTreeSet<_> = seen.into_iter().collect();
    ROWS.iter()
        .map(|row| row.0)
        .filter(|go| !seen.contains(go))
        .collect()
}
