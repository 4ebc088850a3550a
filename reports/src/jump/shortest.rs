//! The shortest way through steps that may be taken.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::grid::Pair;

/// The way with the fewest steps among `count` places, both ends included, where `next` has the places that
/// a step leads to. Of several it is that with the fewest steps against its direction, of these that which
/// goes least far, and then the first by its places. No place is asked for its steps twice.
pub(super) fn shortest<N: IntoIterator<Item = usize>>(
    count: usize,
    (from, to): Pair,
    mut next: impl FnMut(usize) -> N,
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
        for next in next(here).into_iter().filter(|next| !done[*next]) {
            let back = usize::from((next > here) != (to > from));
            let way = way.iter().copied().chain([next]).collect();
            let far = far + here.abs_diff(next);
            ahead.push(Reverse((steps + 1, against + back, far, way)));
        }
    }
    None
}

/// To which of `count` places steps lead from one, itself included. No place is asked for its steps twice.
pub(super) fn reached<'n>(
    count: usize,
    from: usize,
    mut next: impl FnMut(usize) -> &'n [usize],
) -> Vec<bool> {
    let mut reached = vec![false; count];
    reached[from] = true;
    let mut ahead = vec![from];
    while let Some(here) = ahead.pop() {
        for next in next(here) {
            if !std::mem::replace(&mut reached[*next], true) {
                ahead.push(*next);
            }
        }
    }
    reached
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

    fn places(may: &[bool]) -> Vec<usize> {
        (0..may.len()).filter(|to| may[*to]).collect()
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
            let next: Vec<Vec<usize>> = may.iter().map(|may| places(may)).collect();
            let found = shortest(may.len(), (from, to), |from| next[from].iter().copied());
            let mut ways = all(&[from], to, &may);
            let reached = reached(may.len(), from, |from| &next[from]);
            prop_assert_eq!(reached[to], !ways.is_empty());
            ways.sort_by_key(|way| (cost(way), way.clone()));
            prop_assert_eq!(found, ways.into_iter().next());
        }
    }

    #[test]
    fn no_place_of_a_thousand_is_asked_for_its_steps_twice() {
        let count = 1000;
        let next: Vec<Vec<usize>> = (0..count).map(|from| (from + 1..count).collect()).collect();
        let mut asked = vec![0; count];
        let way = shortest(count, (0, count - 1), |from| {
            asked[from] += 1;
            next[from].iter().copied().filter(|to| to % 3 > 0)
        });
        assert_eq!(way, None, "a third of the places is led to by no step");
        let reached = reached(count, 0, |from| {
            asked[from] += 1;
            &next[from]
        });
        assert!(reached.into_iter().all(|one| one));
        assert!(asked.into_iter().all(|times| times <= 2), "once by each");
    }
}
