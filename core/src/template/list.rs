//! One list of subjects.

use super::{Error, MAX_EXPANSIONS, Values};
use crate::canonical::same_fold;
use crate::tolerant::shortened;
use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// What the lists of a template have in common.
pub(super) struct List<'v> {
    pub(super) values: &'v Values<'v>,
    /// Bytes that may still be written.
    pub(super) work: usize,
}

/// A template in an entry, with its braces, and what may stand in its place.
struct Slot<'e> {
    text: &'e str,
    values: Vec<&'e str>,
    is_tag: bool,
}

impl<'v> List<'v> {
    /// Expands a list. Without a template in it, it stays as it is.
    pub(super) fn expand(&mut self, list: &[String], denied: bool) -> Result<Vec<String>, Error> {
        if list.iter().all(|entry| slots(entry).next().is_none()) {
            return Ok(list.to_vec());
        }
        let mut made = Vec::new();
        for entry in list {
            let slots = slots(entry)
                .map(|text| self.slot(entry, text, denied))
                .collect::<Result<Vec<_>, _>>()?;
            self.entry(entry, &slots, denied, &mut made)?;
        }
        Ok(made)
    }

    fn slot<'e>(&self, entry: &str, text: &'e str, denied: bool) -> Result<Slot<'e>, Error>
    where
        'v: 'e,
    {
        let Values {
            name,
            subject,
            tags,
            account_name,
            account_subject,
            account_tags,
        } = *self.values;
        let operation = text[2..text.len() - 2].trim();
        let one = [
            ("name()", name),
            ("subject()", subject),
            ("account-name()", account_name),
            ("account-subject()", account_subject),
        ];
        if let Some((_, value)) = one.into_iter().find(|(key, _)| same_fold(operation, key)) {
            return Ok(Slot {
                text,
                values: vec![value],
                is_tag: false,
            });
        }
        let (tag, tags) = if let Some(tag) = argument(operation, "tag(") {
            (tag, tags)
        } else if let Some(tag) = argument(operation, "account-tag(") {
            (tag, account_tags)
        } else {
            return Err(Error::Operation {
                entry: shortened(entry).into_owned(),
                operation: shortened(operation).into_owned(),
            });
        };
        let key: String = tag.chars().flat_map(lower).collect();
        let mut values: Vec<_> = tags
            .iter()
            .filter_map(|tag| tag.strip_prefix(&*key)?.strip_prefix(':'))
            .collect();
        if values.is_empty() {
            if denied {
                return Err(Error::Tag {
                    entry: shortened(entry).into_owned(),
                    tag: shortened(tag).into_owned(),
                });
            }
            // No subject has a space, so the entry is dropped.
            values.push(" ");
        }
        Ok(Slot {
            text,
            values,
            is_tag: true,
        })
    }

    /// Adds what an entry comes out as: each combination of the values, the last changing first.
    fn entry(
        &mut self,
        entry: &str,
        slots: &[Slot<'_>],
        denied: bool,
        made: &mut Vec<String>,
    ) -> Result<(), Error> {
        if slots.iter().any(|slot| slot.is_tag) {
            let count = slots.iter().try_fold(1usize, |count, slot| {
                let count = count.checked_mul(slot.values.len())?;
                (count <= MAX_EXPANSIONS).then_some(count)
            });
            if count.is_none_or(|count| made.len() + count > MAX_EXPANSIONS) {
                return Err(Error::Expansions {
                    entry: shortened(entry).into_owned(),
                });
            }
        }
        let mut chosen = vec![0; slots.len()];
        loop {
            let mut subject = entry.to_owned();
            for (slot, chosen) in slots.iter().zip(&chosen) {
                subject = self.replaced(&subject, slot.text, slot.values[*chosen])?;
            }
            if is_subject(&subject) {
                made.push(subject);
            } else if denied {
                return Err(Error::Subject {
                    entry: shortened(entry).into_owned(),
                });
            }
            let next = (0..slots.len())
                .rev()
                .find(|slot| chosen[*slot] + 1 < slots[*slot].values.len());
            let Some(next) = next else {
                return Ok(());
            };
            chosen[next] += 1;
            chosen[next + 1..].fill(0);
        }
    }

    /// The text with every `from` replaced, as long as there is work left.
    fn replaced(&mut self, text: &str, from: &str, to: &str) -> Result<String, Error> {
        let found = text.matches(from).count();
        let written = found
            .checked_mul(to.len())
            .and_then(|added| added.checked_add(text.len()))
            .ok_or(Error::Work)?;
        self.work = self.work.checked_sub(written).ok_or(Error::Work)?;
        Ok(text.replace(from, to))
    }
}

/// The templates in an entry, with their braces: `{{`, something without a closing brace, `}}`.
fn slots(entry: &str) -> impl Iterator<Item = &str> {
    let mut rest = entry;
    core::iter::from_fn(move || {
        loop {
            let open = rest.find("{{")?;
            let inner = &rest[open + 2..];
            let close = inner.find('}')?;
            let end = open + 2 + close;
            if close > 0 && rest[end..].starts_with("}}") {
                let text = &rest[open..end + 2];
                rest = &rest[end + 2..];
                return Some(text);
            }
            // What opens before this brace does not end in two.
            rest = &rest[end + 1..];
        }
    })
}

/// What stands in the parentheses. As in nats-server an operation in capitals is known, but then
/// its name stays in the argument.
fn argument<'o>(operation: &'o str, name: &str) -> Option<&'o str> {
    let head = operation.as_bytes().get(..name.len())?;
    let inner = operation.strip_suffix(')')?;
    head.eq_ignore_ascii_case(name.as_bytes())
        .then(|| inner.strip_prefix(name).unwrap_or(inner))
}

/// A letter in lower case, as Go's `strings.ToLower` has it: always one letter.
fn lower(letter: char) -> impl Iterator<Item = char> {
    letter.to_lowercase().take(1)
}

/// nats-server's `IsValidSubject`: no empty token, no white space, `>` only at the end.
fn is_subject(subject: &str) -> bool {
    let mut full = false;
    subject.split('.').all(|token| {
        let valid = !full && !token.is_empty() && !token.contains(['\t', '\n', '\x0C', '\r', ' ']);
        full = token == ">";
        valid
    })
}
