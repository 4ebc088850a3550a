//! What is seen of a migration that is struck on its way.

use migratrix_matrix::Side;
use serde::{Deserialize, Serialize};

use crate::Outcome;

/// By what it is known that a migration stands at a moment of its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum Proof {
    /// Nothing was asked for yet.
    NotCalled,
    /// A host's hook wrote down that it was called, and then waited.
    Hook {
        /// Which host's.
        side: Side,
        /// Its operation: `migrate`, `started`, `stopped`, …
        operation: String,
        /// Its stage: `begin`, `end`.
        stage: String,
    },
    /// The source's job has sent memory, and no further pass was told of.
    Processed {
        /// How much, in bytes.
        bytes: u64,
    },
    /// The source has told of a pass over memory.
    Iteration {
        /// The number of the pass, from 1.
        iteration: i32,
    },
    /// A QEMU says of the migration that it is in this state (`query-migrate`).
    Status {
        /// Which side's.
        side: Side,
        /// The state, as the word of `MigrationStatus`.
        status: String,
    },
    /// A QEMU says that its guest runs, while the answer of its daemon is held back.
    Runs {
        /// Which side's.
        side: Side,
    },
    /// The source's QEMU is in postcopy, and the destination's guest has been started.
    Postcopy {
        /// The state, as the word of `MigrationStatus`.
        status: String,
        /// How much memory remains to be sent, in bytes.
        remaining: u64,
    },
}

/// How a fault was committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "deed")]
pub enum Deed {
    /// A process was killed (`SIGKILL`), and is gone.
    Killed {
        /// What it was: `qemu`, `daemon`, `client`.
        process: String,
        /// Its ID.
        pid: u32,
    },
    /// A process was held still (`SIGSTOP`), and stands.
    Stopped {
        /// What it is.
        process: String,
        /// Its ID.
        pid: u32,
    },
    /// libvirt was asked for something.
    Asked {
        /// For what: `abort-job`, `destroy`, `suspend`, `resume`, …
        call: String,
        /// What it answered.
        #[serde(flatten)]
        outcome: Outcome,
    },
    /// Connections were reset, or pass nothing on any more.
    Cut {
        /// How many.
        connections: u32,
        /// How many bytes they had carried.
        passed: u64,
    },
    /// Something was made to be in the way: a domain, a hook, a full folder, a link that is down.
    Made {
        /// What, and how it is seen to be there.
        what: String,
    },
    /// The guest was made of something that not both sides know.
    Known {
        /// What: a machine type, or the model or a feature of a processor.
        what: String,
        /// Who knows it: the source where it has a guest that is made of it, the destination where it says so.
        to: Vec<Side>,
    },
    /// Other guests migrated beside the case's own.
    Beside {
        /// The call of each.
        guests: Vec<CallBeside>,
    },
    /// Nothing was to be done.
    Nothing,
}

/// The call of a guest that migrates beside the case's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CallBeside {
    /// Where the guest was.
    pub from: Side,
    /// When it was asked for: microseconds since the case began.
    pub began_us: u64,
    /// When that was answered; `None` where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_us: Option<u64>,
    /// What it was answered.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Why a call is not waited for any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Silence {
    /// Who made it was killed.
    CallerGone,
    /// Its deadline has passed.
    Deadline,
}

/// Who is asked while a side is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Watcher {
    /// The daemon (`virDomainGetState`).
    Libvirt,
    /// The guest's QEMU, by a monitor of our own (`query-status`).
    Qemu,
}

/// What a look at a side sees while it is watched.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "glimpse")]
pub enum Glimpse {
    /// There is no such domain, or no QEMU of it.
    Absent,
    /// It is there.
    State {
        /// Its state: the word of `virDomainState`, or of QEMU's `RunState`.
        state: String,
        /// The reason of libvirt's state; empty where QEMU was asked.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    /// Who was asked did not answer.
    Silent,
}

/// Whether a job of the domain is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "pending")]
pub enum Pending {
    /// There is no domain.
    Absent,
    /// The type of its job, as the word of `virDomainJobType`: `none`, `unbounded`, …
    Job {
        /// The word.
        kind: String,
    },
    /// The question was refused.
    Refused {
        /// libvirt's `virErrorNumber`.
        code: i32,
        /// libvirt's `virErrorDomain`.
        domain: i32,
    },
}

/// One call of those that heal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HealingCall {
    /// What was called: `resume`, `destroy`, `create`, `migrate`.
    pub call: String,
    /// On which side.
    pub side: Side,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}
