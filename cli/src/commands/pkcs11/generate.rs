//! `nkey pkcs11 generate`.

use super::FAMILY;
use crate::context::Context;
use crate::error::Error;
use crate::key_flags::Kinds;
use nkey_agent::message::flag;

#[derive(clap::Args)]
pub struct Args {
    /// The token, as holders.toml names it
    #[arg(value_name = "TOKEN")]
    pub token: String,
    #[command(flatten)]
    pub kinds: Kinds,
    /// The key's name in the agent, and its label in the token
    #[arg(short, long, default_value = "")]
    pub name: String,
    /// Sign claims whatever their time of issue; otherwise it must be within 5 minutes of the clock
    #[arg(long)]
    pub any_iat: bool,
}

/// Makes a key in a token, which never gives it away, and enrols it.
///
/// # Errors
/// Exit 2 without exactly one kind; what the agent says.
pub fn run(args: &Args, ctx: &mut Context) -> Result<(), Error> {
    let [kind] = args.kinds.chosen()[..] else {
        return Err(Error::usage(
            "say what kind of key it shall be: -o (operator), -a (account) or -u (user)",
        ));
    };
    let flags = if args.any_iat { flag::ANY_IAT } else { 0 };
    let store = FAMILY.store(&args.token);
    let key = ctx.agent()?.generate_in(&store, kind, &args.name, flags)?;
    ctx.out.line(key.to_string())
}
