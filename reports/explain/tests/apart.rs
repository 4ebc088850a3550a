//! Failures that say different things: what is told apart, and what is asked for then.

mod grid;

use std::collections::BTreeSet;

use grid::{columns, literal, rows, unordered};
use migratrix_explain::{Cause, Literal, Outcome, Row, Table, explain, settle};

/// How many values the columns have: source, destination, device, and something that tells nothing.
const SIZES: [u8; 4] = [2, 2, 6, 2];

/// Devices 1 to 4 fail from the source 1 alone and say one thing, the device 5 fails from both and says another:
/// all of them to the destination 1.
fn says(row: &[u8]) -> Option<u32> {
    match row {
        [1, 1, 1..=4, _] => Some(0),
        [_, 1, 5, _] => Some(1),
        _ => None,
    }
}

/// Everything was tried but the devices 1 to 4 from the source 0 to the destination 1. What failures say counts
/// by `told`.
fn table(told: impl Fn(u32) -> Option<u32>) -> Table {
    let columns = columns(&SIZES, |_| unordered());
    let row = |row: [u8; 4]| {
        let is_tried = !matches!(row, [0, 1, 1..=4, _]);
        let fails = says(&row);
        Row {
            values: row.into_iter().map(Some).collect(),
            failed: u32::from(is_tried && fails.is_some()),
            passed: u32::from(is_tried && fails.is_none()),
            says: fails.filter(|_| is_tried).and_then(&told),
            ..Row::default()
        }
    };
    let rows = rows(SIZES).into_iter().map(row).collect();
    let table = Table::new(columns, rows).expect("a table");
    table.placed_by(vec![0, 1])
}

fn literals(causes: &[Cause]) -> BTreeSet<Vec<Literal>> {
    causes.iter().map(|one| one.literals.clone()).collect()
}

#[test]
fn values_whose_failures_say_another_thing_settle_nothing_for_the_others() {
    let alike = explain(&table(|_| Some(0))).causes;
    let whole = vec![literal(1, &[1]), literal(2, &[1, 2, 3, 4, 5])];
    assert_eq!(
        literals(&alike),
        BTreeSet::from([whole]),
        "all say the same"
    );
    assert!(alike[0].is_settled(), "{alike:?}");
    let apart = explain(&table(Some)).causes;
    let [first, second] = apart.as_slice() else {
        panic!("two causes: {apart:?}");
    };
    let (devices, other) = (literal(2, &[1, 2, 3, 4]), literal(2, &[5]));
    assert_eq!(first.literals, [literal(1, &[1]), devices]);
    assert_eq!(second.literals, [literal(1, &[1]), other]);
    assert!(!first.is_settled(), "nothing was tried from another source");
    let asked = first.question.map(|row| rows(SIZES)[row]);
    assert!(matches!(asked, Some([0, 1, 1..=4, _])), "{asked:?}");
}

#[test]
fn what_is_told_apart_is_asked_for_until_the_truth_is_found() {
    let mut table = table(Some);
    let (found, asked) = settle(&mut table, 14, |row| match says(&rows(SIZES)[row]) {
        Some(_) => Outcome::Failed,
        None => Outcome::Passed,
    });
    let mut told = BTreeSet::new();
    for cause in &found.causes {
        told.extend(table.region(&cause.literals).ones());
    }
    let truth = rows(SIZES).into_iter().enumerate();
    let truth = truth.filter(|(_, row)| says(row).is_some());
    assert_eq!(told, truth.map(|(place, _)| place).collect(), "{found:?}");
    assert!(asked > 0);
}

#[test]
fn what_is_told_apart_names_nothing_that_keeps_none_of_its_own_out() {
    // The devices 1 and 2 fail where the switch is on; device 1 was not tried where it is off.
    let sizes = [2, 3, 4];
    let columns = columns(&sizes, |_| unordered());
    let all = rows(sizes).into_iter();
    let tried = all.filter(|row| row[0] == 1 || row[1] != 1);
    let rows = tried.map(|row| {
        let fails = row[0] == 1 && row[1] > 0;
        Row {
            values: row.into_iter().map(Some).collect(),
            failed: u32::from(fails),
            passed: u32::from(!fails),
            says: fails.then_some(row[1].into()),
            ..Row::default()
        }
    });
    let table = Table::new(columns, rows.collect()).expect("a table");
    let told = literals(&explain(&table).causes);
    let one = vec![literal(1, &[1])];
    let other = vec![literal(0, &[1]), literal(1, &[2])];
    assert_eq!(told, BTreeSet::from([one, other]));
}

#[test]
fn what_was_told_with_a_part_of_another_cause_is_told_with_its_own_again() {
    // Of one direction both devices fail and say one thing, of the other one of them, and says another: without what
    // they say that device in both directions would be the shorter cause.
    let sizes = [3, 4, 4];
    let says = |row: [u8; 3]| match row {
        [0, 1 | 2, _] => Some(0),
        [1, 2, _] => Some(1),
        _ => None,
    };
    let row = |row: [u8; 3]| Row {
        values: row.into_iter().map(Some).collect(),
        failed: u32::from(says(row).is_some()),
        passed: u32::from(says(row).is_none()),
        says: says(row),
        ..Row::default()
    };
    let rows = rows(sizes).into_iter().map(row).collect();
    let table = Table::new(columns(&sizes, |_| unordered()), rows).expect("a table");
    let causes = explain(&table).causes;
    let both = vec![literal(0, &[0]), literal(1, &[1, 2])];
    let other = vec![literal(0, &[1]), literal(1, &[2])];
    assert_eq!(literals(&causes), BTreeSet::from([both, other]));
    assert!(causes.iter().all(Cause::is_settled), "{causes:?}");
}
