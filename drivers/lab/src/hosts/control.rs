//! What may be done to a host of the lab itself: each is taken back by [`HostControl::restore`].

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    time::Duration,
};

use migratrix_contract::{
    Folder, Gate, HookPoint, Host, HostControl, HostTask, Link, ProcessIdentity, Signalled,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rustix::process::{Resource, Rlimit, getrlimit, prlimit};
use tokio::time::{Instant, sleep_until};
use tracing::debug;

use crate::{
    LabError, LabHost,
    hosts::{
        hooks, host::until_stopped, mounts, net, processes::Process, request::Request, supervisor,
    },
};

/// How long a daemon may take to be gone, to stop, or to accept connections again, and a folder to be full.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(2);

impl HostControl for LabHost {
    fn daemon(&self) -> io::Result<Option<ProcessIdentity>> {
        let daemon = self.daemon_process()?;
        Ok(daemon.as_ref().map(identity))
    }

    fn signal_daemon(&self, how: Signalled) -> HostTask<'_> {
        Box::pin(async move {
            let daemon = LabHost::daemon(self)?;
            debug!("host {}: its daemon is {how:?}", self.hostname());
            send(daemon, how)?;
            match how {
                Signalled::Killed => {
                    let deadline = Instant::now() + PATIENCE;
                    self.until(deadline, "its daemon is gone", || is_gone(daemon))
                        .await
                }
                Signalled::Stopped => until_stopped(daemon, PATIENCE, self.hostname()).await,
                Signalled::Continued => Ok(()),
            }
        })
    }

    fn start_daemon(&self) -> HostTask<'_> {
        Box::pin(async {
            self.ask(Request::StartDaemon).await?;
            let deadline = Instant::now() + PATIENCE;
            let accepted = supervisor::accepts(self.first()?, self.address(), deadline).await;
            accepted.map_err(|what| self.failed(&format!("its daemon is there again: {what}")))
        })
    }

    fn qemu(&self, domain: &str) -> io::Result<Option<ProcessIdentity>> {
        match self.qemu_process(domain) {
            Ok(qemu) => Ok(Some(identity(&qemu))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn signal_qemu(&self, domain: &str, how: Signalled) -> io::Result<()> {
        let qemu = self.qemu_process(domain)?.pid;
        debug!("host {}: the QEMU of {domain} is {how:?}", self.hostname());
        send(qemu, how)
    }

    fn set_link(&self, link: Link) -> io::Result<()> {
        let run = self.run_now().ok_or(io::ErrorKind::NotConnected)?;
        debug!("host {}: its link is {link:?}", self.hostname());
        net::set(&run.cable, link).map_err(io::Error::other)
    }

    fn fill(&self, folder: Folder) -> HostTask<'_> {
        Box::pin(async move {
            let (root, path) = (self.root()?, Path::new(folder.path()));
            self.ask(Request::Fill(path.to_owned())).await?;
            let deadline = Instant::now() + PATIENCE;
            let is_full = || mounts::is_full(&root, path);
            self.until(deadline, "a folder is full", is_full).await
        })
    }

    fn empty(&self, folder: Folder) -> HostTask<'_> {
        Box::pin(async move {
            let (root, path) = (self.root()?, Path::new(folder.path()));
            if !mounts::is_full(&root, path) {
                return Ok(());
            }
            self.ask(Request::Empty(path.to_owned())).await?;
            let deadline = Instant::now() + PATIENCE;
            let is_back = || !mounts::is_full(&root, path);
            self.until(deadline, "a folder is back", is_back).await
        })
    }

    fn limit_memory(&self, bytes: Option<u64>) -> io::Result<()> {
        let daemon = rustix::process::Pid::from_raw(LabHost::daemon(self)?);
        let most = getrlimit(Resource::As).maximum;
        let limit = Rlimit {
            current: bytes.or(most),
            maximum: most,
        };
        debug!(
            "host {}: its daemon may have {bytes:?} bytes",
            self.hostname()
        );
        prlimit(daemon, Resource::As, limit)?;
        Ok(())
    }

    fn set_gate(&self, domain: &str, at: HookPoint, gate: Gate) -> io::Result<()> {
        debug!("host {}: {domain} {gate:?} at {at}", self.hostname());
        hooks::set(&self.hooks()?, domain, at, gate)
    }

    fn open_gates(&self, domain: &str) -> io::Result<()> {
        hooks::open(&self.hooks()?, domain)
    }

    fn hook_calls(&self, domain: &str) -> io::Result<Vec<String>> {
        hooks::calls(&self.hooks()?, domain)
    }

    fn listen(&self, port: u16) -> io::Result<TcpListener> {
        net::listen_in(self.first()?, port)
    }

    fn our_address(&self) -> Ipv4Addr {
        net::address(0)
    }

    fn forget(&self, domain: &str) -> io::Result<()> {
        hooks::forget(&self.hooks()?, domain)?;
        match self.signal_qemu(domain, Signalled::Continued) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn restore<'h>(&'h self, domain: &'h str) -> HostTask<'h> {
        Box::pin(async move {
            self.forget(domain)?;
            self.set_link(Link::Up)?;
            for folder in Folder::ALL {
                self.empty(folder).await?;
            }
            match HostControl::daemon(self)? {
                Some(_) => self.signal_daemon(Signalled::Continued).await?,
                None => self.start_daemon().await?,
            }
            self.limit_memory(None)
        })
    }
}

impl LabHost {
    async fn ask(&self, request: Request) -> io::Result<()> {
        let mut supervisor = self.change.lock().await;
        let supervisor = supervisor.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let asked: Result<(), LabError> = supervisor.ask(&request).await;
        asked.map_err(io::Error::other)
    }

    /// Waits until the host `is` so.
    async fn until(&self, deadline: Instant, what: &str, is: impl Fn() -> bool) -> io::Result<()> {
        let mut next = Instant::now();
        while !is() {
            next += LOOK_EVERY;
            if next >= deadline {
                return Err(self.failed(what));
            }
            sleep_until(next).await;
        }
        Ok(())
    }

    fn failed(&self, awaited: &str) -> io::Error {
        let host = self.hostname();
        let why = format!("host {host}: it was waited in vain until {awaited}");
        io::Error::new(io::ErrorKind::TimedOut, why)
    }

    fn root(&self) -> io::Result<PathBuf> {
        Ok(format!("/proc/{}/root", self.first()?).into())
    }

    fn hooks(&self) -> io::Result<PathBuf> {
        self.path(hooks::FOLDER)
            .ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

const fn identity(process: &Process) -> ProcessIdentity {
    ProcessIdentity {
        pid: process.pid,
        started: process.started,
    }
}

fn send(pid: i32, how: Signalled) -> io::Result<()> {
    let signal = match how {
        Signalled::Killed => Signal::SIGKILL,
        Signalled::Stopped => Signal::SIGSTOP,
        Signalled::Continued => Signal::SIGCONT,
    };
    Ok(kill(Pid::from_raw(pid), signal)?)
}

/// Whether a process is no more, and nobody has to wait for it: one that has threads keeps its locks until
/// then.
fn is_gone(pid: i32) -> bool {
    !Path::new(&format!("/proc/{pid}")).exists()
}
