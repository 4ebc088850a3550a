//! What the hosts' network carried of a migration.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who is at an end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Party {
    /// Whoever asked for the migration.
    Client,
    /// The host that the guest leaves.
    Source,
    /// The host that it goes to.
    Destination,
    /// A host that has no part in the case.
    Other,
}

/// The calls and the connections of a migration, as they were captured on the network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Traffic {
    /// What daemons were asked to do for the domain, in the order in which it was asked.
    pub calls: Vec<RemoteCall>,
    /// The connections that the migration was made over: each that carried a call of one daemon to the
    /// other, and those to the ports that the destination named for its data.
    pub connections: Vec<Connection>,
    /// Connections to a host of the migration, from one that is not the client, that no call and no port that
    /// was named explains.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strangers: Vec<Stranger>,
    /// How many packets the kernel could not keep meanwhile: more than none, and what was not seen may
    /// have been there.
    pub dropped: u64,
}

/// A connection that nothing explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stranger {
    /// Who made it.
    pub from: Party,
    /// Whom to.
    pub to: Party,
    /// The port there.
    pub port: u16,
    /// How many other cases had that host when it was made.
    pub others: usize,
}

/// A call of libvirt's remote protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RemoteCall {
    /// Who asked.
    pub from: Party,
    /// Whose daemon was asked.
    pub to: Party,
    /// The procedure, as libvirt's `remote_protocol.x` names it: `domain-migrate-perform3-params`.
    pub procedure: String,
    /// Its flags, as `virDomainMigrateFlags` names them; `None` where the message was cut before them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags: Option<BTreeSet<String>>,
    /// Its typed parameters that are numbers, by their fields' names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Value>,
}

/// Something that carries a stream of QEMU's, as the kernel tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Carrier {
    /// What it is.
    pub kind: CarrierKind,
    /// The path or the address that it has: of a socket that of the side that listens, where the kernel
    /// tells it; of a pipe none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// How many of its descriptors for a file pass the host's cache by (`O_DIRECT`).
    #[serde(default, skip_serializing_if = "is_none")]
    pub direct: usize,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands fields by reference"
)]
const fn is_none(count: &usize) -> bool {
    *count == 0
}

/// What carries a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CarrierKind {
    /// A connected UNIX socket.
    Unix,
    /// A connected TCP socket.
    Tcp,
    /// A file.
    File,
    /// A pipe.
    Pipe,
}

/// What went over one connection of a stream, as it was seen on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Wire {
    /// The first bytes that went to the destination, [`Wire::KEPT`] at most, in hexadecimal.
    pub sent: String,
    /// The first bytes that came back, as many, in hexadecimal.
    pub received: String,
    /// Whether memory that the guest stamps went to the destination as it is.
    pub stamped: bool,
}

impl Wire {
    /// How many bytes are kept of each direction.
    pub const KEPT: usize = 32;
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// One daemon calls the other, and data may go along with that.
    Calls,
    /// The guest's memory: QEMU's own, to the port that the destination named for it.
    Memory,
    /// The guest's disks: by NBD, to the port that the destination named for them.
    Disks,
}

/// A TCP connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Connection {
    /// Who made it.
    pub from: Party,
    /// Whom to.
    pub to: Party,
    /// The port there.
    pub port: u16,
    /// What it is for.
    pub purpose: Purpose,
    /// How many bytes went to there; `None` where its end was not seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<u64>,
    /// How many bytes came from there; `None` where its end was not seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<u64>,
}
