//! The rules of the `qemu` suite: which points can't be, or would show nothing, and why.
//!
//! What a release lacks is no rule but a [need](crate::Requirement): a rule holds for every release.

use super::{
    axes::{
        Accelerator, Address, Channels, Devices, Feature, GuestState, Incident, Method, Multifd,
        Tls, Transport, Uuids, ZeroPage,
    },
    model::End,
    point::{Features, Raw},
};
use crate::rule::{Row, Rule, first, row};

const CHECK: &str = "migrate_caps_check in migration/options.c";
const TRANSPORTS: &str = "migration_channels_and_transport_compatible in migration/migration.c";
const CPR: &str = "docs/devel/migration/CPR.rst";
const POINT: &str = "the suite `qemu`: a case shows what its name says";

/// The first that leaves a point out is the one that is named: what QEMU can't do, before what
/// would show nothing.
static ROWS: [Row<Raw>; 36] = [
    row(
        "return-path-connection",
        |raw| raw.needs_return_path() && raw.transport.is_file(),
        "the destination answers on the connection itself, and a file or a one-way command has no \
         way back",
        "docs/devel/migration/main.rst, Return path",
    ),
    row(
        "postcopy-ignore-shared",
        |raw| raw.can_postcopy() && raw.has(Feature::IgnoreShared),
        "postcopy can't leave shared memory where it is",
        CHECK,
    ),
    row(
        "postcopy-once",
        |raw| raw.method != Method::Precopy && raw.has(Feature::PostcopyReady),
        "postcopy that is never asked for is precopy, and no CPR can have it",
        "migrate_prepare in migration/migration.c",
    ),
    row(
        "preempt-postcopy",
        |raw| raw.has(Feature::PostcopyPreempt) && !raw.can_postcopy(),
        "postcopy-preempt needs postcopy-ram",
        CHECK,
    ),
    row(
        "channels-transport",
        |raw| raw.has_channels() && !raw.transport.is_dialled() && !raw.is_mapped(),
        "only an address can be connected to more than once, and only a mapped file be written at \
         several places at once",
        TRANSPORTS,
    ),
    row(
        "mapped-ram-file",
        |raw| raw.has(Feature::MappedRam) && !raw.transport.is_named_file(),
        "mapped-ram gives each page its place, for which it must seek in a `file:`",
        TRANSPORTS,
    ),
    row(
        "mapped-ram-compression",
        |raw| raw.has(Feature::MappedRam) && raw.compresses(),
        "a compressed page has no fixed size, and so no fixed place in the file",
        "migrate_caps_check and migrate_params_check in migration/options.c",
    ),
    row(
        "direct-io-channels",
        |raw| raw.has(Feature::DirectIo) && !(raw.is_mapped() && raw.multifd != Multifd::Off),
        "direct-io has an effect only with mapped-ram, and there only on the channels of multifd",
        "@direct-io in qapi/migration.json; docs/devel/migration/mapped-ram.rst",
    ),
    row(
        "xbzrle-multifd",
        |raw| raw.has(Feature::Xbzrle) && raw.multifd != Multifd::Off,
        "multifd's threads have no cache of the pages that were sent before",
        CHECK,
    ),
    row(
        "ack-return-path",
        |raw| raw.has(Feature::SwitchoverAck) && !raw.has(Feature::ReturnPath),
        "switchover-ack needs return-path",
        CHECK,
    ),
    row(
        "dirty-limit-ring",
        |raw| raw.has(Feature::DirtyLimit) && raw.accelerator != Accelerator::KvmDirtyRing,
        "dirty-limit needs KVM with a dirty ring",
        CHECK,
    ),
    row(
        "one-throttle",
        |raw| raw.has(Feature::DirtyLimit) && raw.has(Feature::AutoConverge),
        "dirty-limit and auto-converge throttle the same processors",
        CHECK,
    ),
    row(
        "tls-connection",
        |raw| raw.tls != Tls::None && (raw.transport.is_file() || raw.method.is_cpr()),
        "two peers shake hands, for which there must be a connection between them and no files to \
         hand over",
        "migration/tls.c",
    ),
    row(
        "tls-host",
        |raw| raw.tls.needs_host() && raw.transport != Transport::Tcp,
        "without a host, a certificate is refused for that alone",
        "qcrypto_tls_session_check_certificate in crypto/tlssession.c",
    ),
    row(
        "multifd-zero-pages",
        |raw| raw.zero_page == ZeroPage::Multifd && raw.multifd == Multifd::Off,
        "without multifd it is the same as `legacy`",
        "ZeroPageDetection in qapi/migration.json",
    ),
    row(
        "channels-multifd",
        |raw| raw.channels != Channels::Two && raw.multifd == Multifd::Off,
        "only multifd has channels to be counted",
        "@multifd-channels in qapi/migration.json",
    ),
    row(
        "reboot-one-way",
        |raw| raw.method == Method::CprReboot && !raw.transport.is_file(),
        "the two QEMUs do not run at the same time, so that the state must lie in between",
        CPR,
    ),
    row(
        "transfer-address",
        |raw| {
            raw.method == Method::CprTransfer
                && (raw.transport != Transport::Unix || raw.address != Address::Channels)
        },
        "cpr-transfer has a second channel, which `uri` can't name; its first one can't be a file, \
         and has no port of QEMU's choice",
        "MigMode in qapi/migration.json",
    ),
    row(
        "exec-file",
        |raw| raw.method == Method::CprExec && !raw.transport.is_named_file(),
        "the process that follows reads what the one before it wrote, by its name",
        CPR,
    ),
    row(
        "cpr-undisturbed",
        |raw| raw.method.is_cpr() && raw.incident != Incident::None,
        "CPR stops the guest first and moves no memory while it runs: there is no state to disturb",
        CPR,
    ),
    row(
        "offset-text",
        |raw| {
            raw.incident == Incident::BadOffset
                && (raw.transport != Transport::FileOffset || raw.address != Address::Uri)
        },
        "only the text of a `uri` can have an offset that is no number",
        "FileMigrationArgs in qapi/migration.json",
    ),
    row(
        "pre-switchover-pause",
        |raw| raw.incident.is_before_switchover() && !raw.has(Feature::PauseBeforeSwitchover),
        "the state pre-switchover is there only with pause-before-switchover",
        "MigrationStatus in qapi/migration.json",
    ),
    row(
        "struck-connection",
        |raw| raw.incident.blow().is_some() && raw.transport.is_file(),
        "while a file is written there is nobody at its other end",
        POINT,
    ),
    row(
        "struck-way-back",
        |raw| {
            raw.incident.blow().is_some()
                && raw.incident.is_before_switchover()
                && raw.transport == Transport::Tcp
                && !raw.has(Feature::ReturnPath)
        },
        "what is left to be sent fits into the socket, and without a way back the source can't know that \
         nobody reads it",
        "docs/devel/migration/main.rst, Return path",
    ),
    row(
        "handshake-plain",
        |raw| raw.incident == Incident::FailHandshake && raw.tls != Tls::None,
        "the peer that breaks a recovery off speaks no TLS",
        "`Incident::FailHandshake`",
    ),
    row(
        "recover-postcopy",
        |raw| raw.incident.is_recovery() && raw.method != Method::Postcopy,
        "only postcopy can be recovered",
        "@migrate-recover in qapi/migration.json",
    ),
    row(
        "cancel-precopy",
        |raw| raw.method == Method::Postcopy && raw.incident.ends_before_switchover(),
        "it is over before postcopy is asked for: `postcopy-ready` says that",
        "docs/devel/migration/postcopy.rst",
    ),
    row(
        "address-dialled",
        |raw| {
            matches!(
                raw.incident,
                Incident::BadDestination | Incident::CancelFailed
            ) && !raw.transport.is_dialled()
        },
        "only where an address is connected to, there may be nobody at it",
        POINT,
    ),
    row(
        "setup-connection",
        |raw| raw.incident == Incident::CancelSetup && raw.transport.is_file(),
        "a file or a command is opened at once: there is no setup that lasts",
        POINT,
    ),
    row(
        "uuids-validated",
        |raw| raw.uuids != Uuids::Same && !raw.has(Feature::ValidateUuid),
        "without validate-uuid nobody looks at the UUIDs",
        "@validate-uuid in qapi/migration.json",
    ),
    row(
        "mismatch-connection",
        |raw| raw.uuids == Uuids::Mismatch && raw.transport.is_file(),
        "the source has completed long before the destination finds the other UUID in the file",
        POINT,
    ),
    row(
        "still-guest",
        |raw| raw.has_any(OF_PASSES) && !raw.dirties(),
        "it acts on what the guest dirties while precopy copies its memory, pass after pass",
        "MigrationCapability in qapi/migration.json",
    ),
    row(
        "sleeping-guest",
        |raw| raw.guest.sleeps() && (raw.incident != Incident::None || raw.devices.is_in_use()),
        "a guest that sleeps has reset its devices when it wakes, and does nothing to be disturbed",
        "pc_machine_wakeup in hw/i386/pc.c",
    ),
    row(
        "refused-alone",
        |raw| raw.end() == End::Refused && !raw.is_bare(Features::NONE),
        "what is refused shows nothing of the rest",
        POINT,
    ),
    row(
        "refused-address",
        |raw| {
            matches!(raw.address, Address::Both | Address::Neither) && !raw.transport.is_dialled()
        },
        "it is refused before the address is looked at",
        "qmp_migrate in migration/migration.c",
    ),
    row(
        "failed-alone",
        |raw| {
            raw.failure().is_some()
                && (raw.incident != Incident::None || !raw.is_bare(BEFORE_FAILURE))
        },
        "what fails while the two sides meet shows nothing of the rest",
        POINT,
    ),
];

/// The rule that leaves `raw` out; `None` where it may be run.
pub(crate) fn excluded(raw: &Raw) -> Option<&'static Rule> {
    first(&ROWS, raw)
}

/// Features that act on the pages of a further pass, or wait for it.
const OF_PASSES: Features = Features::NONE
    .with(Feature::Xbzrle)
    .with(Feature::AutoConverge)
    .with(Feature::DirtyLimit)
    .with(Feature::SwitchoverAck);

/// Features that matter before a migration can fail by itself.
const BEFORE_FAILURE: Features = Features::NONE
    .with(Feature::ValidateUuid)
    .with(Feature::ReturnPath);

impl Raw {
    fn has(&self, feature: Feature) -> bool {
        self.features.has(feature)
    }

    fn has_any(&self, features: Features) -> bool {
        features.iter().any(|feature| self.has(feature))
    }

    fn needs_return_path(&self) -> bool {
        self.can_postcopy() || self.has(Feature::ReturnPath) || self.has(Feature::SwitchoverAck)
    }

    /// Whether there is more than one connection.
    fn has_channels(&self) -> bool {
        self.multifd != Multifd::Off || self.has(Feature::PostcopyPreempt)
    }

    fn is_mapped(&self) -> bool {
        self.has(Feature::MappedRam) && self.transport.is_named_file()
    }

    fn compresses(&self) -> bool {
        matches!(self.multifd, Multifd::Zlib | Multifd::Zstd) || self.has(Feature::Xbzrle)
    }

    /// Whether the guest dirties memory while precopy copies it.
    fn dirties(&self) -> bool {
        self.guest == GuestState::Running && self.method == Method::Precopy
    }

    /// Whether nothing but `features` adds to how the two sides meet.
    fn is_bare(&self, features: Features) -> bool {
        let others = self.features.iter().filter(|one| !features.has(*one));
        others.count() == 0
            && self.method == Method::Precopy
            && !self.guest.sleeps()
            && self.devices == Devices::None
            && (self.end() != End::Refused || self.meets_plainly())
    }

    fn meets_plainly(&self) -> bool {
        (self.multifd, self.zero_page, self.tls, self.uuids)
            == (Multifd::Off, ZeroPage::Usual, Tls::None, Uuids::Same)
            && matches!(self.incident, Incident::None | Incident::BadOffset)
    }
}
