//! Accounts of an operator that others hold: they sign themselves, go to the operator's account
//! server, and come back signed by the operator.

use super::lock::Lock;
use super::operator::Operator;
use super::receive::{Received, Receiver};
use super::token::Entry;
use crate::context::Context;
use crate::error::Error;
use crate::nats::account_server::{AccountServer, PATIENCE};
use crate::nats::address::{Target, target};
use crate::nats::tls::TlsFlags;
use crate::output::clean_inline;
use nkey_core::claims::owned;

/// Sends the account that was just written to the operator, if others hold it, and stores what
/// comes back. The account stays as it is if that fails, and `nkey push` tries again.
///
/// # Errors
/// If the account or operator cannot be read.
pub fn synchronize(
    ctx: &mut Context,
    lock: &Lock,
    operator: &Operator,
    entry: &Entry<owned::Operator>,
    account: &str,
) -> Result<(), Error> {
    if !operator.is_managed() {
        return Ok(());
    }
    let shown = clean_inline(account);
    let Ok(Target::AccountServer(url)) = target(None, &entry.claims.nats) else {
        ctx.out.note(format!(
            "account {shown} signed itself, and operator {} names no account server: send it to whoever holds the operator",
            clean_inline(operator.name())
        ));
        return Ok(());
    };
    let stored = operator.account(account)?;
    let sent = AccountServer::new(&url, &TlsFlags::default(), PATIENCE).and_then(|server| {
        server.push(stored.sub(), &stored.token)?;
        let token = server.pull(stored.sub())?;
        Ok(Receiver::new(operator, entry, lock, false)?
            .put(stored.sub(), &token)?
            .1)
    });
    ctx.out.note(match sent {
        Ok(Received::Unchanged) => {
            format!("account {shown} was sent to the operator, which has not signed it yet\ntype: nkey pull -a {shown}")
        }
        Ok(_) => format!("account {shown} was signed by the operator"),
        Err(error) => format!(
            "account {shown} is stored, but not signed by the operator: {}\ntype: nkey push -a {shown}",
            error.message()
        ),
    });
    Ok(())
}
