//! The smallest combinations of values that account for what failed, as filters.
//!
//! ```text
//!   Run ─▶ Columns ─▶ migratrix-explain ─▶ Account ─▶ text · JSON
//! ```

mod columns;
mod outcomes;
mod reason;
mod text;
mod trial;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use migratrix_explain::{Beside, Budget, Cause, Outcome, Rival, Row, Table, explain};
use migratrix_matrix::{Backend, Case, HostSetup, Release, ReleaseName, Releases, Suite};
use serde::Serialize;

use crate::{ReportError, Run};
use columns::Columns;
use outcomes::{Asked, Outcomes, with_the_run};
use reason::Says;

pub use outcomes::Tried;
pub use reason::Reason;
pub(crate) use text::{NO_QEMU, WITH_THE_RUN};
pub use text::{causes, told};
pub use trial::{Possible, Trial, on_hosts};
pub(crate) use trial::{Told, words as setup_words};

/// What was tried in some runs of one suite, and what else could be tried.
#[derive(Clone, Debug)]
pub struct Study {
    table: Table,
    trials: Vec<Trial>,
    /// Of each that failed what it says.
    says: Vec<Option<Says>>,
    columns: Columns,
    tally: Tried,
    changed: Vec<Case>,
    with_the_run: bool,
    in_memory: bool,
}

/// What accounts for the failures.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Account {
    /// The number of this form, 1.
    pub format: u32,
    /// Whether the hypervisor in memory ran the cases: that tells nothing of the releases.
    pub in_memory: bool,
    /// What was tried.
    pub cases: Tried,
    /// The causes, the one that explains most first.
    pub causes: Vec<Blame>,
    /// The cases that failed and that are in no cause.
    pub left_over: Vec<Case>,
    /// The cases that came out otherwise in another run: what came of them last counts.
    pub changed: Vec<Case>,
    /// Whether all of these fail in the same runs, and pass in the same others: the runs differ in
    /// something that is no axis of a case. Else they are flaky.
    pub changed_with_the_run: bool,
    /// What is the same in all cases that were tried, so that no cause can name it: `client`, `source`
    /// and `destination` among them.
    pub never_varied: Vec<String>,
}

/// A combination of values that is to blame.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Blame {
    /// The filter that is true of its cases, where hosts are set up as `setups` says.
    pub filter: String,
    /// How hosts are set up on which its cases fail; empty where that makes no difference.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub setups: Vec<HostSetup>,
    /// The same without what it says of source and destination: what is to be avoided between releases
    /// of which it says that; nothing where all cases between them are of it.
    pub traits: String,
    /// Its factors in other words, which are true of the same cases: versions of libvirt for those of
    /// QEMU, and releases.
    pub in_other_words: Vec<String>,
    /// What most of its failures say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
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
    /// How hosts are set up on which its cases fail; empty where that makes no difference.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub setups: Vec<HostSetup>,
    /// How likely it is, of 1.
    pub share: f64,
    /// A case that would tell, if there is one.
    pub told_by: Option<Case>,
    /// How the hosts of that case are to be set up, where that may make a difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told_on: Option<HostSetup>,
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
        let (columns, values) = Columns::of(&trials, &releases);
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
            .with_unchosen(columns.setup().into_iter().collect());
        Ok(Self {
            in_memory: in_memory(outcomes.cases())?,
            says,
            table,
            columns,
            tally: outcomes.tally(),
            with_the_run: with_the_run(runs, &outcomes.changed().collect()),
            changed: outcomes.changed().map(|one| one.case.clone()).collect(),
            trials,
        })
    }

    /// What accounts for the failures.
    #[must_use]
    pub fn account(&self) -> Account {
        let explanation = explain(&self.table);
        let all = &explanation.causes;
        let causes = all.iter().map(|one| self.blame(one, all));
        Account {
            format: 1,
            in_memory: self.in_memory,
            cases: self.tally.clone(),
            causes: causes.collect(),
            left_over: self.named(&explanation.left),
            changed: self.changed.clone(),
            changed_with_the_run: self.with_the_run,
            never_varied: self.never_varied(),
        }
    }

    /// The cases that would tell most of what is not sure yet; none where nothing more would tell, or as
    /// many as may be were tried.
    #[must_use]
    pub fn questions(&self, budget: &mut Budget) -> Vec<Trial> {
        let rows = budget.next(&self.table, &explain(&self.table));
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

    fn named(&self, rows: &[usize]) -> Vec<Case> {
        let cases = rows.iter().map(|row| self.trials[*row].case.clone());
        cases.collect()
    }

    /// Whether the failures that a cause alone accounts for fail by several conditions.
    fn is_mixed(&self, cause: &Cause, all: &[Cause]) -> bool {
        let others = all.iter().filter(|one| one.literals != cause.literals);
        let is_elsewhere = |row: &&usize| others.clone().any(|one| one.failed.contains(row));
        let alone = cause.failed.iter().filter(|row| !is_elsewhere(row));
        let conditions = alone.filter_map(|row| self.says[*row].as_ref().map(Says::condition));
        conditions.collect::<BTreeSet<_>>().len() > 1
    }

    fn blame(&self, cause: &Cause, all: &[Cause]) -> Blame {
        let Cause {
            literals,
            failed,
            passed,
            beside,
            share,
            rivals,
            ..
        } = cause;
        let is_mixed = self.is_mixed(cause, all);
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
        let others = others.chain(self.columns.setup_alike(&self.table, literals));
        Blame {
            filter: self.columns.filter(&self.table, literals),
            setups: self.columns.setups(literals),
            traits: self.columns.traits(&self.table, literals),
            in_other_words: others.collect(),
            reason: Reason::of(failed.iter().filter_map(|row| self.says[*row].as_ref())),
            failed: self.named(failed),
            passed: self.named(passed),
            share: *share,
            sure: cause.is_settled() && passed.is_empty() && failed.len() > 1 && !is_mixed,
            doubts: doubts(cause, is_mixed),
            beside: neighbours.collect(),
            rivals: rivals.iter().map(|one| self.other(one)).collect(),
        }
    }

    fn other(&self, rival: &Rival) -> Other {
        let literals = rival.literals.as_ref();
        // Alone a case runs on hosts as they are shipped.
        let is_told = |setup| self.columns.setup().is_some() || setup == HostSetup::Quick;
        let told_on = rival.told_by.map(|row| self.trials[row].setup);
        Other {
            filter: literals.map(|one| self.columns.filter(&self.table, one)),
            setups: literals.map_or_else(Vec::new, |one| self.columns.setups(one)),
            share: rival.share,
            told_by: rival.told_by.map(|row| self.trials[row].case.clone()),
            told_on: told_on.filter(|setup| is_told(*setup)),
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
    /// What it is, in a line.
    pub(crate) fn told(&self) -> Told<'_> {
        Told {
            filter: &self.filter,
            setups: &self.setups,
        }
    }

    /// How many of its cases fail.
    pub(crate) fn how_many(&self) -> String {
        let (failed, passed) = (self.failed.len(), self.passed.len());
        let sure = if self.sure { "" } else { ", not sure" };
        let verb = if failed == 1 { "fails" } else { "fail" };
        format!("{failed} of {} {verb}{sure}", failed + passed)
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

/// What speaks against a cause.
fn doubts(cause: &Cause, is_mixed: bool) -> Vec<String> {
    let mixed = is_mixed.then(|| "its failures are of several conditions".to_owned());
    let mut doubts: Vec<_> = mixed.into_iter().collect();
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
