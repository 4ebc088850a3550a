//! The best choice of candidates, by branch and bound.

use crate::{
    candidates::{Candidate, LEFT, number},
    greedy::{Rest, cost},
};

/// How many words the search may look at.
const WORDS: usize = 10_000_000;
/// By how much a choice has to be better to be another one.
const SAME: f64 = 1e-9;

/// The choice that costs least, or the given one where nothing better is found before the search has
/// looked at as much as it may.
pub(crate) fn exact(all: &[&Candidate], rest: &Rest, chosen: Vec<usize>) -> Vec<usize> {
    let mut covering = vec![Vec::new(); rest.fails.len()];
    for (place, one) in all.iter().enumerate() {
        one.fails
            .ones()
            .for_each(|failure| covering[failure].push(place));
    }
    let words = 2 + (rest.fails.len() + rest.passes.len()) / 32;
    let mut search = Search {
        best: cost(all, rest, &chosen),
        steps: WORDS / (all.len() * words + 1),
        all,
        covering,
        chosen,
        path: Vec::new(),
    };
    // What no candidate is true of is left, whatever is chosen.
    let (mut open, mut spent) = (rest.clone(), 0.0);
    let hopeless = |failure: &usize| search.covering[*failure].is_empty();
    for failure in rest.fails.ones().filter(hopeless) {
        open.fails.remove(failure);
        spent += LEFT;
    }
    search.go_on(&open, spent);
    search.chosen
}

/// The failure that fewest candidates cover is covered by each of these, or by none.
struct Search<'c> {
    all: &'c [&'c Candidate],
    /// Of each failure the candidates that are true of it.
    covering: Vec<Vec<usize>>,
    best: f64,
    chosen: Vec<usize>,
    path: Vec<usize>,
    steps: usize,
}

impl Search<'_> {
    /// Looks for a better choice.
    fn go_on(&mut self, rest: &Rest, spent: f64) {
        let Some(steps) = self.steps.checked_sub(1) else {
            return;
        };
        self.steps = steps;
        let left = LEFT * number(rest.fails.count_ones(..));
        if spent + left < self.best - SAME {
            self.best = spent + left;
            self.chosen.clone_from(&self.path);
        }
        let fewest = |failure: &usize| self.covering[*failure].len();
        let Some(failure) = rest.fails.ones().min_by_key(fewest) else {
            return;
        };
        if spent + self.bound(rest) >= self.best - SAME {
            return;
        }
        for place in self.covering(failure, rest) {
            let mut left = rest.clone();
            left.take(self.all[place]);
            let passes = rest.passes.count_ones(..) - left.passes.count_ones(..);
            let paid = self.all[place].cost + rest.contradicted * number(passes);
            self.path.push(place);
            self.go_on(&left, spent + paid);
            self.path.pop();
        }
        let mut left = rest.clone();
        left.fails.remove(failure);
        self.go_on(&left, spent + LEFT);
    }

    /// What the open failures cost at least: each its share of the candidate by which that is least.
    fn bound(&self, rest: &Rest) -> f64 {
        let count = |one: &&Candidate| one.fails.intersection_count(&rest.fails);
        let counts = self
            .all
            .iter()
            .map(count)
            .zip(0..)
            .filter(|(count, _)| *count > 0);
        let share = |(count, place): (usize, usize)| (self.all[place].cost / number(count), place);
        let shares = counts.map(share);
        let mut shares: Vec<_> = shares.filter(|(share, _)| *share < LEFT).collect();
        shares.sort_unstable_by(|(one, _), (other, _)| one.total_cmp(other));
        let mut open = rest.fails.clone();
        let (mut count, mut least) = (open.count_ones(..), 0.0);
        for (share, place) in shares {
            if count == 0 {
                break;
            }
            open.difference_with(&self.all[place].fails);
            let left = open.count_ones(..);
            least += share * number(count - left);
            count = left;
        }
        least + LEFT * number(count)
    }

    /// The candidates that are true of a failure, the one that saves most first.
    fn covering(&self, failure: usize, rest: &Rest) -> Vec<usize> {
        let covering = self.covering[failure].iter();
        let gain = |place: &usize| (self.all[*place].gain(rest), *place);
        let mut covering: Vec<_> = covering.map(gain).collect();
        covering.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        covering.into_iter().map(|(_, place)| place).collect()
    }
}
