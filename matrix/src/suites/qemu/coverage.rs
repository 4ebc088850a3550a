//! The coverage table: each test of QEMU's own `migration-test`, and the case that covers it.
//!
//! The table is `coverage.tsv`: a test's name, a tab, and the point, or a dash and the reason why
//! there is none. The names are those that QEMU 10.2.2 registers on x86_64, and its later COLO tests.
//! A point does what the test does: where the test stops its guest first, so does the point. Only the
//! tests of CPR are run on TCG as well, where QEMU registers them for KVM alone.

use itertools::Itertools;

use super::point::Raw;

const TABLE: &str = include_str!("coverage.tsv");

/// What covers a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Covered {
    /// This point.
    Case(Raw),
    /// Nothing, for this reason.
    Not(&'static str),
}

/// Each test of QEMU's own `migration-test`, in its order, and what covers it.
pub fn coverage() -> impl Iterator<Item = (&'static str, Covered)> {
    TABLE.lines().map(|line| {
        let (test, covered) = line.split_once('\t').expect("a line has a tab");
        (test, read(covered))
    })
}

fn read(text: &'static str) -> Covered {
    match text.strip_prefix("- ") {
        Some(reason) => Covered::Not(reason),
        None => Covered::Case(text.parse().expect("the table's points are right")),
    }
}

/// The points of all cases in the table, each once, in its order.
pub(crate) fn points() -> Vec<Raw> {
    let points = coverage().filter_map(|(_, covered)| match covered {
        Covered::Case(raw) => Some(raw),
        Covered::Not(_) => None,
    });
    points.unique().collect()
}
