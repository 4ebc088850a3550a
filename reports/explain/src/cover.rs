//! The fewest candidates that account for all failures.

use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
};

use fixedbitset::FixedBitSet;

use crate::{
    Literal, Table,
    candidates::{Belief, Candidate, whole},
    exact::exact,
    greedy::{Rest, begun, cost, improve},
    seen::Seen,
};

/// How many candidates are weighed against one another at first.
const WEIGHED: usize = 800;
/// Among how many of the best ones they are looked for.
const LOOKED_AT: usize = 4_000;
/// How many candidates that nothing contradicts are kept for each failure in any case.
const WAYS: usize = 4;
/// How many are weighed beside them that save most next to all chosen ones but one, and how often.
const NEXT: usize = 30;
const ROUNDS: usize = 6;
/// How much more the choice that believes each pass may cost than that which does not.
const DOUBT: f64 = 3.0;

/// The candidates that account for the failures at the least cost.
pub(crate) struct Choice<'c> {
    pub chosen: Vec<Candidate>,
    /// What was believed of passes within them: that there are some is believed only where no choice
    /// does without and leaves no failure over, or where that takes many more words.
    pub belief: Belief,
    /// The rows of the passes within the choice that believes less of passes.
    pub doubted: Vec<usize>,
    /// Those that were weighed against one another.
    pub weighed: Vec<&'c Candidate>,
}

/// What is chosen by one belief, and what that costs.
pub(crate) struct Chosen<'c> {
    candidates: Vec<Candidate>,
    cost: f64,
    weighed: Vec<&'c Candidate>,
}

impl<'c> Chosen<'c> {
    /// What is chosen.
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// The failures that nothing was chosen for, and those of each that a pass contradicts.
    pub fn open(&self, seen: &Seen) -> (FixedBitSet, Vec<&FixedBitSet>) {
        let mut left = whole(seen.fails.len());
        let all = self.candidates.iter();
        all.clone().for_each(|one| left.difference_with(&one.fails));
        let contradicted = all.filter(|one| !one.passes.is_clear());
        (left, contradicted.map(|one| &one.fails).collect())
    }

    /// Whether it is true of all failures, and of no pass.
    fn is_whole(&self, seen: &Seen) -> bool {
        let (left, contradicted) = self.open(seen);
        left.is_clear() && contradicted.is_empty()
    }

    /// Chooses between this, which believes each pass, and what believes fewer.
    pub fn or(self, all: &Distinct<'c>, seen: &Seen) -> Choice<'c> {
        let lax = choose(all, seen, Belief::Lax);
        let mut doubted = FixedBitSet::with_capacity(seen.passes.len());
        let lax_ones = lax.candidates.iter();
        lax_ones.for_each(|one| doubted.union_with(&one.passes));
        let (choice, belief) = if self.is_whole(seen) && self.cost <= lax.cost + DOUBT {
            (self, Belief::Strict)
        } else {
            (lax, Belief::Lax)
        };
        Choice {
            chosen: choice.candidates,
            weighed: choice.weighed,
            belief,
            doubted: doubted.ones().map(|place| seen.passes[place]).collect(),
        }
    }
}

/// The choice of candidates that costs least: what failed outside of it costs, what passed within it, and each
/// of its literals.
pub(crate) fn choose<'c>(all: &Distinct<'c>, seen: &Seen, belief: Belief) -> Chosen<'c> {
    let worthy = all.worthy(belief);
    let rest = Rest::of(seen, belief);
    let mut weighed = best(&worthy, seen);
    let mut chosen = begun(&weighed, &rest);
    for _ in 0..ROUNDS {
        improve(&weighed, &rest, &mut chosen);
        let next = next(&worthy, &weighed, &rest, &chosen);
        if next.is_empty() {
            break;
        }
        weighed.extend(next);
    }
    let chosen = exact(&weighed, &rest, chosen);
    let chosen = lean(&weighed, chosen);
    let cost = cost(&weighed, &rest, &chosen);
    let chosen = chosen.into_iter();
    Chosen {
        candidates: chosen.map(|place| weighed[place].clone()).collect(),
        cost,
        weighed,
    }
}

/// Those without which a failure would be left: each that the others make superfluous is left out, the dearest
/// first, and of equally dear ones that which is true of fewest failures. No choice that is the best one has any,
/// but the search for that ends before it has seen all.
pub(crate) fn lean(all: &[&Candidate], mut chosen: Vec<usize>) -> Vec<usize> {
    let mut in_order = chosen.clone();
    in_order.sort_by(|one, other| {
        let (one, other) = (all[*one], all[*other]);
        let by_cost = other.cost.total_cmp(&one.cost);
        by_cost.then_with(|| one.fails.count_ones(..).cmp(&other.fails.count_ones(..)))
    });
    for place in in_order {
        let mut left = all[place].fails.clone();
        let others = chosen.iter().filter(|other| **other != place);
        others.for_each(|other| left.difference_with(&all[*other].fails));
        if left.is_clear() {
            chosen.retain(|other| *other != place);
        }
    }
    chosen
}

/// Of the candidates that are true of the same outcomes the cheapest, and of equally cheap ones the widest;
/// each with how wide it is.
pub(crate) struct Distinct<'c>(Vec<(usize, &'c Candidate)>);

impl<'c> Distinct<'c> {
    pub fn of(table: &Table, all: &'c [Candidate]) -> Self {
        let mut alike: HashMap<(&FixedBitSet, &FixedBitSet), Vec<&Candidate>> = HashMap::new();
        // Whatever is worth nothing by this belief is worth nothing by the other.
        for one in all.iter().filter(|one| one.worth(Belief::Lax) > 0.0) {
            let same = alike.entry((&one.fails, &one.passes)).or_default();
            let cheapest = same.first().map_or(f64::INFINITY, |best| best.cost);
            if one.cost < cheapest {
                same.clear();
            }
            if one.cost <= cheapest {
                same.push(one);
            }
        }
        let widest = |same: Vec<&'c Candidate>| {
            let same = same.into_iter();
            let same = same.map(|one| (table.width(&one.literals), one));
            same.min_by(|one, other| by_width(*one, *other))
        };
        Self(alike.into_values().filter_map(widest).collect())
    }

    /// Those that save anything, the best first.
    fn worthy(&self, belief: Belief) -> Vec<&'c Candidate> {
        let worthy = self.0.iter().map(|one| (one.1.worth(belief), *one));
        let mut worthy: Vec<_> = worthy.filter(|(worth, _)| *worth > 0.0).collect();
        worthy.sort_by(|(worth, one), (least, other)| {
            let by_worth = least.total_cmp(worth);
            by_worth.then_with(|| by_width(*one, *other))
        });
        worthy.into_iter().map(|(_, (_, one))| one).collect()
    }
}

/// Whatever is wider comes first.
fn by_width(one: (usize, &Candidate), other: (usize, &Candidate)) -> Ordering {
    let by_width = other.0.cmp(&one.0);
    by_width.then_with(|| one.1.literals.cmp(&other.1.literals))
}

/// The best of them but for those than which a better one is no worse, and of each failure some that
/// nothing contradicts, however many it has in common with others.
fn best<'c>(worthy: &[&'c Candidate], seen: &Seen) -> Vec<&'c Candidate> {
    let mut ways: Vec<usize> = vec![0; seen.fails.len()];
    let mut kept: Vec<&Candidate> = Vec::new();
    for (place, one) in worthy.iter().enumerate() {
        let is_pure = one.passes.is_clear();
        let is_wanted = is_pure && one.fails.ones().any(|failure| ways[failure] < WAYS);
        let is_good = kept.len() < WEIGHED && place < LOOKED_AT;
        if (is_good || is_wanted) && !kept.iter().any(|best| best.dominates(one)) {
            if is_pure {
                one.fails.ones().for_each(|failure| ways[failure] += 1);
            }
            kept.push(*one);
        }
    }
    kept
}

/// Those that save most next to all chosen ones but one, or next to all, and are not among those that are
/// weighed: one that is true of few failures may be worth little by itself, and much there.
fn next<'c>(
    distinct: &[&'c Candidate],
    weighed: &[&'c Candidate],
    rest: &Rest,
    chosen: &[usize],
) -> Vec<&'c Candidate> {
    let mut known: HashSet<&[Literal]> = weighed.iter().map(|one| &one.literals[..]).collect();
    let mut all = Vec::new();
    for out in 0..=chosen.len() {
        let places = chosen.iter().enumerate().filter(|(place, _)| *place != out);
        let others: Vec<_> = places.map(|(_, candidate)| *candidate).collect();
        let left = rest.without(weighed, &others);
        let gains = distinct.iter().map(|one| (one.gain(&left), *one));
        let mut gains: Vec<_> = gains.filter(|(gain, _)| *gain > 0.0).collect();
        gains.sort_by(|(one, first), (other, second)| {
            let by_gain = other.total_cmp(one);
            by_gain.then_with(|| first.literals.cmp(&second.literals))
        });
        let best = gains.into_iter().map(|(_, one)| one).take(NEXT);
        all.extend(best.filter(|one| known.insert(&one.literals)));
    }
    all
}

impl Candidate {
    /// What it saves, taken alone.
    fn worth(&self, belief: Belief) -> f64 {
        let (fails, passes) = (self.fails.count_ones(..), self.passes.count_ones(..));
        belief.saved(fails, passes) - self.cost
    }

    /// Whether it is no worse whatever stands beside it.
    pub fn dominates(&self, other: &Self) -> bool {
        self.cost <= other.cost
            && other.fails.is_subset(&self.fails)
            && self.passes.is_subset(&other.passes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candidate(fails: &[usize], cost: f64) -> Candidate {
        let mut bits = FixedBitSet::with_capacity(6);
        bits.extend(fails.iter().copied());
        Candidate {
            literals: Vec::new(),
            fails: bits,
            passes: FixedBitSet::new(),
            cost,
        }
    }

    #[test]
    fn what_the_others_account_for_is_left_out_the_dearest_first() {
        let all = [
            candidate(&[0, 1], 3.0),
            candidate(&[1, 2, 3], 5.0),
            candidate(&[2, 3, 4], 3.0),
            candidate(&[4, 5], 3.0),
            candidate(&[5], 3.0),
        ];
        let all: Vec<_> = all.iter().collect();
        assert_eq!(lean(&all, vec![0, 1, 2, 3, 4]), [0, 2, 3]);
        assert_eq!(lean(&all, vec![1, 0, 4]), [1, 0, 4], "none is superfluous");
        assert_eq!(lean(&all, Vec::new()), [] as [usize; 0]);
    }

    fn fails(all: &[&Candidate], chosen: impl Iterator<Item = usize>) -> FixedBitSet {
        let mut fails = FixedBitSet::with_capacity(6);
        chosen.for_each(|place| fails.union_with(&all[place].fails));
        fails
    }

    proptest! {
        #[test]
        fn nothing_is_superfluous_and_no_failure_is_lost(
            all in prop::collection::vec((prop::collection::vec(0..6_usize, 1..4), 1..5_u8), 1..9),
        ) {
            let all: Vec<_> = all.iter().map(|(fails, cost)| candidate(fails, f64::from(*cost))).collect();
            let all: Vec<_> = all.iter().collect();
            let kept = lean(&all, (0..all.len()).collect());
            let whole = fails(&all, 0..all.len());
            prop_assert_eq!(fails(&all, kept.iter().copied()), whole.clone());
            for place in &kept {
                let others = kept.iter().copied().filter(|other| other != place);
                prop_assert!(fails(&all, others) != whole, "{} is superfluous", place);
            }
        }
    }
}
