//! What heals: the step of an operator who has seen how the domain stands on both sides.

use super::Libvirts;
use crate::{axis::axis, suites::recovery::axes::Way};

axis! {
    /// The step that heals what a failed migration has left.
    Remedy, "remedy" {
        /// None: the guest is where it must be.
        Nothing = "nothing",
        /// The guest is resumed on the source.
        Resume = "resume",
        /// The domain is destroyed on the source: the destination runs the guest.
        DestroySource = "destroy-source",
        /// The domain is destroyed on the destination, which waits for a guest that does not come, and resumed on the
        /// source where the migration has paused it.
        DestroyDestination = "destroy-destination",
        /// The postcopy is gone on with (`VIR_MIGRATE_POSTCOPY_RESUME`).
        PostcopyResume = "postcopy-resume",
        /// What is left is destroyed on both sides, and the guest is started on the source.
        StartAnew = "start-anew",
    }
}

/// What `virDomainGetState` says of a domain on a side: its state and the reason; `None` where it is not
/// active.
pub type Seen<'w> = Option<(&'w str, &'w str)>;

impl Remedy {
    /// What an operator does, who sees this on the source and on the destination.
    #[must_use]
    pub fn of(source: Seen<'_>, destination: Seen<'_>, way: Way, libvirts: &Libvirts) -> Self {
        let in_postcopy =
            |seen: Seen<'_>| matches!(seen, Some((_, "postcopy" | "postcopy-failed")));
        if way == Way::GiveUp && (in_postcopy(source) || in_postcopy(destination)) {
            return Self::StartAnew;
        }
        match (source, destination) {
            (None, Some((_, "postcopy" | "postcopy-failed"))) | (None, None) => Self::StartAnew,
            (None, Some(_)) => Self::Nothing,
            (source, None) if Self::is_paused_by_migration(source) => Self::Resume,
            (Some(("paused", "postcopy" | "postcopy-failed")), None) => Self::StartAnew,
            (
                Some(("paused", "postcopy" | "postcopy-failed")),
                Some((_, "postcopy" | "postcopy-failed")),
            ) => {
                if libvirts.can_resume() {
                    Self::PostcopyResume
                } else {
                    Self::StartAnew
                }
            }
            // Finish calls what has come `paused (user)` or running (qemuMigrationDstFinishActive).
            (Some(_), waits) if Self::is_paused_by_migration(waits) => Self::DestroyDestination,
            (Some(("paused", _)), Some(("running" | "paused", _))) => Self::DestroySource,
            (Some(_), _) => Self::Nothing,
        }
    }

    /// Whether a migration has paused what is seen so, and the guest is whole there.
    #[must_use]
    pub fn is_paused_by_migration(seen: Seen<'_>) -> bool {
        seen == Some(("paused", "migration"))
    }

    /// The step in words, as an operator reads it.
    #[must_use]
    pub const fn told(self) -> &'static str {
        match self {
            Self::Nothing => "nothing to heal",
            Self::Resume => "paused on the source: resume, then retry",
            Self::DestroySource => {
                "the destination has the guest: destroy what is paused on the source"
            }
            Self::DestroyDestination => {
                "the source has the guest: destroy what waits for it on the destination, resume it where the migration \
                 has paused it, then retry"
            }
            Self::PostcopyResume => {
                "postcopy was lost: go on with it (VIR_MIGRATE_POSTCOPY_RESUME)"
            }
            Self::StartAnew => "the guest is lost: destroy what is left, start it, then retry",
        }
    }
}
