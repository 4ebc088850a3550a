//! Covers: few cases, in which every combination of T values that occurs among all occurs at least once.
//!
//! Most faults need few values to meet: a cover of strength 2 or 3 sees them with a fraction of the
//! cases. See Kuhn, Kacker, Lei: *Practical Combinatorial Testing*, NIST SP 800-142.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use itertools::Itertools;

use crate::{Case, Point, point::Facet};

/// The greatest strength that is offered; the source above knows of no fault that needs more.
pub(crate) const STRONGEST: usize = 6;

/// Cases by which every combination of `strength` values that occurs in `cases` is covered, in their
/// order. The same cases always have the same cover.
///
/// The axes are those of [`Case::facets`], each flag and feature for itself, and the fault. Where
/// fewer than `strength` axes vary, the cover is all cases.
///
/// Each source with each destination has at least one case in it, whatever the strength.
///
/// It is the greedy one: the case that covers most of what is still uncovered is taken next, and of
/// several such cases the first.
#[must_use]
pub fn cover(cases: Vec<Case>, strength: usize) -> Vec<Case> {
    let rows: Vec<Row> = cases.iter().map(row_of).collect();
    let mut taken = Cover::new(&rows, strength).greedy(cases.len());
    let pair = |case: &Case| (case.tuple.source.clone(), case.tuple.destination.clone());
    let firsts = cases.iter().enumerate().unique_by(|(_, case)| pair(case));
    for (place, first) in firsts {
        let mut own = cases.iter().zip(&taken);
        if !own.any(|(case, taken)| *taken && pair(case) == pair(first)) {
            taken[place] = true;
        }
    }
    kept(cases, &taken)
}

/// Points by which every combination of `strength` values that occurs in `points` is covered, as
/// [`cover`] does for cases.
pub(crate) fn cover_points(points: Vec<Point>, strength: usize) -> Vec<Point> {
    let rows: Vec<Row> = points.iter().map(|point| named(point.facets())).collect();
    let taken = Cover::new(&rows, strength).greedy(points.len());
    kept(points, &taken)
}

/// The value of each axis.
type Row = HashMap<String, String>;

/// Those of `all` that are taken.
fn kept<T>(all: Vec<T>, taken: &[bool]) -> Vec<T> {
    let numbered = all.into_iter().enumerate();
    let kept = numbered.filter(|(place, _)| taken[*place]);
    kept.map(|(_, one)| one).collect()
}

/// One axis: the number of each case's value, and how many values there are.
struct Column {
    values: Vec<usize>,
    size: usize,
}

/// Some axes that are to be covered together.
struct Combination {
    columns: Vec<usize>,
    /// Where its part of [`Cover::covered`] begins.
    base: usize,
}

struct Cover {
    columns: Vec<Column>,
    combinations: Vec<Combination>,
    covered: Vec<bool>,
}

impl Cover {
    fn new(rows: &[Row], strength: usize) -> Self {
        let columns = columns(rows);
        let strength = strength.min(columns.len());
        let mut combinations = Vec::new();
        let mut base = 0;
        for chosen in (0..columns.len()).combinations(strength) {
            let size: usize = chosen.iter().map(|&column| columns[column].size).product();
            combinations.push(Combination {
                columns: chosen,
                base,
            });
            base += size;
        }
        Self {
            columns,
            combinations,
            covered: vec![false; base],
        }
    }

    /// Which of the `total` cases are taken.
    ///
    /// What a case would cover only shrinks as others are taken, so that an old count is a bound: a
    /// case is counted again only when it comes to the top of the heap.
    fn greedy(mut self, total: usize) -> Vec<bool> {
        let mut taken = vec![false; total];
        let most = self.combinations.len();
        let mut heap: BinaryHeap<_> = (0..total).map(|case| (most, Reverse(case))).collect();
        while let Some((_, Reverse(case))) = heap.pop() {
            let now = (self.gain(case), Reverse(case));
            if now.0 == 0 {
                continue;
            }
            if heap.peek().is_some_and(|next| *next > now) {
                heap.push(now);
                continue;
            }
            taken[case] = true;
            self.take(case);
        }
        taken
    }

    /// How many combinations of values `case` has that are not covered yet.
    fn gain(&self, case: usize) -> usize {
        let slots = self
            .combinations
            .iter()
            .map(|chosen| self.slot(chosen, case));
        slots.filter(|&slot| !self.covered[slot]).count()
    }

    fn take(&mut self, case: usize) {
        for chosen in 0..self.combinations.len() {
            let slot = self.slot(&self.combinations[chosen], case);
            self.covered[slot] = true;
        }
    }

    /// Where [`Cover::covered`] has the values of `case` on the chosen axes.
    fn slot(&self, chosen: &Combination, case: usize) -> usize {
        let columns = chosen.columns.iter().map(|&column| &self.columns[column]);
        let place = columns.fold(0, |slot, column| slot * column.size + column.values[case]);
        chosen.base + place
    }
}

/// The axes that vary among `rows`. A row without a value of an axis has that as its value.
fn columns(rows: &[Row]) -> Vec<Column> {
    let axes = rows.iter().flat_map(HashMap::keys).sorted().dedup();
    let columns = axes.map(|axis| column(rows, axis));
    columns.filter(|column| column.size > 1).collect()
}

fn row_of(case: &Case) -> Row {
    let mut row = named(case.facets());
    row.insert("suite".to_owned(), case.suite().to_string());
    row.insert("backend".to_owned(), case.backend.to_string());
    if let Some(fault) = case.fault {
        row.insert("fault".to_owned(), fault.to_string());
    }
    row
}

fn named(facets: Vec<Facet>) -> Row {
    let facets = facets.into_iter();
    facets.map(|one| (one.axis, one.text)).collect()
}

fn column(rows: &[Row], axis: &str) -> Column {
    let mut numbers = HashMap::new();
    let values = rows.iter().map(|row| {
        let next = numbers.len();
        *numbers.entry(row.get(axis)).or_insert(next)
    });
    Column {
        values: values.collect(),
        size: numbers.len(),
    }
}
