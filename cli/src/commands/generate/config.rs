//! `nkey generate config`.

use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::store::chain::account_issuer;
use crate::store::{Entry, Operator, Store, file};
use nkey_core::claims::owned::{self, Account};
use std::fmt::Write;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    resolver: ResolverFlags,
    /// The system account's name or public key [default: the one that the operator names]
    #[arg(long, value_name = "ACCOUNT")]
    sys_account: Option<String>,
    /// Write to FILE instead of standard output
    #[arg(
        long,
        value_name = "FILE",
        default_value = "--",
        hide_default_value = true
    )]
    config_file: PathBuf,
    /// Replace FILE
    #[arg(short = 'F', long)]
    force: bool,
    /// Let whoever holds an operator key delete accounts from the servers
    #[arg(long, requires = "nats_resolver")]
    allow_delete: bool,
}

/// Where servers find accounts.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct ResolverFlags {
    /// All accounts stand in the configuration
    #[arg(long)]
    mem_resolver: bool,
    /// Servers keep all accounts on disk; push brings them there
    #[arg(long)]
    nats_resolver: bool,
    /// Servers keep the accounts that they use, and ask others for them
    #[arg(long)]
    nats_resolver_cache: bool,
}

/// Writes a nats-server configuration for the operator, in nsc's forms.
///
/// # Errors
/// If there is no system account where one is needed, or FILE exists.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let store = Store::open(&ctx.global)?;
    let operator = store.operator(None)?;
    let entry = operator.claims()?;
    let accounts = read_accounts(&operator)?;
    let system = system_account(args, &entry, &accounts)?;
    let text = if args.resolver.mem_resolver {
        for account in &accounts {
            require_trusted(&entry, account)?;
        }
        memory(&entry, system, &accounts)
    } else {
        let system = system.ok_or_else(|| {
            Error::failed(format!(
                "operator {} names no system account",
                clean_inline(operator.name())
            ))
            .next("nkey generate config --nats-resolver --sys-account NAME")
        })?;
        require_trusted(&entry, system)?;
        nats(
            &entry,
            system,
            args.resolver.nats_resolver_cache,
            args.allow_delete,
        )
    };
    if args.config_file.as_os_str() == "--" {
        return ctx.out.bytes(text.as_bytes());
    }
    file::write_output(&args.config_file, text.as_bytes(), args.force)?;
    ctx.out
        .note(format!("wrote {}", args.config_file.display()));
    Ok(())
}

fn read_accounts(operator: &Operator) -> Result<Vec<Entry<Account>>, Error> {
    let names = operator.accounts()?;
    if names.is_empty() {
        let message = format!("operator {} has no accounts", clean_inline(operator.name()));
        return Err(Error::failed(message).next("nkey add account -n NAME"));
    }
    names.iter().map(|name| operator.account(name)).collect()
}

fn system_account<'a>(
    args: &Args,
    operator: &Entry<owned::Operator>,
    accounts: &'a [Entry<Account>],
) -> Result<Option<&'a Entry<Account>>, Error> {
    let wanted = match &args.sys_account {
        Some(wanted) => wanted,
        None if operator.claims.nats.system_account.is_empty() => return Ok(None),
        None => &operator.claims.nats.system_account,
    };
    match accounts
        .iter()
        .find(|account| account.name == *wanted || account.sub() == wanted)
    {
        Some(account) => Ok(Some(account)),
        None => Err(Error::failed(format!(
            "the system account {} is not in the store",
            clean_inline(wanted)
        ))
        .next("nkey list accounts")),
    }
}

/// No server of the operator would take the account: then it has no place in its configuration.
fn require_trusted(
    operator: &Entry<owned::Operator>,
    account: &Entry<Account>,
) -> Result<(), Error> {
    let (claims, iss) = (&operator.claims, &account.claims.standard.iss);
    account_issuer(&claims.nats, operator.sub(), iss).map_err(|reason| {
        Error::failed(format!("{}: iss: {reason}", account.path.display())).next("nkey validate -A")
    })
}

/// A name within a comment: on one line.
fn comment(name: &str) -> String {
    clean_inline(name)
}

/// nsc's `memresolverconfigbuilder.go`.
fn memory(
    operator: &Entry<owned::Operator>,
    system: Option<&Entry<Account>>,
    accounts: &[Entry<Account>],
) -> String {
    let mut text = format!(
        "// Operator \"{}\"\noperator: {}\n\n",
        comment(&operator.claims.standard.name),
        operator.token
    );
    if let Some(system) = system {
        text.push_str(&format!("system_account: {}\n\n", system.sub()));
    }
    text.push_str("resolver: MEMORY\n\nresolver_preload: {\n");
    let mut sorted: Vec<_> = accounts.iter().collect();
    sorted.sort_by_key(|account| account.sub());
    for account in sorted {
        let name = comment(&account.claims.standard.name);
        // Writing to a String does not fail.
        let _ = write!(
            text,
            "  // Account \"{name}\"\n  {}: {}\n\n",
            account.sub(),
            account.token
        );
    }
    text.push_str("}\n");
    text
}

/// nsc's `natsresolverconfigbuilder.go`.
fn nats(
    operator: &Entry<owned::Operator>,
    system: &Entry<Account>,
    cache: bool,
    allow_delete: bool,
) -> String {
    let resolver = if cache {
        r#"# configuration of the nats based cache resolver
resolver {
    type: cache
    # Directory in which the account jwt will be stored
    dir: './jwt'
    # ttl after which the file will be removed from the cache. Set to a large value in order to disable.
    ttl: "1h"
    # Timeout for lookup requests in case an account does not exist locally.
    timeout: "1.9s"
}
"#
        .to_owned()
    } else {
        format!(
            r#"# configuration of the nats based resolver
resolver {{
    type: full
    # Directory in which the account jwt will be stored
    dir: './jwt'
    # In order to support jwt deletion, set to true
    # If the resolver type is full delete will rename the jwt.
    # This is to allow manual restoration in case of inadvertent deletion.
    # To restore a jwt, remove the added suffix .delete and restart or send a reload signal.
    # To free up storage you must manually delete files with the suffix .delete.
    allow_delete: {allow_delete}
    # Interval at which a nats-server with a nats based account resolver will compare
    # its state with one random nats based account resolver in the cluster and if needed,
    # exchange jwt and converge on the same set of jwt.
    interval: "2m"
    # Timeout for lookup requests in case an account does not exist locally.
    timeout: "1.9s"
}}
"#
        )
    };
    format!(
        "# Operator named {}\noperator: {}\n# System Account named {}\nsystem_account: {sub}\n\n{resolver}\n\
         # Preload the nats based resolver with the system account jwt.\n\
         # This only applies to the system account. Therefore other account jwt are not included here.\n\
         # To populate the resolver:\n\
         #    nkey push --all -u nats://localhost:4222\n\
         # The argument -u is optional if the operator has an account server url or a service url.\n\
         # Later changes to the system account take precedence over the system account jwt listed here.\n\
         resolver_preload: {{\n\t{sub}: {},\n}}\n",
        comment(&operator.claims.standard.name),
        operator.token,
        comment(&system.claims.standard.name),
        system.token,
        sub = system.sub(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn fixture() -> (Entry<owned::Operator>, Vec<Entry<Account>>) {
        let stores = Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/fixtures/nsc-store/stores"
        ));
        let operator = Operator::load(stores, "demoop").unwrap();
        (
            operator.claims().unwrap(),
            read_accounts(&operator).unwrap(),
        )
    }

    /// What a server reads: no comments, no empty lines.
    fn bare(text: &str) -> Vec<&str> {
        let lines = text.lines().map(str::trim_end);
        lines
            .filter(|line| !line.trim_start().starts_with('#') && !line.is_empty())
            .collect()
    }

    #[test]
    fn the_configurations_are_the_ones_that_nsc_writes() {
        let (operator, accounts) = fixture();
        let system = accounts.iter().find(|account| account.name == "SYS");
        let nsc = include_str!("../../../../tests/fixtures/nsc-store/mem.conf");
        assert_eq!(
            memory(&operator, system, &accounts).trim_end(),
            nsc.trim_end()
        );
        let nsc = include_str!("../../../../tests/fixtures/nsc-store/full.conf");
        assert_eq!(
            bare(&nats(&operator, system.unwrap(), false, false)),
            bare(nsc)
        );
        assert!(nats(&operator, system.unwrap(), false, true).contains("allow_delete: true"));
        assert!(nats(&operator, system.unwrap(), true, false).contains("type: cache"));
    }

    #[test]
    fn a_name_does_not_leave_its_comment() {
        let (mut operator, accounts) = fixture();
        operator.claims.standard.name = "x\nsystem_account: EVIL".to_owned();
        let text = nats(&operator, &accounts[0], false, false);
        assert!(
            text.starts_with("# Operator named x\\nsystem_account: EVIL\noperator: "),
            "{text}"
        );
        assert!(
            memory(&operator, None, &accounts)
                .starts_with("// Operator \"x\\nsystem_account: EVIL\"\n")
        );
    }
}
