//! What a back end is, and what it may ask of the places where daemons run.

use std::{future::Future, io, net::Ipv4Addr, path::PathBuf, pin::Pin, process::Command};

use migratrix_history::{Outcome, Traffic};
use migratrix_matrix::ReleaseName;

use crate::{HostControl, Recorder, Step};

/// A back end, for the length of one case: it does one step after the other, and records what it
/// sees. It never judges.
pub trait Driver {
    /// Does one step and says how it ended. What was seen goes to `record`.
    ///
    /// The caller sets a deadline by dropping the future, after which [`Driver::abandon`] is called.
    fn perform(&mut self, step: &Step, record: &mut Recorder) -> impl Future<Output = Outcome>;

    /// Gives up on whatever is under way, because the deadline of a step has passed: kills the
    /// client process, drops the connections. Later steps begin anew.
    fn abandon(&mut self, record: &mut Recorder) -> impl Future<Output = ()>;
}

/// Where every host of the lab has the folder that all of them share, as storage.
pub const SHARED: &str = "/var/lib/migratrix/shared";

/// Whose something on a host is: what a case's own things carry in their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The name of its domain.
    pub domain: String,
    /// Its UUIDs, as text.
    pub uuids: [String; 2],
}

/// What the names of a case's other domains begin with, which no search for the domain of this name finds.
#[must_use]
pub fn other_name(domain: &str) -> String {
    domain.chars().rev().collect()
}

/// What is left on a host of a case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// What is its own: by its name, or because nobody else was there.
    pub own: Vec<String>,
    /// What is new on the host and carries nobody's name, while others were there as well.
    pub unowned: Vec<String>,
    /// How many others those are.
    pub others: usize,
}

impl Leftovers {
    /// Whether nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.own.is_empty() && self.unowned.is_empty()
    }
}

/// A place where a daemon runs: a host of the lab, or a real machine that is only known by its URI.
pub trait Host: Send + Sync {
    /// The release that it runs.
    fn release(&self) -> &ReleaseName;

    /// The libvirt URI by which a client reaches it.
    fn uri(&self) -> String;

    /// The libvirt URI by which another host's daemon reaches it.
    fn peer_uri(&self) -> String {
        self.uri()
    }

    /// Where the file that the host calls `inside` is found from here; `None` if it can't be.
    fn path(&self, inside: &str) -> Option<PathBuf>;

    /// A command that runs on the host, in its own file system; `Ok(None)` where the host is not
    /// ours.
    ///
    /// # Errors
    /// Returns the error where it is ours and down.
    fn command(&self, words: &[&str]) -> io::Result<Option<Command>>;

    /// A case comes to the host. What is new from now on may be its own.
    fn enter(&self, _owner: &Owner) {}

    /// The host's daemon has served the case: what a daemon makes for itself with the first is there, and is
    /// nobody's own. Of a case that was on the host when its daemon was started anew it was the one before.
    fn settle(&self, _owner: &Owner) {}

    /// The case with the domain of this name has left the host.
    fn leave(&self, _domain: &str) {}

    /// All that is left on the host of the case with the domain of this name: processes, files, sockets,
    /// ports, mounts and interfaces. `Ok(None)` where the host is not ours to look into.
    ///
    /// # Errors
    /// Returns the error where it is ours and can't be read.
    fn leftovers(&self, domain: &str) -> io::Result<Option<Leftovers>>;

    /// Its address in a network whose traffic is captured; `None` where there is none.
    fn captured_address(&self) -> Option<Ipv4Addr> {
        None
    }

    /// What that network carried of a migration of the domain of this name from here to the other
    /// address, since the case came. `Ok(None)` where the host is not ours.
    ///
    /// # Errors
    /// Returns the error where it is ours and nothing could be captured.
    fn traffic(&self, _domain: &str, _destination: Ipv4Addr) -> io::Result<Option<Traffic>> {
        Ok(None)
    }

    /// Stops the daemon with `SIGSTOP`, and waits until it is. Other cases go on meanwhile.
    ///
    /// # Errors
    /// Returns `Unsupported` where the host is not ours.
    fn stop_daemon(&self) -> Pin<Box<dyn Future<Output = io::Result<()>> + '_>>;

    /// Kills the QEMU of the domain of this name with `SIGKILL`.
    ///
    /// # Errors
    /// Returns `Unsupported` where the host is not ours, `NotFound` where no such QEMU runs.
    fn kill_qemu(&self, domain: &str) -> io::Result<()>;

    /// What may be done to the host itself; `None` where it is not ours, or not set up for it.
    fn control(&self) -> Option<&dyn HostControl> {
        None
    }
}
