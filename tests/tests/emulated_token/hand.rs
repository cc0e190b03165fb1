//! A token that was prepared once, its host and the hand at its button.

use nkey_agent::token::{Hand, Place, Token, TokenError};
use nkey_core::Signature;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::token::{Answer, Code, Command, Init, Press, Session};
use nkey_tests::emulator::{Emulator, firmware};
use nkey_tests::{Scratch, command, run};
use std::sync::OnceLock;
use std::time::Duration;

pub const PIN: &[u8] = b"correct horse";
pub const NOW: u64 = 1_800_000_000;
pub const NONCE: &[u8] = b"PXoWU7zWAMt75FY";

/// Someone who presses the button as it is wanted, after a moment.
pub struct Finger<'a>(pub &'a Emulator);

impl Hand for Finger<'_> {
    fn wanted(&mut self, press: Press) {
        self.0.pass(30);
        self.0.press(match press {
            Press::Short => 100,
            Press::Held => 3_200,
        });
    }
}

pub fn place(emulator: &Emulator) -> Place {
    Place {
        port: emulator.path.clone(),
        serial: None,
        allow_virtual: None,
    }
}

/// The address of the image's symbol that contains all of these.
pub fn symbol(parts: &[&str]) -> u32 {
    let mut nm = command("nm");
    let symbols = run(nm.arg(firmware().with_extension("elf")), "").ok();
    let found: Vec<&str> = symbols
        .lines()
        .filter(|line| parts.iter().all(|part| line.contains(part)))
        .collect();
    assert_eq!(found.len(), 1, "{parts:?}: {found:?}");
    let address = found[0].split(' ').next().expect("an address");
    u32::from_str_radix(address, 16).expect("an address")
}

/// The most stack that a request took since power-up, with what interrupts took meanwhile: the firmware keeps the
/// lowest word that it had to wipe.
pub fn stack(emulator: &Emulator) -> u32 {
    let memory = emulator.memory();
    let at = (symbol(&["5stack6LOWEST"]) - 0x2000_0000) as usize;
    let lowest = memory[at..at + 4].try_into().expect("a word");
    symbol(&[" _stack_start"]) - u32::from_le_bytes(lowest)
}

/// Connects; the token notices within moments that its last host has gone.
#[track_caller]
pub fn open(emulator: &Emulator) -> Token {
    std::thread::sleep(Duration::from_millis(50));
    Token::open(&place(emulator)).expect("the token")
}

/// A call that has no session and must be done.
#[track_caller]
pub fn done(
    token: &mut Token,
    session: Option<Session>,
    command: Command<'_>,
    hand: &mut dyn Hand,
) {
    match token.call(session, command, hand) {
        Ok(Answer::Done) => {}
        other => panic!("{other:?}"),
    }
}

/// Why the token refuses.
#[track_caller]
pub fn refused(
    token: &mut Token,
    session: Option<Session>,
    command: Command<'_>,
    hand: &mut dyn Hand,
) -> Code {
    match token.call(session, command, hand) {
        Err(TokenError::Refused(code, _)) => code,
        other => panic!("{other:?}"),
    }
}

pub const fn init_with(pin: &[u8]) -> Command<'_> {
    Command::Init(Init {
        pin,
        time: NOW,
        iterations: 1_000,
        importable: false,
        peer: None,
        drift_days: 30,
        idle_seconds: 60,
    })
}

/// Unlocks it, or says why not.
pub fn try_pin(token: &mut Token, pin: &[u8]) -> Result<Session, Code> {
    match token.call(None, Command::Unlock { pin, time: NOW }, &mut ()) {
        Ok(Answer::Session { session, .. }) => Ok(session),
        Err(TokenError::Refused(code, _)) => Err(code),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub fn unlock(token: &mut Token) -> Session {
    try_pin(token, PIN).expect("the right PIN")
}

#[track_caller]
pub fn generate(token: &mut Token, session: Session, kind: Kind) -> PublicKey {
    let command = Command::Generate {
        kind: kind.prefix(),
        name: "made here",
        exportable: false,
    };
    match token.call(Some(session), command, &mut ()) {
        Ok(Answer::Key(key)) => PublicKey::from_bytes(kind, key.key),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub fn sign(
    token: &mut Token,
    session: Session,
    slot: u8,
    message: &[u8],
    hand: &mut dyn Hand,
) -> Signature {
    match token.call(Some(session), Command::Sign { slot, message }, hand) {
        Ok(Answer::Signature(signature)) => signature.into(),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub fn tries(token: &mut Token) -> u8 {
    match token.call(None, Command::Tries, &mut ()) {
        Ok(Answer::Tries(left)) => left,
        other => panic!("{other:?}"),
    }
}

/// How many signatures it made.
#[track_caller]
pub fn signatures(token: &mut Token) -> u64 {
    match token.call(None, Command::Counters, &mut ()) {
        Ok(Answer::Counters(counters)) => counters.signatures,
        other => panic!("{other:?}"),
    }
}

/// The keys in its slots; a damaged record is none.
#[track_caller]
pub fn keys(token: &mut Token) -> Vec<[u8; 32]> {
    match token.call(None, Command::List, &mut ()) {
        Ok(Answer::List(rows)) => rows
            .iter()
            .map(|row| row.key.expect("a record that is whole").key)
            .collect(),
        other => panic!("{other:?}"),
    }
}

/// A token with a PIN and a user's key in slot 0.
pub struct Prepared {
    flash: Vec<u8>,
    /// The key.
    pub key: PublicKey,
}

/// Prepared once for all tests of this program.
pub fn prepared() -> &'static Prepared {
    static PREPARED: OnceLock<Prepared> = OnceLock::new();
    PREPARED.get_or_init(|| {
        let scratch = Scratch::new();
        let emulator = Emulator::start(&scratch);
        let mut token = open(&emulator);
        done(&mut token, None, init_with(PIN), &mut Finger(&emulator));
        let session = unlock(&mut token);
        let key = generate(&mut token, session, Kind::User);
        drop(token);
        emulator.unplug();
        let flash = std::fs::read(scratch.path().join("flash.bin")).expect("its flash");
        Prepared { flash, key }
    })
}

/// A copy of that token.
pub fn copy(scratch: &Scratch) -> Emulator {
    scratch.file("flash.bin", &prepared().flash);
    Emulator::start(scratch)
}
