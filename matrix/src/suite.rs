//! Suites and their profiles: which points each one has.

use itertools::{Itertools, iproduct};

use crate::{
    Backend, Backup, Colo, Fault, Flag, FlagSet, Point, Raw,
    axis::axis,
    suites::{backup, colo, qemu, tck},
};

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
        /// of the other two profiles among them.
        TckFull = "tck-full",
        /// The cases that cover QEMU's own migration-test, by the coverage table.
        MigrationTest = "migration-test",
        /// Each set of devices on the newest common machine of both families, with the guest
        /// running and stopped.
        Devices = "devices",
        /// Precopy over each transport on each machine, with the guest running and stopped, and
        /// once with a guest that leaves the tracking of dirty pages to QEMU alone.
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
    /// What can run it, the usual one first.
    #[must_use]
    pub const fn backends(self) -> &'static [Backend] {
        match self {
            Self::Tck => &[Backend::Libvirt, Backend::Fake],
            Self::Qemu | Self::Colo => &[Backend::Qemu],
            Self::Backup => &[Backend::Qemu, Backend::Libvirt],
            Self::Faults => &Backend::ALL,
        }
    }

    /// What it is, in a sentence or two.
    #[must_use]
    pub const fn description(self) -> &'static str {
        self.sentence()
    }

    /// The profile that is meant where none is named.
    #[must_use]
    pub const fn profile(self, backend: Backend) -> Profile {
        match (self, backend) {
            (Self::Tck, _) => Profile::Default,
            (Self::Qemu, _) => Profile::MigrationTest,
            (Self::Colo, _) => Profile::QemuColo,
            (Self::Backup, Backend::Libvirt) => Profile::Checkpoints,
            (Self::Backup, Backend::Qemu | Backend::Fake) => Profile::Iotests124,
            (Self::Faults, _) => Profile::Faults,
        }
    }

    /// Its profiles.
    pub fn profiles(self) -> impl Iterator<Item = Profile> {
        let all = Profile::ALL.into_iter();
        all.filter(move |profile| profile.suite() == self)
    }
}

impl Profile {
    /// What it is, in a sentence or two.
    #[must_use]
    pub const fn description(self) -> &'static str {
        self.sentence()
    }

    /// The suite that it is a part of.
    #[must_use]
    pub const fn suite(self) -> Suite {
        match self {
            Self::Default | Self::Tck | Self::TckScript | Self::TckFull => Suite::Tck,
            Self::MigrationTest | Self::Devices | Self::Plain | Self::Families => Suite::Qemu,
            Self::QemuColo | Self::ColoFull => Suite::Colo,
            Self::Iotests124 | Self::Variants | Self::Chain | Self::Checkpoints => Suite::Backup,
            Self::Faults => Suite::Faults,
        }
    }

    /// What can run it, the usual one first.
    #[must_use]
    pub const fn backends(self) -> &'static [Backend] {
        match self {
            Self::Iotests124 | Self::Variants | Self::Chain => &[Backend::Qemu],
            Self::Checkpoints => &[Backend::Libvirt],
            Self::Default
            | Self::Tck
            | Self::TckScript
            | Self::TckFull
            | Self::MigrationTest
            | Self::Devices
            | Self::Plain
            | Self::Families
            | Self::QemuColo
            | Self::ColoFull
            | Self::Faults => self.suite().backends(),
        }
    }

    /// Its points for a back end, before the [rules](crate::Rule) of the suite: the whole product
    /// of its axes. With each comes what is broken on purpose.
    #[must_use]
    pub fn points(self, backend: Backend) -> Vec<(Point, Option<Fault>)> {
        let plain = |points: Vec<Point>| points.into_iter().map(|point| (point, None)).collect();
        match self {
            Self::Default => plain(tck::profiles::default()),
            Self::Tck => plain(tck::profiles::scenarios(tck::profiles::tck_flags())),
            Self::TckScript => plain(tck::profiles::scenarios(tck::profiles::script_flags())),
            Self::TckFull => plain(tck::profiles::scenarios(FlagSet::subsets(&Flag::ALL))),
            Self::MigrationTest => plain(raw(qemu::coverage::points())),
            Self::Devices => plain(raw(qemu::profiles::devices())),
            Self::Plain => plain(raw(qemu::profiles::plain_precopy())),
            Self::Families => plain(raw(qemu::profiles::families())),
            Self::QemuColo => plain(of_colo(colo::profiles::qemus_own())),
            Self::ColoFull => plain(of_colo(colo::profiles::full())),
            Self::Iotests124 => plain(of_backup(backup::profiles::iotests_124())),
            Self::Variants => plain(of_backup(backup::profiles::variants())),
            Self::Chain => plain(of_backup(backup::profiles::chains())),
            Self::Checkpoints => {
                let flags: Vec<FlagSet> = tck::profiles::tck_flags().collect();
                let points = backup::chained::chained(&flags).into_iter();
                plain(points.map(Point::Chained).collect())
            }
            Self::Faults => faults(backend),
        }
    }
}

fn of_colo(points: impl IntoIterator<Item = Colo>) -> Vec<Point> {
    points.into_iter().map(Point::Colo).collect()
}

fn of_backup(points: impl IntoIterator<Item = Backup>) -> Vec<Point> {
    points.into_iter().map(Point::Backup).collect()
}

fn raw(points: impl IntoIterator<Item = Raw>) -> Vec<Point> {
    points.into_iter().map(Point::Qemu).collect()
}

/// Every fault of the back end × every point that some fault has; the rules leave each fault its own.
fn faults(backend: Backend) -> Vec<(Point, Option<Fault>)> {
    let own = || {
        Fault::ALL
            .into_iter()
            .filter(|fault| fault.runs_on(backend))
    };
    let points: Vec<Point> = own().map(Fault::point).unique().collect();
    iproduct!(own(), points)
        .map(|(fault, point)| (point, Some(fault)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Control, Hardware};

    #[test]
    fn the_profiles_have_96_96_and_384_scenarios_each_once() {
        for (profile, count) in [
            (Profile::Tck, 96),
            (Profile::TckScript, 96),
            (Profile::TckFull, 384),
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
