//! Rules: which points of a suite's product are no cases, and why. Nothing is left out without one.

use std::fmt;

use crate::Case;

/// Why a case is left out of its suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rule {
    /// What reports call it.
    pub name: &'static str,
    /// Why there can't be such a case.
    pub reason: &'static str,
    /// Where that is written.
    pub source: &'static str,
}

/// A rule of a suite, and the points that it leaves out.
pub(crate) struct Row<P> {
    rule: Rule,
    leaves_out: fn(&P) -> bool,
}

pub(crate) const fn row<P>(
    name: &'static str,
    leaves_out: fn(&P) -> bool,
    reason: &'static str,
    source: &'static str,
) -> Row<P> {
    Row {
        rule: Rule {
            name,
            reason,
            source,
        },
        leaves_out,
    }
}

#[cfg(test)]
impl<P> Row<P> {
    pub(crate) const fn name(&self) -> &'static str {
        self.rule.name
    }
}

/// The first of the rules that leaves the point out; `None` where it may be run.
pub(crate) fn first<P>(rows: &'static [Row<P>], point: &P) -> Option<&'static Rule> {
    let row = rows.iter().find(|row| (row.leaves_out)(point));
    row.map(|row| &row.rule)
}

const OWN_SCENARIO: Rule = Rule {
    name: "own-scenario",
    reason: "a fault is a violation only where the case expects the opposite, so each is run on \
             the one point of the fault table",
    source: "`Fault::point`",
};

const NO_CLIENT: Rule = Rule {
    name: "no-client",
    reason: "nobody stands between two QEMUs, so that the client is the source, once a pair",
    source: "`Case::tuple`",
};

/// The rule that leaves `case` out; `None` where it may be run.
#[must_use]
pub fn excluded(case: &Case) -> Option<&'static Rule> {
    if !case.backend.has_client() && case.tuple.client != case.tuple.source {
        return Some(&NO_CLIENT);
    }
    match case.fault {
        Some(fault) => (fault.point() != case.point).then_some(&OWN_SCENARIO),
        None => case.point.excluded(),
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {} ({})", self.name, self.reason, self.source)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Fault, TckFault};

    use super::*;

    #[test]
    fn a_fault_is_kept_on_its_own_scenario_and_left_out_on_another() {
        let name = "faults/fake/a,a,a/normal/persistent-running-undefined/none/source-defined";
        let mut case: Case = name.parse().unwrap();
        assert_eq!(excluded(&case).unwrap().name, "own-scenario");
        case.point = Fault::Tck(TckFault::SourceDefined).point();
        assert_eq!(excluded(&case), None);
    }

    #[test]
    fn no_case_without_a_fault_is_left_out() {
        let case = "tck/fake/a,a,a/normal/transient-paused-undefined/undefine"
            .parse()
            .unwrap();
        assert_eq!(excluded(&case), None);
    }
}
