//! Two sides, each of one run or of several: what broke between them, what was mended, and whether it is
//! slower.
//!
//! ```text
//!   runs of OLD ─▶ outcome of each case ─┐
//!                                        ├─▶ class of each case ─▶ Comparison ─▶ text · Markdown · JSON · page
//!   runs of NEW ─▶ outcome of each case ─┘
//! ```
//!
//! Cases are matched by their names, in which releases stand and versions don't: that a release has other
//! versions on the two sides is what is mostly asked about.

mod markdown;
mod outcome;
mod quantile;
mod side;
mod signed_rank;
mod text;
mod times;
mod versions;

use std::collections::{BTreeMap, BTreeSet};

use migratrix_matrix::{Case, Suite};
use serde::Serialize;

pub(crate) use self::text::{groups, moves, sign, state_words, telling, troubles};
pub use self::{
    markdown::comparison_markdown,
    outcome::{Outcome, State},
    side::Side,
    text::comparison_text,
    times::{Pace, Times},
    versions::Moved,
};
use self::{outcome::Outcomes, side::side, times::times, versions::moved};
use crate::{Exit, ReportError, Run, terminal::cases};

/// One side of a comparison: runs, each with what it is called.
pub type Runs = [(String, Run)];

/// What became of the cases of two sides.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Comparison {
    /// The number of this form. It grows when the meaning of a field changes.
    pub format: u32,
    /// How it ends: `failed` where something broke, `unknown` where something can't be seen any more.
    pub exit: &'static str,
    /// The one side.
    pub old: Side,
    /// The other.
    pub new: Side,
    /// The versions that are not the same on both sides.
    pub versions: Vec<Moved>,
    /// How many cases there are of each class.
    pub counts: BTreeMap<Class, usize>,
    /// The cases of which there is something to say: all but those that pass on both sides, and those
    /// that neither side has seen.
    pub changes: Vec<Change>,
    /// How long the cases took; nothing where too few passed on both sides.
    pub times: Option<Times>,
}

/// What became of a case between the sides, in the order in which it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// It passed, or failed as is known, and fails.
    Broke,
    /// It was seen, and can't be seen any more.
    Unseen,
    /// Its outcomes of one side are unlike, or it passed only when it was tried again.
    Flaky,
    /// It failed, and fails.
    StillFailing,
    /// It is a known failure.
    Known,
    /// It was not there before, or was not seen.
    New,
    /// It is not there any more.
    Gone,
    /// It failed, known or not, and passes.
    Mended,
    /// It passed, and passes.
    Passing,
    /// Neither side has seen it.
    NotSeen,
}

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Change {
    /// The case.
    pub case: String,
    /// What became of it.
    pub class: Class,
    /// What came of it on the one side, where it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Outcome>,
    /// What came of it on the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Outcome>,
}

impl Class {
    /// All, in the order in which they are told.
    pub const ALL: [Self; 10] = [
        Self::Broke,
        Self::Unseen,
        Self::Flaky,
        Self::StillFailing,
        Self::Known,
        Self::New,
        Self::Gone,
        Self::Mended,
        Self::Passing,
        Self::NotSeen,
    ];

    /// The words of reports.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Broke => "broke",
            Self::Unseen => "not seen any more",
            Self::Flaky => "flaky",
            Self::StillFailing => "still failing",
            Self::Known => "known to fail",
            Self::New => "new",
            Self::Gone => "gone",
            Self::Mended => "mended",
            Self::Passing => "passing as before",
            Self::NotSeen => "seen on neither side",
        }
    }

    /// What became of a case of which there is this on either side, and `whole` is whether all of the
    /// other side is there.
    fn of(old: Option<State>, new: Option<State>, whole: Whole) -> Self {
        use State::{Failed, Flaky, Known, Passed, Unseen};
        let seen = |state: Option<State>| state.filter(|one| *one != Unseen);
        match (seen(old), seen(new)) {
            (None, None) => Self::NotSeen,
            (Some(_), None) if new.is_none() && whole == Whole::Yes => Self::Gone,
            (Some(_), None) => Self::Unseen,
            (None, Some(_)) => Self::New,
            (Some(Flaky), Some(_)) | (Some(_), Some(Flaky)) => Self::Flaky,
            (Some(_), Some(Known)) => Self::Known,
            (Some(Failed), Some(Failed)) => Self::StillFailing,
            (Some(_), Some(Failed)) => Self::Broke,
            (Some(Failed | Known), Some(Passed)) => Self::Mended,
            (Some(_), Some(_)) => Self::Passing,
        }
    }
}

/// Whether all shards of a side are there: else nobody knows whether a case is gone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whole {
    Yes,
    No,
}

/// Compares two sides.
///
/// # Errors
/// Returns why they can't be compared: a side without verdicts, other suites, or no case in common.
pub fn compare(old: &Runs, new: &Runs) -> Result<Comparison, ReportError> {
    let sides = [("OLD", old), ("NEW", new)];
    for (side, runs) in sides {
        demand_verdicts(side, runs)?;
    }
    demand_same_suites(sides)?;
    let (before, after) = (Outcomes::of(old), Outcomes::of(new));
    if !before.cases().any(|case| after.has(case)) {
        return Err(ReportError::NothingInCommon);
    }
    let side = |runs, outcomes: &Outcomes<'_>| side(runs, outcomes.cases().count());
    let (old_side, new_side) = (side(old, &before), side(new, &after));
    let whole = match new_side.missing_shards.as_slice() {
        [] => Whole::Yes,
        [_, ..] => Whole::No,
    };
    let all: BTreeSet<_> = before.cases().chain(after.cases()).collect();
    let mut counts = BTreeMap::new();
    let mut changes = Vec::new();
    for case in all {
        let (was, is) = (before.state(case), after.state(case));
        let class = Class::of(was, is, whole);
        *counts.entry(class).or_default() += 1;
        if !matches!(class, Class::Passing | Class::NotSeen) {
            changes.push(Change {
                case: case.to_string(),
                class,
                old: before.outcome(case),
                new: after.outcome(case),
            });
        }
    }
    Ok(Comparison {
        format: 1,
        exit: exit(&counts, [&old_side, &new_side]).word(),
        old: old_side,
        new: new_side,
        versions: moved(old, new),
        counts,
        changes,
        times: times(&before, &after),
    })
}

impl Comparison {
    /// How it ends, for the exit code.
    #[must_use]
    pub fn exit(&self) -> Exit {
        exit(&self.counts, [&self.old, &self.new])
    }

    /// It as one JSON document.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a comparison has only text keys") + "\n"
    }

    /// Which sides are not all there.
    fn not_whole(&self) -> &'static str {
        match (self.old.is_whole(), self.new.is_whole()) {
            (false, true) => "OLD is",
            (true, _) => "NEW is",
            (false, false) => "OLD and NEW are",
        }
    }

    /// What is to be known first: what broke, and of how much nobody can say it.
    pub(crate) fn verdict(&self) -> String {
        let of = |class| cases(self.number(class));
        let first = match self.exit() {
            Exit::Failed => format!("{} broke", of(Class::Broke)),
            Exit::Unknown if self.number(Class::Unseen) > 0 => {
                format!("{} can't be seen any more", of(Class::Unseen))
            }
            Exit::Unknown => format!(
                "Nothing broke that can be seen: {} not whole",
                self.not_whole()
            ),
            Exit::AsExpected if self.is_hollow() => "No case was seen on both sides".to_owned(),
            Exit::AsExpected => "Nothing broke".to_owned(),
        };
        let are = match self.number(Class::Gone) {
            0 => return first,
            1 => "1 is".to_owned(),
            gone => format!("{gone} are"),
        };
        format!("{first}; of {} of OLD {are} gone", cases(self.old.cases))
    }

    /// Whether no case was seen on both sides: then nothing can have broken.
    pub(crate) fn is_hollow(&self) -> bool {
        self.counts.keys().all(|class| match class {
            Class::Unseen | Class::New | Class::Gone | Class::NotSeen => true,
            Class::Broke
            | Class::Flaky
            | Class::StillFailing
            | Class::Known
            | Class::Mended
            | Class::Passing => false,
        })
    }

    pub(crate) fn number(&self, class: Class) -> usize {
        self.counts.get(&class).copied().unwrap_or(0)
    }

    fn of(&self, class: Class) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |one| one.class == class)
    }
}

/// The schema of a comparison.
#[cfg(feature = "schema")]
#[must_use]
pub fn comparison_schema(generator: schemars::SchemaGenerator) -> schemars::Schema {
    generator.into_root_schema_for::<Comparison>()
}

fn exit(counts: &BTreeMap<Class, usize>, sides: [&Side; 2]) -> Exit {
    if counts.contains_key(&Class::Broke) {
        Exit::Failed
    } else if counts.contains_key(&Class::Unseen) || sides.iter().any(|side| !side.is_whole()) {
        Exit::Unknown
    } else {
        Exit::AsExpected
    }
}

fn demand_verdicts(side: &'static str, runs: &Runs) -> Result<(), ReportError> {
    if runs.iter().any(|(_, run)| run.judgements().len() > 0) {
        return Ok(());
    }
    let runs = names(runs).join(", ");
    Err(ReportError::NoVerdicts { side, runs })
}

/// Sees to it that each suite is on both sides: cases of another suite would all be new or gone.
fn demand_same_suites(sides: [(&'static str, &Runs); 2]) -> Result<(), ReportError> {
    let suites = |runs: &Runs| -> BTreeSet<Suite> {
        let cases = runs.iter().flat_map(|(_, run)| run.planned());
        cases.map(Case::suite).collect()
    };
    let [(_, old), (_, new)] = sides;
    let both = [suites(new), suites(old)];
    for ((side, runs), others) in sides.into_iter().zip(both) {
        for (name, run) in runs {
            let of = |case: &&Case| !others.contains(&case.suite());
            if let Some(case) = run.planned().iter().find(of) {
                return Err(ReportError::OtherSuite {
                    side,
                    run: name.clone(),
                    suite: case.suite().to_string(),
                });
            }
        }
    }
    Ok(())
}

fn names(runs: &Runs) -> Vec<String> {
    runs.iter().map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests;
