//! Inside a host: its own root file system and settings, and its daemon under our own first
//! process.
//!
//! ```text
//!  Lab ──spec, lifeline (stdin)──▶ supervisor ──fork──▶ PID 1 of the host ──▶ libvirtd
//! ```
//!
//! The supervisor makes the namespaces, says which process is the host's first, and waits for it. Both
//! are this program, so that a release's root needs nothing of ours.

use std::{
    fs::OpenOptions,
    io::{self, BufRead, Write},
    os::{fd::AsFd, unix::process::ExitStatusExt},
    path::PathBuf,
    process::{Command, ExitCode, ExitStatus, Stdio},
};

use migratrix_matrix::HostSetup;
use nix::{
    sched::{CloneFlags, unshare},
    sys::{prctl, signal::Signal, wait::waitpid},
    unistd::{ForkResult, Pid, fork, sethostname, setsid},
};

use crate::{
    LabError,
    hosts::{
        mounts, net,
        request::{Request, Requests},
        settings,
        spec::{LOGS, Spec},
    },
    init,
    releases::{jail, probe::LIBVIRTD, unpack},
};

/// The hidden command by which the lab starts this program again as a host's supervisor. Its arguments
/// are the host's name and the folder of its logs, for people and for [`crate::running_hosts`].
pub const COMMAND: &str = "lab-host";

/// Where a host's programs are.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Runs this process as a host's supervisor, or as another part of the lab that is this program started
/// again, if its arguments say so, and gives the code to exit with. Call it first in `main`, before
/// any thread is started.
#[must_use]
pub fn dispatch() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let command = arguments.next()?;
    let done = match command.to_str()? {
        COMMAND => keep(),
        jail::COMMAND => jail::dispatch(arguments),
        unpack::COMMAND => Ok(unpack::dispatch(arguments)),
        _ => return None,
    };
    let code = done.unwrap_or_else(|error| {
        tell(&error);
        1
    });
    Some(ExitCode::from(code))
}

fn keep() -> Result<u8, LabError> {
    // A host has no terminal, even where the runner shares one.
    setsid().map_err(LabError::system("leave the terminal"))?;
    let spaces = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC;
    unshare(spaces).map_err(LabError::system("make the host's namespaces"))?;
    // SAFETY: the process has one thread.
    match unsafe { fork() }.map_err(LabError::system("fork"))? {
        ForkResult::Parent { child } => {
            // Where nobody reads it any more, the lifeline has ended as well.
            let _unread = writeln!(io::stdout(), "{child}");
            let status = waitpid(child, None).map_err(LabError::system("wait for the host"))?;
            Ok(init::end(status).map_or(u8::MAX, init::exit_code))
        }
        ForkResult::Child => be_first(),
    }
}

fn be_first() -> Result<u8, LabError> {
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(LabError::system("bind to the supervisor"))?;
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(LabError::system("read the host's spec"))?;
    if line.is_empty() {
        return Ok(0);
    }
    let spec: Spec = serde_json::from_str(&line).map_err(|error| LabError::System {
        what: format!("read the spec `{line}`"),
        source: error.into(),
    })?;
    let lifeline = io::stdin().as_fd().try_clone_to_owned();
    let watch = init::Watch::begin(lifeline.map_err(LabError::system("keep the lifeline"))?)?;
    prepare(&spec)?;
    let daemon = init::pid_of(&start_daemon()?);
    let end = match spec.setup {
        HostSetup::AsShipped | HostSetup::Quick => watch.until_exit(daemon, || ())?,
        HostSetup::Resilient => outlive(daemon, watch)?,
    };
    Ok(init::exit_code(end))
}

/// The daemon of a host that outlives it.
struct Daemon {
    /// Its process; `None` where it has ended.
    runs: Option<Pid>,
    /// Whether it is to be started when it has ended.
    is_wanted: bool,
}

impl Daemon {
    fn start(&mut self) -> Result<(), LabError> {
        self.runs = Some(init::pid_of(&start_daemon()?));
        self.is_wanted = false;
        Ok(())
    }
}

/// Keeps the host whether its daemon runs or not, and does what is asked for, until the lifeline ends.
fn outlive(daemon: Pid, mut watch: init::Watch) -> Result<ExitStatus, LabError> {
    let mut daemon = Daemon {
        runs: Some(daemon),
        is_wanted: false,
    };
    let mut requests = Requests::default();
    loop {
        match watch.news(daemon.runs)? {
            init::News::Ended(status) => {
                daemon.runs = None;
                say(&format!("the daemon has ended with {status}"));
                if daemon.is_wanted {
                    daemon.start()?;
                }
            }
            init::News::Closed => return Ok(ExitStatus::from_raw(init::CUT_OFF as i32)),
            init::News::Said(bytes) => {
                for request in requests.of(&bytes) {
                    // Whoever asked sees that it is not done, and finds why in the host's log.
                    obey(request, &mut daemon).unwrap_or_else(|error| tell(&error));
                }
            }
        }
    }
}

fn obey(request: Result<Request, serde_json::Error>, daemon: &mut Daemon) -> Result<(), LabError> {
    let unread = |error: serde_json::Error| LabError::System {
        what: "read a request".to_owned(),
        source: error.into(),
    };
    match request.map_err(unread)? {
        // Who asks has seen it end: it is about to be reaped.
        Request::StartDaemon if daemon.runs.is_some() => daemon.is_wanted = true,
        Request::StartDaemon => daemon.start()?,
        Request::Fill(folder) => mounts::fill(&folder)?,
        Request::Empty(folder) => mounts::empty(&folder)?,
    }
    Ok(())
}

fn prepare(spec: &Spec) -> Result<(), LabError> {
    sethostname(&spec.hostname).map_err(LabError::system("set the host's name"))?;
    net::configure_host(spec.address)?;
    mounts::enter_root(spec)?;
    settings::write(&spec.hostname, spec.setup, spec.libvirt)
}

fn start_daemon() -> Result<std::process::Child, LabError> {
    let log = PathBuf::from(LOGS).join("libvirtd.log");
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&log)
        .map_err(LabError::file("write", log))?;
    let copy = log.try_clone().map_err(LabError::system("share the log"))?;
    let mut command = Command::new(LIBVIRTD);
    command
        .arg("--listen")
        .env_clear()
        .envs([("PATH", PATH), ("HOME", "/root"), ("LC_ALL", "C.UTF-8")])
        .stdin(Stdio::null())
        .stdout(copy)
        .stderr(log);
    let daemon = init::unblock_signals(&mut command).spawn();
    daemon.map_err(LabError::system(format!("start {LIBVIRTD}")))
}

/// Says something where the lab finds it: in the host's log.
fn say(what: &str) {
    drop(writeln!(io::stderr(), "{what}"));
}

/// Says what is wrong.
fn tell(error: &dyn std::error::Error) {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    say(&text);
}
