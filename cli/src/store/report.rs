//! What was found in a store, token by token.

use super::limits::Limits;
use super::token::{Entry, Typed};
use crate::error::Error;
use crate::input::time::is_zone;
use nkey_core::jwt::Algorithm;
use nkey_core::tolerant::{AnyClaims, Notes};
use nkey_core::validate::{self, Class};
use serde::Serialize;
use std::path::Path;

/// How far clocks may be apart before a token counts as dated ahead, in seconds: the agent's own.
const IAT_TOLERANCE: i64 = 300;

/// Something that validation found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Whose token: `operator X`, `account A`, `user A/U`, or a line of a file.
    pub entity: String,
    /// Its file.
    pub file: String,
    /// `blocking`, `time` or `warning`.
    pub class: &'static str,
    /// The member, as keys divided by dots; empty for the whole token.
    pub field: String,
    /// What is wrong.
    pub text: String,
}

/// Everything that was found.
#[derive(Default)]
pub struct Report {
    /// The findings in the order of the tokens.
    pub findings: Vec<Finding>,
    /// How many tokens were looked at.
    pub tokens: usize,
    entity: String,
    file: String,
    limits: Limits,
}

const fn class_name(class: Class) -> &'static str {
    match class {
        Class::Blocking => "blocking",
        Class::Time => "time",
        Class::Warning => "warning",
    }
}

impl Report {
    /// An empty one that knows how much the keys' holders sign.
    pub(super) fn new(limits: Limits) -> Report {
        Report {
            limits,
            ..Report::default()
        }
    }

    /// Whether a server would refuse something: then `validate` and `push` fail.
    pub fn is_blocking(&self) -> bool {
        self.blocking_count() != 0
    }

    /// How many findings a server would refuse something for.
    pub fn blocking_count(&self) -> usize {
        let warning = class_name(Class::Warning);
        self.findings
            .iter()
            .filter(|finding| finding.class != warning)
            .count()
    }

    /// What servers would refuse, whatever the time.
    pub fn refused(&self) -> impl Iterator<Item = &Finding> {
        let blocking = class_name(Class::Blocking);
        self.findings
            .iter()
            .filter(move |finding| finding.class == blocking)
    }

    /// What follows is about another token.
    pub fn begin(&mut self, entity: String, file: &Path) {
        self.entity = entity;
        self.file = file.display().to_string();
        self.tokens += 1;
    }

    /// Adds a finding about the current token.
    pub fn push(&mut self, class: Class, field: &str, text: impl ToString) {
        self.findings.push(Finding {
            entity: self.entity.clone(),
            file: self.file.clone(),
            class: class_name(class),
            field: field.to_owned(),
            text: text.to_string(),
        });
    }

    pub(super) fn blocking(&mut self, field: &str, text: impl ToString) {
        self.push(Class::Blocking, field, text);
    }

    /// Adds what is to be said of claims by themselves.
    pub fn claims(&mut self, claims: &AnyClaims, notes: &Notes, version: Algorithm, now: i64) {
        if version == Algorithm::V1 {
            self.push(
                Class::Warning,
                "nats.version",
                "this is a token of version 1, which nothing issues any more",
            );
        }
        for (path, _) in &notes.unknown {
            self.push(
                Class::Warning,
                path,
                "no claim of this type has this member: servers pass over it",
            );
        }
        for path in &notes.spelled {
            self.push(
                Class::Warning,
                path,
                "this member is written in another letter case; servers read it all the same",
            );
        }
        for path in &notes.repeated {
            self.push(
                Class::Warning,
                path,
                "this member stands more than once; servers read the last",
            );
        }
        let ahead = claims.standard().iat.saturating_sub(now);
        if ahead > IAT_TOLERANCE {
            self.push(
                Class::Warning,
                "iat",
                format_args!("the token is dated {ahead} s ahead of this clock: it escapes revocations until then"),
            );
        }
        for finding in validate::validate(&claims.effective(), now, &is_zone) {
            self.push(finding.class, &finding.field, finding.text);
        }
    }

    /// Starts the token of `entry`, if it can be read, and adds what is to be said of it by itself.
    pub(super) fn entry<N: Typed + Clone>(
        &mut self,
        entity: String,
        file: &Path,
        entry: Result<Entry<N>, Error>,
        now: i64,
    ) -> Option<Entry<N>> {
        self.begin(entity, file);
        match entry {
            Ok(entry) => {
                self.claims(
                    &N::into_any(entry.claims.clone()),
                    &entry.notes,
                    entry.version,
                    now,
                );
                let issuer = &entry.claims.standard.iss;
                if let Some(warning) = self.limits.warning(&entry.token, issuer) {
                    self.push(Class::Warning, "", warning);
                }
                let name = &entry.claims.standard.name;
                if *name != entry.name {
                    self.push(
                        Class::Warning,
                        "name",
                        format_args!("the file is named {}, the token {name}", entry.name),
                    );
                }
                Some(entry)
            }
            Err(error) => {
                self.blocking("", error);
                None
            }
        }
    }
}
