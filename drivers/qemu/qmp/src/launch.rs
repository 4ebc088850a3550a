//! Starting a QEMU.
//!
//! The two protocols run over socket pairs that QEMU inherits: there is no path, no port and no
//! moment at which one would have to try again. `-chardev socket,fd=N` with `-qmp chardev:ID` works in all of
//! 5.2 to 11.1. `-qtest chardev:ID` makes 7.2 abort, but `-qtest unix:fd=N` works in all of them.

pub(crate) mod account;
pub(crate) mod binary;
mod garble;
mod process;
pub(crate) mod running;
mod starter;
mod stderr;

use std::{
    ffi::OsString,
    fs::File,
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::net,
    },
    path::PathBuf,
    process::Stdio,
    sync::Arc,
};

use nix::{
    fcntl::{FcntlArg, FdFlag, fcntl},
    sys::{prctl, signal::Signal},
    unistd::{Pid, getpid, getppid},
};
use tokio::{net::UnixStream, process::Command};

use crate::{Binary, Deadline, Ending, QemuError, Qmp, Qtest};
use account::{Account, Life, command_line};
use garble::Garbling;
use process::Process;
use running::Qemu;
use stderr::Stderr;

/// How a QEMU is to be started.
#[derive(Clone, Debug)]
pub struct Launch {
    binary: Binary,
    arguments: Vec<OsString>,
    protocols: Protocols,
    stdout: Option<PathBuf>,
    account: Account,
}

/// What QEMU is to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocols {
    Qmp,
    QmpAndQtest,
}

/// A QEMU that was started, and has not answered yet. It is killed when this is dropped.
#[derive(Debug)]
pub struct Starting {
    qmp: UnixStream,
    qtest: Option<UnixStream>,
    process: Process,
    parcel: net::UnixStream,
}

impl Launch {
    /// A QEMU with QMP and no more arguments than that takes.
    #[must_use]
    pub fn new(binary: Binary) -> Self {
        Self {
            binary,
            arguments: Vec::new(),
            protocols: Protocols::Qmp,
            stdout: None,
            account: Account::default(),
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn arguments<I: IntoIterator<Item: Into<OsString>>>(mut self, arguments: I) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Adds a qtest connection.
    #[must_use]
    pub const fn with_qtest(mut self) -> Self {
        self.protocols = Protocols::QmpAndQtest;
        self
    }

    /// Has what it writes to its standard output kept in a file.
    #[must_use]
    pub fn with_stdout(mut self, file: impl Into<PathBuf>) -> Self {
        self.stdout = Some(file.into());
        self
    }

    /// Has what it says, and how it ends, kept in an account that outlives it.
    #[must_use]
    pub fn kept_in(mut self, account: &Account) -> Self {
        self.account = account.clone();
        self
    }

    /// Starts it, and waits until it takes commands.
    ///
    /// It dies with this process.
    ///
    /// # Errors
    /// Returns an error where it can't be started, ends, or doesn't speak QMP by the deadline.
    ///
    /// # Panics
    /// Panics outside a Tokio runtime.
    pub async fn start(&self, deadline: impl Into<Deadline>) -> Result<Qemu, QemuError> {
        self.begin().await?.answers(deadline).await
    }

    /// Starts it, and does not wait: it may answer only once something else has happened.
    ///
    /// # Errors
    /// Returns an error where it can't be started.
    ///
    /// # Panics
    /// Panics outside a Tokio runtime.
    pub async fn begin(&self) -> Result<Starting, QemuError> {
        let (qmp, qmp_theirs, parcel) = parcel_pair()?;
        let (qtest, qtest_theirs) = match self.protocols {
            Protocols::Qmp => None,
            Protocols::QmpAndQtest => Some(pair()?),
        }
        .unzip();
        let process = self.spawn(qmp_theirs, qtest_theirs).await?;
        Ok(Starting {
            qmp,
            qtest,
            process,
            parcel,
        })
    }

    /// The words of the command, with sockets at these paths in place of inherited ones.
    #[must_use]
    pub fn words_with_sockets(&self, qmp: &str, qtest: &str) -> Vec<String> {
        let chardev = format!("socket,id=migratrix-qmp,path={qmp},server=on,wait=off");
        let qtest = format!("unix:{qtest},server=on,wait=off");
        let own = self.binary.words.iter().chain(&self.arguments);
        let sockets = ["-chardev", &chardev, "-qmp", "chardev:migratrix-qmp"];
        let qtest = ["-qtest", &qtest, "-qtest-log", "none"];
        own.map(|word| word.to_string_lossy().into_owned())
            .chain(sockets.into_iter().chain(qtest).map(str::to_owned))
            .collect()
    }

    async fn spawn(&self, qmp: OwnedFd, qtest: Option<OwnedFd>) -> Result<Process, QemuError> {
        let own = self.binary.words.iter().chain(&self.arguments).cloned();
        let sockets = connections(&qmp, qtest.as_ref()).into_iter();
        let words: Vec<OsString> = own.chain(sockets.map(Into::into)).collect();
        let program = words.first().cloned().unwrap_or_default();
        let mut command = Command::new(&program);
        command
            .args(words.iter().skip(1))
            .envs(
                self.binary
                    .environment
                    .iter()
                    .map(|(name, value)| (name, value)),
            )
            .stdin(Stdio::null())
            .stdout(self.stdout()?)
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let parent = getpid();
        // SAFETY: only system calls that are safe between fork and exec.
        unsafe { command.pre_exec(move || prepare(parent, [Some(&qmp), qtest.as_ref()])) };
        let start = |source| QemuError::Start {
            program: program.to_string_lossy().into_owned(),
            source,
        };
        let mut child = starter::spawn(command).await.map_err(start)?;
        let stderr = Stderr::new(child.stderr.take().expect("it was piped"));
        let life = Arc::new(Life::new(self.command_text(&words), stderr));
        self.account.add(Arc::clone(&life));
        Ok(Process::new(child, life))
    }

    /// The command for people, with what it has of its own in its environment.
    fn command_text(&self, words: &[OsString]) -> String {
        let variable = |(name, value): &(OsString, OsString)| {
            let mut variable = name.clone();
            variable.push("=");
            variable.push(value);
            variable
        };
        let variables: Vec<_> = self.binary.environment.iter().map(variable).collect();
        command_line(variables.iter().chain(words).map(OsString::as_os_str))
    }

    fn stdout(&self) -> Result<Stdio, QemuError> {
        let Some(path) = &self.stdout else {
            return Ok(Stdio::null());
        };
        let file = File::create(path).map_err(QemuError::file("create", path))?;
        Ok(file.into())
    }
}

impl Starting {
    /// Waits until it takes commands.
    ///
    /// # Errors
    /// Returns an error where it ends, or doesn't speak QMP by the deadline.
    pub async fn answers(self, deadline: impl Into<Deadline>) -> Result<Qemu, QemuError> {
        let deadline = deadline.into();
        let Self {
            qmp,
            qtest,
            mut process,
            parcel,
        } = self;
        let garbling = Garbling::default();
        let connected = tokio::select! {
            connected = Qmp::connect(garbling.over(qmp), deadline) => connected,
            _ = process.wait() => Err(QemuError::Disconnected {
                awaited: "QEMU's greeting".to_owned(),
                ending: Ending::Closed,
            }),
        };
        match connected {
            Ok(qmp) => Ok(Qemu {
                qmp,
                qtest: qtest.map(Qtest::new),
                process,
                parcel,
                garbling,
            }),
            Err(error) => Err(process.explain(error).await),
        }
    }
}

fn pair() -> Result<(UnixStream, OwnedFd), QemuError> {
    let (ours, theirs) =
        net::UnixStream::pair().map_err(QemuError::system("make a socket pair"))?;
    ours.set_nonblocking(true)
        .and_then(|()| UnixStream::from_std(ours))
        .map(|ours| (ours, theirs.into()))
        .map_err(QemuError::system("prepare a socket"))
}

/// A pair, and a second hold of our end.
fn parcel_pair() -> Result<(UnixStream, OwnedFd, net::UnixStream), QemuError> {
    let (ours, theirs) =
        net::UnixStream::pair().map_err(QemuError::system("make a socket pair"))?;
    let (ours, parcel) = with_parcel(ours).map_err(QemuError::system("prepare a socket"))?;
    Ok((ours, theirs.into(), parcel))
}

/// A socket for Tokio, and a second hold of it.
fn with_parcel(socket: net::UnixStream) -> io::Result<(UnixStream, net::UnixStream)> {
    socket.set_nonblocking(true)?;
    let parcel = socket.try_clone()?;
    Ok((UnixStream::from_std(socket)?, parcel))
}

/// The arguments that hand the sockets to QEMU.
fn connections(qmp: &OwnedFd, qtest: Option<&OwnedFd>) -> Vec<String> {
    let qmp = format!("socket,id=migratrix-qmp,fd={}", qmp.as_raw_fd());
    let qmp = ["-chardev", &qmp, "-qmp", "chardev:migratrix-qmp"].map(str::to_owned);
    let qtest = qtest.map(|qtest| format!("unix:fd={}", qtest.as_raw_fd()));
    // QEMU would write each line of qtest to its standard error.
    let qtest = qtest.map(|qtest| ["-qtest", &qtest, "-qtest-log", "none"].map(str::to_owned));
    qmp.into_iter().chain(qtest.into_iter().flatten()).collect()
}

/// Done in the child: it dies with its parent, and keeps `sockets`.
fn prepare(parent: Pid, sockets: [Option<&OwnedFd>; 2]) -> std::io::Result<()> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    if getppid() != parent {
        return Err(std::io::ErrorKind::BrokenPipe.into());
    }
    for socket in sockets.into_iter().flatten() {
        fcntl(socket, FcntlArg::F_SETFD(FdFlag::empty()))?;
    }
    Ok(())
}
