//! Subjects as nats-io/jwt judges them (`types.go`), without alloc.
//!
//! A subject is tokens divided by dots; `*` stands for one token, a last `>` for one or more.
//! An import's local subject may also hold `$1`, `$2`, … for the wildcards of the exporter's.

use core::fmt;

/// What is wrong with a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is empty.
    Empty,
    /// It has a space.
    Space,
    /// It starts or ends with a dot.
    Edge,
    /// It has two dots in a row.
    Gap,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Empty => "is empty",
            Fault::Space => "has a space",
            Fault::Edge => "starts or ends with a dot",
            Fault::Gap => "has two dots in a row",
        })
    }
}

/// What is wrong with an import's local subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenamingFault {
    /// As in any subject.
    Subject(Fault),
    /// The exporter's subject, which it renames, is empty.
    From,
    /// It has a space. Said again beside [`Fault::Space`], as nats-io/jwt does.
    Space,
    /// Only one of the two subjects ends in `>`.
    Full,
    /// It refers to this wildcard of the exporter's subject, which has fewer.
    Reference(i64),
    /// It does not use each wildcard of the exporter's subject once.
    Count {
        /// Wildcards and references in the local subject.
        found: usize,
        /// Wildcards in the exporter's.
        wanted: usize,
    },
}

impl fmt::Display for RenamingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RenamingFault::Subject(fault) => fault.fmt(f),
            RenamingFault::From => f.write_str("renames an empty subject"),
            RenamingFault::Space => f.write_str("must not have a space"),
            RenamingFault::Full => f.write_str("and the exporter's must both end in >, or neither"),
            RenamingFault::Reference(wildcard) => {
                write!(
                    f,
                    "refers to wildcard {wildcard}, which the exporter's subject does not have"
                )
            }
            RenamingFault::Count { found, wanted } => write!(
                f,
                "has {found} wildcards and references for the {wanted} wildcards of the exporter's"
            ),
        }
    }
}

/// A subject, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    text: &'a str,
    local: bool,
}

impl<'a> Subject<'a> {
    /// The subject with this text.
    pub const fn new(text: &'a str) -> Subject<'a> {
        Subject { text, local: false }
    }

    /// An import's local subject, whose references `$1`, `$2`, … are read as `*` (`ToSubject`).
    pub const fn local(text: &'a str) -> Subject<'a> {
        Subject { text, local: true }
    }

    /// The text as it was given.
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// The tokens between the dots; at least one, which may be empty.
    pub fn tokens(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        let local = self.local;
        self.text.split('.').map(move |token| {
            if local && reference(token).is_some() {
                "*"
            } else {
                token
            }
        })
    }

    /// Whether nothing is wrong with it.
    pub fn is_valid(&self) -> bool {
        self.faults().next().is_none()
    }

    /// What is wrong with it (`Subject.Validate`): nothing more when it is empty.
    pub fn faults(&self) -> impl Iterator<Item = Fault> + Clone + use<> {
        let text = self.text;
        let full = !text.is_empty();
        [
            (!full).then_some(Fault::Empty),
            text.contains(' ').then_some(Fault::Space),
            (full && (text.starts_with('.') || text.ends_with('.'))).then_some(Fault::Edge),
            text.contains("..").then_some(Fault::Gap),
        ]
        .into_iter()
        .flatten()
    }

    /// Whether it stands for more than one subject: a token `*`, or `>` at the end.
    pub fn has_wildcards(&self) -> bool {
        self.wildcard_tokens() > 0 || self.is_full()
    }

    /// Tokens that are `*`.
    pub fn wildcard_tokens(&self) -> usize {
        self.tokens().filter(|token| *token == "*").count()
    }

    /// Whether the last token is `>`.
    pub fn is_full(&self) -> bool {
        self.text == ">" || self.text.ends_with(".>")
    }

    /// Whether every subject that this one stands for is one of `other`'s (`IsContainedIn`).
    ///
    /// As in nats-io/jwt, `>` counts as a token: `a.>` is contained in `a.*`.
    pub fn is_contained_in(&self, other: &Subject<'_>) -> bool {
        let mut mine = self.tokens();
        let mut theirs = other.tokens().peekable();
        while let Some(their) = theirs.next() {
            match mine.next() {
                None => return false,
                Some(_) if their == ">" && theirs.peek().is_none() => return true,
                Some(my) if my != their && their != "*" => return false,
                Some(_) => {}
            }
        }
        mine.next().is_none()
    }

    /// What is wrong with this local subject of an import of `from` (`RenamingSubject.Validate`).
    pub fn renaming_faults<'s>(
        &self,
        from: &Subject<'s>,
    ) -> impl Iterator<Item = RenamingFault> + Clone + use<'a, 's> {
        let wanted = from.wildcard_tokens();
        let text = self.text;
        let index = move |token: &str| {
            reference(token).map(|index| (index, usize::try_from(index).unwrap_or(0)))
        };
        let outside = text
            .split('.')
            .filter_map(index)
            .filter(move |(_, index)| *index > wanted)
            .map(|(index, _)| RenamingFault::Reference(index));
        let found = text
            .split('.')
            .filter(|token| *token == "*" || index(token).is_some_and(|(_, index)| index <= wanted))
            .count();
        let plain = Subject::new(text);
        let before = [
            from.text.is_empty().then_some(RenamingFault::From),
            text.contains(' ').then_some(RenamingFault::Space),
            (plain.is_full() != from.is_full()).then_some(RenamingFault::Full),
        ];
        let after = (found != wanted).then_some(RenamingFault::Count { found, wanted });
        plain
            .faults()
            .map(RenamingFault::Subject)
            .chain(before.into_iter().flatten())
            .chain(outside)
            .chain(after)
    }
}

/// The number behind the dollar sign; any that Go's `Atoi` reads, 0 and signs included.
fn reference(token: &str) -> Option<i64> {
    token.strip_prefix('$')?.parse().ok()
}

#[cfg(test)]
mod tests;
