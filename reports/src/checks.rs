//! The checks: each condition a pure function of a case's history.
//!
//! A check says *pass* only where it has seen something that proves it, *fail* where it has seen
//! the opposite, and *unknown* where it has seen neither.

mod alive;
mod backup;
mod beats;
mod colo;
#[cfg(test)]
mod costs;
mod evidence;
mod identity;
mod job;
mod leftovers;
mod machine;
mod memory;
#[cfg(test)]
mod mutations;
mod presence;
mod qemu;
mod reasons;
mod recovery;
mod since;
mod struck;
mod tck;
#[cfg(test)]
mod tests;
mod timeline;
mod words;
mod xml;

use migratrix_history::{Document, History, Side, Versions, When};
use migratrix_matrix::{Case, Condition, Point};

use crate::{Recovered, Verdict};
use evidence::{Evidence, Judged};
pub(crate) use recovery::tells_of_end;

/// What a history says of one condition of a point of `P`'s suite.
type Check<P> = fn(&Evidence<'_>, &P) -> Judged;

/// The checks of a suite, a row a condition; what has no row has no counterpart in it.
type Checks<P> = [(Condition, Check<P>)];

/// What a history says.
pub(crate) struct Findings {
    /// The versions that it names; none where the connections were never made.
    pub versions: Versions,
    /// Every condition of the case with its verdict, in the order of the case's own list.
    pub conditions: Vec<(Condition, Verdict)>,
    /// What came of a migration that was struck on its way.
    pub recovered: Option<Recovered>,
    /// What is wrong where a QEMU says itself that it is of another version than its host says.
    pub other_qemu: Option<String>,
}

impl Findings {
    /// Those of one history, which is read once.
    pub fn of(history: &History) -> Self {
        let evidence = Evidence::of(history);
        Self {
            versions: evidence.versions(),
            conditions: each(&evidence).collect(),
            recovered: recovered(&evidence),
            other_qemu: other_qemu(&evidence),
        }
    }
}

/// Every condition of the case with its verdict.
#[cfg(test)]
pub(crate) fn all(history: &History) -> Vec<(Condition, Verdict)> {
    each(&Evidence::of(history)).collect()
}

/// Every condition of the case, each judged only when it is asked for.
fn each(evidence: &Evidence<'_>) -> impl Iterator<Item = (Condition, Verdict)> {
    let disorder = timeline::disorder(evidence.history);
    let conditions = evidence.header().case.point.conditions().into_iter();
    conditions.map(move |condition| {
        let verdict = early(condition, evidence.header().evidence)
            .unwrap_or_else(|| check(condition, evidence));
        (condition, in_order(verdict, disorder.as_deref()))
    })
}

/// What a case is called in its reasons: by its method and its options, or by what strikes it. It is another
/// name in another case, and no part of what went wrong.
pub(crate) fn called(case: &Case) -> Vec<String> {
    let struck = match &case.point {
        Point::Recovery(point) => Some(recovery::called(point)),
        Point::Tck(_) | Point::Qemu(_) | Point::Colo(_) | Point::Backup(_) | Point::Chained(_) => {
            None
        }
    };
    let migration = case.scenario().map(tck::migrated::called);
    struck.into_iter().chain(migration).collect()
}

/// What comes of a condition in a history of a version that recorded nothing for it; `None` where it did.
/// See [`migratrix_history::Header::EVIDENCE`].
pub(crate) fn early(condition: Condition, evidence: u32) -> Option<Verdict> {
    let since = if condition == Condition::Transport {
        1
    } else {
        0
    };
    (evidence < since).then(|| {
        Verdict::skipped("needs evidence that the version which ran the case did not record")
    })
}

/// A pass on the word of a history that contradicts itself proves nothing; nor does a skip.
fn in_order(verdict: Verdict, disorder: Option<&str>) -> Verdict {
    match (verdict, disorder) {
        (Verdict::Pass | Verdict::Skipped { .. }, Some(why)) => {
            Verdict::unknown(format!("the history contradicts itself: {why}"))
        }
        (verdict, _) => verdict,
    }
}

fn recovered(evidence: &Evidence<'_>) -> Option<Recovered> {
    match evidence.header().case.point {
        Point::Recovery(_) => recovery::outcome(evidence),
        Point::Tck(_) | Point::Qemu(_) | Point::Colo(_) | Point::Backup(_) | Point::Chained(_) => {
            None
        }
    }
}

fn other_qemu(evidence: &Evidence<'_>) -> Option<String> {
    let versions = evidence.versions();
    let looks = [
        (Side::Source, When::Before, versions.source_qemu),
        (Side::Destination, When::After, versions.destination_qemu),
    ];
    looks.into_iter().find_map(|(side, when, told)| {
        let machine = evidence.document_if_given(side, when, Document::Machine)?;
        let (own, told) = (machine::qemu(machine)?.parse().ok()?, told?);
        (told != own).then(|| {
            let host = evidence.host(side);
            format!("the QEMU on {host} says itself that it is QEMU {own}")
        })
    })
}

fn check(condition: Condition, evidence: &Evidence<'_>) -> Verdict {
    let judged = judged(condition, evidence).unwrap_or_else(|| {
        let text = format!("{condition} has no counterpart in this suite");
        Err(Verdict::unknown(text))
    });
    judged.unwrap_or_else(|unseen| unseen)
}

/// What the suite of the case says; `None` where it has no check of that condition.
fn judged(condition: Condition, evidence: &Evidence<'_>) -> Option<Judged> {
    match &evidence.header().case.point {
        Point::Tck(scenario) => by(&tck::CHECKS, condition, evidence, scenario),
        Point::Qemu(raw) => by(&qemu::CHECKS, condition, evidence, raw),
        Point::Colo(colo) => by(&colo::CHECKS, condition, evidence, colo),
        Point::Backup(backup) => by(&backup::CHECKS, condition, evidence, backup),
        Point::Recovery(point) => by(&recovery::CHECKS, condition, evidence, point),
        Point::Chained(chained) => by(&backup::CHAINED, condition, evidence, chained)
            .or_else(|| by(&tck::CHECKS, condition, evidence, &chained.scenario)),
    }
}

/// What the suite's own check says; `None` where it has none of that condition.
fn by<P>(
    checks: &Checks<P>,
    condition: Condition,
    evidence: &Evidence<'_>,
    point: &P,
) -> Option<Judged> {
    let row = checks.iter().find(|(one, _)| *one == condition);
    row.map(|(_, check)| check(evidence, point))
}
