//! Candidates: combinations of literals that failing rows have and, but for a few, no passing row.

use fixedbitset::FixedBitSet;

use crate::{
    Column, FACTORS, Kind, Literal, Table, Values,
    literal::{literals, negations},
    merged::merged,
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
    group: usize,
    pub cost: f64,
    pub fails: FixedBitSet,
    pub passes: FixedBitSet,
}

/// Some literals together.
struct Base {
    terms: Vec<usize>,
    fails: FixedBitSet,
    passes: FixedBitSet,
}

/// The search for candidates.
struct Search<'t> {
    table: &'t Table,
    seen: &'t Seen,
    /// Of how many failures a combination has to be true.
    least: usize,
    terms: Vec<Term>,
    /// Which terms, alone or in pairs, no passing row has: nothing is to be added to them.
    pure: Vec<FixedBitSet>,
    /// Of which columns several values may be listed.
    lists: Vec<bool>,
    /// Of each column that has families, and each of its values, the passes that have it.
    passing: Vec<Vec<FixedBitSet>>,
    found: Vec<Candidate>,
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

/// Those that are made of some literals, and are true of so many failures at the least.
pub(crate) fn of_literals(
    table: &Table,
    seen: &Seen,
    literals: impl IntoIterator<Item = Literal>,
    least: usize,
) -> Vec<Candidate> {
    let terms: Vec<_> = literals
        .into_iter()
        .map(|literal| Term::new(table, seen, literal))
        .filter(|term| !term.fails.is_clear())
        .collect();
    let none = FixedBitSet::with_capacity(terms.len());
    let lists = |(place, column): (usize, &Column)| match column.kind {
        Kind::Unordered { .. } => table.there(place).count() > 2,
        Kind::Ordered | Kind::Single => false,
    };
    let mut search = Search {
        table,
        seen,
        least,
        lists: table.columns().iter().enumerate().map(lists).collect(),
        pure: vec![none; terms.len()],
        passing: passing(table, seen),
        terms,
        found: Vec::new(),
    };
    let mut level = vec![Vec::new()];
    for size in 1..=FACTORS {
        let mut next = Vec::new();
        for terms in level {
            let base = search.base(terms);
            search.extend(&base, size, &mut next);
        }
        level = next;
    }
    search.found
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

/// Of each column that has families, and each of its values, the passes that have it.
fn passing(table: &Table, seen: &Seen) -> Vec<Vec<FixedBitSet>> {
    let of = |(place, column): (usize, &Column)| {
        let has_families =
            matches!(&column.kind, Kind::Unordered { families } if !families.is_empty());
        let count = if has_families { column.values } else { 0 };
        let mut passing = vec![FixedBitSet::with_capacity(seen.passes.len()); count];
        for (pass, row) in seen.passes.iter().enumerate() {
            let value = table.rows()[*row].values[place].map(usize::from);
            if let Some(own) = value.and_then(|value| passing.get_mut(value)) {
                own.insert(pass);
            }
        }
        passing
    };
    table.columns().iter().enumerate().map(of).collect()
}

/// Some values of a column that only failing rows have, as one literal: of each the failures and passes.
#[derive(Default)]
struct Together(Vec<(u8, FixedBitSet, FixedBitSet)>);

impl Search<'_> {
    fn base(&self, terms: Vec<usize>) -> Base {
        let mut fails = whole(self.seen.fails.len());
        let mut passes = whole(self.seen.passes.len());
        for term in &terms {
            fails.intersect_with(&self.terms[*term].fails);
            passes.intersect_with(&self.terms[*term].passes);
        }
        Base {
            terms,
            fails,
            passes,
        }
    }

    /// Adds each further term to the base, and keeps what comes of it: as a candidate, and in `next`
    /// what is to be extended.
    fn extend(&mut self, base: &Base, size: usize, next: &mut Vec<Vec<usize>>) {
        let counts = (base.fails.count_ones(..), base.passes.count_ones(..));
        let first = base.terms.last().map_or(0, |last| last + 1);
        let mut together = Together::default();
        let mut column = usize::MAX;
        for place in 0..self.terms.len() {
            let term = &self.terms[place];
            if self.is_of_its_group(base, place) {
                continue;
            }
            if term.literal.column != column {
                self.keep_together(base, column, &std::mem::take(&mut together));
                column = self.terms[place].literal.column;
            }
            let term = &self.terms[place];
            let fails = base.fails.intersection_count(&term.fails);
            let listed = self.lists[term.literal.column] && term.literal.values.count() == 1;
            if fails == 0
                || (!listed || base.passes.is_clear()) && self.is_known(base, place, first)
            {
                continue;
            }
            let passes = base.passes.intersection_count(&term.passes);
            if listed && self.seen.allows(fails, passes) {
                together.take(base, term);
            }
            let is_few = fails < self.least || (fails, passes) == counts;
            if is_few || self.is_known(base, place, first) {
                continue;
            }
            let mut terms = base.terms.clone();
            terms.push(place);
            if passes == 0 {
                self.mark_pure(&terms);
            } else if size < FACTORS {
                next.push(terms.clone());
            }
            let mut others = base.terms.iter();
            // Of one list that of the values which were tried is kept.
            let is_kept = !self.is_negation(place) || others.any(|one| self.is_negation(*one));
            if self.seen.allows(fails, passes) && is_kept {
                self.keep(base, place);
            }
        }
        self.keep_together(base, column, &together);
    }

    fn is_of_its_group(&self, base: &Base, place: usize) -> bool {
        let group = self.terms[place].group;
        base.terms
            .iter()
            .any(|term| self.terms[*term].group == group)
    }

    /// Whether a term is of all values but one.
    fn is_negation(&self, place: usize) -> bool {
        let Literal { column, values } = self.terms[place].literal;
        let others = self.table.there(column).without(values);
        self.lists[column]
            && values.count() > 1
            && others.count() == 1
            && !self.is_family(column, values)
    }

    fn is_family(&self, column: usize, values: Values) -> bool {
        match &self.table.columns()[column].kind {
            Kind::Unordered { families } => families.contains(&values),
            Kind::Ordered | Kind::Single => false,
        }
    }

    /// Whether the base with this term was seen already, or a part of it says enough.
    fn is_known(&self, base: &Base, place: usize, first: usize) -> bool {
        let pure = |one: &usize| self.pure[*one].contains(place);
        place < first || pure(&place) || base.terms.iter().any(pure)
    }

    fn mark_pure(&mut self, terms: &[usize]) {
        match *terms {
            [one] => self.pure[one].insert(one),
            [one, other] => {
                self.pure[one].insert(other);
                self.pure[other].insert(one);
            }
            [] | [_, _, _, ..] => {}
        }
    }

    fn keep(&mut self, base: &Base, place: usize) {
        let term = &self.terms[place];
        let literal = term.literal;
        let fails = &base.fails & &term.fails;
        let passes = &base.passes & &term.passes;
        let cost = term.cost;
        self.push(base, (literal, cost), fails, passes);
    }

    fn push(
        &mut self,
        base: &Base,
        (literal, cost): (Literal, f64),
        fails: FixedBitSet,
        passes: FixedBitSet,
    ) {
        let own = base.terms.iter().map(|term| &self.terms[*term]);
        let cost = CAUSE + cost + own.clone().map(|term| term.cost).sum::<f64>();
        let own = own.map(|term| term.literal);
        let mut literals: Vec<_> = own.chain([literal]).collect();
        literals.sort_unstable();
        self.found.push(Candidate {
            literals,
            fails,
            passes,
            cost,
        });
    }

    /// Keeps a list of values as a literal, where it is one; and where some of it are of a family, with those of it
    /// that were not tried, for they may fail as well: of a family but for few it is the few that are news.
    fn keep_together(&mut self, base: &Base, column: usize, together: &Together) {
        if together.0.len() < 2 || base.passes.is_clear() {
            return;
        }
        let values: Values = together.0.iter().map(|(value, ..)| *value).collect();
        self.keep_list(base, (column, values), together);
        let Kind::Unordered { families } = &self.table.columns()[column].kind else {
            return;
        };
        let (mut wide, mut closed) = (values, Vec::new());
        for family in families {
            let (own, open, passed) = self.members(base, (column, values), *family);
            if own.count() > 1.max(passed.count()) && !open.is_empty() {
                wide = wide.with(open);
                closed.push(own.with(open));
            }
        }
        closed.push(wide);
        closed.retain(|one| *one != values);
        closed.dedup();
        for one in closed {
            self.keep_list(base, (column, one), together);
        }
    }

    /// The members of a family that are among some values, those that nothing of the base was tried with, and those
    /// with which some of it passed.
    fn members(
        &self,
        base: &Base,
        (column, values): (usize, Values),
        family: Values,
    ) -> (Values, Values, Values) {
        let own = family.within(values);
        let others = family.within(self.table.there(column)).without(own);
        let passing = &self.passing[column];
        let passed = |value: &u8| !passing[usize::from(*value)].is_disjoint(&base.passes);
        let passed: Values = others.iter().filter(passed).collect();
        (own, others.without(passed), passed)
    }

    /// Keeps some values of a column, of which some stood together, as one literal.
    fn keep_list(&mut self, base: &Base, (column, values): (usize, Values), together: &Together) {
        let literal = Literal { column, values };
        let Kind::Unordered { families } = &self.table.columns()[column].kind else {
            return;
        };
        let there = self.table.there(column);
        if values.includes(there) || families.contains(&values) {
            return;
        }
        // All but one value beside all but another one are two terms.
        let is_term = there.without(values).count() == 1 && !self.table.is_unchosen(column);
        if is_term && base.terms.iter().any(|one| self.is_negation(*one)) {
            return;
        }
        let mut fails = FixedBitSet::with_capacity(self.seen.fails.len());
        let mut passes = FixedBitSet::with_capacity(self.seen.passes.len());
        let own = together.0.iter().filter(|(value, ..)| values.has(*value));
        for (_, own_fails, own_passes) in own {
            fails.union_with(own_fails);
            passes.union_with(own_passes);
        }
        if fails.count_ones(..) >= self.least {
            self.push(base, (literal, literal.cost(self.table)), fails, passes);
        }
    }
}

impl Together {
    fn take(&mut self, base: &Base, term: &Term) {
        let (fails, passes) = (&base.fails & &term.fails, &base.passes & &term.passes);
        let values = term.literal.values.iter();
        self.0
            .extend(values.map(|value| (value, fails.clone(), passes.clone())));
    }
}

pub(crate) fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}
