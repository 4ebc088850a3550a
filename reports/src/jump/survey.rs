//! What is known of each pair of releases: how its cases came out, what accounts for those that failed,
//! and by that whether it is safe.

use std::collections::{BTreeMap, BTreeSet};

use migratrix_matrix::{Case, HostSetup};

use super::{
    Avoid, Jump, Safety, Tested,
    grid::{Came, Grid, Kin, Pair},
    shortest::shortest,
};
use crate::{Account, Blame};

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
    left_over: Vec<Case>,
}

/// A cause, as far as it strikes a pair.
pub(super) struct Cause {
    pub traits: String,
    pub setups: Vec<HostSetup>,
    pub failed: Vec<Case>,
    passed: Vec<Case>,
    pub sure: bool,
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
        for (pair, left) in grid.by_pair(&account.left_over) {
            let known = survey.pairs.entry(pair);
            known.and_modify(|one| one.left_over = left);
        }
        survey.pairs.values_mut().for_each(Known::weigh);
        survey
    }

    /// Takes in what a cause is to each pair that it strikes.
    fn take(&mut self, blame: &Blame) {
        let mut passed = self.grid.by_pair(&blame.passed);
        for (pair, failed) in self.grid.by_pair(&blame.failed) {
            let cause = Cause {
                traits: blame.traits.clone(),
                setups: blame.setups.clone(),
                failed,
                passed: passed.remove(&pair).unwrap_or_default(),
                sure: blame.sure,
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
        let ladder = || shortest(safe.len(), pair, |from| safe[from].iter().copied());
        let ladder = (safety != Safety::Safe && from != to)
            .then(ladder)
            .flatten();
        Jump {
            source: name(from),
            destination: name(to),
            way: self.grid.way(pair),
            safety,
            cases: known.map(|known| known.cases.clone()).unwrap_or_default(),
            avoid: conditions.map(Known::avoid).unwrap_or_default(),
            left_over: conditions.map_or(Vec::new(), |known| known.left_over.clone()),
            ladder: ladder.map(|stops| stops.into_iter().map(name).collect()),
        }
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

    fn avoid(&self) -> Vec<Avoid> {
        let all = self.causes.iter().map(|cause| Avoid {
            filter: cause.traits.clone(),
            setups: cause.setups.clone(),
            failed: cause.failed.len(),
            sure: cause.sure,
        });
        all.collect()
    }
}
