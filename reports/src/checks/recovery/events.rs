//! `events`: the life-cycle events of both sides tell the same as their states: a guest that stayed was never stopped,
//! and was suspended only for the switchover; a destination that has not got the guest never resumed it.

use migratrix_history::{Side, Verb};
use migratrix_matrix::{Owner, Recovery, Standing, Strike};

use super::{
    called,
    ending::{Chosen, chosen},
};
use crate::{
    Verdict,
    checks::evidence::{Event, Evidence, Judged},
};

/// What both sides told from the call to what heals.
pub(super) fn events(evidence: &Evidence<'_>, point: &Recovery) -> Judged {
    let chosen = chosen(evidence, point)?;
    let [source, destination] = Side::BOTH.map(|side| heard(evidence, side));
    if !is_listened_to(evidence) {
        return Err(evidence.unseen("the source's events were not heard"));
    }
    let mut wrong = Vec::new();
    if !is_deaf(point.strike, Side::Source) {
        wrong.extend(of_source(&source, point, &chosen));
    }
    if !is_deaf(point.strike, Side::Destination) {
        wrong.extend(of_destination(&destination, point, &chosen));
    }
    Ok(Verdict::pass_if(wrong.is_empty(), || {
        format!(
            "{}: {}; the source told {}; the destination told {}",
            called(point),
            wrong.join("; "),
            listed(&source),
            listed(&destination)
        )
    }))
}

/// A side's events from the call until its guest is first held still by us.
fn heard<'h>(evidence: &Evidence<'h>, of: Side) -> Vec<Event<'h>> {
    let all = evidence.lifecycle_between(Verb::Begin, Verb::Survey);
    let own = all.into_iter().filter(|(side, _)| *side == of);
    own.map(|(_, event)| event).collect()
}

/// Whether the start of the guest was heard: then so is what comes after it.
fn is_listened_to(evidence: &Evidence<'_>) -> bool {
    let before = evidence.lifecycle_between(Verb::Connect, Verb::Begin);
    before
        .iter()
        .any(|(side, event)| *side == Side::Source && event.event == "started")
}

/// Whether the fault takes the connection over which a side's events come, so that some may be lost.
const fn is_deaf(strike: Strike, side: Side) -> bool {
    match side {
        Side::Source => matches!(
            strike,
            Strike::SourceDaemonKilled
                | Strike::SourceDaemonKilledTwice
                | Strike::SourceDaemonSilent
                | Strike::ClientKilled
        ),
        Side::Destination => matches!(
            strike,
            Strike::DestinationDaemonKilled
                | Strike::DestinationDaemonKilledTwice
                | Strike::DestinationDaemonSilent
                | Strike::ClientKilled
                | Strike::LinkDown
                | Strike::DaemonDead
        ),
    }
}

fn of_source(events: &[Event<'_>], point: &Recovery, chosen: &Chosen<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let told = |name: &str| events.iter().any(|event| event.event == name);
    match chosen.ending.source {
        Standing::Active(states) => {
            if told("stopped") {
                wrong.push("the guest stayed on the source, and was told to be stopped".to_owned());
            }
            let may_stand = point.moment.is_stopped() || point.strike == Strike::Suspended;
            if told("suspended") && !may_stand {
                wrong
                    .push("the guest was suspended on the source before the switchover".to_owned());
            }
            let runs = states.iter().all(|(state, _)| *state == "running");
            let turns = ["suspended", "resumed"];
            let last = events
                .iter()
                .rev()
                .find(|event| turns.contains(&event.event));
            if runs && last.is_some_and(|event| event.event == "suspended") {
                wrong.push("the guest runs on the source, and was told to be suspended".to_owned());
            }
        }
        Standing::Inactive(_) => {
            if !told("stopped") {
                wrong.push("the source did not tell that its guest stopped".to_owned());
            }
        }
        Standing::Clear => {}
    }
    wrong
}

fn of_destination(events: &[Event<'_>], point: &Recovery, chosen: &Chosen<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let place = |name: &str| events.iter().position(|event| event.event == name);
    let (started, stopped, resumed) = (place("started"), place("stopped"), place("resumed"));
    match (chosen.ending.owner, chosen.ending.destination) {
        (Owner::Source, _) => {
            if resumed.is_some() && !point.moment.is_past_return() {
                wrong.push("the destination told that it runs the guest".to_owned());
            }
            if started.is_some() && stopped < started {
                wrong.push(
                    "the destination's guest was started, and not told to be stopped".to_owned(),
                );
            }
        }
        (Owner::Destination, Standing::Active(_)) => {
            if started.is_none() {
                wrong.push("the destination did not tell that the guest started".to_owned());
            }
            if stopped.is_some() {
                wrong.push("the destination has the guest, and told that it stopped".to_owned());
            }
        }
        (Owner::Destination | Owner::Nobody, _) => {}
    }
    wrong
}

fn listed(events: &[Event<'_>]) -> String {
    if events.is_empty() {
        return "nothing".to_owned();
    }
    let words = events.iter();
    let words: Vec<_> = words
        .map(|event| format!("{} ({})", event.event, event.detail))
        .collect();
    words.join(", ")
}
