//! What a suite is, and a profile of one.

use crate::{Backend, Fault, Point, axis::axis};

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
        /// Fault × moment × control method × state × flags through libvirt: a migration is struck on its
        /// way, and what is left must be as documented, heal by the step that is documented, and let the
        /// guest be migrated again.
        Recovery = "recovery",
        /// The test of the tester: in each case something is broken on purpose. It passes when the
        /// condition that must see it does.
        Faults = "faults",
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
