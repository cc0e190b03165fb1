//! The agent in the foreground. `nkey agent start` puts it in the background.

use clap::Parser;
use nkey_agent::child;
use nkey_agent::client::{self, Prompt};
use nkey_agent::server::{self, Agent};
use nkey_agent::store::enrolled::config::{self, Config};
use nkey_agent::store::enrolled::device::Device;
use nkey_agent::store::enrolled::ssh::Ssh;
use nkey_agent::store::enrolled::token::{Board, PREFIX, Roots};
use nkey_agent::store::enrolled::{Enrolled, Holder, Records};
use nkey_agent::store::vault::{Sealing, Vault};
use nkey_agent::store::{State, Store};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use zeroize::Zeroizing;
use zeroizing_alloc::ZeroAlloc;

/// Freed memory is wiped, whoever freed it.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<std::alloc::System> = ZeroAlloc(std::alloc::System);

/// No passphrase is longer, in bytes.
const MAX_PASSPHRASE: usize = 64 * 1024;

/// Holds NKey seeds and signs NATS JWTs and nonces for the clients of a unix socket.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The socket [default: $NKEY_AUTH_SOCK, $XDG_RUNTIME_DIR/nkey-agent/agent.sock, $HOME/.nkey-agent/agent.sock]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// The vault's directory [default: $XDG_DATA_HOME/nkey-agent/vault, $HOME/.local/share/nkey-agent/vault]
    #[arg(long, value_name = "DIR")]
    vault: Option<PathBuf>,
    /// The configuration of key holders [default: $XDG_CONFIG_HOME/nkey-agent/holders.toml, $HOME/.config/nkey-agent/holders.toml]
    #[arg(long, value_name = "FILE")]
    holders: Option<PathBuf>,
    /// A file with the vault's passphrase, or - for standard input; a vault that is not there is created
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Seal a new vault with this age plugin (its name, or an AGE-PLUGIN- identity) instead of a passphrase
    #[arg(long, value_name = "NAME", conflicts_with = "passphrase_file")]
    plugin: Option<String>,
    /// Add the messages of the running agent to FILE instead of standard error
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nkey-agent: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    server::harden().map_err(|error| format!("cannot protect this process: {error}"))?;
    server::raise_file_limit();
    let path = client::socket_path(args.socket.as_deref())?;
    let dir = vault_dir(args.vault.as_deref())?;
    let vault = Arc::new(open_vault(args, &dir)?);
    let records = Arc::new(Records::open(&dir)?);
    let mut stores: Vec<(Arc<dyn Store>, String)> = vec![(
        Arc::clone(&vault) as Arc<dyn Store>,
        dir.display().to_string(),
    )];
    let config = config(args)?;
    let roots = Roots::of(&config);
    for holder in holders(config, &roots, &records.holders()) {
        let place = holder.place();
        let store = Enrolled::new(holder, Arc::clone(&records));
        // A locked agent signs with nothing.
        if vault.state() == State::Locked {
            store.lock();
        }
        stores.push((Arc::new(store), place));
    }
    let listener = server::listen(&path)?;
    // After whatever may fail: whoever starts the agent reads that on standard error.
    if let Some(log) = &args.log {
        server::log_to(log).map_err(|error| {
            let _ = std::fs::remove_file(&path);
            format!("cannot write the log {}: {error}", log.display())
        })?;
    }
    let state = match vault.state() {
        State::Unlocked => "unlocked",
        State::Locked => "locked",
    };
    eprintln!(
        "nkey-agent: listening at {}, vault {} ({state})",
        path.display(),
        dir.display()
    );
    let names: Vec<String> = stores
        .iter()
        .map(|(store, _)| store.name().to_owned())
        .collect();
    let found = Arc::clone(&records);
    let discover = move |is_known: &dyn Fn(&str) -> bool| {
        let mut serials = roots.serials();
        serials.retain(|serial| !is_known(serial));
        let store = |serial: String| {
            let holder = Box::new(Board::found(&serial, &roots));
            let store = Enrolled::new(holder, Arc::clone(&found));
            (Arc::new(store) as Arc<dyn Store>, String::new())
        };
        serials.into_iter().map(store).collect()
    };
    let warnings = move || {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut warnings = records.warnings(&names);
        if !vault.is_memory_locked() {
            warnings.push("secrets are not locked in memory, since RLIMIT_MEMLOCK is too low: they may be swapped to disk".to_owned());
        }
        warnings
    };
    let agent = Arc::new(Agent::new(stores, warnings).discovering(discover));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let served = runtime.block_on(server::serve(agent, listener, &path));
    // A holder that does not answer must not keep the agent from ending.
    runtime.shutdown_background();
    Ok(served?)
}

fn set(name: &str) -> Option<PathBuf> {
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

fn config(args: &Args) -> Result<Config, Box<dyn std::error::Error>> {
    let default = || {
        set("XDG_CONFIG_HOME")
            .or_else(|| set("HOME").map(|home| home.join(".config")))
            .map(|dir| dir.join("nkey-agent/holders.toml"))
    };
    let config = match args.holders.clone() {
        Some(path) if !path.exists() => {
            return Err(format!("there is no file {}", path.display()).into());
        }
        path => path
            .or_else(default)
            .map(|path| config::read(&path))
            .transpose()?,
    };
    Ok(config.unwrap_or_default())
}

/// The holders that the configuration names, and the tokens that have records.
fn holders(config: Config, roots: &Roots, recorded: &BTreeSet<String>) -> Vec<Box<dyn Holder>> {
    let mut holders: Vec<Box<dyn Holder>> = Vec::new();
    for (name, ssh) in config.ssh {
        holders.push(Box::new(Ssh::new(&name, ssh.socket, ssh.limit)));
    }
    for (name, pkcs11) in config.pkcs11 {
        holders.push(Box::new(Device::pkcs11(&name, pkcs11, child::program())));
    }
    for (name, piv) in config.piv {
        holders.push(Box::new(Device::piv(&name, piv, child::program())));
    }
    for (name, openpgp) in config.openpgp {
        holders.push(Box::new(Device::openpgp(&name, openpgp, child::program())));
    }
    for (name, token) in config.token {
        holders.push(Box::new(Board::configured(&name, token, roots)));
    }
    for id in recorded {
        if let Some(serial) = id.strip_prefix(PREFIX)
            && !holders.iter().any(|holder| holder.id() == id)
        {
            holders.push(Box::new(Board::found(serial, roots)));
        }
    }
    holders
}

fn vault_dir(flag: Option<&Path>) -> Result<PathBuf, String> {
    flag.map(Path::to_owned)
        .or_else(|| set("XDG_DATA_HOME").map(|dir| dir.join("nkey-agent/vault")))
        .or_else(|| set("HOME").map(|dir| dir.join(".local/share/nkey-agent/vault")))
        .ok_or_else(|| "no place for the vault: set HOME, or name one with --vault".to_owned())
}

fn open_vault(args: &Args, dir: &Path) -> Result<Vault, Box<dyn std::error::Error>> {
    let passphrase = args
        .passphrase_file
        .as_deref()
        .map(read_passphrase)
        .transpose()?;
    let mut answer = Given(passphrase);
    if Vault::exists(dir)? {
        let vault = Vault::open(dir)?;
        if args.plugin.is_some() && !vault.has_plugin() {
            return Err(format!(
                "the vault at {} is sealed by a passphrase, and --plugin seals new ones only: \
                 start without --plugin, or name another place with --vault",
                dir.display()
            )
            .into());
        }
        if answer.0.is_some() {
            vault.unlock(&mut answer)?;
        }
        return Ok(vault);
    }
    let sealing = match (&args.plugin, answer.0.take()) {
        (Some(plugin), _) => Sealing::Plugin(plugin.clone()),
        (None, Some(passphrase)) if passphrase.is_empty() => {
            return Err("an empty passphrase protects nothing".into());
        }
        (None, Some(passphrase)) => Sealing::Passphrase(typeable(passphrase)?),
        (None, None) => {
            return Err(format!(
                "there is no vault at {}: make one with `nkey agent start`, --passphrase-file or --plugin",
                dir.display()
            )
            .into());
        }
    };
    Ok(Vault::create(dir, &sealing, &mut answer)?)
}

/// A new vault's passphrase must be one that can be typed at `nkey agent unlock`.
fn typeable(passphrase: Zeroizing<String>) -> Result<Zeroizing<String>, &'static str> {
    if passphrase.contains(|c: char| c.is_control() || c == '\u{feff}') {
        return Err(
            "the new passphrase has characters that no terminal can give, such as the line ends of Windows: \
             save it as one line without them",
        );
    }
    Ok(passphrase)
}

/// The whole content without one trailing newline.
fn read_passphrase(path: &Path) -> Result<Zeroizing<String>, String> {
    let failed = |error: io::Error| {
        format!(
            "cannot read the passphrase from {}: {error}",
            path.display()
        )
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_PASSPHRASE + 1));
    let limit = MAX_PASSPHRASE as u64 + 1;
    if path == Path::new("-") {
        io::stdin()
            .lock()
            .take(limit)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
    } else {
        let file = File::open(path).map_err(failed)?;
        file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    }
    if bytes.len() > MAX_PASSPHRASE {
        return Err(format!(
            "the passphrase is longer than {MAX_PASSPHRASE} bytes"
        ));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| "the passphrase is not UTF-8".to_owned())?;
    Ok(Zeroizing::new(
        text.strip_suffix('\n').unwrap_or(text).to_owned(),
    ))
}

/// Answers one question for a secret with what was given at the start.
struct Given(Option<Zeroizing<String>>);

impl Prompt for Given {
    fn message(&mut self, text: &str) {
        eprintln!("nkey-agent: {text}");
    }

    fn secret(&mut self, _text: &str) -> Option<Zeroizing<String>> {
        self.0.take()
    }

    fn public(&mut self, _text: &str) -> Option<String> {
        None
    }

    fn confirm(&mut self, _text: &str) -> Option<bool> {
        None
    }
}
