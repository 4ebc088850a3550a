//! A cause at one source and one destination that could be of all places of their direction.

mod grid;

use std::cmp::Ordering;

use grid::{columns, literal, rows, unordered};
use migratrix_explain::{Cause, Kind, Literal, Row, Table, Values, explain};

/// The columns: source, destination, device, something that tells nothing, and the direction.
const SIZES: [u8; 5] = [2, 2, 4, 3, 3];
const SOURCE: usize = 0;
const DESTINATION: usize = 1;
const DEVICE: usize = 2;
const DIRECTION: usize = 4;
/// The directions: of one release to an older one, to the same, and to a newer one.
const BACKWARD: u8 = 0;
const SAME: u8 = 1;
const FORWARD: u8 = 2;

/// What came of a row: nothing where it was not tried.
type Came = Option<Result<(), u32>>;

/// All rows, without the direction: that follows.
fn places() -> Vec<[u8; 4]> {
    let [source, destination, device, other, _] = SIZES;
    rows([source, destination, device, other])
}

fn table(came: impl Fn([u8; 4]) -> Came) -> Table {
    let kind = |column| match column {
        SOURCE | DESTINATION => Kind::Ordered,
        DIRECTION => Kind::Unordered {
            families: [[0, 1], [0, 2], [1, 2]].map(Values::from_iter).to_vec(),
        },
        _ => unordered(),
    };
    let columns = columns(&SIZES, kind);
    let row = |row: [u8; 4]| {
        let direction = match row[DESTINATION].cmp(&row[SOURCE]) {
            Ordering::Less => BACKWARD,
            Ordering::Equal => SAME,
            Ordering::Greater => FORWARD,
        };
        let came = came(row);
        Row {
            values: row.into_iter().chain([direction]).map(Some).collect(),
            failed: u32::from(matches!(came, Some(Err(_)))),
            passed: u32::from(matches!(came, Some(Ok(())))),
            says: came.and_then(Result::err),
            ..Row::default()
        }
    };
    let rows = places().into_iter().map(row).collect();
    let table = Table::new(columns, rows).expect("a table");
    table
        .placed_by(vec![SOURCE, DESTINATION])
        .with_unchosen(vec![DIRECTION])
}

/// All was tried, and each failure says the same.
fn all(fails: impl Fn([u8; 4]) -> bool) -> Table {
    table(|row| Some(if fails(row) { Err(0) } else { Ok(()) }))
}

/// A cause from one release to another of a device.
fn pair(source: u8, destination: u8, device: u8) -> Vec<Literal> {
    let literals = [
        (SOURCE, source),
        (DESTINATION, destination),
        (DEVICE, device),
    ];
    literals
        .map(|(column, value)| literal(column, &[value]))
        .to_vec()
}

fn directed(device: u8, directions: &[u8]) -> Vec<Literal> {
    vec![literal(DEVICE, &[device]), literal(DIRECTION, directions)]
}

#[track_caller]
fn of(table: &Table, literals: &[Literal]) -> Cause {
    let causes = explain(table).causes;
    let own = causes.iter().find(|one| one.literals == literals);
    own.cloned()
        .unwrap_or_else(|| panic!("{literals:?} among {causes:?}"))
}

/// Holds that a cause is not settled, as it could be another one that a row tells.
#[track_caller]
fn told_by(own: &Cause, other: Vec<Literal>, told_by: [u8; 4]) {
    let rival = own
        .rivals
        .iter()
        .find(|one| one.literals == Some(other.clone()));
    let row = rival.and_then(|one| one.told_by).map(|row| places()[row]);
    assert!(row == Some(told_by) && !own.is_settled(), "{own:?}");
}

#[test]
fn what_fails_of_one_release_may_be_of_each_where_another_cause_has_all_else_that_fails_so() {
    let table = all(|row| matches!(row, [0, 0, 1, ..] | [1, 1, ..]));
    assert_eq!(of(&table, &pair(0, 0, 1)).wider, [directed(1, &[SAME])]);
    let other = vec![literal(SOURCE, &[1]), literal(DESTINATION, &[1])];
    assert_eq!(of(&table, &other).wider, [] as [Vec<Literal>; 0]);
}

#[test]
fn what_fails_in_one_direction_may_be_of_both_others_than_another() {
    let table = all(|row| matches!(row, [0, 1, 1, ..] | [1, 0, ..]));
    let open = [directed(1, &[BACKWARD, FORWARD])];
    assert_eq!(of(&table, &pair(0, 1, 1)).wider, open);
}

#[test]
fn a_pass_of_the_direction_says_that_it_is_of_the_releases() {
    let table = all(|row| matches!(row, [0, 0, 1, ..] | [1, 1, 1, .., 0 | 1]));
    assert!(
        explain(&table)
            .causes
            .iter()
            .all(|one| one.wider.is_empty())
    );
}

#[test]
fn what_the_failures_of_a_direction_say_tells_whose_they_are() {
    let table = table(|row| match row {
        [0, 0, 1, ..] => Some(Err(0)),
        [1, 1, ..] => Some(Err(1)),
        _ => Some(Ok(())),
    });
    assert!(of(&table, &pair(0, 0, 1)).wider.is_empty());
}

#[test]
fn a_row_of_the_direction_that_was_not_tried_tells() {
    let untried = [1, 1, 1, 2];
    let table = table(|row| match row {
        row if row == untried => None,
        [0, 0, 1, ..] | [1, 1, .., 0 | 1] => Some(Err(0)),
        _ => Some(Ok(())),
    });
    let own = of(&table, &pair(0, 0, 1));
    assert!(own.wider.is_empty(), "{own:?}");
    told_by(&own, directed(1, &[SAME]), untried);
}

#[test]
fn a_way_between_two_releases_is_one_factor_and_leaves_room_for_two() {
    let fails = |row: [u8; 4]| row[..3] == [1, 0, 2];
    let whole = of(&all(fails), &pair(1, 0, 2));
    assert!(whole.is_settled(), "{whole:?}");
    // Where all that was tried has one more thing in common, that may be a part of it.
    let some = table(|row| {
        let is_tried = !fails(row) || row[3] == 0;
        is_tried.then(|| if fails(row) { Err(0) } else { Ok(()) })
    });
    let cause = of(&some, &pair(1, 0, 2));
    assert!(!cause.is_settled(), "{cause:?}");
    let asked = cause.question.map(|row| places()[row]);
    assert!(matches!(asked, Some([1, 0, 2, 1 | 2])), "{asked:?}");
}
