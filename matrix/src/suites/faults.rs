//! The suite `faults`: each condition's own test, on the points of the other suites.

use itertools::{Itertools, iproduct};

use crate::{
    Backend, Fault, Point, Profile,
    suite::{ProfileRow, SuiteSpec},
};

/// The suite.
pub(crate) struct Faults;

static PROFILES: [ProfileRow; 1] = [ProfileRow {
    profile: Profile::Faults,
    backends: &Backend::ALL,
    points: faults,
}];

impl SuiteSpec for Faults {
    fn backends(&self) -> &'static [Backend] {
        &Backend::ALL
    }

    fn profiles(&self) -> &'static [ProfileRow] {
        &PROFILES
    }
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
