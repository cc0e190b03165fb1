//! The permission flags of `add account` and `add user` (nsc `cmd/adduser.go`, `PermissionsParams`).

use super::{duration, list};
use crate::error::Error;
use crate::output::Output;
use nkey_core::claims::ResponsePermission;
use nkey_core::claims::owned::{Permission, Permissions};

/// What may be published and subscribed.
#[derive(clap::Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "Permissions")]
pub struct PermissionFlags {
    /// Allow publishing to these subjects
    #[arg(long, value_name = "SUBJECT,...")]
    allow_pub: Vec<String>,
    /// Allow publishing and subscribing to these subjects
    #[arg(long, value_name = "SUBJECT,...")]
    allow_pubsub: Vec<String>,
    /// Allow subscribing to these subjects; "subject queue" for a queue
    #[arg(long, value_name = "SUBJECT,...")]
    allow_sub: Vec<String>,
    /// Deny publishing to these subjects
    #[arg(long, value_name = "SUBJECT,...")]
    deny_pub: Vec<String>,
    /// Deny publishing and subscribing to these subjects
    #[arg(long, value_name = "SUBJECT,...")]
    deny_pubsub: Vec<String>,
    /// Deny subscribing to these subjects
    #[arg(long, value_name = "SUBJECT,...")]
    deny_sub: Vec<String>,
    /// Allow N replies to each request [without a value: 1]
    #[arg(
        long, visible_alias = "max-responses", value_name = "N", num_args = 0..=1, require_equals = true,
        default_missing_value = "1", allow_negative_numbers = true
    )]
    allow_pub_response: Option<i64>,
    /// How long a reply may take, such as 5s
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    response_ttl: Option<i64>,
}

impl PermissionFlags {
    /// Adds what the flags say to `permissions`; lists are sorted, as nsc sorts them.
    ///
    /// # Errors
    /// Exit 2 names the flag and the subject.
    pub fn apply(&self, permissions: &mut Permissions) -> Result<(), Error> {
        let publish = permissions.publish.get_or_insert_default();
        add(
            &mut publish.allow,
            [
                ("--allow-pub", &self.allow_pub),
                ("--allow-pubsub", &self.allow_pubsub),
            ],
            0,
        )?;
        add(
            &mut publish.deny,
            [
                ("--deny-pub", &self.deny_pub),
                ("--deny-pubsub", &self.deny_pubsub),
            ],
            0,
        )?;
        let subscribe: &mut Permission = permissions.subscribe.get_or_insert_default();
        add(
            &mut subscribe.allow,
            [
                ("--allow-sub", &self.allow_sub),
                ("--allow-pubsub", &self.allow_pubsub),
            ],
            1,
        )?;
        add(
            &mut subscribe.deny,
            [
                ("--deny-sub", &self.deny_sub),
                ("--deny-pubsub", &self.deny_pubsub),
            ],
            1,
        )?;
        let max = self.allow_pub_response.filter(|max| *max != 0);
        if max.is_some() || self.response_ttl.is_some() {
            let none = ResponsePermission {
                max: Some(0),
                ttl: Some(0),
            };
            let resp = permissions.resp.get_or_insert(none);
            resp.max = max.or(resp.max);
            resp.ttl = self.response_ttl.or(resp.ttl);
        }
        Ok(())
    }

    /// Whether one of the flags was given.
    pub fn is_given(&self) -> bool {
        *self != PermissionFlags::default()
    }
}

/// What is no longer to be allowed or denied.
#[derive(clap::Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "Permissions")]
pub struct RemovePermissionFlags {
    /// Remove these subjects from all four lists
    #[arg(long, value_name = "SUBJECT,...")]
    rm: Vec<String>,
    /// Remove the leave to reply to requests
    #[arg(long)]
    rm_response_perms: bool,
}

impl RemovePermissionFlags {
    /// Whether one of the flags was given.
    pub fn is_given(&self) -> bool {
        *self != RemovePermissionFlags::default()
    }

    /// Removes what the flags say; a subject that was in no list is named on standard error.
    ///
    /// # Errors
    /// If a quote is not closed.
    pub fn apply(&self, permissions: &mut Permissions, out: &mut Output) -> Result<(), Error> {
        if self.rm_response_perms {
            permissions.resp = None;
        }
        for subject in list::of("--rm", &self.rm)? {
            let mut found = false;
            for permission in [&mut permissions.publish, &mut permissions.subscribe] {
                let permission = permission.get_or_insert_default();
                for list in [&mut permission.allow, &mut permission.deny] {
                    let before = list.len();
                    list.retain(|known| *known != subject);
                    found |= list.len() != before;
                }
            }
            if !found {
                list::note_absent(out, "--rm", &subject);
            }
        }
        Ok(())
    }
}

fn add(
    subjects: &mut Vec<String>,
    flags: [(&str, &Vec<String>); 2],
    spaces: usize,
) -> Result<(), Error> {
    for (flag, values) in flags {
        let items =
            list::split(values).map_err(|error| Error::usage(format!("{flag}: {error}")))?;
        for item in items {
            if item.matches(' ').count() > spaces {
                let reason = match spaces {
                    0 => "a subject to publish to has no space",
                    _ => "a subscription has at most one space, before its queue",
                };
                return Err(Error::usage(format!("{flag} \"{item}\": {reason}")));
            }
            if !subjects.contains(&item) {
                subjects.push(item);
            }
        }
    }
    subjects.sort();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        permissions: PermissionFlags,
    }

    fn apply(arguments: &[&str]) -> Result<Permissions, Error> {
        let all = std::iter::once(&"x").chain(arguments);
        let command = Command::try_parse_from(all).map_err(Error::Arguments)?;
        let mut permissions = Permissions::default();
        command.permissions.apply(&mut permissions)?;
        Ok(permissions)
    }

    #[test]
    fn flags_become_the_lists_that_nsc_makes() {
        let made = apply(&[
            "--allow-pub",
            "b,a",
            "--allow-pubsub",
            "c",
            "--allow-sub=s q",
            "--deny-pub",
            "d",
            "--deny-pubsub",
            "e",
            "--deny-sub",
            "f",
            "--allow-pub",
            "a",
            "--allow-pub-response",
            "--response-ttl",
            "5s",
        ])
        .unwrap();
        let (publish, subscribe) = (made.publish.unwrap(), made.subscribe.unwrap());
        assert_eq!(publish.allow, ["a", "b", "c"]);
        assert_eq!(publish.deny, ["d", "e"]);
        assert_eq!(subscribe.allow, ["c", "s q"]);
        assert_eq!(subscribe.deny, ["e", "f"]);
        assert_eq!(
            made.resp,
            Some(ResponsePermission {
                max: Some(1),
                ttl: Some(5_000_000_000)
            })
        );
        let max = |argument| apply(&[argument]).unwrap().resp.map(|resp| resp.max);
        assert_eq!(max("--allow-pub-response=3"), Some(Some(3)));
        assert_eq!(max("--allow-pub-response=-1"), Some(Some(-1)));
        assert_eq!(max("--allow-pub-response=0"), None);
        let none = apply(&[]).unwrap();
        assert_eq!(
            (none.publish, none.subscribe, none.resp),
            (
                Some(Permission::default()),
                Some(Permission::default()),
                None
            )
        );
    }

    #[test]
    fn spaces_and_durations_are_checked() {
        for (arguments, needle) in [
            (["--allow-pub", "a b"], "--allow-pub \"a b\""),
            (["--deny-pubsub", "a b"], "--deny-pubsub"),
            (["--allow-sub", "a b c"], "at most one space"),
            (["--deny-sub", "\"x"], "--deny-sub: a quote"),
            (["--response-ttl", "5"], "5s"),
        ] {
            let error = apply(&arguments).unwrap_err();
            assert!(
                error.to_string().contains(needle) && error.code() == 2,
                "{error}"
            );
        }
    }
}
