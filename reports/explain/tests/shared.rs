//! Two causes that account for the same failures: what each is told of, and what nothing tells.

mod grid;

use std::collections::BTreeSet;

use grid::{columns, literal, rows, unordered};
use migratrix_explain::{Cause, Kind, Literal, Outcome, Row, Table, explain, settle};

/// A version, a device, and something that tells nothing.
const SIZES: [u8; 3] = [4, 6, 2];

fn table(fails: impl Fn([u8; 3]) -> bool) -> Table {
    telling(|row| fails(row).then_some(None))
}

/// The same, where failures may say something.
fn telling(fails: impl Fn([u8; 3]) -> Option<Option<u32>>) -> Table {
    let kind = |column| match column {
        0 => Kind::Ordered,
        _ => unordered(),
    };
    let all = rows(SIZES).into_iter();
    let rows = all.map(|row| Row {
        values: row.into_iter().map(Some).collect(),
        failed: u32::from(fails(row).is_some()),
        passed: u32::from(fails(row).is_none()),
        says: fails(row).flatten(),
        ..Row::default()
    });
    Table::new(columns(&SIZES, kind), rows.collect()).expect("a table")
}

fn literals(causes: &[Cause]) -> BTreeSet<Vec<Literal>> {
    causes.iter().map(|one| one.literals.clone()).collect()
}

#[track_caller]
fn of(causes: &[Cause], literals: &[Literal]) -> Cause {
    let own = causes.iter().find(|one| one.literals == literals);
    own.cloned()
        .unwrap_or_else(|| panic!("{literals:?} among {causes:?}"))
}

#[test]
fn a_list_is_told_without_the_value_of_which_another_cause_has_all_failures() {
    let causes = explain(&table(|row| matches!(row, [3, 1 | 2, _] | [2 | 3, 4, _]))).causes;
    let list = vec![literal(0, &[3]), literal(1, &[1, 2])];
    let other = vec![literal(0, &[2, 3]), literal(1, &[4])];
    assert_eq!(
        literals(&causes),
        BTreeSet::from([list.clone(), other.clone()])
    );
    assert_eq!(of(&causes, &list).shared, [literal(1, &[4])]);
    assert_eq!(of(&causes, &other).shared, [literal(0, &[3])]);
}

#[test]
fn a_range_is_told_without_the_version_of_which_another_cause_has_all_failures() {
    let causes = explain(&table(|row| matches!(row, [1 | 2, 1, _] | [2, _, _]))).causes;
    let (range, other) = (
        vec![literal(0, &[1]), literal(1, &[1])],
        vec![literal(0, &[2])],
    );
    assert_eq!(
        literals(&causes),
        BTreeSet::from([range.clone(), other.clone()])
    );
    assert_eq!(of(&causes, &range).shared, [literal(0, &[2])]);
    assert!(of(&causes, &other).shared.is_empty());
}

#[test]
fn a_value_beside_which_another_cause_has_all_failures_may_be_of_a_cause_of_one_as_well() {
    let causes = explain(&table(|row| matches!(row, [3, 1, _] | [2 | 3, 4, _]))).causes;
    let own = vec![literal(0, &[3]), literal(1, &[1])];
    assert_eq!(of(&causes, &own).shared, [literal(1, &[4])]);
}

#[test]
fn what_a_cause_does_not_say_is_open_where_what_is_left_is_one_value_or_a_range() {
    let causes = explain(&table(|row| {
        matches!(row, [2, _, 0] | [2, 4, 1] | [3, 4, 1])
    }))
    .causes;
    let own = vec![literal(0, &[2, 3]), literal(1, &[4]), literal(2, &[1])];
    let other = vec![literal(0, &[2]), literal(2, &[0])];
    assert_eq!(literals(&causes), BTreeSet::from([own, other]));
    assert!(causes.iter().all(|one| one.shared.is_empty()), "{causes:?}");

    let causes = explain(&table(|row| matches!(row, [2, _, 0] | [2, 4, 1]))).causes;
    let own = of(&causes, &[literal(0, &[2]), literal(1, &[4])]);
    assert_eq!(own.shared, [literal(2, &[0])]);

    let causes = explain(&table(|row| matches!(row, [0, _, 0] | [_, 4, 0]))).causes;
    let own = of(&causes, &[literal(1, &[4]), literal(2, &[0])]);
    assert_eq!(own.shared, [literal(0, &[0])]);
}

#[test]
fn causes_that_share_some_failures_of_each_value_hide_nothing() {
    let causes = explain(&table(|row| {
        matches!(row, [2, 1 | 2, _] | [_, 2, 1] | [0, 4, _])
    }))
    .causes;
    assert_eq!(causes.len(), 3, "{causes:?}");
    assert!(causes.iter().all(|one| one.shared.is_empty()), "{causes:?}");
}

#[test]
fn what_failures_say_tells_of_which_cause_a_value_is() {
    let list = |devices: &[u8]| vec![literal(0, &[3]), literal(1, devices)];
    let other = |versions: &[u8]| vec![literal(0, versions), literal(1, &[4])];
    for (meeting, devices, versions) in [(0, &[1, 2, 4][..], &[2][..]), (1, &[1, 2], &[2, 3])] {
        let causes = explain(&telling(|row| match row {
            [3, 4, _] => Some(Some(meeting)),
            [3, 1 | 2, _] => Some(Some(0)),
            [2, 4, _] => Some(Some(1)),
            _ => None,
        }))
        .causes;
        let told = BTreeSet::from([list(devices), other(versions)]);
        assert_eq!(literals(&causes), told);
        assert!(causes.iter().all(|one| one.shared.is_empty()), "{causes:?}");
    }
}

/// All of the version 3 fails beside the second value of what may tell nothing, and the device 4 beside the first.
/// With that, nothing else of the version was tried.
fn masked() -> (Table, Vec<[u8; 3]>) {
    let mut table = table(|row| matches!(row, [3, _, 1] | [_, 4, 0]));
    let mut rows = table.rows().to_vec();
    for row in &mut rows {
        if matches!(*row.values, [Some(3), Some(device), Some(0)] if device != 4) {
            (row.failed, row.passed) = (0, 0);
        }
    }
    table = Table::new(table.columns().to_vec(), rows).expect("a table");
    let values = table.rows().iter().map(|row| row.values.clone());
    let values = values.map(|row| [0, 1, 2].map(|column| row[column].expect("a value")));
    let values = values.collect();
    (table, values)
}

#[test]
fn what_is_alike_in_all_failures_of_a_cause_alone_may_be_a_part_of_it() {
    let (table, rows) = masked();
    let own = of(&explain(&table).causes, &[literal(0, &[3])]);
    assert!(!own.is_settled(), "{own:?}");
    let narrow = vec![literal(0, &[3]), literal(2, &[1])];
    let rival = own
        .rivals
        .iter()
        .find(|one| one.literals == Some(narrow.clone()));
    let told_by = rival.and_then(|one| one.told_by).map(|row| rows[row]);
    assert!(matches!(told_by, Some([3, _, 0])), "{own:?}");
}

#[test]
fn a_row_of_a_cause_alone_tells_what_is_a_part_of_it() {
    for outcome in [Outcome::Passed, Outcome::Failed] {
        let (mut table, rows) = masked();
        let (found, asked) = settle(&mut table, 20, |row| {
            assert!(
                matches!(rows[row], [3, _, 0]),
                "nothing else is to be asked"
            );
            outcome
        });
        let own = match outcome {
            Outcome::Passed => vec![literal(0, &[3]), literal(2, &[1])],
            Outcome::Failed => vec![literal(0, &[3])],
        };
        assert!(
            of(&found.causes, &own).is_settled() && asked > 0,
            "{found:?}"
        );
    }
}
