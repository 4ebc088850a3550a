//! `events`: both sides sent the documented life-cycle events, in order.
//!
//! The words are those of `virDomainEventType` and of its details. The sequences stand in one
//! table, a row an event; the rows' order is the events'.

use migratrix_history::{Outcome, Side, Verb};
use migratrix_matrix::{Activity, Expectation, Flag, Point, Preparation, Scenario};

use crate::{
    Verdict,
    checks::{
        evidence::{Event, Evidence, Judged},
        timeline::two_run,
    },
};

/// Whether an event of the table comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// It comes exactly once.
    Must,
    /// It comes or it doesn't: releases differ.
    May,
    /// It doesn't come.
    Never,
}
use Need::{May, Must, Never};

/// One row of the model.
struct Row {
    event: &'static str,
    /// Its detail here.
    detail: &'static str,
    need: Need,
}

/// Both sides' events are those of the model, and in its order.
pub(super) fn events(evidence: &Evidence<'_>, scenario: &Scenario) -> Judged {
    match evidence.migrate_ended()?.1 {
        Outcome::Done | Outcome::Refused(_) => {}
        Outcome::Unknown { .. } => return Err(evidence.unseen("the events may not all be heard")),
    }
    let expected = scenario.expectation();
    let mut faults = Vec::new();
    for side in [Side::Source, Side::Destination] {
        let seen = evidence.lifecycle(side)?;
        let fault = mismatch(&model(side, scenario, &expected), &seen);
        faults.extend(fault.map(|fault| format!("{}: {fault}", evidence.host(side))));
    }
    faults.extend(two_run(
        at(&evidence.lifecycle(Side::Source)?, "suspended"),
        at(&evidence.lifecycle(Side::Destination)?, "resumed"),
    ));
    faults.extend(beside(evidence, &expected));
    Ok(Verdict::pass_if(faults.is_empty(), || {
        format!(
            "the life-cycle events are not the documented ones: {}",
            faults.join("; ")
        )
    }))
}

/// What came before the migration or after it, and is not our own doing: the guest is paused before it if the
/// case says so, and held still after it to be surveyed. The guest of a chain is ended to be compared.
fn beside(evidence: &Evidence<'_>, expected: &Expectation) -> Vec<String> {
    let paused = ("suspended", "paused");
    let before: &[_] = match expected.activity {
        Activity::Running => &[],
        Activity::Paused => &[paused],
    };
    let end = match evidence.header().case.point {
        Point::Chained(_) => Verb::Survey,
        Point::Tck(_) | Point::Qemu(_) | Point::Colo(_) | Point::Backup(_) => Verb::Clear,
    };
    let spans = [
        (Verb::Inspect, Verb::Migrate, before),
        (Verb::Survey, end, &[paused, ("resumed", "unpaused")]),
    ];
    let mut faults = Vec::new();
    for (from, to, allowed) in spans {
        for (side, event) in evidence.lifecycle_between(from, to) {
            if !allowed.contains(&(event.event, event.detail)) {
                let (host, word) = (evidence.host(side), word(&event));
                faults.push(format!(
                    "{host}: {word} is not expected beside the migration"
                ));
            }
        }
    }
    faults
}

/// When an event of this name came first, in microseconds.
fn at(events: &[Event<'_>], named: &str) -> Option<u64> {
    let first = events.iter().find(|event| event.event == named);
    first.map(|event| event.at_us)
}

/// The model of libvirt, by `virDomainEventType` and the documentation of `virDomainMigrateFlags`.
fn model(side: Side, scenario: &Scenario, expected: &Expectation) -> Vec<Row> {
    let ran = expected.activity == Activity::Running;
    let runs = expected.destination_activity == Activity::Running;
    let undefined = scenario.flags.has(Flag::UndefineSource) && expected.source_defined;
    let persisted = scenario.flags.has(Flag::PersistDest);
    let definition = match scenario.state.preparation {
        Preparation::Defined => "updated",
        Preparation::Undefined => "added",
    };
    match side {
        Side::Source => vec![
            row("suspended", "migrated", if ran { Must } else { Never }),
            // libvirt 11 and later tell that they end the QEMU which the guest has left.
            row("shutdown", "host", May),
            row("stopped", "migrated", Must),
            // No release from 7.0 to 12.8 tells that UNDEFINE_SOURCE removed the configuration.
            row("undefined", "removed", if undefined { May } else { Never }),
        ],
        Side::Destination => vec![
            row("started", "migrated", Must),
            row("defined", definition, if persisted { Must } else { Never }),
            row("resumed", "migrated", if runs { Must } else { Never }),
            row("suspended", "paused", if runs { Never } else { Must }),
        ],
    }
}

const fn row(event: &'static str, detail: &'static str, need: Need) -> Row {
    Row {
        event,
        detail,
        need,
    }
}

/// What is wrong with `seen`; none where it is as the rows say.
fn mismatch(rows: &[Row], seen: &[Event<'_>]) -> Option<String> {
    let mut left = seen.iter().peekable();
    for row in rows.iter().filter(|row| row.need != Never) {
        let fits = |seen: &&Event<'_>| seen.event == row.event && seen.detail == row.detail;
        if left.next_if(fits).is_none() && row.need == Must {
            let instead = left.peek().map_or("no event".to_owned(), |next| word(next));
            return Some(told(
                rows,
                seen,
                &format!("expected {}, came {instead}", row.event),
            ));
        }
    }
    left.next()
        .map(|extra| told(rows, seen, &format!("{} is not expected", word(extra))))
}

fn told(rows: &[Row], seen: &[Event<'_>], what: &str) -> String {
    let model: Vec<_> = rows.iter().filter_map(Row::told).collect();
    let seen: Vec<_> = seen.iter().map(word).collect();
    format!(
        "{what}; the model is {}; seen were {}",
        model.join(", "),
        list(&seen)
    )
}

fn word(event: &Event<'_>) -> String {
    format!("{} ({})", event.event, event.detail)
}

fn list(words: &[String]) -> String {
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(", ")
    }
}

impl Row {
    fn told(&self) -> Option<String> {
        let whole = format!("{} ({})", self.event, self.detail);
        match self.need {
            Must => Some(whole),
            May => Some(format!("[{whole}]")),
            Never => None,
        }
    }
}
