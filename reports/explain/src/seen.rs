//! What came of the rows that were tried: failures and passes, each with its place.

use fixedbitset::FixedBitSet;

use crate::{Table, candidates::Candidate};

/// How many outcomes of one row count.
const MOST: u32 = 4;

/// What came of the rows: the row of each failure and of each pass. A row that was tried twice stands
/// here twice.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub fails: Vec<usize>,
    pub passes: Vec<usize>,
}

impl Seen {
    pub fn of(table: &Table) -> Self {
        let rows = table.rows().iter().enumerate();
        let (mut fails, mut passes) = (Vec::new(), Vec::new());
        for (place, row) in rows {
            fails.extend((0..row.failed.min(MOST)).map(|_| place));
            passes.extend((0..row.passed.min(MOST)).map(|_| place));
        }
        Self { fails, passes }
    }

    /// The same with those passes alone that some candidate is true of, and the candidates in these terms: of
    /// many passes most are in none.
    pub fn concise(&self, all: &[Candidate]) -> (Self, Vec<Candidate>) {
        let mut used = FixedBitSet::with_capacity(self.passes.len());
        all.iter().for_each(|one| used.union_with(&one.passes));
        let mut ranks = vec![0; self.passes.len()];
        let mut passes = Vec::new();
        for pass in used.ones() {
            ranks[pass] = passes.len();
            passes.push(self.passes[pass]);
        }
        let concise = |one: &Candidate| {
            let mut own = FixedBitSet::with_capacity(passes.len());
            one.passes.ones().for_each(|pass| own.insert(ranks[pass]));
            Candidate {
                passes: own,
                ..one.clone()
            }
        };
        let all = all.iter().map(concise).collect();
        let fails = self.fails.clone();
        (Self { fails, passes }, all)
    }

    /// The same without the failures that are not in `left`, of the rows alone that are in `rows`.
    pub fn within(&self, rows: &FixedBitSet, left: &FixedBitSet) -> Self {
        let own = |row: &usize| rows.contains(*row);
        let left = left.ones().map(|failure| self.fails[failure]);
        Self {
            fails: left.filter(own).collect(),
            passes: self.passes.iter().copied().filter(own).collect(),
        }
    }

    /// Whether so few passes may be odd ones beside so many failures: few, and far fewer than elsewhere.
    pub fn allows(&self, fails: usize, passes: usize) -> bool {
        let few = passes * 20 <= fails || passes == 1 && fails > 1;
        let own = fails + passes;
        let others = self.fails.len() + self.passes.len() - own;
        let fewer = 4 * passes * others <= own * (self.passes.len() - passes);
        passes == 0 || few && fewer
    }
}
