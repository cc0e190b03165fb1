//! `plugin-identity.txt`: which plugin opens the vault. Also an identity file for `age -d -i`.

use super::Plugin;
use crate::store::StoreError;
use bech32::{Bech32, Hrp};
use std::path::PathBuf;

/// The file's name in the vault.
pub(in crate::store::vault) const NAME: &str = "plugin-identity.txt";
/// Most bytes of the file.
pub(in crate::store::vault) const MAX: usize = 16 * 1024;

const HEAD: &str =
    "# This plugin seals identity.age; age runs it by its name, nkey-agent by this path.";

impl Plugin {
    /// The file's content.
    pub(in crate::store::vault) fn record(&self) -> String {
        format!(
            "{HEAD}\n# plugin: {}\n# binary: {}\n{}\n",
            self.name,
            self.binary.display(),
            self.identity
        )
    }

    /// Reads the file's content.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(in crate::store::vault) fn from_record(bytes: &[u8]) -> Result<Plugin, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not text")?;
        let mut lines = text.lines();
        let mut next = |prefix: &str| {
            let line = lines.next().and_then(|line| line.strip_prefix(prefix));
            line.ok_or_else(|| format!("it has no line `{prefix}…` where there should be one"))
        };
        next("# This")?;
        let plugin = Plugin {
            name: next("# plugin: ")?.into(),
            binary: PathBuf::from(next("# binary: ")?),
            identity: next("")?.into(),
        };
        if lines.next().is_some() {
            return Err("it has more than four lines".into());
        }
        if !plugin.binary.is_absolute() {
            return Err("the plugin's path is not absolute".into());
        }
        plugin.consistent().map_err(|error| error.to_string())
    }

    /// This plugin, if its identity is one of its own and its path fits on a line.
    pub(super) fn consistent(self) -> Result<Plugin, StoreError> {
        default_identity(&self.name)?;
        if identity_plugin(&self.identity) != Some(self.name.to_ascii_lowercase()) {
            return Err(StoreError::Refused(format!(
                "the identity is not one of the plugin {0}: it must begin with AGE-PLUGIN-{1}-1",
                self.name,
                self.name.to_ascii_uppercase()
            )));
        }
        match self.binary.to_str() {
            Some(path) if !path.contains(char::is_control) => Ok(self),
            _ => Err(StoreError::Refused(format!(
                "the path {} cannot be recorded: move the plugin to one of plain text",
                self.binary.display()
            ))),
        }
    }
}

/// The identity of a plugin that needs none: `AGE-PLUGIN-NAME-` with empty data.
pub(super) fn default_identity(name: &str) -> Result<String, StoreError> {
    let valid =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_');
    Some(name)
        .filter(|name| !name.is_empty() && name.len() <= 64 && name.bytes().all(valid))
        .and_then(|name| Hrp::parse(&format!("AGE-PLUGIN-{}-", name.to_ascii_uppercase())).ok())
        .and_then(|prefix| bech32::encode_upper::<Bech32>(prefix, &[]).ok())
        .ok_or_else(|| {
            StoreError::Refused(
                "a plugin's name has letters, digits and + - . _, as in age-plugin-NAME".into(),
            )
        })
}

/// The name of the plugin that an identity belongs to, lower case.
pub(super) fn identity_plugin(identity: &str) -> Option<String> {
    let graphic = identity.bytes().all(|byte| byte.is_ascii_graphic());
    let (prefix, _) = identity.rsplit_once('1')?;
    let name = prefix.strip_prefix("AGE-PLUGIN-")?.strip_suffix('-')?;
    graphic.then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugin() -> Plugin {
        Plugin {
            name: "batchpass".into(),
            binary: "/usr/bin/age-plugin-batchpass".into(),
            identity: default_identity("batchpass").unwrap(),
        }
    }

    #[test]
    fn the_default_identity_is_that_of_the_age_tools() {
        // From age's own test: src/plugin.rs, default_for_plugin.
        assert_eq!(
            default_identity("foobar").unwrap(),
            "AGE-PLUGIN-FOOBAR-1QVHULF"
        );
        for name in ["", "../../usr/bin/echo", "a b", &"a".repeat(65)] {
            assert!(default_identity(name).is_err(), "{name}");
        }
    }

    #[test]
    fn the_record_survives_and_a_damaged_one_is_named() {
        let text = plugin().record();
        assert_eq!(Plugin::from_record(text.as_bytes()), Ok(plugin()));
        for (from, to, why) in [
            ("# plugin: ", "# plugni: ", "no line `# plugin: …`"),
            ("# binary: /", "# binary: ", "not absolute"),
            (
                "batchpass\n# binary",
                "tpm\n# binary",
                "not one of the plugin tpm",
            ),
            (
                "AGE-PLUGIN-BATCHPASS",
                "AGE-SECRET-KEY",
                "not one of the plugin",
            ),
            ("# This", "# That", "no line `# This…`"),
        ] {
            let error = Plugin::from_record(text.replace(from, to).as_bytes()).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        let more = format!("{text}AGE-PLUGIN-OTHER-1\n");
        assert!(
            Plugin::from_record(more.as_bytes())
                .unwrap_err()
                .contains("four lines")
        );
        assert!(Plugin::from_record(b"\xff").is_err());
    }
}
