//! Lists, families and ranges of which a part was tried: what is told, what it could also be, and what is asked for.

mod grid;

use grid::{columns, literal, rows, unordered};
use migratrix_explain::{Cause, Kind, Literal, Outcome, Row, Table, Values, explain, settle};

/// Source, destination, and devices, of which those from `FAMILY` on are of one family.
const SIZES: [u8; 3] = [3, 3, 16];
const FAMILY: u8 = 6;
/// Of the family what fails from the source 1 to the destination 2 alone is all but this.
const BUT: u8 = 9;

fn fails(row: [u8; 3]) -> bool {
    matches!(row, [1, 2, device] if device >= FAMILY && device != BUT)
}

/// Each device was tried everywhere but from the source 1 to the destination 2, and there some.
fn table(tried: &[u8], fails: impl Fn([u8; 3]) -> bool) -> Table {
    let kind = |column| match column {
        2 => Kind::Unordered {
            families: vec![(FAMILY..SIZES[2]).collect()],
        },
        _ => unordered(),
    };
    let row = |row: [u8; 3]| {
        let is_tried = row[..2] != [1, 2] || tried.contains(&row[2]);
        Row {
            values: row.into_iter().map(Some).collect(),
            failed: u32::from(is_tried && fails(row)),
            passed: u32::from(is_tried && !fails(row)),
            ..Row::default()
        }
    };
    let rows = rows(SIZES).into_iter().map(row).collect();
    let table = Table::new(columns(&SIZES, kind), rows).expect("a table");
    table.placed_by(vec![0, 1])
}

fn pair(devices: Values) -> Vec<Literal> {
    let devices = Literal {
        column: 2,
        values: devices,
    };
    vec![literal(0, &[1]), literal(1, &[2]), devices]
}

/// The family without one of it.
fn but_one() -> Values {
    (FAMILY..SIZES[2]).filter(|one| *one != BUT).collect()
}

#[track_caller]
fn only(causes: &[Cause]) -> &Cause {
    let [only] = causes else {
        panic!("one cause: {causes:?}");
    };
    only
}

#[test]
fn a_family_but_for_what_passed_is_told_rather_than_the_list_of_what_was_tried() {
    let table = table(&[0, 1, 2, BUT, 10, 11, 12, 13], fails);
    let causes = explain(&table).causes;
    let cause = only(&causes);
    assert_eq!(cause.literals, pair(but_one()));
    assert!(!cause.is_settled(), "{cause:?}");
    let asked = cause.question.map(|row| rows(SIZES)[row]);
    let is_open = |row: &[u8; 3]| matches!(row, [1, 2, 6 | 7 | 8 | 14 | 15]);
    assert!(asked.as_ref().is_some_and(is_open), "{asked:?}");
}

#[test]
fn a_list_is_not_sure_while_values_beside_it_are_untried_with_its_other_factors() {
    for (devices, tried) in [
        // Without a family in common.
        (vec![0, 2, 4], vec![0, 1, 2, 4, 5]),
        // Of a family of which others passed.
        (vec![6, 7], vec![0, 1, 6, 7, 8, 9, 10, 11]),
    ] {
        let all = devices.clone();
        let fails = move |row: [u8; 3]| row[..2] == [1, 2] && all.contains(&row[2]);
        let causes = explain(&table(&tried, &fails)).causes;
        let cause = only(&causes);
        assert!(!cause.is_settled(), "{cause:?}");
        let [untried] = cause.untried.as_slice() else {
            panic!("some were not tried: {cause:?}");
        };
        let open: Values = (0..SIZES[2]).filter(|one| !tried.contains(one)).collect();
        assert_eq!(untried.values, open.without(cause.literals[2].values));
        let mut table = table(&tried, &fails);
        let (found, asked) = settle(&mut table, 60, |row| match fails(rows(SIZES)[row]) {
            true => Outcome::Failed,
            false => Outcome::Passed,
        });
        let cause = only(&found.causes);
        assert_eq!(cause.literals, pair(devices.into_iter().collect()));
        assert!(cause.is_settled() && cause.untried.is_empty(), "{cause:?}");
        assert!(asked <= 11, "{asked} rows were asked for");
    }
}

#[test]
fn a_value_is_not_sure_while_another_one_is_untried_with_its_other_factors() {
    let sizes = [2, 3, 4];
    let table = |untried: &[u8]| {
        let rows = rows(sizes).into_iter().map(|row| {
            let is_tried = row[0] == 0 || !untried.contains(&row[1]);
            let fails = row[..2] == [1, 0];
            Row {
                values: row.into_iter().map(Some).collect(),
                failed: u32::from(is_tried && fails),
                passed: u32::from(is_tried && !fails),
                ..Row::default()
            }
        });
        let columns = columns(&sizes, |_| unordered());
        Table::new(columns, rows.collect()).expect("a table")
    };
    let told = vec![literal(0, &[1]), literal(1, &[0])];
    let causes = explain(&table(&[])).causes;
    let cause = only(&causes);
    assert_eq!(cause.literals, told);
    assert!(cause.is_settled() && cause.untried.is_empty(), "{cause:?}");
    let causes = explain(&table(&[2])).causes;
    let cause = only(&causes);
    assert_eq!(cause.literals, told);
    assert_eq!(cause.untried, [literal(1, &[2])]);
    assert!(!cause.is_settled(), "{cause:?}");
    let is_open = |row: usize| matches!(rows(sizes)[row], [1, 2, _]);
    assert!(cause.question.is_some_and(is_open), "{cause:?}");
    let [rival] = cause.rivals.as_slice() else {
        panic!("one rival: {cause:?}");
    };
    let wider = vec![literal(0, &[1]), literal(1, &[0, 2])];
    assert_eq!(rival.literals, Some(wider));
    assert!(rival.told_by.is_some_and(is_open), "{rival:?}");
}

#[test]
fn a_family_but_for_one_is_settled_by_asking_its_own_members_first() {
    let mut table = table(&[0, 1, 2, BUT, 10, 11, 12, 13], fails);
    let mut order = Vec::new();
    let (found, _) = settle(&mut table, 20, |row| {
        order.push(rows(SIZES)[row]);
        match fails(rows(SIZES)[row]) {
            true => Outcome::Failed,
            false => Outcome::Passed,
        }
    });
    let cause = only(&found.causes);
    assert_eq!(cause.literals, pair(but_one()));
    assert!(cause.is_settled() && cause.untried.is_empty(), "{cause:?}");
    assert!(
        matches!(order.first(), Some([1, 2, device]) if *device >= FAMILY),
        "{order:?}"
    );
}

#[test]
fn a_range_of_very_many_values_is_not_sure_while_the_next_one_is_untried() {
    let sizes = [40, 2];
    let kind = |column| match column {
        0 => Kind::Ordered,
        _ => unordered(),
    };
    let columns = columns(&sizes, kind);
    let table = |untried: &[u8]| {
        let rows = rows(sizes).into_iter().map(|[version, device]| {
            let is_tried = device == 0 || !untried.contains(&version);
            let fails = device == 1 && (10..20).contains(&version);
            Row {
                values: vec![Some(version), Some(device)],
                failed: u32::from(is_tried && fails),
                passed: u32::from(is_tried && !fails),
                ..Row::default()
            }
        });
        Table::new(columns.clone(), rows.collect()).expect("a table")
    };
    let whole = explain(&table(&[])).causes;
    assert!(only(&whole).is_settled(), "{whole:?}");
    for untried in [[20, 21], [8, 9]] {
        let causes = explain(&table(&untried)).causes;
        let cause = only(&causes);
        assert!(!cause.is_settled(), "{cause:?}");
        let asked = cause.question.map(|row| table(&[]).rows()[row].values[0]);
        assert!(
            asked.flatten().is_some_and(|one| untried.contains(&one)),
            "{cause:?}"
        );
    }
}
