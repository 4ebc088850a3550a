//! Suites and their profiles: which points each one has.

use itertools::{Itertools, iproduct};

use crate::{Control, Fault, Flag, FlagSet, Scenario, State, word::words};

/// A set of axes with their rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Suite {
    /// The scenarios of the libvirt TCK's migration test, and their extensions.
    #[default]
    Tck,
    /// Each condition's own test: a scenario with a real fault, whose condition must trip.
    Faults,
}

/// How much of a suite is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Profile {
    /// The 96 documented scenarios: every subset of `UNDEFINE_SOURCE` and `PERSIST_DEST`.
    Tck,
    /// The 96 scenarios whose flags the TCK's script gives.
    TckScript,
    /// The 384 scenarios: every subset of the four flags.
    TckFull,
    /// Every fault.
    Faults,
}

/// A place in a suite's space, before a tuple and a back end are chosen for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Point {
    /// What is done.
    pub scenario: Scenario,
    /// What is broken on purpose.
    pub fault: Option<Fault>,
}

impl Suite {
    /// All values, in the order of the names.
    pub const ALL: [Self; 2] = [Self::Tck, Self::Faults];

    /// The word that stands for it in names and filters.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tck => "tck",
            Self::Faults => "faults",
        }
    }

    /// What it is for, in a sentence or two.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Tck => {
                "Control method × state of both sides × flags, after the migration test of the \
                 libvirt TCK. Every case is judged by its ten conditions and by those beyond them."
            }
            Self::Faults => {
                "The test of the tester: in each case something is broken on purpose. It passes \
                 when the condition that must see it does."
            }
        }
    }

    /// The profile that is meant where none is named.
    #[must_use]
    pub const fn profile(self) -> Profile {
        match self {
            Self::Tck => Profile::Tck,
            Self::Faults => Profile::Faults,
        }
    }

    /// Its profiles.
    pub fn profiles(self) -> impl Iterator<Item = Profile> {
        let all = Profile::ALL.into_iter();
        all.filter(move |profile| profile.suite() == self)
    }
}

impl Profile {
    /// All values, suite by suite.
    pub const ALL: [Self; 4] = [Self::Tck, Self::TckScript, Self::TckFull, Self::Faults];

    /// The word that stands for it on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tck => "tck",
            Self::TckScript => "tck-script",
            Self::TckFull => "tck-full",
            Self::Faults => "faults",
        }
    }

    /// What it is, in a sentence or two.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Tck => "The 96 scenarios: the flag sets none, undefine, persist and both.",
            Self::TckScript => {
                "The flags that the TCK's script gives, each on its own: live, persist, undefine, \
                 paused. 96 scenarios."
            }
            Self::TckFull => {
                "All 16 sets of the flags live, paused, undefine and persist: 384 scenarios, with \
                 those of the other two profiles among them."
            }
            Self::Faults => "Every fault, on the scenario in which it is a violation.",
        }
    }

    /// The suite that it is a part of.
    #[must_use]
    pub const fn suite(self) -> Suite {
        match self {
            Self::Tck | Self::TckScript | Self::TckFull => Suite::Tck,
            Self::Faults => Suite::Faults,
        }
    }

    /// Its points, before the [rules](crate::Rule) of the suite: the whole product of its axes.
    #[must_use]
    pub fn points(self) -> Vec<Point> {
        match self {
            Self::Tck => scenarios(FlagSet::subsets(&[Flag::UndefineSource, Flag::PersistDest])),
            Self::TckScript => scenarios(script_flags()),
            Self::TckFull => scenarios(FlagSet::subsets(&Flag::ALL)),
            Self::Faults => faults(),
        }
    }
}

/// The script names its four flag sets by one flag each. We read each as exactly that set: only the
/// first is live, and the others come without it.
fn script_flags() -> impl Iterator<Item = FlagSet> {
    let flags = [
        Flag::Live,
        Flag::PersistDest,
        Flag::UndefineSource,
        Flag::Paused,
    ];
    flags.into_iter().map(|flag| FlagSet::NONE.with(flag))
}

fn scenarios(flags: impl Iterator<Item = FlagSet>) -> Vec<Point> {
    let sets: Vec<FlagSet> = flags.collect();
    iproduct!(Control::ALL, State::all(), sets)
        .map(|(control, state, flags)| Point {
            scenario: Scenario {
                control,
                state,
                flags,
            },
            fault: None,
        })
        .collect()
}

/// Every fault × every scenario that some fault has; the rules leave each fault its own.
fn faults() -> Vec<Point> {
    let scenarios: Vec<Scenario> = Fault::ALL
        .map(Fault::scenario)
        .into_iter()
        .unique()
        .collect();
    iproduct!(Fault::ALL, scenarios)
        .map(|(fault, scenario)| Point {
            scenario,
            fault: Some(fault),
        })
        .collect()
}

words!(Suite, "suite");
words!(Profile, "profile");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profiles_have_96_96_and_384_scenarios_each_once() {
        for (profile, count) in [
            (Profile::Tck, 96),
            (Profile::TckScript, 96),
            (Profile::TckFull, 384),
        ] {
            let points = profile.points();
            assert_eq!(points.len(), count);
            assert!(points.iter().all_unique());
        }
    }

    #[test]
    fn the_full_profile_has_the_scenarios_of_the_others() {
        let full = Profile::TckFull.points();
        let others = [Profile::Tck.points(), Profile::TckScript.points()].concat();
        assert!(others.iter().all(|point| full.contains(point)));
    }

    #[test]
    fn every_profile_is_of_the_suite_that_lists_it() {
        for suite in Suite::ALL {
            assert!(suite.profiles().contains(&suite.profile()));
        }
    }
}
