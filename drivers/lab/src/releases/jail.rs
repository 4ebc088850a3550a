//! A program of a release's root, asked one thing where it can do no harm.
//!
//! ```text
//!  the one who asks ─▶ this program again ──fork──▶ PID 1: the root's program
//!    deadline           namespaces                   no rights, no network, no file of the machine
//! ```
//!
//! Nobody knows what is in a root that someone packed: its loader may be a script. So whatever comes
//! out of a root runs in PID, mount, network, IPC and (unless we are root, who becomes nobody
//! instead) user namespaces of its own. It sees its root, through an overlay that is kept in memory
//! and thrown away; it has no rights, can't get any, and ends at a deadline, or when we do.

use std::{
    ffi::{CString, OsString},
    fs::{self, File},
    io::{self, Read, Seek},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStringExt,
        unix::process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

use migratrix_matrix::Shown;
use nix::{
    mount::{MsFlags, mount},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sched::{CloneFlags, unshare},
    sys::{
        memfd::{MFdFlags, memfd_create},
        prctl,
        resource::{Resource, setrlimit},
        signal::Signal,
        wait::waitpid,
    },
    unistd::{
        ForkResult, Gid, Uid, execve, fork, getegid, geteuid, getpid, getppid, setgroups,
        setresgid, setresuid, setsid,
    },
};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tracing::debug;

use crate::{LabError, hosts::mounts, init, privilege, privilege::Privilege, process};

/// The hidden command by which the lab starts this program again to be the jail. Its arguments are
/// the root, the program and the program's own arguments.
pub(crate) const COMMAND: &str = "lab-ask";

/// How long a program may take for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How much a program may write, in bytes.
const ANSWER_MAX: u64 = 1 << 20;

/// How much memory it may take, in bytes.
const MEMORY: u64 = 4 << 30;

/// Who a program is in its jail: nobody.
const NOBODY: u32 = 65534;

/// The environment of a program.
const ENVIRONMENT: [&str; 3] = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "LC_ALL=C"];

/// What the program `program` of the system in `root` says when run with `arguments`.
pub(crate) fn ask(root: &Path, program: &str, arguments: &[&str]) -> Result<String, LabError> {
    debug!(
        "asks {program} of {}: {}",
        root.shown(),
        arguments.join(" ")
    );
    let mut command = Command::new("/proc/self/exe");
    command
        .arg(COMMAND)
        .arg(root)
        .arg(program)
        .args(arguments)
        .env_clear();
    let [mut said, mut complained] = [paper()?, paper()?];
    command
        .stdin(Stdio::null())
        .stdout(copy(&said)?)
        .stderr(copy(&complained)?);
    let child = start(&mut command);
    let child = child.map_err(LabError::system(format!(
        "run {program} of {}",
        root.shown()
    )))?;
    let Some(status) = ends_within(child, PATIENCE)? else {
        return Err(LabError::Silent {
            program: program.to_owned(),
            root: root.to_owned(),
            seconds: PATIENCE.as_secs(),
        });
    };
    let output = Output {
        status,
        stdout: read(&mut said)?,
        stderr: read(&mut complained)?,
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = match process::tail(&said) {
            "" => "and said nothing".to_owned(),
            said => format!("and said: {said}"),
        };
        return Err(LabError::Answer {
            program: [&[program], arguments].concat().join(" "),
            root: root.to_owned(),
            status: output.status,
            said,
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Starts a process that dies with this one, in a session without a terminal.
fn start(command: &mut Command) -> io::Result<Child> {
    let parent = getpid();
    let bind = move || {
        prctl::set_pdeathsig(Signal::SIGKILL)?;
        if getppid() != parent {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        setsid()?;
        Ok(())
    };
    // SAFETY: only system calls that are safe between fork and exec.
    unsafe { command.pre_exec(bind) }.spawn()
}

/// A file without a name, for what a program writes.
fn paper() -> Result<File, LabError> {
    let made = memfd_create(c"migratrix", MFdFlags::MFD_CLOEXEC);
    made.map(File::from)
        .map_err(LabError::system("make a file in memory"))
}

fn copy(file: &File) -> Result<File, LabError> {
    file.try_clone()
        .map_err(LabError::system("share a file in memory"))
}

fn read(file: &mut File) -> Result<Vec<u8>, LabError> {
    let mut text = Vec::new();
    file.rewind()
        .and_then(|()| file.take(ANSWER_MAX).read_to_end(&mut text))
        .map_err(LabError::system("read a file in memory"))?;
    Ok(text)
}

/// How the child ended; `None` where it took too long and was killed.
fn ends_within(mut child: Child, patience: Duration) -> Result<Option<ExitStatus>, LabError> {
    let ended = await_end(&child, patience);
    if !matches!(ended, Ok(true)) {
        drop(child.kill());
    }
    let status = child.wait().map_err(LabError::system("wait for a jail"));
    Ok(if ended? { Some(status?) } else { None })
}

fn await_end(child: &Child, patience: Duration) -> Result<bool, LabError> {
    has_ended(handle_of(init::pid_of(child))?.as_fd(), patience)
}

/// A handle of the process, which stays its own in other namespaces, and when its number is another's.
fn handle_of(process: nix::unistd::Pid) -> Result<OwnedFd, LabError> {
    let pid = Pid::from_raw(process.as_raw()).expect("a process has a number");
    let handle = pidfd_open(pid, PidfdFlags::empty()).map_err(io::Error::from);
    handle.map_err(LabError::system("wait for a jail"))
}

/// Whether the process of this handle ends within this time.
fn has_ended(process: BorrowedFd<'_>, patience: Duration) -> Result<bool, LabError> {
    let deadline = Instant::now() + patience;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut it = [PollFd::new(process, PollFlags::POLLIN)];
        match poll(&mut it, left) {
            Ok(ready) => return Ok(ready > 0),
            Err(nix::Error::EINTR) => {}
            Err(error) => return Err(LabError::system("wait for a jail")(error)),
        }
    }
}

/// Carries out [`COMMAND`], and gives the code to exit with.
pub(crate) fn dispatch(arguments: impl Iterator<Item = OsString>) -> Result<u8, LabError> {
    let mut arguments = arguments.map(OsString::into_vec);
    let root = PathBuf::from(OsString::from_vec(arguments.next().unwrap_or_default()));
    let words: Result<Vec<_>, _> = arguments.map(CString::new).collect();
    let words = words.map_err(LabError::system("take an argument"))?;
    enter_namespaces()?;
    let jail = handle_of(getpid())?;
    // SAFETY: the process has one thread.
    match unsafe { fork() }.map_err(LabError::system("fork"))? {
        ForkResult::Parent { child } => {
            let status = waitpid(child, None).map_err(LabError::system("wait for a program"))?;
            Ok(init::end(status).map_or(u8::MAX, init::exit_code))
        }
        ForkResult::Child => become_program(&root, &words, jail.as_fd()),
    }
}

fn become_program(root: &Path, words: &[CString], jail: BorrowedFd<'_>) -> Result<u8, LabError> {
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(LabError::system("bind to the jail"))?;
    mounts::enter_jail(root)?;
    give_up_rights()?;
    demand_alive(jail)?;
    let environment = ENVIRONMENT.map(|it| CString::new(it).expect("it has no null"));
    let Some(program) = words.first() else {
        return Ok(u8::MAX);
    };
    let Err(error) = execve(program, words, &environment);
    Err(LabError::system(format!(
        "run {}",
        program.to_string_lossy()
    ))(error))
}

/// Sees to it that the process of this handle has not ended: it may have before this one was bound to it, and
/// nobody would end this one then. It is in no namespace of this one, which can't ask for its parent's number.
fn demand_alive(jail: BorrowedFd<'_>) -> Result<(), LabError> {
    if has_ended(jail, Duration::ZERO)? {
        let gone = io::Error::from(io::ErrorKind::BrokenPipe);
        return Err(LabError::system("bind to the jail")(gone));
    }
    Ok(())
}

fn enter_namespaces() -> Result<(), LabError> {
    let own = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC;
    let failed = || LabError::system::<nix::Error>("make a jail's namespaces");
    match privilege::current() {
        Privilege::Held => unshare(own).map_err(failed())?,
        Privilege::UserNamespace => {
            let (user, group) = (geteuid(), getegid());
            unshare(own | CloneFlags::CLONE_NEWUSER).map_err(failed())?;
            map("setgroups", "deny")?;
            map("uid_map", &format!("{NOBODY} {user} 1"))?;
            map("gid_map", &format!("{NOBODY} {group} 1"))?;
        }
    }
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .map_err(LabError::system("make mounts private"))
}

fn map(file: &str, text: &str) -> Result<(), LabError> {
    let path = Path::new("/proc/self").join(file);
    fs::write(&path, text).map_err(LabError::file("write", path))
}

/// Becomes nobody, who can't become anybody else.
fn give_up_rights() -> Result<(), LabError> {
    let failed = || LabError::system::<nix::Error>("give up all rights");
    if geteuid().as_raw() != NOBODY {
        let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
        setgroups(&[]).map_err(failed())?;
        setresgid(group, group, group).map_err(failed())?;
        setresuid(user, user, user).map_err(failed())?;
    }
    let seconds = PATIENCE.as_secs();
    for (resource, most) in [
        (Resource::RLIMIT_FSIZE, ANSWER_MAX),
        (Resource::RLIMIT_CPU, seconds),
        (Resource::RLIMIT_AS, MEMORY),
        (Resource::RLIMIT_CORE, 0),
    ] {
        setrlimit(resource, most, most).map_err(failed())?;
    }
    prctl::set_no_new_privs().map_err(failed())?;
    // It was forgotten when the user changed.
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(failed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_started_by_a_jail_that_has_ended_does_not_begin() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let jail = handle_of(init::pid_of(&child)).unwrap();
        demand_alive(jail.as_fd()).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        demand_alive(jail.as_fd()).unwrap_err();
    }

    #[test]
    fn a_program_that_does_not_end_is_killed_at_its_deadline() {
        let child = Command::new("sleep").arg("600").spawn().unwrap();
        let pid = child.id();
        let ended = ends_within(child, Duration::from_millis(20)).unwrap();
        assert_eq!(ended, None);
        assert!(!Path::new("/proc").join(pid.to_string()).exists());
        let child = Command::new("true").spawn().unwrap();
        assert!(ends_within(child, PATIENCE).unwrap().unwrap().success());
    }
}
