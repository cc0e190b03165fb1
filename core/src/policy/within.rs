//! Subjects that permissions must lie within.

use super::{MAX_SUBJECTS, MAX_SUBJECTS_LEN};
use serde::{Deserialize, Serialize};

/// Subjects divided by single spaces, which none can have. The empty text is no subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subjects<'a>(pub &'a str);

impl<'a> Subjects<'a> {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.0.split(' ').filter(|subject| !subject.is_empty())
    }

    /// Whether every subject that `subject` stands for is one of these.
    pub fn contain(&self, subject: &str) -> bool {
        self.iter().any(|outer| is_within(subject, outer))
    }

    pub(super) fn is_valid(&self) -> bool {
        self.0.len() <= MAX_SUBJECTS_LEN
            && self.iter().count() <= MAX_SUBJECTS
            && (self.0.is_empty() || self.0.split(' ').all(is_sound))
    }
}

/// Whether the subject is one that servers take: no empty token, no white space, `>` only at the end.
fn is_sound(subject: &str) -> bool {
    let mut tokens = subject.split('.').peekable();
    while let Some(token) = tokens.next() {
        if token.is_empty()
            || token.contains(|letter: char| letter.is_whitespace() || letter.is_control())
            || (token == ">" && tokens.peek().is_some())
        {
            return false;
        }
    }
    true
}

/// Whether `inner` stands for nothing that `outer` does not.
///
/// As servers match, not as nats-io/jwt's `IsContainedIn` does, for which `a.>` lies in `a.*`.
pub fn is_within(inner: &str, outer: &str) -> bool {
    if !is_sound(inner) || !is_sound(outer) {
        return false;
    }
    let mut inner = inner.split('.');
    for outer in outer.split('.') {
        match (inner.next(), outer) {
            (None, _) => return false,
            (Some(_), ">") => return true,
            (Some(">"), _) => return false,
            (Some(_), "*") => {}
            (Some(token), _) if token != outer => return false,
            (Some(_), _) => {}
        }
    }
    inner.next().is_none()
}
