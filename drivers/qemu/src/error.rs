//! Why a step was not done.

use std::io;

use migratrix_contract::{Step, told};
use migratrix_guest::{ImageError, ReadError};
use migratrix_history::{Outcome, Refusal, Side};
use migratrix_qmp::{MigrationStatus, QemuError, QmpError};
use thiserror::Error;

/// Why a step of a case was not done. The first two are QEMU's own "no", the third the kernel's.
#[derive(Debug, Error)]
pub(crate) enum StepError {
    /// A command was refused.
    #[error("{0}")]
    Refused(QmpError),
    /// The migration ended in another state than the awaited one.
    #[error("the migration on the {} is {status}: {why}", word(*.side))]
    UnexpectedStatus {
        side: Side,
        status: MigrationStatus,
        why: String,
    },
    /// The memory of a QEMU can't be read. That is no reason to see nothing else of the case.
    #[error("can't read the memory of the {}'s QEMU: {why}", word(*.side))]
    Unreadable { side: Side, why: io::Error },
    /// We could not ask.
    #[error(transparent)]
    Qemu(#[from] QemuError),
    /// There is no QEMU to ask.
    #[error("there is no QEMU on the {}{}", word(*.0), because(.1))]
    NoQemu(Side, Option<String>),
    /// QEMU says what makes no sense.
    #[error("`{command}` says {what}")]
    Malformed { command: &'static str, what: String },
    /// A step of another back end.
    #[error("the step `{0}` is none of the raw back end's")]
    OtherBackEnd(Step),
    /// A step that the case's own values have no use for.
    #[error("the step can't be done in this case: {0}")]
    NotApplicable(&'static str),
    /// A device that is asked does not answer.
    #[error("the device does not answer")]
    DeviceTimeout,
    /// No guest can be made.
    #[error("no boot image can be made")]
    Image(#[from] ImageError),
    /// The memory that was read is not the guest's.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The credentials can't be made.
    #[error(transparent)]
    Credentials(#[from] migratrix_certificates::Unmade),
}

impl StepError {
    /// Names what a system call was for.
    pub(crate) fn system<E: Into<io::Error>>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |source| QemuError::system(what)(source).into()
    }
}

fn because(why: &Option<String>) -> String {
    why.as_ref()
        .map(|why| format!(": {why}"))
        .unwrap_or_default()
}

/// The word for a side in a sentence.
pub(crate) const fn word(side: Side) -> &'static str {
    match side {
        Side::Source => "source",
        Side::Destination => "destination",
    }
}

impl From<StepError> for Outcome {
    fn from(error: StepError) -> Self {
        let text = told(&error);
        if let StepError::Refused(_)
        | StepError::UnexpectedStatus { .. }
        | StepError::Unreadable { .. } = error
        {
            return Self::Refused(Refusal {
                code: 0,
                domain: 0,
                message: text,
            });
        }
        Self::Unknown { why: text }
    }
}

/// What was asked for; `None` where QEMU is gone.
pub(crate) fn unless_gone<T>(asked: Result<T, StepError>) -> Result<Option<T>, StepError> {
    match asked {
        Err(StepError::NoQemu(..) | StepError::Qemu(QemuError::Exited { .. })) => Ok(None),
        asked => asked.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use migratrix_guest::Parameters;

    use super::*;

    fn image() -> StepError {
        let unaligned = Parameters {
            start: 0x100001,
            ..Parameters::SMALL
        };
        unaligned.boot_image().map(drop).unwrap_err().into()
    }

    #[test]
    fn a_step_error_does_not_say_its_cause_and_is_told_with_it_once() {
        let file = || io::Error::other("a cause of its own");
        let errors = [
            image(),
            QemuError::file("read", "/x")(file()).into(),
            StepError::system("kill QEMU")(file()),
            QemuError::Start {
                program: "/x".to_owned(),
                source: file(),
            }
            .into(),
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
