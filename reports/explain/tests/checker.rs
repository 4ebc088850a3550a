//! A checker that shares no code with the search: it knows rows and values only, and tries everything.

use std::collections::BTreeSet;

use migratrix_explain::{
    Cause, Column, Kind, Literal, Outcome, Row, Table, Values, explain, settle,
};
use proptest::prelude::*;

/// Whether a row has one of the values, read off the row itself.
fn has(row: &Row, literals: &[Literal]) -> bool {
    literals.iter().all(|one| {
        row.values[one.column].is_some_and(|value| one.values.iter().any(|own| own == value))
    })
}

/// Every set of values that a literal of a column may be, by brute force.
fn sets(column: &Column) -> Vec<Values> {
    let count = u8::try_from(column.values).expect("few");
    let all = (1..1_u32 << count).map(|bits| (0..count).filter(move |one| bits >> one & 1 == 1));
    let all = all.map(Iterator::collect::<Vec<u8>>);
    let is_range = |set: &Vec<u8>| set.windows(2).all(|two| two[1] == two[0] + 1);
    let wanted = all.filter(|set| match column.kind {
        Kind::Ordered => is_range(set),
        Kind::Single => set.len() == 1,
        Kind::Unordered { .. } => true,
    });
    wanted.map(|set| set.into_iter().collect()).collect()
}

/// What is wrong with an explanation of outcomes without a slip.
fn wrong(table: &Table) -> Result<(), TestCaseError> {
    let explanation = explain(table);
    let rows = table.rows();
    for cause in &explanation.causes {
        let own: Vec<_> = rows
            .iter()
            .filter(|row| has(row, &cause.literals))
            .collect();
        prop_assert!(
            own.iter().any(|row| row.failed > 0),
            "{cause:?} explains nothing"
        );
        let passed = own.iter().filter(|row| row.passed > 0).count();
        prop_assert_eq!(passed, cause.passed.len(), "{:?}", cause);
        minimal(table, cause)?;
    }
    for (place, row) in rows.iter().enumerate().filter(|(_, row)| row.failed > 0) {
        let covered = explanation
            .causes
            .iter()
            .any(|cause| has(row, &cause.literals));
        let left = explanation.left.contains(&place);
        prop_assert!(
            covered != left,
            "row {} is covered: {}, left: {}",
            place,
            covered,
            left
        );
    }
    Ok(())
}

/// Each cause has a failure that no other has.
fn needed(table: &Table) -> Result<(), TestCaseError> {
    let explanation = explain(table);
    for (place, cause) in explanation.causes.iter().enumerate() {
        let others = explanation.causes.iter().enumerate();
        let others = others.filter(|(other, _)| *other != place);
        let is_elsewhere = |row: &&usize| {
            let of = |(_, other): (usize, &Cause)| has(&table.rows()[**row], &other.literals);
            others.clone().any(of)
        };
        let own = cause.failed.iter().filter(|row| !is_elsewhere(row)).count();
        prop_assert!(own > 0, "{:?} is superfluous", cause);
    }
    Ok(())
}

/// Each cause is minimal, whatever passes within it.
fn bare(table: &Table) -> Result<(), TestCaseError> {
    let explanation = explain(table);
    let mut all = explanation.causes.iter();
    all.try_for_each(|cause| minimal(table, cause))
}

/// Without any of its literals a passing row is in it.
fn minimal(table: &Table, cause: &Cause) -> Result<(), TestCaseError> {
    for one in 0..cause.literals.len() {
        let mut rest = cause.literals.clone();
        rest.remove(one);
        let passing = |row: &&Row| row.passed > 0 && has(row, &rest);
        let passing = table.rows().iter().filter(passing).count();
        prop_assert!(passing > cause.passed.len(), "{:?} says too much", cause);
    }
    Ok(())
}

/// The least number of causes of at most three factors that have all failing rows and no passing one,
/// up to two; `None` where more are needed.
fn fewest(table: &Table) -> Option<usize> {
    let columns = table.columns();
    let mut pure: Vec<u64> = Vec::new();
    let failing: Vec<_> = table.rows().iter().filter(|row| row.failed > 0).collect();
    let mut literals = vec![Vec::new()];
    for (place, column) in columns.iter().enumerate() {
        let mut more = Vec::new();
        for some in &literals {
            more.push(some.clone());
            for values in sets(column) {
                let mut longer: Vec<Literal> = some.clone();
                longer.push(Literal {
                    column: place,
                    values,
                });
                more.push(longer);
            }
        }
        literals = more;
        literals.retain(|some| some.len() <= 3);
    }
    for some in literals {
        let passes = table
            .rows()
            .iter()
            .any(|row| row.passed > 0 && has(row, &some));
        let bits = failing
            .iter()
            .enumerate()
            .filter(|(_, row)| has(row, &some));
        let bits = bits.fold(0_u64, |all, (place, _)| all | 1 << place);
        if !passes && bits != 0 {
            pure.push(bits);
        }
    }
    let all = (1_u64 << failing.len()) - 1;
    if pure.contains(&all) {
        return Some(1);
    }
    let two = pure
        .iter()
        .any(|one| pure.iter().any(|other| one | other == all));
    two.then_some(2)
}

fn column(group: usize, values: usize, kind: Kind) -> Column {
    Column {
        group,
        values,
        kind,
    }
}

fn unordered() -> Kind {
    Kind::Unordered {
        families: Vec::new(),
    }
}

/// A row that was tried once.
fn tried(values: &[u8], fails: bool) -> Row {
    Row {
        values: values.iter().copied().map(Some).collect(),
        failed: u32::from(fails),
        passed: u32::from(!fails),
        ..Row::default()
    }
}

/// The whole product of two ordered columns of three values, a list of three and two switches.
fn space() -> (Vec<Column>, Vec<Vec<Option<u8>>>) {
    let columns = vec![
        column(0, 3, Kind::Ordered),
        column(1, 3, Kind::Ordered),
        column(2, 3, unordered()),
        column(3, 2, unordered()),
        column(4, 2, unordered()),
    ];
    let mut rows = vec![Vec::new()];
    for column in &columns {
        let count = u8::try_from(column.values).expect("few");
        let longer = |row: &Vec<Option<u8>>, value| {
            let mut row = row.clone();
            row.push(Some(value));
            row
        };
        rows = rows
            .iter()
            .flat_map(|row| (0..count).map(move |value| longer(row, value)))
            .collect();
    }
    (columns, rows)
}

/// A table of which a row fails where `fails` says so, and is not tried where `tried` does not.
fn table(fails: impl Fn(&[u8]) -> bool, tried: impl Fn(usize) -> bool) -> Table {
    let (columns, rows) = space();
    let rows = rows.into_iter().enumerate().map(|(place, values)| {
        let plain: Vec<u8> = values.iter().copied().flatten().collect();
        let (failed, is_tried) = (fails(&plain), tried(place));
        Row {
            values,
            failed: u32::from(failed && is_tried),
            passed: u32::from(!failed && is_tried),
            flaky: 0,
            says: None,
        }
    });
    Table::new(columns, rows.collect()).expect("it is one")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn causes_are_minimal_and_every_failure_is_covered_or_left(
        cells in prop::collection::vec((0..3_u8, 0..3_u8, 0..3_u8, 0..2_u8), 1..4),
        tried in prop::collection::vec(any::<bool>(), 108),
    ) {
        let fails = |row: &[u8]| cells.iter().any(|(one, two, three, four)| {
            row[0] >= *one && row[1] == *two && row[2] != *three && row[3] == *four
        });
        wrong(&table(fails, |_| true))?;
        wrong(&table(fails, |place| tried[place]))?;
    }

    #[test]
    fn no_cause_is_superfluous_whatever_fails(
        cells in prop::collection::vec((0..3_u8, 0..3_u8, 0..3_u8, 0..2_u8), 0..7),
        odd in prop::collection::vec(0..108_usize, 0..24),
        tried in prop::collection::vec(any::<bool>(), 108),
    ) {
        let fails = |row: &[u8]| cells.iter().any(|(one, two, three, four)| {
            row[0] >= *one && row[1] == *two && row[2] != *three && row[3] == *four
        });
        let all = table(fails, |_| true);
        let some = table(fails, |place| tried[place]);
        for mut table in [all, some] {
            for place in &odd {
                let was_failure = table.rows()[*place].failed > 0;
                table.add(*place, if was_failure { Outcome::Passed } else { Outcome::Failed });
            }
            needed(&table)?;
            bare(&table)?;
            let table = table.placed_by(vec![0, 1]);
            needed(&table)?;
            bare(&table)?;
        }
    }

    #[test]
    fn no_fewer_causes_would_do(
        one in (0..3_u8, 0..3_u8, 0..2_u8),
        other in (0..3_u8, 0..3_u8, 0..2_u8),
    ) {
        let fails = |row: &[u8]| {
            row[0] >= one.0 && row[2] == one.1 && row[3] == one.2
                || row[1] <= other.0 && row[2] == other.1 && row[4] == other.2
        };
        let table = table(fails, |_| true);
        let least = fewest(&table);
        if let Some(least) = least {
            let explanation = explain(&table);
            prop_assert!(explanation.causes.len() <= least, "{:?}", explanation);
            prop_assert_eq!(explanation.left.len(), 0);
        }
    }
}

#[test]
fn a_range_of_an_ordered_column_is_found_with_its_bounds() {
    let table = table(|row| row[0] >= 1 && row[1] == 2 && row[4] == 0, |_| true);
    let explanation = explain(&table);
    let [cause] = explanation.causes.as_slice() else {
        panic!("one cause: {explanation:?}");
    };
    let values = |all: &[u8]| all.iter().copied().collect::<Values>();
    let literal = |column, all: &[u8]| Literal {
        column,
        values: values(all),
    };
    let planted = vec![literal(0, &[1, 2]), literal(1, &[2]), literal(4, &[0])];
    assert_eq!(cause.literals, planted);
    assert!(cause.is_settled(), "{cause:?}");
    assert_eq!(cause.question, None, "nothing is left to ask");
}

#[test]
fn a_cause_that_few_of_many_contradict_is_told_with_these() {
    let slip = std::cell::Cell::new(true);
    let fails = |row: &[u8]| row[3] == 1 && !(row[0] == 0 && slip.take());
    let table = table(fails, |_| true);
    let explanation = explain(&table);
    let [cause] = explanation.causes.as_slice() else {
        panic!("one cause: {explanation:?}");
    };
    assert_eq!((cause.failed.len(), cause.passed.len()), (53, 1));
}

#[test]
fn what_is_not_sure_is_settled_by_questions() {
    let fails = |row: &[u8]| row[0] == 2 && row[2] == 1 && row[3] == 1;
    let truth = table(fails, |_| true);
    let some = (0..11).map(|first| table(fails, move |place| place % 11 == first));
    let is_open = |few: &Table| explain(few).causes.iter().any(|cause| !cause.is_settled());
    let mut few = some
        .into_iter()
        .find(is_open)
        .expect("one in eleven is not enough");
    let outcome = |row: usize| match truth.rows()[row].failed {
        0 => Outcome::Passed,
        _ => Outcome::Failed,
    };
    let (explanation, asked) = settle(&mut few, 11, outcome);
    let region = few.region(&explanation.causes[0].literals);
    let planted: Vec<_> = (0..truth.rows().len())
        .filter(|row| truth.rows()[*row].failed > 0)
        .collect();
    assert_eq!(region.ones().collect::<Vec<_>>(), planted, "after {asked}");
    assert!(explanation.causes[0].is_settled(), "after {asked}");
}

/// Rows of four switches and a number, with what came of each. All fail of which the first switch is on, and of
/// the others those of which the rest are: there the third and the fourth never differ.
fn followed_alone() -> Table {
    let mut columns: Vec<_> = (0..4).map(|group| column(group, 2, unordered())).collect();
    columns.push(column(4, 4, Kind::Ordered));
    let all = (0..64_u8).map(|bits| {
        [
            bits & 1,
            bits >> 1 & 1,
            bits >> 2 & 1,
            bits >> 3 & 1,
            bits >> 4,
        ]
    });
    let rows = all.filter(|row| row[0] == 1 || row[2] == row[3]);
    let rows = rows.map(|row| tried(&row, row[0] == 1 || row[1] == 1 && row[2] == 1));
    Table::new(columns, rows.collect()).expect("it is one")
}

/// What fails where the switch is on, but for a slip of each value of the list: one value was never tried there.
fn slipping() -> Table {
    let columns = vec![
        column(0, 2, unordered()),
        column(1, 5, unordered()),
        column(2, 6, Kind::Ordered),
    ];
    let all = (0..60_u8).map(|number| [number % 2, number / 2 % 5, number / 10]);
    let rows = all.filter(|row| row[0] == 0 || row[1] < 4);
    let rows = rows.map(|row| tried(&row, row[0] == 1 && row[1] != row[2]));
    Table::new(columns, rows.collect()).expect("it is one")
}

#[test]
fn a_list_of_all_values_that_were_tried_is_no_part_of_a_cause() {
    let table = slipping();
    let explanation = explain(&table);
    bare(&table).unwrap_or_else(|why| panic!("{why}: {explanation:?}"));
    needed(&table).unwrap_or_else(|why| panic!("{why}: {explanation:?}"));
    let [cause] = explanation.causes.as_slice() else {
        panic!("one cause: {explanation:?}");
    };
    assert_eq!(cause.literals.len(), 1, "{cause:?}");
}

#[test]
fn what_only_failures_of_another_cause_would_tell_apart_is_not_settled() {
    let explanation = explain(&followed_alone());
    let [whole, part] = explanation.causes.as_slice() else {
        panic!("two causes: {explanation:?}");
    };
    assert!(whole.is_settled() && whole.literals.len() == 1, "{whole:?}");
    assert!(!part.is_settled(), "{part:?}");
    let rival = &part.rivals[0];
    assert_eq!(rival.literals.as_ref().map(Vec::len), Some(2));
    assert_eq!(rival.told_by, None, "no row tells");
}

#[test]
fn what_fails_at_one_place_alone_is_told_with_the_place_and_nothing_is_left_over() {
    let fails = |row: &[u8]| row[0] == 1 && row[1] == 2 && row[2] != 0 && row[3] == 1;
    let table = table(fails, |_| true);
    let without = explain(&table);
    assert_eq!((without.causes.len(), without.left.len()), (0, 4));
    let placed = table.placed_by(vec![0, 1]);
    let explanation = explain(&placed);
    let [cause] = explanation.causes.as_slice() else {
        panic!("one cause: {explanation:?}");
    };
    assert_eq!((cause.failed.len(), cause.passed.len()), (4, 0));
    assert_eq!(placed.region(&cause.literals).count_ones(..), 4);
    assert_eq!(explanation.left, []);
}

#[test]
fn places_that_lie_beside_one_another_are_told_as_a_range() {
    let fails = |row: &[u8]| row[0] >= 1 && row[1] == 2 && row[2] != 0 && row[3] == 1;
    let table = table(fails, |_| true).placed_by(vec![0, 1]);
    let explanation = explain(&table);
    let [cause] = explanation.causes.as_slice() else {
        panic!("one cause: {explanation:?}");
    };
    assert_eq!((cause.failed.len(), cause.literals.len()), (8, 4));
}

/// The space, where the last column is what follows from the third and is another in one row of nine.
fn followed(fails: impl Fn(&[u8]) -> bool) -> Table {
    let (columns, rows) = space();
    let rows = rows.into_iter().enumerate().map(|(place, mut values)| {
        let follows = u8::from(values[2] == Some(2) || place % 9 == 4);
        values[4] = Some(follows);
        let plain: Vec<u8> = values.iter().copied().flatten().collect();
        let failed = u32::from(fails(&plain));
        Row {
            values,
            failed,
            passed: 1 - failed,
            flaky: 0,
            says: None,
        }
    });
    let table = Table::new(columns, rows.collect()).expect("it is one");
    table.with_unchosen(vec![4])
}

#[test]
fn what_nobody_chose_is_named_only_where_what_somebody_did_does_not_account_for_it() {
    let columns = |table: &Table| {
        let explanation = explain(table);
        assert_eq!(explanation.left, []);
        let causes = explanation.causes.iter();
        let columns = causes.map(|cause| cause.literals.iter().map(|one| one.column).collect());
        columns.collect::<Vec<Vec<usize>>>()
    };
    let by_the_axis = followed(|row| row[2] == 2 && row[0] >= 1);
    assert_eq!(columns(&by_the_axis), [[0, 2]]);
    let by_what_follows = followed(|row| row[4] == 0 && row[0] >= 1);
    assert_eq!(columns(&by_what_follows), [[0, 4]]);
    let tried = by_what_follows
        .rows()
        .iter()
        .filter(|row| row.values[4] == Some(0));
    let alike = tried.map(|row| Row { ..row.clone() }).collect::<Vec<_>>();
    let one_way = Table::new(by_what_follows.columns().to_vec(), alike).expect("it is one");
    assert_eq!(
        columns(&one_way.with_unchosen(vec![4])),
        [[0]],
        "nothing tells of it"
    );
}

#[test]
fn what_nobody_chose_and_was_the_same_in_all_outcomes_of_a_cause_is_asked_for() {
    let fails = |row: &[u8]| row[0] == 2 && row[2] == 1;
    let truths: [fn(&Row) -> bool; 2] = [|_| true, |row| row.values[4] == Some(0)];
    for (is_failure, columns) in truths.into_iter().zip([&[0, 2][..], &[0, 2, 4]]) {
        // What somebody chose was tried with the first value of the last column, wherever it fails.
        let (places, whole) = (space().1, table(fails, |_| true));
        let first = |place: usize| places[place][4] == Some(0) || whole.rows()[place].passed > 0;
        let mut table = table(fails, first).with_unchosen(vec![4]);
        let explanation = explain(&table);
        let [cause] = explanation.causes.as_slice() else {
            panic!("one cause: {explanation:?}");
        };
        assert!(!cause.is_settled(), "{cause:?}");
        let rows = table.rows().to_vec();
        let (explanation, asked) = settle(&mut table, 20, |row| {
            assert_eq!(rows[row].values[4], Some(1), "nothing else is to be asked");
            match is_failure(&rows[row]) {
                true => Outcome::Failed,
                false => Outcome::Passed,
            }
        });
        let own: Vec<_> = explanation.causes.iter().map(|one| &one.literals).collect();
        let [own] = own.as_slice() else {
            panic!("one cause: {explanation:?}");
        };
        let told: Vec<_> = own.iter().map(|one| one.column).collect();
        assert_eq!(told, columns);
        assert!(explanation.causes[0].is_settled() && asked < 6, "{asked}");
    }
}

#[test]
fn where_nearly_all_fail_that_is_the_cause() {
    let fails = |row: &[u8]| row.iter().any(|value| *value > 0);
    let explanation = explain(&table(fails, |_| true));
    let [cause] = explanation.causes.as_slice() else {
        panic!("one cause: {explanation:?}");
    };
    assert_eq!((cause.failed.len(), cause.passed.len()), (107, 1));
    assert_eq!(cause.literals, []);
}

#[test]
fn no_row_is_asked_for_again_while_another_would_tell() {
    let fails = |row: &[u8]| row[0] == 2 && row[2] == 1 && row[3] == 1;
    let truth = table(fails, |_| true);
    for first in 0..11 {
        let mut few = table(fails, |place| place % 11 == first);
        let doubted = explain(&few).doubted;
        let mut asked = BTreeSet::new();
        settle(&mut few, 20, |row| {
            let is_new = row % 11 != first || doubted.contains(&row);
            assert!(is_new && asked.insert(row), "{row} was tried already");
            match truth.rows()[row].failed {
                0 => Outcome::Passed,
                _ => Outcome::Failed,
            }
        });
    }
}

#[test]
fn what_came_of_a_row_last_counts() {
    let mut table = table(|_| true, |place| place == 0);
    table.add(0, Outcome::Failed);
    assert_eq!((table.rows()[0].failed, table.rows()[0].passed), (2, 0));
    table.add(0, Outcome::Passed);
    let row = &table.rows()[0];
    assert_eq!((row.failed, row.passed, row.flaky), (0, 1, 2));
}

#[test]
fn a_lone_failure_that_does_not_come_again_is_left_over() {
    let (mut once, fails) = (table(|_| false, |place| place % 5 == 0), 50);
    once.add(fails, Outcome::Failed);
    let (explanation, asked) = settle(&mut once, 30, |_| Outcome::Passed);
    assert_eq!(
        (explanation.causes.len(), explanation.left),
        (0, vec![fails])
    );
    assert!(asked < 20, "{asked}");
}

#[test]
fn a_pass_within_a_cause_is_tried_again() {
    let slip = std::cell::Cell::new(true);
    let truth = |row: &[u8]| row[0] == 2 && row[3] == 1;
    let mut table = table(|row| truth(row) && !slip.take(), |_| true);
    let odd = explain(&table).doubted;
    assert_eq!(odd.len(), 1, "{odd:?}");
    let (explanation, _) = settle(&mut table, 20, |row| {
        assert_eq!(row, odd[0], "nothing else is to be asked");
        Outcome::Failed
    });
    assert_eq!((explanation.causes.len(), explanation.doubted), (1, vec![]));
    assert_eq!(table.rows()[odd[0]].failed, 1);
}

#[test]
fn a_cause_between_two_ranges_of_very_many_values_is_found_with_the_ranges_right() {
    let ordered = |group| Column {
        group,
        values: 128,
        kind: Kind::Ordered,
    };
    let listed = Column {
        group: 2,
        values: 6,
        kind: Kind::Unordered {
            families: Vec::new(),
        },
    };
    // Of each value of a side 16 of the other are tried, as of many releases not all pairs are.
    let pairs =
        (0..128_u8).flat_map(|one| (0..16).map(move |other| (one, (one / 8 + other * 8) % 128)));
    let rows = pairs.flat_map(|(one, other)| (0..6).map(move |more| [one, other, more]));
    let is_failure = |[one, other, more]: [u8; 3]| one >= 100 && other <= 20 && more == 3;
    let rows = rows.map(|values| Row {
        values: values.map(Some).to_vec(),
        failed: u32::from(is_failure(values)),
        passed: u32::from(!is_failure(values)),
        ..Row::default()
    });
    let rows: Vec<_> = rows.collect();
    let table = Table::new(vec![ordered(0), ordered(1), listed], rows).expect("a table");
    let explanation = explain(&table);
    let [cause] = explanation.causes.as_slice() else {
        panic!("one cause: {explanation:?}");
    };
    for (place, row) in table.rows().iter().enumerate() {
        let told = has(row, &cause.literals);
        assert_eq!(told, row.failed > 0, "{place}: {cause:?}");
    }
    assert!(explanation.left.is_empty());
}
