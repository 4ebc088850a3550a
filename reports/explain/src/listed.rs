//! Lists of values in candidates: of a column in no order several values are one literal.

use fixedbitset::FixedBitSet;

use crate::{
    Column, Kind, Literal, Table, Values,
    candidates::Term,
    search::{Base, Search},
    seen::Seen,
};

/// Some values of a column that only failing rows have, as one literal: of each the failures and passes.
#[derive(Default)]
pub(crate) struct Together(Vec<(u8, FixedBitSet, FixedBitSet)>);

/// Of each column that has families, and each of its values, the passes that have it.
pub(crate) fn passing(table: &Table, seen: &Seen) -> Vec<Vec<FixedBitSet>> {
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

impl Search<'_> {
    /// Keeps a list of values as a literal, where it is one; and where some of it are of a family, with those of it
    /// that were not tried, for they may fail as well: of a family but for few it is the few that are news.
    pub fn keep_together(&mut self, base: &Base, column: usize, together: &Together) {
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
        if is_term && self.has_negation(base) {
            return;
        }
        let mut fails = FixedBitSet::with_capacity(self.seen.fails.len());
        let mut passes = FixedBitSet::with_capacity(self.seen.passes.len());
        let own = together.0.iter().filter(|(value, ..)| values.has(*value));
        for (_, own_fails, own_passes) in own {
            fails.union_with(own_fails);
            passes.union_with(own_passes);
        }
        if fails.count_ones(..) >= self.least && self.are_of_all(base, &fails) {
            self.push(base, (literal, literal.cost(self.table)), fails, passes);
        }
    }
}

impl Together {
    pub fn take(&mut self, base: &Base, term: &Term) {
        let (fails, passes) = (&base.fails & &term.fails, &base.passes & &term.passes);
        let values = term.literal.values.iter();
        self.0
            .extend(values.map(|value| (value, fails.clone(), passes.clone())));
    }
}
