//! The greedy pass: one row after the other, each from a combination that is not covered yet.

use crate::{
    feasible::Feasible,
    model::{FREE, Row, Value},
    random::Random,
    space::{Slot, Space},
};

/// Rows that cover all slots that are `possible`: the `kept` ones, and those that it takes beside them.
pub(crate) fn rows(
    space: &Space,
    feasible: &Feasible,
    possible: Vec<bool>,
    kept: &[Row],
    random: &mut Random,
) -> Vec<Row> {
    let mut wanted: Vec<Slot> = (0..space.slots as Slot).collect();
    wanted.retain(|slot| possible[*slot as usize]);
    random.shuffle(&mut wanted);
    let mut uncovered = possible;
    let mut rows = kept.to_vec();
    for slot in kept.iter().flat_map(|row| space.slots_in(row)) {
        uncovered[slot as usize] = false;
    }
    let mut maker = Maker::new(space, feasible);
    for slot in wanted {
        if !uncovered[slot as usize] {
            continue;
        }
        let row = maker.row(slot, &uncovered, random);
        for slot in space.slots_in(&row) {
            uncovered[slot as usize] = false;
        }
        rows.push(row);
    }
    rows
}

/// What a row is made with.
struct Maker<'a> {
    space: &'a Space,
    feasible: &'a Feasible,
    row: Row,
    /// Of each combination, how many of its columns have values already.
    filled: Vec<u8>,
    /// Of each combination, the slot that these lead to.
    slots: Vec<Slot>,
    /// Of each value of the column, how much would be covered by it.
    gains: Vec<u32>,
}

impl<'a> Maker<'a> {
    fn new(space: &'a Space, feasible: &'a Feasible) -> Self {
        Self {
            space,
            feasible,
            row: Vec::new(),
            filled: vec![0; space.combinations()],
            slots: vec![0; space.combinations()],
            gains: Vec::new(),
        }
    }

    /// A row with the values of `slot`, and beside them, column by column in a random order, the values
    /// by which most of what is `uncovered` is covered.
    fn row(&mut self, slot: Slot, uncovered: &[bool], random: &mut Random) -> Row {
        let space = self.space;
        self.row.clear();
        self.row.resize(space.columns, FREE);
        self.filled.fill(0);
        for number in 0..space.combinations() {
            self.slots[number] = space.base(number);
        }
        for (column, value) in space.cells(slot) {
            self.set(column, value);
        }
        let mut free: Vec<usize> = (0..space.columns).collect();
        free.retain(|column| self.row[*column] == FREE);
        random.shuffle(&mut free);
        for column in free {
            self.weigh(column, uncovered);
            let value = self.best(column, random);
            self.set(column, value);
        }
        self.row.clone()
    }

    fn set(&mut self, column: usize, value: Value) {
        self.row[column] = value;
        for &(number, stride) in &self.space.of_column[column] {
            self.filled[number as usize] += 1;
            self.slots[number as usize] += stride * Slot::from(value);
        }
    }

    fn weigh(&mut self, column: usize, uncovered: &[bool]) {
        let space = self.space;
        self.gains.clear();
        self.gains.resize(space.sizes[column], 0);
        for &(number, stride) in &space.of_column[column] {
            if self.filled[number as usize] + 1 < space.length(number as usize) {
                continue;
            }
            let mut slot = self.slots[number as usize];
            for gain in &mut self.gains {
                *gain += u32::from(uncovered[slot as usize]);
                slot += stride;
            }
        }
    }

    /// Of the values with which the row can still be ended, the one that gains most; of several a random
    /// one.
    fn best(&mut self, column: usize, random: &mut Random) -> Value {
        let size = self.gains.len();
        let first = random.below(size);
        let mut values: Vec<usize> = (0..size).map(|place| (first + place) % size).collect();
        values.sort_by_key(|value| std::cmp::Reverse(self.gains[*value]));
        if !self.feasible.is_constrained(column) {
            return values[0] as Value;
        }
        let goes = values
            .into_iter()
            .map(|value| value as Value)
            .find(|&value| {
                self.row[column] = value;
                self.feasible.can_be(&self.row)
            });
        goes.expect("what can be ended has a value for each column")
    }
}
