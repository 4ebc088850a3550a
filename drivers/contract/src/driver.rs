//! What a back end is, and what it may ask of the places where daemons run.

use std::{future::Future, io, path::PathBuf, pin::Pin, process::Command};

use migratrix_history::Outcome;
use migratrix_matrix::ReleaseName;

use crate::{Recorder, Step};

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

    /// All that is left on the host of the domain of this name: processes, files, sockets, ports.
    /// `Ok(None)` where the host is not ours to look into.
    ///
    /// # Errors
    /// Returns the error where it is ours and can't be read.
    fn leftovers(&self, domain: &str) -> io::Result<Option<Vec<String>>>;

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
}
