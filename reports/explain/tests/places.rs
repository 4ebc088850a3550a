//! What fails at a range of places alone, at few rows of each.

mod grid;

use grid::{columns, literal, rows, unordered};
use migratrix_explain::{Kind, Row, Table, explain};

/// Source and destination, in an order; a state, a machine and devices, in none.
const SIZES: [u8; 5] = [4, 4, 2, 2, 14];

fn table(fails: impl Fn([u8; 5]) -> bool) -> Table {
    let kind = |column| match column {
        0 | 1 => Kind::Ordered,
        _ => unordered(),
    };
    let row = |row: [u8; 5]| Row {
        values: row.into_iter().map(Some).collect(),
        failed: u32::from(fails(row)),
        passed: u32::from(!fails(row)),
        ..Row::default()
    };
    let rows = rows(SIZES).into_iter().map(row).collect();
    let table = Table::new(columns(&SIZES, kind), rows).expect("a table");
    table.placed_by(vec![0, 1])
}

/// What is told of the only cause, of these values of some columns.
#[track_caller]
fn is_told(wanted: &[(usize, &[u8])]) {
    let is = |row: [u8; 5]| {
        let mut all = wanted.iter();
        all.all(|(column, values)| values.contains(&row[*column]))
    };
    let explanation = explain(&table(is));
    let wanted = wanted
        .iter()
        .map(|(column, values)| literal(*column, values));
    let wanted: Vec<_> = wanted.collect();
    let told: Vec<_> = explanation.causes.iter().map(|one| &one.literals).collect();
    assert_eq!(told, [&wanted], "{explanation:?}");
    assert!(explanation.causes[0].is_settled());
    assert!(explanation.left.is_empty());
}

#[test]
fn what_fails_at_a_range_of_sources_and_destinations_is_one_cause_with_two_values_beside_it() {
    for device in [0, 7, 13] {
        is_told(&[(0, &[1, 2, 3]), (1, &[0, 1, 2]), (3, &[0]), (4, &[device])]);
        is_told(&[(0, &[2, 3]), (1, &[0, 1, 2]), (2, &[1]), (4, &[device])]);
        is_told(&[(0, &[0, 1]), (1, &[2, 3]), (3, &[1]), (4, &[device])]);
    }
}
