//! Causes that can be turned round: as many others account for the same outcomes.

mod grid;

use grid::{columns, literal, rows, unordered};
use migratrix_explain::{Cause, Kind, Outcome, Row, Table, explain, settle};

fn table<const N: usize>(
    sizes: [u8; N],
    tried: impl Fn([u8; N]) -> bool,
    fails: impl Fn([u8; N]) -> Option<Option<u32>>,
) -> Table {
    let row = |row: [u8; N]| Row {
        values: row.into_iter().map(Some).collect(),
        failed: u32::from(tried(row) && fails(row).is_some()),
        passed: u32::from(tried(row) && fails(row).is_none()),
        says: fails(row).flatten().filter(|_| tried(row)),
        ..Row::default()
    };
    let rows = rows(sizes).into_iter().map(row).collect();
    Table::new(columns(&sizes, |_| unordered()), rows).expect("a table")
}

fn settled(causes: &[Cause]) -> Vec<bool> {
    causes.iter().map(Cause::is_settled).collect()
}

/// Fails where one of three is set, and not all are.
fn some([one, two, three, ..]: [u8; 4]) -> bool {
    (1..3).contains(&(one + two + three))
}

#[test]
fn of_causes_that_can_be_turned_round_none_is_sure() {
    let causes = explain(&table(
        [2, 2, 2, 3],
        |_| true,
        |row| some(row).then_some(None),
    ))
    .causes;
    assert_eq!(settled(&causes), [false; 3], "{causes:?}");
    for cause in &causes {
        let rival = cause.rivals.first().expect("the others");
        assert_eq!(rival.with.len(), 2, "{cause:?}");
        assert_eq!(rival.told_by, None, "all was tried");
    }
}

/// Of two versions and something that tells nothing: what was tried are two even ones, which fail, and two odd ones.
fn of_versions(sizes: [u8; 3], fails: impl Fn([u8; 3]) -> bool) -> Table {
    let kind = |column| match column {
        2 => unordered(),
        _ => Kind::Ordered,
    };
    let row = |row: [u8; 3]| {
        let is_tried = row[0] % 2 == row[1] % 2;
        Row {
            values: row.into_iter().map(Some).collect(),
            failed: u32::from(is_tried && fails(row)),
            passed: u32::from(is_tried && !fails(row)),
            ..Row::default()
        }
    };
    let rows = rows(sizes).into_iter().map(row).collect();
    Table::new(columns(&sizes, kind), rows).expect("a table")
}

#[test]
fn a_row_tells_of_which_columns_causes_are_where_there_is_one() {
    let sizes = [4, 4, 3];
    for column in [0, 1] {
        let truth = |row: [u8; 3]| row[column] % 2 == 0;
        let mut table = of_versions(sizes, truth);
        let causes = explain(&table).causes;
        assert_eq!(settled(&causes), [false; 2], "{causes:?}");
        for cause in &causes {
            let rival = cause.rivals.first().expect("of the other column");
            assert_eq!(rival.with.len(), 1, "{cause:?}");
            let told_by = rival.told_by.map(|row| &table.rows()[row]);
            let told_by = told_by.map(|row| row.failed + row.passed);
            assert_eq!(told_by, Some(0), "{cause:?}");
        }
        let all = rows(sizes);
        let outcome = |row: usize| match truth(all[row]) {
            true => Outcome::Failed,
            false => Outcome::Passed,
        };
        let (told, _) = settle(&mut table, 20, outcome);
        let literals: Vec<_> = told.causes.iter().map(|one| &one.literals[..]).collect();
        let [one, other] = [literal(column, &[0]), literal(column, &[2])];
        assert_eq!(literals, [&[one][..], &[other]], "{told:?}");
        assert_eq!(settled(&told.causes), [true; 2], "{told:?}");
    }
}

#[test]
fn causes_beside_some_that_can_be_turned_round_are_sure() {
    let fails = |row: [u8; 4]| some(row) || row[3] == 2;
    let causes = explain(&table(
        [2, 2, 2, 3],
        |_| true,
        |row| fails(row).then_some(None),
    ))
    .causes;
    let beside = [literal(3, &[2])];
    let sure: Vec<_> = causes.iter().filter(|one| one.is_settled()).collect();
    assert_eq!(causes.len(), 4, "{causes:?}");
    assert_eq!(sure.len(), 1, "{causes:?}");
    assert_eq!(sure[0].literals, beside);
}

#[test]
fn causes_that_failures_tell_apart_can_not_be_turned_round() {
    let says = |row: [u8; 4]| match row {
        [1, 0, _, _] => Some(Some(1)),
        [_, 1, 0, _] => Some(Some(2)),
        [0, _, 1, _] => Some(Some(3)),
        _ => None,
    };
    let causes = explain(&table([2, 2, 2, 3], |_| true, says)).causes;
    assert_eq!(settled(&causes), [true; 3], "{causes:?}");
}
