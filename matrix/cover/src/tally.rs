//! The tally: how often each combination is covered by the rows, and what each row alone covers.

use crate::{
    model::{Row, Value},
    space::{Slot, Space},
};

/// Where a slot stands in the list of what is uncovered, if it is covered.
const NOWHERE: u32 = u32::MAX;

/// The same of a slot that no row covers but one that is half changed.
const NEVER: u32 = NOWHERE - 1;

/// The rows, and how what they cover changes with each of their values.
pub(crate) struct Tally<'a> {
    space: &'a Space,
    /// The rows, column by column.
    columns: Vec<Vec<Value>>,
    /// How many rows there are.
    pub(crate) rows: usize,
    /// Row by row, the slot of each combination.
    slots: Vec<Slot>,
    /// Of each slot, how many rows cover it, and all their numbers, added by `^`: where it is one row, that
    /// is its number.
    counts: Vec<(u16, u16)>,
    /// What is not covered, each with its combination.
    uncovered: Vec<(Slot, usize)>,
    /// Of each slot, where it stands there.
    places: Vec<u32>,
    /// Row by row, of each column, how much only this row covers by a combination with it.
    losses: Vec<u32>,
    /// Of each row, how much only it covers.
    own: Vec<u32>,
}

impl<'a> Tally<'a> {
    /// The most rows that can be counted.
    pub(crate) const MOST_ROWS: usize = u16::MAX as usize;

    pub(crate) fn new(space: &'a Space, possible: &[bool], rows: &[Row]) -> Self {
        let mut tally = Self {
            space,
            columns: vec![Vec::with_capacity(rows.len()); space.columns],
            rows: 0,
            slots: Vec::with_capacity(rows.len() * space.combinations()),
            counts: vec![(0, 0); space.slots],
            uncovered: Vec::new(),
            places: vec![NEVER; space.slots],
            losses: Vec::new(),
            own: Vec::new(),
        };
        for combination in 0..space.combinations() {
            for slot in space.slots_of(combination).filter(|slot| possible[*slot]) {
                tally.places[slot] = NOWHERE;
                tally.uncover(slot as Slot, combination);
            }
        }
        rows.iter().for_each(|row| tally.push(row));
        tally
    }

    fn push(&mut self, row: &Row) {
        let number = self.rows;
        self.rows += 1;
        self.losses.resize(self.rows * self.space.columns, 0);
        self.own.push(0);
        for (column, value) in self.columns.iter_mut().zip(row) {
            column.push(*value);
        }
        for combination in 0..self.space.combinations() {
            let slot = self.space.slot(combination, row);
            self.slots.push(slot);
            self.enter(slot, combination, number);
        }
    }

    /// Takes a row out; the last one has its number then.
    pub(crate) fn remove(&mut self, row: usize) {
        let (columns, combinations) = (self.space.columns, self.space.combinations());
        let last = self.rows - 1;
        for combination in 0..combinations {
            let slot = self.slots[row * combinations + combination];
            self.leave(slot, combination, row);
        }
        for combination in 0..combinations {
            let slot = self.slots[last * combinations + combination];
            self.slots[row * combinations + combination] = slot;
            if row != last {
                self.counts[slot as usize].1 ^= row as u16 ^ last as u16;
            }
        }
        self.slots.truncate(last * combinations);
        self.losses
            .copy_within(last * columns..(last + 1) * columns, row * columns);
        self.losses.truncate(last * columns);
        self.own.swap_remove(row);
        for column in &mut self.columns {
            column.swap_remove(row);
        }
        self.rows = last;
    }

    /// Gives the row another value.
    pub(crate) fn set(&mut self, row: usize, column: usize, value: Value) {
        let space = self.space;
        let old = self.columns[column][row];
        self.columns[column][row] = value;
        let first = row * space.combinations();
        for &(number, stride) in &space.of_column[column] {
            let combination = number as usize;
            let left = self.slots[first + combination];
            let entered = left - stride * Slot::from(old) + stride * Slot::from(value);
            self.slots[first + combination] = entered;
            self.leave(left, combination, row);
            self.enter(entered, combination, row);
        }
    }

    fn enter(&mut self, slot: Slot, combination: usize, row: usize) {
        let (count, rows) = &mut self.counts[slot as usize];
        let before = usize::from(*rows);
        *count += 1;
        *rows ^= row as u16;
        match *count {
            1 => {
                self.cover(slot);
                self.own(row, combination, 1);
            }
            2 => self.own(before, combination, -1),
            _ => {}
        }
    }

    fn leave(&mut self, slot: Slot, combination: usize, row: usize) {
        let (count, rows) = &mut self.counts[slot as usize];
        *count -= 1;
        *rows ^= row as u16;
        match *count {
            0 => {
                self.uncover(slot, combination);
                self.own(row, combination, -1);
            }
            1 => {
                let only = usize::from(*rows);
                self.own(only, combination, 1);
            }
            _ => {}
        }
    }

    /// The row alone covers one combination of these columns more, or less.
    fn own(&mut self, row: usize, combination: usize, more: i32) {
        let own = &mut self.own[row];
        *own = own.wrapping_add_signed(more);
        let losses = &mut self.losses[row * self.space.columns..];
        for &(column, _) in self.space.strides(combination) {
            let loss = &mut losses[usize::from(column)];
            *loss = loss.wrapping_add_signed(more);
        }
    }

    fn uncover(&mut self, slot: Slot, combination: usize) {
        if self.places[slot as usize] == NEVER {
            return;
        }
        self.places[slot as usize] = self.uncovered.len() as u32;
        self.uncovered.push((slot, combination));
    }

    fn cover(&mut self, slot: Slot) {
        let place = self.places[slot as usize];
        if place == NEVER {
            return;
        }
        self.uncovered.swap_remove(place as usize);
        if let Some((moved, _)) = self.uncovered.get(place as usize) {
            self.places[*moved as usize] = place;
        }
        self.places[slot as usize] = NOWHERE;
    }

    /// How much is not covered.
    pub(crate) fn missing(&self) -> usize {
        self.uncovered.len()
    }

    /// The slot of that place among what is not covered.
    pub(crate) fn missed(&self, place: usize) -> Slot {
        self.uncovered[place].0
    }

    /// How much less would be uncovered if the row had this value.
    pub(crate) fn gain(&self, row: usize, column: usize, value: Value) -> i64 {
        let covered = if self.uncovered.len() < self.space.of_column[column].len() {
            self.covers_of_missing(row, column, value)
        } else {
            self.covers_of_own(row, column, value)
        };
        covered as i64 - i64::from(self.losses[row * self.space.columns + column])
    }

    /// How much of what is uncovered the row would cover with the value: each of that is looked at.
    fn covers_of_missing(&self, row: usize, column: usize, value: Value) -> usize {
        let old = Slot::from(self.columns[column][row]);
        let slots = self.slots_of(row);
        let covers = |&&(slot, combination): &&(Slot, usize)| {
            let mut strides = self.space.strides(combination).iter();
            let own = strides.find(|(own, _)| usize::from(*own) == column);
            own.is_some_and(|(_, stride)| {
                slots[combination] + stride * Slot::from(value) == slot + stride * old
            })
        };
        self.uncovered.iter().filter(covers).count()
    }

    /// The same: each of the combinations that the column is in is looked at.
    fn covers_of_own(&self, row: usize, column: usize, value: Value) -> usize {
        let old = Slot::from(self.columns[column][row]);
        let slots = self.slots_of(row);
        let covers = |&&(number, stride): &&(u32, Slot)| {
            let slot = slots[number as usize] - stride * old + stride * Slot::from(value);
            self.counts[slot as usize].0 == 0
        };
        self.space.of_column[column].iter().filter(covers).count()
    }

    fn slots_of(&self, row: usize) -> &[Slot] {
        let combinations = self.space.combinations();
        &self.slots[row * combinations..][..combinations]
    }

    /// Of the rows from the given one on, the one that alone covers the least.
    pub(crate) fn least(&self, from: usize) -> usize {
        let rows = from..self.rows;
        rows.min_by_key(|row| self.own[*row]).unwrap_or(from)
    }

    /// The values of the column, row by row.
    pub(crate) fn column(&self, column: usize) -> &[Value] {
        &self.columns[column]
    }

    /// The values of the row.
    pub(crate) fn row(&self, row: usize) -> Row {
        self.columns.iter().map(|column| column[row]).collect()
    }

    /// All rows.
    pub(crate) fn all(&self) -> Vec<Row> {
        (0..self.rows).map(|row| self.row(row)).collect()
    }
}
