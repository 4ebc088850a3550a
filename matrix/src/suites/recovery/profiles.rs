//! The profiles of the `recovery` suite.

use itertools::iproduct;

use super::{
    axes::{RecoveryMoment, Way},
    kinds::Family,
    point::Recovery,
    rules::{excluded, flag_sets, strikes},
};
use crate::{
    Activity, Backend, Control, Fault, FlagSet, Persistence, Point, Preparation, Scenario, State,
    suite::{profiles, unbroken},
};

/// What can run them, the usual one first.
pub(super) const BACKENDS: &[Backend] = &[Backend::Libvirt, Backend::Fake];

profiles! {
    Recovery;

    /// Every fault at every moment that it can strike, by each control method, with a guest that runs
    /// and one that is paused. States and flags, which matter only to the configurations, take turns.
    COMMON = "common": BACKENDS, |_| points(common());
    /// Every fault at every moment, with each control method, state and set of flags.
    RECOVERY_FULL = "full": BACKENDS, |_| points(product());
    /// What is in the way before the call, with each control method, state and set of flags.
    REFUSED = "refused": BACKENDS, |_| points(of(Family::Refused));
    /// What strikes while the migration is under way, with each control method, state and set of flags.
    IN_FLIGHT = "in-flight": BACKENDS, |_| points(of(Family::InFlight));
    /// What strikes in postcopy, with each state and set of flags, and each way on.
    POSTCOPY = "postcopy": BACKENDS, |_| points(of(Family::Postcopy));
}

fn points(all: Vec<Recovery>) -> Vec<(Point, Option<Fault>)> {
    unbroken(all, Point::Recovery)
}

/// The whole product of the three parts.
pub(crate) fn product() -> Vec<Recovery> {
    let families = [Family::InFlight, Family::Refused, Family::Postcopy];
    families.into_iter().flat_map(of).collect()
}

/// The product of one part.
fn of(family: Family) -> Vec<Recovery> {
    let (moments, ways) = heads(family);
    let strikes = strikes(family).iter().copied();
    iproduct!(
        strikes,
        moments.iter().copied(),
        ways.iter().copied(),
        Control::ALL,
        Activity::ALL
    )
    .flat_map(|(strike, moment, way, control, activity)| {
        turns(activity).map(move |(state, flags)| Recovery {
            strike,
            moment,
            way,
            scenario: Scenario {
                control,
                state,
                flags,
                ..Scenario::USUAL
            },
        })
    })
    .collect()
}

/// The moments of a part, and its ways on.
fn heads(family: Family) -> (&'static [RecoveryMoment], &'static [Way]) {
    match family {
        Family::Refused => (&[RecoveryMoment::Call], &[Way::Documented]),
        Family::InFlight => (&RecoveryMoment::IN_FLIGHT, &[Way::Documented]),
        Family::Postcopy => (&RecoveryMoment::POSTCOPY, &Way::ALL),
    }
}

/// What takes turns: the states of one activity, with each set of flags.
fn turns(activity: Activity) -> impl Iterator<Item = (State, FlagSet)> {
    let all = iproduct!(Persistence::ALL, Preparation::ALL, flag_sets());
    all.map(move |(persistence, preparation, flags)| {
        let state = State {
            persistence,
            activity,
            preparation,
        };
        (state, flags)
    })
}

/// How many states and sets of flags there are for one activity.
const TURNS: usize = 8;

/// By how many turns the next one goes on: with 8 turns each odd number comes to all of them.
const STRIDE: usize = 3;

/// Of each fault, moment, way, control method and activity one of its states and sets of flags, by turns.
fn common() -> Vec<Recovery> {
    let mut kept = Vec::new();
    let all = product();
    for (place, alike) in all.chunks(TURNS).enumerate() {
        let allowed: Vec<_> = alike.iter().filter(|one| excluded(one).is_none()).collect();
        // What is left out wholly stays, so that its rule counts it.
        let from = if allowed.is_empty() {
            alike.iter().collect()
        } else {
            allowed
        };
        kept.push(*from[place * STRIDE % from.len()]);
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use itertools::Itertools;

    use super::*;

    fn allowed(all: Vec<Recovery>) -> Vec<Recovery> {
        all.into_iter()
            .filter(|one| excluded(one).is_none())
            .collect()
    }

    #[test]
    fn the_full_profile_has_more_than_five_thousand_points_and_the_common_one_600_to_700() {
        let full = allowed(product());
        assert!(full.iter().all_unique());
        assert!(full.len() >= 5_000, "{}", full.len());
        let common = allowed(common());
        assert!((600..=700).contains(&common.len()), "{}", common.len());
        assert!(common.iter().all(|point| full.contains(point)));
    }

    #[test]
    fn the_common_profile_has_each_fault_moment_method_and_activity_of_the_full_one() {
        let key = |one: &Recovery| {
            let state = one.scenario.state;
            (
                one.strike,
                one.moment,
                one.way,
                one.control(),
                state.activity,
            )
        };
        let full: BTreeSet<_> = allowed(product()).iter().map(key).collect();
        let common = allowed(common());
        assert_eq!(common.iter().map(key).collect::<BTreeSet<_>>(), full);
        assert_eq!(common.len(), full.len());
    }

    #[test]
    fn all_pairs_of_states_and_flags_with_a_fault_and_with_a_moment_meet_in_the_common_profile() {
        let turn = |one: &Recovery| {
            let state = one.scenario.state;
            (state.persistence, state.preparation, one.scenario.flags)
        };
        let common = allowed(common());
        let full = allowed(product());
        let with_moments = |all: &[Recovery]| -> BTreeSet<_> {
            all.iter().map(|one| (one.moment, turn(one))).collect()
        };
        assert_eq!(with_moments(&common), with_moments(&full));
        let values = |one: &Recovery| {
            let (persistence, preparation, flags) = turn(one);
            [
                persistence.word(),
                preparation.word(),
                if flags == flag_sets()[0] {
                    "plain"
                } else {
                    "undefine"
                },
            ]
            .map(str::to_owned)
        };
        let with_strikes = |all: &[Recovery]| -> BTreeSet<_> {
            let pairs = all.iter().flat_map(|one| {
                let values = values(one).into_iter();
                values.map(|value| (one.strike, value))
            });
            pairs.collect()
        };
        assert_eq!(with_strikes(&common), with_strikes(&full));
    }

    #[test]
    fn every_point_is_read_as_it_is_written() {
        for point in product() {
            assert_eq!(point.to_string().parse(), Ok(point));
        }
    }
}
