//! A QEMU that runs, until its end.

use std::{
    io::IoSlice,
    os::{
        fd::{AsRawFd, BorrowedFd},
        unix::net,
    },
    path::Path,
    process::ExitStatus,
};

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use serde_json::{Value, json};
use tokio::net::UnixStream;

use super::{Starting, garble::Garbling, process::Process, with_parcel};
use crate::{Answer, Deadline, QemuError, Qmp, Qtest};

/// A QEMU that runs. It is killed when this is dropped, or the thread that started it ends.
#[derive(Debug)]
pub struct Qemu {
    pub(super) qmp: Qmp,
    pub(super) qtest: Option<Qtest<UnixStream>>,
    pub(super) process: Process,
    /// A second hold of our end of QMP's socket, for what can't be sent as bytes.
    pub(super) parcel: net::UnixStream,
    pub(super) garbling: Garbling,
}

impl Qemu {
    /// What it has become: it has replaced itself by another program in the same process, which
    /// listens at these sockets.
    ///
    /// # Errors
    /// Returns an error where it can't be reached there, ends, or doesn't speak QMP by the deadline.
    pub async fn replaced(
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
        self.process.id()
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
        let status = tokio::time::timeout_at(deadline.at(), self.process.wait())
            .await
            .map_err(|_| QemuError::TimedOut {
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
