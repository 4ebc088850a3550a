//! Requests to stop, as they reach a process inside the sandbox, or one that needs none.

use std::{
    fs,
    future::poll_fn,
    io,
    os::{fd::BorrowedFd, unix::process::CommandExt},
    process::{Child, Command, ExitStatus},
    sync::atomic::{AtomicBool, Ordering},
    task::Poll,
};

use nix::{
    libc::{_exit, c_int},
    sys::signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, kill, sigaction},
    unistd::write,
};
use tokio::signal::unix::{self, SignalKind};

use super::{is_inside, is_outside, signals};
use crate::init::{pid_of, unblock_signals};

/// Whether somebody listens, who does more for a request than to end at once.
static HEARD: AtomicBool = AtomicBool::new(false);

/// What a command ends in that was asked to stop, as shells have it of one that was interrupted.
const STOPPED: c_int = 130;

/// Has a request to stop end the process with a word and the code for it, until somebody [listens](Stop). Call it
/// first of all: a request that comes before, while the program is loaded, ends it as the kernel does. Inside the
/// sandbox nothing is done, since the outer process is the one that is asked.
pub fn hear_early() {
    if !is_outside() {
        return;
    }
    let end = SigAction::new(
        SigHandler::Handler(end_at_once),
        SaFlags::SA_RESTART,
        SigSet::empty(),
    );
    for request in requests() {
        // SAFETY: the handler calls nothing but what may be called in one, see signal-safety(7).
        let before = unsafe { sigaction(request, &end) };
        let ignored = before.ok().filter(|it| it.handler() == SigHandler::SigIgn);
        if let Some(ignored) = ignored {
            // SAFETY: it is what was there.
            let _as_before = unsafe { sigaction(request, &ignored) };
        }
    }
}

extern "C" fn end_at_once(_request: c_int) {
    if HEARD.load(Ordering::Relaxed) {
        return;
    }
    // SAFETY: it is borrowed for this one call, which fails where it isn't open.
    let stderr = unsafe { BorrowedFd::borrow_raw(2) };
    let _nobody_reads = write(stderr, b"migratrix: stopped by a signal\n");
    // SAFETY: it ends the process, and runs nothing else of it.
    unsafe { _exit(STOPPED) }
}

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
        let signals = signals.map(Self)?;
        HEARD.store(true, Ordering::Relaxed);
        Ok(signals)
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

/// Runs a command to its end, and passes requests to stop this process on to it. Says how it ended, and whether there
/// was one. Call it while there is one thread: others would hear them.
///
/// # Errors
/// Returns the error where it can't be begun, asked or waited for.
pub fn pass_stops_to(command: &mut Command) -> io::Result<(ExitStatus, bool)> {
    let heard = signals();
    let before = heard.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    // A terminal asks all processes of a group: in one of its own, it is asked once.
    let child = unblock_signals(command.process_group(0)).spawn();
    let ended = child.and_then(|child| outlive(child, &heard));
    before.thread_set_mask()?;
    ended
}

fn outlive(mut child: Child, heard: &SigSet) -> io::Result<(ExitStatus, bool)> {
    let mut asked = false;
    loop {
        if let Some(ended) = child.try_wait()? {
            return Ok((ended, asked));
        }
        if heard.wait()? != Signal::SIGCHLD {
            asked = true;
            kill(pid_of(&child), Signal::SIGTERM)?;
        }
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
