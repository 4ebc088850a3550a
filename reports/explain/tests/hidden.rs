//! A further cause in values that were never tried together.

mod grid;

use std::collections::BTreeSet;

use grid::{columns, literal, rows, unordered};
use migratrix_explain::{Literal, Outcome, Row, Table, settle};

const SIZES: [u8; 4] = [3, 3, 3, 4];

/// Each was tried but those of three values together.
fn table(fails: impl Fn([u8; 4]) -> bool) -> Table {
    let columns = columns(&SIZES, |_| unordered());
    let row = |row: [u8; 4]| {
        let is_tried = row[..3] != [2, 2, 2];
        Row {
            values: row.into_iter().map(Some).collect(),
            failed: u32::from(is_tried && fails(row)),
            passed: u32::from(is_tried && !fails(row)),
            ..Row::default()
        }
    };
    Table::new(columns, rows(SIZES).into_iter().map(row).collect()).expect("a table")
}

/// What is told after up to so many further rows, and how many were asked for.
fn found(fails: impl Fn([u8; 4]) -> bool) -> (BTreeSet<Vec<Literal>>, usize) {
    let (mut table, rows) = (table(&fails), rows(SIZES));
    let (found, asked) = settle(&mut table, 20, |row| match fails(rows[row]) {
        true => Outcome::Failed,
        false => Outcome::Passed,
    });
    let told = found.causes.into_iter().map(|one| one.literals);
    (told.collect(), asked)
}

#[test]
fn what_was_never_tried_together_is_looked_at_beside_a_cause() {
    let seen = vec![literal(0, &[0]), literal(3, &[1])];
    let hidden = vec![literal(0, &[2]), literal(1, &[2]), literal(2, &[2])];
    let (told, _) = found(|row| matches!(row, [0, _, _, 1] | [2, 2, 2, _]));
    assert_eq!(told, BTreeSet::from([seen, hidden]));
}

#[test]
fn nothing_is_looked_for_where_nothing_fails() {
    assert_eq!(found(|row| row[..3] == [2, 2, 2]), (BTreeSet::new(), 0));
}
