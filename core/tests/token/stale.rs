//! What needs no session is done whatever session is named with it; PINs are stretched within reason.

use crate::board::Flash;
use crate::host::*;
use nkey_core::token::*;

#[test]
fn a_reset_or_an_unlocking_that_names_an_old_session_waits_for_the_button() {
    let (mut token, session) = ready();
    token.ask(Some(session), Command::Lock).ok();
    let day = 86_400;
    let mut token = token.reboot();
    let unlock = Command::Unlock {
        pin: PIN,
        time: NOW + 40 * day,
    };
    let reply = token.call(Some(session), unlock);
    assert!(
        matches!(reply.answer(), Answer::Session { .. }),
        "{:?}",
        reply.answer()
    );
    let stale = reply.session();
    token.ask(Some(stale), Command::Lock).ok();
    token.call(Some(stale), Command::Reset).ok();
    assert_eq!(token.app.state(), State::Empty);
}

#[test]
fn no_token_takes_more_iterations_than_a_host_waits_for() {
    let mut token = Token::new(Flash::new());
    for iterations in [0, 999, 200_001, 1_000_000, u32::MAX] {
        let init = Init { iterations, ..INIT };
        let reply = token.ask(None, Command::Init(init));
        assert_eq!(reply.code(), Some(Code::Value), "{iterations}");
    }
}
