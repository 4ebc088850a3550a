//! Suites and their profiles: which points each one has.

use crate::{
    Backend, Fault, Point,
    axis::axis,
    suites::{backup::BackupSuite, colo::ColoSuite, faults::Faults, qemu::QemuSuite, tck::Tck},
};

/// What a suite is. What it is about one of its points, the [point](crate::point::SuitePoint) knows.
pub(crate) trait SuiteSpec: Sync {
    /// What can run it, the usual one first.
    fn backends(&self) -> &'static [Backend];

    /// Its profiles. Of those that a back end runs, the first is meant where none is named.
    fn profiles(&self) -> &'static [ProfileRow];
}

/// A profile of a suite.
pub(crate) struct ProfileRow {
    /// Its name and its sentence.
    pub profile: Profile,
    /// What can run it, the usual one first.
    pub backends: &'static [Backend],
    /// The whole product of its axes for a back end, each point with what is broken on purpose.
    pub points: fn(Backend) -> Vec<(Point, Option<Fault>)>,
}

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

axis! {
    /// How much of a suite is asked for.
    Profile, "profile" {
        /// The 96 scenarios of `tck`. Beside them each kind of hardware of real guests, covered in
        /// pairs with control, state and flags (live among them), and as OpenStack's Nova migrates:
        /// p2p with live, undefine and persist.
        Default = "default",
        /// The 96 scenarios: the flag sets none, undefine, persist and both.
        Tck = "tck",
        /// The flags that the TCK's script gives, each on its own: live, persist, undefine, paused.
        /// 96 scenarios.
        TckScript = "tck-script",
        /// All 16 sets of the flags live, paused, undefine and persist: 384 scenarios, with those
        /// of the other two profiles among them. Beside them 32 that send memory over parallel
        /// connections.
        TckFull = "tck-full",
        /// The cases that cover QEMU's own migration-test, by the coverage table.
        MigrationTest = "migration-test",
        /// Each set of devices on the newest common machine of both families, with the guest
        /// running and stopped.
        Devices = "devices",
        /// Precopy over each transport on each machine, with the guest running and stopped, and
        /// once with a guest that leaves the tracking of dirty pages to QEMU alone; and with the CPU
        /// models `max` and `Nehalem`.
        Plain = "plain",
        /// Method × transport × multifd × encryption × state of the guest: a product to be covered
        /// (--cover 2 or 3).
        Families = "families",
        /// The eight cases of QEMU's own COLO test: channel × who takes over × when.
        QemuColo = "qemu-colo",
        /// COLO with each way to lose a side, on both machines and with a disk.
        ColoFull = "colo-full",
        /// The cases of qemu-iotests 124, in both forms of the command.
        Iotests124 = "iotests-124",
        /// The simple chain × granularity × clusters × bitmaps × creation × format: a product that
        /// can be covered (--cover 2).
        Variants = "variants",
        /// Chains that are continued after a migration: by shared storage and by a copy, with the
        /// bitmap in the stream, under an alias, or in the image.
        Chain = "chain",
        /// Chains that libvirt makes, with checkpoints, around each of the 96 scenarios of `tck`,
        /// by shared storage and by a copy.
        Checkpoints = "checkpoints",
        /// Every fault, on the scenario in which it is a violation.
        Faults = "faults",
    }
}

impl Suite {
    /// The one place that knows which suites there are.
    fn spec(self) -> &'static dyn SuiteSpec {
        match self {
            Self::Tck => &Tck,
            Self::Qemu => &QemuSuite,
            Self::Colo => &ColoSuite,
            Self::Backup => &BackupSuite,
            Self::Faults => &Faults,
        }
    }

    /// What can run it, the usual one first.
    #[must_use]
    pub fn backends(self) -> &'static [Backend] {
        self.spec().backends()
    }

    /// What it is, in a sentence or two.
    #[must_use]
    pub const fn description(self) -> &'static str {
        self.sentence()
    }

    /// The profile that is meant where none is named.
    #[must_use]
    pub fn profile(self, backend: Backend) -> Profile {
        let rows = self.spec().profiles();
        let runs = |row: &&ProfileRow| row.backends.contains(&backend);
        rows.iter().find(runs).unwrap_or(&rows[0]).profile
    }

    /// Its profiles.
    pub fn profiles(self) -> impl Iterator<Item = Profile> {
        self.spec().profiles().iter().map(|row| row.profile)
    }
}

impl Profile {
    fn row(self) -> (Suite, &'static ProfileRow) {
        let rows = |suite: Suite| suite.spec().profiles().iter().map(move |row| (suite, row));
        let mut all = Suite::ALL.into_iter().flat_map(rows);
        let row = all.find(|(_, row)| row.profile == self);
        row.expect("each profile is a row of its suite, as a test says")
    }

    /// What it is, in a sentence or two.
    #[must_use]
    pub const fn description(self) -> &'static str {
        self.sentence()
    }

    /// The suite that it is a part of.
    #[must_use]
    pub fn suite(self) -> Suite {
        self.row().0
    }

    /// What can run it, the usual one first.
    #[must_use]
    pub fn backends(self) -> &'static [Backend] {
        self.row().1.backends
    }

    /// Its points for a back end, before the [rules](crate::Rule) of the suite: the whole product
    /// of its axes. With each comes what is broken on purpose.
    #[must_use]
    pub fn points(self, backend: Backend) -> Vec<(Point, Option<Fault>)> {
        (self.row().1.points)(backend)
    }
}

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
            (Profile::Tck, 96),
            (Profile::TckScript, 96),
            (Profile::TckFull, 384 + 48),
        ] {
            let points = profile.points(Backend::Libvirt);
            assert_eq!(points.len(), count);
            assert!(points.iter().all_unique());
        }
    }

    #[test]
    fn the_default_profile_has_the_96_each_kind_of_hardware_as_nova_moves_it_and_all_pairs() {
        let points: Vec<_> = Profile::Default.points(Backend::Libvirt);
        assert!(points.iter().all_unique());
        let of_tck = Profile::Tck.points(Backend::Libvirt);
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
        let full = Profile::TckFull.points(Backend::Libvirt);
        let others = [
            Profile::Tck.points(Backend::Libvirt),
            Profile::TckScript.points(Backend::Libvirt),
        ]
        .concat();
        assert!(others.iter().all(|point| full.contains(point)));
    }

    #[test]
    fn every_profile_is_a_row_of_one_suite() {
        let rows: Vec<_> = Suite::ALL.into_iter().flat_map(Suite::profiles).collect();
        assert_eq!(rows, Profile::ALL);
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
