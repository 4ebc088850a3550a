//! A host of the lab: its daemon, and what may be asked of the place where that runs.

use std::{
    ffi::OsStr,
    fs, io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    pin::Pin,
    process::Command,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use migratrix_contract::{Host, HostControl, Leftovers, Owner, Signalled};
use migratrix_history::Traffic;
use migratrix_matrix::{HostSetup, ReleaseName};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::time::{Instant, sleep_until};
use tracing::{debug, warn};

use crate::{
    StoredRelease,
    capture::{Capture, Ends},
    hosts::{
        leftovers, net,
        processes::{self, Process},
        running,
        spec::Run,
        supervisor::Supervisor,
        watch::Watch,
    },
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
    watch: Mutex<Option<Watch>>,
    capture: Result<Arc<Capture>, String>,
    /// Held by whoever starts or ends it.
    pub(crate) change: tokio::sync::Mutex<Option<Supervisor>>,
}

/// What was found on a host that is no case's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strays {
    /// Each thing, in words.
    pub found: Vec<String>,
    /// Whether there is more, which may go by itself.
    pub unsure: bool,
}

impl LabHost {
    pub(crate) fn new(
        release: StoredRelease,
        setup: HostSetup,
        hostname: String,
        address: Ipv4Addr,
        logs: PathBuf,
        capture: Result<Arc<Capture>, String>,
    ) -> Self {
        Self {
            release,
            setup,
            hostname,
            address,
            logs,
            run: Mutex::default(),
            watch: Mutex::default(),
            capture,
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
        self.run().as_ref().map_or(0, |run| run.generation)
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
        let run = self.run();
        let run = run.as_ref().filter(|run| run.is_up()).ok_or_else(down)?;
        Ok(run.first)
    }

    /// The host's daemon, as seen from here; `None` where none runs.
    pub(crate) fn daemon_process(&self) -> io::Result<Option<Process>> {
        let first = self.first()?;
        let mut processes = processes::of_host(first)?.into_iter();
        Ok(processes.find(|process| processes::is_daemon(process, first)))
    }

    /// The number of the host's daemon, as seen from here.
    pub(crate) fn daemon(&self) -> io::Result<i32> {
        let missing = || {
            io::Error::new(
                io::ErrorKind::NotFound,
                format!("no libvirtd runs on {}", self.hostname),
            )
        };
        let daemon = self.daemon_process()?;
        daemon.map(|process| process.pid).ok_or_else(missing)
    }

    /// The QEMU of a domain, as seen from here.
    pub(crate) fn qemu_process(&self, domain: &str) -> io::Result<Process> {
        let processes = processes::of_host(self.first()?)?.into_iter();
        let mut its = processes.filter(|one| leftovers::names(&one.command_line, domain));
        let qemu = its.find(processes::is_qemu);
        let missing = || {
            io::Error::new(
                io::ErrorKind::NotFound,
                format!("no QEMU of {domain} runs on {}", self.hostname),
            )
        };
        qemu.ok_or_else(missing)
    }

    /// Whether the daemon is stopped by a signal.
    pub(crate) fn daemon_is_stopped(&self) -> io::Result<bool> {
        is_stopped(self.daemon()?)
    }

    pub(crate) fn set_run(&self, run: Option<Run>) {
        if let Some(run) = &run {
            self.begin_watch(run.first);
        }
        *self.run() = run;
    }

    /// Begins the books of a run of the host. Who is on it stays, whichever run that is.
    fn begin_watch(&self, first: i32) {
        let new = Watch::begin(first);
        let mut watch = self.watch();
        let present = watch.take().map(|old| old.books.into_present());
        match new {
            Ok(new) => *watch = Some(new.with(present.unwrap_or_default())),
            Err(error) => warn!(
                "host {}: what is on it can't be seen: {error}",
                self.hostname
            ),
        }
    }

    fn watch(&self) -> MutexGuard<'_, Option<Watch>> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is new on the host, lasts, and is no case's own; each thing is told once. To be asked where no
    /// case is on it, again and again until it is sure. A daemon that has served no case still makes itself
    /// at home.
    pub fn strays(&self) -> Strays {
        let mut watch = self.watch();
        let Some(watch) = watch.as_mut().filter(|watch| watch.is_settled()) else {
            return Strays::default();
        };
        if let Ok(now) = watch.now() {
            watch.books.note(&now);
            watch.books.tell_what_lasts();
        }
        Strays {
            found: watch.books.strays(),
            unsure: watch.books.is_unsure(),
        }
    }

    /// What was found by the cases that have left the host.
    pub fn told_strays(&self) -> Vec<String> {
        let mut watch = self.watch();
        watch
            .as_mut()
            .map(|watch| watch.books.strays())
            .unwrap_or_default()
    }

    pub(crate) fn run_now(&self) -> Option<Run> {
        self.run().clone()
    }

    fn run(&self) -> MutexGuard<'_, Option<Run>> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
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

    fn enter(&self, owner: &Owner) {
        if let Some(watch) = self.watch().as_mut() {
            watch.books.enter(owner);
        }
        if let Ok(capture) = &self.capture {
            capture.expect(&owner.domain, self.address);
        }
    }

    fn settle(&self, owner: &Owner) {
        if let Some(watch) = self.watch().as_mut() {
            watch.settle(&owner.domain);
        }
    }

    fn leave(&self, domain: &str) {
        if let Some(watch) = self.watch().as_mut() {
            watch.books.leave(domain);
        }
        if let Ok(capture) = &self.capture {
            capture.forget(domain);
        }
    }

    fn leftovers(&self, domain: &str) -> io::Result<Option<Leftovers>> {
        self.first()?;
        let mut watch = self.watch();
        let blind = || io::Error::other(format!("what is on {} can't be seen", self.hostname));
        let watch = watch.as_mut().ok_or_else(blind)?;
        watch.left(domain).map(Some)
    }

    fn captured_address(&self) -> Option<Ipv4Addr> {
        Some(self.address)
    }

    fn traffic(&self, domain: &str, destination: Ipv4Addr) -> io::Result<Option<Traffic>> {
        let capture = self.capture.as_ref();
        let capture = capture.map_err(|why| io::Error::other(why.clone()))?;
        let ends = Ends {
            client: net::address(0),
            source: self.address,
            destination,
        };
        Ok(capture.traffic(domain, &ends))
    }

    fn stop_daemon(&self) -> Pin<Box<dyn Future<Output = io::Result<()>> + '_>> {
        Box::pin(async {
            let daemon = self.daemon()?;
            debug!("host {}: its daemon is to stop", self.hostname);
            kill(Pid::from_raw(daemon), Signal::SIGSTOP)?;
            until_stopped(daemon, STOP, &self.hostname).await
        })
    }

    fn kill_qemu(&self, domain: &str) -> io::Result<()> {
        self.signal_qemu(domain, Signalled::Killed)
    }

    fn control(&self) -> Option<&dyn HostControl> {
        match self.setup {
            HostSetup::AsShipped | HostSetup::Quick => None,
            HostSetup::Resilient => Some(self),
        }
    }
}

/// Waits until a process is stopped. Nobody tells one that is not its parent: it is looked at again
/// and again, and others go on between.
pub(crate) async fn until_stopped(pid: i32, patience: Duration, host: &str) -> io::Result<()> {
    let mut next = Instant::now();
    let deadline = next + patience;
    while !is_stopped(pid)? {
        next += LOOK_EVERY;
        if next >= deadline {
            let patience = patience.as_secs();
            let why = format!("libvirtd on {host} didn't stop within {patience} s");
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
        let patience = Duration::from_secs(7);
        let mut turns = 0;
        let others = async {
            loop {
                turns += 1;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let stopped = tokio::select! {
            stopped = until_stopped(pid, patience, "h") => stopped,
            () = others => Ok(()),
        };
        let why = stopped.unwrap_err().to_string();
        assert_eq!(why, "libvirtd on h didn't stop within 7 s");
        assert!(turns > 600, "the others had {turns} turns");
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }

    #[tokio::test]
    async fn a_daemon_that_stops_is_seen_to() {
        let mut daemon = Command::new("sleep").arg("600").spawn().unwrap();
        let pid = i32::try_from(daemon.id()).unwrap();
        kill(Pid::from_raw(pid), Signal::SIGSTOP).unwrap();
        until_stopped(pid, STOP, "h").await.unwrap();
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }
}
