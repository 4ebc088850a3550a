//! The states of a migration, of a machine and of a block job, as QEMU names them. A word that is
//! not known here is kept as it came.

use serde::Deserialize;

/// An enum of QEMU's words, with one table for reading and writing them.
macro_rules! words {
    ($(#[$docs:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$docs])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
        #[serde(from = "String")]
        pub enum $name {
            $($(#[$doc])* $variant,)+
            /// A word that was not known when this was written.
            Other(String),
        }

        impl $name {
            /// All that are known.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant,)+];

            /// QEMU's word for it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }

            /// Whether it is one of [`Self::KNOWN`].
            #[must_use]
            pub fn is_known(&self) -> bool {
                !matches!(self, Self::Other(_))
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)+
                    _ => Self::Other(word.to_owned()),
                }
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                Self::from(word.as_str())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// The state of a migration (`MigrationStatus`).
    #[derive(Default)]
    MigrationStatus {
        /// There was none yet; `query-migrate` then says nothing of it.
        #[default]
        None = "none",
        /// It is set up.
        Setup = "setup",
        /// It is being cancelled.
        Cancelling = "cancelling",
        /// It was cancelled.
        Cancelled = "cancelled",
        /// Memory is copied.
        Active = "active",
        /// The devices' state is sent, on the way to postcopy.
        PostcopyDevice = "postcopy-device",
        /// The guest runs on the destination, which asks for pages.
        PostcopyActive = "postcopy-active",
        /// The connection was lost in postcopy.
        PostcopyPaused = "postcopy-paused",
        /// A recovery of postcopy is set up.
        PostcopyRecoverSetup = "postcopy-recover-setup",
        /// A recovery of postcopy shakes hands.
        PostcopyRecover = "postcopy-recover",
        /// It is complete.
        Completed = "completed",
        /// It is failing, and is being cleaned up.
        Failing = "failing",
        /// It has failed.
        Failed = "failed",
        /// The pair is in COLO.
        Colo = "colo",
        /// It waits for `migrate-continue`.
        PreSwitchover = "pre-switchover",
        /// The devices' state is sent.
        Device = "device",
        /// It waits for a device to be unplugged.
        WaitUnplug = "wait-unplug",
    }
}

words! {
    /// The state of a machine (`RunState`).
    RunState {
        /// It is debugged.
        Debug = "debug",
        /// It is stopped for the end of its migration.
        FinishMigrate = "finish-migrate",
        /// It is yet to come from a migration.
        InMigrate = "inmigrate",
        /// An error of its own keeps it from running.
        InternalError = "internal-error",
        /// An I/O error has stopped it.
        IoError = "io-error",
        /// It was stopped.
        Paused = "paused",
        /// It was migrated away.
        PostMigrate = "postmigrate",
        /// It was never started.
        Prelaunch = "prelaunch",
        /// Its state is read from a file.
        RestoreVm = "restore-vm",
        /// It runs.
        Running = "running",
        /// Its state is written to a file.
        SaveVm = "save-vm",
        /// It has shut down.
        Shutdown = "shutdown",
        /// It sleeps.
        Suspended = "suspended",
        /// Its watchdog has stopped it.
        Watchdog = "watchdog",
        /// Its guest has panicked.
        GuestPanicked = "guest-panicked",
        /// It is stopped for a checkpoint of COLO.
        Colo = "colo",
        /// Its machine is still being made up.
        Preconfig = "preconfig",
    }
}

words! {
    /// The state of a block job (`JobStatus`).
    JobStatus {
        /// It is not there yet.
        Undefined = "undefined",
        /// It was made, and has not begun.
        Created = "created",
        /// It works.
        Running = "running",
        /// It is paused.
        Paused = "paused",
        /// It may be completed.
        Ready = "ready",
        /// It may be completed, and is paused.
        Standby = "standby",
        /// It waits for the others of its transaction.
        Waiting = "waiting",
        /// It waits to be finalized.
        Pending = "pending",
        /// It is being given up.
        Aborting = "aborting",
        /// It has ended, and waits to be dismissed.
        Concluded = "concluded",
        /// QEMU has forgotten it.
        Null = "null",
    }
}

impl MigrationStatus {
    /// Whether the migration goes nowhere from it by itself.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Cancelled => true,
            Self::None
            | Self::Setup
            | Self::Cancelling
            | Self::Active
            | Self::PostcopyDevice
            | Self::PostcopyActive
            | Self::PostcopyPaused
            | Self::PostcopyRecoverSetup
            | Self::PostcopyRecover
            | Self::Failing
            | Self::Colo
            | Self::PreSwitchover
            | Self::Device
            | Self::WaitUnplug
            | Self::Other(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_read_as_it_is_written() {
        for status in MigrationStatus::KNOWN {
            assert_eq!(MigrationStatus::from(status.as_str()), *status);
        }
        for state in RunState::KNOWN {
            assert_eq!(RunState::from(state.as_str()), *state);
        }
        for status in JobStatus::KNOWN {
            assert_eq!(JobStatus::from(status.as_str()), *status);
        }
    }

    #[test]
    fn a_word_of_another_release_is_kept_as_it_came() {
        let status: MigrationStatus = serde_json::from_str("\"levitating\"").unwrap();
        assert_eq!(status, MigrationStatus::Other("levitating".to_owned()));
        assert_eq!(status.to_string(), "levitating");
        assert!(!status.is_known() && !status.is_final());
    }
}
