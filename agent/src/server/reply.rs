//! The forms of answers.

use crate::message::{Name, QUERY, Question, Refusal, SESSION_BIND, Status, number};
use crate::wire::Writer;
use nkey_core::nkey::PublicKey;

/// An answer without data.
pub fn short(output: &mut Writer, kind: u8) {
    output.uint32(1).byte(kind);
}

/// An answer to an extension of ours.
fn extended(
    output: &mut Writer,
    name: Name,
    status: Status,
    reason: &str,
    body: impl FnOnce(&mut Writer),
) {
    let frame = output.begin_frame();
    output
        .byte(number::EXTENSION_RESPONSE)
        .string(name.as_str().as_bytes());
    output.byte(status as u8).string(reason.as_bytes());
    body(output);
    output.end_frame(frame);
}

pub fn done(output: &mut Writer, name: Name, body: impl FnOnce(&mut Writer)) {
    extended(output, name, Status::Ok, "", body);
}

pub fn refused(output: &mut Writer, name: Name, refusal: &Refusal) {
    extended(output, name, refusal.status, &refusal.reason, |_| {});
}

/// Tells the client's person something, while the request goes on.
pub fn notice(output: &mut Writer, name: Name, text: &str) {
    prompt(output, name, Question::Message, text);
}

pub fn prompt(output: &mut Writer, name: Name, question: Question, text: &str) {
    extended(output, name, Status::Prompt, "", |body| {
        body.byte(question as u8).string(text.as_bytes());
    });
}

pub fn query(output: &mut Writer) {
    let frame = output.begin_frame();
    output
        .byte(number::EXTENSION_RESPONSE)
        .string(QUERY.as_bytes());
    output
        .string(QUERY.as_bytes())
        .string(SESSION_BIND.as_bytes());
    for name in Name::ALL {
        output.string(name.as_str().as_bytes());
    }
    output.end_frame(frame);
}

pub fn key_answer(output: &mut Writer, name: Name, result: Result<PublicKey, Refusal>) {
    match result {
        Ok(key) => done(output, name, |body| {
            body.string(key.encode().as_bytes());
        }),
        Err(refusal) => refused(output, name, &refusal),
    }
}

pub fn unit_answer(output: &mut Writer, name: Name, result: Result<(), Refusal>) {
    match result {
        Ok(()) => done(output, name, |_| {}),
        Err(refusal) => refused(output, name, &refusal),
    }
}
