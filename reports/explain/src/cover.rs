//! The fewest candidates that account for all failures.

use std::collections::{HashMap, HashSet};

use fixedbitset::FixedBitSet;

use crate::{
    Literal, Table,
    candidates::{Belief, Candidate, LEFT, Seen, number},
};

/// How many candidates are weighed against one another at first.
const WEIGHED: usize = 800;
/// How many candidates that nothing contradicts are kept for each failure in any case.
const WAYS: usize = 4;
/// How many are weighed beside them that save most next to all chosen ones but one, and how often.
const NEXT: usize = 30;
const ROUNDS: usize = 6;
/// How many words the exact search may look at.
const WORDS: usize = 40_000_000;
/// Of how many chosen ones two at a time are exchanged.
const EXCHANGED: usize = 6;

/// What is not in any of the chosen candidates.
#[derive(Clone)]
struct Rest {
    fails: FixedBitSet,
    passes: FixedBitSet,
    belief: Belief,
}

/// The candidates that account for the failures at the least cost.
pub(crate) struct Choice {
    pub chosen: Vec<Candidate>,
    /// What was believed of passes within them: that there are some is believed only where no choice
    /// does without and leaves no failure over.
    pub belief: Belief,
    /// The rows of the passes within the choice that believes less of passes.
    pub doubted: Vec<usize>,
}

/// Chooses twice: once believing each pass, and once fewer.
pub(crate) fn choose(table: &Table, all: &[Candidate], seen: &Seen) -> Choice {
    let strict = choose_by(table, all, seen, Belief::Strict);
    let lax = choose_by(table, all, seen, Belief::Lax);
    let mut left = Rest::of(seen, Belief::Strict);
    strict.iter().for_each(|one| left.take(one));
    let mut doubted = FixedBitSet::with_capacity(seen.passes.len());
    lax.iter().for_each(|one| doubted.union_with(&one.passes));
    let (chosen, belief) = if left.fails.is_clear() && left.passes.is_full() {
        (strict, Belief::Strict)
    } else {
        (lax, Belief::Lax)
    };
    Choice {
        chosen,
        belief,
        doubted: doubted.ones().map(|place| seen.passes[place]).collect(),
    }
}

/// The choice of candidates that costs least: what failed outside of it costs, what passed within it,
/// and each of its literals.
fn choose_by(table: &Table, all: &[Candidate], seen: &Seen, belief: Belief) -> Vec<Candidate> {
    let distinct = distinct(table, all, belief);
    let rest = Rest::of(seen, belief);
    let mut weighed = best(&distinct, seen);
    let mut chosen = greedy(&weighed, rest.clone(), Vec::new());
    for _ in 0..ROUNDS {
        improve(&weighed, &rest, &mut chosen);
        let next = next(&distinct, &weighed, &rest, &chosen);
        if next.is_empty() {
            break;
        }
        weighed.extend(next);
    }
    let words = 2 + (seen.fails.len() + seen.passes.len()) / 32;
    let mut exact = Exact {
        best: cost(&weighed, &rest, &chosen),
        steps: WORDS / (weighed.len() * words + 1),
        all: &weighed,
        chosen,
    };
    exact.search(&rest, &mut Vec::new(), 0.0);
    let chosen = exact.chosen.iter();
    chosen.map(|place| weighed[*place].clone()).collect()
}

/// Of the candidates that are true of the same outcomes the cheapest, and of equally cheap ones the
/// widest; the best of all first.
fn distinct<'c>(table: &Table, all: &'c [Candidate], belief: Belief) -> Vec<&'c Candidate> {
    let mut alike: HashMap<(&FixedBitSet, &FixedBitSet), (&Candidate, usize)> = HashMap::new();
    for one in all.iter().filter(|one| one.worth(belief) > 0.0) {
        let key = (&one.fails, &one.passes);
        let cheapest = alike.get(&key).map_or(f64::INFINITY, |(best, _)| best.cost);
        if one.cost > cheapest {
            continue;
        }
        let wide = table.region(&one.literals).count_ones(..);
        match alike.get(&key) {
            Some((best, width))
                if one.cost >= best.cost && (wide, &best.literals) <= (*width, &one.literals) => {}
            Some(_) | None => {
                alike.insert(key, (one, wide));
            }
        }
    }
    let mut best: Vec<_> = alike.into_values().collect();
    best.sort_by(|(one, wide), (other, width)| {
        let by_worth = other.worth(belief).total_cmp(&one.worth(belief));
        let by_width = width.cmp(wide);
        by_worth
            .then(by_width)
            .then_with(|| one.literals.cmp(&other.literals))
    });
    best.into_iter().map(|(one, _)| one).collect()
}

/// The best of them, and of each failure some that nothing contradicts, however many it has in common
/// with others.
fn best<'c>(distinct: &[&'c Candidate], seen: &Seen) -> Vec<&'c Candidate> {
    let mut ways: Vec<usize> = vec![0; seen.fails.len()];
    let mut kept = Vec::new();
    for one in distinct {
        let is_pure = one.passes.is_clear();
        let wanted = is_pure && one.fails.ones().any(|failure| ways[failure] < WAYS);
        if kept.len() < WEIGHED || wanted {
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

    /// What it saves beside others, which leave this rest.
    fn gain(&self, rest: &Rest) -> f64 {
        let fails = self.fails.intersection_count(&rest.fails);
        let passes = self.passes.intersection_count(&rest.passes);
        rest.belief.saved(fails, passes) - self.cost
    }
}

impl Rest {
    fn of(seen: &Seen, belief: Belief) -> Self {
        let all = |count: usize| {
            let mut bits = FixedBitSet::with_capacity(count);
            bits.insert_range(..);
            bits
        };
        Self {
            fails: all(seen.fails.len()),
            passes: all(seen.passes.len()),
            belief,
        }
    }

    fn take(&mut self, one: &Candidate) {
        self.fails.difference_with(&one.fails);
        self.passes.difference_with(&one.passes);
    }

    fn without(&self, all: &[&Candidate], chosen: &[usize]) -> Self {
        let mut rest = self.clone();
        chosen.iter().for_each(|place| rest.take(all[*place]));
        rest
    }
}

/// What a choice costs, but for what the passes in no candidate would.
fn cost(all: &[&Candidate], rest: &Rest, chosen: &[usize]) -> f64 {
    let left = rest.without(all, chosen);
    let fails = left.fails.count_ones(..);
    let passes = rest.passes.count_ones(..) - left.passes.count_ones(..);
    let said: f64 = chosen.iter().map(|place| all[*place].cost).sum();
    LEFT * number(fails) + rest.belief.contradicted() * number(passes) + said
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
fn improve(all: &[&Candidate], rest: &Rest, chosen: &mut Vec<usize>) {
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

/// Branch and bound: the failure that fewest candidates cover is covered by each of these, or by none.
struct Exact<'c> {
    all: &'c [&'c Candidate],
    best: f64,
    chosen: Vec<usize>,
    steps: usize,
}

impl Exact<'_> {
    fn search(&mut self, rest: &Rest, path: &mut Vec<usize>, spent: f64) {
        let Some(steps) = self.steps.checked_sub(1) else {
            return;
        };
        self.steps = steps;
        let open = rest.fails.count_ones(..);
        if open == 0 {
            if spent < self.best - 1e-9 {
                self.best = spent;
                self.chosen.clone_from(path);
            }
            return;
        }
        if spent + self.bound(rest, open) >= self.best - 1e-9 {
            return;
        }
        let Some((failure, covering)) = self.hardest(rest) else {
            return;
        };
        for place in covering {
            let mut left = rest.clone();
            left.take(self.all[place]);
            let passes = rest.passes.count_ones(..) - left.passes.count_ones(..);
            path.push(place);
            self.search(
                &left,
                path,
                spent + self.all[place].cost + rest.belief.contradicted() * number(passes),
            );
            path.pop();
        }
        let mut left = rest.clone();
        left.fails.remove(failure);
        self.search(&left, path, spent + LEFT);
    }

    /// What the open failures cost at least.
    fn bound(&self, rest: &Rest, open: usize) -> f64 {
        let share = |one: &&Candidate| {
            let fails = one.fails.intersection_count(&rest.fails);
            if fails == 0 {
                LEFT
            } else {
                one.cost / number(fails)
            }
        };
        let least = self.all.iter().map(share).fold(LEFT, f64::min);
        least * number(open)
    }

    fn hardest(&self, rest: &Rest) -> Option<(usize, Vec<usize>)> {
        let mut counts = vec![0_usize; rest.fails.len()];
        for one in self.all {
            one.fails.ones().for_each(|failure| counts[failure] += 1);
        }
        let failure = rest.fails.ones().min_by_key(|failure| counts[*failure])?;
        let covering = self.all.iter().enumerate();
        let covering = covering.filter(|(_, one)| one.fails.contains(failure));
        let mut covering: Vec<_> = covering
            .map(|(place, one)| (one.gain(rest), place))
            .collect();
        covering.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        Some((
            failure,
            covering.into_iter().map(|(_, place)| place).collect(),
        ))
    }
}
