//! What came of each case on one side, by all the runs of it.

use std::collections::BTreeMap;

use migratrix_matrix::Case;
use serde::Serialize;

use super::{Runs, quantile::quantile};
use crate::{Judgement, Kind, Run, Standing, groups::Cause};

/// What came of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It passes.
    Passed,
    /// It fails, as is known.
    Known,
    /// It fails.
    Failed,
    /// It passed and failed: in two runs, or when it was tried again.
    Flaky,
    /// It could not be seen: it is unknown, was skipped, or has no verdict.
    Unseen,
}

/// What came of a case, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Outcome {
    /// What came of it.
    pub state: State,
    /// The first condition that made it so, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<&'static str>,
    /// Why; empty where it passes.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// In which run that was seen.
    pub run: String,
    /// The history that shows it, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<String>,
    /// The line that runs it again.
    pub again: String,
    /// The reason without what differs from case to case.
    #[serde(skip)]
    pub(super) gist: String,
}

/// One run's part in a case.
#[derive(Clone, Copy)]
struct Part<'r> {
    name: &'r str,
    run: &'r Run,
    judgement: Option<&'r Judgement>,
    state: State,
}

/// What came of each case of a side.
pub(super) struct Outcomes<'r> {
    of: BTreeMap<&'r Case, Vec<Part<'r>>>,
}

impl<'r> Outcomes<'r> {
    pub fn of(runs: &'r Runs) -> Self {
        let mut of: BTreeMap<&Case, Vec<Part<'_>>> = BTreeMap::new();
        for (name, run) in runs {
            let judged = run.judgements().map(|one| (&one.case, Some(one)));
            let missing = run.missing().map(|case| (case, None));
            for (case, judgement) in judged.chain(missing) {
                let state = judgement.map_or(State::Unseen, |one| state(run, one));
                of.entry(case).or_default().push(Part {
                    name,
                    run,
                    judgement,
                    state,
                });
            }
        }
        Self { of }
    }

    pub fn cases(&self) -> impl Iterator<Item = &'r Case> {
        self.of.keys().copied()
    }

    pub fn has(&self, case: &Case) -> bool {
        self.of.contains_key(case)
    }

    /// What came of a case by all runs that have it.
    pub fn state(&self, case: &Case) -> Option<State> {
        let states = self.of.get(case)?.iter().map(|part| part.state);
        let seen = states.filter(|one| *one != State::Unseen);
        Some(match (seen.clone().min(), seen.max()) {
            (Some(State::Passed), Some(State::Known | State::Failed)) => State::Flaky,
            (_, Some(most)) => most,
            (_, None) => State::Unseen,
        })
    }

    /// The same, with its reason: that of the worst of the runs, of the last one among like ones.
    pub fn outcome(&self, case: &Case) -> Option<Outcome> {
        let state = self.state(case)?;
        let parts = self.of.get(case)?.iter();
        let seen = |part: &&Part<'_>| state == State::Unseen || part.state != State::Unseen;
        let worst = parts.filter(seen).max_by_key(|part| part.state)?;
        let (condition, why, gist) = worst.reason();
        let log = worst.judgement.and_then(|one| one.log.as_deref());
        Some(Outcome {
            state,
            condition,
            why,
            run: worst.name.to_owned(),
            history: log.map(|log| format!("{}/{log}", worst.name.trim_end_matches('/'))),
            again: worst.run.again(case),
            gist,
        })
    }

    /// How long a case took, in milliseconds: the median of the runs in which it passed at once, where
    /// it passed in all that saw it.
    pub fn elapsed_ms(&self, case: &Case) -> Option<f64> {
        if self.state(case) != Some(State::Passed) {
            return None;
        }
        let parts = self.of.get(case)?.iter();
        let passed = parts.filter(|part| part.state == State::Passed);
        let mut all: Vec<_> = passed
            .filter_map(|part| part.judgement)
            .filter_map(|one| u32::try_from(one.elapsed_ms).ok())
            .map(f64::from)
            .collect();
        all.sort_by(f64::total_cmp);
        quantile(&all, 0.5).filter(|ms| *ms > 0.0)
    }
}

impl Part<'_> {
    /// The condition that put it where it is, why, and what of that is the same in other cases.
    fn reason(&self) -> (Option<&'static str>, String, String) {
        let Some(judgement) = self.judgement else {
            let why = "it was planned, and has no verdict".to_owned();
            return (None, why.clone(), why);
        };
        let standing = judgement.standing();
        if self.state == State::Passed {
            return (None, String::new(), String::new());
        }
        if standing == Standing::FailedAtFirst || self.state != State::Flaky {
            let Cause {
                condition,
                why,
                gist,
            } = Cause::of(judgement, standing);
            return (condition.map(migratrix_matrix::Condition::word), why, gist);
        }
        let why = "it passed when it was tried again".to_owned();
        (None, why.clone(), why)
    }
}

/// What came of a case in one run.
fn state(run: &Run, judgement: &Judgement) -> State {
    if !judgement.flaws.is_empty() {
        return match judgement.own_standing() {
            Standing::Failed | Standing::Unknown => State::Failed,
            Standing::Skipped
            | Standing::Passed
            | Standing::KnownFailure
            | Standing::UnexpectedPass
            | Standing::FailedAtFirst => State::Flaky,
        };
    }
    let failed_before = |one: &Judgement| one.own_standing() == Standing::Failed;
    match judgement.own_standing() {
        Standing::Passed if run.earlier(&judgement.case).iter().any(failed_before) => State::Flaky,
        Standing::Passed => State::Passed,
        // It is known to fail, and does not: in part, or at all.
        Standing::UnexpectedPass if judgement.overall().kind() == Kind::Pass => State::Passed,
        Standing::UnexpectedPass | Standing::KnownFailure => State::Known,
        Standing::Failed | Standing::FailedAtFirst => State::Failed,
        Standing::Unknown | Standing::Skipped => State::Unseen,
    }
}
