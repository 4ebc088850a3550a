//! The smallest combinations of values that account for what failed, as filters.
//!
//! ```text
//!   Run ─▶ Columns ─▶ migratrix-explain ─▶ Account ─▶ text · JSON
//! ```

mod account;
mod blame;
mod columns;
mod outcomes;
mod reason;
mod text;
mod trial;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use migratrix_explain::{Budget, Explanation, Outcome, Row, Table, explain};
use migratrix_matrix::{Backend, Case, Release, ReleaseName, Releases, Suite};

use crate::{ReportError, Run};
use columns::Columns;
use outcomes::{Asked, Outcomes, with_the_run};
use reason::Says;

pub use account::{Account, Blame, LeftOver, Neighbours, Other};
pub use outcomes::Tried;
pub use reason::Reason;
pub(crate) use text::{NO_QEMU, TOO_LITTLE, WITH_THE_RUN};
pub use text::{causes, told};
pub use trial::{Possible, Trial, on_hosts};
pub(crate) use trial::{Told, words as setup_words};

/// What was tried in some runs of one suite, and what else could be tried.
#[derive(Clone, Debug)]
pub struct Study {
    table: Table,
    explanation: Explanation,
    trials: Vec<Trial>,
    /// Of each that failed what it says.
    says: Vec<Option<Says>>,
    columns: Columns,
    tally: Tried,
    changed: Vec<Case>,
    with_the_run: bool,
    in_memory: bool,
}

impl Study {
    /// What some runs tell, and the cases beside theirs that could be tried, by the runs themselves and by
    /// `space`.
    ///
    /// # Errors
    /// Returns what they differ in, where no cause can be common to them.
    pub fn of(runs: &[&Run], space: &[Possible]) -> Result<Self, ReportError> {
        Self::by(runs, space, Asked::ByTheRules)
    }

    /// What some runs tell, where known failures are failures.
    pub(crate) fn strict(runs: &[&Run]) -> Result<Self, ReportError> {
        Self::by(runs, &[], Asked::All)
    }

    /// What a run tells of its known failures, where the others tell of nothing.
    pub(crate) fn of_known(run: &Run) -> Result<Self, ReportError> {
        Self::by(&[run], &[], Asked::Known)
    }

    fn by(runs: &[&Run], space: &[Possible], asked: Asked) -> Result<Self, ReportError> {
        let releases = releases(runs)?;
        let outcomes = Outcomes::of(runs, asked);
        one_suite(outcomes.cases())?;
        let possible = runs.iter().flat_map(|run| run.possible()).chain(space);
        let once: BTreeMap<&Case, &Possible> = possible.map(|one| (&one.case, one)).collect();
        let others = once.values().flat_map(|one| outcomes.others(one));
        let trials: Vec<_> = outcomes.tried().cloned().chain(others).collect();
        let study = Self::made(trials, &outcomes, &releases)?;
        let more = study.untried_beside(&once);
        let mut study = if more.is_empty() {
            study
        } else {
            let trials = study.trials.into_iter().chain(more);
            Self::made(trials.collect(), &outcomes, &releases)?
        };
        study.in_memory = in_memory(outcomes.cases())?;
        study.with_the_run = with_the_run(runs, &outcomes.changed().collect());
        Ok(study)
    }

    /// What came of these.
    fn made(
        trials: Vec<Trial>,
        outcomes: &Outcomes<'_>,
        releases: &Releases,
    ) -> Result<Self, ReportError> {
        let (columns, values) = Columns::of(&trials, releases);
        columns.demand_few()?;
        let says = trials.iter().map(|one| outcomes.find(one).failure());
        let says: Vec<_> = says.map(|failure| failure.map(Says::of)).collect();
        let kinds = Says::kinds(&says);
        let rows = trials.iter().zip(values).zip(kinds);
        let rows = rows.map(|((trial, values), says)| {
            let [failed, passed, flaky] = outcomes.find(trial).counts();
            Row {
                values,
                failed,
                passed,
                flaky,
                says,
            }
        });
        let table = Table::new(columns.columns(), rows.collect()).map_err(ReportError::Columns)?;
        let table = table
            .placed_by(columns.sides())
            .with_unchosen(columns.unchosen());
        Ok(Self {
            explanation: explain(&table),
            says,
            table,
            columns,
            tally: outcomes.tally(),
            changed: outcomes.changed().map(|one| one.case.clone()).collect(),
            with_the_run: false,
            in_memory: false,
            trials,
        })
    }

    /// What was not tried on hosts of a setup that is a part of a cause, and is of the cause but for that: on such
    /// hosts few cases run, and others may pass there.
    fn untried_beside(&self, possible: &BTreeMap<&Case, &Possible>) -> BTreeSet<Trial> {
        let known: BTreeSet<&Trial> = self.trials.iter().collect();
        let mut all = BTreeSet::new();
        for cause in &self.explanation.causes {
            let setups = self.columns.setups(&cause.literals);
            if setups.is_empty() {
                continue;
            }
            let rows = self.table.region(&self.columns.of_cases(&cause.literals));
            for case in rows.ones().map(|row| &self.trials[row].case) {
                let own = possible.get(case).into_iter();
                let own = own.flat_map(|one| one.trials());
                all.extend(own.filter(|one| setups.contains(&one.setup) && !known.contains(one)));
            }
        }
        all
    }

    /// What accounts for the failures.
    #[must_use]
    pub fn account(&self) -> Account {
        let Explanation {
            causes: all, left, ..
        } = &self.explanation;
        let causes = all.iter().map(|one| self.blame(one, all));
        Account {
            format: 2,
            in_memory: self.in_memory,
            cases: self.tally.clone(),
            causes: causes.collect(),
            left_over: left.iter().map(|row| self.left_over(*row)).collect(),
            changed: self.changed.clone(),
            changed_with_the_run: self.with_the_run,
            never_varied: self.never_varied(),
        }
    }

    /// The cases that would tell most of what is not sure yet; none where nothing more would tell, or as
    /// many as may be were tried.
    #[must_use]
    pub fn questions(&self, budget: &mut Budget) -> Vec<Trial> {
        let rows = budget.next(&self.table, &self.explanation);
        rows.iter().map(|row| self.trials[*row].clone()).collect()
    }

    /// What came of a case on such hosts, if it was tried.
    #[must_use]
    pub fn outcome(&self, trial: &Trial) -> Option<Outcome> {
        let place = self.trials.iter().position(|one| one == trial)?;
        let row = &self.table.rows()[place];
        match (row.failed, row.passed) {
            (0, 0) => None,
            (0, _) => Some(Outcome::Passed),
            (_, _) => Some(Outcome::Failed),
        }
    }

    fn left_over(&self, row: usize) -> LeftOver {
        LeftOver {
            case: self.trials[row].case.clone(),
            reason: self.reason(&[row]),
        }
    }

    fn named(&self, rows: &[usize]) -> Vec<Case> {
        let cases = rows.iter().map(|row| self.trials[*row].case.clone());
        cases.collect()
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

/// Refuses cases of several suites: they have not the same axes.
fn one_suite<'c>(cases: impl Iterator<Item = &'c Case>) -> Result<(), ReportError> {
    let suites: BTreeSet<Suite> = cases.map(Case::suite).collect();
    let mut suites = suites.into_iter();
    match (suites.next(), suites.next()) {
        (Some(one), Some(other)) => Err(ReportError::Suites(one, other)),
        (_, _) => Ok(()),
    }
}

/// Whether the hypervisor in memory ran all of these; refuses them where it ran some.
pub(crate) fn in_memory<'c>(cases: impl Iterator<Item = &'c Case>) -> Result<bool, ReportError> {
    let all: BTreeSet<bool> = cases.map(|case| case.backend == Backend::Fake).collect();
    if all.len() > 1 {
        return Err(ReportError::InMemory);
    }
    Ok(all.contains(&true))
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

#[cfg(test)]
mod tests;
