//! What a connected user may do: rules over subjects.

use nkey_core::claims::owned::{Permission, Permissions};
use nkey_core::subject::Subject;
use std::time::Duration;

/// A subject that a rule names, perhaps only for a queue group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The subject; may have wildcards.
    pub subject: String,
    /// The queue group; may have wildcards.
    pub queue: Option<String>,
}

impl Entry {
    fn covers(&self, subject: &str) -> bool {
        Subject::new(subject).is_contained_in(&Subject::new(&self.subject))
    }

    fn covers_queue(&self, queue: &str) -> bool {
        let own = self.queue.as_deref().unwrap_or_default();
        queue == own || Subject::new(queue).is_contained_in(&Subject::new(own))
    }
}

/// What is allowed, if not everything, and what of it is denied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Nothing but this; none: everything.
    pub allow: Option<Vec<Entry>>,
    /// Not this.
    pub deny: Vec<Entry>,
}

/// Leave to answer: how often and how long; none: without end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    /// How many answers to one request.
    pub most: Option<i64>,
    /// How long after the request.
    pub within: Option<Duration>,
}

/// What a user may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Publishing.
    pub publish: Rule,
    /// Subscribing.
    pub subscribe: Rule,
    /// Answering what was received.
    pub answers: Option<Answers>,
    /// The largest payload; none: the server's limit.
    pub payload: Option<i64>,
    /// Most subscriptions.
    pub subs: Option<i64>,
    /// Whether the permissions are the account's default ones.
    pub by_default: bool,
}

impl Rights {
    /// What these permissions give; none if they are empty, and the account's hold instead.
    pub fn of(permissions: &Permissions) -> Option<Rights> {
        let empty = Permission::default();
        let publish = permissions.publish.as_ref().unwrap_or(&empty);
        let subscribe = permissions.subscribe.as_ref().unwrap_or(&empty);
        let is_empty = |rule: &Permission| rule.allow.is_empty() && rule.deny.is_empty();
        if is_empty(publish) && is_empty(subscribe) && permissions.resp.is_none() {
            return None;
        }
        let mut rights = Rights::default();
        // A queue has no meaning when publishing: the entry allows nothing, and denies its subject.
        if !publish.allow.is_empty() {
            let plain = publish.allow.iter().filter(|text| is_valid(text));
            rights.publish.allow = Some(plain.filter_map(|text| entry(text)).collect());
        }
        rights.publish.deny = entries(&publish.deny);
        if !subscribe.allow.is_empty() {
            rights.subscribe.allow = Some(entries(&subscribe.allow));
        }
        rights.subscribe.deny = entries(&subscribe.deny);
        if let Some(response) = &permissions.resp {
            rights.publish.allow.get_or_insert_default();
            let (most, ttl) = (response.max.unwrap_or(0), response.ttl.unwrap_or(0));
            rights.answers = Some(Answers {
                most: match most {
                    0 => Some(1),
                    most => (most > 0).then_some(most),
                },
                within: match ttl {
                    0 => Some(Duration::from_secs(120)),
                    ttl => u64::try_from(ttl).ok().map(Duration::from_nanos),
                },
            });
        }
        Some(rights)
    }

    /// Whether the user may publish to a subject.
    pub fn can_publish(&self, subject: &str) -> bool {
        let covers = |entries: &[Entry]| entries.iter().any(|entry| entry.covers(subject));
        let allowed = self.publish.allow.as_deref().is_none_or(covers);
        allowed && !covers(&self.publish.deny)
    }

    /// Whether the user may subscribe, in a queue group or without one.
    pub fn can_subscribe(&self, subject: &str, queue: Option<&str>) -> bool {
        let allow = self.subscribe.allow.as_deref();
        let allowed = allow.is_none_or(|entries| {
            let covering = || entries.iter().filter(|entry| entry.covers(subject));
            let mut groups = covering().filter(|entry| entry.queue.is_some()).peekable();
            match queue {
                // Entries with a group decide about groups, whatever those without say.
                Some(queue) if groups.peek().is_some() => {
                    groups.any(|entry| entry.covers_queue(queue))
                }
                _ => covering().any(|entry| entry.queue.is_none()),
            }
        });
        allowed && !self.is_denied(subject, queue)
    }

    /// Whether a message on a subject passes by a subscription that matches it.
    pub fn is_denied(&self, subject: &str, queue: Option<&str>) -> bool {
        let mut covering = self
            .subscribe
            .deny
            .iter()
            .filter(|entry| entry.covers(subject));
        covering.any(|entry| match (&entry.queue, queue) {
            (None, _) => true,
            (Some(_), Some(queue)) => entry.covers_queue(queue),
            (Some(_), None) => false,
        })
    }
}

/// Whether a subscription gets what is published to a subject, if nothing denies it.
pub fn matches(subscription: &str, subject: &str) -> bool {
    Subject::new(subject).is_contained_in(&Subject::new(subscription))
}

fn entries(texts: &[String]) -> Vec<Entry> {
    texts.iter().filter_map(|text| entry(text)).collect()
}

/// `splitSubjectQueue`; none: the server passes over it.
fn entry(text: &str) -> Option<Entry> {
    let mut words = text.split_whitespace();
    let entry = Entry {
        subject: words.next()?.to_owned(),
        queue: words.next().map(str::to_owned),
    };
    let valid = is_valid(&entry.subject) && entry.queue.as_deref().is_none_or(is_valid);
    (valid && words.next().is_none()).then_some(entry)
}

/// `IsValidSubject` of nats-server.
fn is_valid(subject: &str) -> bool {
    let mut tokens = subject.split('.').peekable();
    while let Some(token) = tokens.next() {
        let blank = token.contains(['\t', '\n', '\u{c}', '\r', ' ']);
        if token.is_empty() || blank || (token == ">" && tokens.peek().is_some()) {
            return false;
        }
    }
    true
}
