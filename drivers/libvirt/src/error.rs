//! Why a step was not done: the hypervisor refused, or we could not see.

use std::{io, path::PathBuf, time::Duration};

use migratrix_contract::told;
use migratrix_guest::ImageError;
use migratrix_history::Side;
use migratrix_history::{Outcome, Refusal};

/// Why a step was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The hypervisor said no: an observation.
    #[error("refused with code {} of domain {}: {}", .0.code, .0.domain, .0.message)]
    Refused(Refusal),
    /// The client's program can't be started.
    #[error("client `{command}` can't be started: build it with ci/build-client")]
    Start {
        /// The command.
        command: String,
        /// Why.
        source: io::Error,
    },
    /// The client is no more, or made no sense and was killed.
    #[error("the client {0}")]
    Ended(String),
    /// The client did not answer.
    #[error("the client did not answer `{asked}` within {} s", .patience.as_secs_f64())]
    Silent {
        /// What it was asked.
        asked: String,
        /// For how long we waited.
        patience: Duration,
    },
    /// The client answered with something else than the request is answered with.
    #[error("the client answered another question than `{0}`")]
    Malformed(&'static str),
    /// The client could make nothing of the request.
    #[error("the client could not do what it was asked: {0}")]
    Bad(String),
    /// The step is one of another back end.
    #[error("libvirt has no way to `{0}`")]
    Foreign(String),
    /// A host is no longer connected.
    #[error("a connection was lost: {}", .0.message)]
    Lost(Refusal),
    /// A host described its domain by XML that can't be read.
    #[error("the XML of a domain can't be read")]
    Xml(#[from] roxmltree::Error),
    /// A host described its domain by XML that lacks something.
    #[error("the XML of a domain has no `{0}`")]
    XmlLacks(&'static str),
    /// No boot image can be made of the guest's parameters.
    #[error("no boot image can be made")]
    Image(#[from] ImageError),
    /// There are no certificates for the hosts.
    #[error(transparent)]
    Certificates(#[from] migratrix_certificates::Unmade),
    /// A file on a host can't be written.
    #[error("`{path}` can't be written")]
    File {
        /// The file, as it is seen from here.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A host could not be looked into, or broken.
    #[error("{what} of host `{host}`")]
    Host {
        /// What was tried.
        what: &'static str,
        /// On which host.
        host: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A host is known by its URI alone.
    #[error("host `{0}` is not ours to change: run the case in the lab")]
    NotOurs(String),
    /// A tool on a host did not do what it was told.
    #[error("`{command}` ends with {status}: {text}")]
    Tool {
        /// What it was told.
        command: String,
        /// Its exit status.
        status: i32,
        /// What it said.
        text: String,
    },
    /// The domain's QEMU answered nonsense, or an error, to a command of the monitor.
    #[error("the monitor of the domain's QEMU: {0}")]
    Monitor(String),
    /// The migration was over before it stood where the case wants it.
    #[error("the migration was over before it stood at `{0}`")]
    Missed(&'static str),
    /// A daemon was held still for so long that its peers have given it up.
    #[error(
        "the daemon on {0} was held still for {1} ms: its peers may take it for lost after {2} ms"
    )]
    HeldTooLong(Side, u128, u128),
    /// The step is one of a migration that was never begun.
    #[error("no migration was begun")]
    NotBegun,
    /// The domain's QEMU did not obey through qtest.
    #[error("qtest at `{path}`: {why}")]
    Qtest {
        /// The socket, as it is seen from here.
        path: PathBuf,
        /// What was seen instead.
        why: String,
    },
}

impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        if let Error::Refused(refusal) = error {
            return Self::Refused(refusal);
        }
        Self::Unknown { why: told(&error) }
    }
}

#[cfg(test)]
mod tests {
    use migratrix_guest::Parameters;

    use super::*;

    #[test]
    fn an_error_does_not_say_its_cause_and_is_told_with_it_once() {
        let file = || io::Error::other("a cause of its own");
        let empty = Parameters {
            end: Parameters::SMALL.start,
            ..Parameters::SMALL
        };
        let errors: [Error; 5] = [
            empty.boot_image().map(drop).unwrap_err().into(),
            roxmltree::Document::parse("<a>")
                .map(drop)
                .unwrap_err()
                .into(),
            Error::File {
                path: "/x".into(),
                source: file(),
            },
            Error::Host {
                what: "can't look",
                host: "a".to_owned(),
                source: file(),
            },
            Error::Start {
                command: "a".to_owned(),
                source: file(),
            },
        ];
        for error in errors {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let cause = cause.expect("each of these has one");
            assert!(!error.to_string().contains(&cause), "{error}");
            let Outcome::Unknown { why } = error.into() else {
                panic!("none of these is a refusal");
            };
            assert_eq!(why.matches(&cause).count(), 1, "{why}");
        }
    }
}
