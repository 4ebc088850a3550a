//! The table of faults: when and where each is committed, and which condition must see it.

use crate::{
    Activity, Backend, Condition, Control, Fault, Flag, FlagSet, Hardware, Persistence, Point,
    Preparation, Scenario, State,
};

/// How a condition trips.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trip {
    /// It sees that it does not hold.
    Fail,
    /// It can't be seen any more, and that is said.
    Unknown,
}

/// When something is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Moment {
    /// When all is prepared, before the first look.
    BeforeLook,
    /// After the first look, right before the migration.
    BeforeMigration,
    /// With the migration itself, which is asked for in another way.
    Migration,
    /// When the migration has returned, before the second look.
    AfterMigration,
    /// When everything is cleared away.
    Clearing,
}

/// What the table says of one fault.
pub(super) struct Row {
    pub moment: Moment,
    pub point: Point,
    pub trips: Condition,
    pub how: Trip,
}

impl Fault {
    /// The point that it is run on: one in which it is a violation.
    #[must_use]
    pub const fn point(self) -> Point {
        self.row().point
    }

    /// Whether a back end can run it.
    #[must_use]
    pub fn runs_on(self, backend: Backend) -> bool {
        self.point().backends().contains(&backend)
    }

    /// The condition that must see it. Others may see it too.
    #[must_use]
    pub const fn trips(self) -> Condition {
        self.row().trips
    }

    /// How that condition trips.
    #[must_use]
    pub const fn how(self) -> Trip {
        self.row().how
    }

    /// When it is committed.
    #[must_use]
    pub const fn moment(self) -> Moment {
        self.row().moment
    }

    /// The table.
    ///
    /// The changed byte is run on a paused guest, which can't stamp over it. A killed QEMU ends the
    /// domain, and libvirt refuses to migrate an inactive one; a stopped daemon and a killed client
    /// never answer.
    const fn row(self) -> Row {
        use Condition::*;
        use Moment::*;
        use Trip::*;
        match self {
            Self::SourceUndefined => row(BeforeLook, PLAIN, SourceDefined, Fail),
            Self::SourceDefined => row(BeforeLook, TRANSIENT, SourceDefined, Fail),
            Self::SourceSuspended => row(BeforeLook, PLAIN, SourceStarted, Fail),
            Self::SourceResumed => row(BeforeLook, PAUSED, SourceStarted, Fail),
            Self::SourceHalted => row(BeforeLook, PLAIN, SourceStarted, Fail),
            Self::DestinationUndefined => row(BeforeLook, PREPARED, DestinationPrepared, Fail),
            Self::DestinationDefined => row(BeforeLook, PLAIN, DestinationPrepared, Fail),
            Self::ForeignUuid => row(BeforeMigration, PREPARED, Migrated, Fail),
            Self::SourceStartedAgain => row(AfterMigration, PLAIN, SourceInactive, Fail),
            Self::SourceConfigRemoved => row(AfterMigration, PLAIN, SourceConfig, Fail),
            Self::SourceConfigAdded => row(
                AfterMigration,
                with(Flag::UndefineSource),
                SourceConfig,
                Fail,
            ),
            Self::DestinationCleared => row(AfterMigration, PREPARED, DestinationExists, Fail),
            Self::DestinationDestroyed => row(AfterMigration, PREPARED, DestinationActive, Fail),
            Self::DestinationConfigRemoved => row(
                AfterMigration,
                with(Flag::PersistDest),
                DestinationConfig,
                Fail,
            ),
            Self::DestinationConfigAdded => row(AfterMigration, PLAIN, DestinationConfig, Fail),
            Self::DestinationSuspended => row(AfterMigration, PLAIN, DestinationState, Fail),
            Self::DestinationResumed => {
                row(AfterMigration, with(Flag::Paused), DestinationState, Fail)
            }
            Self::LiveGiven => row(Migration, PLAIN, During, Fail),
            Self::LiveWithheld => row(Migration, with(Flag::Live), During, Fail),
            Self::MemoryByte => row(AfterMigration, PAUSED, Memory, Fail),
            Self::DestinationHalted => row(AfterMigration, PLAIN, Alive, Fail),
            Self::DeviceAdded => row(AfterMigration, PLAIN, Identity, Fail),
            Self::DestinationFlickered => row(AfterMigration, PLAIN, Events, Fail),
            Self::Throttled => row(Migration, PLAIN, Job, Fail),
            Self::DomainLeft => row(Clearing, PLAIN, NothingLeft, Fail),
            Self::FileLeft => row(Clearing, PLAIN, NothingLeft, Fail),
            Self::DaemonStopped => row(BeforeMigration, PLAIN, Migrated, Unknown),
            Self::QemuKilled => row(BeforeMigration, PLAIN, Migrated, Fail),
            Self::ClientKilled => row(BeforeMigration, PLAIN, Migrated, Unknown),
            Self::Raw(fault) => fault.row(),
            Self::Colo(fault) => fault.row(),
            Self::Backup(fault) => fault.row(),
            Self::Chained(fault) => fault.row(),
        }
    }
}

/// Persistent, running, bare, without flags.
pub(super) const PLAIN: Scenario = Scenario {
    control: Control::Normal,
    state: State {
        persistence: Persistence::Persistent,
        activity: Activity::Running,
        preparation: Preparation::Bare,
    },
    flags: FlagSet::NONE,
    hardware: Hardware::Minimal,
};

const TRANSIENT: Scenario = Scenario {
    state: State {
        persistence: Persistence::Transient,
        ..PLAIN.state
    },
    ..PLAIN
};

const PAUSED: Scenario = Scenario {
    state: State {
        activity: Activity::Paused,
        ..PLAIN.state
    },
    ..PLAIN
};

const PREPARED: Scenario = Scenario {
    state: State {
        preparation: Preparation::Prepared,
        ..PLAIN.state
    },
    ..PLAIN
};

const fn with(flag: Flag) -> Scenario {
    Scenario {
        flags: FlagSet::NONE.with(flag),
        ..PLAIN
    }
}

const fn row(moment: Moment, scenario: Scenario, trips: Condition, how: Trip) -> Row {
    Row {
        moment,
        point: Point::Tck(scenario),
        trips,
        how,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RawFault;

    #[test]
    fn every_condition_has_a_fault_that_trips_it() {
        for condition in Condition::ALL {
            assert!(
                Fault::ALL.iter().any(|fault| fault.trips() == condition),
                "nothing trips {condition}"
            );
        }
    }

    fn scenario(fault: Fault) -> Scenario {
        match fault.point() {
            Point::Tck(scenario) => scenario,
            Point::Qemu(_) | Point::Colo(_) | Point::Backup(_) | Point::Chained(_) => {
                panic!("{fault} is no fault of libvirt's cases")
            }
        }
    }

    #[test]
    fn what_a_fault_takes_away_is_expected_and_what_it_adds_is_not() {
        let before = |fault: Fault| scenario(fault).expectation();
        assert!(before(Fault::SourceUndefined).source_defined);
        assert!(!before(Fault::SourceDefined).source_defined);
        assert!(before(Fault::DestinationUndefined).destination_defined);
        assert!(!before(Fault::DestinationDefined).destination_defined);
        assert!(before(Fault::ForeignUuid).destination_defined);
        assert!(before(Fault::SourceConfigRemoved).source_config);
        assert!(!before(Fault::SourceConfigAdded).source_config);
        assert!(before(Fault::DestinationDestroyed).destination_config);
        assert!(before(Fault::DestinationConfigRemoved).destination_config);
        assert!(!before(Fault::DestinationConfigAdded).destination_config);
    }

    #[test]
    fn who_is_suspended_ran_and_who_is_resumed_was_paused() {
        let expected = |fault: Fault| scenario(fault).expectation();
        assert_eq!(expected(Fault::SourceSuspended).activity, Activity::Running);
        assert_eq!(expected(Fault::SourceHalted).activity, Activity::Running);
        assert_eq!(expected(Fault::SourceResumed).activity, Activity::Paused);
        assert_eq!(expected(Fault::LiveGiven).during, Activity::Paused);
        assert_eq!(expected(Fault::LiveWithheld).during, Activity::Running);
        let after = |fault| expected(fault).destination_activity;
        assert_eq!(after(Fault::DestinationSuspended), Activity::Running);
        assert_eq!(after(Fault::DestinationHalted), Activity::Running);
        assert_eq!(after(Fault::DestinationFlickered), Activity::Running);
        assert_eq!(after(Fault::DestinationResumed), Activity::Paused);
    }

    #[test]
    fn only_what_never_answers_is_unknown() {
        let unknown = Fault::ALL
            .into_iter()
            .filter(|fault| fault.how() == Trip::Unknown);
        let never_answers = [
            Fault::DaemonStopped,
            Fault::ClientKilled,
            Fault::Raw(RawFault::QemuKilled),
            Fault::Raw(RawFault::QemuStopped),
            Fault::Raw(RawFault::QemuGarbled),
        ];
        assert!(unknown.eq(never_answers));
    }
}
