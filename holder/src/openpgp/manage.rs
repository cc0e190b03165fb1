//! What a person does with a card: listing, keys, PINs. No agent takes part.

use super::upload::Upload;
use super::{OpenPgp, Place, Session, fingerprint, is_ed25519, open, pin, shown};
use crate::card::Fail;
use nkey_agent::cards::Card;
use nkey_agent::device::Failure;
use nkey_agent::openpgp::{Held, Order, State};
use nkey_agent::wire::Writer;
use openpgp_card::ocard::KeyType;
use openpgp_card::ocard::algorithm::AlgoSimple;

/// The cards that are there.
///
/// # Errors
/// If pcscd does not run.
pub fn cards() -> Result<Vec<Card>, Failure> {
    let mut trouble = None;
    let found = open::all(&mut trouble).map_err(Fail::failure)?;
    let cards = found.into_iter().map(|(opened, reader)| Card {
        serial: opened.known.identifier.ident(),
        label: opened.known.label(),
        reader,
    });
    Ok(cards.collect())
}

/// Does what a person wants of a card.
///
/// # Errors
/// What the card says.
pub fn run(serial: &str, order: &[u8], body: &mut Writer) -> Result<(), Failure> {
    let order = Order::read(order).map_err(Failure::other)?;
    let mut card = OpenPgp::open(serial)?;
    match order {
        Order::State => state(&mut card)?.write(body),
        Order::Generate {
            slot,
            admin,
            replace,
        } => {
            let place = Place::named(slot)?;
            let held = card.once(|session| generate(session, place, admin, replace))?;
            held.slot.write(body);
            body.string(held.fingerprint.as_bytes());
        }
        Order::Import { slot, admin, seed } => {
            let place = Place::named(slot)?;
            let upload = Upload::new(seed)?;
            let held = card.once(|session| import(session, place, admin, &upload))?;
            held.slot.write(body);
            body.string(held.fingerprint.as_bytes());
        }
        Order::Pin { old, new } => change(&mut card, pin::Kind::User, old, new)?,
        Order::AdminPin { old, new } => change(&mut card, pin::Kind::Admin, old, new)?,
        Order::Unblock { admin, new } => card.once(|session| {
            let given = pin::bytes(pin::Kind::User, new, session.known)?;
            session.verify_admin(admin)?;
            let set = session.card.reset_retry_counter_pw1(given, None);
            session.done(set)
        })?,
    }
    Ok(())
}

fn state(card: &mut OpenPgp) -> Result<State, Failure> {
    card.with(|session| {
        let (facts, tries) = session.facts()?;
        Ok(State {
            facts,
            tries: tries.err_count_pw1(),
            admin_tries: tries.err_count_pw3(),
            keys: session.keys()?,
        })
    })
}

fn change(card: &mut OpenPgp, kind: pin::Kind, old: &str, new: &str) -> Result<(), Failure> {
    card.once(|session| {
        let new = pin::bytes(kind, new, session.known).map_err(|failure| {
            // The present one was not wrong.
            Failure::other(format!("the new one: {}", failure.text))
        })?;
        let old = pin::bytes(kind, old, session.known)?;
        let changed = match kind {
            pin::Kind::User => session.card.change_pw1(old, new),
            pin::Kind::Admin => session.card.change_pw3(old, new),
        };
        session.pin_taken(kind, changed)
    })
}

fn generate(
    session: &mut Session<'_>,
    place: &Place,
    admin: &str,
    replace: &str,
) -> Result<Held, Fail> {
    expect_vacant(session, place, replace)?;
    session.verify_admin(admin)?;
    make_ed25519(session, place.key)?;
    let made = session.card.generate_key(fingerprint::of, place.key);
    session.done(made)?;
    shown_now(session, place)
}

fn import(
    session: &mut Session<'_>,
    place: &Place,
    admin: &str,
    upload: &Upload,
) -> Result<Held, Fail> {
    expect_vacant(session, place, "")?;
    session.verify_admin(admin)?;
    let taken = session.card.key_import(upload, place.key);
    session.done(taken)?;
    shown_now(session, place)
}

/// Refuses a slot that holds a key, unless `replace` names it.
fn expect_vacant(session: &mut Session<'_>, place: &Place, replace: &str) -> Result<(), Fail> {
    let data = session.data()?;
    let held = session.held(place, &data)?;
    let fingerprints = data.fingerprints().ok();
    let stated = fingerprints.and_then(|all| place.of(&all).map(shown));
    if held.is_some() || stated.is_some() {
        let public = held.and_then(|held| held.slot.key);
        may_replace(place, stated.as_deref(), public, replace)?;
    }
    Ok(())
}

fn shown_now(session: &mut Session<'_>, place: &Place) -> Result<Held, Fail> {
    let data = session.data()?;
    session
        .held(place, &data)?
        .ok_or_else(|| Failure::other("it does not show its new key").into())
}

/// Refuses to replace a key that was not named: it may be one that somebody uses with gpg.
fn may_replace(
    place: &Place,
    fingerprint: Option<&str>,
    key: Option<[u8; 32]>,
    named: &str,
) -> Result<(), Failure> {
    let key: Option<String> = key.map(|key| key.iter().map(|byte| format!("{byte:02x}")).collect());
    let names = [fingerprint, key.as_deref()];
    let mut names = names.into_iter().flatten();
    if names.clone().any(|name| name.eq_ignore_ascii_case(named)) {
        return Ok(());
    }
    // A key of another algorithm that nobody gave a fingerprint.
    let name = names
        .next()
        .unwrap_or("a key without a fingerprint: delete it with gpg first");
    let other = match named {
        "" => "",
        _ => ", not the one that was named",
    };
    Err(Failure::other(format!(
        "slot {} holds {name}{other}; --overwrite with this fingerprint or the public key replaces it for good, and whoever uses it with gpg loses it",
        place.id
    )))
}

fn make_ed25519(session: &mut Session<'_>, key: KeyType) -> Result<(), Fail> {
    let data = session.data()?;
    let algorithm = data.algorithm_attributes(key);
    if is_ed25519(&session.done(algorithm)?) {
        return Ok(());
    }
    let wanted = AlgoSimple::Curve25519.matching_algorithm_attributes(&mut session.card, key);
    let set = wanted.and_then(|wanted| session.card.set_algorithm_attributes(key, &wanted));
    let data = session.data()?;
    let algorithm = data.algorithm_attributes(key);
    if set.is_err() || !is_ed25519(&session.done(algorithm)?) {
        return Err(Failure::other("it makes no Ed25519 keys").into());
    }
    Ok(())
}

impl Session<'_> {
    fn verify_admin(&mut self, admin: &str) -> Result<(), Fail> {
        let given = pin::bytes(pin::Kind::Admin, admin, self.known)?;
        let result = self.card.verify_pw3(given);
        self.pin_taken(pin::Kind::Admin, result)
    }
}

#[cfg(test)]
mod tests {
    use super::may_replace;
    use crate::openpgp::PLACES;

    #[test]
    fn a_key_is_replaced_only_by_its_name() {
        let (fingerprint, key) = ("0123456789ABCDEF", [0xab; 32]);
        let may = |named: &str| may_replace(&PLACES[0], Some(fingerprint), Some(key), named);
        assert!(may("0123456789abcdef").is_ok());
        assert!(may(&"ab".repeat(32)).is_ok());
        for named in ["", "0123", &"ac".repeat(32)] {
            let said = may(named).unwrap_err().text;
            assert!(
                said.contains(fingerprint) && said.contains("--overwrite"),
                "{said}"
            );
        }
        let said = may_replace(&PLACES[1], None, None, "").unwrap_err().text;
        assert!(
            said.contains("slot aut") && said.contains("gpg first"),
            "{said}"
        );
    }
}
