//! A real machine that is only known by its libvirt URI.

use std::{io, path::PathBuf, pin::Pin, process::Command};

use migratrix_contract::{Host, Leftovers};
use migratrix_matrix::ReleaseName;

/// A host that isn't ours to look into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteHost {
    /// The name that stands for what it runs.
    pub release: ReleaseName,
    /// The libvirt URI by which a client reaches it.
    pub uri: String,
    /// The libvirt URI by which another host's daemon reaches it.
    pub peer_uri: String,
}

impl Host for RemoteHost {
    fn release(&self) -> &ReleaseName {
        &self.release
    }

    fn uri(&self) -> String {
        self.uri.clone()
    }

    fn peer_uri(&self) -> String {
        self.peer_uri.clone()
    }

    fn path(&self, _inside: &str) -> Option<PathBuf> {
        None
    }

    fn command(&self, _words: &[&str]) -> io::Result<Option<Command>> {
        Ok(None)
    }

    fn leftovers(&self, _domain: &str) -> io::Result<Option<Leftovers>> {
        Ok(None)
    }

    fn stop_daemon(&self) -> Pin<Box<dyn Future<Output = io::Result<()>> + '_>> {
        Box::pin(async { Err(self.not_ours("stop the daemon")) })
    }

    fn kill_qemu(&self, _domain: &str) -> io::Result<()> {
        Err(self.not_ours("kill QEMU"))
    }
}

impl RemoteHost {
    fn not_ours(&self, what: &str) -> io::Error {
        io::Error::new(
            io::ErrorKind::Unsupported,
            format!("can't {what} on {}: it is not a host of the lab", self.uri),
        )
    }
}
