//! What must come of a migration that is struck: who has the guest then, in which state, which error the
//! caller gets, and which step heals what is left.
//!
//! It is the one table of the suite, and follows libvirt's own rules:
//!
//! | when | rule | where |
//! |---|---|---|
//! | any failure before the destination runs the guest | the source runs it, or has it paused as it was; the destination is cleared; the first error is kept | `virDomainMigrateVersion3Full`, `qemuMigrationSrcPerformPeer2Peer3` |
//! | Finish fails, or its answer is lost | the source is told "cancelled", and resumes | the same |
//! | Confirm fails | the call has succeeded: only a warning | the same |
//! | the client's connection closes | Begin: the job is dropped. Prepare: the destination is destroyed. Perform done: the source stays paused | `qemuMigrationAnyConnectionClosed` |
//! | the source's daemon restarts | Perform: cancel, and resume. Perform done: stays paused. Confirm: kill | `qemuProcessRecoverMigrationOut` |
//! | the destination's daemon restarts | Prepare: kill. Finish: keep what runs | `qemuProcessRecoverMigrationIn` |
//! | state after a failure | only who ran before, and is paused now, is resumed | `qemuMigrationSrcRestoreDomainState` |
//! | what wants to change the domain meanwhile | it waits for the migration's job, and finds the domain gone | `qemuMigrationJobStart`, `virDomainObjBeginJobInternal` |
//! | a daemon before 8.5 loses sight of a postcopy | what it has of it counts as failed, and stays | `qemuMigrationAnyPostcopyFailed` |
//! | postcopy | the source never resumes; a cancel is refused; a lost one is resumed by the caller | `virDomainMigrateStartPostCopy`, NEWS of 8.5 |
//!
//! A release that departs from it fails. Where two endings are given, libvirt leaves open which it is.

mod beside;
mod classes;
mod flight;
mod outcomes;
mod postcopy;
mod refused;
mod remedy;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::{kinds::Family, point::Recovery};
use crate::{CaseEnd, Flag, Persistence, Version};
pub(in crate::suites::recovery) use classes::ABORTED;
pub use classes::ErrorClass;
pub use remedy::{Remedy, Seen};

/// Who has the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// The source.
    Source,
    /// The destination.
    Destination,
    /// Neither: it is lost, and can only be started anew.
    Nobody,
}

/// What the caller is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Success.
    Success,
    /// An error of one of these classes.
    Error(&'static [ErrorClass]),
    /// The one or the other: the guest is where it is, and only the answer may have been lost.
    SuccessOr(&'static [ErrorClass]),
    /// Nothing: the caller is gone.
    Gone,
}

/// How a domain stands on a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It is active, in one of these states, each with its reason (`virDomainGetState`).
    Active(&'static [(&'static str, &'static str)]),
    /// It is not, and its configuration, if it is to be there, is shut off for one of these reasons.
    Inactive(&'static [&'static str]),
    /// As before the call: there is nothing but what was defined then.
    Clear,
}

/// Whether `UNDEFINE_SOURCE` and `PERSIST_DEST` take effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlagEffect {
    /// They don't.
    None,
    /// They do, on both sides.
    Both,
    /// They do on the destination; the source was not told of its success.
    Destination,
    /// They do on the destination. Whether they do on the source, libvirt leaves open.
    Open,
}

/// One way in which a case may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Ending {
    /// What the caller is told.
    pub answer: Answer,
    /// Who has the guest.
    pub owner: Owner,
    /// How the domain stands on the source.
    pub source: Standing,
    /// How it stands on the destination.
    pub destination: Standing,
    /// What becomes of the configurations.
    pub flags: FlagEffect,
    /// What heals it.
    pub remedy: Remedy,
    /// The rule that says so.
    pub rule: &'static str,
}

/// The versions of libvirt at the three places, as far as they are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Libvirts {
    /// The client's library.
    pub client: Option<Version>,
    /// The source's daemon.
    pub source: Option<Version>,
    /// The destination's daemon.
    pub destination: Option<Version>,
}

/// The release with which a lost postcopy can be gone on with, and paused on purpose
/// (`VIR_MIGRATE_POSTCOPY_RESUME`, `VIR_DOMAIN_ABORT_JOB_POSTCOPY`).
pub const POSTCOPY_RESUME: Version = Version::new(8, 5, 0);

impl Libvirts {
    /// Whether all three can go on with a postcopy that was lost. Who is not known is taken to be new
    /// enough.
    #[must_use]
    pub fn can_resume(&self) -> bool {
        knows_lost_postcopy(&[self.client, self.source, self.destination])
    }

    /// Whether the source's daemon can be told to pause a postcopy.
    fn can_pause(&self) -> bool {
        knows_lost_postcopy(&[self.client, self.source])
    }
}

fn knows_lost_postcopy(of: &[Option<Version>]) -> bool {
    let mut known = of.iter().flatten();
    known.all(|version| *version >= POSTCOPY_RESUME)
}

impl Recovery {
    /// What may come of it, by these versions of libvirt.
    #[must_use]
    pub fn endings(&self, libvirts: &Libvirts) -> Vec<Ending> {
        match self.family() {
            Family::Refused => vec![refused::ending(self, libvirts)],
            Family::InFlight => flight::endings(self),
            Family::Postcopy => postcopy::endings(self, libvirts),
        }
    }

    /// How the migration ends that is struck, by the newest libvirt; the first of its endings.
    pub(super) fn end_of_call(&self) -> CaseEnd {
        let first = self.endings(&Libvirts::default()).first().copied();
        match first.map(|ending| ending.answer) {
            None | Some(Answer::Success | Answer::SuccessOr(_)) => CaseEnd::Success,
            Some(Answer::Error([ABORTED])) => CaseEnd::Cancelled,
            Some(Answer::Error(_)) if self.family() == Family::Refused => CaseEnd::Refused {
                class: self.strike.word(),
            },
            Some(Answer::Error(_) | Answer::Gone) => CaseEnd::Failed {
                class: self.strike.word(),
            },
        }
    }

    /// Whether there may be something to heal, by any version of libvirt.
    #[must_use]
    pub fn may_heal(&self) -> bool {
        let ages = [None, Some(Version::new(0, 0, 0))];
        let daemons = ages.map(|source| ages.map(|destination| (source, destination)));
        daemons.into_iter().flatten().any(|(source, destination)| {
            let libvirts = Libvirts {
                client: None,
                source,
                destination,
            };
            let endings = self.endings(&libvirts);
            endings.iter().any(|one| one.remedy != Remedy::Nothing)
        })
    }

    /// Whether the source has a configuration afterwards; `None` where libvirt leaves it open.
    #[must_use]
    pub fn source_config(&self, ending: &Ending) -> Option<bool> {
        let had = self.scenario.state.persistence == Persistence::Persistent;
        let undefined = self.scenario.flags.has(Flag::UndefineSource);
        match ending.flags {
            FlagEffect::None | FlagEffect::Destination => Some(had),
            FlagEffect::Both => Some(had && !undefined),
            FlagEffect::Open if had && undefined => None,
            FlagEffect::Open => Some(had),
        }
    }

    /// Whether the destination has a configuration afterwards.
    #[must_use]
    pub fn destination_config(&self, ending: &Ending) -> bool {
        let persists = self.scenario.flags.has(Flag::PersistDest);
        let takes_effect = match ending.flags {
            FlagEffect::None => false,
            FlagEffect::Both | FlagEffect::Destination | FlagEffect::Open => true,
        };
        self.is_prepared() || (persists && takes_effect)
    }
}
