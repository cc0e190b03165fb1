//! age plugins: programs `age-plugin-NAME` that hold what seals the identity.

use super::files::{self, damaged};
use crate::store::{Prompt, StoreError};
use age::plugin::{Identity, IdentityPluginV1, RecipientPluginV1};
use age::secrecy::SecretString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use zeroize::Zeroizing;

/// The plugin's identity and program, as recorded when the vault was sealed.
pub const FILE: &str = "plugin-identity.txt";

const PROGRAM: &str = "# program: ";

/// A plugin and the identity that it opens.
pub struct Plugin {
    identity: Identity,
    program: PathBuf,
}

impl Plugin {
    /// The plugin of this name, or of this identity, on PATH.
    pub fn find(plugin: &str) -> Result<Plugin, StoreError> {
        let identity = if plugin.starts_with("AGE-PLUGIN-") {
            Identity::from_str(plugin).map_err(|error| missing(plugin, error))?
        } else {
            Identity::default_for_plugin(plugin).map_err(|error| missing(plugin, error))?
        };
        let name = format!("age-plugin-{}", identity.plugin());
        let program = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
            .filter(|dir| dir.is_absolute())
            .map(|dir| dir.join(&name))
            .find(|path| path.is_file())
            .ok_or_else(|| missing(&name, "it is not on PATH"))?;
        let plugin = Plugin { identity, program };
        plugin.check()?;
        Ok(plugin)
    }

    /// The plugin that a vault was sealed with; none if it has a passphrase.
    pub fn of_vault(dir: &Path) -> Result<Option<Plugin>, StoreError> {
        let path = dir.join(FILE);
        let Some(bytes) = files::read(&path)? else {
            return Ok(None);
        };
        let text = std::str::from_utf8(&bytes).map_err(|error| damaged(&path, error))?;
        let program = text
            .lines()
            .find_map(|line| line.strip_prefix(PROGRAM))
            .map(PathBuf::from)
            .filter(|program| program.is_absolute())
            .ok_or_else(|| damaged(&path, "it does not name the plugin's program"))?;
        let identity = text
            .lines()
            .find(|line| line.starts_with("AGE-PLUGIN-"))
            .ok_or_else(|| damaged(&path, "it has no AGE-PLUGIN- line"))?;
        let identity = Identity::from_str(identity).map_err(|error| damaged(&path, error))?;
        Ok(Some(Plugin { identity, program }))
    }

    /// The lines of the vault's file.
    pub fn to_text(&self) -> String {
        format!("{PROGRAM}{}\n{}\n", self.program.display(), self.identity)
    }

    /// The folder of the program.
    pub fn folder(&self) -> Option<&Path> {
        self.program.parent()
    }

    /// The program must be the recorded one, the first on PATH, and not one that others can replace.
    fn check(&self) -> Result<(), StoreError> {
        let found = std::fs::metadata(&self.program)
            .map_err(|error| files::failed("find the age plugin", &self.program, error))?;
        let owner = found.uid();
        if owner != 0 && owner != rustix::process::geteuid().as_raw() {
            return Err(damaged(&self.program, "the age plugin belongs to another user"));
        }
        if found.mode() & 0o022 != 0 {
            return Err(damaged(&self.program, "others can write the age plugin: `chmod go-w` it"));
        }
        let name = self.program.file_name().unwrap_or_default();
        let first = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
            .map(|dir| dir.join(name))
            .find(|path| path.is_file());
        if first.as_deref() == Some(&self.program) {
            Ok(())
        } else {
            Err(damaged(&self.program, "another program of this name comes first on PATH"))
        }
    }

    pub fn encrypt(&self, text: &[u8], prompt: &mut dyn Prompt) -> Result<Vec<u8>, StoreError> {
        let name = self.identity.plugin().to_owned();
        let identity = self.identity.clone();
        let text = Zeroizing::new(text.to_vec());
        converse(prompt, move |callbacks| {
            let recipient = RecipientPluginV1::new(&name, &[], &[identity], callbacks)
                .map_err(|error| error.to_string())?;
            age::encrypt(&recipient, &text).map_err(|error| error.to_string())
        })
        .map_err(|why| damaged(&self.program, why))
    }

    pub fn decrypt(
        &self,
        path: &Path,
        sealed: &[u8],
        prompt: &mut dyn Prompt,
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        self.check()?;
        let name = self.identity.plugin().to_owned();
        let identity = self.identity.clone();
        let sealed = sealed.to_vec();
        converse(prompt, move |callbacks| {
            let plugin = IdentityPluginV1::new(&name, &[identity], callbacks)
                .map_err(|error| error.to_string())?;
            age::decrypt(&plugin, &sealed)
                .map(Zeroizing::new)
                .map_err(|error| error.to_string())
        })
        .map_err(|why| damaged(path, format_args!("the age plugin could not open it: {why}")))
    }
}

fn missing(plugin: &str, why: impl std::fmt::Display) -> StoreError {
    StoreError::Io(
        format!("cannot use the age plugin {plugin}"),
        std::io::Error::new(std::io::ErrorKind::NotFound, why.to_string()),
    )
}

enum Event<T> {
    Message(String),
    Secret(String),
    Public(String),
    Confirm(String),
    Done(Result<T, String>),
}

enum Answer {
    Text(Option<Zeroizing<String>>),
    Choice(Option<bool>),
}

/// Runs `work` in a thread and passes the plugin's questions to `prompt`, which cannot cross threads.
fn converse<T: Send + 'static>(
    prompt: &mut dyn Prompt,
    work: impl FnOnce(Callbacks<T>) -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let (tell, events) = channel();
    let (answers, hear) = channel();
    let callbacks = Callbacks {
        tell: tell.clone(),
        hear: Arc::new(Mutex::new(hear)),
    };
    std::thread::Builder::new()
        .name("age-plugin".to_owned())
        .spawn(move || {
            let _ = tell.send(Event::Done(work(callbacks)));
        })
        .map_err(|error| error.to_string())?;
    loop {
        let answer = match events.recv().map_err(|_| "it ended early".to_owned())? {
            Event::Message(text) => {
                prompt.message(&text);
                continue;
            }
            Event::Secret(text) => Answer::Text(prompt.secret(&text)),
            Event::Public(text) => Answer::Text(prompt.public(&text).map(Zeroizing::new)),
            Event::Confirm(text) => Answer::Choice(prompt.confirm(&text)),
            Event::Done(result) => return result,
        };
        let _ = answers.send(answer);
    }
}

struct Callbacks<T> {
    tell: Sender<Event<T>>,
    hear: Arc<Mutex<Receiver<Answer>>>,
}

impl<T> Clone for Callbacks<T> {
    fn clone(&self) -> Callbacks<T> {
        Callbacks {
            tell: self.tell.clone(),
            hear: Arc::clone(&self.hear),
        }
    }
}

impl<T> Callbacks<T> {
    fn ask(&self, event: Event<T>) -> Option<Answer> {
        // One question at a time, whatever the plugin does.
        let hear = self.hear.lock().ok()?;
        self.tell.send(event).ok()?;
        hear.recv().ok()
    }

    fn text(&self, event: Event<T>) -> Option<Zeroizing<String>> {
        match self.ask(event)? {
            Answer::Text(text) => text,
            Answer::Choice(_) => None,
        }
    }
}

impl<T: Send + 'static> age::Callbacks for Callbacks<T> {
    fn display_message(&self, message: &str) {
        let _ = self.tell.send(Event::Message(message.to_owned()));
    }

    fn confirm(&self, message: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        let text = format!("{message} (y: {yes}, n: {})", no.unwrap_or("no"));
        match self.ask(Event::Confirm(text))? {
            Answer::Choice(choice) => choice,
            Answer::Text(_) => None,
        }
    }

    fn request_public_string(&self, description: &str) -> Option<String> {
        self.text(Event::Public(description.to_owned())).map(|text| (*text).clone())
    }

    fn request_passphrase(&self, description: &str) -> Option<SecretString> {
        self.text(Event::Secret(description.to_owned()))
            .map(|text| SecretString::from(text.as_str()))
    }
}
