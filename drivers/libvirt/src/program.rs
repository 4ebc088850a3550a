//! The program of a client, and how processes of it come to be.

use std::{
    ffi::OsString,
    io::{self, IoSlice},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use migratrix_client::ORIGINAL;
use rustix::{
    cmsg_space,
    net::{
        AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
        SocketFlags, SocketType, recv, sendmsg, socketpair,
        sockopt::{Timeout, set_socket_timeout},
    },
    pipe::{PipeFlags, pipe_with},
};
use tokio::net::unix::pipe;

use crate::{Error, metered::Metered};

/// How long an original may take to make a copy: what it takes, but for a machine that is very busy, is the
/// linker's time, some hundredths of a second.
const PATIENCE: Duration = Duration::from_secs(5);

/// The program of a client, with its arguments.
pub struct Program {
    command: Vec<OsString>,
    original: Mutex<Original>,
}

/// Where processes come from.
enum Original {
    /// Each is started anew.
    None,
    /// Each is a copy of one that is started when it is first needed.
    NotYet,
    /// Each is a copy of this.
    Waits(Waiting),
}

/// A process that is linked, and waits to be copied.
struct Waiting {
    _process: Metered,
    socket: OwnedFd,
}

/// A process, and its pipes.
pub(crate) struct Started {
    pub(crate) process: Metered,
    pub(crate) stdin: pipe::Sender,
    pub(crate) stdout: pipe::Receiver,
    pub(crate) stderr: pipe::Receiver,
}

impl Program {
    /// A program each process of which is started anew.
    #[must_use]
    pub const fn new(command: Vec<OsString>) -> Self {
        Self::with(command, Original::None)
    }

    /// A program that is linked once, and copied from then on: see [`ORIGINAL`].
    #[must_use]
    pub const fn copied(command: Vec<OsString>) -> Self {
        Self::with(command, Original::NotYet)
    }

    const fn with(command: Vec<OsString>, original: Original) -> Self {
        Self {
            command,
            original: Mutex::new(original),
        }
    }

    /// Starts a process. Needs a tokio runtime.
    pub(crate) fn start(&self) -> Result<Started, Error> {
        self.started().map_err(|source| Error::Start {
            command: self.shown(),
            source,
        })
    }

    fn started(&self) -> io::Result<Started> {
        let (its_input, stdin) = pipe_with(PipeFlags::CLOEXEC)?;
        let (stdout, its_output) = pipe_with(PipeFlags::CLOEXEC)?;
        let (stderr, its_errors) = pipe_with(PipeFlags::CLOEXEC)?;
        let its = [its_input, its_output, its_errors];
        let copy = self.copy([its[0].as_fd(), its[1].as_fd(), its[2].as_fd()]);
        let process = copy.map_or_else(|| self.anew(its), Ok)?;
        Ok(Started {
            process,
            stdin: pipe::Sender::from_owned_fd(stdin)?,
            stdout: pipe::Receiver::from_owned_fd(stdout)?,
            stderr: pipe::Receiver::from_owned_fd(stderr)?,
        })
    }

    /// A process that is nobody's copy.
    fn anew(&self, [input, output, errors]: [OwnedFd; 3]) -> io::Result<Metered> {
        let mut command = self.called();
        command.stdin(input).stdout(output).stderr(errors);
        Metered::spawn(&mut command)
    }

    /// A copy of the original. `None` where there are no copies: one that fails once is not asked again.
    fn copy(&self, pipes: [BorrowedFd<'_>; 3]) -> Option<Metered> {
        let original = self.original.lock();
        let mut original = original.unwrap_or_else(PoisonError::into_inner);
        if let Original::NotYet = *original {
            *original = self.original().map_or(Original::None, Original::Waits);
        }
        let Original::Waits(waiting) = &*original else {
            return None;
        };
        let copy = waiting.copy(pipes);
        if copy.is_err() {
            *original = Original::None;
        }
        copy.ok()
    }

    fn original(&self) -> io::Result<Waiting> {
        let (kind, flags) = (SocketType::SEQPACKET, SocketFlags::CLOEXEC);
        let (socket, its) = socketpair(AddressFamily::UNIX, kind, flags, None)?;
        set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
        let mut command = self.called();
        command.arg(ORIGINAL).stdin(its);
        // What ails it a process that is started anew tells as well, to somebody who reads it.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Waiting {
            _process: Metered::spawn(&mut command)?,
            socket,
        })
    }

    fn called(&self) -> Command {
        let (program, arguments) = self.command.split_first().unzip();
        let mut command = Command::new(program.cloned().unwrap_or_default());
        command.args(arguments.unwrap_or_default());
        command
    }

    fn shown(&self) -> String {
        let words = self.command.iter().map(|word| word.to_string_lossy());
        words.collect::<Vec<_>>().join(" ")
    }
}

impl Waiting {
    /// Has it make a copy that has these pipes.
    fn copy(&self, pipes: [BorrowedFd<'_>; 3]) -> io::Result<Metered> {
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(3))];
        let mut rights = SendAncillaryBuffer::new(&mut space);
        rights.push(SendAncillaryMessage::ScmRights(&pipes));
        let word = [IoSlice::new(b"c")];
        sendmsg(&self.socket, &word, &mut rights, SendFlags::NOSIGNAL)?;
        let mut number = [0; size_of::<i32>()];
        let (count, _) = recv(&self.socket, &mut number, RecvFlags::empty())?;
        if count != number.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Metered::of_child(i32::from_ne_bytes(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Client;
    use migratrix_client::wire::{Op, Said};

    #[tokio::test]
    async fn a_program_that_makes_no_copies_is_started_anew() {
        let script =
            r#"[ "$0" = original ] && exit; read a; echo '{"id":1,"ok":{"version":7}}'; read b"#;
        let command = ["sh", "-c", script].map(OsString::from);
        let program = Program::copied(command.to_vec());
        for _ in 0..2 {
            let client = Client::start(&program).unwrap();
            assert_eq!(client.ask(Op::Version).await.unwrap(), Said::Version(7));
        }
    }
}
