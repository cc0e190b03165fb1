//! Finding exports and imports of an account.

use super::token::Entry;
use crate::error::Error;
use crate::key_argument::shell_word;
use crate::output::clean_inline;
use crate::prompt;
use nkey_core::claims::ExportType;
use nkey_core::claims::owned::{Account, Export};
use nkey_core::subject::Subject;

/// Stream or service.
pub const fn kind(service: bool) -> ExportType {
    if service {
        ExportType::Service
    } else {
        ExportType::Stream
    }
}

/// An export as people choose it: `service a.b (private)`.
pub fn label(export: &Export) -> String {
    let kind = export.kind.map_or("unknown", ExportType::name);
    let private = if export.token_req { " (private)" } else { "" };
    format!("{kind} {}{private}", export.subject)
}

/// Which export has exactly this subject; without one the only one, or the one that a person at
/// a terminal chooses. The first of two kinds, as nsc.
///
/// # Errors
/// If there is none, or several and none is named.
pub fn find(account: &Entry<Account>, subject: Option<&str>) -> Result<usize, Error> {
    let exports = &account.claims.nats.exports;
    let of = clean_inline(&account.name);
    let labels = || exports.iter().map(label).collect::<Vec<_>>();
    match (subject, exports.as_slice()) {
        (_, []) => Err(Error::failed(format!("account {of} has no exports"))
            .next(format!("nkey add export -a {} -s SUBJECT", shell_word(&of)))),
        (Some(subject), _) => exports
            .iter()
            .position(|export| export.subject == subject)
            .ok_or_else(|| {
                Error::failed(format!(
                    "account {of} has no export {}; it has: {}",
                    clean_inline(subject),
                    clean_inline(&labels().join(", "))
                ))
            }),
        (None, [_]) => Ok(0),
        (None, _) if prompt::is_possible() => prompt::choose("Which export?", &labels()),
        (None, _) => Err(Error::usage(format!(
            "account {of} has several exports: name one by -s: {}",
            clean_inline(&labels().join(", "))
        ))),
    }
}

/// Which export of this kind covers the subject; without one the only one, or the one that a
/// person at a terminal chooses.
///
/// # Errors
/// If there is none, or several and none is named.
pub fn covering(
    account: &Entry<Account>,
    kind: ExportType,
    subject: Option<&str>,
) -> Result<usize, Error> {
    let of = clean_inline(&account.name);
    let kind_name = kind.name();
    let exports = account.claims.nats.exports.iter().enumerate();
    let found: Vec<(usize, &Export)> = exports
        .filter(|(_, export)| export.kind == Some(kind))
        .collect();
    let labels = || {
        found
            .iter()
            .map(|(_, export)| label(export))
            .collect::<Vec<_>>()
    };
    match (subject, found.as_slice()) {
        (_, []) => Err(Error::failed(format!(
            "account {of} has no {kind_name} exports"
        ))),
        (Some(subject), _) => found
            .iter()
            .find(|(_, export)| {
                Subject::new(subject).is_contained_in(&Subject::new(&export.subject))
            })
            .map(|(index, _)| *index)
            .ok_or_else(|| {
                Error::failed(format!(
                    "account {of} has no {kind_name} export for {}; it has: {}",
                    clean_inline(subject),
                    clean_inline(&labels().join(", "))
                ))
            }),
        (None, [(index, _)]) => Ok(*index),
        (None, _) if prompt::is_possible() => {
            Ok(found[prompt::choose("Which export?", &labels())?].0)
        }
        (None, _) => Err(Error::usage(format!(
            "account {of} has several {kind_name} exports: name one by -s: {}",
            clean_inline(&labels().join(", "))
        ))),
    }
}
