//! Where nsc's files are: flags, then variables, then the XDG folders (nsc `cmd/root.go`, `home`).

use crate::cli::Global;
use crate::error::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The folders of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Where `nsc.json` is.
    pub config: PathBuf,
    /// The folder of the operators if a flag names it; it then wins over `nsc.json`.
    pub stores: Option<PathBuf>,
    /// The folder of the operators where `nsc.json` names none.
    pub default_stores: PathBuf,
    /// The folder of nsc's seeds (`keys`) and creds (`creds`).
    pub keystore: PathBuf,
}

impl Places {
    /// The folders that the flags and the process's variables name.
    ///
    /// # Errors
    /// If a home is needed and `HOME` is not set.
    pub fn new(global: &Global) -> Result<Places, Error> {
        Places::resolve(global, |name| std::env::var_os(name), |path| path.exists())
    }

    fn resolve(
        global: &Global,
        variable: impl Fn(&str) -> Option<OsString>,
        exists: impl Fn(&Path) -> bool,
    ) -> Result<Places, Error> {
        let set = |name: &str| {
            variable(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let home = || {
            set("HOME").ok_or_else(|| {
                Error::usage("HOME is not set, so the folder of nsc's store is not known: name it by --all-dirs")
            })
        };
        let expand = |path: PathBuf| -> Result<PathBuf, Error> {
            match path.strip_prefix("~") {
                Ok(rest) => Ok(home()?.join(rest)),
                Err(_) => Ok(path),
            }
        };
        let flag = |own: &Option<PathBuf>| global.all_dirs.clone().or_else(|| own.clone());
        let config = match flag(&global.config_dir).or_else(|| set("NSC_HOME")) {
            Some(dir) => expand(dir)?,
            None => {
                let new = match set("XDG_CONFIG_HOME") {
                    Some(dir) => dir,
                    None => home()?.join(".config"),
                }
                .join("nats/nsc");
                older(
                    new,
                    |new| new.join("nsc.json"),
                    || Ok(home()?.join(".nsc")),
                    &exists,
                )
            }
        };
        let stores = flag(&global.data_dir).map(expand).transpose()?;
        let default_stores = match &stores {
            Some(stores) => stores.clone(),
            None => {
                let new = match set("XDG_DATA_HOME") {
                    Some(dir) => dir,
                    None => home()?.join(".local/share"),
                }
                .join("nats/nsc/stores");
                older(
                    new,
                    Path::to_owned,
                    || Ok(home()?.join(".nsc/nats")),
                    &exists,
                )
            }
        };
        let keystore = match flag(&global.keystore_dir).or_else(|| set("NKEYS_PATH")) {
            Some(dir) => expand(dir)?,
            None => {
                let new = match set("XDG_DATA_HOME") {
                    Some(dir) => dir,
                    None => home()?.join(".local/share"),
                }
                .join("nats/nsc/keys");
                older(new, Path::to_owned, || Ok(home()?.join(".nkeys")), &exists)
            }
        };
        Ok(Places {
            config,
            stores,
            default_stores,
            keystore,
        })
    }
}

/// The folder of old nsc versions, if there is one and the new one has no `mark`.
fn older(
    new: PathBuf,
    mark: impl Fn(&Path) -> PathBuf,
    old: impl Fn() -> Result<PathBuf, Error>,
    exists: impl Fn(&Path) -> bool,
) -> PathBuf {
    match old() {
        Ok(old) if !exists(&mark(&new)) && exists(&mark(&old)) => old,
        _ => new,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn global(all: Option<&str>, config: Option<&str>, data: Option<&str>) -> Global {
        Global {
            all_dirs: all.map(PathBuf::from),
            config_dir: config.map(PathBuf::from),
            data_dir: data.map(PathBuf::from),
            ..Global::default()
        }
    }

    fn resolve(
        global: &Global,
        variables: &[(&str, &str)],
        files: &[&str],
    ) -> Result<Places, Error> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        Places::resolve(global, variable, |path| {
            files.iter().any(|file| Path::new(file) == path)
        })
    }

    #[test]
    fn the_nearest_wish_wins() {
        let home = ("HOME", "/h");
        let places = resolve(&global(None, None, None), &[home], &[]).unwrap();
        assert_eq!(places.config, Path::new("/h/.config/nats/nsc"));
        assert_eq!(
            places.default_stores,
            Path::new("/h/.local/share/nats/nsc/stores")
        );
        assert_eq!(places.stores, None);

        let xdg = [("XDG_CONFIG_HOME", "/c"), ("XDG_DATA_HOME", "/d"), home];
        let places = resolve(&global(None, None, None), &xdg, &[]).unwrap();
        assert_eq!(places.config, Path::new("/c/nats/nsc"));
        assert_eq!(places.default_stores, Path::new("/d/nats/nsc/stores"));
        assert_eq!(places.keystore, Path::new("/d/nats/nsc/keys"));

        let places = resolve(&global(None, None, None), &[("NSC_HOME", "/n"), home], &[]).unwrap();
        assert_eq!(places.config, Path::new("/n"));
        assert_eq!(places.keystore, Path::new("/h/.local/share/nats/nsc/keys"));
        let keys = [("NKEYS_PATH", "/k"), home];
        let places = resolve(&global(None, None, None), &keys, &[]).unwrap();
        assert_eq!(places.keystore, Path::new("/k"));

        // -H wins over the single ones, as in nsc, and needs no HOME.
        let places = resolve(&global(Some("/all"), Some("/x"), Some("/y")), &[], &[]).unwrap();
        assert_eq!(places.config, Path::new("/all"));
        assert_eq!(places.keystore, Path::new("/all"));
        assert_eq!(places.stores.as_deref(), Some(Path::new("/all")));
        assert_eq!(places.keystore, Path::new("/all"));
        let places = resolve(&global(Some("~/all"), None, None), &[home], &[]).unwrap();
        assert_eq!(places.config, Path::new("/h/all"));
    }

    #[test]
    fn folders_of_old_versions_are_used_until_there_is_a_new_one() {
        let home = [("HOME", "/h")];
        let old = ["/h/.nsc/nsc.json", "/h/.nsc/nats"];
        let places = resolve(&global(None, None, None), &home, &old).unwrap();
        assert_eq!(
            (places.config, places.default_stores),
            ("/h/.nsc".into(), "/h/.nsc/nats".into())
        );
        let both = [&old[..], &["/h/.config/nats/nsc/nsc.json"]].concat();
        let places = resolve(&global(None, None, None), &home, &both).unwrap();
        assert_eq!(places.config, Path::new("/h/.config/nats/nsc"));
    }

    #[test]
    fn without_a_home_the_flag_is_named() {
        let error = resolve(&global(None, None, None), &[("HOME", "")], &[]).unwrap_err();
        assert_eq!(error.code(), 2);
        assert!(error.to_string().contains("--all-dirs"));
    }
}
