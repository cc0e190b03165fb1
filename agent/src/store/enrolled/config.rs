//! The holders that the person configured, in a file that nobody else can write.

use crate::store::StoreError;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Most bytes of the file.
const MAX: u64 = 64 * 1024;
/// The longest name of a holder.
const MAX_NAME: usize = 32;
/// The longest serial number of a token.
const MAX_SERIAL: usize = 64;

/// The content of `holders.toml`.
#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The serial numbers of virtual tokens that are allowed without a name.
    #[serde(default)]
    pub allow_virtual: Vec<String>,
    /// Where sysfs is, if not at /sys.
    pub sysfs: Option<PathBuf>,
    /// Where ports are, if not in /dev.
    pub dev: Option<PathBuf>,
    /// Other ssh-agents, by name.
    #[serde(default)]
    pub ssh: BTreeMap<String, Ssh>,
    /// Tokens of PKCS#11 modules, by name.
    #[serde(default)]
    pub pkcs11: BTreeMap<String, Pkcs11>,
    /// PIV applets of cards, by name.
    #[serde(default)]
    pub piv: BTreeMap<String, Piv>,
    /// Tokens, by name; those without a name are stores as well.
    #[serde(default)]
    pub token: BTreeMap<String, Token>,
    /// OpenPGP applets of cards, by name.
    #[serde(default)]
    pub openpgp: BTreeMap<String, OpenPgp>,
}

/// `[token.NAME]`: a token.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Its serial number.
    pub serial: String,
    /// Its port, if it is not to be found by its serial number.
    pub port: Option<PathBuf>,
    /// Its serial number once more, if it is a virtual token and you mean it.
    pub allow_virtual: Option<String>,
}

/// `[openpgp.NAME]`: the OpenPGP applet of a card.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct OpenPgp {
    /// The card's manufacturer and serial number.
    pub serial: String,
    /// The longest message it signs, in bytes, if not the one known of its kind.
    pub limit: Option<usize>,
    /// How many seconds it may take to answer.
    pub patience: Option<u16>,
}

/// `[piv.NAME]`: the PIV applet of a card.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Piv {
    /// The card's serial number.
    pub serial: String,
    /// The longest message it signs, in bytes, if not the one known of its kind.
    pub limit: Option<usize>,
    /// How many seconds it may take to answer.
    pub patience: Option<u16>,
}

/// `[pkcs11.NAME]`: a token of a PKCS#11 module.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Pkcs11 {
    /// The module, a shared library.
    pub module: PathBuf,
    /// The token's label or URI; may be left out if the module has one token only.
    #[serde(default)]
    pub token: String,
    /// The longest message it signs, in bytes, if not the one known of its kind.
    pub limit: Option<usize>,
    /// How many seconds it may take to answer.
    pub patience: Option<u16>,
}

/// `[ssh.NAME]`: another ssh-agent.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Ssh {
    /// Its socket.
    pub socket: PathBuf,
    /// The longest message it signs, in bytes, if not the one known of its kind.
    pub limit: Option<usize>,
}

/// Reads the configuration at `path`; without the file there is nothing in it.
///
/// # Errors
/// If others can write the file, or it is damaged.
pub fn read(path: &Path) -> Result<Config, StoreError> {
    let shown = path.display();
    let io = |error| StoreError::Io(format!("cannot read {shown}"), error);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Config::default()),
        Err(error) => return Err(io(error)),
    };
    trusted(path, &file.metadata().map_err(io)?)?;
    let mut text = String::new();
    file.take(MAX + 1).read_to_string(&mut text).map_err(io)?;
    let damaged = |why: String| Err(StoreError::Damaged(shown.to_string(), why));
    if text.len() as u64 > MAX {
        return damaged(format!("it is longer than {MAX} bytes"));
    }
    let config: Config = match toml::from_str(&text) {
        Ok(config) => config,
        Err(error) => return damaged(place(&text, &error)),
    };
    let names = config.ssh.keys().chain(config.pkcs11.keys());
    let cards = config.piv.keys().chain(config.openpgp.keys());
    for name in names.chain(cards).chain(config.token.keys()) {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(fits) {
            return damaged(format!(
                "{name:?} is no name of a holder: take at most {MAX_NAME} of a-z, 0-9 and -"
            ));
        }
    }
    for (name, ssh) in &config.ssh {
        if ssh.socket.is_relative() {
            return damaged(format!("the socket of ssh.{name} is no absolute path"));
        }
    }
    for (name, pkcs11) in &config.pkcs11 {
        if pkcs11.module.is_relative() {
            return damaged(format!("the module of pkcs11.{name} is no absolute path"));
        }
    }
    let mut serials = BTreeSet::new();
    for (name, token) in &config.token {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let serial = &token.serial;
        if serial.is_empty() || serial.len() > MAX_SERIAL || !serial.bytes().all(fits) {
            return damaged(format!(
                "the serial of token.{name} is none: `nkey token list` shows those of tokens"
            ));
        }
        if !serials.insert(serial) {
            return damaged(format!("two names stand for the token {serial}"));
        }
        if token.port.as_ref().is_some_and(|port| port.is_relative()) {
            return damaged(format!("the port of token.{name} is no absolute path"));
        }
    }
    if [&config.sysfs, &config.dev]
        .into_iter()
        .flatten()
        .any(|path| path.is_relative())
    {
        return damaged("sysfs or dev is no absolute path".to_owned());
    }
    Ok(config)
}

fn place(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().map_or(0, |span| span.start);
    let line = text
        .bytes()
        .take(before)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1;
    format!("line {line}: {}", error.message())
}

/// Refuses a file that anybody but its user and root can write: it decides what code is run
/// and who is asked for signatures.
pub(crate) fn trusted(path: &Path, metadata: &std::fs::Metadata) -> Result<(), StoreError> {
    let shown = path.display();
    if !metadata.is_file() {
        return Err(StoreError::Refused(format!("{shown} is no file")));
    }
    let own = rustix::process::geteuid().as_raw();
    if metadata.uid() != own && metadata.uid() != 0 {
        return Err(StoreError::Refused(format!(
            "{shown} belongs to another user (uid {}), who could change it",
            metadata.uid()
        )));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(StoreError::Refused(format!(
            "{shown} can be written by others (mode {:03o}): type `chmod go-w {shown}`",
            metadata.mode() & 0o777
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Scratch {
            let path =
                std::env::temp_dir().join(format!("nkey-config-{name}-{}", std::process::id()));
            let _ = fs::remove_file(&path);
            Scratch(path)
        }

        fn read(&self, text: &str, mode: u32) -> Result<Config, StoreError> {
            fs::write(&self.0, text).unwrap();
            fs::set_permissions(&self.0, Permissions::from_mode(mode)).unwrap();
            read(&self.0)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    #[test]
    fn what_is_written_is_read_and_what_is_not_known_is_refused_by_line() {
        let file = Scratch::new("read");
        assert_eq!(read(&file.0).unwrap(), Config::default());
        let config = file
            .read(
                "# mine\n[ssh.gpg]\nsocket = \"/run/x\"\nlimit = 450\n",
                0o600,
            )
            .unwrap();
        assert_eq!(config.ssh["gpg"].limit, Some(450));
        for (text, part) in [
            ("[ssh.gpg]\nsocket = \"/x\"\nport = 1\n", "line 3"),
            ("[sss.gpg]\n", "line 1"),
            ("[ssh.\"a b\"]\nsocket = \"/x\"\n", "no name of a holder"),
            ("[ssh.a]\nsocket = \"x\"\n", "no absolute path"),
            ("[ssh.a]\nlimit = 3\n", "socket"),
            ("[token.a]\nport = \"/x\"\n", "serial"),
            ("[token.a]\nserial = \"N 1\"\n", "token.a is none"),
            (
                "[token.a]\nserial = \"N1\"\nport = \"x\"\n",
                "no absolute path",
            ),
            (
                "[token.a]\nserial = \"N1\"\n[token.b]\nserial = \"N1\"\n",
                "two names",
            ),
            ("sysfs = \"x\"\n", "no absolute path"),
            ("\u{0}", "line 1"),
        ] {
            let error = file.read(text, 0o600).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
        let long = "#".repeat(MAX as usize + 1);
        assert!(file.read(&long, 0o600).is_err());
    }

    #[test]
    fn a_file_that_others_can_write_is_refused() {
        let file = Scratch::new("mode");
        for mode in [0o620, 0o602, 0o666] {
            let error = file.read("", mode).unwrap_err().to_string();
            assert!(error.contains("chmod go-w"), "{error}");
        }
        assert!(file.read("", 0o644).is_ok());
        assert!(read(&std::env::temp_dir()).is_err());
    }
}
