//! Covering arrays: few rows, in which every combination of T values that can occur does occur.
//!
//! The crate knows columns and numbers only. A [`Model`] says how many values each column has and
//! which rows there can be, [`Wanted`] what is to be covered, and [`cover`] finds the rows:
//!
//! ```text
//!   Model, Wanted ─▶ Space ─▶ greedy ─▶ search ─▶ order ─▶ Cover
//!                      └─ Feasible ─┘
//! ```
//!
//! - The space has a number for every combination of values that is to be covered. Whether one can occur
//!   at all is asked of the model's constraints, by backtracking over a row that has only its values.
//! - The greedy pass makes one row after the other, each from a combination that is not covered yet, and
//!   column by column by what most of the others are covered by (as AETG does: Cohen et al., 1997).
//! - The search takes a row out and mends what is uncovered by changes of single values, with a list of
//!   those that may not be changed back yet (tabu), and takes out the next one, till its steps are over.
//! - At last the rows are put into an order in which the first of them cover strength 1, more of them 2,
//!   and so on: who stops early has the weaker cover whole.
//!
//! No step needs all rows that there can be. The same model, wish and seed give the same rows on every
//! machine: there are no clocks here, and no numbers but whole ones.

mod error;
mod feasible;
mod greedy;
mod model;
mod order;
mod random;
mod search;
mod space;
mod tally;
mod wanted;

pub use error::CoverError;
pub use model::{Cell, Model, Row, Value};
pub use order::among;
pub use wanted::{Group, Wanted};

use feasible::Feasible;
use random::Random;
use space::Space;

/// Rows that cover what was wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    /// The rows: those that had to be kept, and then those of each strength after the other.
    pub rows: Vec<Row>,
    /// How many of the first rows cover strength 1, 2 and so on; all of them the last one.
    pub levels: Vec<usize>,
}

/// The most slots of rows of a cover that is small: it is begun anew, since a search may be caught where fewer rows are near.
const SMALL: usize = 1 << 18;

/// How often a small cover is begun anew, at most.
const AGAIN: usize = 3;

/// Few rows of `model` that cover what is `wanted`.
///
/// # Errors
/// Returns what contradicts itself, or is too much to be held.
pub fn cover(model: &Model, wanted: &Wanted) -> Result<Cover, CoverError> {
    model.check()?;
    wanted.check(model.columns())?;
    let feasible = Feasible::new(model);
    if !feasible.can_be(&[]) {
        return Err(CoverError::NoRow);
    }
    for row in &wanted.kept {
        check_kept(model, &feasible, row)?;
    }
    let demands = wanted.demands(model.columns(), wanted.strongest());
    let space = Space::new(model, &demands)?;
    let possible = feasible.combinations(&space);
    let mut random = Random::new(wanted.seed);
    let least = search::least(&space, &possible).max(wanted.kept.len());
    let mut begun_anew = || {
        let (kept, possible) = (&wanted.kept, &possible);
        let greedy = greedy::rows(&space, &feasible, possible.clone(), kept, &mut random);
        let from = (greedy, least);
        search::fewer(&space, &feasible, possible, from, wanted, &mut random)
    };
    let mut rows = begun_anew();
    let is_small = wanted.steps > 0 && rows.len().saturating_mul(space.combinations()) <= SMALL;
    for _ in 0..if is_small { AGAIN } else { 0 } {
        if rows.len() <= least {
            break;
        }
        let others = begun_anew();
        if others.len() < rows.len() {
            rows = others;
        }
    }
    order::by_strength(model, wanted, rows)
}

fn check_kept(model: &Model, feasible: &Feasible, row: &Row) -> Result<(), CoverError> {
    let fits = |(value, size): (&Value, &usize)| usize::from(*value) < *size;
    let whole = row.len() == model.columns() && row.iter().zip(model.sizes()).all(fits);
    if whole && feasible.can_be(row) {
        return Ok(());
    }
    Err(CoverError::Kept(row.clone()))
}
