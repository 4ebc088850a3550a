//! `events`: both sides sent the events of a switchover, or of one that did not happen, in order.
//!
//! The events are those of QEMU's `run-state.json`. Others than the rows name are of no account here.

use std::ops::Range;

use migratrix_history::{Side, Verb};
use migratrix_matrix::{End, GuestState, Method, Raw};

use super::seen::{Moment, route};
use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        timeline::{ENDS, OF_THE_GUEST, two_run},
    },
};

/// Which sequences a side may send.
type Allowed = &'static [&'static [&'static str]];

const NOTHING: Allowed = &[&[]];
const STOPS: Allowed = &[&["STOP"]];
const RESUMES: Allowed = &[&["RESUME"]];
/// Before 9.0 QEMU stops and continues a guest that sleeps without an event.
const MAY_STOP: Allowed = &[&[], &["STOP"]];
const MAY_RESUME: Allowed = &[&[], &["RESUME"]];
/// The guest was stopped for the switchover, or it never came so far.
const MAY_FLICKER: Allowed = &[&[], &["STOP", "RESUME"]];

/// Each side's events are one of the sequences that it may send.
pub(super) fn events(evidence: &Evidence<'_>, raw: &Raw) -> Judged {
    has_ended(evidence)?;
    let when = when_heard(evidence)?;
    let (mut faults, mut is_cut) = (Vec::new(), false);
    for side in sides(raw) {
        let seen = heard(evidence, *side, &when);
        let words: Vec<_> = seen.iter().map(|event| event.word).collect();
        let allowed = allowed(raw, *side);
        let begins = |one: &&[&str]| one.starts_with(&words);
        if !allowed.contains(&words.as_slice()) && gave_up(evidence)? && allowed.iter().any(begins)
        {
            is_cut = true;
        } else if !allowed.contains(&words.as_slice()) {
            let (host, seen) = (evidence.host(*side), route(&seen));
            faults.push(format!(
                "{host} may send {}, and sent {seen}",
                told(allowed)
            ));
        }
    }
    if raw.guest == GuestState::Running && raw.method != Method::CprExec {
        faults.extend(two_run(
            evidence.first_sent(Side::Source, &["STOP"], when.clone()),
            evidence.first_sent(Side::Destination, &["RESUME"], when),
        ));
    }
    faults.extend(later(evidence));
    faults.extend(told_to_go_on(evidence, raw));
    if is_cut && faults.is_empty() {
        return Err(evidence.unseen("the events were not heard to their end"));
    }
    Ok(Verdict::pass_if(faults.is_empty(), || {
        let faults = faults.join("; ");
        format!("the events are not those of the migration: {faults}")
    }))
}

/// Whether a step was given up while the events were heard: the last of them may be missing.
fn gave_up(evidence: &Evidence<'_>) -> Result<bool, Verdict> {
    let began = evidence.migrate_began()?;
    let end = evidence.first_after(began, &STEPS).unwrap_or(u64::MAX);
    Ok(evidence.gave_up_between([began, end]))
}

/// Of a migration that was not seen to its end, not all events were heard.
fn has_ended(evidence: &Evidence<'_>) -> Result<(), Verdict> {
    evidence.refusal()?;
    let last = evidence.last_status(Side::Source)?;
    if ENDS.contains(&last) {
        return Ok(());
    }
    Err(evidence.unseen(&format!("the migration was last seen in `{last}`")))
}

/// The process that replaces itself takes its connection with it, and is heard as the destination.
const fn sides(raw: &Raw) -> &'static [Side] {
    match raw.method {
        Method::Precopy | Method::Postcopy | Method::CprReboot | Method::CprTransfer => {
            &[Side::Source, Side::Destination]
        }
        Method::CprExec => &[Side::Destination],
    }
}

/// What a side sends when the guest moves, or stays.
fn allowed(raw: &Raw, side: Side) -> Allowed {
    let moves = matches!(raw.expectation().end, End::Completed);
    match (raw.guest, side, moves) {
        (GuestState::Running, Side::Source, true) => STOPS,
        (GuestState::Running, Side::Destination, true) => RESUMES,
        (GuestState::Running | GuestState::Suspended, Side::Source, false) => MAY_FLICKER,
        (GuestState::Suspended | GuestState::SuspendedStopped, Side::Source, true) => MAY_STOP,
        (GuestState::Suspended | GuestState::SuspendedStopped, Side::Destination, true) => {
            MAY_RESUME
        }
        (GuestState::Stopped, Side::Source | Side::Destination, true)
        | (GuestState::Stopped | GuestState::SuspendedStopped, Side::Source, false)
        | (
            GuestState::Running
            | GuestState::Stopped
            | GuestState::Suspended
            | GuestState::SuspendedStopped,
            Side::Destination,
            false,
        ) => NOTHING,
    }
}

/// The time from the last time that it was asked to migrate until the first step that makes events of its own.
fn when_heard(evidence: &Evidence<'_>) -> Result<Range<u64>, Verdict> {
    let began = evidence.migrate_began()?;
    let end = evidence.first_after(began, &STEPS);
    let end = end.ok_or_else(|| evidence.unseen("the events were not heard to their end"))?;
    Ok(began..end)
}

/// The events that a side sent in that time.
fn heard<'h>(evidence: &Evidence<'h>, side: Side, when: &Range<u64>) -> Vec<Moment<'h>> {
    let events = evidence.qmp_events(side).into_iter();
    let heard = events.filter(|event| when.contains(&event.at_us));
    heard
        .filter(|event| OF_THE_GUEST.contains(&event.word))
        .collect()
}

/// What is wrong where the source was told to let a guest go on that moves.
fn told_to_go_on(evidence: &Evidence<'_>, raw: &Raw) -> Option<String> {
    let asked = evidence.migrate_began().ok()?;
    let moves = matches!(raw.expectation().end, End::Completed);
    let told = evidence.commands(Side::Source, "cont").into_iter();
    let mut since = told.filter(|(at_us, _)| moves && *at_us >= asked);
    since.next().map(|_| {
        let host = evidence.host(Side::Source);
        format!("{host} was told to let the guest go on, which has left it")
    })
}

/// What befell a guest that was held still to be surveyed, and must not have.
fn later(evidence: &Evidence<'_>) -> Vec<String> {
    let (asked, whole) = (evidence.migrate_began().unwrap_or(0), u64::MAX);
    let from = evidence
        .first_after(asked, &[Verb::Survey])
        .unwrap_or(whole);
    let end = evidence.first_after(from, &[Verb::Clear]).unwrap_or(whole);
    let mut faults = Vec::new();
    for side in Side::BOTH {
        let events = evidence.qmp_events(side).into_iter();
        let befell = |event: &Moment<'_>| {
            (from..end).contains(&event.at_us)
                && OF_THE_GUEST.contains(&event.word)
                && !["STOP", "RESUME"].contains(&event.word)
        };
        faults.extend(events.filter(befell).map(|event| {
            let host = evidence.host(side);
            format!("{host} sent {} where the guest was held still", event.word)
        }));
    }
    faults
}

/// The steps that stop the guest, continue it or end it.
const STEPS: [Verb; 4] = [Verb::Resume, Verb::Wake, Verb::Survey, Verb::Clear];

fn told(allowed: Allowed) -> String {
    let one = |events: &&[&str]| match events.is_empty() {
        true => "nothing".to_owned(),
        false => events.join(", "),
    };
    let all: Vec<_> = allowed.iter().map(one).collect();
    all.join(" or ")
}
