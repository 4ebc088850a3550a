//! What can keep us from asking QEMU, or from making sense of what it says.

use std::{io, path::PathBuf, process::ExitStatus};

use migratrix_root::Lacks;
use thiserror::Error;

use crate::{Deadline, QmpError};

/// Why a QEMU could not be asked. A refusal by QMP is none, see [`crate::Answer`].
#[derive(Debug, Error)]
pub enum QemuError {
    /// The connection came to its end.
    #[error("awaited {awaited}, but {ending}")]
    Disconnected {
        /// What was awaited.
        awaited: String,
        /// How the connection ended.
        ending: Ending,
    },
    /// The deadline passed.
    #[error("awaited {awaited}, but nothing of it came within {deadline}")]
    TimedOut {
        /// What was awaited.
        awaited: String,
        /// Until when.
        deadline: Deadline,
    },
    /// QEMU has ended.
    #[error("awaited {awaited}, but QEMU ended with {status}: {stderr}")]
    Exited {
        /// What was awaited.
        awaited: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it wrote to its standard error.
        stderr: String,
    },
    /// A command was refused that is not to be refused.
    #[error("`{command}` was refused: {refusal}")]
    Refused {
        /// The command.
        command: String,
        /// QEMU's refusal, with its class.
        refusal: QmpError,
    },
    /// A command of qtest was refused, which has no classes.
    #[error("`{command}` was refused: {response}")]
    RefusedByQtest {
        /// The command.
        command: String,
        /// QEMU's words.
        response: String,
    },
    /// An answer came that can't be the answer to its command.
    #[error("`{command}` was answered by what can't be its answer, {why}: {response}")]
    Malformed {
        /// The command.
        command: String,
        /// The start of the answer.
        response: String,
        /// What is wrong with it.
        why: String,
    },
    /// An out-of-band command on a connection that has none.
    #[error(
        "`{0}` can't be sent out of band: this QEMU does not offer the capability `oob` in its greeting"
    )]
    NoOutOfBand(String),
    /// A range of memory that ends past the last address.
    #[error("{size} bytes from {address:#x} reach past the end of the address space")]
    Range {
        /// The first address.
        address: u64,
        /// The number of bytes.
        size: u64,
    },
    /// QEMU could not be started.
    #[error("can't start `{program}`: check that it is there and that it may be run")]
    Start {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// A root without a QEMU, or without the loader for it.
    #[error("{root} is no root with a QEMU: it has none of {sought}")]
    NotFound {
        /// The root.
        root: PathBuf,
        /// What was looked for.
        sought: String,
    },
    /// A file or folder could not be read or written.
    #[error("can't {verb} {path}")]
    File {
        /// What was tried: `read`, `write`, `create`.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A system call failed.
    #[error("can't {what}")]
    System {
        /// What was tried.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
}

/// How a connection came to its end.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Ending {
    /// The peer closed it between two messages.
    #[error("the peer closed the connection")]
    Closed,
    /// The peer closed it within a message.
    #[error("the peer closed the connection within a message: `{0}`")]
    Truncated(String),
    /// It was given up on our side.
    #[error("the connection was given up on our side")]
    Dropped,
    /// It could not be read or written.
    #[error("the connection failed: {0}")]
    Failed(String),
    /// What came is no message of the protocol.
    #[error("what came is no message of the protocol, {why}: `{received}`")]
    Malformed {
        /// The start of what came.
        received: String,
        /// What is wrong with it.
        why: String,
    },
    /// An answer came to nothing that was asked.
    #[error("an answer came to nothing that was asked: `{0}`")]
    Unsolicited(String),
    /// A message grew too long.
    #[error("a message grew past {0} bytes")]
    TooLong(usize),
    /// More came unasked than can be kept.
    #[error("more than {0} events came")]
    Flood(usize),
}

impl QemuError {
    /// Names the file that an I/O error is about.
    pub fn file(verb: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { verb, path, source }
    }

    /// Names what a system call was for.
    pub fn system<E: Into<io::Error>>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::System {
            what,
            source: source.into(),
        }
    }

    /// What was awaited, where something was.
    #[must_use]
    pub fn awaited(&self) -> Option<&str> {
        match self {
            Self::Disconnected { awaited, .. }
            | Self::TimedOut { awaited, .. }
            | Self::Exited { awaited, .. } => Some(awaited),
            Self::Refused { .. }
            | Self::RefusedByQtest { .. }
            | Self::Malformed { .. }
            | Self::NoOutOfBand(_)
            | Self::Range { .. }
            | Self::Start { .. }
            | Self::NotFound { .. }
            | Self::File { .. }
            | Self::System { .. } => None,
        }
    }
}

impl From<Lacks> for QemuError {
    fn from(Lacks { root, sought }: Lacks) -> Self {
        Self::NotFound { root, sought }
    }
}

/// How many characters of a message an error carries.
const EXCERPT: usize = 120;

/// The start of `bytes` as text that fits on one line.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * EXCERPT)]);
    let text = text.trim();
    let mut start: String = text
        .chars()
        .take(EXCERPT)
        .flat_map(|c| {
            let plain = (!c.is_control()).then_some(c);
            let escaped = c.is_control().then(|| c.escape_default());
            plain.into_iter().chain(escaped.into_iter().flatten())
        })
        .collect();
    if bytes.len() > text.len() || text.chars().nth(EXCERPT).is_some() {
        start.push('…');
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_fits_on_one_line_and_is_short() {
        assert_eq!(excerpt(b"{\"a\":\x011}"), "{\"a\":\\u{1}1}");
        assert_eq!(excerpt(&[b'x'; 9999]).chars().count(), EXCERPT + 1);
    }
}
