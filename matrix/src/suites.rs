//! The suites, each in a room of its own: its axes, its point, what excludes a point, what it needs,
//! its faults and its profiles.

pub(crate) mod backup;
pub(crate) mod colo;
pub(crate) mod faults;
pub(crate) mod qemu;
pub(crate) mod recovery;
pub(crate) mod tck;

use std::fmt;

use crate::{Axis, AxisInfo, Backend, Fault, Point, Profile, Suite, suite::SuiteRow, word::words};

impl Suite {
    /// The one place that knows which suites there are.
    const fn row(self) -> &'static SuiteRow {
        match self {
            Self::Tck => &tck::SUITE,
            Self::Qemu => &qemu::SUITE,
            Self::Colo => &colo::SUITE,
            Self::Backup => &backup::SUITE,
            Self::Recovery => &recovery::SUITE,
            Self::Faults => &faults::SUITE,
        }
    }

    /// What can run it, the usual one first.
    #[must_use]
    pub const fn backends(self) -> &'static [Backend] {
        self.row().backends
    }

    /// What it is, in a sentence or two.
    #[must_use]
    pub const fn description(self) -> &'static str {
        self.sentence()
    }

    /// The profile that is meant where none is named.
    #[must_use]
    pub fn profile(self, backend: Backend) -> Profile {
        let all = self.row().profiles;
        let runs = |one: &&Profile| one.backends().contains(&backend);
        *all.iter().find(runs).unwrap_or(&all[0])
    }

    /// Its profiles.
    pub fn profiles(self) -> impl Iterator<Item = Profile> {
        self.row().profiles.iter().copied()
    }
}

impl Profile {
    const COUNT: usize = {
        let (mut count, mut suite) = (0, 0);
        while suite < Suite::ALL.len() {
            count += Suite::ALL[suite].row().profiles.len();
            suite += 1;
        }
        count
    };

    /// All values, suite by suite.
    pub const ALL: [Self; Self::COUNT] = {
        let mut all = [Self::DEFAULT; Self::COUNT];
        let (mut place, mut suite) = (0, 0);
        while suite < Suite::ALL.len() {
            let mut own = Suite::ALL[suite].row().profiles;
            while let [first, rest @ ..] = own {
                all[place] = *first;
                place += 1;
                own = rest;
            }
            suite += 1;
        }
        all
    };

    const WORDS: [(&'static str, &'static str); Self::COUNT] = {
        let mut words = [("", ""); Self::COUNT];
        let mut place = 0;
        while place < Self::COUNT {
            words[place] = (Self::ALL[place].word(), Self::ALL[place].description());
            place += 1;
        }
        words
    };

    /// The word that stands for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.0.word
    }

    /// What it is, in a sentence or two.
    #[must_use]
    pub const fn description(self) -> &'static str {
        self.0.sentence
    }

    /// The suite that it is a part of.
    #[must_use]
    pub const fn suite(self) -> Suite {
        self.0.suite
    }

    /// What can run it, the usual one first.
    #[must_use]
    pub const fn backends(self) -> &'static [Backend] {
        self.0.backends
    }

    /// Its points for a back end, before the [rules](crate::Rule) of the suite: the whole product
    /// of its axes. With each comes what is broken on purpose.
    #[must_use]
    pub fn points(self, backend: Backend) -> Vec<(Point, Option<Fault>)> {
        (self.0.points)(backend)
    }
}

impl Axis for Profile {
    const INFO: AxisInfo = AxisInfo {
        name: "profile",
        predicate: "profile",
        kind: "profile",
        words: &Self::WORDS,
        former: &[],
    };
    const ALL: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        self.0.word
    }
}

words!(Profile, "profile");

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.word)
    }
}

impl PartialEq for Profile {
    fn eq(&self, other: &Self) -> bool {
        self.0.word == other.0.word
    }
}

impl Eq for Profile {}

#[cfg(test)]
mod tests {
    use itertools::Itertools;

    use super::*;
    use crate::{Control, Hardware, suites::tck};

    #[test]
    fn the_profiles_have_96_96_and_384_scenarios_each_once_and_the_last_48_parallel_ones() {
        for (profile, count) in [
            (Profile::TCK, 96),
            (Profile::TCK_SCRIPT, 96),
            (Profile::TCK_FULL, 384 + 48),
        ] {
            let points = profile.points(Backend::Libvirt);
            assert_eq!(points.len(), count);
            assert!(points.iter().all_unique());
        }
    }

    #[test]
    fn the_default_profile_has_the_96_each_kind_of_hardware_as_nova_moves_it_and_all_pairs() {
        let points: Vec<_> = Profile::DEFAULT.points(Backend::Libvirt);
        assert!(points.iter().all_unique());
        let of_tck = Profile::TCK.points(Backend::Libvirt);
        assert!(of_tck.iter().all(|point| points.contains(point)));
        for hardware in Hardware::ALL {
            assert!(
                points.contains(&(tck::profiles::nova(hardware), None)),
                "{hardware}"
            );
            for control in Control::ALL {
                let meets = |(point, _): &(Point, _)| {
                    matches!(point, Point::Tck(one)
                        if one.hardware == hardware && one.control == control)
                };
                assert!(points.iter().any(meets), "{hardware} and {control}");
            }
        }
    }

    #[test]
    fn the_full_profile_has_the_scenarios_of_the_others() {
        let full = Profile::TCK_FULL.points(Backend::Libvirt);
        let others = [
            Profile::TCK.points(Backend::Libvirt),
            Profile::TCK_SCRIPT.points(Backend::Libvirt),
        ]
        .concat();
        assert!(others.iter().all(|point| full.contains(point)));
    }

    #[test]
    fn every_profile_has_a_word_of_its_own_and_its_sentences() {
        let rows: Vec<_> = Suite::ALL.into_iter().flat_map(Suite::profiles).collect();
        assert_eq!(rows, Profile::ALL);
        assert!(Profile::ALL.iter().map(|one| one.word()).all_unique());
        let first = (Profile::ALL[0].word(), Profile::ALL[0].suite());
        assert_eq!(first, ("default", Suite::Tck));
        assert_eq!(
            Profile::IOTESTS_124.description(),
            "The cases of qemu-iotests 124, in both forms of the command."
        );
    }

    #[test]
    fn every_profile_is_of_the_suite_that_lists_it() {
        for suite in Suite::ALL {
            for backend in suite.backends() {
                let profile = suite.profile(*backend);
                assert!(suite.profiles().contains(&profile));
                assert!(profile.backends().contains(backend));
            }
        }
    }
}
