//! The smallest combinations of values that account for what failed.
//!
//! ```text
//!   Table ─▶ candidates ─▶ the fewest that cover all failures ─▶ Explanation
//!     ▲                                                              │
//!     └───────────── outcome ◀── the row that splits rivals best ◀───┘
//! ```
//!
//! Pure, and without a word of migrations: a [`Table`] has columns, rows that could be tried, and what
//! came of those that were. A [`Cause`] is up to [`FACTORS`] [`Literal`]s, each some values of a column, and
//! where they strike at few places alone, others that say at which.
//! See Colbourn and McClary, *Locating and detecting arrays for interaction faults*, and Nie and Leung,
//! *The minimal failure-causing schema of combinatorial testing*.

mod apart;
mod bare;
mod budget;
mod candidates;
mod cause;
mod cover;
mod exact;
mod explore;
mod follows;
mod greedy;
mod listed;
mod literal;
mod merged;
mod ranges;
mod rivals;
mod search;
mod seen;
mod shared;
mod table;
mod turned;
mod unchosen;
mod untried;
mod within;

pub use budget::{Budget, settle};
pub use cause::{Beside, Cause, Explanation, Rival, explain};
pub use literal::{Literal, Shape, Values};
pub use table::{BadTable, Column, Kind, Outcome, Row, Table};

/// How many literals a cause has at most, beside those that say at which place.
pub const FACTORS: usize = 3;
