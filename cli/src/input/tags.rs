//! `--tag` and `--rm-tag`.

use super::list;
use crate::error::Error;
use crate::output::Output;

/// Tags to add and to remove.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct TagFlags {
    /// Add tags, in lower case
    #[arg(long, value_name = "TAG,...")]
    tag: Vec<String>,
    /// Remove tags
    #[arg(long, value_name = "TAG,...")]
    rm_tag: Vec<String>,
}

impl TagFlags {
    /// Whether one of the flags was given.
    pub fn is_given(&self) -> bool {
        !self.tag.is_empty() || !self.rm_tag.is_empty()
    }

    /// Changes the tags, which are sorted then, as nsc sorts them.
    ///
    /// # Errors
    /// Exit 2 names the flag.
    pub fn apply(&self, tags: &mut Vec<String>, out: &mut Output) -> Result<(), Error> {
        list::add(tags, list::tags_of("--tag", &self.tag)?);
        list::remove(
            tags,
            "--rm-tag",
            &list::tags_of("--rm-tag", &self.rm_tag)?,
            out,
        );
        tags.sort();
        Ok(())
    }
}
