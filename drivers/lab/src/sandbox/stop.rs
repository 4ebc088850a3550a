//! Requests to stop, as they reach a process inside the sandbox, or one that needs none.

use std::{fs, future::poll_fn, io, task::Poll};

use nix::sys::signal::Signal;
use tokio::signal::unix::{self, SignalKind};

use super::is_inside;

/// The requests to stop, heard from its making on: in the sandbox those that the outer process passes on, else
/// signals to this process.
#[derive(Debug)]
pub struct Stop(Vec<unix::Signal>);

impl Stop {
    /// Begins to listen. Call it within a runtime.
    ///
    /// # Errors
    /// Returns the error where a signal can't be caught.
    pub fn listen() -> io::Result<Self> {
        let kinds = if is_inside() {
            vec![Signal::SIGTERM]
        } else {
            requests()
        };
        let kinds = kinds
            .into_iter()
            .map(|one| SignalKind::from_raw(one as i32));
        let signals: io::Result<_> = kinds.map(unix::signal).collect();
        signals.map(Self)
    }

    /// Waits for one.
    pub async fn asked(&mut self) {
        poll_fn(|context| {
            let ready = |signal: &mut unix::Signal| signal.poll_recv(context).is_ready();
            if self.0.iter_mut().any(ready) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

/// The signals by which a person or the machine asks a command to stop.
pub(super) fn requests() -> Vec<Signal> {
    let hangup = Some(Signal::SIGHUP).filter(|_| !hangups_are_ignored());
    let always = [Signal::SIGINT, Signal::SIGTERM];
    always.into_iter().chain(hangup).collect()
}

/// Whether this process was begun with hang-ups ignored, as by `nohup`: it is to live on then.
fn hangups_are_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (Signal::SIGHUP as u64 - 1)) != 0)
}
