//! Suites and their profiles: which points each one has.

use std::fmt;

use crate::{
    Axis, AxisInfo, Backend, Fault, Point,
    axis::axis,
    suites::{backup, colo, faults, qemu, tck},
    word::words,
};

/// What a suite is. What it is about one of its points, the [point](crate::point::SuitePoint) knows.
pub(crate) struct SuiteRow {
    /// What can run it, the usual one first.
    pub backends: &'static [Backend],
    /// Its profiles. Of those that a back end runs, the first is meant where none is named.
    pub profiles: &'static [Profile],
}

/// How much of a suite is asked for: one of its rows.
#[derive(Clone, Copy)]
pub struct Profile(pub(crate) &'static ProfileRow);

/// A profile of a suite.
pub(crate) struct ProfileRow {
    /// The suite that it is a part of.
    pub suite: Suite,
    /// The word that stands for it.
    pub word: &'static str,
    /// What it is, in a sentence or more.
    pub sentence: &'static str,
    /// What can run it, the usual one first.
    pub backends: &'static [Backend],
    /// The whole product of its axes for a back end, each point with what is broken on purpose.
    pub points: fn(Backend) -> Vec<(Point, Option<Fault>)>,
}

/// The profiles of a suite, the usual one first, a row each: its sentences, its name, its word, what
/// can run it, and its points.
macro_rules! profiles {
    ($suite:ident; $($(#[doc = $doc:literal])* $name:ident = $word:literal: $backends:expr, $points:expr;)*) => {
        /// The usual one first.
        pub(super) const PROFILES: [$crate::Profile; [$($word),*].len()] =
            [$($crate::Profile::$name),*];

        impl $crate::Profile {
            $($(#[doc = $doc])*
            pub const $name: Self = Self(&$crate::suite::ProfileRow {
                suite: $crate::Suite::$suite,
                word: $word,
                sentence: concat!($($doc),*).trim_ascii_start(),
                backends: $backends,
                points: $points,
            });)*
        }
    };
}

pub(crate) use profiles;

axis! {
    /// A set of axes with their rules.
    Suite, "suite" {
        /// Control method × state of both sides × flags, after the migration test of the libvirt
        /// TCK. Every case is judged by its ten conditions and by those beyond them.
        Tck = "tck",
        /// Transport × method × capabilities × encryption × incident × machine × devices, after
        /// QEMU's own migration tests, across releases and with no libvirt between. It tells what
        /// QEMU alone carries from what the management layer breaks.
        Qemu = "qemu",
        /// COLO: a primary and a secondary guest in lock-step, by checkpoints. One of them is lost,
        /// in each way and moment, and the other must go on alone with all of its memory.
        Colo = "colo",
        /// Incremental backup with dirty bitmaps: the cases of qemu-iotests 124, and chains that
        /// are continued after a migration, by QEMU alone and through libvirt. Every incremental is
        /// compared with a full backup of the same moment, or read for the stamps of the guest that
        /// writes on.
        Backup = "backup",
        /// The test of the tester: in each case something is broken on purpose. It passes when the
        /// condition that must see it does.
        Faults = "faults",
    }
}

impl Suite {
    /// The one place that knows which suites there are.
    const fn row(self) -> &'static SuiteRow {
        match self {
            Self::Tck => &tck::SUITE,
            Self::Qemu => &qemu::SUITE,
            Self::Colo => &colo::SUITE,
            Self::Backup => &backup::SUITE,
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

/// Points in which nothing is broken.
pub(crate) fn unbroken<P>(
    points: impl IntoIterator<Item = P>,
    point: fn(P) -> Point,
) -> Vec<(Point, Option<Fault>)> {
    let points = points.into_iter();
    points.map(|one| (point(one), None)).collect()
}

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
