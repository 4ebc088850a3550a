//! The suite `faults`: each condition's own test, on the points of the other suites.

use itertools::{Itertools, iproduct};

use crate::{
    Backend, Fault, Point,
    suite::{SuiteRow, profiles},
};

/// What it is.
pub(crate) const SUITE: SuiteRow = SuiteRow {
    backends: &Backend::ALL,
    profiles: &PROFILES,
};

profiles! {
    Faults;

    /// Every fault, on the scenario in which it is a violation.
    FAULTS = "faults": &Backend::ALL, faults;
}

/// Every fault of the back end × every point that some fault has; the rules leave each fault its own.
fn faults(backend: Backend) -> Vec<(Point, Option<Fault>)> {
    let own = || {
        Fault::ALL
            .into_iter()
            .filter(|fault| fault.runs_on(backend))
    };
    let points: Vec<Point> = own().map(Fault::point).unique().collect();
    iproduct!(own(), points)
        .map(|(fault, point)| (point, Some(fault)))
        .collect()
}
