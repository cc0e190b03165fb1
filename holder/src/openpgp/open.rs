//! Finding a card, and what does not change about it.

use super::backend::{Backend, Trace};
use super::ident::Ident;
use super::{limit, pin};
use crate::card::{Fail, connect, readers};
use crate::serve::{FRESH, Touch};
use nkey_agent::device::{Failure, Fault};
use openpgp_card::ocard::data::{
    ApplicationIdentifier, ApplicationRelatedData, KdfDo, TouchPolicy, UserInteractionFlag,
};
use openpgp_card::ocard::{KeyType, OpenPGP};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// How often a card is looked at that is reset while it is read.
const TRIES: u32 = 5;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(30);

/// A card that was found.
pub struct Opened {
    pub card: OpenPGP,
    pub trace: Trace,
    pub known: Known,
}

/// What does not change about a card.
pub struct Known {
    pub identifier: ApplicationIdentifier,
    /// How it wants its PINs hashed.
    pub kdf: Option<KdfDo>,
    /// The longest message that it signs.
    pub limit: usize,
    longest: [u8; 2],
    /// When the signature and the authentication key wait for a finger, as last seen.
    touch: Cell<[Touch; 2]>,
    seen: Cell<Instant>,
}

impl Known {
    /// Remembers what a card says of touches.
    pub fn see(&self, data: &ApplicationRelatedData) {
        let touch = |flag: Result<Option<UserInteractionFlag>, _>| match flag {
            Ok(Some(flag)) => touch_of(flag.touch_policy()),
            _ => Touch::Never,
        };
        self.touch
            .set([touch(data.uif_pso_cds()), touch(data.uif_pso_aut())]);
        self.seen.set(Instant::now());
    }

    /// Whether what it said of touches was read just now.
    pub fn is_fresh(&self) -> bool {
        self.seen.get().elapsed() < FRESH
    }

    /// When the key of a slot waits for a finger.
    pub fn touch(&self, key: KeyType) -> Touch {
        let [signing, authentication] = self.touch.get();
        match key {
            KeyType::Signing => signing,
            _ => authentication,
        }
    }

    /// For people: who made it, and the version of the specification that it follows.
    pub fn label(&self) -> String {
        let [major, minor] = self.identifier.version().to_be_bytes();
        let maker = self.identifier.manufacturer_name().trim_end_matches('.');
        format!("OpenPGP {major}.{minor} of {maker}")
    }

    /// Most bytes of a PIN.
    pub fn longest(&self, kind: pin::Kind) -> usize {
        let [user, admin] = self.longest;
        usize::from(match kind {
            pin::Kind::User => user,
            pin::Kind::Admin => admin,
        })
    }
}

fn touch_of(policy: TouchPolicy) -> Touch {
    match policy {
        TouchPolicy::Off => Touch::Never,
        TouchPolicy::On | TouchPolicy::Fixed => Touch::Always,
        TouchPolicy::Cached | TouchPolicy::CachedFixed | TouchPolicy::Unknown(_) => Touch::Cached,
    }
}

/// An error of the crate in our words.
pub fn explain(trace: &Trace, error: openpgp_card::Error) -> Fail {
    use openpgp_card::Error;
    let mut seen = trace.seen();
    match error {
        Error::Smartcard(_) => seen
            .fail
            .take()
            .unwrap_or_else(|| Failure::other("the reader failed").into()),
        Error::CardStatus(_) => {
            Failure::other(format!("it refuses (SW {:04X})", seen.status)).into()
        }
        Error::CommandTooLong(length) => {
            Failure::other(format!("it takes no command of {length} bytes")).into()
        }
        other => Failure::other(format!(
            "what it says of itself does not have its form: {other}"
        ))
        .into(),
    }
}

/// All cards that are there, each with its reader; in `trouble` why one could not be read.
pub fn all(trouble: &mut Option<String>) -> Result<Vec<(Opened, String)>, Fail> {
    let (context, readers) = readers()?;
    let mut cards = Vec::new();
    for reader in &readers {
        let look = || connect(&context, reader).map(|card| open(card, Trace::default()));
        // One that another program resets meanwhile is there nevertheless.
        let again =
            |found: &Result<Result<Opened, Fail>, Fail>| matches!(found, Ok(Err(Fail::Lost(_))));
        let mut found = look();
        for _ in 1..TRIES {
            if again(&found) {
                std::thread::sleep(PAUSE);
                found = look();
            }
        }
        match found.and_then(|opened| opened) {
            Ok(opened) => cards.push((opened, reader.to_string_lossy().into_owned())),
            // An empty reader.
            Err(Fail::Lost(_)) => {}
            Err(Fail::Told(failure)) => *trouble = Some(failure.text),
        }
    }
    Ok(cards)
}

fn open(card: pcsc::Card, trace: Trace) -> Result<Opened, Fail> {
    let told = |error| explain(&trace, error);
    let mut card = OpenPGP::new(Backend::new(card, trace.clone())).map_err(told)?;
    let mut session = card.transaction().map_err(told)?;
    let identifier = session.application_identifier().map_err(told)?;
    let capabilities = session.extended_capabilities().map_err(told)?;
    let lengths = session.extended_length_info().map_err(told)?;
    let data = session.application_related_data().map_err(told)?;
    let pins = data.pw_status_bytes().map_err(told)?;
    let kdf = match capabilities.kdf_do() {
        // A card that has none is asked for its PIN as it is.
        true => session.kdf_do().ok(),
        false => None,
    };
    drop(session);
    let stated = lengths.map(|lengths| usize::from(lengths.max_command_bytes()));
    let known = Known {
        identifier,
        kdf,
        limit: limit::of(identifier.manufacturer(), identifier.version(), stated),
        longest: [pins.pw1_max_len(), pins.pw3_max_len()],
        touch: Cell::new([Touch::Never; 2]),
        seen: Cell::new(Instant::now()),
    };
    known.see(&data);
    Ok(Opened { card, trace, known })
}

/// Never the first one: two cards may be there, and not the one that is meant.
pub fn find(wanted: &Ident) -> Result<Opened, Fail> {
    let mut trouble = None;
    let (mut fitting, mut others) = (Vec::new(), Vec::new());
    for (opened, _) in all(&mut trouble)? {
        let ident = opened.known.identifier.ident();
        match wanted.fits(&opened.known.identifier) {
            true => fitting.push(opened),
            false => others.push(ident),
        }
    }
    match (fitting.pop(), fitting.len()) {
        (Some(opened), 0) => return Ok(opened),
        (Some(opened), _) => {
            let ident = opened.known.identifier.ident();
            let text = format!("two cards fit: name one with its manufacturer, as {ident}");
            return Err(Failure::other(text).into());
        }
        (None, _) => {}
    }
    let others = match (others.is_empty(), trouble) {
        (false, _) => format!("there are {}", others.join(", ")),
        (true, Some(trouble)) => trouble,
        (true, None) => "no OpenPGP card is there".to_owned(),
    };
    let text = format!("the card {wanted} is not there: {others}");
    Err(Fail::Told(Failure::new(Fault::Absent, text)))
}
