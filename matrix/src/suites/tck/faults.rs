//! The faults of libvirt's cases, and the condition that must see each.

use super::{
    axes::{Control, Flag, Parallel},
    point::Scenario,
};
use crate::fault::rows::faults;

faults! {
    /// One thing to break on purpose in a migration through libvirt. The lost processes come last.
    ///
    /// What is changed in stamped memory is run on a paused guest, which can't stamp over it. A killed QEMU ends the
    /// domain, and libvirt refuses to migrate an inactive one; a stopped daemon and a killed client
    /// never answer.
    TckFault: Tck;

    /// The source's configuration is removed before the first look.
    SourceUndefined = "source-undefined": BeforeLook, PLAIN, SourceDefined, Fail;
    /// A configuration is added on the source where the scenario has a transient domain.
    SourceDefined = "source-defined": BeforeLook, TRANSIENT, SourceDefined, Fail;
    /// A guest that should run is suspended on the source before the first look.
    SourceSuspended = "source-suspended": BeforeLook, PLAIN, SourceStarted, Fail;
    /// A guest that should be paused is resumed on the source before the first look.
    SourceResumed = "source-resumed": BeforeLook, PAUSED, SourceStarted, Fail;
    /// The guest is halted on the source, so that it is called running and its heartbeat has stopped.
    SourceHalted = "source-halted": BeforeLook, PLAIN, SourceStarted, Fail;
    /// The destination's configuration is removed before the first look.
    DestinationUndefined = "destination-undefined": BeforeLook, PREPARED, DestinationPrepared, Fail;
    /// A configuration is added on the destination where the scenario has none.
    DestinationDefined = "destination-defined": BeforeLook, PLAIN, DestinationPrepared, Fail;
    /// The destination's configuration has another UUID, so that the migration is refused.
    ForeignUuid = "foreign-uuid": BeforeMigration, PREPARED, Migrated, Fail;
    /// The domain is started again on the source after the migration.
    SourceStartedAgain = "source-started-again": AfterMigration, PLAIN, SourceInactive, Fail;
    /// The configuration that should stay on the source is removed after the migration.
    SourceConfigRemoved = "source-config-removed": AfterMigration, PLAIN, SourceConfig, Fail;
    /// A configuration is added on the source, where none should be, after the migration.
    SourceConfigAdded = "source-config-added": AfterMigration, PLAIN.with(Flag::UndefineSource), SourceConfig, Fail;
    /// The configuration on the source gets another title after the migration.
    SourceRenamed = "source-renamed": AfterMigration, PLAIN, SourceConfig, Fail;
    /// The destination's domain is destroyed and undefined after the migration.
    DestinationCleared = "destination-cleared": AfterMigration, PREPARED, DestinationExists, Fail;
    /// The destination's domain is destroyed after the migration, and stays defined.
    DestinationDestroyed = "destination-destroyed": AfterMigration, PREPARED, DestinationActive, Fail;
    /// The destination's configuration is removed after the migration.
    DestinationConfigRemoved = "destination-config-removed": AfterMigration, PLAIN.with(Flag::PersistDest), DestinationConfig, Fail;
    /// The destination's transient domain gets a configuration after the migration.
    DestinationConfigAdded = "destination-config-added": AfterMigration, PLAIN, DestinationConfig, Fail;
    /// The configuration on the destination gets another title after the migration.
    DestinationRenamed = "destination-renamed": AfterMigration, PLAIN.with(Flag::PersistDest), DestinationConfig, Fail;
    /// The running guest is suspended on the destination after the migration.
    DestinationSuspended = "destination-suspended": AfterMigration, PLAIN, DestinationState, Fail;
    /// The paused guest is resumed on the destination after the migration.
    DestinationResumed = "destination-resumed": AfterMigration, PLAIN.with(Flag::Paused), DestinationState, Fail;
    /// `LIVE` is given where the scenario has none: the guest is not paused from the start.
    LiveGiven = "live-given": Migration, PLAIN, GuestDuringCopy, Fail;
    /// `LIVE` is withheld where the scenario has it: the guest is paused from the start.
    LiveWithheld = "live-withheld": Migration, PLAIN.with(Flag::Live), GuestDuringCopy, Fail;
    /// One byte of the guest's memory is changed on the destination through qtest.
    MemoryByte = "memory-byte": AfterMigration, PAUSED, Memory, Fail;
    /// The last page of the guest's stamped memory is put back by a lap on the destination through qtest.
    PageOutdated = "page-outdated": AfterMigration, PAUSED, Memory, Fail;
    /// One byte of memory that the guest does not stamp is changed on the destination through qtest.
    UnstampedByte = "unstamped-byte": AfterMigration, PLAIN, Memory, Fail;
    /// The guest is halted on the destination, so that it is called running and its heartbeat has stopped.
    DestinationHalted = "destination-halted": AfterMigration, PLAIN, Alive, Fail;
    /// The destination's domain is replaced by one with a device more.
    DeviceAdded = "device-added": AfterMigration, PLAIN, Identity, Fail;
    /// The destination's QEMU plugs in a device that libvirt does not know of.
    DevicePluggedBehind = "device-plugged-behind": AfterMigration, PLAIN, Identity, Fail;
    /// The guest is suspended and resumed on the destination after the migration.
    DestinationFlickered = "destination-flickered": AfterMigration, PLAIN, Events, Fail;
    /// The bandwidth is bound to 1 MiB/s, so that the guest is down for longer than its bound.
    Throttled = "throttled": Migration, PLAIN, Statistics, Fail;
    /// The case is tunnelled, and its data go over a connection of QEMU's own.
    TunnelWithheld = "tunnel-withheld": Migration, TUNNELLED, Transport, Fail;
    /// The case is peer to peer, and the client drives the migration.
    PeerWithheld = "peer-withheld": Migration, P2P, Transport, Fail;
    /// The client is to drive the migration, and it goes through a tunnel.
    TunnelGiven = "tunnel-given": Migration, PLAIN, Transport, Fail;
    /// `PARALLEL` is given where the scenario has none.
    ParallelGiven = "parallel-given": Migration, PLAIN, Transport, Fail;
    /// Somebody connects from the source to the destination's daemon, and says nothing.
    StrangerConnected = "stranger-connected": BeforeMigration, P2P, Transport, Fail;
    /// The domain is left on the destination when the case is over.
    DomainLeft = "domain-left": Clearing, PLAIN, NoLeftovers, Fail;
    /// A file that carries the domain's name is left on the source.
    FileLeft = "file-left": Clearing, PLAIN, NoLeftovers, Fail;
    /// A file that carries nothing but the domain's UUID is left on the destination.
    UuidFileLeft = "uuid-file-left": Clearing, PLAIN, NoLeftovers, Fail;
    /// A QEMU without a name, which listens on a port of migrations, is left on the destination.
    ListenerLeft = "listener-left": Clearing, PLAIN, NoLeftovers, Fail;
    /// A copy of the domain, with another name and UUID, is left on the destination.
    CopyLeft = "copy-left": Clearing, PLAIN, NoLeftovers, Fail;
    /// `PARALLEL` is withheld where the scenario has it: all goes over one connection.
    ParallelWithheld = "parallel-withheld": Migration, PARALLEL, Channels, Fail;
    /// The source's daemon is stopped (`SIGSTOP`) right before the migration.
    DaemonStopped = "daemon-stopped": BeforeMigration, PLAIN, Migrated, Unknown;
    /// The source's QEMU is killed right before the migration.
    QemuKilled = "qemu-killed": BeforeMigration, PLAIN, Migrated, Fail;
    /// The client process is killed right before the migration.
    ClientKilled = "client-killed": BeforeMigration, PLAIN, Migrated, Unknown;
}

const PLAIN: Scenario = Scenario::USUAL;

const TRANSIENT: Scenario = PLAIN.transient();

const PAUSED: Scenario = PLAIN.paused();

const PREPARED: Scenario = PLAIN.prepared();

const P2P: Scenario = Scenario {
    control: Control::P2p,
    ..PLAIN
};

const TUNNELLED: Scenario = Scenario {
    control: Control::Tunnelled,
    ..PLAIN
};

const PARALLEL: Scenario = Scenario {
    parallel: Parallel::Four,
    ..PLAIN
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activity, Point};

    fn scenario(fault: TckFault) -> Scenario {
        let Point::Tck(scenario) = fault.row().point else {
            panic!("{} is no fault of a scenario", fault.word())
        };
        scenario
    }

    #[test]
    fn what_a_fault_takes_away_is_expected_and_what_it_adds_is_not() {
        let before = |fault: TckFault| scenario(fault).expectation();
        assert!(before(TckFault::SourceUndefined).source_defined);
        assert!(!before(TckFault::SourceDefined).source_defined);
        assert!(before(TckFault::DestinationUndefined).destination_defined);
        assert!(!before(TckFault::DestinationDefined).destination_defined);
        assert!(before(TckFault::ForeignUuid).destination_defined);
        assert!(before(TckFault::SourceConfigRemoved).source_config);
        assert!(!before(TckFault::SourceConfigAdded).source_config);
        assert!(before(TckFault::DestinationDestroyed).destination_config);
        assert!(before(TckFault::DestinationConfigRemoved).destination_config);
        assert!(!before(TckFault::DestinationConfigAdded).destination_config);
    }

    #[test]
    fn who_is_suspended_ran_and_who_is_resumed_was_paused() {
        let expected = |fault: TckFault| scenario(fault).expectation();
        assert_eq!(
            expected(TckFault::SourceSuspended).activity,
            Activity::Running
        );
        assert_eq!(expected(TckFault::SourceHalted).activity, Activity::Running);
        assert_eq!(expected(TckFault::SourceResumed).activity, Activity::Paused);
        assert_eq!(expected(TckFault::LiveGiven).during, Activity::Paused);
        assert_eq!(expected(TckFault::LiveWithheld).during, Activity::Running);
        let after = |fault: TckFault| expected(fault).destination_activity;
        assert_eq!(after(TckFault::DestinationSuspended), Activity::Running);
        assert_eq!(after(TckFault::DestinationHalted), Activity::Running);
        assert_eq!(after(TckFault::DestinationFlickered), Activity::Running);
        assert_eq!(after(TckFault::DestinationResumed), Activity::Paused);
    }
}
