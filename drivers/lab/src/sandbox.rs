//! The one sandbox around everything that has effects: namespaces that die with the command.
//!
//! ```text
//!  outer ──lifeline (pipe)──▶ init, PID 1 ──▶ runner
//!    └─ unshare --kill-child ──┘  reaps         the command itself
//! ```
//!
//! The outer process runs the same program with the same arguments again inside new user (unless it
//! is root), mount, network and PID namespaces. Whichever of the processes is killed, all of them
//! go: `unshare` dies with the outer (`PR_SET_PDEATHSIG`), init dies with `unshare`, or by the end
//! of the lifeline, and with init the kernel kills whatever is in the PID namespace, and takes its
//! mounts and interfaces down.
//!
//! Nothing inside has the caller's terminal, unless a person is to type into it: see [`Terminal`].
//! This is the one place where it is taken away. A program that changed its settings from the
//! background would be stopped by the kernel, with all that is in its process group: the runner and
//! its deadlines too.

mod stop;

use std::{
    cell::Cell,
    env,
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read, Write},
    os::{
        fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
        unix::process::{CommandExt, ExitStatusExt},
    },
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
};

use nix::{
    fcntl::{FcntlArg, FdFlag, OFlag, fcntl},
    sys::{
        prctl,
        signal::{SigSet, Signal, kill},
    },
    unistd::{Pid, getpid, getppid, pipe2, setsid},
};

use self::stop::requests;
pub use self::stop::{Stop, hear_early, pass_stops_to};
use crate::{
    LabError,
    hosts::{mounts, net},
    init, privilege,
};

/// Tells a process which part it has: absent, `init:FD:FD`, or `runner`.
const PART: &str = "MIGRATRIX_SANDBOX";

/// What the outer process notes for those inside.
const NOTE: &str = "MIGRATRIX_SANDBOX_NOTE";

/// How the part of init begins.
const INIT: &str = "init:";

/// Tells the processes inside how the outer one was called.
const CALLED: &str = "MIGRATRIX_CALLED_AS";

/// What init reports to the outer process: that the namespaces stand, before the runner can be seen or
/// killed; then, with its exit code, how the runner ended.
const READY: u8 = b'r';
const ENDED: u8 = b'e';
const KILLED: u8 = b'k';
/// It was ended by the request to stop, before it listened for one.
const STOPPED: u8 = b's';
/// Instead of an end: there was no runner. Init itself tells why.
const NOT_STARTED: u8 = b'n';

/// How a call of [`enter`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entered {
    /// We are inside: go on.
    Inside,
    /// We were outside, and the command has run inside: exit with its code.
    Left(u8),
}

/// Whom the terminal's keys reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminal {
    /// The outer process only, which passes an interrupt on as a polite request to stop. All
    /// others are in a session without a terminal, and their standard input is empty; what they
    /// print may still go to one.
    Outer,
    /// The runner and what it starts: for commands that a person types into. Hosts have none.
    Shared,
}

/// Enters the sandbox. Call it before any thread is started.
///
/// # Errors
/// Returns an error where the namespaces can't be made, and where nobody inside lived to say how it ended.
pub fn enter(terminal: Terminal) -> Result<Entered, LabError> {
    enter_with(terminal, OsStr::new(""))
}

/// The same, with a [`note`] to those inside.
///
/// # Errors
/// As [`enter`].
pub fn enter_with(terminal: Terminal, note: &OsStr) -> Result<Entered, LabError> {
    let part = env::var(PART).unwrap_or_default();
    if is_inside() {
        return Ok(Entered::Inside);
    }
    if let Some((lifeline, ready)) = init_part(&part) {
        return be_init(lifeline, ready).map(Entered::Left);
    }
    be_outer(terminal, note).map(Entered::Left)
}

/// Whether this process is the runner inside the sandbox.
#[must_use]
pub fn is_inside() -> bool {
    env::var_os(PART).is_some_and(|part| part == "runner") && getppid() == Pid::from_raw(1)
}

/// Whether this process is the outer one, or will be when it enters the sandbox: neither its init
/// nor the runner.
#[must_use]
pub fn is_outside() -> bool {
    let part = env::var(PART).unwrap_or_default();
    let is_init = part.starts_with(INIT) && getpid() == Pid::from_raw(1);
    !is_init && !is_inside()
}

/// What the outer process noted for those inside, if anything.
#[must_use]
pub fn note() -> Option<OsString> {
    let note = env::var_os(NOTE).filter(|_| !is_outside());
    note.filter(|note| !note.is_empty())
}

/// How the outer process was called, inside the sandbox.
#[must_use]
pub fn called_as() -> Option<OsString> {
    env::var_os(CALLED).filter(|_| is_inside())
}

/// Waits until the person or the machine asks the command to stop. The second request kills it.
///
/// # Errors
/// Returns the error where the signal can't be caught.
pub async fn stop_requested() -> io::Result<()> {
    Stop::listen()?.asked().await;
    Ok(())
}

/// A place for files that goes away with the sandbox, under a short path: sockets have short names.
///
/// # Errors
/// Returns an error where it can't be mounted.
pub fn scratch() -> Result<PathBuf, LabError> {
    let shared_memory = PathBuf::from("/dev/shm");
    mounts::mount_scratch(&shared_memory)?;
    Ok(shared_memory)
}

fn init_part(part: &str) -> Option<(OwnedFd, OwnedFd)> {
    let (lifeline, ready) = part.strip_prefix(INIT)?.split_once(':')?;
    if getpid() != Pid::from_raw(1) {
        return None;
    }
    Some((inherited(lifeline)?, inherited(ready)?))
}

fn inherited(number: &str) -> Option<OwnedFd> {
    let number: RawFd = number.parse().ok()?;
    set_inherit(number, FdFlag::FD_CLOEXEC).ok()?;
    // SAFETY: the outer process opened it for us, nobody else here knows it, and it is open.
    Some(unsafe { OwnedFd::from_raw_fd(number) })
}

fn set_inherit(fd: RawFd, flag: FdFlag) -> nix::Result<()> {
    // SAFETY: it is borrowed for this one call, which fails where it isn't open.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    fcntl(fd, FcntlArg::F_SETFD(flag)).map(drop)
}

fn be_outer(terminal: Terminal, note: &OsStr) -> Result<u8, LabError> {
    let (lifeline_end, lifeline) = pipe()?;
    let (ready, ready_end) = pipe()?;
    let signals = signals();
    let before = signals
        .thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_BLOCK)
        .map_err(LabError::system("block signals"))?;
    let child = spawn(&lifeline_end, &ready_end, terminal, note);
    drop((lifeline_end, ready_end));
    let status = child.and_then(|child| outlive(child, File::from(lifeline), &signals, terminal));
    before
        .thread_set_mask()
        .map_err(LabError::system("unblock signals"))?;
    conclude(status?, File::from(ready))
}

fn pipe() -> Result<(OwnedFd, OwnedFd), LabError> {
    pipe2(OFlag::O_CLOEXEC).map_err(LabError::system("make a pipe"))
}

fn signals() -> SigSet {
    requests().into_iter().chain([Signal::SIGCHLD]).collect()
}

fn spawn(
    lifeline: &OwnedFd,
    ready: &OwnedFd,
    terminal: Terminal,
    note: &OsStr,
) -> Result<Child, LabError> {
    let program = env::current_exe().map_err(LabError::system("find this program"))?;
    let ends = [lifeline.as_raw_fd(), ready.as_raw_fd()];
    let outer = getpid();
    let mut command = privilege::unshare();
    match terminal {
        Terminal::Outer => {
            command.stdin(Stdio::null());
        }
        Terminal::Shared => {}
    }
    command
        .args([
            "--mount",
            "--net",
            "--pid",
            "--fork",
            "--kill-child=SIGKILL",
            "--mount-proc",
            "--",
        ])
        .arg(program)
        .args(env::args_os().skip(1))
        .env(PART, format!("{INIT}{}:{}", ends[0], ends[1]))
        .env(NOTE, note)
        .env(CALLED, env::args_os().next().unwrap_or_default());
    // SAFETY: only system calls that are safe between fork and exec.
    unsafe { command.pre_exec(move || bind_to(outer, ends, terminal)) };
    command.spawn().map_err(|source| LabError::Program {
        program: "unshare".to_owned(),
        package: "util-linux",
        source,
    })
}

fn bind_to(outer: Pid, ends: [RawFd; 2], terminal: Terminal) -> io::Result<()> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    SigSet::empty().thread_set_mask()?;
    if getppid() != outer {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    if terminal == Terminal::Outer {
        setsid()?;
    }
    for end in ends {
        set_inherit(end, FdFlag::empty())?;
    }
    Ok(())
}

/// Waits for the child, and passes requests to stop on to it.
fn outlive(
    mut child: Child,
    mut lifeline: File,
    signals: &SigSet,
    terminal: Terminal,
) -> Result<ExitStatus, LabError> {
    let mut asked = false;
    loop {
        if let Some(status) = child
            .try_wait()
            .map_err(LabError::system("wait for the sandbox"))?
        {
            return Ok(status);
        }
        let signal = signals
            .wait()
            .map_err(LabError::system("wait for signals"))?;
        if signal == Signal::SIGCHLD || (signal == Signal::SIGINT && terminal == Terminal::Shared) {
            continue;
        }
        if asked {
            child.kill().map_err(LabError::system("kill the sandbox"))?;
            let killed = child
                .wait()
                .map_err(LabError::system("wait for the sandbox"))?;
            return if killed.success() {
                Ok(killed)
            } else {
                Err(LabError::StoppedAtOnce)
            };
        }
        asked = true;
        // A lifeline without a reader means that the child is about to end.
        drop(lifeline.write_all(b"s"));
    }
}

fn conclude(status: ExitStatus, mut ready: File) -> Result<u8, LabError> {
    let mut said = Vec::new();
    ready
        .read_to_end(&mut said)
        .map_err(LabError::system("hear from the sandbox"))?;
    match said[..] {
        [READY, ENDED, code] => Ok(code),
        [READY, STOPPED, _] => Err(LabError::Stopped),
        [] | [READY, NOT_STARTED] => Err(LabError::Sandbox(status)),
        [_] => Err(LabError::Killed("its first process")),
        [..] => Err(LabError::Killed("the runner")),
    }
}

fn be_init(lifeline: OwnedFd, ready: OwnedFd) -> Result<u8, LabError> {
    let watch = init::Watch::begin(lifeline)?;
    net::loopback_up()?;
    let program = env::current_exe().map_err(LabError::system("find this program"))?;
    let mut command = Command::new(program);
    command.args(env::args_os().skip(1)).env(PART, "runner");
    let mut ready = File::from(ready);
    let mut report = |bytes: &[u8]| {
        let written = ready.write_all(bytes);
        written.map_err(LabError::system("report to the outer process"))
    };
    report(&[READY])?;
    let runner = init::unblock_signals(&mut command)
        .spawn()
        .inspect_err(|_| drop(report(&[NOT_STARTED])))
        .map_err(LabError::system("start the runner"))?;
    let pid = init::pid_of(&runner);
    let asked = Cell::new(false);
    let end = watch.until_exit(pid, || {
        asked.set(true);
        kill(pid, Signal::SIGTERM).unwrap_or(());
    })?;
    let code = init::exit_code(end);
    let how = match end.signal() {
        None => ENDED,
        // One that listens does not die of it.
        Some(signal) if asked.get() && signal == Signal::SIGTERM as i32 => STOPPED,
        Some(_) => KILLED,
    };
    // Where the outer process is gone, there is nobody to tell.
    let _untold = report(&[how, code]);
    Ok(code)
}
