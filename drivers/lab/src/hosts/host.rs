//! A host of the lab: its daemon, and what may be asked of the place where that runs.

use std::{
    ffi::OsStr,
    fs, io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    pin::Pin,
    process::Command,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use migratrix_contract::Host;
use migratrix_matrix::{HostSetup, ReleaseName};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::time::{Instant, sleep_until};
use tracing::debug;

use crate::{
    StoredRelease,
    hosts::{leftovers, running, spec::Run, supervisor::Supervisor},
    releases::probe,
};

/// How long a signal may take to stop the daemon.
const STOP: Duration = Duration::from_secs(5);
/// How often a daemon that is to stop is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A host of the lab. It stands for the place, not for one run of it: after [`crate::Lab::replace`]
/// the same handle, name and address are those of the new run.
#[derive(Debug)]
pub struct LabHost {
    pub(crate) release: StoredRelease,
    pub(crate) setup: HostSetup,
    pub(crate) hostname: String,
    pub(crate) address: Ipv4Addr,
    pub(crate) logs: PathBuf,
    run: Mutex<Option<Run>>,
    /// Held by whoever starts or ends it.
    pub(crate) change: tokio::sync::Mutex<Option<Supervisor>>,
}

impl LabHost {
    pub(crate) fn new(
        release: StoredRelease,
        setup: HostSetup,
        hostname: String,
        address: Ipv4Addr,
        logs: PathBuf,
    ) -> Self {
        Self {
            release,
            setup,
            hostname,
            address,
            logs,
            run: Mutex::default(),
            change: tokio::sync::Mutex::default(),
        }
    }

    /// Its host name, which the other hosts know it by.
    #[must_use]
    pub fn hostname(&self) -> &str {
        &self.hostname
    }

    /// Its address, by which clients reach it.
    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// The folder with the logs of its daemon and guests. They outlive it.
    #[must_use]
    pub fn logs(&self) -> &PathBuf {
        &self.logs
    }

    /// Which run of the host this is, from 1: it counts up when the host is replaced.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.run_now().map_or(0, |run| run.generation)
    }

    /// A command that runs inside the host.
    ///
    /// # Errors
    /// Returns the error where the host is down.
    pub fn command<S: AsRef<OsStr>>(&self, words: &[S]) -> io::Result<Command> {
        Ok(running::command_in(self.first()?, words))
    }

    /// The host's first process, as seen from here.
    pub(crate) fn first(&self) -> io::Result<i32> {
        let down = || {
            io::Error::new(
                io::ErrorKind::NotConnected,
                format!("host {} is down", self.hostname),
            )
        };
        let run = self.run_now().ok_or_else(down)?;
        let its = fs::read_link(format!("/proc/{}/ns/pid", run.first)).map_err(|_| down())?;
        if its == run.namespace {
            Ok(run.first)
        } else {
            Err(down())
        }
    }

    /// The host's daemon, as seen from here.
    pub(crate) fn daemon(&self) -> io::Result<i32> {
        let processes = leftovers::of_host(self.first()?)?;
        let daemon = processes
            .iter()
            .find(|process| process.command_line.starts_with(probe::LIBVIRTD));
        let missing = || {
            io::Error::new(
                io::ErrorKind::NotFound,
                format!("no libvirtd runs on {}", self.hostname),
            )
        };
        daemon.map(|process| process.pid).ok_or_else(missing)
    }

    /// Whether the daemon is stopped by a signal.
    pub(crate) fn daemon_is_stopped(&self) -> io::Result<bool> {
        is_stopped(self.daemon()?)
    }

    pub(crate) fn set_run(&self, run: Option<Run>) {
        *self.run.lock().unwrap_or_else(PoisonError::into_inner) = run;
    }

    fn run_now(&self) -> Option<Run> {
        self.run
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Host for LabHost {
    fn release(&self) -> &ReleaseName {
        self.release.name()
    }

    fn uri(&self) -> String {
        format!("qemu+tcp://{}/system", self.address)
    }

    fn peer_uri(&self) -> String {
        format!("qemu+tcp://{}/system", self.hostname)
    }

    fn path(&self, inside: &str) -> Option<PathBuf> {
        let first = self.first().ok()?;
        // A link of the host's is one in the host's root.
        migratrix_root::resolve(Path::new(&format!("/proc/{first}/root")), inside).ok()
    }

    fn command(&self, words: &[&str]) -> io::Result<Option<Command>> {
        self.command(words).map(Some)
    }

    fn leftovers(&self, domain: &str) -> io::Result<Option<Vec<String>>> {
        leftovers::find(self.first()?, domain).map(Some)
    }

    fn stop_daemon(&self) -> Pin<Box<dyn Future<Output = io::Result<()>> + '_>> {
        Box::pin(async {
            let daemon = self.daemon()?;
            debug!("host {}: its daemon is to stop", self.hostname);
            kill(Pid::from_raw(daemon), Signal::SIGSTOP)?;
            until_stopped(daemon, Instant::now() + STOP, &self.hostname).await
        })
    }

    fn kill_qemu(&self, domain: &str) -> io::Result<()> {
        let processes = leftovers::of_domain(self.first()?, domain)?;
        let qemu = processes
            .iter()
            .find(|process| leftovers::is_qemu(process))
            .ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::NotFound,
                    format!("no QEMU of {domain} runs on {}", self.hostname),
                )
            })?;
        debug!("host {}: the QEMU of {domain} is killed", self.hostname);
        Ok(kill(Pid::from_raw(qemu.pid), Signal::SIGKILL)?)
    }
}

/// Waits until a process is stopped. Nobody tells one that is not its parent: it is looked at again
/// and again, and others go on between.
async fn until_stopped(pid: i32, deadline: Instant, host: &str) -> io::Result<()> {
    let mut next = Instant::now();
    while !is_stopped(pid)? {
        next += LOOK_EVERY;
        if next >= deadline {
            let why = format!("libvirtd on {host} didn't stop within {} s", STOP.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, why));
        }
        sleep_until(next).await;
    }
    Ok(())
}

/// Whether a process is stopped, see proc_pid_stat(5).
fn is_stopped(pid: i32) -> io::Result<bool> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let state = stat
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.split_whitespace().next());
    Ok(state == Some("T"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn others_go_on_while_a_daemon_takes_its_time_to_stop() {
        let mut daemon = Command::new("sleep").arg("600").spawn().unwrap();
        let pid = i32::try_from(daemon.id()).unwrap();
        let mut turns = 0;
        let others = async {
            loop {
                turns += 1;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let stopped = tokio::select! {
            stopped = until_stopped(pid, Instant::now() + STOP, "h") => stopped,
            () = others => Ok(()),
        };
        let why = stopped.unwrap_err().to_string();
        assert_eq!(why, "libvirtd on h didn't stop within 5 s");
        assert!(turns > 400, "the others had {turns} turns");
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }

    #[tokio::test]
    async fn a_daemon_that_stops_is_seen_to() {
        let mut daemon = Command::new("sleep").arg("600").spawn().unwrap();
        let pid = i32::try_from(daemon.id()).unwrap();
        kill(Pid::from_raw(pid), Signal::SIGSTOP).unwrap();
        until_stopped(pid, Instant::now() + STOP, "h")
            .await
            .unwrap();
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }
}
