//! The profiles of the `recovery` suite.

use std::collections::BTreeMap;

use itertools::iproduct;

use super::{
    axes::{RecoveryMoment, Strike, Way},
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
    /// and one that is paused. States and flags, which matter only to the configurations, take turns; where
    /// it is nothing to the fault whether the guest runs, so does that.
    COMMON = "common": BACKENDS, |_| points(common());
    /// Every fault at every moment that it can strike, with each control method, each state, and both sets of
    /// flags: `live` and `live+undefine+persist`.
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
    let (moments, ways) = moments_and_ways(family);
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
fn moments_and_ways(family: Family) -> (&'static [RecoveryMoment], &'static [Way]) {
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

/// Whether two are the same case but for what takes turns.
fn are_alike(one: &Recovery, other: &Recovery) -> bool {
    let activity =
        |of: &Recovery| (!of.is_blind_to_activity()).then_some(of.scenario.state.activity);
    let rest = |of: &Recovery| (of.strike, of.moment, of.way, of.control());
    rest(one) == rest(other) && activity(one) == activity(other)
}

/// How often one thing was taken already, with another.
#[derive(Default)]
struct Met {
    words: BTreeMap<(&'static str, &'static str), usize>,
    activities: BTreeMap<(Strike, RecoveryMoment, Activity), usize>,
    turns: BTreeMap<Turn, usize>,
}

/// What takes turns.
type Turn = (Persistence, Preparation, FlagSet);

impl Met {
    /// How often a case would repeat what was taken: a fault at a moment with whether the guest runs, then a
    /// fault with what takes turns, then that as a whole, then anything with a part of it.
    fn repeated(&self, one: &Recovery) -> [usize; 4] {
        let times = |pair| self.words.get(&pair).copied().unwrap_or(0);
        let pairs = iproduct!(heads(one), turn(one));
        let words: Vec<usize> = pairs.map(times).collect();
        let activity = self.activities.get(&acted(one)).copied();
        let with_fault = words.iter().take(turn(one).len()).sum();
        let whole = self.turns.get(&taken(one)).copied();
        [
            activity.unwrap_or(0),
            with_fault,
            whole.unwrap_or(0),
            words.iter().sum(),
        ]
    }

    fn take(&mut self, one: &Recovery) {
        for pair in iproduct!(heads(one), turn(one)) {
            *self.words.entry(pair).or_default() += 1;
        }
        *self.activities.entry(acted(one)).or_default() += 1;
        *self.turns.entry(taken(one)).or_default() += 1;
    }
}

const fn acted(one: &Recovery) -> (Strike, RecoveryMoment, Activity) {
    (one.strike, one.moment, one.scenario.state.activity)
}

const fn taken(one: &Recovery) -> Turn {
    let Scenario { state, flags, .. } = one.scenario;
    (state.persistence, state.preparation, flags)
}

/// Of each fault, moment, way and control method, and of both activities where the fault asks for them, one of
/// the states and sets of flags: the one that has been met least until now.
fn common() -> Vec<Recovery> {
    let mut met = Met::default();
    let all = product();
    let kept = all.chunk_by(are_alike).map(|alike| {
        let allowed = alike.iter().filter(|one| excluded(one).is_none());
        // What is left out wholly stays, so that its rule counts it.
        let Some(one) = allowed.min_by_key(|one| met.repeated(one)) else {
            return alike[0];
        };
        met.take(one);
        *one
    });
    kept.collect()
}

/// What a case is, but for what takes turns; the fault comes first.
fn heads(one: &Recovery) -> [&'static str; 4] {
    let activity = one.scenario.state.activity;
    [
        one.strike.word(),
        one.moment.word(),
        one.control().word(),
        activity.word(),
    ]
}

/// The words of its state and set of flags.
fn turn(one: &Recovery) -> [&'static str; 4] {
    let state = one.scenario.state;
    let flags = if one.scenario.flags == flag_sets()[0] {
        "live"
    } else {
        "live+undefine+persist"
    };
    [
        state.persistence.word(),
        state.preparation.word(),
        flags,
        state.activity.word(),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use itertools::Itertools;

    use super::*;
    use crate::Libvirts;

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

    fn keys<K: Ord>(of: &[Recovery], key: impl Fn(&Recovery) -> K) -> BTreeSet<K> {
        of.iter().map(key).collect()
    }

    #[test]
    fn the_common_profile_has_each_fault_moment_way_and_method_with_both_activities_where_they_matter()
     {
        let key = |one: &Recovery| {
            let activity = (!one.is_blind_to_activity()).then_some(one.scenario.state.activity);
            (one.strike, one.moment, one.way, one.control(), activity)
        };
        let (full, common) = (allowed(product()), allowed(common()));
        assert_eq!(keys(&common, key), keys(&full, key));
        assert_eq!(common.len(), keys(&full, key).len(), "one of each");
    }

    #[test]
    fn the_common_profile_has_each_fault_and_moment_with_each_method_and_with_each_activity() {
        let control = |one: &Recovery| (one.strike, one.moment, one.way, one.control());
        let activity = |one: &Recovery| (one.way, acted(one));
        let (full, common) = (allowed(product()), allowed(common()));
        assert_eq!(keys(&common, control), keys(&full, control));
        assert_eq!(keys(&common, activity), keys(&full, activity));
    }

    #[test]
    fn what_is_blind_to_the_activity_must_end_alike_with_both() {
        let shapes = |one: &Recovery| -> Vec<_> {
            let endings = one.endings(&Libvirts::default()).into_iter();
            endings
                .map(|end| (end.owner, end.answer, end.rule))
                .collect()
        };
        for one in allowed(product()) {
            let other = Recovery {
                scenario: one.scenario.paused(),
                ..one
            };
            if one.is_blind_to_activity() && excluded(&other).is_none() {
                assert_eq!(shapes(&one), shapes(&other), "{one}");
            }
        }
    }

    #[test]
    fn each_state_and_set_of_flags_meets_each_fault_moment_method_and_activity_in_the_common_profile()
     {
        let pairs = |all: &[Recovery]| -> BTreeSet<_> {
            let of = |one: &Recovery| iproduct!(heads(one), turn(one)).collect::<Vec<_>>();
            all.iter().flat_map(of).collect()
        };
        let (full, common) = (pairs(&allowed(product())), pairs(&allowed(common())));
        let missing: Vec<_> = full.difference(&common).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn each_persistence_preparation_and_set_of_flags_meet_in_the_common_profile_about_as_often() {
        let common = allowed(common());
        let of = common.iter().counts_by(taken);
        let all = iproduct!(Persistence::ALL, Preparation::ALL, flag_sets());
        for turn in all {
            let times = of.get(&turn).copied().unwrap_or(0);
            assert!(times * 16 >= common.len(), "{turn:?}: {times}");
        }
        let controls = keys(&common, |one| (one.control(), taken(one)));
        assert_eq!(controls.len(), Control::ALL.len() * of.len());
        let activities = keys(&common, |one| (one.scenario.state.activity, taken(one)));
        assert_eq!(activities.len(), Activity::ALL.len() * of.len());
        // Some moments have fewer cases than there are turns.
        let flags = |one: &Recovery| (one.scenario.state.persistence, one.scenario.flags);
        let moments = keys(&common, |one| (one.moment, flags(one)));
        let all = keys(&allowed(product()), |one| (one.moment, flags(one)));
        assert_eq!(moments, all);
    }

    #[test]
    fn every_point_is_read_as_it_is_written() {
        for point in product() {
            assert_eq!(point.to_string().parse(), Ok(point));
        }
    }
}
