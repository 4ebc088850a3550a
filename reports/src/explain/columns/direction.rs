//! The direction in which a guest is moved, as the predicates of filters say it.

use std::{cmp::Ordering, collections::BTreeSet};

use migratrix_explain::Values;
use migratrix_matrix::{Filter, Releases};

use super::{ALL as ANY, Trial};

/// The directions of a guest: how the version of its source compares with that of its destination, and the filter that
/// is true of each.
pub(super) const ALL: [(Ordering, &str); 3] = [
    (Ordering::Greater, "backward()"),
    (Ordering::Equal, "same()"),
    (Ordering::Less, "forward()"),
];

/// The direction of each, as the predicates of filters say it; nothing where one is not known.
pub(super) fn of_all(trials: &[Trial], releases: &Releases) -> Option<Vec<Ordering>> {
    let filters = ALL.map(|(one, text)| Some((one, text.parse::<Filter>().ok()?)));
    let filters: Vec<_> = filters.into_iter().collect::<Option<_>>()?;
    let of = |trial: &Trial| {
        let is = |(_, filter): &&(Ordering, Filter)| filter.matches(&trial.case, releases);
        let own = filters.iter().find(|one| is(one) == Ok(true));
        own.map(|(direction, _)| *direction)
    };
    trials.iter().map(of).collect()
}

/// Each two of three directions: one of them is what the third is not.
pub(super) fn pairs() -> Vec<Values> {
    let pairs = [[0, 1], [0, 2], [1, 2]];
    pairs.into_iter().map(Values::from_iter).collect()
}

/// The filter that is true of the cases that move their guest in one of these directions.
pub(super) fn text(own: impl Iterator<Item = Ordering>) -> String {
    let own: BTreeSet<_> = own.collect();
    let (is, is_not): (Vec<_>, Vec<_>) = ALL.iter().partition(|(one, _)| own.contains(one));
    match (is.as_slice(), is_not.as_slice()) {
        ([(_, word)], _) => (*word).to_owned(),
        (_, [(_, word)]) => format!("!{word}"),
        (_, _) => ANY.to_owned(),
    }
}
