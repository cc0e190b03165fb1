//! A card and an agent beside it, shared with gpg.

use nkey_agent::client::{Client, Enrol, Error};
use nkey_agent::message::Status;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_tests::{Agent, Gpg, Output, Pin, Readers, program, refusal, run, skipped};
use std::path::PathBuf;

pub const NONCE: &[u8] = b"abcdefghijklmno";
pub const SERIAL: &str = "000F:0000A1B2";
pub const OTHER: &str = "000F:0000A1B3";

pub struct Bench {
    // Ends before the agent, beside which it runs.
    pub gpg: Gpg,
    pub agent: Agent,
    pub orders: PathBuf,
    pub serial: String,
    pub readers: Readers,
}

impl Bench {
    pub fn opcard(extra: &str) -> Bench {
        let mut readers = Readers::new();
        // gpg takes the first one.
        let orders = readers.add_opcard(SERIAL);
        readers.add_opcard(OTHER);
        Bench::new(readers, orders, SERIAL, extra)
    }

    pub fn jcecard(extra: &str) -> Bench {
        let mut readers = Readers::new();
        let orders = readers.add_jcecard();
        Bench::new(readers, orders, "0000:00000001", extra)
    }

    pub fn new(readers: Readers, orders: PathBuf, serial: &str, extra: &str) -> Bench {
        let config = format!("[openpgp.key]\nserial = \"{serial}\"\npatience = 10\n{extra}\n");
        let agent = Agent::inside(&readers.script(), &config);
        let bench = Bench {
            gpg: Gpg::beside(&agent),
            agent,
            orders,
            serial: serial.to_owned(),
            readers,
        };
        bench.agent.wait_for_card();
        bench
    }

    pub fn order(&self, word: &str) {
        std::fs::write(&self.orders, word).expect("an order");
    }

    pub fn client(&self) -> Client {
        self.agent.client()
    }

    pub fn unlock(&self, pin: &'static str) -> Result<Vec<String>, Error> {
        let mut prompt = Pin(pin, Vec::new());
        self.client().unlock(&mut prompt)?;
        Ok(prompt.1)
    }

    pub fn enrol(&self, slot: &str, kind: Kind) -> Result<PublicKey, Error> {
        self.client().enrol(&Enrol {
            store: "openpgp:key",
            slot,
            kind,
            name: slot,
            flags: 0,
            key: None,
        })
    }

    /// `nkey` beside the card; `input` is what is piped into it.
    #[track_caller]
    pub fn nkey(&self, arguments: &str, input: &str) -> Output {
        let mut nkey = self.gpg.inside(&program("nkey").display().to_string());
        nkey.env("NKEY_AUTH_SOCK", self.agent.socket());
        nkey.env("HOME", self.agent.scratch().path());
        run(nkey.args(arguments.split_whitespace()), input)
    }

    /// What the card answers another program.
    #[track_caller]
    pub fn apdus(&self, apdus: &[&str]) -> String {
        let mut tool = self.gpg.inside("opensc-tool");
        // Its drivers would select other applets first.
        tool.args(["--card-driver", "default", "--reader", "0"]);
        tool.args(["--send-apdu", "00:A4:04:00:06:D2:76:00:01:24:01"]);
        tool.args(apdus.iter().flat_map(|apdu| ["--send-apdu", apdu]));
        run(&mut tool, "").ok()
    }

    /// Makes a key and enrols it.
    #[track_caller]
    pub fn generate(&self, arguments: &str) -> PublicKey {
        let arguments = format!("openpgp generate key {arguments} --admin-pin-file -");
        let told = self.nkey(&arguments, "12345678\n").ok();
        told.trim().parse().expect("a public key")
    }

    /// The fingerprint of a slot, as `nkey openpgp info` shows it.
    #[track_caller]
    pub fn fingerprint(&self, slot: &str) -> String {
        let told = self.nkey("openpgp info key --json", "").ok();
        let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
        let keys = told["keys"].as_array().expect("keys");
        let key = keys.iter().find(|key| key["slot"] == slot).expect("a key");
        key["fingerprint"].as_str().expect("text").to_owned()
    }

    /// The longest signing input, and what is said of the first one that is too long.
    pub fn limit(&self, account: &PublicKey, user: &PublicKey) -> (usize, Status, String) {
        let mut client = self.client();
        let mut longest = 0;
        for size in 1.. {
            let name = "x".repeat(size * 3 / 2 + 300);
            let claims = format!(r#"{{"sub":"{user}","name":"{name}","nats":{{"type":"user"}}}}"#);
            match client.issue(account, &claims, 0, 0) {
                Ok(token) => longest = token.rfind('.').expect("its signature"),
                Err(error) => {
                    let (status, reason) = refusal::<()>(Err(error));
                    return (longest, status, reason);
                }
            }
        }
        unreachable!("sizes do not end")
    }
}

/// The data in what opensc-tool prints: 16 bytes in a line, then the same as text.
pub fn bytes(told: &str) -> Vec<u8> {
    let rows = told
        .lines()
        .filter(|row| row.as_bytes().get(2) == Some(&b' '));
    rows.flat_map(|row| row.as_bytes().chunks(3).take(16))
        .map_while(|cell| u8::from_str_radix(std::str::from_utf8(&cell[..2]).ok()?, 16).ok())
        .collect()
}

pub fn no_card() -> bool {
    skipped("pcscd") || skipped("nkey-test-opcard")
}
