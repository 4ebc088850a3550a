//! Starting a QEMU, and noticing its end.
//!
//! The two protocols run over socket pairs that QEMU inherits: there is no path, no port and no
//! moment at which one would have to try again. `-chardev socket,fd=N` with `-qmp chardev:ID` works in all of
//! 5.2 to 11.1. `-qtest chardev:ID` makes 7.2 abort, but `-qtest unix:fd=N` works in all of them.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, IoSlice},
    os::{
        fd::{AsRawFd, BorrowedFd, OwnedFd},
        unix::net,
    },
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use nix::{
    fcntl::{FcntlArg, FdFlag, fcntl},
    sys::{
        prctl,
        signal::{Signal, killpg},
        socket::{ControlMessage, MsgFlags, sendmsg},
    },
    unistd::{Pid, getpid, getppid},
};
use serde_json::{Value, json};
use tokio::{
    net::UnixStream,
    process::{Child, Command},
    time::{interval, timeout_at},
};

use crate::{
    Answer, Binary, Deadline, Ending, QemuError, Qmp, Qtest,
    account::{Account, Life, command_line},
    garble::Garbling,
    stderr::Stderr,
};

/// How long a QEMU that closed its connection has to end, and its last words to come.
const GRACE: Duration = Duration::from_secs(10);

/// How often what a wrapper has left is looked at, once it is killed.
const LOOK_EVERY: Duration = Duration::from_millis(2);

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

/// A QEMU that runs. It is killed when this is dropped, or the thread that started it ends.
#[derive(Debug)]
pub struct Qemu {
    qmp: Qmp,
    qtest: Option<Qtest<UnixStream>>,
    process: Process,
    /// A second hold of our end of QMP's socket, for what can't be sent as bytes.
    parcel: net::UnixStream,
    garbling: Garbling,
}

/// A QEMU that was started, and has not answered yet. It is killed when this is dropped.
#[derive(Debug)]
pub struct Starting {
    qmp: UnixStream,
    qtest: Option<UnixStream>,
    process: Process,
    parcel: net::UnixStream,
}

/// What was started: a QEMU, or a wrapper that has one as its child. It leads a process group, so that
/// both are killed together.
#[derive(Debug)]
struct Process {
    child: Child,
    /// `None` once the child has ended: then the number may be another's.
    group: Option<Pid>,
    /// Whether it was us who ended it. What one that ends by itself leaves is for others to see.
    killed: bool,
    life: Arc<Life>,
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
    pub(crate) fn kept_in(mut self, account: &Account) -> Self {
        self.account = account.clone();
        self
    }

    /// Starts it, and waits until it takes commands.
    ///
    /// It dies with the *thread* that calls this: call it from one that lives as long as the run.
    ///
    /// # Errors
    /// Returns an error where it can't be started, ends, or doesn't speak QMP by the deadline.
    ///
    /// # Panics
    /// Panics outside a Tokio runtime.
    pub async fn start(&self, deadline: impl Into<Deadline>) -> Result<Qemu, QemuError> {
        self.begin()?.answers(deadline).await
    }

    /// Starts it, and does not wait: it may answer only once something else has happened.
    ///
    /// # Errors
    /// Returns an error where it can't be started.
    ///
    /// # Panics
    /// Panics outside a Tokio runtime.
    pub fn begin(&self) -> Result<Starting, QemuError> {
        let (qmp, qmp_theirs, parcel) = parcel_pair()?;
        let (qtest, qtest_theirs) = match self.protocols {
            Protocols::Qmp => None,
            Protocols::QmpAndQtest => Some(pair()?),
        }
        .unzip();
        let process = self.spawn(qmp_theirs, qtest_theirs)?;
        Ok(Starting {
            qmp,
            qtest,
            process,
            parcel,
        })
    }

    /// The words of the command, with sockets at these paths in place of inherited ones.
    pub(crate) fn words_with_sockets(&self, qmp: &str, qtest: &str) -> Vec<String> {
        let chardev = format!("socket,id=migratrix-qmp,path={qmp},server=on,wait=off");
        let qtest = format!("unix:{qtest},server=on,wait=off");
        let own = self.binary.words.iter().chain(&self.arguments);
        let sockets = ["-chardev", &chardev, "-qmp", "chardev:migratrix-qmp"];
        let qtest = ["-qtest", &qtest, "-qtest-log", "none"];
        own.map(|word| word.to_string_lossy().into_owned())
            .chain(sockets.into_iter().chain(qtest).map(str::to_owned))
            .collect()
    }

    fn spawn(&self, qmp: OwnedFd, qtest: Option<OwnedFd>) -> Result<Process, QemuError> {
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
        let mut child = command.spawn().map_err(start)?;
        let stderr = Stderr::new(child.stderr.take().expect("it was piped"));
        let life = Arc::new(Life::new(self.told(&words), stderr));
        self.account.add(Arc::clone(&life));
        Ok(Process {
            group: child.id().and_then(group),
            child,
            killed: false,
            life,
        })
    }

    /// The command for people, with what it has of its own in its environment.
    fn told(&self, words: &[OsString]) -> String {
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
            _ = process.wait() => Err(QemuError::Broken {
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

impl Qemu {
    /// What it has become: it has replaced itself by another program in the same process, which
    /// listens at these sockets.
    pub(crate) async fn replaced(
        self,
        qmp: &Path,
        qtest: &Path,
        deadline: impl Into<Deadline>,
    ) -> Result<Self, QemuError> {
        let (qmp, parcel) = net::UnixStream::connect(qmp)
            .and_then(with_parcel)
            .map_err(QemuError::file("connect to", qmp))?;
        let connected = UnixStream::connect(qtest).await;
        let qtest = connected.map_err(QemuError::file("connect to", qtest))?;
        let starting = Starting {
            qmp,
            qtest: Some(qtest),
            process: self.process,
            parcel,
        };
        starting.answers(deadline).await
    }

    /// Its QMP connection.
    #[must_use]
    pub const fn qmp(&self) -> &Qmp {
        &self.qmp
    }

    /// Its qtest connection, if it was started with one.
    pub const fn qtest(&mut self) -> Option<&mut Qtest<UnixStream>> {
        self.qtest.as_mut()
    }

    /// Hands it an open file, which the next `getfd` or `add-fd` takes.
    ///
    /// # Errors
    /// Returns the error where the socket takes nothing.
    pub fn hand_over(&self, file: BorrowedFd<'_>) -> Result<(), QemuError> {
        // White space between two commands means nothing.
        let blank = [IoSlice::new(b"\n")];
        let files = [file.as_raw_fd()];
        let rights = [ControlMessage::ScmRights(&files)];
        let socket = self.parcel.as_raw_fd();
        sendmsg::<()>(socket, &blank, &rights, MsgFlags::empty(), None)
            .map(drop)
            .map_err(QemuError::system("hand a file over to QEMU"))
    }

    /// Has all that it says from now on garbled on its way to us.
    pub fn garble(&self) {
        self.garbling.begin();
    }

    /// Its process id; `None` once it has ended.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.child.id()
    }

    /// How it has ended; `None` while it runs.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        let status = self.process.try_wait()?;
        self.process.life.note_end(status);
        Some(status)
    }

    /// The end of what it wrote to its standard error.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.process.life.stderr.tail()
    }

    /// Sends a command and waits for its answer, as [`Qmp::execute`]; where QEMU has ended, the error says how.
    ///
    /// # Errors
    /// Returns an error where no answer comes. A refusal is an answer.
    pub async fn execute(
        &mut self,
        command: &str,
        arguments: Value,
        deadline: impl Into<Deadline>,
    ) -> Result<Answer, QemuError> {
        match self.qmp.execute(command, arguments, deadline).await {
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.explain(error).await),
        }
    }

    /// An error of a connection of this QEMU, with QEMU's end and its last words where that is why.
    pub async fn explain(&mut self, error: QemuError) -> QemuError {
        self.process.explain(error).await
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// Returns an error where it has not by the deadline.
    pub async fn ended(&mut self, deadline: impl Into<Deadline>) -> Result<ExitStatus, QemuError> {
        let deadline = deadline.into();
        let status = timeout_at(deadline.at(), self.process.wait())
            .await
            .map_err(|_| QemuError::Silent {
                awaited: "QEMU's end".to_owned(),
                deadline,
            })?
            .map_err(QemuError::system("wait for QEMU"))?;
        self.process.life.note_end(status);
        Ok(status)
    }

    /// Asks it to end, and waits for that; kills it at the deadline.
    ///
    /// # Errors
    /// Returns an error where it had to be killed.
    pub async fn quit(mut self, deadline: impl Into<Deadline>) -> Result<ExitStatus, QemuError> {
        let deadline = deadline.into();
        // The answer may be lost in the end that it announces; the end is what counts.
        drop(self.qmp.execute("quit", json!({}), deadline).await);
        let ended = self.ended(deadline).await;
        if ended.is_err() {
            self.kill().await?;
        }
        ended
    }

    /// Kills it with `SIGKILL`, and does not wait.
    ///
    /// # Errors
    /// Returns the error where it can't be killed.
    pub fn start_kill(&mut self) -> Result<(), QemuError> {
        self.about_to_kill();
        let killed = self.process.start_kill();
        killed.map_err(QemuError::system("kill QEMU"))
    }

    /// Kills it with `SIGKILL`, and waits until it is gone.
    ///
    /// # Errors
    /// Returns the error where it can't be killed.
    pub async fn kill(&mut self) -> Result<(), QemuError> {
        self.start_kill()?;
        let gone = self.process.wait().await;
        gone.map(drop).map_err(QemuError::system("kill QEMU"))
    }
}

impl Qemu {
    /// Notes that we end it, unless it has ended by itself.
    fn about_to_kill(&mut self) {
        if self.has_ended().is_none() {
            self.process.life.note_end("we killed it");
        }
    }
}

impl Process {
    /// Waits until it has ended; where we killed it, all of its group with it.
    async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        let group = self.group.take();
        if let Some(group) = group.filter(|_| self.killed) {
            drop(timeout_at(Deadline::after(GRACE).at(), emptied(group)).await);
        }
        Ok(status)
    }

    /// How it has ended, if it has.
    fn try_wait(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().ok().flatten()?;
        self.group = None;
        Some(status)
    }

    /// Kills it, with what it has started: a wrapper's QEMU would outlive the wrapper.
    fn start_kill(&mut self) -> io::Result<()> {
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

    async fn explain(&mut self, error: QemuError) -> QemuError {
        let QemuError::Broken { awaited, ending } = error else {
            return error;
        };
        match tokio::time::timeout(GRACE, self.wait()).await {
            Ok(Ok(status)) => {
                self.life.note_end(status);
                QemuError::Died {
                    awaited,
                    status,
                    stderr: self.life.stderr.rest(GRACE).await,
                }
            }
            Ok(Err(_)) | Err(_) => QemuError::Broken { awaited, ending },
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill_group();
    }
}

/// The process group of a child that leads one.
fn group(child: u32) -> Option<Pid> {
    i32::try_from(child).ok().map(Pid::from_raw)
}

/// Kills a process group until it has no member: one may have been starting another. Nobody tells of
/// the end of a child's child.
async fn emptied(group: Pid) {
    let mut tick = interval(LOOK_EVERY);
    while killpg(group, Signal::SIGKILL).is_ok() {
        tick.tick().await;
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
