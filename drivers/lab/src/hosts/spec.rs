//! What a host is made of, what one run of it is known by, and where its lab keeps what all share.

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
};

use migratrix_matrix::HostSetup;
use serde::{Deserialize, Serialize};

/// The port that libvirtd listens on without TLS, see `tcp_port` in libvirtd.conf.
pub(crate) const PORT: u16 = 16509;

/// Where a host's daemon logs, as the host knows it.
pub(crate) const LOGS: &str = "/var/log/libvirt";

/// What a host is made of.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Spec {
    /// Its name.
    pub(crate) hostname: String,
    /// Its address.
    pub(crate) address: Ipv4Addr,
    /// Its release's root, which isn't written to.
    pub(crate) root: PathBuf,
    /// What earlier hosts of the release found out.
    pub(crate) warm: PathBuf,
    /// An empty folder for what it writes.
    pub(crate) scratch: PathBuf,
    /// The folder for its logs.
    pub(crate) logs: PathBuf,
    /// The folder that all hosts share.
    pub(crate) shared: PathBuf,
    /// The file with the names of all hosts.
    pub(crate) hosts_file: PathBuf,
    /// How its daemon is set up.
    pub(crate) setup: HostSetup,
}

/// One run of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// Counts the runs of a host, from 1.
    pub(crate) generation: u32,
    /// The host's first process.
    pub(crate) first: i32,
    /// Its PID namespace, by which we know that the process is still the same.
    pub(crate) namespace: PathBuf,
    /// The end of its cable that is at the bridge.
    pub(crate) cable: String,
}

/// Where hosts write: a tmpfs in the sandbox, so that it is fast and goes away by itself.
pub(crate) fn scratch(dir: &Path) -> PathBuf {
    dir.join("scratch")
}

/// The file with the names and addresses of all hosts, in the lab's folder `dir`.
pub(crate) fn hosts_file(dir: &Path) -> PathBuf {
    scratch(dir).join("hosts")
}
