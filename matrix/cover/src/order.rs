//! The order of the rows: those that cover strength 1 first, then those that it takes for 2, and so on.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::{Cover, CoverError, Model, Row, Wanted, check_kept, feasible::Feasible, space::Space};

/// Of the `rows`, few that cover all combinations of `strength` values that occur in them, by their places:
/// next always the one that covers most of what is left, and of several such rows the first.
///
/// It is what is left of a greedy pass where nothing may be made anew: the same rows always have the same
/// choice, whatever becomes of the search.
///
/// # Errors
/// Returns what contradicts itself, or is too much to be held.
pub fn among(sizes: &[usize], strength: usize, rows: &[Row]) -> Result<Vec<usize>, CoverError> {
    let (model, wanted) = (Model::new(sizes), Wanted::of_strength(strength));
    model.check()?;
    wanted.check(sizes.len())?;
    let feasible = Feasible::new(&model);
    rows.iter()
        .try_for_each(|row| check_kept(&model, &feasible, row))?;
    let space = Space::new(&model, &wanted.demands(sizes.len(), strength))?;
    let mut order = Vec::new();
    add_level(&space, rows, &mut order);
    Ok(order)
}

/// The rows in their order, and how many of the first ones cover each strength. The kept ones stay the
/// first.
pub(crate) fn by_strength(
    model: &Model,
    wanted: &Wanted,
    rows: Vec<Row>,
) -> Result<Cover, CoverError> {
    let (kept, strongest) = (wanted.kept.len(), wanted.strongest());
    let mut order: Vec<usize> = (0..kept).collect();
    let mut levels = Vec::new();
    for strength in 1..strongest {
        let space = Space::new(model, &wanted.demands(model.columns(), strength))?;
        add_level(&space, &rows, &mut order);
        levels.push(order.len());
    }
    let mut left = vec![true; rows.len()];
    order.iter().for_each(|row| left[*row] = false);
    order.extend((0..rows.len()).filter(|row| left[*row]));
    levels.push(order.len());
    let mut rows: Vec<Option<Row>> = rows.into_iter().map(Some).collect();
    let rows = order.into_iter().filter_map(|row| rows[row].take());
    Ok(Cover {
        rows: rows.collect(),
        levels,
    })
}

/// Puts rows into the order till these cover of the space what all rows do: next always the one that covers
/// most of what is left, and of several such rows the first.
///
/// What a row would cover only shrinks as others are taken, so that an old count is a bound: a row is
/// counted again only when it comes to the top of the heap.
fn add_level(space: &Space, rows: &[Row], order: &mut Vec<usize>) {
    let mut covered = vec![false; space.slots];
    let mut taken = vec![false; rows.len()];
    for &row in &*order {
        taken[row] = true;
        take(space, &rows[row], &mut covered);
    }
    let others = (0..rows.len()).filter(|row| !taken[*row]);
    let most = space.combinations();
    let mut heap: BinaryHeap<_> = others.map(|row| (most, Reverse(row))).collect();
    while let Some((_, Reverse(row))) = heap.pop() {
        let gain = space
            .slots_in(&rows[row])
            .filter(|slot| !covered[*slot as usize])
            .count();
        let now = (gain, Reverse(row));
        if gain == 0 {
            continue;
        }
        if heap.peek().is_some_and(|next| *next > now) {
            heap.push(now);
            continue;
        }
        order.push(row);
        take(space, &rows[row], &mut covered);
    }
}

fn take(space: &Space, row: &Row, covered: &mut [bool]) {
    for slot in space.slots_in(row) {
        covered[slot as usize] = true;
    }
}
