//! Breaks of transitivity: two steps that hold, and the jump over both that does not; or the reverse.

use std::collections::BTreeSet;

use migratrix_matrix::{Case, ReleaseName};
use serde::Serialize;

use super::{
    Avoid,
    grid::{Came, Pair},
    survey::Survey,
};

/// Where two steps say another thing than the jump over both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Break {
    /// Where the jump begins.
    pub source: ReleaseName,
    /// Where its two steps meet.
    pub over: ReleaseName,
    /// Where it ends.
    pub destination: ReleaseName,
    /// What of the three fails, while the others hold.
    pub fails: Fails,
    /// The cases that fail there.
    pub cases: Vec<Case>,
    /// What they have in common, by what accounts for failures.
    pub filters: Vec<Avoid>,
}

/// What fails of a jump and its two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Fails {
    /// The jump: both steps hold.
    Jump,
    /// Its first step: the jump holds.
    FirstStep,
    /// Its second step: the jump holds.
    SecondStep,
}

impl Break {
    /// The two releases between which it fails.
    #[must_use]
    pub const fn failing(&self) -> (&ReleaseName, &ReleaseName) {
        match self.fails {
            Fails::Jump => (&self.source, &self.destination),
            Fails::FirstStep => (&self.source, &self.over),
            Fails::SecondStep => (&self.over, &self.destination),
        }
    }
}

/// All breaks, those of jumps first. A step that fails is one only between the two ends: nobody goes
/// farther than he wants to, and back.
pub(super) fn breaks(survey: &Survey<'_>) -> Vec<Break> {
    let places = 0..survey.grid.stops.len();
    let mut all: Vec<_> = places
        .clone()
        .flat_map(|from| places.clone().map(move |to| (from, to)))
        .filter(|(from, to)| from != to)
        .flat_map(|jump| places.clone().map(move |over| (jump, over)))
        .filter(|((from, to), over)| over != from && over != to)
        .flat_map(|(jump, over)| of_three(survey, jump, over))
        .collect();
    all.sort_by_key(|one| one.fails);
    all
}

fn of_three(survey: &Survey<'_>, jump: Pair, over: usize) -> Vec<Break> {
    let (from, to) = jump;
    let steps = [(from, over), (over, to)];
    let mut all = Vec::new();
    let fails = survey.grid.having(jump, Came::is_failure);
    let fails = fails.filter(|(kin, _)| steps.iter().all(|step| survey.holds(*step, kin)));
    all.extend(told(
        survey,
        (jump, over),
        Fails::Jump,
        fails.map(|(_, case)| case),
    ));
    let is_between = (from < over) == (over < to);
    for (step, which) in steps.into_iter().zip([Fails::FirstStep, Fails::SecondStep]) {
        let fails = survey.grid.having(step, Came::is_failure);
        let passes = |kin| survey.grid.came(jump, kin).is_some_and(Came::is_pass);
        let fails = fails.filter(|(kin, _)| is_between && passes(kin));
        all.extend(told(
            survey,
            (jump, over),
            which,
            fails.map(|(_, case)| case),
        ));
    }
    all
}

/// The break that these cases are, if there are any.
fn told<'c>(
    survey: &Survey<'_>,
    (jump, over): (Pair, usize),
    fails: Fails,
    cases: impl Iterator<Item = &'c Case>,
) -> Option<Break> {
    let cases: BTreeSet<_> = cases.collect();
    if cases.is_empty() {
        return None;
    }
    let (from, to) = jump;
    let failing = match fails {
        Fails::Jump => jump,
        Fails::FirstStep => (from, over),
        Fails::SecondStep => (over, to),
    };
    let causes = survey
        .pairs
        .get(&failing)
        .into_iter()
        .flat_map(|known| &known.causes);
    let filters = causes.filter_map(|cause| {
        let failed = cause
            .failed
            .iter()
            .filter(|case| cases.contains(case))
            .count();
        let says_something = !cause.traits.is_empty() || !cause.setups.is_empty();
        (failed > 0 && says_something).then(|| cause.avoid(failed))
    });
    let name = |place: usize| survey.grid.stops[place].name.clone();
    Some(Break {
        source: name(from),
        over: name(over),
        destination: name(to),
        fails,
        filters: filters.collect(),
        cases: cases.into_iter().cloned().collect(),
    })
}
