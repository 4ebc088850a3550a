//! A further cause in values that were never tried together.

use std::collections::BTreeSet;

use migratrix_explain::{Column, Kind, Literal, Outcome, Row, Table, settle};

const SIZES: [u8; 4] = [3, 3, 3, 4];

fn rows() -> Vec<[u8; 4]> {
    let count: u8 = SIZES.iter().product();
    let row = |mut number: u8| {
        let mut row = [0; 4];
        for (value, size) in row.iter_mut().zip(SIZES) {
            (*value, number) = (number % size, number / size);
        }
        row
    };
    (0..count).map(row).collect()
}

/// Each was tried but those of three values together.
fn table(fails: impl Fn([u8; 4]) -> bool) -> Table {
    let columns = SIZES.iter().enumerate().map(|(group, values)| Column {
        group,
        values: usize::from(*values),
        kind: Kind::Unordered {
            families: Vec::new(),
        },
    });
    let row = |row: [u8; 4]| {
        let is_tried = row[..3] != [2, 2, 2];
        Row {
            values: row.into_iter().map(Some).collect(),
            failed: u32::from(is_tried && fails(row)),
            passed: u32::from(is_tried && !fails(row)),
            ..Row::default()
        }
    };
    Table::new(columns.collect(), rows().into_iter().map(row).collect()).expect("a table")
}

/// What is told after up to so many further rows, and how many were asked for.
fn found(fails: impl Fn([u8; 4]) -> bool) -> (BTreeSet<Vec<Literal>>, usize) {
    let (mut table, rows) = (table(&fails), rows());
    let (found, asked) = settle(&mut table, 20, |row| match fails(rows[row]) {
        true => Outcome::Failed,
        false => Outcome::Passed,
    });
    let told = found.causes.into_iter().map(|one| one.literals);
    (told.collect(), asked)
}

fn literal(column: usize, value: u8) -> Literal {
    let values = [value].into_iter().collect();
    Literal { column, values }
}

#[test]
fn what_was_never_tried_together_is_looked_at_beside_a_cause() {
    let seen = vec![literal(0, 0), literal(3, 1)];
    let hidden = vec![literal(0, 2), literal(1, 2), literal(2, 2)];
    let (told, _) = found(|row| matches!(row, [0, _, _, 1] | [2, 2, 2, _]));
    assert_eq!(told, BTreeSet::from([seen, hidden]));
}

#[test]
fn nothing_is_looked_for_where_nothing_fails() {
    assert_eq!(found(|row| row[..3] == [2, 2, 2]), (BTreeSet::new(), 0));
}
