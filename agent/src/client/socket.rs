//! Where the agent listens.

use super::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The agent's socket: `flag`, else `NKEY_AUTH_SOCK`, else
/// `$XDG_RUNTIME_DIR/nkey-agent/agent.sock`, else `$HOME/.nkey-agent/agent.sock`.
///
/// # Errors
/// [`Error::NoPath`] if none of them is set.
pub fn socket_path(flag: Option<&Path>) -> Result<PathBuf, Error> {
    choose(flag, |name| std::env::var_os(name))
}

fn choose(
    flag: Option<&Path>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<PathBuf, Error> {
    let set = |name| {
        variable(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    flag.map(Path::to_owned)
        .or_else(|| set("NKEY_AUTH_SOCK"))
        .or_else(|| set("XDG_RUNTIME_DIR").map(|dir| dir.join("nkey-agent/agent.sock")))
        .or_else(|| set("HOME").map(|dir| dir.join(".nkey-agent/agent.sock")))
        .ok_or(Error::NoPath)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_wish_wins() {
        let all = |name: &str| Some(OsString::from(format!("/{name}")));
        let without = |gone: &'static [&'static str]| {
            move |name: &str| all(name).filter(|_| !gone.contains(&name))
        };
        let path =
            |chosen: Result<PathBuf, Error>| chosen.map(|path| path.display().to_string()).ok();
        assert_eq!(
            path(choose(Some(Path::new("x")), all)).as_deref(),
            Some("x")
        );
        assert_eq!(path(choose(None, all)).as_deref(), Some("/NKEY_AUTH_SOCK"));
        assert_eq!(
            path(choose(None, without(&["NKEY_AUTH_SOCK"]))).as_deref(),
            Some("/XDG_RUNTIME_DIR/nkey-agent/agent.sock")
        );
        assert_eq!(
            path(choose(
                None,
                without(&["NKEY_AUTH_SOCK", "XDG_RUNTIME_DIR"])
            ))
            .as_deref(),
            Some("/HOME/.nkey-agent/agent.sock")
        );
        assert_eq!(path(choose(None, |_| None)), None);
        let empty = |name: &str| {
            all(name).map(|value| {
                if name == "HOME" {
                    value
                } else {
                    OsString::new()
                }
            })
        };
        assert_eq!(
            path(choose(None, empty)).as_deref(),
            Some("/HOME/.nkey-agent/agent.sock")
        );
    }
}
