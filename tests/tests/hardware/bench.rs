//! A card and how it is reached.

use nkey_agent::device::Ask;
use nkey_core::nkey::PublicKey;
use nkey_tests::{Agent, Output, Scratch, command, program, run};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

/// A card, real or not.
pub struct Bench {
    pub agent: Agent,
    pub home: Scratch,
    /// `piv:key` or `openpgp:key`.
    pub store: &'static str,
    pub serial: String,
    /// The slots that the suite may use.
    pub slots: [String; 2],
    pub pin: PathBuf,
    /// The PUK, or the admin PIN.
    pub puk: PathBuf,
    /// Orders of a card of the tests' own, which is in the agent's place.
    pub orders: Option<PathBuf>,
    /// What the person allowed besides.
    pub may_block: bool,
    pub may_unplug: bool,
}

impl Bench {
    /// The real card, from what scripts/test-hardware says.
    pub fn real(store: &'static str) -> Bench {
        let variable = |name: &str| {
            std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: make test-hardware"))
        };
        let serial = variable("NKEY_HARDWARE_CARD");
        let slots: Vec<String> = variable("NKEY_HARDWARE_SLOTS")
            .split(',')
            .map(str::to_owned)
            .collect();
        let more = std::env::var("NKEY_HARDWARE_MORE").unwrap_or_default();
        Bench {
            agent: Agent::with_holders(&config(store, &serial)),
            home: Scratch::new(),
            store,
            serial,
            slots: slots
                .try_into()
                .expect("NKEY_HARDWARE_SLOTS names two slots"),
            pin: PathBuf::from(variable("NKEY_HARDWARE_PIN_FILE")),
            puk: PathBuf::from(variable("NKEY_HARDWARE_PUK_FILE")),
            orders: None,
            may_block: more.contains("block"),
            may_unplug: more.contains("unplug"),
        }
    }

    /// A program where the readers are.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        match self.orders {
            None => command(program),
            Some(_) => self.agent.beside(program, self.home.path()),
        }
    }

    /// `nkey` with `arguments`, divided by spaces.
    pub fn nkey(&self, arguments: &str) -> Output {
        let mut nkey = self.command(program("nkey"));
        nkey.current_dir(self.home.path());
        nkey.env("HOME", self.home.path());
        nkey.env("NKEY_AUTH_SOCK", self.agent.socket());
        run(nkey.args(arguments.split_whitespace()), "")
    }

    /// A command that prints a key.
    #[track_caller]
    pub fn key(&self, arguments: &str) -> PublicKey {
        let told = self.nkey(arguments).ok();
        PublicKey::from_str(told.trim()).expect("a key")
    }

    /// Gives the agent a PIN for the card, from a file.
    pub fn unlock(&self, pin: &Path) -> Output {
        let passphrase = self.agent.scratch().path().join("passphrase");
        self.nkey(&format!(
            "agent unlock --passphrase-file {} --pin-file {}={}",
            passphrase.display(),
            self.store,
            pin.display()
        ))
    }

    /// Has a person pull the card out, or plug it in again.
    pub fn plugged(&self, is_in: bool) {
        let (order, text) = match is_in {
            true => ("", "plug the card in again"),
            false => ("unplug", "pull the card out"),
        };
        match &self.orders {
            Some(orders) => std::fs::write(orders, order).expect("an order"),
            None => eprintln!(">>> {text} (within a minute)"),
        }
    }

    /// Has a process of its own sign messages of these lengths, which it must; and longer ones
    /// until it refuses. What the agent would not let through.
    pub fn lengths(&self, open: &Ask<'_>, slot: &str, key: &PublicKey, lengths: &[usize]) {
        let pin = std::fs::read_to_string(&self.pin).expect("the PIN's file");
        let mut ask = self.agent.asking();
        ask(open).expect("the card");
        let pin = pin.trim_end_matches('\n');
        ask(&Ask::Login { pin }).expect("its PIN");
        let message: Vec<u8> = (0..4000u32).map(|byte| byte as u8).collect();
        let mut sign = |length: usize| {
            let message = &message[..length];
            let body = ask(&Ask::Sign { slot, message })?;
            let signature = nkey_core::Signature::from_bytes(body.try_into().expect("64 bytes"));
            assert!(key.verify(message, &signature), "{length} bytes");
            Ok::<(), String>(())
        };
        for &length in lengths {
            sign(length).unwrap_or_else(|why| panic!("{length} bytes: {why}"));
        }
        let limit = lengths.last().copied().unwrap_or(0);
        println!("signs up to {limit} bytes");
        let refused = (limit + 1..=4000)
            .step_by(8)
            .find_map(|length| sign(length).err().map(|why| (length, why)));
        match refused {
            Some((length, why)) => println!("{length} bytes: {why}"),
            None => println!("signs 3,999 bytes as well"),
        }
    }
}

/// holders.toml for one card.
pub fn config(store: &str, serial: &str) -> String {
    let (kind, name) = store.split_once(':').expect("a store");
    format!("[{kind}.{name}]\nserial = \"{serial}\"\n")
}
