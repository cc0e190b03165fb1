//! The agent's end of the line to a token.

use nkey_agent::token::{Hand, Place, Token, TokenError};
use nkey_core::nkey::{Kind, PublicKey};
use nkey_core::token::{Answer, Code, Command, Init, Press, Session, State};
use nkey_tests::virtual_token::Running;
use nkey_tests::{Scratch, pty, slave};
use rustix::termios::{ControlModes, OptionalActions, tcgetattr, tcsetattr};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command as Program;
use std::time::{Duration, Instant};

const PIN: &[u8] = b"correct horse";
const NOW: u64 = 1_800_000_000;
const NONCE: &[u8] = b"PXoWU7zWAMt75FY";

fn place(running: &Running) -> Place {
    Place {
        port: running.path.clone(),
        serial: None,
        allow_virtual: Some("VIRTUAL-1".to_owned()),
    }
}

/// Connects; the token notices within moments that its last host has gone.
fn open(running: &Running) -> Token {
    std::thread::sleep(Duration::from_millis(100));
    Token::open(&place(running)).expect("the token")
}

fn init(token: &mut Token) {
    let init = Init {
        pin: PIN,
        time: NOW,
        iterations: 1_000,
        importable: false,
        peer: None,
        drift_days: 30,
        idle_seconds: 600,
    };
    let mut hand = Counting::default();
    let answer = token.call(None, Command::Init(init), &mut hand);
    assert!(matches!(answer, Ok(Answer::Done)), "{answer:?}");
    assert_eq!(hand.wanted, [Press::Held]);
}

fn unlock(token: &mut Token) -> Session {
    match token.call(
        None,
        Command::Unlock {
            pin: PIN,
            time: NOW,
        },
        &mut (),
    ) {
        Ok(Answer::Session { session, .. }) => session,
        other => panic!("{other:?}"),
    }
}

fn generate(token: &mut Token, session: Session) -> PublicKey {
    let command = Command::Generate {
        kind: Kind::User.prefix(),
        name: "front",
        exportable: false,
    };
    match token.call(Some(session), command, &mut ()) {
        Ok(Answer::Key(key)) => PublicKey::from_bytes(Kind::User, key.key),
        other => panic!("{other:?}"),
    }
}

const SIGN: Command<'_> = Command::Sign {
    slot: 0,
    message: NONCE,
};

#[derive(Default)]
struct Counting {
    wanted: Vec<Press>,
    cancel: bool,
}

impl Hand for Counting {
    fn wanted(&mut self, press: Press) {
        self.wanted.push(press);
    }

    fn is_cancelled(&mut self) -> bool {
        self.cancel
    }
}

#[test]
fn it_asks_waits_and_takes_back() {
    let scratch = Scratch::new();
    let running = Running::start(&scratch, true, "always", &[]);
    let mut token = open(&running);
    assert_eq!(token.about().state, State::Empty);
    init(&mut token);
    let session = unlock(&mut token);
    let key = generate(&mut token, session);
    let mut hand = Counting::default();
    match token.call(Some(session), SIGN, &mut hand) {
        Ok(Answer::Signature(signature)) => assert!(key.verify(NONCE, &signature.into())),
        other => panic!("{other:?}"),
    }
    assert_eq!(hand.wanted, [Press::Short]);
    assert_eq!(token.refresh().expect("an answer").state, State::Unlocked);
    let long = vec![b'x'; 33_000];
    let command = Command::Sign {
        slot: 0,
        message: &long,
    };
    let refused = token.call(Some(session), command, &mut ());
    assert!(matches!(refused, Err(TokenError::TooLarge(33_000, 32_768))));
    drop(token);

    // Closing the line ended the session.
    let mut token = open(&running);
    let refused = token.call(Some(session), SIGN, &mut ());
    assert!(matches!(refused, Err(TokenError::Refused(Code::Locked, _))));
    drop(token);
    drop(running);

    let running = Running::start(&scratch, true, "never", &[]);
    let mut token = open(&running);
    let session = unlock(&mut token);
    let mut hand = Counting {
        cancel: true,
        ..Counting::default()
    };
    let started = Instant::now();
    let refused = token.call(Some(session), SIGN, &mut hand);
    assert!(matches!(
        refused,
        Err(TokenError::Refused(Code::Cancelled, _))
    ));
    assert!(started.elapsed() < Duration::from_secs(10));
    // And it goes on.
    assert_eq!(token.refresh().expect("an answer").state, State::Unlocked);
}

#[test]
fn what_is_no_token_or_not_this_one_is_not_used() {
    let scratch = Scratch::new();
    let running = Running::start(&scratch, true, "always", &[]);
    let strange = |change: &dyn Fn(&mut Place)| {
        std::thread::sleep(Duration::from_millis(100));
        let mut place = place(&running);
        change(&mut place);
        Token::open(&place).err().expect("no token").to_string()
    };
    let unallowed = strange(&|place| place.allow_virtual = None);
    assert!(
        unallowed.contains("VIRTUAL-1 is a VIRTUAL token"),
        "{unallowed}"
    );
    let other = strange(&|place| place.allow_virtual = Some("VIRTUAL-2".to_owned()));
    assert!(other.contains("allow it by name"), "{other}");
    let serial = strange(&|place| place.serial = Some("NKEY-1".to_owned()));
    assert!(serial.contains("not NKEY-1"), "{serial}");
    let file = scratch.file("plain", "x");
    let plain = strange(&|place| place.port = file.clone());
    assert!(plain.contains("is no serial port"), "{plain}");
    assert_eq!(std::fs::read(&file).expect("the file"), b"x");
    let gone = strange(&|place| place.port = scratch.path().join("nothing"));
    assert!(gone.contains("is gone"), "{gone}");

    let first = open(&running);
    let second = Token::open(&place(&running));
    assert!(
        matches!(second, Err(TokenError::InUse(_))),
        "{:?}",
        second.err()
    );
    drop(first);
    open(&running);
}

#[test]
fn a_lying_token_is_noticed() {
    for (lie, wanted) in [
        ("id", "does not answer as a token does"),
        ("protocol", "versions 200 to 201"),
    ] {
        let scratch = Scratch::new();
        let running = Running::start(&scratch, true, "always", &["--lie", lie]);
        let error = Token::open(&place(&running))
            .err()
            .expect("no token")
            .to_string();
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn a_token_that_is_pulled_out_is_gone() {
    let scratch = Scratch::new();
    let mut running = Running::start(&scratch, true, "always", &[]);
    let mut token = open(&running);
    init(&mut token);
    let session = unlock(&mut token);
    generate(&mut token, session);
    drop(token);
    running.unplug();
    running = Running::start(&scratch, true, "never", &[]);
    let mut token = open(&running);
    let session = unlock(&mut token);
    let unplug = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(500));
        running.unplug();
        running
    });
    let gone = token.call(Some(session), SIGN, &mut ());
    assert!(matches!(gone, Err(TokenError::Gone(_))), "{gone:?}");
    let running = unplug.join().expect("unplugged");
    assert!(!Path::new("/nowhere").exists() && running.pty);
}

#[test]
fn what_its_last_host_was_told_is_passed_over() {
    let scratch = Scratch::new();
    let running = Running::start(&scratch, true, "always", &["--lie", "stale"]);
    let mut token = open(&running);
    assert_eq!(token.about().serial, "VIRTUAL-1");
    assert_eq!(token.refresh().expect("an answer").state, State::Empty);
}

#[test]
fn a_device_that_says_nothing_is_not_waited_for_long() {
    let (_end, path) = pty();
    let place = Place {
        port: path,
        serial: None,
        allow_virtual: None,
    };
    let start = Instant::now();
    let silent = Token::open(&place);
    assert!(matches!(silent, Err(TokenError::Silent(_))));
    let took = start.elapsed();
    assert!(
        (Duration::from_secs(2)..Duration::from_secs(10)).contains(&took),
        "{took:?}"
    );
}

/// Whether another program can open a port; as root, one that is not.
fn opens(port: &Path) -> Result<(), String> {
    let mut shell = Program::new("/bin/sh");
    shell.args(["-c", ": <> \"$0\""]).arg(port).current_dir("/");
    if rustix::process::geteuid().is_root() {
        shell.uid(65_534).gid(65_534);
    }
    let output = shell.output().expect("a shell");
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).to_lowercase()),
    }
}

#[test]
fn a_port_in_use_is_closed_to_others_and_drops_dtr_at_the_end() {
    let scratch = Scratch::new();
    let running = Running::start(&scratch, true, "always", &[]);
    let port = std::fs::canonicalize(&running.path).expect("the terminal");
    std::fs::set_permissions(&port, std::fs::Permissions::from_mode(0o666)).expect("its rights");
    assert_eq!(opens(&port), Ok(()));
    // As `stty -hupcl` leaves it.
    let watcher = slave(&port);
    let mut settings = tcgetattr(&watcher).expect("its settings");
    settings.control_modes -= ControlModes::HUPCL;
    tcsetattr(&watcher, OptionalActions::Now, &settings).expect("to set them");
    let token = open(&running);
    let settings = tcgetattr(&watcher).expect("its settings");
    assert!(settings.control_modes.contains(ControlModes::HUPCL));
    let refused = opens(&port).expect_err("it is in use");
    assert!(refused.contains("busy"), "{refused}");
    drop((token, watcher));
}
