//! Which users of an account: by patterns of their names, or by tags.

use super::list;
use crate::error::Error;
use crate::output::clean_inline;
use crate::store::{Entry, Operator};
use nkey_core::claims::owned::{Account, User};

/// Users by name and tag. Where both are given, both must hold.
#[derive(clap::Args)]
#[command(next_help_heading = "Which users")]
pub struct Selection {
    /// Those whose names match: * stands for any characters, ? for one
    #[arg(short, long, value_name = "PATTERN,...")]
    name: Vec<String>,
    /// Those that have one of these tags
    #[arg(long, value_name = "TAG,...")]
    tagged: Vec<String>,
    /// Show what would be done, and do nothing
    #[arg(long, conflicts_with = "force")]
    pub dry_run: bool,
    /// Do it without asking
    #[arg(short = 'F', long)]
    pub force: bool,
}

impl Selection {
    /// The users that are meant, in the order of their names.
    ///
    /// # Errors
    /// Exit 2 if nothing says which; if there is none, or a token cannot be read.
    pub fn find(
        &self,
        operator: &Operator,
        account: &Entry<Account>,
    ) -> Result<Vec<Entry<User>>, Error> {
        let patterns = list::of("--name", &self.name)?;
        let tags = list::tags_of("--tagged", &self.tagged)?;
        if patterns.is_empty() && tags.is_empty() {
            return Err(Error::usage(
                "which users: --name PATTERN or --tagged TAG says so; --name '*' means all",
            ));
        }
        let mut users = Vec::new();
        for name in operator.users(&account.name)? {
            if !patterns.is_empty() && !patterns.iter().any(|pattern| matches(pattern, &name)) {
                continue;
            }
            let user = operator.user(&account.name, &name)?;
            let has = |tag: &String| user.claims.generic.tags.contains(tag);
            if tags.is_empty() || tags.iter().any(has) {
                users.push(user);
            }
        }
        if users.is_empty() {
            let of = clean_inline(&account.name);
            return Err(Error::failed(format!("account {of} has no such users"))
                .next(format!("nkey list users -a {of}")));
        }
        Ok(users)
    }
}

/// Whether a name matches a pattern with `*` and `?`.
fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // Where the last star was, and how much of the name it has taken.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&char) if char == '?' || char == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match &mut star {
                Some((at, taken)) => {
                    *taken += 1;
                    (p, n) = (*at + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|char| *char == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_and_question_marks_stand_for_characters() {
        for (pattern, name, is) in [
            ("*", "", true),
            ("a*", "abc", true),
            ("a*c", "abcbc", true),
            ("a*d", "abcbc", false),
            ("sensor-?", "sensor-1", true),
            ("sensor-?", "sensor-10", false),
            ("*é?", "caféx", true),
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("", "a", false),
            ("**b*", "ab", true),
        ] {
            assert_eq!(matches(pattern, name), is, "{pattern} {name}");
        }
    }
}
