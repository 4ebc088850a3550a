//! Which rows are to be tried next, so that as few as possible settle what is not sure.

use crate::{Explanation, Outcome, Table, cause::explain, explore::unseen};

/// How many rows may still be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    left: usize,
    /// How many of them may be tried to see whether a further cause hides there.
    explored: usize,
    /// How many of them may be tried again as their passes are doubted.
    again: usize,
}

/// How many rows are tried at most to see whether a further cause hides there.
const EXPLORED: usize = 12;
/// How many are tried again at most as their passes are doubted.
const AGAIN: usize = 18;
/// How many of them, and of those that passed and are doubted, are tried at once.
const AT_ONCE: usize = 4;

impl Budget {
    /// At most so many rows.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            left: most,
            explored: EXPLORED,
            again: AGAIN,
        }
    }

    /// The rows whose outcomes would tell most: those whose passes are doubted, and one for each cause that
    /// is not settled, the least sure first. Where all are, those in which a further cause could hide. None
    /// where nothing more would tell, or as many as may be were tried.
    #[must_use]
    pub fn next(&mut self, table: &Table, explanation: &Explanation) -> Vec<usize> {
        let again = explanation.doubted.iter().copied();
        let mut rows: Vec<usize> = again.take(self.again.min(AT_ONCE)).collect();
        self.again -= rows.len();
        let open = open(explanation).into_iter();
        rows.extend(open.filter(|row| !explanation.doubted.contains(row)));
        rows.truncate(self.left);
        if rows.is_empty() {
            rows = unseen(
                table,
                explanation,
                self.left.min(self.explored).min(AT_ONCE),
            );
            self.explored -= rows.len();
        }
        self.left -= rows.len();
        rows
    }
}

fn open(explanation: &Explanation) -> Vec<usize> {
    let open = explanation.causes.iter().filter(|one| !one.is_settled());
    let open = open.filter_map(|cause| Some((cause.share, cause.question?)));
    let mut open: Vec<_> = open.collect();
    open.sort_by(|(one, row), (other, place)| one.total_cmp(other).then(row.cmp(place)));
    let mut rows: Vec<usize> = Vec::new();
    for (_, row) in open {
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    rows
}

/// Asks for the outcomes of rows until each cause is settled, no row would tell more, or `most` were asked
/// for. What comes is added to the table.
pub fn settle(
    table: &mut Table,
    most: usize,
    mut ask: impl FnMut(usize) -> Outcome,
) -> (Explanation, usize) {
    let (mut budget, mut asked) = (Budget::new(most), 0);
    loop {
        let explanation = explain(table);
        let rows = budget.next(table, &explanation);
        if rows.is_empty() {
            return (explanation, asked);
        }
        for row in rows {
            let outcome = ask(row);
            table.add(row, outcome);
            asked += 1;
        }
    }
}
