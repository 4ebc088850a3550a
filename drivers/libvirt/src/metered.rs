//! A client process whose processor time counts also when it is gone.
//!
//! The kernel adds what a process took to its parent when that waits for it, and to all else that
//! the parent waited for. So it is read between the end of a client and the wait for it.

use std::{
    collections::BTreeSet,
    io,
    os::{fd::OwnedFd, unix::process::ExitStatusExt},
    process::{Command, ExitStatus},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use migratrix_contract::processor_time;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, pidfd_open, pidfd_send_signal, waitpid,
};
use tokio::{io::unix::AsyncFd, runtime::Handle};

/// What the clients of this process took. It is one count for all, as the kernel's are.
static CLIENTS: Mutex<Clients> = Mutex::new(Clients {
    ended: Duration::ZERO,
    live: BTreeSet::new(),
});

struct Clients {
    ended: Duration,
    live: BTreeSet<i32>,
}

/// The processor time of all client processes that this process has started: of those that live, and
/// of those that are gone.
#[must_use]
pub fn clients_time() -> Duration {
    let clients = clients();
    let live = clients.live.iter().filter_map(|pid| processor_time(*pid));
    clients.ended + live.sum::<Duration>()
}

/// The processor time of those client processes that this process has waited for.
#[must_use]
pub fn ended_clients_time() -> Duration {
    clients().ended
}

fn clients() -> std::sync::MutexGuard<'static, Clients> {
    CLIENTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running client process, a child of this one. It is killed when this is dropped.
pub(crate) struct Metered {
    pid: Pid,
    /// What tells of its end; nothing where that was waited for.
    handle: Option<AsyncFd<OwnedFd>>,
}

impl Metered {
    pub(crate) fn spawn(command: &mut Command) -> io::Result<Self> {
        let number = i32::try_from(command.spawn()?.id());
        Self::of_child(number.map_err(io::Error::other)?)
    }

    /// The child with this number, which nobody else waits for.
    pub(crate) fn of_child(pid: i32) -> io::Result<Self> {
        let pid = Pid::from_raw(pid).filter(|pid| pid.as_raw_nonzero().is_positive());
        let pid = pid.ok_or_else(|| io::Error::other("it has no number"))?;
        let handle = pidfd_open(pid, PidfdFlags::empty())?;
        // SAFETY: it is owned, open as long as it is, and never another's.
        let handle = unsafe { AsyncFd::register(handle) }?;
        clients().live.insert(pid.as_raw_nonzero().get());
        Ok(Self {
            pid,
            handle: Some(handle),
        })
    }

    /// Its number.
    pub(crate) fn number(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Kills it. One that has ended can't be killed, nor need be.
    pub(crate) fn kill(&self) {
        if let Some(handle) = &self.handle {
            let _ended = pidfd_send_signal(handle, Signal::KILL);
        }
    }

    /// Waits until it has ended, and leaves it to be waited for.
    pub(crate) async fn ended(&self) -> io::Result<()> {
        match &self.handle {
            Some(handle) => handle.readable().await.map(drop),
            None => Ok(()),
        }
    }

    /// Counts what it took, and waits for it.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.ended().await?;
        self.count();
        self.handle = None;
        waited(self.pid)
    }

    /// Counts what it took so far, once.
    fn count(&self) {
        let mut clients = clients();
        let pid = self.pid.as_raw_nonzero().get();
        if clients.live.remove(&pid) {
            clients.ended += processor_time(pid).unwrap_or_default();
        }
    }
}

/// How a child that has ended did so.
fn waited(pid: Pid) -> io::Result<ExitStatus> {
    let ended = waitpid(Some(pid), WaitOptions::NOHANG)?;
    let gone = || io::Error::other("its end is not told");
    let (_, status) = ended.ok_or_else(gone)?;
    Ok(ExitStatus::from_raw(status.as_raw()))
}

impl Drop for Metered {
    fn drop(&mut self) {
        self.count();
        self.kill();
        let (pid, handle) = (self.pid, self.handle.take());
        // Without a runtime it is waited for by whoever gets it when this process ends.
        if let (Some(handle), Ok(runtime)) = (handle, Handle::try_current()) {
            runtime.spawn(async move {
                let _gone = handle.readable().await.map(|_| waited(pid));
            });
        }
    }
}
