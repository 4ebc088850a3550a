//! The search for candidates: literals are added to one another as long as passing rows have them.

use fixedbitset::FixedBitSet;

use crate::{
    Column, FACTORS, Kind, Literal, Table,
    candidates::{CAUSE, Candidate, Term, whole},
    listed::{Together, passing},
    seen::Seen,
};

/// Some literals together.
pub(crate) struct Base {
    pub terms: Vec<usize>,
    pub fails: FixedBitSet,
    pub passes: FixedBitSet,
}

/// The search for candidates.
pub(crate) struct Search<'t> {
    pub table: &'t Table,
    pub seen: &'t Seen,
    /// Of how many failures a combination has to be true.
    pub least: usize,
    terms: Vec<Term>,
    /// Which terms, alone or in pairs, no passing row has: nothing is to be added to them.
    pure: Vec<FixedBitSet>,
    /// Of which columns several values may be listed.
    lists: Vec<bool>,
    /// Which terms are of all values but one.
    negations: Vec<bool>,
    /// Of each column that has families, and each of its values, the passes that have it.
    pub passing: Vec<Vec<FixedBitSet>>,
    found: Vec<Candidate>,
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
    let lists: Vec<_> = table.columns().iter().enumerate().map(lists).collect();
    let negations = terms
        .iter()
        .map(|term| lists[term.literal.column] && is_negation(table, term.literal));
    let mut search = Search {
        table,
        seen,
        least,
        negations: negations.collect(),
        lists,
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
        // Of one list that of the values which were tried is kept: all but one stands beside another list alone.
        let has_negation = self.has_negation(base);
        let is_whole = size == FACTORS && !has_negation;
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
            let listed = self.lists[term.literal.column] && term.literal.values.count() == 1;
            if (!listed || base.passes.is_clear()) && self.is_known(base, place, first)
                || is_whole && self.negations[place]
            {
                continue;
            }
            let fails = base.fails.intersection_count(&term.fails);
            if fails == 0 {
                continue;
            }
            let passes = base.passes.intersection_count(&term.passes);
            if listed && self.seen.allows(fails, passes) {
                together.take(base, term);
            }
            let is_few = fails < self.least || (fails, passes) == counts;
            if is_few
                || self.is_known(base, place, first)
                || self.is_less(base, place, (fails, passes))
            {
                continue;
            }
            let mut terms = base.terms.clone();
            terms.push(place);
            if passes == 0 {
                self.mark_pure(&terms);
            } else if size < FACTORS {
                next.push(terms.clone());
            }
            let is_kept = has_negation || !self.negations[place];
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

    /// Whether one of its terms is of all values but one.
    pub fn has_negation(&self, base: &Base) -> bool {
        base.terms.iter().any(|one| self.negations[*one])
    }

    /// Whether a term is of all values but one for nothing: that one fails as often as the others, or one of these alone
    /// fails.
    fn is_less(&self, base: &Base, place: usize, (fails, passes): (usize, usize)) -> bool {
        if !self.negations[place] {
            return false;
        }
        let (one_fails, one_passes) = (
            base.fails.count_ones(..) - fails,
            base.passes.count_ones(..) - passes,
        );
        let column = self.terms[place].literal.column;
        one_fails * passes >= one_passes * fails
            || !self.are_several(base.fails.intersection(&self.terms[place].fails), column)
    }

    /// Whether some failures have several values of a column.
    fn are_several(&self, fails: impl Iterator<Item = usize>, column: usize) -> bool {
        let rows = fails.map(|failure| &self.table.rows()[self.seen.fails[failure]]);
        let mut values = rows.map(|row| row.values[column]);
        let first = values.next();
        values.any(|value| Some(value) != first)
    }

    /// Whether some failures have several values of each column of which the base has all values but one.
    pub fn are_of_all(&self, base: &Base, fails: &FixedBitSet) -> bool {
        let negations = base.terms.iter().filter(|one| self.negations[**one]);
        let mut columns = negations.map(|one| self.terms[*one].literal.column);
        columns.all(|column| self.are_several(fails.ones(), column))
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

    pub fn push(
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
}

/// Whether it is of all values but one of its column, and of no family.
fn is_negation(table: &Table, literal: Literal) -> bool {
    let others = table.there(literal.column).without(literal.values);
    let is_family = match &table.columns()[literal.column].kind {
        Kind::Unordered { families } => families.contains(&literal.values),
        Kind::Ordered | Kind::Single => false,
    };
    literal.values.count() > 1 && others.count() == 1 && !is_family
}
