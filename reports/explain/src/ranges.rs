//! The ranges of an ordered column that a cause may name: each, where there are few values. Of many values they end
//! where the share of failures changes most, for there are too many to weigh them all.

use crate::{Table, Values};

/// Of how many values each range is weighed.
const FEW: usize = 24;
/// Into how many stretches more values are cut.
const STRETCHES: usize = 16;
/// How much a cut has to tell.
const LEAST: f64 = 1e-6;

/// Whether an ordered column has so many values that not each range of them is weighed.
pub(crate) fn is_cut(table: &Table, column: usize) -> bool {
    table.there(column).count() > FEW
}

/// The ranges, and each value alone.
pub(crate) fn ranges(table: &Table, column: usize) -> Vec<Values> {
    let all: Vec<u8> = table.there(column).iter().collect();
    let ends = if is_cut(table, column) {
        cut(&tallies(table, column, &all))
    } else {
        (0..=all.len()).collect()
    };
    let from = |first: usize| (first + 1..ends.len()).map(move |last| (first, last));
    let both = (0..ends.len()).flat_map(from);
    let ranges = both.map(|(first, last)| all[ends[first]..ends[last]].iter().copied().collect());
    let alone = all.iter().map(|value| Values::from_iter([*value]));
    ranges.chain(alone).collect()
}

/// How often rows failed, and were tried.
#[derive(Clone, Copy, Default)]
struct Tally {
    failed: u32,
    tried: u32,
}

impl Tally {
    fn and(self, other: Self) -> Self {
        Self {
            failed: self.failed + other.failed,
            tried: self.tried + other.tried,
        }
    }

    /// How much the outcomes would surprise who knows their share.
    fn surprise(self) -> f64 {
        let part = |count: u32| {
            if count == 0 {
                0.0
            } else {
                -f64::from(count) * (f64::from(count) / f64::from(self.tried)).ln()
            }
        };
        part(self.failed) + part(self.tried - self.failed)
    }
}

fn sum(tallies: &[Tally]) -> Tally {
    tallies.iter().copied().fold(Tally::default(), Tally::and)
}

/// What came of each of the values.
fn tallies(table: &Table, column: usize, values: &[u8]) -> Vec<Tally> {
    let mut tallies = vec![Tally::default(); values.len()];
    for row in table.rows() {
        let place = row.values[column].and_then(|value| values.binary_search(&value).ok());
        if let Some(place) = place {
            let own = Tally {
                failed: row.failed,
                tried: row.failed + row.passed,
            };
            tallies[place] = tallies[place].and(own);
        }
    }
    tallies
}

/// Where the stretches end: each time the cut is made that tells most.
fn cut(tallies: &[Tally]) -> Vec<usize> {
    let mut ends = vec![0, tallies.len()];
    while ends.len() <= STRETCHES {
        let cuts = ends
            .windows(2)
            .filter_map(|ends| best(tallies, ends[0], ends[1]));
        let most = cuts.max_by(|(one, _), (other, _)| one.total_cmp(other));
        let Some((_, place)) = most.filter(|(gain, _)| *gain > LEAST) else {
            break;
        };
        ends.push(place);
        ends.sort_unstable();
    }
    ends
}

/// The best cut of a stretch, with how much it tells.
fn best(tallies: &[Tally], first: usize, end: usize) -> Option<(f64, usize)> {
    let whole = sum(&tallies[first..end]);
    let mut before = Tally::default();
    let cuts = (first + 1..end).map(|place| {
        before = before.and(tallies[place - 1]);
        let after = Tally {
            failed: whole.failed - before.failed,
            tried: whole.tried - before.tried,
        };
        (
            whole.surprise() - before.surprise() - after.surprise(),
            place,
        )
    });
    cuts.max_by(|(one, _), (other, _)| one.total_cmp(other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Column, Kind, Row};

    fn table(count: u8, fails: impl Fn(u8) -> bool) -> Table {
        let column = Column {
            group: 0,
            values: usize::from(count),
            kind: Kind::Ordered,
        };
        let row = |value| Row {
            values: vec![Some(value)],
            failed: u32::from(fails(value)),
            passed: u32::from(!fails(value)),
            ..Row::default()
        };
        Table::new(vec![column], (0..count).map(row).collect()).expect("a table")
    }

    #[test]
    fn of_few_values_each_range_is_there() {
        let table = table(5, |value| value == 2);
        let mut all = ranges(&table, 0);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 5 * 6 / 2);
    }

    #[test]
    fn of_many_values_ranges_end_where_failures_do() {
        let table = table(128, |value| (17..=99).contains(&value) && value != 50);
        let all = ranges(&table, 0);
        for wanted in [17..=99, 17..=49, 51..=99] {
            let wanted: Values = wanted.collect();
            assert!(all.contains(&wanted), "{wanted:?}");
        }
        assert!(all.len() < 300, "{}", all.len());
    }
}
