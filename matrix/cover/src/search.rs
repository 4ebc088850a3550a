//! The search: fewer rows, by taking one out and mending what is uncovered then.

use crate::{
    Wanted,
    feasible::Feasible,
    model::{Cell, FREE, Row, Value},
    random::Random,
    space::Space,
    tally::Tally,
};

/// The most slots of rows that the search holds: a greater cover stays as it is.
const MOST: usize = 1 << 26;

/// How often of a thousand times a change is made by which more than one combination more is uncovered.
const DOWNHILL: usize = 50;

/// How often of a thousand times, where no good change is there, the combination is put into a row whole.
const WHOLE: usize = 5;

/// For how many steps a changed value is left as it is, at least, and how many more at random.
const REST: (u64, usize) = (2, 10);

/// The rows, or fewer ones that cover as much, down to the least that may do; the kept ones are the first of both.
pub(crate) fn fewer(
    space: &Space,
    feasible: &Feasible,
    possible: &[bool],
    (rows, least): (Vec<Row>, usize),
    wanted: &Wanted,
    random: &mut Random,
) -> Vec<Row> {
    let held = rows.len().saturating_mul(space.combinations()) <= MOST;
    if !held || rows.len() > Tally::MOST_ROWS || wanted.steps == 0 {
        return rows;
    }
    let mut search = Search {
        feasible,
        space,
        tally: Tally::new(space, possible, &rows),
        kept: wanted.kept.len(),
        rests: Vec::new(),
        step: 0,
        random,
        misses: Vec::new(),
    };
    search.run(wanted.steps, least, rows)
}

/// How many rows it takes at least: those that differ in the combination with the most values that can be.
pub(crate) fn least(space: &Space, possible: &[bool]) -> usize {
    let needed = |number| {
        let slots = space.slots_of(number);
        slots.filter(|slot| possible[*slot]).count()
    };
    (0..space.combinations()).map(needed).max().unwrap_or(0)
}

struct Search<'a> {
    feasible: &'a Feasible,
    space: &'a Space,
    tally: Tally<'a>,
    kept: usize,
    /// Row by row, of each column, the step up to which its value is left as it is.
    rests: Vec<u64>,
    step: u64,
    random: &'a mut Random,
    /// Of each row, how many of the wanted cells it does not have.
    misses: Vec<u16>,
}

/// A change of one value.
#[derive(Clone, Copy)]
struct Change {
    row: usize,
    column: usize,
    value: Value,
    gain: i64,
}

impl Search<'_> {
    /// The fewest rows that were found in so many steps; no cover has less than the `least`.
    fn run(&mut self, steps: u64, least: usize, rows: Vec<Row>) -> Vec<Row> {
        let mut best = rows;
        loop {
            if self.tally.missing() == 0 {
                if self.tally.rows < best.len() {
                    best = self.tally.all();
                }
                if self.tally.rows <= least {
                    return best;
                }
                self.take_out();
            } else if self.step == steps {
                return best;
            } else {
                self.mend();
            }
        }
    }

    fn take_out(&mut self) {
        let row = self.tally.least(self.kept);
        self.tally.remove(row);
        self.rests.clear();
        self.rests.resize(self.tally.rows * self.space.columns, 0);
    }

    /// Covers one of the combinations that are uncovered, or looks whether that is worth it.
    fn mend(&mut self) {
        self.step += 1;
        let picked = self.random.below(self.tally.missing());
        let cells: Vec<Cell> = self.space.cells(self.tally.missed(picked)).collect();
        self.count_misses(&cells);
        match self.best(&cells) {
            Some(best) if best.gain >= -1 || self.random.happens(DOWNHILL) => {
                self.make(best.row, best.column, best.value);
            }
            Some(_) if !self.random.happens(WHOLE) => {}
            Some(_) | None => self.put_whole(&cells),
        }
    }

    fn count_misses(&mut self, cells: &[Cell]) {
        self.misses.clear();
        self.misses.resize(self.tally.rows, 0);
        for &(column, value) in cells {
            let own = self.tally.column(column);
            for (misses, &own) in self.misses.iter_mut().zip(own) {
                *misses += u16::from(own != value);
            }
        }
    }

    /// Of the changes by which a row has all of the cells, the best one; of several a random one.
    fn best(&mut self, cells: &[Cell]) -> Option<Change> {
        let mut best: Option<Change> = None;
        let mut as_good = 0;
        for row in self.kept..self.tally.rows {
            if self.misses[row] != 1 {
                continue;
            }
            let missed = |cell: &&Cell| self.tally.column(cell.0)[row] != cell.1;
            let Some(&(column, value)) = cells.iter().find(missed) else {
                continue;
            };
            if self.rests[row * self.space.columns + column] > self.step {
                continue;
            }
            let gain = self.tally.gain(row, column, value);
            let least = best.map_or(i64::MIN, |best| best.gain);
            if gain < least || !self.goes(row, column, value) {
                continue;
            }
            as_good = if gain == least { as_good + 1 } else { 1 };
            if as_good == 1 || self.random.below(as_good) == 0 {
                best = Some(Change {
                    row,
                    column,
                    value,
                    gain,
                });
            }
        }
        best
    }

    fn goes(&self, row: usize, column: usize, value: Value) -> bool {
        if !self.feasible.is_constrained(column) {
            return true;
        }
        let mut row = self.tally.row(row);
        row[column] = value;
        self.feasible.can_have(&row, column)
    }

    fn make(&mut self, row: usize, column: usize, value: Value) {
        self.tally.set(row, column, value);
        let rest = REST.0 + self.random.below(REST.1) as u64;
        self.rests[row * self.space.columns + column] = self.step + rest;
    }

    /// Gives all of the cells to a row, one that has most of them if there is one, and changes of its other
    /// values what can't be beside them.
    fn put_whole(&mut self, cells: &[Cell]) {
        let rows = self.kept..self.tally.rows;
        let near: Vec<usize> = rows.clone().filter(|row| self.misses[*row] == 2).collect();
        let row = match (near.len(), rows.len()) {
            (0, 0) => return,
            (0, all) => self.kept + self.random.below(all),
            (near_ones, _) => near[self.random.below(near_ones)],
        };
        let old = self.tally.row(row);
        let new = self.with(&old, cells);
        for (column, &value) in new.iter().enumerate() {
            if value != old[column] {
                self.make(row, column, value);
            }
        }
    }

    /// The row with these cells, and of the rest of it as much as can be beside them.
    fn with(&mut self, old: &Row, cells: &[Cell]) -> Row {
        let mut row = old.clone();
        for &(column, value) in cells {
            row[column] = value;
        }
        if self.feasible.can_be(&row) {
            return row;
        }
        let given = |column: &usize| cells.iter().any(|cell| cell.0 == *column);
        let open = |column: &usize| self.feasible.is_constrained(*column) && !given(column);
        let mut open: Vec<usize> = (0..row.len()).filter(open).collect();
        for &column in &open {
            row[column] = FREE;
        }
        self.random.shuffle(&mut open);
        for column in open {
            let size = self.space.sizes[column];
            let first = self.random.below(size);
            let others = (0..size).map(|place| ((first + place) % size) as Value);
            let mut values = std::iter::once(old[column]).chain(others);
            let goes = values.find(|value| {
                row[column] = *value;
                self.feasible.can_be(&row)
            });
            row[column] = goes.expect("what can be ended has a value for each column");
        }
        row
    }
}
