//! The button: asked for, pressed, not pressed, given up.

use crate::bench::*;
use nkey_agent::client::{Client, Prompt};
use nkey_agent::message::Status;
use nkey_core::nkey::Kind;
use std::net::Shutdown;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

#[test]
fn the_person_hears_at_once_of_the_button_and_may_press_it_or_not() {
    let mut bench = Bench::new();
    let user = bench.generate(Kind::User, "front");
    bench.replug("ask", &[]);
    bench.unlock(PIN).expect("to unlock");
    let (mut client, heard) = bench.told();
    let signing = std::thread::spawn(move || client.sign(&user, NONCE));
    says(&heard, PRESS);
    assert!(!signing.is_finished(), "it signed unpressed");
    bench.press();
    signing.join().expect("a thread").expect("a signature");

    // A client that goes takes its request back; the next one has its turn at once.
    let (mut client, heard) = bench.told();
    let stream = client.stream().try_clone().expect("a second handle");
    let killed = std::thread::spawn(move || client.sign(&user, NONCE));
    says(&heard, PRESS);
    let begun = Instant::now();
    stream.shutdown(Shutdown::Both).expect("to close it");
    killed.join().expect("a thread").expect_err("no answer");
    let (mut client, heard) = bench.told();
    let signing = std::thread::spawn(move || client.sign(&user, NONCE));
    says(&heard, PRESS);
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );
    bench.press();
    signing.join().expect("a thread").expect("a signature");

    // Locking takes back what waits.
    let (mut client, heard) = bench.told();
    let signing = std::thread::spawn(move || client.sign(&user, NONCE));
    says(&heard, PRESS);
    bench.client().lock_store(STORE).expect("to lock");
    let (status, reason) = refusal(signing.join().expect("a thread"));
    assert!(
        status == Status::Refused && reason.contains("taken back"),
        "{reason}"
    );
    let (status, _) = refusal(bench.client().sign(&user, NONCE));
    assert_eq!(status, Status::Locked);

    // Nobody presses: half a minute, here as short as the token's clock is fast.
    bench.replug("never", &["--speed", "20"]);
    bench.unlock(PIN).expect("to unlock");
    let (status, reason) = refusal(bench.client().sign(&user, NONCE));
    assert!(
        status == Status::Refused && reason.contains("nobody pressed"),
        "{reason}"
    );
}

#[test]
fn a_time_far_from_the_last_press_needs_the_button_held_and_may_be_given_up() {
    let mut bench = Bench::blank();
    bench.init_at(now() - 40 * 86_400);
    bench.replug("ask", &[]);
    let socket = bench.agent.socket();
    let unlock = move |say: std::sync::mpsc::Sender<String>| {
        let mut prompt = Saying(say);
        Client::connect(&socket)
            .expect("the agent")
            .unlock_store(STORE, &mut prompt)
    };
    let hold = "hold the button on token:one (VIRTUAL-1) for 3 s: the time it is told is too far from the last time its button was pressed";
    let (say, heard) = channel();
    let unlocking = std::thread::spawn({
        let unlock = unlock.clone();
        move || unlock(say)
    });
    says(&heard, hold);
    // Locking takes it back.
    bench.client().lock_store(STORE).expect("to lock");
    let (status, reason) = refusal(unlocking.join().expect("a thread"));
    assert!(
        status == Status::Refused && reason.contains("taken back"),
        "{reason}"
    );
    let (say, heard) = channel();
    let unlocking = std::thread::spawn(move || unlock(say));
    says(&heard, hold);
    bench.press();
    let status = unlocking.join().expect("a thread").expect("to unlock");
    assert!(!status.is_locked());
}

/// Gives the PIN, and passes on what is said.
struct Saying(std::sync::mpsc::Sender<String>);

impl Prompt for Saying {
    fn message(&mut self, text: &str) {
        let _ = self.0.send(text.to_owned());
    }

    fn secret(&mut self, _text: &str) -> Option<Zeroizing<String>> {
        Some(Zeroizing::new(PIN.to_owned()))
    }

    fn public(&mut self, _text: &str) -> Option<String> {
        None
    }

    fn confirm(&mut self, _text: &str) -> Option<bool> {
        None
    }
}
