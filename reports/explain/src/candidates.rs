//! Candidates: combinations of literals that failing rows have and, but for a few, no passing row.

use fixedbitset::FixedBitSet;

use crate::{
    Literal, Table,
    literal::{literals, negations},
    merged::merged,
    search::of_literals,
    seen::Seen,
};

/// What a failure costs that is in no cause.
pub(crate) const LEFT: f64 = 7.0;
/// How much is made of a pass within a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Belief {
    /// What has a cause fails again and again.
    Strict,
    /// Some outcomes are not what they should be: one in a hundred.
    Lax,
}

impl Belief {
    /// What a pass costs that is in a cause.
    pub const fn contradicted(self) -> f64 {
        match self {
            Self::Strict => 11.0,
            Self::Lax => 4.6,
        }
    }

    /// What a combination saves that has so many failures and passes.
    pub fn saved(self, fails: usize, passes: usize) -> f64 {
        LEFT * number(fails) - self.contradicted() * number(passes)
    }
}

/// What chance saves by a failure: one outcome in a hundred is not what it should be, and there are many
/// combinations of few rows that two such may have in common.
pub(crate) const CHANCE: f64 = 3.5;
/// What a cause costs, beside its literals.
pub(crate) const CAUSE: f64 = 0.5;

/// One combination.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub literals: Vec<Literal>,
    /// Which failures it is true of.
    pub fails: FixedBitSet,
    /// Which passes.
    pub passes: FixedBitSet,
    pub cost: f64,
}

/// A literal, with the failures and passes that it is true of.
pub(crate) struct Term {
    pub literal: Literal,
    pub group: usize,
    pub cost: f64,
    pub fails: FixedBitSet,
    pub passes: FixedBitSet,
}

/// All candidates, each without a literal that could be left out: that without any is true of all rows.
pub(crate) fn candidates(table: &Table, seen: &Seen) -> Vec<Candidate> {
    let all = literals(table).into_iter().chain(negations(table));
    let mut all = of_literals(table, seen, all, 1);
    let more = merged(table, &all);
    all.extend(more);
    let (fails, passes) = (seen.fails.len(), seen.passes.len());
    if fails > 0 && seen.allows(fails, passes) {
        all.push(Candidate {
            literals: Vec::new(),
            fails: whole(fails),
            passes: whole(passes),
            cost: CAUSE,
        });
    }
    all
}

/// So many places, all of them.
pub(crate) fn whole(count: usize) -> FixedBitSet {
    let mut bits = FixedBitSet::with_capacity(count);
    bits.insert_range(..);
    bits
}

impl Term {
    pub fn new(table: &Table, seen: &Seen, literal: Literal) -> Self {
        let rows = table.having(&literal);
        let of = |all: &[usize]| {
            let mut bits = FixedBitSet::with_capacity(all.len());
            let having = all
                .iter()
                .enumerate()
                .filter(|(_, row)| rows.contains(**row));
            having.for_each(|(place, _)| bits.insert(place));
            bits
        };
        Self {
            literal,
            group: table.columns()[literal.column].group,
            cost: literal.cost(table),
            fails: of(&seen.fails),
            passes: of(&seen.passes),
        }
    }
}

impl Candidate {
    /// The same with other literals: some of its own, or narrower ones.
    pub fn of(&self, table: &Table, seen: &Seen, literals: Vec<Literal>) -> Self {
        let terms = literals.iter().map(|one| Term::new(table, seen, *one));
        let (mut fails, mut passes) = (whole(seen.fails.len()), whole(seen.passes.len()));
        let mut cost = self.cost - self.literals.iter().map(|one| one.cost(table)).sum::<f64>();
        for term in terms {
            fails.intersect_with(&term.fails);
            passes.intersect_with(&term.passes);
            cost += term.cost;
        }
        Self {
            literals,
            fails,
            passes,
            cost,
        }
    }
}

pub(crate) fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}
