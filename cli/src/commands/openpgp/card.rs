//! Cards by name or serial number, and what `nkey-holder` does with them.

use super::FAMILY;
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use nkey_agent::child::{Child, Failed, program};
use nkey_agent::client::StoreInfo;
use nkey_agent::device::{Ask, Fault};
use nkey_agent::openpgp::Order;
use nkey_agent::wire::Writer;
use std::time::Duration;

/// How long a card may take: it may wait for a touch.
const PATIENCE: Duration = Duration::from_secs(60);

/// A card.
pub struct Named {
    /// Its manufacturer and serial number.
    pub serial: String,
    /// The store that holders.toml makes of it, if the agent runs and knows one.
    pub store: Option<StoreInfo>,
}

/// The agent's stores of OpenPGP cards; none if there is no agent.
pub fn stores(ctx: &mut Context) -> Vec<StoreInfo> {
    let mut stores = ctx
        .agent()
        .and_then(|agent| Ok(agent.stores()?))
        .unwrap_or_default();
    stores.retain(|store| store.name.starts_with(FAMILY.prefix));
    stores
}

/// The serial number that holders.toml has for a store.
fn configured(store: &StoreInfo) -> &str {
    store.place.strip_prefix("card ").unwrap_or_default()
}

/// Whether a store is the card with this serial number.
pub fn is_of(store: &StoreInfo, serial: &str) -> bool {
    [&store.serial, configured(store)]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(serial))
}

/// The card that a person names: as holders.toml does, or by its serial number.
///
/// # Errors
/// If it is neither.
pub fn named(text: &str, ctx: &mut Context) -> Result<Named, Error> {
    let mut stores = stores(ctx);
    let name = FAMILY.store(text);
    if let Some(at) = stores.iter().position(|store| store.name == name) {
        let store = stores.swap_remove(at);
        let serial = match store.serial.as_str() {
            "" => configured(&store).to_owned(),
            serial => serial.to_owned(),
        };
        return Ok(Named {
            serial,
            store: Some(store),
        });
    }
    let is_serial = text.len() >= 8
        && text
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b':');
    if !is_serial {
        return Err(Error::failed(format!(
            "{} is neither a card that holders.toml names (and the agent knows) nor a serial number",
            clean_inline(text)
        ))
        .next("nkey openpgp list"));
    }
    let store = stores.into_iter().find(|store| is_of(store, text));
    Ok(Named {
        serial: text.to_owned(),
        store,
    })
}

/// Has a process of its own do something.
///
/// # Errors
/// What the card says.
pub fn ask(ask: &Ask<'_>) -> Result<Vec<u8>, Error> {
    let mut child = Child::start(&program()).map_err(Error::failed)?;
    child.ask(ask, PATIENCE).map_err(|failed| match failed {
        Failed::Said(failure) => match failure.fault {
            Fault::WrongPin | Fault::Blocked => Error::refused(clean_inline(&failure.text)),
            Fault::Absent => Error::failed(clean_inline(&failure.text)).next("nkey openpgp list"),
            _ => Error::failed(clean_inline(&failure.text)),
        },
        Failed::Broken(why) => Error::failed(clean_inline(&why)),
    })
}

/// Has a card do what an order says.
///
/// # Errors
/// What the card says.
pub fn order(serial: &str, order: &Order<'_>) -> Result<Vec<u8>, Error> {
    let mut bytes = Writer::new();
    order.write(&mut bytes);
    ask(&Ask::OpenPgpOrder {
        serial,
        order: bytes.as_bytes(),
    })
}
