//! The profiles of the `tck` suite.

use itertools::{Itertools, iproduct};

use super::{
    axes::{Control, Flag, FlagSet, Parallel},
    hardware::Hardware,
    point::{Scenario, State},
};
use crate::{
    Backend, Point,
    select::cover::cover_points,
    suite::{profiles, unbroken},
};

/// What can run them, the usual one first.
pub(super) const BACKENDS: &[Backend] = &[Backend::Libvirt, Backend::Fake];

profiles! {
    Tck;

    /// The 96 scenarios of `tck`. Beside them each kind of hardware of real guests, covered in
    /// pairs with control, state and flags (live among them), and as OpenStack's Nova migrates:
    /// p2p with live, undefine and persist.
    DEFAULT = "default": BACKENDS, |_| unbroken(default(), |point| point);
    /// The 96 scenarios: the flag sets none, undefine, persist and both.
    TCK = "tck": BACKENDS, |_| unbroken(scenarios(tck_flags()), |point| point);
    /// The flags that the TCK's script gives, each on its own: live, persist, undefine, paused.
    /// 96 scenarios.
    TCK_SCRIPT = "tck-script": BACKENDS, |_| unbroken(scenarios(script_flags()), |point| point);
    /// All 16 sets of the flags live, paused, undefine and persist: 384 scenarios, with those
    /// of the other two profiles among them. Beside them 32 that send memory over parallel
    /// connections.
    TCK_FULL = "tck-full": BACKENDS, |_| unbroken(full(), |point| point);
}

pub(crate) fn tck_flags() -> impl Iterator<Item = FlagSet> {
    FlagSet::subsets(&[Flag::UndefineSource, Flag::PersistDest])
}

/// The script names its four flag sets by one flag each. We read each as exactly that set: only the
/// first is live, and the others come without it.
pub(crate) fn script_flags() -> impl Iterator<Item = FlagSet> {
    let flags = [
        Flag::Live,
        Flag::PersistDest,
        Flag::UndefineSource,
        Flag::Paused,
    ];
    flags.into_iter().map(|flag| FlagSet::NONE.with(flag))
}

pub(crate) fn scenarios(flags: impl Iterator<Item = FlagSet>) -> Vec<Point> {
    scenarios_with(flags, &[Hardware::Minimal])
}

fn scenarios_with(flags: impl Iterator<Item = FlagSet>, hardware: &[Hardware]) -> Vec<Point> {
    let sets: Vec<FlagSet> = flags.collect();
    iproduct!(hardware.iter().copied(), Control::ALL, State::all(), sets)
        .map(|(hardware, control, state, flags)| {
            Point::Tck(Scenario {
                control,
                state,
                flags,
                hardware,
                ..Scenario::USUAL
            })
        })
        .collect()
}

/// All sets of flags, and each method and state over parallel connections.
fn full() -> Vec<Point> {
    let lives = [FlagSet::NONE, FlagSet::NONE.with(Flag::Live)];
    let parallel = iproduct!(Control::ALL, State::all(), lives);
    let parallel = parallel.map(|(control, state, flags)| {
        Point::Tck(Scenario {
            control,
            state,
            flags,
            parallel: Parallel::Four,
            ..Scenario::USUAL
        })
    });
    let all = scenarios(FlagSet::subsets(&Flag::ALL));
    all.into_iter().chain(parallel).collect()
}

/// The 96, each kind of hardware in a cover of pairs, and each as Nova migrates.
pub(crate) fn default() -> Vec<Point> {
    let flags = FlagSet::subsets(&[Flag::Live, Flag::UndefineSource, Flag::PersistDest]);
    let covered = cover_points(scenarios_with(flags, &Hardware::ALL), 2);
    let nova = Hardware::ALL.map(nova);
    let all = scenarios(tck_flags()).into_iter().chain(nova);
    all.chain(covered).unique().collect()
}

/// The migration that OpenStack's Nova asks for: the flags that its libvirt driver always gives
/// (`_live_migration_flags` in nova/virt/libvirt/driver.py).
pub(crate) fn nova(hardware: Hardware) -> Point {
    let flags = [Flag::Live, Flag::UndefineSource, Flag::PersistDest];
    Point::Tck(Scenario {
        control: Control::P2p,
        flags: flags.into_iter().collect(),
        hardware,
        ..Scenario::USUAL
    })
}
