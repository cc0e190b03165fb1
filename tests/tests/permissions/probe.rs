//! Tries what connected users may do, near the borders of their rules.

use crate::accounts::Account;
use crate::check::{Findings, Session, describe};
use crate::random::Random;
use crate::rights::matches;
use crate::subjects::{literals, subscriptions};
use nkey_tests::nats::{Answer, Nats};
use std::fmt::Write;
use std::time::{Duration, Instant};

/// Tries what a user may do.
pub fn probe(
    account: &Account,
    session: &mut Session,
    driver: Option<&mut Nats>,
    random: &mut Random,
    findings: &mut Findings,
) {
    let who = describe(account, session.user);
    publish(session, &who, random, findings);
    let allowed = subscribe(session, &who, random, findings);
    if let Some(driver) = driver {
        deliver(session, driver, &allowed, &who, random, findings);
        answer(session, driver, &allowed, &who, findings);
    }
    count_subs(session, &allowed, &who, findings);
}

fn is_allowed(answer: Option<&Answer>, violation: &str) -> bool {
    match answer {
        Some(Answer::Ok) => true,
        Some(Answer::Err(text)) if text == violation => false,
        other => panic!("{other:?} instead of {violation}"),
    }
}

/// Publishes to subjects near the borders.
pub fn publish(session: &mut Session, who: &str, random: &mut Random, findings: &mut Findings) {
    let subjects = literals(random, &session.rights.publish, 30);
    let lines: String = subjects
        .iter()
        .map(|subject| format!("PUB {subject} 0\r\n\r\n"))
        .collect();
    let answers = session.nats.ask(&lines);
    for (at, subject) in subjects.iter().enumerate() {
        let violation = format!("Permissions Violation for Publish to {subject:?}");
        let found = is_allowed(answers.get(at), &violation);
        let expected = session.rights.can_publish(subject);
        findings.compare(who, &format!("to publish to {subject}"), expected, found);
    }
}

type Subscription = (String, Option<String>);

fn subscribe(
    session: &mut Session,
    who: &str,
    random: &mut Random,
    findings: &mut Findings,
) -> Vec<Subscription> {
    let wanted = subscriptions(random, &session.rights, 40);
    let mut lines = String::new();
    for (subject, queue) in &wanted {
        let (sid, queue) = (session.nats.sid(), queue.as_deref().unwrap_or_default());
        let _ = write!(lines, "SUB {subject} {queue} {sid}\r\nUNSUB {sid}\r\n");
    }
    let answers = session.nats.ask(&lines);
    let mut allowed = Vec::new();
    for (at, (subject, queue)) in wanted.into_iter().enumerate() {
        let mut violation = format!("Permissions Violation for Subscription to {subject:?}");
        if let Some(queue) = &queue {
            let _ = write!(violation, " using queue {queue:?}");
        }
        let found = is_allowed(answers.get(2 * at), &violation);
        let expected = session.rights.can_subscribe(&subject, queue.as_deref());
        let what = format!("to subscribe to {subject} {queue:?}");
        findings.compare(who, &what, expected, found);
        if found {
            allowed.push((subject, queue));
        }
    }
    allowed
}

/// What arrives of what the driver publishes.
fn deliver(
    session: &mut Session,
    driver: &mut Nats,
    allowed: &[Subscription],
    who: &str,
    random: &mut Random,
    findings: &mut Findings,
) {
    let room = session.rights.subs.map_or(3, |most| most.min(3));
    let mut taken: Vec<(u32, &Subscription)> = Vec::new();
    let mut lines = String::new();
    for subscription in allowed {
        let (subject, queue) = subscription;
        // Of two subscriptions in one group the server picks either.
        let grouped = queue.is_some() && taken.iter().any(|(_, taken)| taken.1.is_some());
        let wide = subject.contains(['*', '>']) || random.chance(20);
        if grouped || !wide || taken.len() as i64 >= room {
            continue;
        }
        let (sid, queue) = (session.nats.sid(), queue.as_deref().unwrap_or_default());
        let _ = write!(lines, "SUB {subject} {queue} {sid}\r\n");
        taken.push((sid, subscription));
    }
    session.nats.ask(&lines);
    session.nats.take_messages();
    let subjects = literals(random, &session.rights.subscribe, 25);
    let lines: String = subjects
        .iter()
        .map(|subject| format!("PUB {subject} 0\r\n\r\n"))
        .collect();
    let answers = driver.ask(&lines);
    assert!(
        answers.iter().all(|answer| *answer == Answer::Ok),
        "{who}: {answers:?}"
    );
    session.nats.ask("");
    let came = session.nats.take_messages();
    for (sid, (subject, queue)) in taken {
        for published in &subjects {
            let expected = matches(subject, published)
                && !session.rights.is_denied(published, queue.as_deref());
            let sid = sid.to_string();
            let found = came
                .iter()
                .any(|message| message.sid == sid && message.subject == *published);
            let what = format!("{published} to arrive at {subject} {queue:?}");
            findings.compare(who, &what, expected, found);
        }
        session.nats.ask(&format!("UNSUB {sid}\r\n"));
    }
}

/// Answers to requests, beyond what the user may publish to.
fn answer(
    session: &mut Session,
    driver: &mut Nats,
    allowed: &[Subscription],
    who: &str,
    findings: &mut Findings,
) {
    let plain = |(subject, queue): &&Subscription| !subject.contains(['*', '>']) && queue.is_none();
    let (Some(answers), Some((subject, _))) =
        (session.rights.answers.clone(), allowed.iter().find(plain))
    else {
        return;
    };
    let sid = session.nats.sid();
    session.nats.ask(&format!("SUB {subject} {sid}\r\n"));
    let mut exchange = |reply: &str, count: i64, pause: Duration| {
        let started = Instant::now();
        assert_eq!(driver.publish(subject, reply), Answer::Ok, "{who}");
        let by_right = session.rights.can_publish(reply);
        std::thread::sleep(pause);
        for at in 1..=count {
            let before = started.elapsed();
            let violation = format!("Permissions Violation for Publish to {reply:?}");
            let found = is_allowed(Some(&session.nats.publish(reply, "")), &violation);
            let late = answers.within.is_some_and(|within| before > within);
            // On a busy machine it is not known which side of the border it was.
            let unknown = !late
                && answers
                    .within
                    .is_some_and(|within| started.elapsed() > within);
            let within = !late && answers.most.is_none_or(|most| at <= most);
            if !unknown {
                let what = format!("answer {at} to {reply}");
                findings.compare(who, &what, by_right || within, found);
            }
        }
    };
    exchange("zz.answer.1", answers.most.unwrap_or(4) + 1, Duration::ZERO);
    if let Some(within) = answers
        .within
        .filter(|within| *within < Duration::from_secs(1))
    {
        exchange("zz.answer.2", 1, within + Duration::from_millis(20));
    }
    session.nats.ask(&format!("UNSUB {sid}\r\n"));
    // Nobody asked for this one.
    let violation = "Permissions Violation for Publish to \"zz.answer.3\"";
    let found = is_allowed(Some(&session.nats.publish("zz.answer.3", "")), violation);
    let expected = session.rights.can_publish("zz.answer.3");
    findings.compare(who, "to answer unasked", expected, found);
}

/// One subscription more than the limit.
fn count_subs(session: &mut Session, allowed: &[Subscription], who: &str, findings: &mut Findings) {
    let (Some(most), Some((subject, queue))) = (session.rights.subs, allowed.first()) else {
        return;
    };
    let queue = queue.as_deref().unwrap_or_default();
    let sids: Vec<u32> = (0..=most).map(|_| session.nats.sid()).collect();
    let lines: String = sids
        .iter()
        .map(|sid| format!("SUB {subject} {queue} {sid}\r\n"))
        .collect();
    let answers = session.nats.ask(&lines);
    for (at, answer) in answers.iter().enumerate() {
        let found = is_allowed(Some(answer), "maximum subscriptions exceeded");
        let what = format!("subscription {} of {most}", at + 1);
        findings.compare(who, &what, (at as i64) < most, found);
    }
    let lines: String = sids.iter().map(|sid| format!("UNSUB {sid}\r\n")).collect();
    session.nats.ask(&lines);
}

/// A payload at the limit, and one above it, which ends the connection.
pub fn payload(session: &mut Session, who: &str, findings: &mut Findings) {
    let Some(most) = session.rights.payload else {
        return;
    };
    for size in [most, most + 1] {
        let bytes = "x".repeat(usize::try_from(size).expect("a size"));
        let answers = session.nats.ask(&format!("PUB a {size}\r\n{bytes}\r\n"));
        let found = !answers.contains(&Answer::Closed);
        let what = format!("a payload of {size} bytes (limit {most})");
        findings.compare(who, &what, size <= most, found);
    }
}
