//! OpenPGP cards by name or serial number, and keys that are made on them or brought there.

use super::secret::secret;
use super::{kind as expect_kind, nonsense};
use crate::context::Context;
use crate::error::Error;
use crate::output::clean_inline;
use nkey_agent::client::{Enrol, StoreInfo};
use nkey_agent::device::{Ask, Slot};
use nkey_agent::message::flag;
use nkey_agent::openpgp::{Order, State};
use nkey_agent::wire::{Reader, Writer};
use nkey_core::nkey::{Kind, PublicKey, Seed};
use zeroize::Zeroizing;

/// What the names of its stores begin with.
pub const PREFIX: &str = "openpgp:";
/// What shows the cards that are there.
pub const LIST: &str = "nkey openpgp list";
/// The slots, in the order in which keys go there.
const SLOTS: [&str; 2] = ["sig", "aut"];

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
    stores.retain(|store| store.name.starts_with(PREFIX));
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
    let text = text.strip_prefix(PREFIX).unwrap_or(text);
    let name = format!("{PREFIX}{text}");
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
        .next(LIST));
    }
    let store = stores.into_iter().find(|store| is_of(store, text));
    Ok(Named {
        serial: text.to_owned(),
        store,
    })
}

/// Has a card do what an order says.
///
/// # Errors
/// What the card says.
pub fn order(serial: &str, order: &Order<'_>) -> Result<Vec<u8>, Error> {
    let mut bytes = Writer::new();
    order.write(&mut bytes);
    let wish = Ask::OpenPgpOrder {
        serial,
        order: bytes.as_bytes(),
    };
    super::ask(&mut super::start()?, &wish, LIST)
}

/// The key that an order put into a slot, and its fingerprint.
fn placed(answer: &[u8], kind: Kind) -> Result<(PublicKey, String), Error> {
    let mut reader = Reader::new(answer);
    let slot = Slot::read(&mut reader).map_err(nonsense)?;
    let fingerprint = reader.text().map_err(nonsense)?;
    let key = slot
        .key
        .ok_or_else(|| Error::failed("the card does not show its new key"))?;
    Ok((PublicKey::from_bytes(kind, key), clean_inline(fingerprint)))
}

/// A key that shall be made.
pub struct Wish<'a> {
    /// Where.
    pub slot: &'a str,
    /// Its kind.
    pub kind: Kind,
    /// Its name in the agent.
    pub name: &'a str,
    /// Its marks in the agent.
    pub flags: u32,
    /// The key that it may replace, in hexadecimal digits; empty for none.
    pub replace: &'a str,
}

impl Named {
    /// Refuses a card that the agent cannot enrol from: a key that is made then helps nobody.
    ///
    /// # Errors
    /// Exit 4 if its store is locked.
    pub fn expect_open(&self) -> Result<(), Error> {
        match &self.store {
            Some(store) if store.state() == "locked" => Err(Error::no_agent(format!(
                "{} is locked",
                clean_inline(&store.name)
            ))
            .next("nkey agent unlock")),
            _ => Ok(()),
        }
    }

    /// Its admin PIN.
    ///
    /// # Errors
    /// If the file cannot be read, or there is nobody to ask.
    pub fn admin_pin(&self, file: Option<&str>) -> Result<Zeroizing<String>, Error> {
        secret(file, &format!("admin PIN of the card {}", self.serial))
    }

    /// Makes a key, and has the agent enrol it if that knows the card.
    ///
    /// # Errors
    /// What the card and the agent say.
    pub fn generate(
        &self,
        wish: &Wish<'_>,
        admin: &str,
        ctx: &mut Context,
    ) -> Result<PublicKey, Error> {
        let answer = order(
            &self.serial,
            &Order::Generate {
                slot: wish.slot,
                admin,
                replace: wish.replace,
            },
        )?;
        let (key, fingerprint) = placed(&answer, wish.kind)?;
        ctx.out.note(format!("fingerprint {fingerprint}"));
        let Some(store) = self.store.as_ref() else {
            ctx.out.note(format!(
                "it is not enrolled, since no agent runs that knows the card: name {} in holders.toml (docs/holders.md)",
                clean_inline(&self.serial)
            ));
            return Ok(key);
        };
        let enrolled = ctx.agent()?.enrol(&Enrol {
            store: &store.name,
            slot: wish.slot,
            kind: wish.kind,
            name: wish.name,
            flags: wish.flags,
            key: Some(key),
        });
        enrolled.map_err(|error| {
            Error::failed(format!(
                "{key} was made, but not enrolled: {}",
                Error::from(error).message()
            ))
            .next(format!(
                "nkey store enrol {} {} --{}",
                clean_inline(&store.name),
                wish.slot,
                wish.kind.name()
            ))
        })
    }
}

/// A card that the agent knows, as `--store` names it, and its admin PIN once that was given.
pub struct Opened {
    card: Named,
    store: String,
    file: Option<String>,
    admin: Option<Zeroizing<String>>,
}

impl Opened {
    /// The card of a store. Nothing is asked of it yet, nor of a person.
    ///
    /// # Errors
    /// If the agent knows no such card, or it is locked.
    pub fn new(
        store: &str,
        admin_pin_file: Option<&str>,
        ctx: &mut Context,
    ) -> Result<Opened, Error> {
        let card = named(store, ctx)?;
        card.expect_open()?;
        let Some(known) = &card.store else {
            return Err(Error::failed(format!(
                "no agent runs that knows the card {}: name it in holders.toml (docs/holders.md)",
                clean_inline(&card.serial)
            ))
            .next(LIST));
        };
        Ok(Opened {
            store: known.name.clone(),
            card,
            file: admin_pin_file.map(str::to_owned),
            admin: None,
        })
    }

    /// The store.
    pub fn store(&self) -> &str {
        &self.store
    }

    /// The first slot without a key.
    fn vacant(&self) -> Result<&'static str, Error> {
        let state = State::read(&order(&self.card.serial, &Order::State)?).map_err(nonsense)?;
        let held = |slot: &str| state.keys.iter().find(|key| key.slot.id == slot);
        if let Some(slot) = SLOTS.into_iter().find(|slot| held(slot).is_none()) {
            return Ok(slot);
        }
        let held: Vec<String> = state
            .keys
            .iter()
            .map(|key| {
                let name = match key.fingerprint.as_str() {
                    "" => "a key without a fingerprint",
                    fingerprint => fingerprint,
                };
                clean_inline(&format!("{} holds {name}", key.slot.id))
            })
            .collect();
        Err(Error::failed(format!(
            "{} has no free slot: {}; `nkey openpgp generate` with --overwrite replaces one for good",
            clean_inline(&self.store),
            held.join(", ")
        ))
        .next(format!("nkey openpgp info {}", clean_inline(&self.store))))
    }

    fn admin(&mut self) -> Result<&str, Error> {
        let pin = match self.admin.take() {
            Some(pin) => pin,
            None => self.card.admin_pin(self.file.as_deref())?,
        };
        Ok(self.admin.insert(pin))
    }

    /// Makes a key in the first slot that is free, and has the agent enrol it.
    ///
    /// # Errors
    /// If none is free; what the card and the agent say.
    pub fn generate(
        &mut self,
        kind: Kind,
        name: &str,
        flags: u32,
        ctx: &mut Context,
    ) -> Result<PublicKey, Error> {
        expect_kind(&[kind])?;
        // Users' keys are made exportable unasked; here there is nothing to export.
        let flags = match kind {
            Kind::User => flags & !flag::EXPORTABLE,
            _ => flags,
        };
        if flags & !flag::ANY_IAT != 0 {
            return Err(Error::usage(
                "a key on a card does not leave it: --exportable",
            ));
        }
        let slot = self.vacant()?;
        self.admin()?;
        let admin = self.admin.as_deref().map_or("", String::as_str);
        let wish = Wish {
            slot,
            kind,
            name,
            flags,
            replace: "",
        };
        self.card.generate(&wish, admin, ctx)
    }

    /// Puts a seed into the first slot that is free: which one.
    ///
    /// # Errors
    /// If none is free; what the card says.
    pub fn import(&mut self, seed: &Seed) -> Result<&'static str, Error> {
        let slot = self.vacant()?;
        let serial = self.card.serial.clone();
        let wish = Order::Import {
            slot,
            admin: self.admin()?,
            seed: seed.as_bytes(),
        };
        let (key, _) = placed(&order(&serial, &wish)?, seed.kind())?;
        if key != seed.public_key() {
            return Err(Error::failed(format!(
                "slot {slot} holds {key} now: do not use this card"
            )));
        }
        Ok(slot)
    }
}
