//! What must come of a call whose cause of failure is there before: it is refused, and nothing has changed.

use super::{
    Answer, Ending, ErrorClass,
    classes::{
        ALREADY_ACTIVE, DOMAIN_FAILED, HELPER, HOOK_FAILED, INTERNAL, NO_CPU, NO_FILE, NO_MACHINE,
        NO_SCHEME, RESET,
    },
    outcomes::{gone_over, stays},
};
use crate::suites::recovery::{axes::Strike, point::Recovery};

const RULE: &str = "a failure of Begin or Prepare leaves the source as it is \
                    (virDomainMigrateVersion3Full, qemuMigrationSrcPerformPeer2Peer3)";
const LOG: &str = "what QEMU prints is nobody's condition (qemu.conf, stdio_handler)";

/// How it ends.
pub(super) fn ending(point: &Recovery) -> Ending {
    if point.strike == Strike::LogFolderFull {
        return gone_over(point, Answer::Success, LOG);
    }
    stays(point, classes(point.strike), RULE)
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
        Strike::TlsMissing => &[INTERNAL],
        Strike::DaemonDead | Strike::UriUnknown | Strike::UriUnreachable | Strike::UriRefusing => {
            &[RESET]
        }
        Strike::MachineUnknown => &[NO_MACHINE, INTERNAL],
        Strike::CpuModelUnknown | Strike::CpuFeatureUnknown => &[NO_CPU],
        Strike::DiskMissing => &[NO_FILE],
        Strike::UriScheme => &[NO_SCHEME],
        Strike::LogFolderFull
        | Strike::Cancelled
        | Strike::ClientKilled
        | Strike::SourceQemuKilled
        | Strike::DestinationQemuKilled
        | Strike::SourceQemuStopped
        | Strike::DestinationQemuStopped
        | Strike::SourceDaemonKilled
        | Strike::DestinationDaemonKilled
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
        | Strike::Undisturbed
        | Strike::PostcopyPaused => &[],
    }
}
