//! What a host is made of, what one run of it is known by, and where its lab keeps what all share.

use std::{
    io,
    net::Ipv4Addr,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::Arc,
};

use migratrix_matrix::{HostSetup, Version};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, pidfd_open},
};
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
    /// What its daemon is.
    pub(crate) libvirt: Version,
}

/// One run of a host.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// Counts the runs of a host, from 1.
    pub(crate) generation: u32,
    /// The host's first process.
    pub(crate) first: i32,
    /// A handle of that very process, by which we know that it is still there.
    handle: Arc<OwnedFd>,
    /// The end of its cable that is at the bridge.
    pub(crate) cable: String,
}

impl Run {
    /// The run of this number whose first process is `first`, and whose cable is this.
    pub(crate) fn of(generation: u32, first: i32, cable: String) -> io::Result<Self> {
        let pid = Pid::from_raw(first).ok_or(io::ErrorKind::NotFound)?;
        Ok(Self {
            generation,
            first,
            handle: Arc::new(pidfd_open(pid, PidfdFlags::empty())?),
            cable,
        })
    }

    /// Whether its first process has not ended, see pidfd_open(2).
    pub(crate) fn is_up(&self) -> bool {
        let mut ended = [PollFd::new(&self.handle, PollFlags::IN)];
        poll(&mut ended, Some(&Timespec::default())) == Ok(0)
    }
}

/// Where hosts write: a tmpfs in the sandbox, so that it is fast and goes away by itself.
pub(crate) fn scratch(dir: &Path) -> PathBuf {
    dir.join("scratch")
}

/// The file with the names and addresses of all hosts, in the lab's folder `dir`.
pub(crate) fn hosts_file(dir: &Path) -> PathBuf {
    scratch(dir).join("hosts")
}
