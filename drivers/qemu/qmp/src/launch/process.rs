//! The process of a QEMU, or of a wrapper that has one as its child. It leads a process group, so that
//! both are killed together.

use std::{io, process::ExitStatus, sync::Arc, time::Duration};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{
    process::Child,
    time::{interval, timeout, timeout_at},
};

use super::account::Life;
use crate::{Deadline, QemuError};

/// How long a QEMU that closed its connection has to end, and its last words to come.
const GRACE: Duration = Duration::from_secs(10);

/// How often what a wrapper has left is looked at, once it is killed.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// What was started.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// `None` once the child has ended: then the number may be another's.
    group: Option<Pid>,
    /// Whether it was us who ended it. What one that ends by itself leaves is for others to see.
    killed: bool,
    pub(super) life: Arc<Life>,
}

impl Process {
    /// `child` leads a process group.
    pub(super) fn new(child: Child, life: Arc<Life>) -> Self {
        let group = child.id().and_then(|id| i32::try_from(id).ok());
        Self {
            group: group.map(Pid::from_raw),
            child,
            killed: false,
            life,
        }
    }

    /// Its id; `None` once it has ended.
    pub(super) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits until it has ended; where we killed it, all of its group with it.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        let group = self.group.take();
        if let Some(group) = group.filter(|_| self.killed) {
            drop(timeout_at(Deadline::after(GRACE).at(), emptied(group)).await);
        }
        Ok(status)
    }

    /// How it has ended, if it has.
    pub(super) fn try_wait(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().ok().flatten()?;
        self.group = None;
        Some(status)
    }

    /// Kills it, with what it has started: a wrapper's QEMU would outlive the wrapper.
    pub(super) fn start_kill(&mut self) -> io::Result<()> {
        self.kill_group();
        self.killed = true;
        self.child.start_kill()
    }

    fn kill_group(&self) {
        if let Some(group) = self.group {
            // It can only fail where there is nobody left.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }

    /// An error of a connection, with the process's end and its last words where that is why.
    pub(super) async fn explain(&mut self, error: QemuError) -> QemuError {
        let QemuError::Disconnected { awaited, ending } = error else {
            return error;
        };
        match timeout(GRACE, self.wait()).await {
            Ok(Ok(status)) => {
                self.life.note_end(status);
                QemuError::Exited {
                    awaited,
                    status,
                    stderr: self.life.stderr.rest(GRACE).await,
                }
            }
            Ok(Err(_)) | Err(_) => QemuError::Disconnected { awaited, ending },
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill_group();
    }
}

/// Kills a process group until it has no member: one may have been starting another. Nobody tells of
/// the end of a child's child.
async fn emptied(group: Pid) {
    let mut tick = interval(LOOK_EVERY);
    while killpg(group, Signal::SIGKILL).is_ok() {
        tick.tick().await;
    }
}
