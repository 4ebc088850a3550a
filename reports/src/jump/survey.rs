//! What is known of each pair of releases: how its cases came out, what accounts for those that failed,
//! and by that whether it is safe.

use std::collections::{BTreeMap, BTreeSet};

use migratrix_matrix::{Case, HostSetup};

use super::{
    Avoid, Jump, Safety, Tested,
    grid::{Came, Grid, Kin, Pair},
    shortest::shortest,
};
use crate::{Account, Blame, LeftOver, Reason};

/// What is known of the safety of each pair.
pub(super) struct Survey<'r> {
    pub grid: &'r Grid<'r>,
    pub pairs: BTreeMap<Pair, Known>,
}

/// What is known of a pair.
pub(super) struct Known {
    safety: Safety,
    cases: Tested,
    pub causes: Vec<Cause>,
    left_over: Vec<LeftOver>,
}

/// A cause, as far as it strikes a pair.
pub(super) struct Cause {
    pub traits: String,
    pub setups: Vec<HostSetup>,
    pub reason: Option<Reason>,
    pub failed: Vec<Case>,
    passed: Vec<Case>,
    pub sure: bool,
    pub untried: Vec<String>,
}

impl Cause {
    /// What it says is to be avoided, where so many cases fail by it.
    pub fn avoid(&self, failed: usize) -> Avoid {
        Avoid {
            filter: self.traits.clone(),
            setups: self.setups.clone(),
            reason: self.reason.clone(),
            failed,
            sure: self.sure,
            untried: self.untried.clone(),
        }
    }
}

impl<'r> Survey<'r> {
    pub fn of(grid: &'r Grid<'r>, account: &Account) -> Self {
        let known = |pair| (pair, Known::of(grid, pair));
        let mut survey = Self {
            grid,
            pairs: grid.pairs().map(known).collect(),
        };
        for blame in account.telling() {
            survey.take(blame);
        }
        for (pair, changed) in grid.by_pair(&account.changed, |case| case) {
            let known = survey.pairs.entry(pair);
            known.and_modify(|one| one.cases.passed_too = grid.failed_among(pair, &changed));
        }
        for (pair, left) in grid.by_pair(&account.left_over, |left| &left.case) {
            let known = survey.pairs.entry(pair);
            known.and_modify(|one| one.left_over = left);
        }
        survey.pairs.values_mut().for_each(Known::weigh);
        survey
    }

    /// Takes in what a cause is to each pair that it strikes.
    fn take(&mut self, blame: &Blame) {
        let mut passed = self.grid.by_pair(&blame.passed, |case| case);
        for (pair, failed) in self.grid.by_pair(&blame.failed, |case| case) {
            let cause = Cause {
                traits: blame.traits.clone(),
                setups: blame.setups.clone(),
                reason: blame.reason.clone(),
                failed,
                passed: passed.remove(&pair).unwrap_or_default(),
                sure: blame.sure,
                untried: blame.not_known().to_vec(),
            };
            self.pairs
                .entry(pair)
                .and_modify(|one| one.causes.push(cause));
        }
    }

    fn is_safe(&self, pair: Pair) -> bool {
        let known = self.pairs.get(&pair);
        known.is_some_and(|known| known.safety == Safety::Safe)
    }

    /// Whether a case of this kind holds on a pair: it passed there or, where it is none of those that
    /// were to be tried, the pair is safe.
    pub fn holds(&self, pair: Pair, kin: &Kin<'_>) -> bool {
        match self.grid.came(pair, kin) {
            Some(Came::Passed) => true,
            Some(
                Came::NotRun
                | Came::Skipped
                | Came::Unseen
                | Came::AtFirst
                | Came::UnseenAgain
                | Came::Known
                | Came::Failed,
            ) => false,
            None => self.is_safe(pair),
        }
    }

    pub fn jumps(&self) -> Vec<Jump> {
        let count = self.grid.stops.len();
        let all = (0..count).flat_map(|from| (0..count).map(move |to| (from, to)));
        let there = all.filter(|(from, to)| from != to || self.pairs.contains_key(&(*from, *to)));
        let safe = self.safe();
        let mut jumps: Vec<_> = there.map(|pair| self.jump(pair, &safe)).collect();
        jumps.sort_by_key(|one| one.way);
        jumps
    }

    /// Of each release those that a jump from it is safe to.
    fn safe(&self) -> Vec<Vec<usize>> {
        let mut safe = vec![Vec::new(); self.grid.stops.len()];
        for (from, to) in self.pairs.keys().filter(|pair| self.is_safe(**pair)) {
            safe[*from].push(*to);
        }
        safe
    }

    fn jump(&self, pair: Pair, safe: &[Vec<usize>]) -> Jump {
        let (from, to) = pair;
        let name = |place: usize| self.grid.stops[place].name.clone();
        let known = self.pairs.get(&pair);
        let safety = known.map_or(Safety::Untested, |known| known.safety);
        let conditions = known.filter(|_| safety == Safety::Conditional);
        let hopeless = known.filter(|_| safety == Safety::NotSafe);
        let ladder = || shortest(safe.len(), pair, |from| safe[from].iter().copied());
        let ladder = (safety != Safety::Safe && from != to)
            .then(ladder)
            .flatten();
        let untested = match (safety, &ladder) {
            (Safety::Conditional | Safety::NotSafe, None) => self.untested_steps(pair),
            (_, _) => Vec::new(),
        };
        let steps = untested.into_iter();
        Jump {
            source: name(from),
            destination: name(to),
            way: self.grid.way(pair),
            safety,
            cases: known.map(|known| known.cases.clone()).unwrap_or_default(),
            avoid: conditions.map(Known::avoid).unwrap_or_default(),
            reason: hopeless.and_then(Known::reason),
            left_over: conditions.map_or(Vec::new(), |known| known.left_over.clone()),
            untested_steps: steps.map(|(from, to)| [name(from), name(to)]).collect(),
            ladder: ladder.map(|stops| stops.into_iter().map(name).collect()),
        }
    }
}

impl Survey<'_> {
    /// The untested steps of the shortest ladder of steps that are safe, or could be.
    fn untested_steps(&self, jump: Pair) -> Vec<Pair> {
        let count = self.grid.stops.len();
        let is_untested = |pair: Pair| {
            let known = self.pairs.get(&pair);
            known.is_none_or(|known| known.safety == Safety::Untested)
        };
        let may = |pair: Pair| self.is_safe(pair) || is_untested(pair);
        let next = |from: usize| (0..count).filter(move |to| from != *to && may((from, *to)));
        let ladder = shortest(count, jump, next).unwrap_or_default();
        let steps = ladder.windows(2).map(|step| (step[0], step[1]));
        steps.filter(|step| is_untested(*step)).collect()
    }
}

impl Known {
    /// What is known of a pair without a look at its failures.
    fn of(grid: &Grid<'_>, pair: Pair) -> Self {
        let cases = grid.tested(pair);
        Self {
            safety: cases.without_failures(grid.whole),
            cases,
            causes: Vec::new(),
            left_over: Vec::new(),
        }
    }

    /// Where something failed, it matters whether a case passed that is not to be avoided.
    fn weigh(&mut self) {
        if self.cases.failed == 0 {
            return;
        }
        let avoided = self.causes.iter().flat_map(|cause| &cause.passed);
        let avoided: BTreeSet<_> = avoided.collect();
        self.safety = if self.cases.passed > avoided.len() {
            Safety::Conditional
        } else {
            Safety::NotSafe
        };
    }

    /// What the failures say of the cause that has most of them.
    fn reason(&self) -> Option<Reason> {
        let most = self.causes.iter().max_by_key(|one| one.failed.len())?;
        most.reason.clone()
    }

    /// What must be avoided: nothing that is avoided already by another.
    fn avoid(&self) -> Vec<Avoid> {
        let all = self.causes.iter().enumerate();
        let needed = all.filter(|(place, cause)| !self.is_within_another(*place, cause));
        let all = needed.map(|(_, cause)| cause.avoid(cause.failed.len()));
        all.collect()
    }

    /// Whether the cases that fail by a cause fail by another as well; of two with the same the first stays.
    fn is_within_another(&self, place: usize, cause: &Cause) -> bool {
        let mut others = self.causes.iter().enumerate();
        others.any(|(other, one)| {
            let has_all = cause.failed.iter().all(|case| one.failed.contains(case));
            let is_same = one.failed.len() == cause.failed.len();
            other != place && has_all && (!is_same || other < place)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_cause_has_as_well_is_not_avoided_twice() {
        let case = |flags: &str| {
            let name = format!("tck/libvirt/a,a,b/p2p/transient-running-undefined/{flags}");
            name.parse::<Case>().expect("a case")
        };
        let cause = |traits: &str, flags: &[&str]| Cause {
            traits: traits.to_owned(),
            setups: Vec::new(),
            reason: None,
            failed: flags.iter().copied().map(case).collect(),
            passed: Vec::new(),
            sure: true,
            untried: Vec::new(),
        };
        let known = Known {
            safety: Safety::Conditional,
            cases: Tested::default(),
            causes: vec![
                cause("part", &["none"]),
                cause("whole", &["none", "live"]),
                cause("again", &["live", "none"]),
                cause("other", &["live", "persist"]),
            ],
            left_over: Vec::new(),
        };
        let avoid: Vec<_> = known.avoid().into_iter().map(|one| one.filter).collect();
        assert_eq!(avoid, ["whole", "other"]);
    }
}
