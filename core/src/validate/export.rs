//! Exports.

use super::Findings;
use super::common::{info, subject};
use super::overlap::Subjects;
use super::text::Quoted;
use crate::claims::ExportType;
use crate::claims::owned::{Export, ServiceLatency};
use crate::subject::Subject;
use alloc::collections::BTreeSet;
use alloc::format;

/// `Exports.Validate`.
pub(super) fn exports(exports: &[Export], found: &mut Findings<'_>) {
    for (index, one) in exports.iter().enumerate() {
        export(one, &format!("nats.exports.{index}"), found);
    }
    let is_service = |export: &Export| export.kind == Some(ExportType::Service);
    overlaps("service", exports, is_service, found);
    overlaps("stream", exports, |export| !is_service(export), found);
}

/// Of two exports of a kind none may contain the other; each containing subject is found once.
fn overlaps(
    kind: &str,
    exports: &[Export],
    is_kind: impl Fn(&Export) -> bool,
    found: &mut Findings<'_>,
) {
    let list = || {
        let exports = exports
            .iter()
            .enumerate()
            .filter(|(_, export)| is_kind(export));
        exports.map(|(index, export)| (index, Subject::new(&export.subject)))
    };
    let mut subjects = Subjects::new(list());
    let mut seen = BTreeSet::new();
    for (index, outer) in list().filter(|(_, outer)| seen.insert(outer.as_str())) {
        if found.is_full() {
            return;
        }
        let mut inner = None;
        let search = subjects.contained_in(&outer, |row| {
            inner = row.places.iter().copied().find(|place| *place != index);
            inner.is_some()
        });
        if search.is_err() {
            found.error(
                "nats.exports",
                format_args!("there are too many {kind} exports with wildcards to compare them"),
            );
            return;
        }
        if let Some(inner) = inner {
            let at = &format!("nats.exports.{index}.subject");
            let inner = Quoted(&exports[inner].subject);
            let outer = Quoted(outer.as_str());
            found.error(
                at,
                format_args!("{kind} export {outer} already exports {inner}"),
            );
        }
    }
}

/// `Export.Validate`.
fn export(export: &Export, at: &str, found: &mut Findings<'_>) {
    let is_service = export.kind == Some(ExportType::Service);
    let response = &export.response_type;
    let at_response = &format!("{at}.response_type");
    match export.kind {
        None => found.error(
            &format!("{at}.type"),
            format_args!("the export is neither a stream nor a service"),
        ),
        Some(ExportType::Service) => {
            if !matches!(response.as_str(), "" | "Singleton" | "Stream" | "Chunked") {
                let response = Quoted(response);
                let text = format_args!(
                    "response type {response} of a service is not Singleton, Stream or Chunked"
                );
                found.error(at_response, text);
            }
        }
        Some(ExportType::Stream) => {
            if !response.is_empty() {
                let response = Quoted(response);
                found.error(
                    at_response,
                    format_args!("a stream has response type {response}, and streams have none"),
                );
            }
            if export.allow_trace {
                let at = &format!("{at}.allow_trace");
                found.error(
                    at,
                    format_args!(
                        "traces may pass an export of a stream, but only those of services"
                    ),
                );
            }
        }
    }
    if let Some(latency) = &export.service_latency {
        let at = &format!("{at}.service_latency");
        if !is_service {
            found.error(
                at,
                format_args!("latency is reported, but only that of services is"),
            );
        }
        self::latency(latency, at, found);
    }
    let at_threshold = &format!("{at}.response_threshold");
    if export.response_threshold < 0 {
        found.error(
            at_threshold,
            format_args!("the response threshold is negative"),
        );
    } else if export.response_threshold > 0 && !is_service {
        found.error(
            at_threshold,
            format_args!("there is a response threshold, which only services have"),
        );
    }
    subject(&export.subject, &format!("{at}.subject"), found);
    token_position(export, &format!("{at}.account_token_position"), found);
    info(&export.description, &export.info_url, at, found);
}

/// `ServiceLatency.Validate`.
fn latency(latency: &ServiceLatency, at: &str, found: &mut Findings<'_>) {
    let sampling = latency.sampling.unwrap_or_default().0;
    if !(0..=100).contains(&sampling) {
        let at = &format!("{at}.sampling");
        found.error(
            at,
            format_args!(
                "a latency sampling of {sampling} is neither headers nor between 1 and 100"
            ),
        );
    }
    let at = &format!("{at}.results");
    let results = latency.results.as_deref().unwrap_or_default();
    subject(results, at, found);
    if Subject::new(results).has_wildcards() {
        let results = Quoted(results);
        found.error(
            at,
            format_args!("latency results {results} has wildcards: nothing can be published there"),
        );
    }
}

/// The token that is the importer's key must be one of the subject's `*`.
fn token_position(export: &Export, at: &str, found: &mut Findings<'_>) {
    let position = export.account_token_position;
    if position == 0 {
        return;
    }
    let subject = Subject::new(&export.subject);
    let shown = Quoted(&export.subject);
    if !subject.has_wildcards() {
        found.error(
            at,
            format_args!("an account token position needs a subject with wildcards, not {shown}"),
        );
        return;
    }
    let token = usize::try_from(position - 1)
        .ok()
        .and_then(|index| subject.tokens().nth(index));
    match token {
        None => found.error(
            at,
            format_args!("account token position {position} is behind the last token of {shown}"),
        ),
        Some("*") => {}
        Some(token) => {
            let token = Quoted(token);
            found.error(
                at,
                format_args!(
                    "account token position {position} is {token} in {shown}, and must be *"
                ),
            );
        }
    }
}
