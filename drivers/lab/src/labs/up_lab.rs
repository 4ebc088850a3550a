//! A lab that is up, or coming up: its hosts, and its end.

use std::{
    os::fd::{AsFd, OwnedFd},
    path::PathBuf,
    time::{Duration, Instant},
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::process::{Pid, Signal, pidfd_send_signal};

use super::LabName;
use crate::{LabError, RunningHost, running_hosts};

/// How long a lab may take to end by itself.
const POLITELY: Duration = Duration::from_secs(20);
/// How long it may take when it is told again, or killed.
const AT_ONCE: Duration = Duration::from_secs(5);
/// A lab that is up.
#[derive(Debug)]
pub struct UpLab {
    pub(super) name: LabName,
    pub(super) holder: Pid,
    pub(super) handle: OwnedFd,
    pub(super) mark: PathBuf,
}

impl UpLab {
    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &LabName {
        &self.name
    }

    /// Its hosts that are up: those that descend from the process that holds it.
    #[must_use]
    pub fn hosts(&self) -> Vec<RunningHost> {
        let mut hosts = running_hosts();
        hosts.retain(|host| host.descends_from(self.holder.as_raw_nonzero().get()));
        hosts
    }

    /// Whether all of its hosts are up; else some are still coming.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.mark.exists()
    }

    /// Ends it, and waits until it is gone.
    ///
    /// # Errors
    /// Returns an error where it isn't ours to end, or doesn't go.
    pub fn end(self) -> Result<(), LabError> {
        // The first is a request, the second ends it at once; see the sandbox's outer process.
        for (signal, patience) in [
            (Signal::TERM, POLITELY),
            (Signal::TERM, AT_ONCE),
            (Signal::KILL, AT_ONCE),
        ] {
            match pidfd_send_signal(&self.handle, signal) {
                Ok(()) => {}
                Err(rustix::io::Errno::SRCH) => return Ok(()),
                Err(source) => return Err(self.cannot("end")(source)),
            }
            if self.ends_within(patience)? {
                return Ok(());
            }
        }
        Err(LabError::Undying(self.name.0))
    }

    /// Waits until the process that holds it has ended, so long at most; says whether it has.
    ///
    /// # Errors
    /// Returns an error where it can't be waited for.
    pub fn ends_within(&self, patience: Duration) -> Result<bool, LabError> {
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
            let mut it = [PollFd::new(self.handle.as_fd(), PollFlags::POLLIN)];
            match poll(&mut it, left) {
                Ok(ready) => return Ok(ready > 0),
                Err(nix::Error::EINTR) => {}
                Err(source) => return Err(self.cannot("wait for")(source)),
            }
        }
    }

    fn cannot<E: Into<std::io::Error>>(&self, verb: &str) -> impl FnOnce(E) -> LabError {
        LabError::system(format!("{verb} the lab `{}`", self.name.0))
    }
}
