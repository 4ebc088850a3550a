//! The faults of raw migrations, and the condition that must see each.

use crate::{
    Feature, Features, GuestState, Incident, MachineChoice, Method, Multifd, Raw, Tls, Transport,
    fault::rows::faults,
};

faults! {
    /// One thing to break on purpose in a raw migration. The lost processes come last.
    RawFault: Qemu;

    /// The guest is stopped on the source before the first look.
    SourceStopped = "raw-source-stopped": BeforeLook, PLAIN, SourceStarted, Fail;
    /// A capability that the case names stays off on both sides.
    CapabilityOff = "capability-off": BeforeMigration, RETURN_PATH, Settings, Fail;
    /// A capability is turned on right before the migration, after all was asked back.
    SwitchedOn = "switched-on": BeforeMigration, PLAIN, Settings, Fail;
    /// The keys are the same where the case has two.
    FailureMissing = "failure-missing": Migration, MISMATCH, ExpectedError, Fail;
    /// The cancel comes when the migration has completed, and not while it is active.
    CancelLate = "cancel-late": Migration, CANCEL, Incident, Fail;
    /// The guest is continued on the source after the migration.
    SourceContinued = "source-continued": AfterMigration, PLAIN, SourceInactive, Fail;
    /// The destination's QEMU is killed after the migration.
    DestinationKilled = "destination-killed": AfterMigration, PLAIN, DestinationExists, Fail;
    /// The destination's QEMU is replaced by one that still waits for a stream.
    DestinationReplaced = "destination-replaced": AfterMigration, PLAIN, DestinationActive, Fail;
    /// The guest is stopped on the destination after the migration.
    DestinationStopped = "raw-destination-stopped": AfterMigration, PLAIN, DestinationState, Fail;
    /// A guest that should be still runs while its memory is copied.
    ContinuedDuring = "continued-during": Migration, STOPPED, GuestDuringCopy, Fail;
    /// The migration is let go before a further pass.
    SinglePass = "single-pass": Migration, PLAIN, Iterations, Fail;
    /// There is one channel where the case has two.
    OneChannel = "one-channel": Migration, MULTIFD, Channels, Fail;
    /// Nothing is compressed where the case has zlib.
    Uncompressed = "uncompressed": Migration, ZLIB, Effect, Fail;
    /// Nothing is encrypted where the case has a key.
    Unencrypted = "unencrypted": Migration, PSK, Transport, Fail;
    /// There is no way back where the case has one.
    OneWay = "one-way": Migration, RETURN_PATH, Effect, Fail;
    /// Pages that postcopy asks for have no connection of their own where the case gives them one.
    NotPreempted = "not-preempted": Migration, PREEMPT, Effect, Fail;
    /// The file goes through the host's cache where the case passes it by.
    Cached = "cached": Migration, DIRECT, Effect, Fail;
    /// The memory is written as a stream where the case has a place in the file for each page.
    Streamed = "streamed": Migration, MAPPED, Effect, Fail;
    /// The switchover to postcopy is never asked for.
    PostcopyNotStarted = "postcopy-not-started": Migration, POSTCOPY, Effect, Fail;
    /// One byte of the guest's memory is changed on the destination through qtest.
    PageChanged = "page-changed": AfterMigration, PLAIN, Memory, Fail;
    /// The last page of the guest's stamped memory is put back by a lap on the destination through qtest.
    PageOutdated = "raw-page-outdated": AfterMigration, PLAIN, Memory, Fail;
    /// One byte of memory that the guest does not stamp is changed on the destination through qtest.
    UnstampedByte = "raw-unstamped-byte": AfterMigration, PLAIN, Memory, Fail;
    /// The guest is halted on the destination, so that it is called running and its heartbeat has stopped.
    GuestHalted = "guest-halted": AfterMigration, PLAIN, Alive, Fail;
    /// A device is plugged in on the destination.
    DevicePlugged = "device-plugged": AfterMigration, PC, Identity, Fail;
    /// The guest's clock is set to another year on the destination.
    ClockSet = "clock-set": AfterMigration, PC, Identity, Fail;
    /// The device's registers are changed on the destination.
    DeviceDisturbed = "device-disturbed": AfterMigration, DEVICE, Device, Fail;
    /// The guest is stopped and continued on the destination.
    Flickered = "flickered": AfterMigration, PLAIN, Events, Fail;
    /// The destination is held still when the guest is stopped, so that it is down for longer than its
    /// bound.
    SlowlyConverged = "slowly-converged": Migration, PLAIN, Statistics, Fail;
    /// The stream goes over TCP where the case has a UNIX socket.
    TransportChanged = "transport-changed": Migration, PLAIN, Transport, Fail;
    /// The end of the stream's file is cut off.
    StreamCut = "stream-cut": Migration, FILE, Stream, Fail;
    /// A file is left in the case's folder.
    FileLeft = "raw-file-left": Clearing, PLAIN, NoLeftovers, Fail;
    /// A file is left in the case's folder before that is removed, and goes with it.
    FileSwept = "raw-file-swept": AfterMigration, PLAIN, NoLeftovers, Fail;
    /// A QEMU that listens, and carries nothing of the case on its command line, is left.
    ListenerLeft = "raw-listener-left": Clearing, PLAIN, NoLeftovers, Fail;
    /// The source's QEMU is killed right before the migration.
    QemuKilled = "raw-qemu-killed": BeforeMigration, PLAIN, Migrated, Unknown;
    /// The source's QEMU is stopped (`SIGSTOP`) right before the migration.
    QemuStopped = "raw-qemu-stopped": BeforeMigration, PLAIN, Migrated, Unknown;
    /// What the source's QEMU says is garbled from right before the migration on.
    QemuGarbled = "raw-qemu-garbled": BeforeMigration, PLAIN, Migrated, Unknown;
}

const PLAIN: Raw = Raw::USUAL;
const RETURN_PATH: Raw = Raw {
    features: Features::NONE.with(Feature::ReturnPath),
    ..PLAIN
};
const MISMATCH: Raw = Raw {
    transport: Transport::Tcp,
    tls: Tls::PskMismatch,
    ..PLAIN
};
const PSK: Raw = Raw {
    transport: Transport::Tcp,
    tls: Tls::Psk,
    ..PLAIN
};
const PREEMPT: Raw = Raw {
    features: Features::NONE.with(Feature::PostcopyPreempt),
    ..POSTCOPY
};
const CANCEL: Raw = Raw {
    incident: Incident::CancelActive,
    ..PLAIN
};
const STOPPED: Raw = Raw {
    guest: GuestState::Stopped,
    ..PLAIN
};
const MULTIFD: Raw = Raw {
    multifd: Multifd::Plain,
    ..PLAIN
};
const ZLIB: Raw = Raw {
    multifd: Multifd::Zlib,
    ..PLAIN
};
const MAPPED: Raw = Raw {
    transport: Transport::File,
    features: Features::NONE.with(Feature::MappedRam),
    ..PLAIN
};
const DIRECT: Raw = Raw {
    guest: GuestState::Stopped,
    multifd: Multifd::Plain,
    features: MAPPED.features.with(Feature::DirectIo),
    ..MAPPED
};
const POSTCOPY: Raw = Raw {
    method: Method::Postcopy,
    ..PLAIN
};
const PC: Raw = Raw {
    machine: MachineChoice::Pc,
    ..PLAIN
};
const DEVICE: Raw = Raw {
    devices: crate::Devices::VirtioRng,
    ..PLAIN
};
const FILE: Raw = Raw {
    transport: Transport::File,
    ..PLAIN
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Backend, Case, Fault, excluded};

    #[test]
    fn each_is_run_on_a_case_that_has_the_condition() {
        for fault in RawFault::ALL {
            let row = fault.row();
            assert!(
                row.point.conditions().contains(&row.detected_by),
                "{}",
                fault.word()
            );
        }
    }

    #[test]
    fn each_is_run_on_a_case_that_no_rule_leaves_out() {
        for fault in RawFault::ALL {
            let point = Fault::Raw(fault).point();
            let name = format!("faults/{}/a,b/{point}/{}", Backend::Qemu, fault.word());
            let case: Case = name.parse().unwrap();
            assert_eq!(excluded(&case), None, "{name}");
        }
    }
}
