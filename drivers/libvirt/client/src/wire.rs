//! What crosses the pipe between a driver and a client process: JSON, one line each.
//!
//! ```text
//!   driver ── {"id":7,"op":"lap","side":"source","domain":"a","guest":{…}} ──▶ client
//!   driver ◀────────────── {"id":7,"ok":{"lap":42}} ────────────────────────── client
//!   driver ◀────────────── {"id":7,"refused":{"code":55,"domain":10,…}} ────── client
//!   driver ◀──────── {"event":{"uri":"…","domain":"a","iteration":1}} ──────── client
//! ```
//!
//! Requests run at the same time, and are answered in whatever order they end. Events come in the
//! order in which each host sent them.

use std::collections::BTreeMap;

use migratrix_guest::{Parameters, Survey};
use migratrix_history::{JobStats, Refusal, Side};
use migratrix_matrix::Control;
use serde::{Deserialize, Serialize};

/// One line to the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What the answer will carry.
    pub id: u64,
    /// What to do.
    #[serde(flatten)]
    pub op: Op,
}

/// What a client can be asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "op")]
pub enum Op {
    /// Tell the version of the client library (`virGetVersion`). Answered by [`Said::Version`].
    Version,
    /// Reach the host at `uri` from now on by the name of `side`.
    ///
    /// A connection to the same URI that still answers is kept. Answered by [`Said::Host`].
    Open {
        /// Which host of the migration it is.
        side: Side,
        /// Its libvirt URI.
        uri: String,
    },
    /// Take the host of `side` for lost where it is silent (`virConnectSetKeepAlive`).
    KeepAlive {
        /// Which host.
        side: Side,
        /// After how many seconds it is asked.
        interval_s: u16,
        /// How often at most.
        count: u16,
    },
    /// Send the events of all domains of the host at `uri`; a connection that is up is kept.
    Listen {
        /// Its libvirt URI.
        uri: String,
        /// Whether the host was away since it was listened to: then no connection is kept. One that is dead
        /// may be taken for alive for as long as nothing is sent over it.
        #[serde(default)]
        away: bool,
    },
    /// Answer when all that the host at `uri` has told until now has been sent, where it is listened
    /// to.
    Settle {
        /// Its libvirt URI.
        uri: String,
    },
    /// `virDomainDefineXML`.
    Define {
        /// On which host.
        side: Side,
        /// The domain's XML.
        xml: String,
    },
    /// `virDomainCreateXML`.
    CreateXml {
        /// On which host.
        side: Side,
        /// The domain's XML.
        xml: String,
        /// Whether its guest is not to run yet (`VIR_DOMAIN_START_PAUSED`).
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        paused: bool,
    },
    /// Something that needs no more than the domain.
    Domain {
        /// On which host.
        side: Side,
        /// The domain's name.
        domain: String,
        /// What to do with it.
        act: DomainAction,
    },
    /// Attach a device to the running domain (`virDomainAttachDeviceFlags` with
    /// `VIR_DOMAIN_AFFECT_LIVE`, which is what `virDomainAttachDevice` is).
    Attach {
        /// On which host.
        side: Side,
        /// The domain's name.
        domain: String,
        /// The device's XML.
        device: String,
    },
    /// Tell all about the domain. Answered by [`Said::Absent`] or [`Said::Present`].
    Look {
        /// On which host.
        side: Side,
        /// The domain's name.
        domain: String,
        /// How much of it.
        #[serde(default)]
        detail: Detail,
    },
    /// Tell whether the domain is there and its guest runs (`virDomainGetState`). Answered by
    /// [`Said::Runs`].
    Runs {
        /// On which host.
        side: Side,
        /// The domain's name.
        domain: String,
    },
    /// Tell the domain's state, and no more (`virDomainGetState`). Answered by [`Said::Absent`] or
    /// [`Said::State`].
    State {
        /// On which host.
        side: Side,
        /// The domain's name.
        domain: String,
    },
    /// Read the guest's lap counter (`virDomainMemoryPeek`). Answered by [`Said::Lap`].
    Lap {
        /// On which host.
        side: Side,
        /// The domain's name.
        domain: String,
        /// What the guest was made with.
        guest: Parameters,
    },
    /// Read all of the guest's stamped memory. Answered by [`Said::Survey`].
    Survey {
        /// On which host.
        side: Side,
        /// The domain's name.
        domain: String,
        /// What the guest was made with.
        guest: Parameters,
    },
    /// Migrate the domain from the source, and answer when that has ended.
    Migrate(Migration),
    /// Tell what the host can do with this type of machine (`virConnectGetDomainCapabilities`).
    /// Answered by [`Said::Text`].
    Capabilities {
        /// On which host.
        side: Side,
        /// The machine type.
        machine: String,
    },
    /// Send a command to the domain's QEMU (`virDomainQemuMonitorCommand`). Answered by
    /// [`Said::Text`].
    Monitor {
        /// On which host.
        side: Side,
        /// The domain's name.
        domain: String,
        /// The command: JSON, or a line of the human monitor.
        command: String,
        /// Whether it is one of the human monitor.
        human: bool,
    },
    /// Send commands to the domain's QEMU, one after the other. Answered by [`Said::Texts`].
    Ask {
        /// On which host.
        side: Side,
        /// The domain's name.
        domain: String,
        /// The commands: JSON.
        commands: Vec<String>,
    },
    /// Begin a backup (`virDomainBackupBegin`).
    Backup {
        /// On which host.
        side: Side,
        /// The domain's name.
        domain: String,
        /// The backup's XML.
        backup: String,
        /// The XML of the checkpoint that is to be made of the same moment.
        checkpoint: Option<String>,
    },
    /// Describe the domain's checkpoints, parents first. Answered by [`Said::Checkpoints`].
    Checkpoints {
        /// On which host.
        side: Side,
        /// The domain's name.
        domain: String,
    },
    /// Take a checkpoint up whose bitmaps are there (`virDomainCheckpointCreateXML`).
    Redefine {
        /// On which host.
        side: Side,
        /// The domain's name.
        domain: String,
        /// What [`Op::Checkpoints`] has said of it.
        checkpoint: String,
    },
    /// Tell the statistics of the job that is under way. Answered by [`Said::Job`].
    Progress {
        /// On which host.
        side: Side,
        /// The domain's name.
        domain: String,
    },
    /// Tell the statistics of the last finished job, and forget them. Answered by [`Said::Job`].
    Job {
        /// On which host.
        side: Side,
        /// The domain's name.
        domain: String,
    },
}

/// What can be done with a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DomainAction {
    /// `virDomainCreate`.
    Create,
    /// `virDomainCreateWithFlags` with `VIR_DOMAIN_START_PAUSED`.
    CreatePaused,
    /// `virDomainSuspend`.
    Suspend,
    /// `virDomainResume`.
    Resume,
    /// `virDomainDestroy`.
    Destroy,
    /// `virDomainUndefineFlags`, with its managed save and the metadata of its snapshots and
    /// checkpoints.
    Undefine,
    /// `virDomainAbortJob`.
    AbortJob,
    /// `virDomainAbortJobFlags` with `VIR_DOMAIN_ABORT_JOB_POSTCOPY`, since libvirt 8.5.
    AbortPostcopy,
    /// `virDomainMigrateStartPostCopy`.
    StartPostcopy,
}

/// How a domain is migrated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Migration {
    /// The domain's name.
    pub domain: String,
    /// Who drives it: `virDomainMigrate3` over both connections, or `virDomainMigrateToURI3`.
    pub control: Control,
    /// The flags of `virDomainMigrateFlags`, by their names, but for those of the disks.
    pub flags: Vec<String>,
    /// The typed parameters (`VIR_MIGRATE_PARAM_*`) that are numbers, by their fields' names.
    pub parameters: BTreeMap<String, u32>,
    /// The URI by which the source's daemon reaches the destination's.
    pub peer_uri: String,
    /// The URI by which the source's QEMU is to reach the destination's; without one the destination says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// What comes of the disks that the domain writes to.
    pub disks: Disks,
}

/// What comes of the disks that a domain writes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disks {
    /// There is none.
    #[default]
    None,
    /// Both hosts have them. That the file system which they share is one of this machine makes
    /// libvirt call it unsafe: `VIR_MIGRATE_UNSAFE`.
    Shared,
    /// They are copied: `VIR_MIGRATE_NON_SHARED_DISK`.
    Copied,
}

/// One line from the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, try_from = "Words")]
#[expect(
    clippy::large_enum_variant,
    reason = "one is written and read at a time"
)]
pub enum Line {
    /// The answer to a request.
    Answer(Answer),
    /// Something that nobody asked for.
    Event {
        /// What happened.
        event: Event,
    },
}

/// All words that a line from the client may have. It is read by these: to find out which of them a line
/// has, all of it would be copied first.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Words {
    id: Option<u64>,
    ok: Option<Said>,
    refused: Option<Refusal>,
    lost: Option<Refusal>,
    bad: Option<String>,
    event: Option<EventWords>,
}

/// All words that an event may have.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct EventWords {
    uri: String,
    domain: String,
    lifecycle: Option<(String, String)>,
    iteration: Option<i32>,
    job_ended: Option<Box<JobStats>>,
}

impl TryFrom<Words> for Line {
    type Error = &'static str;

    fn try_from(words: Words) -> Result<Self, Self::Error> {
        let Words {
            id,
            ok,
            refused,
            lost,
            bad,
            event,
        } = words;
        let replies = [
            ok.map(Reply::Ok),
            refused.map(Reply::Refused),
            lost.map(Reply::Lost),
            bad.map(Reply::Bad),
        ];
        let mut replies = replies.into_iter().flatten();
        match (replies.next(), replies.next(), event) {
            (Some(reply), None, None) => Ok(Self::Answer(Answer { id, reply })),
            (None, None, Some(event)) if id.is_none() => {
                event.try_into().map(|event| Self::Event { event })
            }
            _ => Err("neither one answer nor one event"),
        }
    }
}

impl TryFrom<EventWords> for Event {
    type Error = &'static str;

    fn try_from(words: EventWords) -> Result<Self, Self::Error> {
        let EventWords {
            uri,
            domain,
            lifecycle,
            iteration,
            job_ended,
        } = words;
        let what = match (lifecycle, iteration, job_ended) {
            (Some((event, detail)), None, None) => EventKind::Lifecycle(event, detail),
            (None, Some(pass), None) => EventKind::Iteration(pass),
            (None, None, Some(job)) => EventKind::JobEnded(job),
            _ => return Err("not one thing that happened"),
        };
        Ok(Self { uri, domain, what })
    }
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The request's; `None` where it could not be read.
    pub id: Option<u64>,
    /// What came of it.
    #[serde(flatten)]
    pub reply: Reply,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(
    clippy::large_enum_variant,
    reason = "one is written and read at a time"
)]
pub enum Reply {
    /// It was done.
    Ok(Said),
    /// The hypervisor said no.
    Refused(Refusal),
    /// The connection to the host is gone.
    Lost(Refusal),
    /// The request made no sense.
    Bad(String),
}

/// What a request that was done has brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// Nothing but that it was done.
    Done,
    /// The version of the client library, in libvirt's form.
    Version(u64),
    /// The host that was opened.
    Host(HostFacts),
    /// No domain of that name.
    Absent,
    /// A domain of that name.
    Present(Seen),
    /// Whether its guest runs.
    Runs(bool),
    /// A domain's state and the reason for it, as words.
    State(String, String),
    /// The lap that the guest is on; `None` before its first.
    Lap(Option<u32>),
    /// The guest's stamped memory.
    Survey(Survey),
    /// The statistics of a job.
    Job(JobStats),
    /// What was said, as it was said.
    Text(String),
    /// What was said to each command, as it was said.
    Texts(Vec<String>),
    /// The XML of each checkpoint.
    Checkpoints(Vec<String>),
}

/// What a connection says of its host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFacts {
    /// `virConnectGetHostname`.
    pub hostname: String,
    /// `virConnectGetLibVersion`, in libvirt's form.
    pub libvirt: u64,
    /// `virConnectGetVersion`, in libvirt's form.
    pub hypervisor: u64,
}

/// How much is told of a domain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detail {
    /// All of it.
    #[default]
    Whole,
    /// Without its XML, which takes the daemon more than all the rest.
    State,
}

/// A domain as its host describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its UUID, as text.
    pub uuid: String,
    /// Whether it had an id when it was looked up (`virDomainGetID`).
    pub active: bool,
    /// `virDomainIsPersistent`.
    pub persistent: bool,
    /// `virDomainGetState`, as a word.
    pub state: String,
    /// The reason for the state, as a word.
    pub reason: String,
    /// Its XML; of the running machine where it is active.
    pub xml: Option<String>,
    /// The XML of what is kept of an active one, or would be (`VIR_DOMAIN_XML_INACTIVE`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
}

/// Something that happened to a domain on one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The URI of the host that sent it.
    pub uri: String,
    /// The domain's name.
    pub domain: String,
    /// What happened.
    #[serde(flatten)]
    pub what: EventKind,
}

/// What happened to a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// `VIR_DOMAIN_EVENT_ID_LIFECYCLE`: the event and its detail, as words.
    Lifecycle(String, String),
    /// `VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION`: the number of the pass, from 1.
    Iteration(i32),
    /// `VIR_DOMAIN_EVENT_ID_JOB_COMPLETED`: the statistics of the job.
    JobEnded(Box<JobStats>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_reads_back_from_its_line() {
        let request = Request {
            id: 7,
            op: Op::Domain {
                side: Side::Source,
                domain: "a".to_owned(),
                act: DomainAction::AbortJob,
            },
        };
        let line = serde_json::to_string(&request).unwrap();
        assert_eq!(
            line,
            r#"{"id":7,"op":"domain","side":"source","domain":"a","act":"abort-job"}"#
        );
        assert_eq!(serde_json::from_str::<Request>(&line).unwrap(), request);
    }

    #[test]
    fn answers_and_events_are_told_apart() {
        for (line, what) in [
            (r#"{"id":7,"ok":"done"}"#, "answer"),
            (r#"{"id":7,"ok":{"lap":42}}"#, "answer"),
            (r#"{"id":null,"bad":"no"}"#, "answer"),
            (
                r#"{"event":{"uri":"u","domain":"a","iteration":1}}"#,
                "event",
            ),
            (
                r#"{"event":{"uri":"u","domain":"a","lifecycle":["resumed","migrated"]}}"#,
                "event",
            ),
        ] {
            let parsed: Line = serde_json::from_str(line).unwrap();
            assert_eq!(serde_json::to_string(&parsed).unwrap(), line);
            assert_eq!(matches!(parsed, Line::Event { .. }), what == "event");
        }
    }

    #[test]
    fn a_line_that_is_no_one_thing_makes_no_sense() {
        for line in [
            r#"{"id":7}"#,
            r#"{"id":7,"ok":"done","bad":"no"}"#,
            r#"{"id":7,"event":{"uri":"u","domain":"a","iteration":1}}"#,
            r#"{"event":{"uri":"u","domain":"a"}}"#,
            r#"{"event":{"uri":"u","domain":"a","iteration":1,"lifecycle":["a","b"]}}"#,
        ] {
            assert!(serde_json::from_str::<Line>(line).is_err(), "{line}");
        }
    }
}
