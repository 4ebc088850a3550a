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
    // Those of the last would be taken for all.
    if evidence.migrations() > 1 {
        return Err(Verdict::unknown(
            "more than one migration was asked for, whose events can't be told apart",
        ));
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
/// case says so, and held still after it to be surveyed. The guest of a chain is ended after that by its backups.
fn beside(evidence: &Evidence<'_>, expected: &Expectation) -> Vec<String> {
    let paused = ("suspended", "paused");
    let before: &[_] = match expected.activity {
        Activity::Running => &[],
        Activity::Paused => &[paused],
    };
    let end = match evidence.header().case.point {
        Point::Chained(_) => Verb::Backup,
        Point::Tck(_) | Point::Qemu(_) | Point::Colo(_) | Point::Backup(_) | Point::Recovery(_) => {
            Verb::Clear
        }
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

#[cfg(test)]
mod tests {
    use migratrix_history::{Entry, History, Observation};
    use migratrix_matrix::Condition;

    use super::*;
    use crate::{
        checks::{self, backup::chained::tests::chain_of},
        story::{event, good, step},
    };

    const CASE: &str = "tck/libvirt/trixie,bookworm,trixie/p2p/persistent-running-undefined/none";
    const CHAIN: &str = "backup/libvirt/trixie,bookworm,trixie/shared-storage/qemu-io/p2p/\
                         persistent-running-undefined/undefine";

    fn judged(history: &History) -> Verdict {
        let all = checks::all(history).into_iter();
        let mut own = all.filter(|(one, _)| *one == Condition::Events);
        own.next().expect("it is judged").1
    }

    /// With a thing heard on the destination in the last step of this kind.
    fn heard_in(mut history: History, of: Verb, seen: Observation) -> History {
        let is_end =
            |entry: &Entry| matches!(entry.saw, Observation::Ended { verb, .. } if verb == of);
        let place = history.entries.iter().rposition(is_end);
        let place = place.expect("it has such a step");
        let at_us = history.entries[place].at_us;
        let entry = Entry { at_us, saw: seen };
        history.entries.insert(place, entry);
        history
    }

    fn fails(verdict: &Verdict, words: &str) {
        let Verdict::Fail { why } = verdict else {
            panic!("{verdict:?} does not fail");
        };
        assert!(why.contains(words), "{why}");
    }

    #[test]
    fn events_of_one_migration_are_not_taken_for_those_of_another() {
        let whole = good(CASE);
        let first = whole.entries.iter().position(|entry| {
            matches!(
                entry.saw,
                Observation::Began {
                    verb: Verb::Migrate,
                    ..
                }
            )
        });
        let mut twice = whole.clone();
        twice.entries.truncate(first.expect("it migrates"));
        // There, and back, before the one that is all well.
        let back = event(Side::Source, "started", "migrated");
        step(&mut twice, Verb::Migrate, vec![back]);
        let later = twice.entries.last().expect("it has a step").at_us;
        for mut entry in whole.entries.into_iter().skip(first.expect("it migrates")) {
            entry.at_us += later;
            twice.entries.push(entry);
        }
        let verdict = judged(&twice);
        let why = "more than one migration was asked for";
        assert!(verdict.why().starts_with(why), "{verdict:?}");
    }

    #[test]
    fn what_a_guest_of_a_chain_does_after_its_migration_is_judged_until_its_backups_go_on() {
        let stopped = || event(Side::Destination, "stopped", "crashed");
        let honest = chain_of(CHAIN);
        assert_eq!(judged(&honest), Verdict::Pass);
        let early = heard_in(honest.clone(), Verb::Ram, stopped());
        fails(&judged(&early), "stopped (crashed) is not expected");
        let later = heard_in(honest, Verb::Backup, stopped());
        assert_eq!(judged(&later), Verdict::Pass);
    }
}
