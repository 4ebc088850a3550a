//! What nobody chooses: a fault, and the moment at which it strikes. A jump on which a fault is not survived is
//! nothing that an operator can avoid, so it is said in other words.

use migratrix_matrix::{Axis, ColoMoment, Failover, Incident, Loss, RecoveryMoment, Strike, Suite};

use super::{Avoid, Jumps};
use crate::LeftOver;

/// The axes that say what goes wrong, and when.
const AXES: [&str; 6] = [
    Strike::NAME,
    RecoveryMoment::NAME,
    Incident::NAME,
    Loss::NAME,
    Failover::NAME,
    ColoMoment::NAME,
];

/// What is said where a fault is not survived.
pub(super) const NOT_AVOIDED: &str = "what is not survived is a fault at its moment, which nobody avoids: what \
                                      is left then, and what heals it, stands in docs/recovery.md";

/// How a filter's cases are told: what can be avoided, or what is not survived.
pub(super) fn verb(filter: &str) -> &'static str {
    if names_fault(filter) {
        "not survived:"
    } else {
        "avoid"
    }
}

/// The same of cases that nothing accounts for.
pub(super) fn verb_of(all: &[LeftOver]) -> &'static str {
    if all.iter().any(is_struck) {
        "not survived:"
    } else {
        "avoid"
    }
}

/// Whether some jump has a fault that is not survived.
pub(super) fn any(jumps: &Jumps) -> bool {
    let is_fault = |avoid: &Avoid| names_fault(&avoid.filter);
    let mut all = jumps.jumps.iter();
    all.any(|one| one.avoid.iter().any(is_fault) || one.left_over.iter().any(is_struck))
}

/// Whether one of its predicates is about a fault.
fn names_fault(filter: &str) -> bool {
    let is_word = |letter: char| letter.is_ascii_lowercase() || letter == '-';
    let before = filter.split('(').map(|part| {
        let start = part.rfind(|letter| !is_word(letter));
        start.map_or(part, |place| &part[place + 1..])
    });
    let mut predicates = before.filter(|word| !word.is_empty());
    predicates.any(|word| AXES.contains(&word))
}

/// Whether something goes wrong in it on purpose.
fn is_struck(LeftOver { case, .. }: &LeftOver) -> bool {
    let suite = case.suite();
    let incident = case.raw().map(|raw| raw.incident);
    [Suite::Recovery, Suite::Colo].contains(&suite)
        || incident.is_some_and(|incident| incident != Incident::None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_of_a_fault_where_one_of_its_predicates_is() {
        for (filter, told) in [
            ("strike(cancelled) & moment(first-pass)", "not survived:"),
            ("control(p2p) & !strike(data-reset)", "not survived:"),
            ("incident(recover)", "not survived:"),
            ("colo-moment(idle)", "not survived:"),
            ("control(p2p)", "avoid"),
            ("devices(virtio-*) & !devices(virtio-blk)", "avoid"),
            ("all", "avoid"),
        ] {
            assert_eq!(verb(filter), told, "{filter}");
        }
    }
}
