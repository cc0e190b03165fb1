//! `nkey add user`.

use crate::context::Context;
use crate::error::{Error, Exit};
use crate::input::name::NameFlag;
use crate::input::permissions::PermissionFlags;
use crate::input::validity::ValidityFlags;
use crate::input::{list, size};
use crate::key_argument::{KeyArgument, shell_word};
use crate::output::clean_inline;
use crate::store::chain::has_own_permissions;
use crate::store::defaults::new_user;
use crate::store::issue::issue_meanwhile;
use crate::store::keys::{Fresh, key_names};
use crate::store::signer::{Signer, after_revocations, likely_user_signer, user_signer};
use crate::store::{Entry, Lock, Operator, Store, check_name, file};
use nkey_core::claims::owned::{Account, Claims, User};
use nkey_core::nkey::{Kind, PublicKey};
use serde::Serialize;

#[derive(clap::Args)]
pub struct Args {
    /// The account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    #[command(flatten)]
    name: NameFlag,
    /// The user's public key, instead of a new key in the agent
    #[arg(short = 'k', long, value_name = "KEY")]
    public_key: Option<String>,
    #[command(flatten)]
    flags: UserFlags,
    /// Make the user's key in this store, such as a token, instead of the vault
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
    /// Print JSON
    #[arg(short = 'J', long)]
    json: bool,
}

/// What a user may do.
#[derive(clap::Args)]
pub struct UserFlags {
    #[command(flatten)]
    validity: ValidityFlags,
    #[command(flatten)]
    permissions: PermissionFlags,
    /// Connect without signing the server's nonce: whoever has the token is the user
    #[arg(long)]
    bearer: bool,
    /// Networks that the user may connect from, in CIDR form
    #[arg(long, value_name = "CIDR,...")]
    source_network: Vec<String>,
    /// Tags, in lower case
    #[arg(long, value_name = "TAG,...")]
    tag: Vec<String>,
    /// Most subscriptions [default: -1, unlimited]
    #[arg(long, value_name = "NUMBER", value_parser = size::parse, allow_negative_numbers = true)]
    subs: Option<i64>,
    /// Most bytes, such as 10G or 64KiB [default: -1, unlimited]
    #[arg(long, value_name = "SIZE", value_parser = size::parse, allow_negative_numbers = true)]
    data: Option<i64>,
    /// Largest message in bytes [default: -1, unlimited]
    #[arg(long, value_name = "SIZE", value_parser = size::parse, allow_negative_numbers = true)]
    payload: Option<i64>,
}

/// What was added.
#[derive(Serialize)]
struct Added {
    operator: String,
    account: String,
    name: String,
    public_key: String,
    issuer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip)]
    token: String,
}

/// Adds a user to an account.
///
/// # Errors
/// If there is one of that name, or the agent does not sign.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let name = args.name.or_ask("user")?;
    check_name("a user", &name)?;
    let given = args
        .public_key
        .as_deref()
        .map(|text| KeyArgument::parse("-k", text))
        .transpose()?;
    let mut store = Store::open(&ctx.global)?;
    let lock = store.lock()?;
    let operator = store.operator(None)?;
    let account = store.account(&operator, args.account.as_deref())?;
    if operator.has_user(&account, &name) {
        let (of, name) = (clean_inline(&account), clean_inline(&name));
        let next = format!(
            "nkey describe user -a {} -n {}",
            shell_word(&of),
            shell_word(&name)
        );
        return Err(Error::failed(format!("account {of} has a user {name} already")).next(next));
    }
    let mut fresh = Fresh::unasked()?;
    let new = NewUser {
        args,
        operator: &operator,
        lock: &lock,
        path: [operator.name(), &account, &name],
        given: given.as_ref(),
    };
    let (added, paper) = new
        .make(ctx, &mut fresh)
        .map_err(|error| fresh.abandon(ctx, error))?;
    let asked = fresh.ask_written(ctx);
    let written = asked.and_then(|()| {
        let token = added.token.as_bytes();
        paper.finish(token, || fresh.written(ctx))
    });
    if let Err(error) = written {
        return Err(if operator.has_user(&account, &name) {
            error
        } else {
            fresh.abandon(ctx, error)
        });
    }
    if args.json {
        return ctx.out.json(&added);
    }
    let (of, name) = (clean_inline(&account), clean_inline(&name));
    ctx.out.line(format!("added user {name} to account {of}"))?;
    ctx.out
        .line(format!("  public key  {}", added.public_key))?;
    let role = added
        .role
        .map(|role| format!(" (role {})", clean_inline(&role)))
        .unwrap_or_default();
    ctx.out
        .line(format!("  signed by   {}{role}", added.issuer))?;
    if given.is_none() {
        let file = shell_word(&format!("{name}.creds"));
        let (of, name) = (shell_word(&of), shell_word(&name));
        ctx.out
            .line("the seed is in the agent; a creds file takes it out:")?;
        ctx.out
            .line(format!("  nkey generate creds -a {of} -n {name} -o {file}"))?;
    }
    Ok(())
}

/// A user that is to be added.
struct NewUser<'a> {
    args: &'a Args,
    operator: &'a Operator,
    lock: &'a Lock,
    /// Operator, account, user.
    path: [&'a str; 3],
    given: Option<&'a KeyArgument>,
}

impl NewUser<'_> {
    /// The user's token, and the file that it belongs into.
    fn make(&self, ctx: &mut Context, fresh: &mut Fresh) -> Result<(Added, file::New), Error> {
        let makes = match self.given {
            None => true,
            Some(KeyArgument::Name(wanted)) => wanted == "generate",
            Some(KeyArgument::Public(_)) => false,
        };
        // The agent makes a key while the tokens are read and verified here; in a store that is
        // not the vault somebody may have to press a button, so there only once all is well.
        let ahead = makes && self.args.store.is_none() && ctx.private_key()?.is_none();
        if ahead {
            fresh.generate_ahead(ctx, Kind::User, &key_names::identity(&self.path))?;
        }
        let strict = self.operator.claims()?.claims.nats.strict_signing_key_usage;
        let account = self.operator.account(self.path[1])?;
        let likely = likely_user_signer(ctx, strict, &account)?;
        let signer = match &likely {
            Some(signer) => signer.clone(),
            None => user_signer(ctx, strict, &account)?,
        };
        if likely.is_none() {
            Fresh::expect_open(ctx)?;
        }
        let key = self.key(ctx, fresh)?;
        let added = self.issue(ctx, &account, &key, &signer);
        match (added, likely) {
            (Err(error), Some(_)) if error.code() == Exit::Failed as u8 => {
                let asked = user_signer(ctx, strict, &account)?;
                if asked.key == signer.key {
                    return Err(error);
                }
                self.issue(ctx, &account, &key, &asked)
            }
            (added, _) => added,
        }
    }

    /// The user's key: the one that is given, or a new one.
    fn key(&self, ctx: &mut Context, fresh: &mut Fresh) -> Result<PublicKey, Error> {
        let key = match self.given {
            Some(KeyArgument::Public(key)) => *key,
            Some(KeyArgument::Name(wanted)) if wanted != "generate" => {
                ctx.find_key(&KeyArgument::Name(wanted.clone()))?.key
            }
            _ => match fresh.generated(ctx) {
                Ok(Some(key)) => key,
                Ok(None) => {
                    let store = self.args.store.as_deref();
                    fresh.generate_in(ctx, store, Kind::User, &key_names::identity(&self.path))?
                }
                Err(error) if error.code() == Exit::NoAgent as u8 => {
                    // What it says of a locked agent names the store.
                    Fresh::expect_open(ctx)?;
                    return Err(error);
                }
                Err(error) => return Err(error),
            },
        };
        key.expect_kind(Kind::User)
            .map_err(|error| Error::usage(format!("-k: {error}")))
    }

    fn issue(
        &self,
        ctx: &mut Context,
        account: &Entry<Account>,
        key: &PublicKey,
        signer: &Signer,
    ) -> Result<(Added, file::New), Error> {
        let [operator, _, name] = self.path;
        let flags = &self.args.flags;
        let claims = flags.claims(ctx.now(), account, signer, key, name)?;
        let role = signer.scope.as_ref().and_then(|scope| scope.role.clone());
        let after = after_revocations(&account.claims.nats, &claims.standard.sub);
        let begin = || self.operator.new_user(self.lock, &account.name, name);
        let (token, paper) = issue_meanwhile(ctx, &signer.key, claims, after, begin)?;
        let added = Added {
            operator: operator.to_owned(),
            account: account.name.clone(),
            name: name.to_owned(),
            public_key: key.to_string(),
            issuer: signer.key.to_string(),
            role,
            token,
        };
        Ok((added, paper))
    }
}

impl UserFlags {
    /// The claims of the user `name` with this key, as the flags say.
    ///
    /// # Errors
    /// Exit 2 names the flag that is wrong.
    pub fn claims(
        &self,
        now: i64,
        account: &Entry<Account>,
        signer: &Signer,
        key: &PublicKey,
        name: &str,
    ) -> Result<Claims<User>, Error> {
        let mut claims = new_user(key, name, signer.scope.is_some());
        self.validity.apply(&mut claims.standard, now)?;
        let split = |flag: &str, values: &[String]| {
            list::split_tags(values).map_err(|error| Error::usage(format!("{flag}: {error}")))
        };
        claims.generic.tags = split("--tag", &self.tag)?;
        claims.generic.tags.sort();
        let permissions = &mut claims.nats.permissions;
        self.permissions.apply(&mut permissions.permissions)?;
        permissions.user.src = split("--source-network", &self.source_network)?;
        permissions.bearer_token = self.bearer;
        let limits = &mut permissions.limits;
        for (limit, flag) in [
            (&mut limits.subs, self.subs),
            (&mut limits.data, self.data),
            (&mut limits.payload, self.payload),
        ] {
            *limit = flag.unwrap_or(*limit);
        }
        let role = signer.scope.as_ref().and_then(|scope| scope.role.clone());
        if signer.scope.is_some() && has_own_permissions(&claims.nats) {
            return Err(Error::usage(format!(
                "the role {} of the signing key says what its users may do: leave out the flags for permissions and limits",
                clean_inline(role.as_deref().unwrap_or_default())
            )));
        }
        let account_limits = account.claims.nats.limits.as_ref();
        if self.bearer && account_limits.is_some_and(|limits| limits.account.disallow_bearer) {
            return Err(Error::usage(format!(
                "account {} forbids bearer users",
                clean_inline(&account.name)
            )));
        }
        if *signer.key.encode() != *account.sub() {
            claims.nats.issuer_account = account.sub().to_owned();
        }
        Ok(claims)
    }
}
