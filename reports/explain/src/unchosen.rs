//! What nobody chose may be a part of a cause that was never tried without it: the cause is told without it, and
//! what it would be with it is asked for.

use crate::{Literal, Table, Values, candidates::Candidate};

/// Each of these with what all of its outcomes have of a column that nobody chose, where some row of it that was
/// not tried has not.
pub(crate) fn with_unchosen(table: &Table, chosen: &[Candidate]) -> Vec<Candidate> {
    let columns = || (0..table.columns().len()).filter(|column| table.is_unchosen(*column));
    let all = chosen.iter().flat_map(|one| {
        let silent =
            columns().filter(|column| one.literals.iter().all(|own| own.column != *column));
        silent.filter_map(|column| narrowed(table, one, column))
    });
    all.collect()
}

fn narrowed(table: &Table, one: &Candidate, column: usize) -> Option<Candidate> {
    let region = table.region(&one.literals);
    let values = |is: fn(u32) -> bool| {
        let rows = region.ones().map(|row| &table.rows()[row]);
        let rows = rows.filter(move |row| is(row.failed + row.passed));
        rows.filter_map(|row| row.values[column])
            .collect::<Values>()
    };
    let (values, untried) = (values(|told| told > 0), values(|told| told == 0));
    let literal = Literal { column, values };
    let says = values.count() > 0 && !values.includes(untried);
    says.then(|| one.and(literal, literal.cost(table)))
}

impl Candidate {
    /// The same with a literal that all of its outcomes have.
    fn and(&self, literal: Literal, cost: f64) -> Self {
        let mut literals = self.literals.clone();
        literals.push(literal);
        literals.sort_unstable();
        Self {
            literals,
            cost: self.cost + cost,
            ..self.clone()
        }
    }
}
