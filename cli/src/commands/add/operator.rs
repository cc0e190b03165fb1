//! `nkey add operator`.

use crate::context::Context;
use crate::error::Error;

#[derive(clap::Args)]
pub struct Args {}

pub fn run(_args: &Args, _ctx: &mut Context) -> Result<(), Error> {
    Err(Error::failed("not written yet"))
}
