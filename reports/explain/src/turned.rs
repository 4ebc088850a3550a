//! Choices that are as good as the one that was made: where as many causes that are no longer account for the same
//! outcomes, nothing tells which of them it is.

use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;

use crate::{
    Literal, Table,
    candidates::{Belief, Candidate, number},
    greedy::Rest,
    seen::Seen,
    shared::union,
};

/// How many causes are exchanged at once at most.
const EXCHANGED: usize = 4;
/// How many other choices are told of a cause.
const TOLD: usize = 3;
/// How many words the search for those of one cause may look at.
const WORDS: usize = 3_000_000;
/// By how much a choice has to be dearer to be a longer one.
const SAME: f64 = 1e-9;

/// Another choice, in which no single cause accounts for all that one of the chosen alone accounts for.
pub(crate) struct Turned {
    /// What stands there for that one and some others: first what accounts for most of its failures.
    pub causes: Vec<Vec<Literal>>,
    /// The rows of all causes of that choice.
    pub region: FixedBitSet,
}

/// Of each of the chosen the choices that are as good and have nothing that could be it, among these candidates.
pub(crate) fn turned(
    table: &Table,
    seen: &Seen,
    all: &[&Candidate],
    (chosen, belief): (&[Candidate], Belief),
) -> Vec<Vec<Turned>> {
    let rest = Rest::of(seen, belief);
    let chosen: Vec<_> = chosen.iter().collect();
    let one = |place| Search::of(table, (all, &chosen), (&rest, place)).found();
    (0..chosen.len()).map(one).collect()
}

/// The search for what could stand in the place of one.
struct Search<'c> {
    table: &'c Table,
    chosen: &'c [&'c Candidate],
    rest: &'c Rest,
    place: usize,
    /// The failures that it alone accounts for.
    own: FixedBitSet,
    /// What accounts for some failures, and not for all of these.
    usable: Vec<&'c Candidate>,
    /// How many more words may be looked at.
    words: usize,
    found: Vec<Turned>,
}

/// What is still to be accounted for in the place of some of the chosen.
struct Open<'c> {
    /// Those of the chosen that stay.
    kept: &'c [&'c Candidate],
    rest: Rest,
    /// What it may cost.
    budget: f64,
    /// By how many more.
    more: usize,
    path: Vec<&'c Candidate>,
}

impl<'c> Search<'c> {
    fn of(
        table: &'c Table,
        (all, chosen): (&'c [&'c Candidate], &'c [&'c Candidate]),
        (rest, place): (&'c Rest, usize),
    ) -> Self {
        let mut own = chosen[place].fails.clone();
        let others = chosen.iter().enumerate().filter(|(one, _)| *one != place);
        others.for_each(|(_, other)| own.difference_with(&other.fails));
        let usable = all.iter().copied();
        let usable = usable.filter(|one| !own.is_subset(&one.fails));
        Self {
            usable: usable.collect(),
            table,
            chosen,
            rest,
            place,
            own,
            words: WORDS,
            found: Vec::new(),
        }
    }

    fn found(mut self) -> Vec<Turned> {
        let others = (0..self.chosen.len()).filter(|one| *one != self.place);
        let others: Vec<_> = others.collect();
        for size in 1..EXCHANGED {
            for with in subsets(&others, size) {
                if !self.look_at(1) {
                    return self.found;
                }
                self.exchange(&with);
                if !self.found.is_empty() {
                    return self.found;
                }
            }
        }
        self.found
    }

    /// Looks for what could stand in the place of the one and these.
    fn exchange(&mut self, with: &[usize]) {
        let is_out = |one: &usize| *one == self.place || with.contains(one);
        let (out, kept): (Vec<usize>, Vec<usize>) = (0..self.chosen.len()).partition(is_out);
        let mut rest = self.rest.without(self.chosen, &kept);
        let left = rest.without(self.chosen, &out);
        rest.fails.difference_with(&left.fails);
        let passes = rest.passes.count_ones(..) - left.passes.count_ones(..);
        let contradicted = rest.contradicted * number(passes);
        let said: f64 = out.iter().map(|one| self.chosen[*one].cost).sum();
        let kept: Vec<_> = kept.into_iter().map(|one| self.chosen[one]).collect();
        let of_it = |one: &&Candidate| !one.fails.is_disjoint(&rest.fails);
        let usable: Vec<_> = self.usable.iter().copied().filter(of_it).collect();
        self.look_at(self.usable.len());
        let open = Open {
            kept: &kept,
            budget: said + contradicted + SAME,
            more: out.len(),
            path: Vec::new(),
            rest,
        };
        self.go_on(&usable, &open);
    }

    /// Whether so many candidates may still be looked at.
    fn look_at(&mut self, count: usize) -> bool {
        let words = 2 + (self.rest.fails.len() + self.rest.passes.len()) / 64;
        let left = self.words.checked_sub(words * count);
        self.words = left.unwrap_or_default();
        left.is_some()
    }

    /// Accounts for a failure that is open by each of these.
    fn go_on(&mut self, usable: &[&'c Candidate], open: &Open<'_>) {
        let own = self.own.intersection(&open.rest.fails).next();
        let Some(failure) = own.or_else(|| open.rest.fails.ones().next()) else {
            self.keep(open);
            return;
        };
        if open.more == 0 || !self.look_at(usable.len()) {
            return;
        }
        let wanted = open.rest.fails.count_ones(..);
        let counts = usable.iter();
        let counts = counts.map(|one| one.fails.intersection_count(&open.rest.fails));
        let counts: Vec<_> = counts.collect();
        let most = counts.iter().copied().max().unwrap_or_default();
        for (one, count) in usable.iter().zip(counts) {
            let is_enough = count + (open.more - 1) * most >= wanted;
            let next = (is_enough && one.fails.contains(failure)).then(|| open.and(one));
            if let Some(next) = next.filter(|next| next.budget >= 0.0) {
                self.go_on(usable, &next);
            }
            if self.found.len() == TOLD {
                return;
            }
        }
    }

    /// Keeps a choice, unless one says the same of each row, or more of its causes say several things.
    fn keep(&mut self, open: &Open<'_>) {
        let regions = |all: &mut dyn Iterator<Item = &&Candidate>| {
            let regions = all.map(|one| self.table.region(&one.literals));
            regions.collect::<Vec<_>>()
        };
        let others = regions(&mut open.kept.iter().chain(&open.path));
        let region = union(self.table, &others, others.len());
        let is_known = self.found.iter().any(|one| one.region == region);
        let chosen = regions(&mut self.chosen.iter());
        if is_known || mixed(self.table, &others) > mixed(self.table, &chosen) {
            return;
        }
        let mut causes = open.path.clone();
        causes.sort_by_key(|one| {
            let own = one.fails.intersection_count(&self.own);
            (std::cmp::Reverse(own), one.literals.clone())
        });
        let causes = causes.iter().map(|one| one.literals.clone());
        self.found.push(Turned {
            causes: causes.collect(),
            region,
        });
    }
}

impl<'c> Open<'c> {
    /// The same with one more.
    fn and(&self, one: &'c Candidate) -> Self {
        let mut rest = self.rest.clone();
        let passes = one.passes.intersection_count(&rest.passes);
        rest.take(one);
        Self {
            budget: self.budget - one.cost - rest.contradicted * number(passes),
            more: self.more - 1,
            path: self.path.iter().copied().chain([one]).collect(),
            rest,
            ..*self
        }
    }
}

/// How many regions have failures of their own that say plainly different things.
fn mixed(table: &Table, regions: &[FixedBitSet]) -> usize {
    let says = |place: &usize| {
        let others = union(table, regions, *place);
        let own = regions[*place].difference(&others);
        let says = own.filter_map(|row| table.rows()[row].says);
        says.collect::<BTreeSet<_>>()
    };
    let all = 0..regions.len();
    all.filter(|place| says(place).len() > 1).count()
}

/// All ways to take so many of them.
fn subsets(all: &[usize], size: usize) -> Vec<Vec<usize>> {
    match (size, all.split_first()) {
        (0, _) => vec![Vec::new()],
        (_, None) => Vec::new(),
        (size, Some((first, rest))) => {
            let with = subsets(rest, size - 1).into_iter();
            let with = with.map(|one| [&[*first], &one[..]].concat());
            with.chain(subsets(rest, size)).collect()
        }
    }
}
