//! What a driver can have done and seen.

use std::collections::{BTreeMap, BTreeSet};

use migratrix_guest::{DiskSurvey, Ram, Registers, Survey};
use migratrix_matrix::{Drive, Side, Version, Write};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    BitmapInfo, Carrier, Deed, Document, Glimpse, HealingCall, Pending, Proof, Silence, Text,
    Traffic, Watcher, Wire,
};

/// Which look at a host it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Everything is prepared; the migration was not asked for yet.
    Before,
    /// The migration was asked for and has not returned.
    During,
    /// The migration has returned.
    After,
    /// A guest is left to write to its disk, before or after.
    Writing,
    /// What a failed migration has left is healed.
    Healed,
    /// The migration was tried once more.
    Retried,
}

/// What a step is, in the words that all back ends share. It stands beside a step's text, so that
/// a check finds the outcome of *the migration* without reading text.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Open the connections.
    Connect,
    /// Define a configuration.
    Define,
    /// Remove a configuration.
    Undefine,
    /// Start the domain.
    Start,
    /// Wait until the guest beats.
    AwaitBeat,
    /// Suspend the guest.
    Suspend,
    /// Resume the guest.
    Resume,
    /// Destroy the running domain.
    Destroy,
    /// Look at the domain.
    #[serde(rename = "look")]
    Inspect,
    /// Sample the guest's heartbeat.
    Beat,
    /// Migrate the guest.
    Migrate,
    /// Ask for the job's statistics.
    Job,
    /// Read the guest's stamped memory.
    Survey,
    /// Clear the domain away.
    Clear,
    /// Read all of the machine's memory.
    Ram,
    /// Look for what is left.
    #[serde(rename = "residue")]
    Leftovers,
    /// Set capabilities and parameters.
    Configure,
    /// Wait for the stream.
    Listen,
    /// Wait until the migration has come to a state.
    Await,
    /// Let the migration end.
    Converge,
    /// Do something to a migration that is under way: cancel, continue, lose, recover.
    Intervene,
    /// Wake a guest that sleeps.
    Wake,
    /// Use the case's device.
    UseDevice,
    /// Make a backup, or what it needs.
    Backup,
    /// Have a checkpoint made, or wait for one.
    Checkpoint,
    /// Compare the memory of both sides.
    Mirror,
    /// Migrate the survivor once more, and what that needs.
    Onward,
    /// Begin a migration, which is answered later.
    Begin,
    /// Have a migration stand still at a moment of its way, or let it go.
    Hold,
    /// Commit the fault that the case is about, or undo it.
    Strike,
    /// Wait for the answer to a migration that was begun.
    Answer,
    /// Watch both sides, or end that.
    Watch,
    /// Heal what a failed migration has left.
    Heal,
    /// Migrate once more.
    Retry,
    /// Break something on purpose.
    Break,
    /// A step that this version doesn't know.
    #[default]
    #[serde(other)]
    Other,
}

/// How a step ended. A refusal by the hypervisor is an observation, not an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "end")]
pub enum Outcome {
    /// It was done.
    Done,
    /// The hypervisor said no.
    Refused(Refusal),
    /// We can't say: a deadline passed, a process died, an answer made no sense.
    Unknown {
        /// What was seen instead of an answer.
        why: String,
    },
}

/// An error of the hypervisor, told by its code and never by its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Refusal {
    /// libvirt's `virErrorNumber`, or 0 where the back end has none.
    pub code: i32,
    /// libvirt's `virErrorDomain`, or 0 where the back end has none.
    pub domain: i32,
    /// The text, for people.
    pub message: String,
}

/// What a host says of one domain name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "look")]
pub enum DomainState {
    /// No domain of that name.
    Absent,
    /// A domain of that name.
    Present(DomainInfo),
}

/// A domain as its host describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DomainInfo {
    /// Its UUID, as text.
    pub uuid: String,
    /// `virDomainIsActive`.
    pub active: bool,
    /// `virDomainIsPersistent`: an active domain with a configuration, or a defined inactive one.
    pub persistent: bool,
    /// `virDomainGetState`'s `virDomainState`, as a word: `running`, `paused`, `shutoff`, …
    pub state: String,
    /// Its reason, as the word of the state's own enumeration: `migrated`, `user`, `booted`, …
    pub reason: String,
    /// What makes it the same machine on both sides; only of an active domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
}

/// What makes a domain the same machine on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Identity {
    /// The versioned machine type.
    pub machine: String,
    /// The memory, in KiB.
    pub memory_kib: u64,
    /// The number of virtual processors.
    pub vcpus: u32,
    /// The type of the first virtual processor, in QEMU's words; `None` where it was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processor: Option<String>,
    /// Each device by a key that names it (`disk/vda`, `controller/pci/0`), and its address.
    pub devices: BTreeMap<String, String>,
}

/// Statistics of a finished job (`virDomainGetJobStats` with `VIR_DOMAIN_JOB_STATS_COMPLETED`).
/// Times in milliseconds, sizes in bytes; `None` where the release does not report the field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct JobStats {
    /// The job's type as a word: `completed`, `none`, `failed`, `cancelled`, `bounded`, `unbounded`.
    pub kind: String,
    /// `time_elapsed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elapsed_ms: Option<u64>,
    /// `downtime`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downtime_ms: Option<u64>,
    /// `memory_total`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_total: Option<u64>,
    /// `memory_processed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_processed: Option<u64>,
    /// `memory_remaining`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_remaining: Option<u64>,
    /// `memory_normal_bytes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_normal_bytes: Option<u64>,
    /// `memory_constant`: pages found to be of one byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_constant: Option<u64>,
    /// `memory_iteration`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_iteration: Option<u64>,
    /// What the job was (`operation`), as the word of `virDomainJobOperation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Whether it succeeded (`success`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<bool>,
    /// `disk_total`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_total: Option<u64>,
    /// `disk_processed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_processed: Option<u64>,
    /// Pages that the destination asked for (`postcopy-requests`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postcopy_requests: Option<u64>,
    /// Bytes that went over multifd's channels (`multifd-bytes`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multifd_bytes: Option<u64>,
    /// Pages that were sent as differences (`xbzrle-cache.pages`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xbzrle_pages: Option<u64>,
    /// By how much the guest's processors are throttled, in percent (`cpu-throttle-percentage`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttle_percent: Option<u64>,
    /// Why it failed (`error-desc`, or libvirt's `errmsg`), for people and for the failure's class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Exact versions, as the libraries and daemons report them themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Versions {
    /// The client library's own (`virGetVersion`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<Version>,
    /// The source daemon's (`virConnectGetLibVersion`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_libvirt: Option<Version>,
    /// The source's hypervisor (`virConnectGetVersion`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_qemu: Option<Version>,
    /// The destination daemon's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_libvirt: Option<Version>,
    /// The destination's hypervisor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_qemu: Option<Version>,
}

/// One thing that was done or seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "saw")]
pub enum Observation {
    /// A step was begun.
    Began {
        /// What the step is.
        #[serde(default)]
        verb: Verb,
        /// The step, in the words of the script.
        step: String,
    },
    /// The step that was begun last has ended.
    Ended {
        /// What the step is.
        #[serde(default)]
        verb: Verb,
        /// The step, in the words of the script.
        step: String,
        /// How.
        #[serde(flatten)]
        outcome: Outcome,
    },
    /// The versions that took part.
    Versions(Versions),
    /// What a host said of the domain.
    Domain {
        /// Which host.
        side: Side,
        /// At which look.
        when: When,
        /// What it said.
        #[serde(flatten)]
        look: DomainState,
    },
    /// A document that a host gave of the domain.
    Description {
        /// Which host.
        side: Side,
        /// At which look.
        when: When,
        /// What it describes.
        of: Document,
        /// The document.
        #[serde(flatten)]
        text: Text,
    },
    /// The guest's lap counter, read twice on one host.
    Beat {
        /// Which host.
        side: Side,
        /// At which look.
        when: When,
        /// The lap at the first reading.
        first: u32,
        /// The lap at the last reading; larger if it beats.
        last: u32,
        /// The time between the two, in microseconds.
        window_us: u64,
    },
    /// A life-cycle event (`VIR_DOMAIN_EVENT_ID_LIFECYCLE`) of the domain.
    Lifecycle {
        /// Which host sent it.
        side: Side,
        /// `virDomainEventType` as a word: `started`, `suspended`, `resumed`, `stopped`, …
        event: String,
        /// Its detail as the word of that type's own enumeration: `migrated`, `booted`, …
        detail: String,
    },
    /// A pass over the memory began (`VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION`).
    Iteration {
        /// Which host sent it.
        side: Side,
        /// The number of the pass, from 1.
        iteration: i32,
    },
    /// The statistics of the migration job.
    Job {
        /// Which host was asked.
        side: Side,
        /// What it said.
        job: JobStats,
    },
    /// The guest's stamped memory, read while the guest was held still.
    Memory {
        /// Which host.
        side: Side,
        /// What was read.
        survey: Survey,
        /// Where its processor stood meanwhile; `None` where that was not to be learned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        registers: Option<Registers>,
    },
    /// All of the machine's memory, by hashes, beside what the guest stamps.
    Ram {
        /// Which host.
        side: Side,
        /// At which look.
        when: When,
        /// What was read.
        ram: Ram,
    },
    /// A job of the domain has ended (`VIR_DOMAIN_EVENT_ID_JOB_COMPLETED`).
    JobEnded {
        /// Which host sent it.
        side: Side,
        /// Its statistics.
        job: JobStats,
    },
    /// A command was sent to a QEMU: the form that this release takes.
    Command {
        /// To which side.
        side: Side,
        /// The command.
        command: String,
        /// Its arguments.
        arguments: Value,
    },
    /// An event of a QEMU, but for those that have a kind of their own here.
    Event {
        /// Which side sent it.
        side: Side,
        /// Its name: `STOP`, `RESUME`, `SUSPEND`, …
        event: String,
        /// Its data.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        data: Value,
        /// How much later it was heard than QEMU sent it by its own clock, in microseconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        late_us: Option<u64>,
    },
    /// The migration came to a state (`MIGRATION`, or `query-migrate` where an event was not sent).
    Status {
        /// Which side says so.
        side: Side,
        /// The state, as the word of `MigrationStatus`.
        status: String,
    },
    /// What a side says is set, when it is asked back.
    Settings {
        /// Which side.
        side: Side,
        /// The capabilities that are on.
        capabilities: BTreeSet<String>,
        /// The parameters.
        parameters: BTreeMap<String, Value>,
    },
    /// How many channels of multifd a side had, by its threads, while memory was copied.
    Channels {
        /// Which side.
        side: Side,
        /// How many.
        count: u32,
    },
    /// The case's device was used.
    Device {
        /// On which side.
        side: Side,
        /// At which look.
        when: When,
        /// What it did, step by step: the same device does the same on both sides.
        did: Vec<String>,
    },
    /// The stream that lies in a file between the two sides.
    Stream {
        /// Its first four bytes, as text: `QEVM`.
        magic: String,
        /// The version of the format.
        version: u32,
        /// How many devices its description at its end lists; `None` where there is none.
        devices: Option<u64>,
        /// Whether the guest's pages lie in it as in memory, one right behind the other; `None` where they
        /// were not found, or not looked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        in_place: Option<bool>,
    },
    /// What a side says of COLO (`query-colo-status`).
    Colo {
        /// Which side.
        side: Side,
        /// The mode that it is in (`COLOMode`).
        mode: String,
        /// The mode that it was in before it left COLO.
        last_mode: String,
        /// Why it left (`COLOExitReason`).
        reason: String,
    },
    /// The memory of both sides, compared while both guests were held still.
    Mirror {
        /// The lap at which they were held.
        lap: u32,
        /// How many pages were compared.
        pages: u64,
        /// The address of each page that differs.
        differing: Vec<u64>,
    },
    /// Whether a side's monitor answered a question.
    Monitor {
        /// Which side.
        side: Side,
        /// Whether it did.
        answered: bool,
        /// The time that it took, or was given, in microseconds.
        within_us: u64,
    },
    /// The bitmaps of a side's disks; the unnamed ones are its own affair.
    Bitmaps {
        /// Which side.
        side: Side,
        /// Each of them.
        bitmaps: Vec<BitmapInfo>,
    },
    /// Something was written to a disk through the human monitor, which says nothing of the outcome:
    /// QEMU tells that on its standard output.
    Written {
        /// Which side.
        side: Side,
        /// The disk.
        drive: String,
        /// The byte.
        pattern: u8,
        /// Where, in bytes.
        offset: u64,
        /// How many bytes.
        length: u64,
        /// What QEMU told.
        told: String,
    },
    /// Two images were compared (`qemu-img compare`).
    Compared {
        /// Whose tool it was.
        side: Side,
        /// The one.
        one: String,
        /// The other.
        other: String,
        /// The tool's exit status: 0 where they are the same, 1 where they differ, more where they
        /// could not be read.
        status: i32,
        /// What it told.
        told: String,
    },
    /// The sectors of an image that the guest stamps.
    Sectors {
        /// Whose tool read it.
        side: Side,
        /// The image.
        image: String,
        /// What was read.
        survey: DiskSurvey,
    },
    /// What the hosts' network carried of the migration.
    Traffic(Traffic),
    /// The hosts' network could not be captured.
    NotCaptured {
        /// Why not.
        why: String,
    },
    /// What a QEMU has open while its memory is copied, and had not before it was asked to migrate.
    Carriers {
        /// Which side's.
        side: Side,
        /// Each of them.
        carriers: Vec<Carrier>,
    },
    /// What went by on the way between the two sides, where the stream was passed on by us.
    Wire {
        /// To where the source went; `None` where it was handed a descriptor.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// Where the destination listened; `None` where it was handed a descriptor.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
        /// Each connection, in the order in which they were made.
        connections: Vec<Wire>,
    },
    /// What the kernel has a QEMU serve of the page faults of its guest: how many `userfaultfd`s it has.
    Userfaults {
        /// Which side's.
        side: Side,
        /// How many.
        count: u32,
    },
    /// For how long what moves the guest waited for a processor since it was let go, as far as the migration is seen to
    /// its end: the threads of both QEMUs but those that run the guest, and of the tester, together.
    Waited {
        /// In microseconds.
        us: u64,
    },
    /// What is new on a host, lasts, and belongs to no case that is on it, or to one of several.
    Unowned {
        /// Which host.
        side: Side,
        /// Each thing.
        found: Vec<String>,
        /// How many other cases were on the host that may have left it.
        others: usize,
    },
    /// What was left on a host after the case was cleared away; empty is good.
    #[serde(rename = "residue")]
    Leftovers {
        /// Which host.
        side: Side,
        /// Each thing that was left.
        left: Vec<String>,
    },
    /// A host was not searched for what is left: it is not ours to look into.
    NotOurs {
        /// Which host.
        side: Side,
    },
    /// The migration stands at the moment that the case names.
    Stood {
        /// The moment, by its word.
        moment: String,
        /// By what that is known.
        #[serde(flatten)]
        proof: Proof,
    },
    /// The fault that the case is about was committed.
    Struck {
        /// The fault, by its word.
        strike: String,
        /// On which side, where it is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        side: Option<Side>,
        /// When that was begun: microseconds since the case began. What is asked may be answered only when
        /// the migration is let go.
        began_us: u64,
        /// What was done, and what came of it.
        #[serde(flatten)]
        deed: Deed,
    },
    /// How a guest that migrated beside the case's own stands on both sides, when the case's call has returned.
    Beside {
        /// Its place in the deed's list, from 0.
        guest: u32,
        /// On the source.
        source: Glimpse,
        /// On the destination.
        destination: Glimpse,
    },
    /// The call that began the migration has returned.
    Answered {
        /// How long it took, in microseconds.
        within_us: u64,
        /// What it returned.
        #[serde(flatten)]
        outcome: Outcome,
    },
    /// The call that began the migration has not returned.
    Unanswered {
        /// How long it was waited for, in microseconds.
        within_us: u64,
        /// Why it is not waited for any more.
        because: Silence,
    },
    /// For a while a side was seen in one state, look after look, over a connection that is not the
    /// migration's.
    Watched {
        /// Which side.
        side: Side,
        /// Who was asked.
        by: Watcher,
        /// When its first look was begun: microseconds since the case began.
        from_us: u64,
        /// When its last look was answered.
        to_us: u64,
        /// How many looks there were.
        looks: u32,
        /// How long the slowest of them took, in microseconds.
        slowest_us: u64,
        /// What all of them saw.
        #[serde(flatten)]
        glimpse: Glimpse,
        /// The guest's lap at the first and the last of them, where it was read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        laps: Option<[u32; 2]>,
    },
    /// The process that a host's daemon is, and whether it answers.
    Daemon {
        /// Which host's.
        side: Side,
        /// At which look.
        when: When,
        /// Its process ID.
        pid: u32,
        /// When it was started, in clock ticks since the machine was: with the ID it names one process.
        started: u64,
        /// How long it took to answer, in microseconds; `None` where it did not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answered_us: Option<u64>,
        /// How long it, the client and the tester waited for a processor meanwhile, all their threads together, in
        /// microseconds: of a busy machine's doing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waited_us: Option<u64>,
    },
    /// Whether a job of the domain is under way (`virDomainGetJobInfo`).
    Pending {
        /// Which host was asked.
        side: Side,
        /// At which look.
        when: When,
        /// What it said: the type of the job, or its refusal.
        #[serde(flatten)]
        pending: Pending,
    },
    /// What a host has of the domain: QEMU's process, its sockets, ports, files, and the like.
    Stock {
        /// Which host.
        side: Side,
        /// At which look.
        when: When,
        /// Each thing.
        found: Vec<String>,
    },
    /// What a failed migration had left was healed.
    Healed {
        /// The step, by its word.
        remedy: String,
        /// Each call that it took, and what came of it.
        calls: Vec<HealingCall>,
    },
    /// A fault was injected on purpose.
    Fault {
        /// Its word.
        fault: String,
    },
    /// A host was lost, and has been replaced.
    HostLost {
        /// Which host.
        side: Side,
        /// How it went.
        why: String,
        /// Which run of the host it was: cases with the same one shared it. Empty where that is not
        /// told.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        instance: String,
    },
    /// A remark, for people; of the checks only the one for a failure's reason reads it.
    Note {
        /// The remark.
        text: String,
    },
}

impl Observation {
    /// What was told of a write.
    #[must_use]
    pub fn written(side: Side, drive: Drive, write: &Write, told: String) -> Self {
        Self::Written {
            side,
            drive: drive.name().to_owned(),
            pattern: write.pattern,
            offset: write.offset,
            length: write.length,
            told,
        }
    }

    /// The words of all kinds, as they stand in a file.
    pub const KINDS: [&'static str; 47] = [
        "began",
        "ended",
        "versions",
        "domain",
        "description",
        "beat",
        "lifecycle",
        "iteration",
        "job",
        "job-ended",
        "memory",
        "ram",
        "command",
        "event",
        "status",
        "settings",
        "channels",
        "device",
        "stream",
        "colo",
        "mirror",
        "monitor",
        "bitmaps",
        "written",
        "compared",
        "sectors",
        "traffic",
        "not-captured",
        "carriers",
        "wire",
        "userfaults",
        "waited",
        "unowned",
        "residue",
        "not-ours",
        "stood",
        "struck",
        "answered",
        "unanswered",
        "watched",
        "daemon",
        "pending",
        "stock",
        "healed",
        "fault",
        "host-lost",
        "note",
    ];
}
