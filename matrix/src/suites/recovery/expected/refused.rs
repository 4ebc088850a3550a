//! What must come of a call whose cause of failure is there before: it is refused, and nothing has changed.

use super::{
    Answer, Ending, ErrorClass, Libvirts,
    classes::{
        ALREADY_ACTIVE, DOMAIN_FAILED, FAILED, HELPER, HOOK_FAILED, INTERNAL, NO_FEATURE, NO_FILE,
        NO_MACHINE, NO_MODEL, NO_SCHEME, RESET,
    },
    outcomes::{gone_over, stays},
};
use crate::{
    Control, Version,
    suites::recovery::{axes::Strike, point::Recovery},
};

/// From here on the source's daemon that can't connect to the destination's tells the connection's own error. That of
/// 7.0.0 puts it into one of its own (qemuMigrationSrcPerformPeer2Peer); 9.0.0 is the first that was seen not to.
const TELLS_OF_CONNECTION: Version = Version::new(9, 0, 0);

/// From here on libvirt itself looks whether there is a machine type for a guest that comes in. 7.0.0 leaves it to QEMU, which
/// ends at once; 9.0.0 is the first that was seen not to.
const KNOWS_MACHINES: Version = Version::new(9, 0, 0);

const RULE: &str = "a failure of Begin or Prepare leaves the source as it is \
                    (virDomainMigrateVersion3Full, qemuMigrationSrcPerformPeer2Peer3)";
const LOG: &str = "what QEMU prints is nobody's condition (qemu.conf, stdio_handler)";

const SHORT: &str = "nobody compares the size of a disk that is not copied: libvirt looks whether it is there, and the \
                     destination's device has the size that its own image has (qemuProcessPrepareHostStorage, \
                     virtio_blk_update_config in QEMU)";
const UNREADABLE: &str = "what libvirt sees to be there and QEMU can't read ends the destination's QEMU before it listens: Prepare \
                          fails (qemuProcessWaitForMonitor, qemuMigrationDstPrepareAny)";
const SAME: &str = "a host knows its own UUID in the cookie of Begin, and Prepare refuses it \
                    (qemuMigrationCookieXMLParse: \"Attempt to migrate guest to the same host\")";
const ENCRYPTED: &str = "what both sides have certificates for is encrypted, and goes as it would without \
                         (virDomainMigrateFlags, VIR_MIGRATE_TLS)";
const NOWHERE: &str = "who starts a guest has a machine type for it, or refuses it: libvirt, or else its QEMU, in Prepare \
                       (qemuValidateDomainDef, qemuProcessWaitForMonitor)";
const MODEL: &str = "who starts a guest looks its model up in a map of its own, in Prepare (x86ModelFromCPU: \"Unknown CPU model\")";
const FEATURE: &str = "who starts a guest has a name for each of its features, those too that it is to lack, in Prepare (virCPUValidateFeatures: \
     \"unknown CPU feature\")";
const UNTRUSTED: &str = "who connects verifies the other's certificate by the authorities that he knows, and that is the source's QEMU: \
                         Perform fails (default_tls_x509_cert_dir in qemu.conf, qcrypto_tls_session_check_certificate in QEMU)";
const EXPIRED: &str = "QEMU looks at its own certificates when it is given them: Prepare fails \
                       (qcrypto_tls_creds_check_cert_times in QEMU)";

/// How it ends.
pub(super) fn ending(point: &Recovery, libvirts: &Libvirts) -> Ending {
    if point.strike == Strike::LogFolderFull {
        return gone_over(point, Answer::Success, LOG);
    }
    if point.strike == Strike::DiskShort {
        return gone_over(point, Answer::Success, SHORT);
    }
    if point.strike == Strike::TlsRight {
        return gone_over(point, Answer::Success, ENCRYPTED);
    }
    if point.strike == Strike::DaemonDead {
        return stays(point, unconnected(point.control(), libvirts), RULE);
    }
    if point.strike == Strike::MachineUnknown {
        return stays(point, without_machine(libvirts), NOWHERE);
    }
    stays(point, classes(point.strike), rule(point.strike))
}

/// How a destination refuses a guest for whose machine type it has nothing.
fn without_machine(libvirts: &Libvirts) -> &'static [ErrorClass] {
    let mut destination = libvirts.destination.iter();
    match destination.any(|version| *version < KNOWS_MACHINES) {
        true => &[NO_MACHINE, INTERNAL],
        false => &[NO_MACHINE],
    }
}

/// How whoever drives the migration tells that nobody listens at the destination.
fn unconnected(control: Control, libvirts: &Libvirts) -> &'static [ErrorClass] {
    let mut source = libvirts.source.iter();
    let is_old = source.any(|version| *version < TELLS_OF_CONNECTION);
    match control {
        Control::P2p | Control::Tunnelled if is_old => &[RESET, FAILED],
        Control::Normal | Control::P2p | Control::Tunnelled => &[RESET],
    }
}

const fn rule(strike: Strike) -> &'static str {
    if matches!(strike, Strike::DiskUnreadable) {
        UNREADABLE
    } else if matches!(strike, Strike::SameHost) {
        SAME
    } else if matches!(strike, Strike::TlsForeign) {
        UNTRUSTED
    } else if matches!(strike, Strike::TlsExpired) {
        EXPIRED
    } else if matches!(strike, Strike::CpuModelUnknown) {
        MODEL
    } else if matches!(strike, Strike::CpuFeatureUnknown) {
        FEATURE
    } else {
        RULE
    }
}

/// The classes of each cause. A cause that strikes on the way, and is no refusal, has none.
const fn classes(strike: Strike) -> &'static [ErrorClass] {
    match strike {
        Strike::NameInactive | Strike::NameActive | Strike::UuidInactive | Strike::UuidActive => {
            &[DOMAIN_FAILED]
        }
        Strike::DomainActive => &[ALREADY_ACTIVE],
        Strike::HookMigrate | Strike::HookStart => &[HOOK_FAILED],
        Strike::StateFolderFull => &[HELPER],
        Strike::LibraryFolderFull | Strike::MemoryShort | Strike::PortTaken => &[INTERNAL],
        Strike::DiskUnreadable | Strike::SameHost | Strike::TlsMissing => &[INTERNAL],
        Strike::TlsExpired => &[INTERNAL],
        Strike::TlsForeign => &[FAILED, INTERNAL, DOMAIN_FAILED],
        Strike::DaemonDead | Strike::UriUnknown | Strike::UriUnreachable | Strike::UriRefusing => {
            &[RESET]
        }
        Strike::MachineUnknown => &[NO_MACHINE],
        Strike::CpuModelUnknown => &[NO_MODEL],
        Strike::CpuFeatureUnknown => &[NO_FEATURE],
        Strike::DiskMissing => &[NO_FILE],
        Strike::UriScheme => &[NO_SCHEME],
        Strike::LogFolderFull
        | Strike::DiskShort
        | Strike::TlsRight
        | Strike::Cancelled
        | Strike::ClientKilled
        | Strike::SourceQemuKilled
        | Strike::DestinationQemuKilled
        | Strike::SourceQemuStopped
        | Strike::DestinationQemuStopped
        | Strike::SourceDaemonKilled
        | Strike::DestinationDaemonKilled
        | Strike::SourceDaemonKilledTwice
        | Strike::DestinationDaemonKilledTwice
        | Strike::SourceDaemonSilent
        | Strike::DestinationDaemonSilent
        | Strike::SourceDestroyed
        | Strike::DestinationDestroyed
        | Strike::DataReset
        | Strike::DataStalled
        | Strike::ManagementReset
        | Strike::ReplyLost
        | Strike::LinkDown
        | Strike::Suspended
        | Strike::Resumed
        | Strike::NeverConverges
        | Strike::GuestPoweredOff
        | Strike::GuestRebooted
        | Strike::GuestCrashed
        | Strike::SecondMigration
        | Strike::DeviceAttached
        | Strike::Crossing
        | Strike::Crowd
        | Strike::Undisturbed
        | Strike::PostcopyPaused => &[],
    }
}
