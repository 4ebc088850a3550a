//! Candidates that name a place, as a pair of releases is one, and up to [`FACTORS`] values
//! beside it: what fails at one place alone takes more values to say than are tried everywhere.

use std::{cmp::Ordering, collections::BTreeMap};

use fixedbitset::FixedBitSet;

use crate::{
    FACTORS, Literal, Table,
    candidates::{Candidate, Term, whole},
    literal::literals,
    search::of_literals,
    seen::Seen,
};

/// Of how many failures that are left over at a place a combination has to be true.
const LEAST: usize = 3;
/// Of how many that are left over it has to be true, at all places together, that is true of fewer at one.
const LEAST_IN_ALL: usize = 4;
/// At how many places what is contradicted may fail to be looked at more closely.
const FEW: usize = 4;
/// How many combinations of a place are weighed.
const WEIGHED: usize = 40;
/// What such a candidate costs beside its literals: there are many of them, and few rows of each.
const DEEP: f64 = 6.0;

/// Candidates for the failures that are left over, and for those of what a pass contradicts: where these are
/// at few places, for it is a slip of one of them elsewhere.
pub(crate) fn within(
    table: &Table,
    seen: &Seen,
    (over, contradicted): (FixedBitSet, Vec<&FixedBitSet>),
) -> Vec<Candidate> {
    let mut left = over.clone();
    // Where passes contradict what was chosen, some are by chance, and so may be what few failures of a place have in
    // common.
    let is_plain = contradicted.is_empty();
    let contradicted = contradicted.into_iter();
    contradicted
        .filter(|fails| places(table, seen, fails).len() <= FEW)
        .for_each(|fails| left.union_with(fails));
    let groups = table.placed().iter().map(|column| group(table, *column));
    let groups: Vec<_> = groups.collect();
    let (sides, others): (Vec<_>, Vec<_>) = literals(table)
        .into_iter()
        .partition(|one| groups.contains(&group(table, one.column)));
    let sides = sides.into_iter().map(|one| Term::new(table, seen, one));
    let sides: Vec<_> = sides.collect();
    let mut found = Found {
        seen,
        over: &over,
        all: Vec::new(),
    };
    let places = places(table, seen, &left).into_iter();
    let places = places.filter(|(place, count)| {
        let are_several = *count >= LEAST || is_plain && over.count_ones(..) >= LEAST_IN_ALL;
        are_several && !place.is_empty()
    });
    for (place, count) in places {
        let (least, in_all) = if count >= LEAST {
            (LEAST, 0)
        } else {
            (count, LEAST_IN_ALL)
        };
        let own = seen.within(&table.region(&place), &left);
        let narrow = best(of_literals(table, &own, others.iter().copied(), least));
        let around: Vec<Vec<_>> = place.iter().map(|one| around(table, &sides, one)).collect();
        for one in narrow {
            found.at(&around, &Wide::of(table, seen, one.literals), in_all);
        }
    }
    found
        .all
        .sort_by(|one, other| one.literals.cmp(&other.literals));
    found
        .all
        .dedup_by(|one, other| one.literals == other.literals);
    found.all
}

/// The combinations of a place that are true of most failures, and none of these that is no better than
/// another one.
pub(crate) fn best(mut all: Vec<Candidate>) -> Vec<Candidate> {
    all.sort_by(by_size);
    let mut best: Vec<Candidate> = Vec::new();
    for one in all {
        if best.len() == WEIGHED {
            break;
        }
        if !best.iter().any(|other| other.dominates(&one)) {
            best.push(one);
        }
    }
    best
}

fn group(table: &Table, column: usize) -> usize {
    table.columns()[column].group
}

/// What is true of most failures comes first, then what is of fewest passes, then what takes fewest words.
fn by_size(one: &Candidate, other: &Candidate) -> Ordering {
    let by_fails = (other.fails.count_ones(..)).cmp(&one.fails.count_ones(..));
    let by_passes = (one.passes.count_ones(..)).cmp(&other.passes.count_ones(..));
    let by_cost = one.cost.total_cmp(&other.cost);
    let by_name = || one.literals.cmp(&other.literals);
    by_fails.then(by_passes).then(by_cost).then_with(by_name)
}

/// The places of some failures, each as the values that make it one, with how many are there.
fn places(table: &Table, seen: &Seen, fails: &FixedBitSet) -> BTreeMap<Vec<Literal>, usize> {
    let mut all: BTreeMap<Vec<Literal>, usize> = BTreeMap::new();
    for row in fails
        .ones()
        .map(|failure| &table.rows()[seen.fails[failure]])
    {
        let own = table.placed().iter().filter_map(|column| {
            let values = [row.values[*column]?].into_iter().collect();
            let column = *column;
            Some(Literal { column, values })
        });
        *all.entry(own.collect()).or_default() += 1;
    }
    all
}

/// The literals of the group of one that are true wherever it is.
fn around<'t>(table: &Table, sides: &'t [Term], one: &Literal) -> Vec<&'t Term> {
    let own = table.region(&[*one]);
    let same = sides
        .iter()
        .filter(|side| group(table, side.literal.column) == group(table, one.column));
    same.filter(|side| own.is_subset(&table.region(&[side.literal])))
        .collect()
}

/// A combination at some places.
#[derive(Clone)]
struct Wide {
    literals: Vec<Literal>,
    cost: f64,
    fails: FixedBitSet,
    passes: FixedBitSet,
}

impl Wide {
    /// It at all places.
    fn of(table: &Table, seen: &Seen, literals: Vec<Literal>) -> Self {
        let terms = literals.iter().map(|one| Term::new(table, seen, *one));
        let terms: Vec<_> = terms.collect();
        let all = Self {
            literals: Vec::new(),
            cost: DEEP,
            fails: whole(seen.fails.len()),
            passes: whole(seen.passes.len()),
        };
        terms.iter().fold(all, |wide, term| wide.and(term))
    }

    fn and(&self, term: &Term) -> Self {
        let literals = self.literals.iter().copied().chain([term.literal]);
        Self {
            literals: literals.collect(),
            cost: self.cost + term.cost,
            fails: &self.fails & &term.fails,
            passes: &self.passes & &term.passes,
        }
    }
}

/// What was found so far.
struct Found<'s> {
    seen: &'s Seen,
    /// The failures that are left over.
    over: &'s FixedBitSet,
    all: Vec<Candidate>,
}

impl Found<'_> {
    /// Keeps a combination at each place that some of the literals around make, one of each group or none, where it
    /// is true of so many that are left over.
    fn at(&mut self, around: &[Vec<&Term>], wide: &Wide, least: usize) {
        let Some((first, rest)) = around.split_first() else {
            return;
        };
        self.at(rest, wide, least);
        for term in first {
            let fails = wide.fails.intersection_count(&term.fails);
            let passes = wide.passes.intersection_count(&term.passes);
            let is_good = wide.literals.len() >= FACTORS && self.seen.allows(fails, passes);
            if is_good || !rest.is_empty() {
                let narrow = wide.and(term);
                if narrow.fails.intersection_count(self.over) < least {
                    continue;
                }
                self.at(rest, &narrow, least);
                if is_good {
                    self.keep(narrow);
                }
            }
        }
    }

    fn keep(&mut self, one: Wide) {
        let Wide {
            mut literals,
            cost,
            fails,
            passes,
        } = one;
        literals.sort_unstable();
        self.all.push(Candidate {
            literals,
            fails,
            passes,
            cost,
        });
    }
}
