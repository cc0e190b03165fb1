//! Which subjects contain which, without comparing all pairs.

use crate::subject::Subject;
use alloc::vec;
use alloc::vec::Vec;

/// Most steps of one search through all subjects. A token of 1 MiB holds some 24,000 exports; only
/// with wildcards made for it do they need more.
const MAX_STEPS: usize = 10_000_000;

/// Subjects in the order of their tokens: those that begin alike stand together.
pub(super) struct Subjects<'s> {
    rows: Vec<Row<'s>>,
    steps: usize,
}

/// A subject that stands once or more often.
pub(super) struct Row<'s> {
    tokens: Vec<&'s str>,
    /// Where it stands, ascending.
    pub(super) places: Vec<usize>,
}

/// The subjects are too many, and too alike, to find all that contain each other.
pub(super) struct TooMany;

/// Rows from `start` to `end` begin with the same `depth` tokens.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    depth: usize,
}

impl<'s> Subjects<'s> {
    pub(super) fn new(subjects: impl Iterator<Item = (usize, Subject<'s>)>) -> Subjects<'s> {
        let mut all: Vec<(Vec<&str>, usize)> = subjects
            .map(|(place, subject)| (subject.tokens().collect(), place))
            .collect();
        all.sort_unstable();
        let mut rows: Vec<Row<'_>> = Vec::new();
        for (tokens, place) in all {
            match rows.last_mut().filter(|row| row.tokens == tokens) {
                Some(row) => row.places.push(place),
                None => rows.push(Row {
                    tokens,
                    places: vec![place],
                }),
            }
        }
        Subjects { rows, steps: 0 }
    }

    /// The rows that stand for what `outer` contains, until `seen` says that it is enough.
    pub(super) fn contained_in(
        &mut self,
        outer: &Subject<'_>,
        mut seen: impl FnMut(&Row<'s>) -> bool,
    ) -> Result<(), TooMany> {
        let outer: Vec<_> = outer.tokens().collect();
        let mut spans = vec![self.all()];
        while let Some(span) = spans.pop() {
            let (ends, children) = self.split(span)?;
            match outer.get(span.depth) {
                None => {
                    if ends.is_some_and(|row| seen(&self.rows[row])) {
                        return Ok(());
                    }
                }
                Some(&">") if span.depth + 1 == outer.len() => {
                    for row in children.start..children.end {
                        self.step()?;
                        if seen(&self.rows[row]) {
                            return Ok(());
                        }
                    }
                }
                Some(&"*") => {
                    let mut rest = children;
                    while rest.start < rest.end {
                        let child = self.child(rest, self.rows[rest.start].tokens[span.depth]);
                        self.step()?;
                        rest.start = child.end;
                        spans.push(child);
                    }
                }
                Some(token) => spans.push(self.child(children, token)),
            }
        }
        Ok(())
    }

    /// The rows that contain `inner`, until `seen` says that it is enough.
    pub(super) fn containing(
        &mut self,
        inner: &Subject<'_>,
        mut seen: impl FnMut(&Row<'s>) -> bool,
    ) -> Result<(), TooMany> {
        let inner: Vec<_> = inner.tokens().collect();
        let mut spans = vec![self.all()];
        while let Some(span) = spans.pop() {
            let (ends, children) = self.split(span)?;
            let Some(&token) = inner.get(span.depth) else {
                if ends.is_some_and(|row| seen(&self.rows[row])) {
                    return Ok(());
                }
                continue;
            };
            let full = self.child(children, ">");
            let (ends, _) = self.split(full)?;
            // A last `>` stands for all that follows, and for itself.
            let itself = token == ">" && span.depth + 1 == inner.len();
            if !itself && ends.is_some_and(|row| seen(&self.rows[row])) {
                return Ok(());
            }
            spans.push(self.child(children, token));
            if token != "*" {
                spans.push(self.child(children, "*"));
            }
        }
        Ok(())
    }

    fn all(&self) -> Span {
        Span {
            start: 0,
            end: self.rows.len(),
            depth: 0,
        }
    }

    /// The row that ends here, if one does, and those that go on.
    fn split(&mut self, span: Span) -> Result<(Option<usize>, Span), TooMany> {
        self.step()?;
        let rows = &self.rows[span.start..span.end];
        let ends = rows
            .first()
            .is_some_and(|row| row.tokens.len() == span.depth);
        let start = span.start + usize::from(ends);
        Ok((ends.then_some(span.start), Span { start, ..span }))
    }

    /// Of rows that go on, those that do with `token`.
    fn child(&self, span: Span, token: &str) -> Span {
        let rows = &self.rows[span.start..span.end];
        let before = rows.partition_point(|row| row.tokens[span.depth] < token);
        let with = rows[before..].partition_point(|row| row.tokens[span.depth] == token);
        Span {
            start: span.start + before,
            end: span.start + before + with,
            depth: span.depth + 1,
        }
    }

    fn step(&mut self) -> Result<(), TooMany> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(TooMany);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All subjects of up to three of these tokens.
    fn subjects() -> Vec<alloc::string::String> {
        let tokens = ["a", "b", "*", ">", ""];
        let mut all = Vec::new();
        for first in tokens {
            all.push(first.into());
            for second in tokens {
                all.push([first, second].join("."));
                all.extend(tokens.map(|third| [first, second, third].join(".")));
            }
        }
        all
    }

    #[test]
    fn the_same_pairs_as_by_comparing_all() {
        let texts = subjects();
        let all = || texts.iter().map(|text| Subject::new(text)).enumerate();
        let mut index = Subjects::new(all().chain(all()));
        for (_, subject) in all() {
            let wanted = |contains: &dyn Fn(&Subject<'_>) -> bool| -> Vec<usize> {
                let places = all().filter(|(_, other)| contains(other));
                places.flat_map(|(place, _)| [place; 2]).collect()
            };
            let mut inner = Vec::new();
            let mut outer = Vec::new();
            let found = index.contained_in(&subject, |row| {
                inner.extend_from_slice(&row.places);
                false
            });
            assert!(found.is_ok());
            let found = index.containing(&subject, |row| {
                outer.extend_from_slice(&row.places);
                false
            });
            assert!(found.is_ok());
            inner.sort_unstable();
            outer.sort_unstable();
            assert_eq!(
                inner,
                wanted(&|other| other.is_contained_in(&subject)),
                "{subject:?}"
            );
            assert_eq!(
                outer,
                wanted(&|other| subject.is_contained_in(other)),
                "{subject:?}"
            );
        }
    }
}
