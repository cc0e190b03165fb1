//! `nkey adopt --store`: bringing a seed into a token.

use crate::commands::token::attest::{attested, random};
use crate::commands::token::generate::enrol;
use crate::commands::token::import::import;
use crate::commands::token::line::Line;
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use crate::store::inventory::Known;
use nkey_core::nkey::Seed;
use nkey_core::token::NAME_LEN;

/// Puts a seed into the token, if it is not there, and has the agent enrol it, for which the
/// token proves that it has it.
///
/// # Errors
/// If another store of the agent has the key; what the token says.
pub fn adopt(
    ctx: &mut Context,
    store: &str,
    known: &Known,
    seed: &Seed,
) -> Result<&'static str, Error> {
    let mut line = Line::by_agent(ctx, store)?;
    line.require_usable()?;
    let there = line.slots()?.into_iter().find_map(|slot| {
        let key = slot.key?;
        (key.key == known.key).then_some(slot.number)
    });
    match &known.agent {
        Some(info) if there.is_none() => Err(Error::failed(format!(
            "the agent has it in {} already",
            clean_inline(&info.store)
        ))),
        Some(_) => {
            let slot = there.unwrap_or_default();
            let said = attested(&mut line, slot, &random()?)?.1;
            if said.key != known.key {
                return Err(Error::failed(format!("slot {slot} holds {}", said.key)));
            }
            Ok("already there, proved")
        }
        None => {
            let name = known.name();
            let slot = match there {
                Some(slot) => slot,
                None => import(&mut line, seed, cut(&name))?,
            };
            enrol(&mut line, slot, known.key, &name)?;
            Ok("imported, proved")
        }
    }
}

/// Cut to what a token takes as a name.
fn cut(name: &str) -> &str {
    let mut end = name.len().min(NAME_LEN);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}
