//! `-n NAME`, which may also stand alone.

use crate::error::Error;
use crate::prompt;

/// The name of what a command is about.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct NameFlag {
    /// Its name
    #[arg(short = 'n', long = "name", value_name = "NAME")]
    flag: Option<String>,
    /// The same as --name
    #[arg(value_name = "NAME", conflicts_with = "flag")]
    position: Option<String>,
}

impl NameFlag {
    /// The name, if it was given.
    pub fn get(&self) -> Option<&str> {
        self.flag.as_deref().or(self.position.as_deref())
    }

    /// The name; without one, a person at a terminal is asked.
    ///
    /// # Errors
    /// Exit 2 if there is no name and no terminal.
    pub fn or_ask(&self, what: &str) -> Result<String, Error> {
        match self.get() {
            Some(name) => Ok(name.to_owned()),
            None if prompt::is_possible() => prompt::line(&format!("Name of the {what}:")),
            None => Err(Error::usage(format!(
                "the {what} needs a name: give it by -n NAME"
            ))),
        }
    }
}
