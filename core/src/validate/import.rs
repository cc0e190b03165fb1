//! Imports.

use super::common::subject;
use super::overlap::{Row, Subjects, TooMany};
use super::text::Quoted;
use super::{Class, Findings, MAX_FINDINGS, other};
use crate::claims::ExportType;
use crate::claims::owned::{Activation, Claims, Import};
use crate::subject::Subject;
use crate::tolerant::{AnyClaims, Decoded, decode};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec::Vec;

/// `Imports.Validate`: each import, and service imports of one account that overlap here.
pub(super) fn imports(imports: &[Import], importer: &str, found: &mut Findings<'_>) {
    let mut by_account: BTreeMap<&str, Vec<(usize, Subject<'_>)>> = BTreeMap::new();
    for (index, one) in imports.iter().enumerate() {
        if one.kind == Some(ExportType::Service) {
            let list = by_account.entry(&one.account).or_default();
            list.push((index, local(one).1));
        }
        import(one, importer, &format!("nats.imports.{index}"), found);
    }
    for list in by_account.values() {
        if overlaps(imports, list, found).is_err() {
            found.error(
                "nats.imports",
                format_args!("there are too many service imports with wildcards to compare them"),
            );
        }
    }
}

/// Each import of one account with those before it.
fn overlaps(
    imports: &[Import],
    list: &[(usize, Subject<'_>)],
    found: &mut Findings<'_>,
) -> Result<(), TooMany> {
    let mut subjects = Subjects::new(list.iter().copied());
    for &(index, here) in list {
        if found.is_full() {
            break;
        }
        let mut before = BTreeSet::new();
        let mut again = false;
        let mut see = |row: &Row<'_>| {
            let first = row.places.first().copied().filter(|first| *first < index);
            before.extend(first);
            again |= first.is_some() && row.places.binary_search(&index).is_ok();
            before.len() >= MAX_FINDINGS
        };
        subjects.contained_in(&here, &mut see)?;
        subjects.containing(&here, &mut see)?;
        let at = &format!("nats.imports.{index}.{}", local(&imports[index]).0);
        let account = Quoted(&imports[index].account);
        let shown = Quoted(here.as_str());
        for other in before {
            let (_, other) = local(&imports[other]);
            let other = Quoted(other.as_str());
            found.error(
                at,
                format_args!("{shown} overlaps {other}, also imported from account {account}"),
            );
        }
        if again {
            // nats-io/jwt finds an equal subject a second time.
            found.error(
                at,
                format_args!("{shown} is imported twice from account {account}"),
            );
        }
    }
    Ok(())
}

/// The subject that a service import takes in this account, and its member.
fn local(import: &Import) -> (&'static str, Subject<'_>) {
    if !import.to.is_empty() {
        ("to", Subject::new(&import.to))
    } else if !import.local_subject.is_empty() {
        ("local_subject", Subject::local(&import.local_subject))
    } else {
        ("subject", Subject::new(&import.subject))
    }
}

/// `Import.Validate`.
fn import(import: &Import, importer: &str, at: &str, found: &mut Findings<'_>) {
    let is_service = import.kind == Some(ExportType::Service);
    let shown = Quoted(&import.subject);
    if import.kind.is_none() {
        found.error(
            &format!("{at}.type"),
            format_args!("the import is neither a stream nor a service"),
        );
    }
    if is_service && import.allow_trace {
        let at = &format!("{at}.allow_trace");
        found.error(
            at,
            format_args!("traces may pass an import of a service, but only those of streams"),
        );
    }
    if import.account.is_empty() {
        found.error(
            &format!("{at}.account"),
            format_args!("the account to import from is missing"),
        );
    }
    if !import.to.is_empty() {
        let at = &format!("{at}.to");
        found.push(
            Class::Warning,
            at,
            format_args!("`to` is deprecated: use `local_subject`"),
        );
    }
    subject(&import.subject, &format!("{at}.subject"), found);
    if !import.local_subject.is_empty() {
        let at = &format!("{at}.local_subject");
        let local = Quoted(&import.local_subject);
        for fault in
            Subject::new(&import.local_subject).renaming_faults(&Subject::new(&import.subject))
        {
            found.error(at, format_args!("local subject {local} {fault}"));
        }
        if !import.to.is_empty() {
            found.error(
                at,
                format_args!("`local_subject` and `to` are both set: remove `to`"),
            );
        }
    }
    if import.share && !is_service {
        let at = &format!("{at}.share");
        found.error(
            at,
            format_args!("latency of {shown} is shared, but only that of services can be"),
        );
    }
    if import.token.is_empty() {
        return;
    }
    let at = &format!("{at}.token");
    match decode(&import.token) {
        Ok(Decoded {
            claims: AnyClaims::Activation(token),
            ..
        }) => activation(import, &token, importer, at, found),
        Ok(_) => found.error(
            at,
            format_args!("the activation token of {shown} is not one: it is another claim"),
        ),
        Err(why) => found.error(
            at,
            format_args!("the activation token of {shown} is not one: {why}"),
        ),
    }
}

/// Whether the token in an import is meant for it.
fn activation(
    import: &Import,
    token: &Claims<Activation>,
    importer: &str,
    at: &str,
    found: &mut Findings<'_>,
) {
    let shown = Quoted(&import.subject);
    let account = &import.account;
    if token.standard.iss != *account && token.nats.issuer_account != *account {
        let account = Quoted(account);
        found.error(
            at,
            format_args!("the activation token of {shown} is not from account {account}"),
        );
    }
    if token.standard.sub != importer {
        let sub = Quoted(&token.standard.sub);
        found.error(
            at,
            format_args!("the activation token of {shown} is for another account, {sub}"),
        );
    }
    if token.nats.kind != import.kind {
        found.error(at, format_args!("the activation token of {shown} and the import are not both streams or both services"));
    }
    other::activation(&token.nats, at, found);
    let wanted = match local(import) {
        ("to", to) if import.kind == Some(ExportType::Service) => to,
        _ => Subject::new(&import.subject),
    };
    if !wanted.is_contained_in(&Subject::new(&token.nats.subject)) {
        let allowed = Quoted(&token.nats.subject);
        found.error(
            at,
            format_args!("the activation token allows {allowed}, which does not contain {shown}"),
        );
    }
}
