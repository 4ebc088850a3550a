//! Causes of which several factors are lists of values, or all but one.

mod grid;

use grid::{columns, literal, rows, unordered};
use migratrix_explain::{Cause, Literal, Row, Table, explain};

fn table<const N: usize>(
    sizes: [u8; N],
    tried: impl Fn([u8; N]) -> bool,
    fails: impl Fn([u8; N]) -> bool,
) -> Table {
    let row = |row: [u8; N]| Row {
        values: row.into_iter().map(Some).collect(),
        failed: u32::from(tried(row) && fails(row)),
        passed: u32::from(tried(row) && !fails(row)),
        ..Row::default()
    };
    let rows = rows(sizes).into_iter().map(row).collect();
    Table::new(columns(&sizes, |_| unordered()), rows).expect("a table")
}

/// The only cause where all was tried.
#[track_caller]
fn only<const N: usize>(sizes: [u8; N], fails: impl Fn([u8; N]) -> bool) -> Cause {
    let mut causes = explain(&table(sizes, |_| true, fails)).causes;
    assert_eq!(causes.len(), 1, "{causes:?}");
    causes.remove(0)
}

#[track_caller]
fn is_sure(cause: &Cause, literals: &[Literal]) {
    assert_eq!(cause.literals, literals);
    assert!(cause.is_settled(), "{cause:?}");
}

#[test]
fn all_but_a_value_and_a_list_are_one_cause() {
    let cause = only([3, 5, 4], |[control, hardware, _]| {
        control != 1 && matches!(hardware, 1..=3)
    });
    is_sure(&cause, &[literal(0, &[0, 2]), literal(1, &[1, 2, 3])]);
}

#[test]
fn all_but_a_value_of_each_of_three_columns_are_one_cause() {
    let cause = only([3, 4, 5, 2], |[one, two, three, _]| {
        one != 1 && two != 2 && three != 0
    });
    let literals = [
        literal(0, &[0, 2]),
        literal(1, &[0, 1, 3]),
        literal(2, &[1, 2, 3, 4]),
    ];
    is_sure(&cause, &literals);
}

#[test]
fn two_lists_are_one_cause() {
    let cause = only([6, 6, 2], |[one, two, _]| {
        matches!(one, 0 | 2 | 4) && matches!(two, 1 | 2 | 5)
    });
    is_sure(&cause, &[literal(0, &[0, 2, 4]), literal(1, &[1, 2, 5])]);
}

#[test]
fn two_lists_that_have_not_the_same_values_beside_them_are_two_causes() {
    let fails = |[one, two, _]: [u8; 3]| matches!((one, two), (0 | 2, 1 | 2 | 5) | (4, 1 | 3));
    let causes = explain(&table([6, 6, 3], |_| true, fails)).causes;
    assert_eq!(causes.len(), 2, "{causes:?}");
}

#[test]
fn a_cause_of_two_lists_may_be_of_one_factor_more_that_all_that_was_tried_has() {
    // What fails was tried with one value of the third column alone.
    let fails = |[one, two, _]: [u8; 3]| one != 1 && two != 2;
    let tried = |[one, two, three]: [u8; 3]| one == 1 || two == 2 || three == 0;
    let causes = explain(&table([3, 4, 3], tried, fails)).causes;
    assert_eq!(causes.len(), 1, "{causes:?}");
    assert!(!causes[0].is_settled(), "{causes:?}");
}
