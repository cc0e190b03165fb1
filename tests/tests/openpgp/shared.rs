//! The card is gpg's as well.

use crate::bench::{Bench, NONCE, no_card};
use nkey_agent::message::Status;
use nkey_core::nkey::{Kind, PublicKey};
use nkey_tests::{Gpg, refusal, server_accepts, skipped};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[test]
fn a_key_of_somebody_who_runs_gpg_stays_unless_it_is_named() {
    if no_card() {
        return;
    }
    let bench = Bench::opcard("");
    bench.unlock("123456").expect("to unlock");
    // gpg makes all three: signature and authentication keys of Ed25519.
    for key in 1..=3 {
        let attribute = if key == 2 { "cv25519" } else { "ed25519" };
        let algorithm = if key == 2 { 18 } else { 22 };
        let told = bench.gpg.connect(&format!(
            "SCD SETATTR KEY-ATTR --force {key} {algorithm} {attribute}"
        ));
        assert!(told.contains("OK"), "{told}");
        let told = bench
            .gpg
            .connect(&format!("SCD GENKEY --timestamp=20200102T030405 {key}"));
        assert!(told.contains("KEY-FPR"), "{told}");
    }
    let status = bench.gpg.status();
    let (sig, aut) = (bench.fingerprint("sig"), bench.fingerprint("aut"));
    assert!(status.contains(&sig) && status.contains(&aut), "{status}");
    let told = bench.nkey("openpgp info key", "").ok();
    assert!(told.contains("2020-01-02T03:04:05Z"), "{told}");
    // We sign with what gpg made.
    let account = bench.enrol("sig", Kind::Account).expect("to enrol");
    let user = bench.enrol("aut", Kind::User).expect("to enrol");
    let operator = bench
        .client()
        .generate(Kind::Operator, "", 0)
        .expect("a key");
    if !skipped("nats-server") {
        server_accepts(&bench.agent, &operator, &account, &user);
    }
    // Not replaced: neither unnamed nor under another's name.
    let generate = "openpgp generate key sig --account --admin-pin-file -";
    for extra in [String::new(), format!(" --overwrite {aut}")] {
        let told = bench.nkey(&format!("{generate}{extra}"), "12345678\n");
        assert!(told.fails(1).contains(&format!("slot sig holds {sig}")));
        assert_eq!(bench.fingerprint("sig"), sig);
    }
    let told = bench.nkey(&format!("{generate} --overwrite {account}"), "12345678\n");
    let made: PublicKey = told.ok().trim().parse().expect("a public key");
    assert_ne!(made, account);
    assert_eq!(bench.fingerprint("aut"), aut);
    let replaced = bench.fingerprint("sig");
    assert_ne!(replaced, sig);
    // scdaemon remembers what it read: another one.
    assert!(Gpg::beside(&bench.agent).status().contains(&replaced));
    // The old one is gone, and the agent says so.
    let slots = bench.client().slots("openpgp:key").expect("slots");
    assert!(slots[0].enrolled.is_some(), "{slots:?}");
    let claims = format!(r#"{{"sub":"{user}","nats":{{"type":"user"}}}}"#);
    let (status, reason) = refusal(bench.client().issue(&account, &claims, 0, 0));
    assert_eq!(status, Status::StoreFailed);
    assert!(reason.contains("instead of"), "{reason}");
    bench
        .client()
        .issue(&made, &claims, 0, 0)
        .expect("the new key");
}

#[test]
fn another_program_cannot_sign_with_the_pin_that_we_gave() {
    if no_card() {
        return;
    }
    for bench in [Bench::opcard(""), Bench::jcecard("")] {
        bench.unlock("123456").expect("to unlock");
        let account = bench.generate("sig --account");
        let user = bench.generate("aut --user");
        let claims = format!(r#"{{"sub":"{user}","nats":{{"type":"user"}}}}"#);
        for _ in 0..2 {
            bench
                .client()
                .issue(&account, &claims, 0, 0)
                .expect("a token");
            bench.client().sign(&user, NONCE).expect("a signature");
            let told = bench.apdus(&[
                "00:2A:9E:9A:04:61:62:63:64:00",
                "00:88:00:00:04:61:62:63:64:00",
            ]);
            assert_eq!(told.matches("SW1=0x69, SW2=0x82").count(), 2, "{told}");
        }
    }
}

#[test]
fn eight_clients_sign_a_thousand_times_while_gpg_reads_the_card() {
    if no_card() {
        return;
    }
    thousand(&Bench::opcard(""), |bench, fingerprint| {
        let status = bench.gpg.status();
        assert!(status.contains(fingerprint), "{status}");
    });
}

#[test]
fn eight_clients_sign_a_thousand_times_while_another_program_reads_the_card() {
    if no_card() || skipped("jcecard") {
        return;
    }
    // This card only pretends to forget a PIN, so that it is powered off after each signature:
    // gpg does not try again when it finds a card like that, `nkey openpgp` does.
    thousand(&Bench::jcecard(""), |bench, fingerprint| {
        assert_eq!(bench.fingerprint("aut"), fingerprint);
    });
}

fn thousand(bench: &Bench, read: impl Fn(&Bench, &str)) {
    bench.unlock("123456").expect("to unlock");
    let user = bench.generate("aut --user");
    let fingerprint = bench.fingerprint("aut");
    let done = AtomicUsize::new(0);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut client = bench.client();
                for _ in 0..125 {
                    let signature = client.sign(&user, NONCE).expect("a signature");
                    assert!(user.verify(NONCE, &signature));
                    done.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let mut reads = 0;
        while done.load(Ordering::SeqCst) < 1000 && begun.elapsed() < Duration::from_secs(120) {
            read(bench, &fingerprint);
            // One that only came when all was signed waited for the whole of it.
            reads += usize::from(done.load(Ordering::SeqCst) < 1000);
        }
        assert!(reads > 0, "the card was read by nobody else meanwhile");
    });
    eprintln!("1,000 signatures in {:?}", begun.elapsed());
}
