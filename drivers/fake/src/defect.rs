//! The known defects, each with the condition that must catch it.

use migratrix_matrix::{Condition, Control, Detection, Flag, Scenario};

/// One way in which a hypervisor can betray its guest, or whoever asked it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Defect {
    /// The source's domain is started, and its configuration forgotten.
    ForgetsConfig,
    /// A guest is called paused, and goes on running.
    SuspendsInName,
    /// A configuration is said to be defined, and is not.
    DefinesNothing,
    /// The migration is refused for no reason.
    RefusesWithoutReason,
    /// The migration never returns.
    HangsInMigrate,
    /// The client process dies in the migration.
    CrashesClient,
    /// The domain stays active on the source.
    KeepsSourceRunning,
    /// The source's configuration stays in spite of `UNDEFINE_SOURCE`.
    KeepsSourceConfig,
    /// The source's configuration goes without `UNDEFINE_SOURCE`.
    DropsSourceConfig,
    /// The configuration that stays on the source becomes another one.
    RewritesSourceConfig,
    /// The domain arrives with another UUID.
    ChangesUuid,
    /// Success is returned, and nothing was done.
    SaysDoneWithoutMigrating,
    /// The destination's configuration is missing in spite of `PERSIST_DEST`.
    ForgetsPersist,
    /// The destination's domain becomes persistent without `PERSIST_DEST`.
    PersistsUnasked,
    /// The destination keeps another configuration than the source did.
    RewritesDestinationConfig,
    /// A guest that ran arrives paused.
    LeavesDestinationPaused,
    /// A guest that was paused arrives running.
    ResumesPausedGuest,
    /// A guest that ran arrives running in spite of `PAUSED`.
    IgnoresPausedFlag,
    /// The guest arrives running, for a reason that is not the migration.
    WrongStateReason,
    /// The guest is paused before the first pass in spite of `LIVE`.
    StillWhileLive,
    /// The guest is paused only after the first pass without `LIVE`.
    RunsWhileNotLive,
    /// The guest is told to be paused, and beats while its memory is copied.
    PausesInName,
    /// A page arrives as zeros.
    LosesPage,
    /// A page arrives as it was two laps ago.
    StalePage,
    /// Two pages arrive in each other's place.
    SwapsPages,
    /// A page arrives partly old.
    TearsPage,
    /// The last stamps before the stamper's place arrive undone.
    UndoesStamps,
    /// The next stamps after the stamper's place arrive made.
    ForeseesStamps,
    /// A page that the guest doesn't stamp arrives as zeros.
    LosesUnstampedPage,
    /// A page that the guest doesn't stamp, and that was empty, arrives with something in it.
    ChangesUnstampedPage,
    /// All of memory arrives as it was long ago.
    GoesBackInTime,
    /// The guest goes on beating on the source, with no domain there.
    BeatsOnBothSides,
    /// The guest is called running, and does not beat.
    DeadOnArrival,
    /// The domain arrives with another machine type.
    ChangesMachineType,
    /// A device arrives at another address.
    MovesDeviceAddress,
    /// A device does not arrive.
    DropsDevice,
    /// The domain arrives with something else in its XML.
    ChangesXml,
    /// The QEMU of the destination has a device that libvirt does not tell of.
    PlugsDevice,
    /// The QEMU of the destination has another disk image open.
    OpensOtherImage,
    /// The guest's clock arrives an hour back.
    SetsClock,
    /// The QEMU of the destination is of another version than its host says.
    RunsOtherVersion,
    /// The destination does not tell that the domain started.
    LosesEvent,
    /// The destination tells that the domain runs before it tells that it started.
    ReordersEvents,
    /// The destination tells a suspension that was none.
    ExtraEvent,
    /// There are no statistics.
    NoJobStatistics,
    /// The source does not tell that its job has ended.
    KeepsEndQuiet,
    /// A pass over the memory is not told of.
    SwallowsPass,
    /// Less was sent than the pages take.
    SendsLessThanPages,
    /// The statistics of the completed job tell of memory that remains.
    StatisticsDontAddUp,
    /// The guest is down for longer than its bound.
    DowntimeTooLong,
    /// The data of a tunnelled migration go over a connection of QEMU's own.
    LeavesTunnel,
    /// The client is made to drive what the source's daemon should.
    LeavesPeer,
    /// The source's daemon drives what the client should.
    TakesOver,
    /// A flag is added that nobody asked for.
    AddsFlag,
    /// A flag is not handed on.
    DropsFlag,
    /// Success is told of memory that never went over the network.
    SendsNothing,
    /// Somebody connects from the destination to the source's daemon, and says nothing.
    ConnectsUnasked,
    /// A QEMU stays behind on the source.
    LeavesProcess,
    /// A port stays listened to.
    LeavesListener,
    /// A file stays behind on the source.
    LeavesFile,
}

/// What the table says of one defect.
struct Row {
    word: &'static str,
    scenario: Scenario,
    condition: Condition,
    how: Detection,
}

impl Defect {
    /// All values, in the order of the conditions that catch them.
    pub const ALL: [Self; 60] = [
        Self::ForgetsConfig,
        Self::SuspendsInName,
        Self::DefinesNothing,
        Self::RefusesWithoutReason,
        Self::HangsInMigrate,
        Self::CrashesClient,
        Self::KeepsSourceRunning,
        Self::KeepsSourceConfig,
        Self::DropsSourceConfig,
        Self::RewritesSourceConfig,
        Self::ChangesUuid,
        Self::SaysDoneWithoutMigrating,
        Self::ForgetsPersist,
        Self::PersistsUnasked,
        Self::RewritesDestinationConfig,
        Self::LeavesDestinationPaused,
        Self::ResumesPausedGuest,
        Self::IgnoresPausedFlag,
        Self::WrongStateReason,
        Self::StillWhileLive,
        Self::RunsWhileNotLive,
        Self::PausesInName,
        Self::LosesPage,
        Self::StalePage,
        Self::SwapsPages,
        Self::TearsPage,
        Self::UndoesStamps,
        Self::ForeseesStamps,
        Self::LosesUnstampedPage,
        Self::ChangesUnstampedPage,
        Self::GoesBackInTime,
        Self::BeatsOnBothSides,
        Self::DeadOnArrival,
        Self::ChangesMachineType,
        Self::MovesDeviceAddress,
        Self::DropsDevice,
        Self::ChangesXml,
        Self::PlugsDevice,
        Self::OpensOtherImage,
        Self::SetsClock,
        Self::RunsOtherVersion,
        Self::LosesEvent,
        Self::ReordersEvents,
        Self::ExtraEvent,
        Self::NoJobStatistics,
        Self::KeepsEndQuiet,
        Self::SwallowsPass,
        Self::SendsLessThanPages,
        Self::StatisticsDontAddUp,
        Self::DowntimeTooLong,
        Self::LeavesTunnel,
        Self::LeavesPeer,
        Self::TakesOver,
        Self::AddsFlag,
        Self::DropsFlag,
        Self::SendsNothing,
        Self::ConnectsUnasked,
        Self::LeavesProcess,
        Self::LeavesListener,
        Self::LeavesFile,
    ];

    /// The word that stands for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.row().word
    }

    /// A scenario on which it can be seen.
    #[must_use]
    pub const fn scenario(self) -> Scenario {
        self.row().scenario
    }

    /// The condition that must catch it. Others may see it too.
    #[must_use]
    pub const fn condition(self) -> Condition {
        self.row().condition
    }

    /// How that condition detects it.
    #[must_use]
    pub const fn how(self) -> Detection {
        self.row().how
    }

    /// The table. What is done to stamps is seen of a paused guest: a running one stamps over it.
    const fn row(self) -> Row {
        use Condition::*;
        use Detection::*;
        match self {
            Self::ForgetsConfig => row("forgets-config", PLAIN, SourceDefined, Fail),
            Self::SuspendsInName => row("suspends-in-name", PAUSED, SourceStarted, Fail),
            Self::DefinesNothing => row("defines-nothing", PREPARED, DestinationPrepared, Fail),
            Self::RefusesWithoutReason => row("refuses-without-reason", PLAIN, Migrated, Fail),
            Self::HangsInMigrate => row("hangs-in-migrate", PLAIN, Migrated, Unknown),
            Self::CrashesClient => row("crashes-client", PLAIN, Migrated, Unknown),
            Self::KeepsSourceRunning => row("keeps-source-running", PLAIN, SourceInactive, Fail),
            Self::KeepsSourceConfig => row(
                "keeps-source-config",
                PLAIN.with(Flag::UndefineSource),
                SourceConfig,
                Fail,
            ),
            Self::DropsSourceConfig => row("drops-source-config", PLAIN, SourceConfig, Fail),
            Self::RewritesSourceConfig => row("rewrites-source-config", PLAIN, SourceConfig, Fail),
            Self::ChangesUuid => row("changes-uuid", PLAIN, DestinationExists, Fail),
            Self::SaysDoneWithoutMigrating => row(
                "says-done-without-migrating",
                PREPARED,
                DestinationActive,
                Fail,
            ),
            Self::ForgetsPersist => row(
                "forgets-persist",
                PLAIN.with(Flag::PersistDest),
                DestinationConfig,
                Fail,
            ),
            Self::PersistsUnasked => row("persists-unasked", PLAIN, DestinationConfig, Fail),
            Self::RewritesDestinationConfig => row(
                "rewrites-destination-config",
                PLAIN.with(Flag::PersistDest),
                DestinationConfig,
                Fail,
            ),
            Self::LeavesDestinationPaused => {
                row("leaves-destination-paused", PLAIN, DestinationState, Fail)
            }
            Self::ResumesPausedGuest => row("resumes-paused-guest", PAUSED, DestinationState, Fail),
            Self::IgnoresPausedFlag => row(
                "ignores-paused-flag",
                PLAIN.with(Flag::Paused),
                DestinationState,
                Fail,
            ),
            Self::WrongStateReason => row("wrong-state-reason", PLAIN, DestinationState, Fail),
            Self::StillWhileLive => row(
                "still-while-live",
                PLAIN.with(Flag::Live),
                GuestDuringCopy,
                Fail,
            ),
            Self::RunsWhileNotLive => row("runs-while-not-live", PLAIN, GuestDuringCopy, Fail),
            Self::PausesInName => row("pauses-in-name", PLAIN, GuestDuringCopy, Fail),
            Self::LosesPage => row("loses-page", PAUSED, Memory, Fail),
            Self::StalePage => row("stale-page", PAUSED, Memory, Fail),
            Self::SwapsPages => row("swaps-pages", PAUSED, Memory, Fail),
            Self::TearsPage => row("tears-page", PAUSED, Memory, Fail),
            Self::UndoesStamps => row("undoes-stamps", PAUSED, Memory, Fail),
            Self::ForeseesStamps => row("foresees-stamps", PAUSED, Memory, Fail),
            Self::LosesUnstampedPage => row("loses-unstamped-page", PLAIN, Memory, Fail),
            Self::ChangesUnstampedPage => row("changes-unstamped-page", PLAIN, Memory, Fail),
            Self::GoesBackInTime => row("goes-back-in-time", PAUSED, Memory, Fail),
            Self::BeatsOnBothSides => row("beats-on-both-sides", PLAIN, Alive, Fail),
            Self::DeadOnArrival => row("dead-on-arrival", PLAIN, Alive, Fail),
            Self::ChangesMachineType => row("changes-machine-type", PLAIN, Identity, Fail),
            Self::MovesDeviceAddress => row("moves-device-address", PLAIN, Identity, Fail),
            Self::DropsDevice => row("drops-device", PLAIN, Identity, Fail),
            Self::ChangesXml => row("changes-xml", PLAIN, Identity, Fail),
            Self::PlugsDevice => row("plugs-device", PLAIN, Identity, Fail),
            Self::OpensOtherImage => row("opens-other-image", PLAIN, Identity, Fail),
            Self::SetsClock => row("sets-clock", PLAIN, Identity, Fail),
            Self::RunsOtherVersion => row("runs-other-version", PLAIN, Identity, Unknown),
            Self::LosesEvent => row("loses-event", PLAIN, Events, Fail),
            Self::ReordersEvents => row("reorders-events", PLAIN, Events, Fail),
            Self::ExtraEvent => row("extra-event", PLAIN, Events, Fail),
            Self::NoJobStatistics => row("no-job-statistics", PLAIN, Statistics, Fail),
            Self::KeepsEndQuiet => row("keeps-end-quiet", PLAIN, Statistics, Unknown),
            Self::SwallowsPass => row("swallows-pass", PLAIN, Statistics, Fail),
            Self::SendsLessThanPages => row("sends-less-than-pages", PLAIN, Statistics, Fail),
            Self::StatisticsDontAddUp => row("statistics-dont-add-up", PLAIN, Statistics, Fail),
            Self::DowntimeTooLong => row("downtime-too-long", PLAIN, Statistics, Fail),
            Self::LeavesTunnel => row("leaves-tunnel", TUNNELLED, Transport, Fail),
            Self::LeavesPeer => row("leaves-peer", P2P, Transport, Fail),
            Self::TakesOver => row("takes-over", PLAIN, Transport, Fail),
            Self::AddsFlag => row("adds-flag", PLAIN, Transport, Fail),
            Self::DropsFlag => row("drops-flag", P2P, Transport, Fail),
            Self::SendsNothing => row("sends-nothing", PLAIN, Transport, Fail),
            Self::ConnectsUnasked => row("connects-unasked", PLAIN, Transport, Fail),
            Self::LeavesListener => row("leaves-listener", PLAIN, NoLeftovers, Fail),
            Self::LeavesProcess => row("leaves-process", PLAIN, NoLeftovers, Fail),
            Self::LeavesFile => row("leaves-file", PLAIN, NoLeftovers, Fail),
        }
    }
}

/// Persistent, running, undefined on the destination, without flags.
const PLAIN: Scenario = Scenario::USUAL;

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

const fn row(word: &'static str, scenario: Scenario, condition: Condition, how: Detection) -> Row {
    Row {
        word,
        scenario,
        condition,
        how,
    }
}
