//! The shortest way through steps that may be taken.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::grid::Pair;

/// The way with the fewest steps among `count` places, both ends included. Of several it is that with
/// the fewest steps against its direction, of these that which goes least far, and then the first by its
/// places.
pub(super) fn shortest(
    count: usize,
    (from, to): Pair,
    may: impl Fn(Pair) -> bool,
) -> Option<Vec<usize>> {
    let mut ahead = BinaryHeap::from([Reverse((0, 0, 0, vec![from]))]);
    let mut done = vec![false; count];
    while let Some(Reverse((steps, against, far, way))) = ahead.pop() {
        let here = *way.last()?;
        if here == to {
            return Some(way);
        }
        if std::mem::replace(&mut done[here], true) {
            continue;
        }
        for next in (0..count).filter(|next| !done[*next] && may((here, *next))) {
            let back = usize::from((next > here) != (to > from));
            let way = way.iter().copied().chain([next]).collect();
            let far = far + here.abs_diff(next);
            ahead.push(Reverse((steps + 1, against + back, far, way)));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All ways that are at no place twice.
    fn all(way: &[usize], to: usize, may: &[Vec<bool>]) -> Vec<Vec<usize>> {
        let here = *way.last().expect("a way has a beginning");
        if here == to {
            return vec![way.to_vec()];
        }
        let steps = (0..may.len()).filter(|next| may[here][*next] && !way.contains(next));
        let longer = steps.map(|next| [way, &[next]].concat());
        longer.flat_map(|way| all(&way, to, may)).collect()
    }

    fn cost(way: &[usize]) -> (usize, usize, usize) {
        let rises = way.first() < way.last();
        let against = way.windows(2).filter(|step| (step[0] < step[1]) != rises);
        let far = way.windows(2).map(|step| step[0].abs_diff(step[1])).sum();
        (way.len(), against.count(), far)
    }

    proptest! {
        #[test]
        fn the_shortest_way_is_that_which_trying_all_ways_finds(
            may in (2..7_usize).prop_flat_map(|count| {
                prop::collection::vec(prop::collection::vec(any::<bool>(), count), count)
            }),
            ends in any::<(prop::sample::Index, prop::sample::Index)>(),
        ) {
            let (from, to) = (ends.0.index(may.len()), ends.1.index(may.len()));
            prop_assume!(from != to);
            let found = shortest(may.len(), (from, to), |(from, to)| may[from][to]);
            let mut ways = all(&[from], to, &may);
            ways.sort_by_key(|way| (cost(way), way.clone()));
            prop_assert_eq!(found, ways.into_iter().next());
        }
    }
}
