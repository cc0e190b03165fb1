//! `nkey edit user`.

use super::nothing_to_do;
use crate::context::Context;
use crate::error::Error;
use crate::input::name::NameFlag;
use crate::input::tags::TagFlags;
use crate::input::user_limits::{Parts, UserFlags};
use crate::input::validity::ValidityFlags;
use crate::key_argument::shell_word;
use crate::output::clean_inline;
use crate::store::chain::has_own_permissions;
use crate::store::keys::Fresh;
use crate::store::signer::Signer;
use crate::store::{Edit, Entry, keystore};
use nkey_core::claims::owned::{Account, Claims, User};

#[derive(clap::Args)]
pub struct Args {
    /// The account
    #[arg(short, long, value_name = "ACCOUNT")]
    account: Option<String>,
    #[command(flatten)]
    name: NameFlag,
    #[command(flatten)]
    changes: Changes,
    /// Print JSON
    #[arg(short = 'J', long, help_heading = "Options")]
    json: bool,
}

/// What changes.
#[derive(clap::Args)]
pub struct Changes {
    #[command(flatten)]
    tags: TagFlags,
    #[command(flatten)]
    validity: ValidityFlags,
    #[command(flatten)]
    flags: UserFlags,
    /// Sign it again although a key signed it that is no longer the account's
    #[arg(long, help_heading = "Options")]
    pub resign: bool,
}

/// Changes a user.
///
/// # Errors
/// If servers would refuse it then, or the agent does not sign.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    args.changes.require()?;
    let (edit, account) = Edit::account(ctx, args.account.as_deref())?;
    let user = edit.user(&account, args.name.get(), args.changes.resign)?;
    Fresh::begin(ctx)?;
    let signer = edit.user_signer(ctx, &account, &user)?;
    let claims = args.changes.apply(ctx, &account, &user, &signer)?;
    let issued = edit.write_user(ctx, &account, &user, &signer, claims)?;
    let (of, name) = (clean_inline(&account.name), clean_inline(&user.name));
    issued.report(ctx, args.json, &format!("edited user {of}/{name}"))?;
    let keystore = &edit.store.places().keystore;
    let creds = keystore::creds_file(keystore, edit.operator.name(), &account.name, &user.name);
    if creds.exists() {
        let file = shell_word(&creds.display().to_string());
        ctx.out.note(format!(
            "{} holds the token from before; to replace it: nkey generate creds -a {} -n {} -o {file}",
            creds.display(),
            shell_word(&of),
            shell_word(&name)
        ));
    }
    Ok(())
}

impl Changes {
    /// Refuses to change nothing.
    ///
    /// # Errors
    /// Exit 2 if no flag was given.
    pub fn require(&self) -> Result<(), Error> {
        match self.tags.is_given()
            || self.validity.is_given()
            || self.flags.is_given()
            || self.resign
        {
            true => Ok(()),
            false => Err(nothing_to_do()),
        }
    }

    /// What the user says then, signed by `signer`.
    ///
    /// # Errors
    /// Exit 2 names the flag that is wrong.
    pub fn apply(
        &self,
        ctx: &mut Context,
        account: &Entry<Account>,
        user: &Entry<User>,
        signer: &Signer,
    ) -> Result<Claims<User>, Error> {
        let mut claims = user.claims.clone();
        self.tags.apply(&mut claims.generic.tags, &mut ctx.out)?;
        self.validity.apply(&mut claims.standard, ctx.now())?;
        let all = &mut claims.nats.permissions;
        let mut parts = Parts {
            permissions: &mut all.permissions,
            user: &mut all.user,
            bearer: &mut all.bearer_token,
            connection_types: &mut all.allowed_connection_types,
        };
        self.flags.apply(&mut parts, &mut ctx.out)?;
        let limits = &mut all.limits;
        limits.subs = self.flags.subs.unwrap_or(limits.subs);
        limits.data = self.flags.data.unwrap_or(limits.data);
        limits.payload = self.flags.payload.unwrap_or(limits.payload);
        if let Some(scope) = &signer.scope
            && has_own_permissions(&claims.nats)
        {
            return Err(Error::usage(format!(
                "the role {} of the signing key {} says what its users may do: a user of it has no permissions and limits of its own. \
             nkey edit signing-key changes the role; -K KEY signs with another key",
                clean_inline(scope.role.as_deref().unwrap_or_default()),
                signer.key
            )));
        }
        let limits = account.claims.nats.limits.as_ref();
        if self.flags.makes_bearer() && limits.is_some_and(|limits| limits.account.disallow_bearer)
        {
            return Err(Error::usage(format!(
                "account {} forbids bearer users",
                clean_inline(&account.name)
            )));
        }
        Ok(claims)
    }
}
