//! Imports in a circle, which nats-server passes over (`server/accounts.go`,
//! `checkServiceImportsForCycles`, `checkStreamImportsForCycles`).

use super::operator::Operator;
use crate::error::Error;
use nkey_core::claims::ExportType;
use nkey_core::claims::owned::{Account, Import};
use nkey_core::subject::Subject;
use std::collections::{BTreeMap, BTreeSet};

/// As many accounts as the server follows.
const MAX_DEPTH: usize = 1024;

/// Accounts by public key.
#[derive(Default)]
pub struct Accounts(BTreeMap<String, Account>);

impl Accounts {
    /// All accounts of the operator that can be read.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn of(operator: &Operator) -> Result<Accounts, Error> {
        let entries = operator.accounts()?.into_iter();
        let readable = entries.filter_map(|name| operator.account(&name).ok());
        let claims = readable.map(|entry| (entry.sub().to_owned(), entry.claims.nats));
        Ok(Accounts(claims.collect()))
    }

    /// An account as it is going to be.
    pub fn set(&mut self, sub: &str, account: Account) {
        self.0.insert(sub.to_owned(), account);
    }

    /// Which imports of the account are part of a circle.
    pub fn circles(&self, sub: &str) -> Vec<usize> {
        let Some(account) = self.0.get(sub) else {
            return Vec::new();
        };
        let imports = account.imports.iter().enumerate();
        let in_circle = |import: &Import| {
            let start = || BTreeSet::from([sub.to_owned()]);
            match import.kind {
                Some(ExportType::Service) => {
                    self.service(&import.account, local(import), &mut start())
                }
                Some(ExportType::Stream) => [local(import), &import.subject]
                    .iter()
                    .any(|to| self.stream(&import.account, to, &mut start())),
                None => false,
            }
        };
        imports
            .filter(|(_, import)| in_circle(import))
            .map(|(index, _)| index)
            .collect()
    }

    fn imports(&self, sub: &str, kind: ExportType) -> impl Iterator<Item = &Import> {
        let imports = self.0.get(sub).map_or(&[][..], |account| &account.imports);
        imports
            .iter()
            .filter(move |import| import.kind == Some(kind))
    }

    fn service(&self, sub: &str, from: &str, visited: &mut BTreeSet<String>) -> bool {
        for import in self.imports(sub, ExportType::Service) {
            if visited.len() >= MAX_DEPTH || !collide(from, &import.subject) {
                continue;
            }
            if visited.contains(&import.account) {
                return true;
            }
            visited.insert(sub.to_owned());
            let narrower = narrower(from, local(import));
            if self.service(&import.account, narrower, visited) {
                return true;
            }
        }
        false
    }

    fn stream(&self, sub: &str, to: &str, visited: &mut BTreeSet<String>) -> bool {
        let exports = self.0.get(sub).map_or(&[][..], |account| &account.exports);
        let covers = |subject: &str| Subject::local(to).is_contained_in(&Subject::new(subject));
        if !exports
            .iter()
            .any(|export| export.kind == Some(ExportType::Stream) && covers(&export.subject))
        {
            return false;
        }
        for import in self.imports(sub, ExportType::Stream) {
            if visited.len() >= MAX_DEPTH || !collide(to, local(import)) {
                continue;
            }
            if visited.contains(&import.account) {
                return true;
            }
            visited.insert(sub.to_owned());
            let narrower = narrower(to, local(import));
            if self.stream(&import.account, narrower, visited) {
                return true;
            }
        }
        false
    }
}

/// The subject in the importing account.
fn local(import: &Import) -> &str {
    [&import.local_subject, &import.to]
        .into_iter()
        .find(|subject| !subject.is_empty())
        .unwrap_or(&import.subject)
}

fn narrower<'s>(subject: &'s str, other: &'s str) -> &'s str {
    if Subject::local(other).is_contained_in(&Subject::local(subject)) {
        other
    } else {
        subject
    }
}

/// Whether a subject can be one of both.
fn collide(one: &str, two: &str) -> bool {
    let (one, two) = (Subject::local(one), Subject::local(two));
    let (mut one, mut two) = (one.tokens(), two.tokens());
    loop {
        match (one.next(), two.next()) {
            (None, None) | (Some(">"), Some(_)) | (Some(_), Some(">")) => return true,
            (Some(a), Some(b)) if a == b || a == "*" || b == "*" => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nkey_core::claims::owned::Export;

    fn import(kind: ExportType, account: &str, subject: &str, local: &str) -> Import {
        Import {
            account: account.to_owned(),
            subject: subject.to_owned(),
            local_subject: local.to_owned(),
            kind: Some(kind),
            ..Import::default()
        }
    }

    fn accounts(kind: ExportType, imports: &[(&str, &str, &str, &str)]) -> Accounts {
        let mut accounts = Accounts::default();
        for (sub, from, subject, local) in imports {
            let mut account = accounts.0.get(*sub).cloned().unwrap_or_default();
            account.imports.push(import(kind, from, subject, local));
            account.exports = vec![Export {
                subject: ">".to_owned(),
                kind: Some(kind),
                ..Export::default()
            }];
            accounts.set(sub, account);
        }
        accounts
    }

    #[test]
    fn a_circle_is_found_from_each_of_its_accounts() {
        for kind in [ExportType::Stream, ExportType::Service] {
            let two = accounts(kind, &[("A", "B", "x", ""), ("B", "A", "x", "")]);
            assert_eq!((two.circles("A"), two.circles("B")), (vec![0], vec![0]));
            let three = accounts(
                kind,
                &[
                    ("A", "B", "x.>", ""),
                    ("B", "C", "x.y", ""),
                    ("C", "A", "x.*", ""),
                    ("C", "D", "z", ""),
                ],
            );
            assert_eq!((three.circles("A"), three.circles("C")), (vec![0], vec![0]));
            let none = accounts(
                kind,
                &[
                    ("A", "B", "x", ""),
                    ("B", "A", "y", ""),
                    ("B", "C", "x", ""),
                ],
            );
            assert_eq!((none.circles("A"), none.circles("B")), (vec![], vec![]));
            assert_eq!(none.circles("nobody"), Vec::<usize>::new());
        }
    }

    #[test]
    fn subjects_collide_where_one_can_be_both() {
        for (one, two, wanted) in [
            ("a", "a", true),
            ("a", "b", false),
            ("a.*", "*.b", true),
            ("a.>", "a.b.c", true),
            ("a.>", "a", false),
            ("a", "a.b", false),
            (">", "a.b", true),
        ] {
            assert_eq!(collide(one, two), wanted, "{one} {two}");
            assert_eq!(collide(two, one), wanted, "{two} {one}");
        }
    }
}
