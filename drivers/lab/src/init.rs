//! The first process of a PID namespace: it reaps orphans, and ends when its lifeline does.

use std::{
    fs::File,
    io::Read,
    os::{
        fd::{AsFd, OwnedFd},
        unix::process::{CommandExt, ExitStatusExt},
    },
    process::{Child, Command, ExitStatus},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::{SigSet, Signal},
        signalfd::{SfdFlags, SignalFd},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};

use crate::LabError;

/// The exit code of a process that was killed: this and the signal's number, as shells have it.
const KILLED: i32 = 128;

/// Watches over children and over the lifeline.
pub(crate) struct Watch {
    lifeline: File,
    children: SignalFd,
}

/// What comes to the first process.
pub(crate) enum News {
    /// The child that counts has ended.
    Ended(ExitStatus),
    /// Bytes on the lifeline.
    Said(Vec<u8>),
    /// The lifeline has ended.
    Closed,
}

/// How the first process ends where its lifeline does.
pub(crate) const CUT_OFF: Signal = Signal::SIGKILL;

impl Watch {
    /// Begins to watch. Call it before the first child is started, so that none's end is missed.
    pub(crate) fn begin(lifeline: OwnedFd) -> Result<Self, LabError> {
        let mask = SigSet::from(Signal::SIGCHLD);
        mask.thread_block()
            .map_err(LabError::system("block signals"))?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let children =
            SignalFd::with_flags(&mask, flags).map_err(LabError::system("listen for signals"))?;
        Ok(Self {
            lifeline: File::from(lifeline),
            children,
        })
    }

    /// Reaps until `main` ends, and says how. A byte on the lifeline is a request to
    /// stop; at its end this returns at once.
    pub(crate) fn until_exit(
        mut self,
        main: Pid,
        on_stop: impl Fn(),
    ) -> Result<ExitStatus, LabError> {
        loop {
            match self.news(Some(main))? {
                News::Ended(status) => return Ok(status),
                News::Said(_) => on_stop(),
                News::Closed => return Ok(ExitStatus::from_raw(CUT_OFF as i32)),
            }
        }
    }

    /// Reaps until there is news; `main` is the child whose end is.
    pub(crate) fn news(&mut self, main: Option<Pid>) -> Result<News, LabError> {
        loop {
            if let Some(status) = reap(main)? {
                return Ok(News::Ended(status));
            }
            self.wait_for_news()?;
            while let Ok(Some(_)) = self.children.read_signal() {}
            match self.lifeline_bytes()? {
                None => {}
                Some(bytes) if bytes.is_empty() => return Ok(News::Closed),
                Some(bytes) => return Ok(News::Said(bytes)),
            }
        }
    }

    fn wait_for_news(&self) -> Result<(), LabError> {
        let mut both = [
            PollFd::new(self.lifeline.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.children.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut both, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(source) => Err(LabError::system("wait for children")(source)),
        }
    }

    /// What came; `None` where there is no news.
    fn lifeline_bytes(&mut self) -> Result<Option<Vec<u8>>, LabError> {
        let mut it = [PollFd::new(self.lifeline.as_fd(), PollFlags::POLLIN)];
        if poll(&mut it, PollTimeout::ZERO).unwrap_or(0) == 0 {
            return Ok(None);
        }
        let mut bytes = [0; 256];
        let read = self.lifeline.read(&mut bytes);
        read.map(|length| Some(bytes[..length].to_vec()))
            .map_err(LabError::system("read the lifeline"))
    }
}

/// Reaps all that have ended; says how `main` has, if it is among them.
fn reap(main: Option<Pid>) -> Result<Option<ExitStatus>, LabError> {
    let mut status = None;
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(status),
            Ok(ended) if main.is_some() && ended.pid() == main => status = end(ended).or(status),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(source) => return Err(LabError::system("wait for children")(source)),
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only these two are ends")]
pub(crate) fn end(status: WaitStatus) -> Option<ExitStatus> {
    match status {
        WaitStatus::Exited(_, code) => Some(ExitStatus::from_raw(code << 8)),
        WaitStatus::Signaled(_, signal, _) => Some(ExitStatus::from_raw(signal as i32)),
        _ => None,
    }
}

/// The exit code that stands for an exit status.
pub(crate) fn exit_code(status: ExitStatus) -> u8 {
    let killed = status.signal().map(|signal| KILLED + signal);
    status.code().or(killed).map_or(u8::MAX, low_byte)
}

/// How a daemon ended whose [`exit_code`] its host's supervisor ended with.
pub(crate) fn told(status: ExitStatus) -> String {
    let Some(code) = status.code() else {
        return format!("its supervisor ended by {status}");
    };
    let signal = Signal::try_from(code - KILLED).ok();
    match signal {
        Some(signal) => format!(
            "its daemon was killed by signal {} ({})",
            signal as i32,
            signal.as_str()
        ),
        None => format!("its daemon ended with exit code {code}"),
    }
}

/// Lets the command's process have all signals, whichever are blocked here.
pub(crate) fn unblock_signals(command: &mut Command) -> &mut Command {
    let unblock = || Ok(SigSet::empty().thread_set_mask()?);
    // SAFETY: it is one system call, which is safe between fork and exec.
    unsafe { command.pre_exec(unblock) }
}

/// The process id of a child, in the form that system calls take.
pub(crate) fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("process ids are below 4,194,304"))
}

fn low_byte(code: i32) -> u8 {
    u8::try_from(code).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_code_says_how_a_process_ended() {
        assert_eq!(exit_code(ExitStatus::from_raw(3 << 8)), 3);
        assert_eq!(exit_code(ExitStatus::from_raw(9)), 137);
    }

    #[test]
    fn the_signal_that_killed_a_daemon_is_told() {
        let killed = ExitStatus::from_raw((KILLED + 11) << 8);
        assert_eq!(told(killed), "its daemon was killed by signal 11 (SIGSEGV)");
        let ended = ExitStatus::from_raw(1 << 8);
        assert_eq!(told(ended), "its daemon ended with exit code 1");
    }
}
