//! Choices that are made by taking what saves most, and made better by exchanges.

use fixedbitset::FixedBitSet;

use crate::{
    candidates::{Belief, Candidate, LEFT, number, whole},
    seen::Seen,
};

/// How many times as dear passes are where a choice is begun.
const DEARER: [f64; 3] = [1.0, 4.0, 1000.0];
/// Of how many chosen ones two at a time are exchanged.
const EXCHANGED: usize = 6;

/// What is not in any of the chosen candidates.
#[derive(Clone)]
pub(crate) struct Rest {
    pub fails: FixedBitSet,
    pub passes: FixedBitSet,
    /// What a pass costs that is in a chosen one.
    pub contradicted: f64,
}

impl Candidate {
    /// What it saves beside others, which leave this rest.
    pub fn gain(&self, rest: &Rest) -> f64 {
        let fails = self.fails.intersection_count(&rest.fails);
        let passes = self.passes.intersection_count(&rest.passes);
        LEFT * number(fails) - rest.contradicted * number(passes) - self.cost
    }
}

impl Rest {
    pub fn of(seen: &Seen, belief: Belief) -> Self {
        Self {
            fails: whole(seen.fails.len()),
            passes: whole(seen.passes.len()),
            contradicted: belief.contradicted(),
        }
    }

    /// The same where passes cost so many times as much.
    fn dearer(&self, times: f64) -> Self {
        Self {
            contradicted: times * self.contradicted,
            ..self.clone()
        }
    }

    pub fn take(&mut self, one: &Candidate) {
        self.fails.difference_with(&one.fails);
        self.passes.difference_with(&one.passes);
    }

    pub fn without(&self, all: &[&Candidate], chosen: &[usize]) -> Self {
        let mut rest = self.clone();
        chosen.iter().for_each(|place| rest.take(all[*place]));
        rest
    }
}

/// What a choice costs, but for what the passes in no candidate would.
pub(crate) fn cost(all: &[&Candidate], rest: &Rest, chosen: &[usize]) -> f64 {
    let left = rest.without(all, chosen);
    let fails = left.fails.count_ones(..);
    let passes = rest.passes.count_ones(..) - left.passes.count_ones(..);
    let said: f64 = chosen.iter().map(|place| all[*place].cost).sum();
    LEFT * number(fails) + rest.contradicted * number(passes) + said
}

/// The best of some greedy choices: passes cost what they do there, or more. What many passes contradict
/// and few failures are left by may stand in the way of several that are contradicted by none.
pub(crate) fn begun(all: &[&Candidate], rest: &Rest) -> Vec<usize> {
    let begin = |times: f64| {
        let chosen = greedy(all, rest.dearer(times), Vec::new());
        (cost(all, rest, &chosen), chosen)
    };
    let begun = DEARER.into_iter().map(begin);
    let best = begun.min_by(|(one, _), (other, _)| one.total_cmp(other));
    best.map_or_else(Vec::new, |(_, chosen)| chosen)
}

/// Takes what saves most, as long as something saves anything.
fn greedy(all: &[&Candidate], mut rest: Rest, mut chosen: Vec<usize>) -> Vec<usize> {
    loop {
        let gains = all.iter().map(|one| one.gain(&rest)).enumerate();
        // The first of equal ones.
        let best = gains
            .rev()
            .max_by(|(_, one), (_, other)| one.total_cmp(other));
        let Some((place, _)) = best.filter(|(_, gain)| *gain > 0.0) else {
            return chosen;
        };
        rest.take(all[place]);
        chosen.push(place);
    }
}

/// Takes one or two out and fills up anew, as long as that is better.
pub(crate) fn improve(all: &[&Candidate], rest: &Rest, chosen: &mut Vec<usize>) {
    let mut best = cost(all, rest, chosen);
    loop {
        let count = chosen.len();
        let ones = (0..count).map(|one| (one, one));
        let paired = if count > EXCHANGED { 0 } else { count };
        let twos = (0..paired).flat_map(|one| (one + 1..count).map(move |other| (one, other)));
        let tries = ones.chain(twos).map(|(one, other)| {
            let places = chosen.iter().enumerate();
            let kept = places.filter(|(place, _)| *place != one && *place != other);
            let kept: Vec<_> = kept.map(|(_, candidate)| *candidate).collect();
            greedy(all, rest.without(all, &kept), kept)
        });
        let better = tries
            .map(|tried| (cost(all, rest, &tried), tried))
            .min_by(|(one, _), (other, _)| one.total_cmp(other))
            .filter(|(cost, _)| *cost < best - 1e-9);
        let Some((cost, tried)) = better else { return };
        (best, *chosen) = (cost, tried);
    }
}
