//! The record of a case: what was done and what was seen, append-only.
//!
//! It lies below both sides: drivers write it and checks read it, and neither knows the other. On
//! disk it is a file of JSON lines: a [`Header`], then [`Entry`] after [`Entry`], and an `end` line
//! last, which says how many lines come before it and what they come to, so that a truncated or damaged file
//! is seen to be one.
//!
//! ```text
//! {"format":1,"case":"tck/libvirt/trixie,bookworm,trixie/p2p/…","attempt":1,…}
//! {"at_us":3,"saw":"began","verb":"connect","step":"connect"}
//! {"at_us":8214,"saw":"ended","verb":"connect","step":"connect","end":"done"}
//! …
//! {"saw":"end","lines":118,"xxh64":"4c1f2a90be07d356"}
//! ```

mod bitmap;
mod document;
mod file;
pub mod machine;
mod observation;
mod query;
mod recovery;
mod traffic;

pub use bitmap::{BitmapInfo, BlockImage, BlockNode};
pub use document::{Document, Lines, Part, Text};
#[cfg(feature = "schema")]
pub use file::line_schema;
pub use file::{Completeness, HistoryError, Reading, Seal, Strange, attempt_number};
pub use observation::{
    DomainInfo, DomainState, Identity, JobStats, Observation, Outcome, Refusal, Verb, Versions,
    When,
};

pub use recovery::{CallBeside, Deed, Glimpse, HealingCall, Pending, Proof, Silence, Watcher};
pub use traffic::{
    Carrier, CarrierKind, Connection, Party, Purpose, RemoteCall, Stranger, Traffic, Wire,
};

pub use migratrix_matrix::Side;

use migratrix_guest::Parameters;
use migratrix_matrix::{Case, HostSetup};
use serde::{Deserialize, Serialize};

/// What a record opens with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Header {
    /// The case.
    pub case: Case,
    /// Which attempt at it this is, from 1.
    #[serde(deserialize_with = "attempt_number")]
    pub attempt: u32,
    /// When it began: seconds since 1970 UTC.
    pub began_unix: u64,
    /// The milliseconds that had passed since that second; earlier versions give none.
    #[serde(default, skip_serializing_if = "is_none")]
    pub began_ms: u32,
    /// What the domain was called.
    pub domain: String,
    /// Its UUID, as text.
    pub uuid: String,
    /// Its machine type.
    pub machine: String,
    /// The guest's parameters.
    pub guest: Parameters,
    /// The bound on the downtime, in milliseconds.
    pub downtime_bound_ms: u64,
    /// How the daemons of its hosts were set up.
    #[serde(default)]
    pub setup: HostSetup,
    /// How much is seen in it: [`Header::EVIDENCE`] of the version that wrote it, 0 where that had none.
    #[serde(default)]
    pub evidence: u32,
}

/// One observation and when it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Entry {
    /// Microseconds since the case began.
    pub at_us: u64,
    /// What was done or seen.
    #[serde(flatten)]
    pub saw: Observation,
}

/// The whole record of one attempt at a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// Its header.
    pub header: Header,
    /// Its entries, in the order in which they were told. An event may be told a little after a
    /// later thing: its time is when it came.
    pub entries: Vec<Entry>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands a reference over"
)]
const fn is_none(milliseconds: &u32) -> bool {
    *milliseconds == 0
}
