//! A client process whose processor time counts also when it is gone.
//!
//! The kernel adds what a process took to its parent when that waits for it, and to all else that
//! the parent waited for. So it is read between the end of a client and the wait for it.

use std::{
    collections::BTreeSet,
    io,
    os::fd::OwnedFd,
    process::ExitStatus,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use migratrix_contract::processor_time;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::{
    io::unix::AsyncFd,
    process::{Child, Command},
};

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

/// A running client process. It is killed when this is dropped.
pub(crate) struct Metered {
    child: Child,
    handle: AsyncFd<OwnedFd>,
    pid: i32,
}

impl Metered {
    pub(crate) fn spawn(command: &mut Command) -> io::Result<Self> {
        let child = command.kill_on_drop(true).spawn()?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
        let pid = pid.expect("a child that nobody has waited for has a number");
        let number = Pid::from_raw(pid).expect("the number of a child is not zero");
        let handle = pidfd_open(number, PidfdFlags::empty())?;
        // SAFETY: it is owned, open as long as it is, and never another's.
        let handle = unsafe { AsyncFd::register(handle) }?;
        clients().live.insert(pid);
        Ok(Self { child, handle, pid })
    }

    /// Its number.
    pub(crate) const fn number(&self) -> u32 {
        self.pid.unsigned_abs()
    }

    /// The process, for its pipes.
    pub(crate) const fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Waits until it has ended, and leaves it to be waited for.
    pub(crate) async fn ended(&self) -> io::Result<()> {
        self.handle.readable().await.map(drop)
    }

    /// Counts what it took, and waits for it.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.ended().await?;
        self.count();
        self.child.wait().await
    }

    /// Counts what it took so far, once.
    fn count(&self) {
        let mut clients = clients();
        if clients.live.remove(&self.pid) {
            clients.ended += processor_time(self.pid).unwrap_or_default();
        }
    }
}

impl Drop for Metered {
    fn drop(&mut self) {
        self.count();
    }
}
