//! The smallest combinations of values that account for what failed, as filters.
//!
//! ```text
//!   Run ─▶ Columns ─▶ migratrix-explain ─▶ Account ─▶ text · JSON
//! ```

mod columns;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use migratrix_explain::{Beside, Budget, Cause, Outcome, Rival, Row, Table, explain};
use migratrix_matrix::{Case, Release, ReleaseName, Releases, Suite};
use serde::Serialize;

use crate::{Judgement, KnownAre, ReportError, Run, Standing};
use columns::Columns;

pub use text::{causes, told};

/// What was tried in some runs of one suite, and what else could be tried.
#[derive(Clone, Debug)]
pub struct Study {
    table: Table,
    cases: Vec<Case>,
    columns: Columns,
    tally: Tried,
}

/// How many cases came out in which way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tried {
    /// How many were tried and came out as failed or passed: known failures that are excused pass.
    pub tried: usize,
    /// How many of them failed.
    pub failed: usize,
    /// How many known failures are among those that pass.
    pub excused: usize,
    /// How many came out as they should only when tried again: they count for nothing.
    pub flaky: usize,
    /// How many could not be seen: they count for nothing.
    pub unknown: usize,
}

/// What accounts for the failures.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Account {
    /// The number of this form, 1.
    pub format: u32,
    /// What was tried.
    pub cases: Tried,
    /// The causes, the one that explains most first.
    pub causes: Vec<Blame>,
    /// The cases that failed and that are in no cause.
    pub left_over: Vec<Case>,
    /// What is the same in all cases that were tried, so that no cause can name it: `client`, `source`
    /// and `destination` among them.
    pub never_varied: Vec<String>,
}

/// A combination of values that is to blame.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Blame {
    /// The filter that is true of its cases.
    pub filter: String,
    /// The same without what it says of source and destination: what is to be avoided between releases
    /// of which it says that; nothing where all cases between them are of it.
    pub traits: String,
    /// Its factors in other words, which are true of the same cases: versions of libvirt for those of
    /// QEMU, and releases.
    pub in_other_words: Vec<String>,
    /// Its cases that failed.
    pub failed: Vec<Case>,
    /// Its cases that passed all the same.
    pub passed: Vec<Case>,
    /// How likely it is beside what else it could be, of 1.
    pub share: f64,
    /// Whether little doubt is left.
    pub sure: bool,
    /// What speaks against it.
    pub doubts: Vec<String>,
    /// What was tried beside it: for each factor the cases that have all others of them, and not it.
    pub beside: Vec<Neighbours>,
    /// What else it could be.
    pub rivals: Vec<Other>,
}

/// The cases that have all factors of a cause but one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Neighbours {
    /// The axis of which they have another value.
    pub axis: String,
    /// How many passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
}

/// What else a cause could be.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Other {
    /// Its filter; none where it is chance.
    pub filter: Option<String>,
    /// How likely it is, of 1.
    pub share: f64,
    /// A case that would tell, if there is one.
    pub told_by: Option<Case>,
}

/// What came of a case in all runs.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    failed: u32,
    passed: u32,
    excused: u32,
    flaky: u32,
    unknown: u32,
}

impl Study {
    /// What some runs tell, and `space`, the cases beside theirs that could be tried.
    ///
    /// # Errors
    /// Returns what they differ in, where no cause can be common to them.
    pub fn of(runs: &[&Run], space: &[Case]) -> Result<Self, ReportError> {
        Self::by(runs, space, |run| run.rules().known, |_| true)
    }

    /// What those cases of some runs tell that `takes` takes, where known failures are failures.
    pub(crate) fn strict(
        runs: &[&Run],
        takes: impl Fn(&Case) -> bool,
    ) -> Result<Self, ReportError> {
        Self::by(runs, &[], |_| KnownAre::Failed, takes)
    }

    fn by(
        runs: &[&Run],
        space: &[Case],
        known: fn(&Run) -> KnownAre,
        takes: impl Fn(&Case) -> bool,
    ) -> Result<Self, ReportError> {
        let releases = releases(runs)?;
        let mut counts: BTreeMap<&Case, Counts> = BTreeMap::new();
        for run in runs {
            for judgement in run.judgements().filter(|one| takes(&one.case)) {
                counts
                    .entry(&judgement.case)
                    .or_default()
                    .take(known(run), judgement);
            }
        }
        one_suite(counts.keys().copied())?;
        let tally = tally(counts.values());
        let there: BTreeSet<_> = counts.keys().copied().collect();
        let others = space.iter().filter(|case| !there.contains(case));
        let seen = counts.iter().filter(|(_, counts)| counts.tells());
        let cases: Vec<_> = seen.map(|(case, _)| *case).chain(others).cloned().collect();
        let (columns, values) = Columns::of(&cases, &releases);
        let rows = cases.iter().zip(values).map(|(case, values)| {
            let counts = counts.get(case).copied().unwrap_or_default();
            Row {
                values,
                failed: counts.failed,
                passed: counts.passed + counts.excused,
                flaky: counts.flaky + counts.unknown,
            }
        });
        let table = Table::new(columns.columns(), rows.collect()).map_err(ReportError::Columns)?;
        Ok(Self {
            table,
            cases,
            columns,
            tally,
        })
    }

    /// What accounts for the failures.
    #[must_use]
    pub fn account(&self) -> Account {
        let explanation = explain(&self.table);
        let causes = explanation.causes.iter().map(|one| self.blame(one));
        Account {
            format: 1,
            cases: self.tally.clone(),
            causes: causes.collect(),
            left_over: self.named(&explanation.left),
            never_varied: self.never_varied(),
        }
    }

    /// The cases that would tell most of what is not sure yet; none where nothing more would tell, or as
    /// many as may be were tried.
    #[must_use]
    pub fn questions(&self, budget: &mut Budget) -> Vec<Case> {
        self.named(&budget.next(&self.table, &explain(&self.table)))
    }

    /// What came of a case, if it was tried.
    #[must_use]
    pub fn outcome(&self, case: &Case) -> Option<Outcome> {
        let place = self.cases.iter().position(|one| one == case)?;
        let row = &self.table.rows()[place];
        match (row.failed, row.passed) {
            (0, 0) => None,
            (0, _) => Some(Outcome::Passed),
            (_, _) => Some(Outcome::Failed),
        }
    }

    fn named(&self, rows: &[usize]) -> Vec<Case> {
        rows.iter().map(|row| self.cases[*row].clone()).collect()
    }

    fn blame(&self, cause: &Cause) -> Blame {
        let Cause {
            literals,
            failed,
            passed,
            beside,
            share,
            rivals,
            ..
        } = cause;
        let neighbours = literals
            .iter()
            .zip(beside)
            .map(|(literal, beside)| Neighbours {
                axis: self.columns.name(literal).to_owned(),
                passed: beside.passed,
                failed: beside.failed,
            });
        let others = literals
            .iter()
            .flat_map(|one| self.columns.alike(&self.table, one));
        Blame {
            filter: self.columns.filter(&self.table, literals),
            traits: self.columns.traits(&self.table, literals),
            in_other_words: others.collect(),
            failed: self.named(failed),
            passed: self.named(passed),
            share: *share,
            sure: cause.is_settled() && passed.is_empty() && failed.len() > 1,
            doubts: doubts(cause),
            beside: neighbours.collect(),
            rivals: rivals.iter().map(|one| self.other(one)).collect(),
        }
    }

    fn other(&self, rival: &Rival) -> Other {
        let is_chance = rival.literals.is_empty();
        let filter = || self.columns.filter(&self.table, &rival.literals);
        Other {
            filter: (!is_chance).then(filter),
            share: rival.share,
            told_by: rival.told_by.map(|row| self.cases[row].clone()),
        }
    }

    /// The axes of which all cases that were tried have the same value.
    fn never_varied(&self) -> Vec<String> {
        let tried = self
            .table
            .rows()
            .iter()
            .filter(|row| row.failed + row.passed > 0);
        self.columns
            .never_varied(tried.map(|row| row.values.as_slice()))
    }
}

impl Account {
    /// The causes that can be told of: none where no case passed, for nothing tells then what it depends on.
    pub(crate) fn telling(&self) -> &[Blame] {
        if self.cases.failed < self.cases.tried {
            &self.causes
        } else {
            &[]
        }
    }
}

impl Blame {
    /// How many of its cases fail.
    pub(crate) fn how_many(&self) -> String {
        let (failed, passed) = (self.failed.len(), self.passed.len());
        let sure = if self.sure { "" } else { ", not sure" };
        format!("{failed} of {} fail{sure}", failed + passed)
    }
}

impl Counts {
    fn take(&mut self, known: KnownAre, judgement: &Judgement) {
        let counter = match (judgement.standing(), known) {
            (Standing::Passed | Standing::UnexpectedPass, _) => &mut self.passed,
            (Standing::KnownFailure, KnownAre::Excused) => &mut self.excused,
            (Standing::KnownFailure, KnownAre::Failed) | (Standing::Failed, _) => &mut self.failed,
            (Standing::FailedAtFirst, _) => &mut self.flaky,
            (Standing::Unknown, _) => &mut self.unknown,
            (Standing::Skipped, _) => return,
        };
        *counter += 1;
    }

    /// Whether a case with these was tried at all.
    const fn tells(&self) -> bool {
        self.failed + self.passed + self.excused + self.flaky + self.unknown > 0
    }
}

fn tally<'c>(all: impl Iterator<Item = &'c Counts> + Clone) -> Tried {
    let count = |is: fn(&Counts) -> bool| all.clone().filter(|one| is(one)).count();
    Tried {
        tried: count(|one| one.failed + one.passed + one.excused > 0),
        failed: count(|one| one.failed > 0),
        excused: count(|one| one.failed == 0 && one.excused > 0),
        flaky: count(|one| one.failed + one.passed + one.excused == 0 && one.flaky > 0),
        unknown: count(|one| {
            one.failed + one.passed + one.excused + one.flaky == 0 && one.unknown > 0
        }),
    }
}

/// Refuses cases of several suites: they have no axes in common.
fn one_suite<'c>(cases: impl Iterator<Item = &'c Case>) -> Result<(), ReportError> {
    let suites: BTreeSet<Suite> = cases.map(Case::suite).collect();
    let mut suites = suites.into_iter();
    match (suites.next(), suites.next()) {
        (Some(one), Some(other)) => Err(ReportError::Suites(one, other)),
        (_, _) => Ok(()),
    }
}

/// The releases of all runs, each of one version.
fn releases(runs: &[&Run]) -> Result<Releases, ReportError> {
    let mut all: BTreeMap<&ReleaseName, &Release> = BTreeMap::new();
    for one in runs.iter().flat_map(|run| run.planned_releases()) {
        let before = all.entry(&one.name).or_insert(one);
        if (before.libvirt, before.qemu) != (one.libvirt, one.qemu) {
            return Err(ReportError::Versions(one.name.clone()));
        }
    }
    let all = all.into_values().cloned().collect();
    Releases::new(all).map_err(|double| ReportError::Versions(double.0))
}

/// What speaks against a cause.
fn doubts(cause: &Cause) -> Vec<String> {
    let mut doubts = Vec::new();
    if cause.failed.len() == 1 {
        doubts.push("it rests on one case".to_owned());
    }
    match cause.passed.len() {
        0 => {}
        1 => doubts.push("one case of it passed all the same".to_owned()),
        more => doubts.push(format!("{more} cases of it passed all the same")),
    }
    let untried = |one: &Beside| one.passed == 0;
    if cause.beside.iter().any(untried) {
        doubts.push("no case passed that differs in one axis alone".to_owned());
    }
    doubts
}

#[cfg(test)]
mod tests;
