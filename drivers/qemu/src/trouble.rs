//! Why a step was not done.

use std::io;

use migratrix_contract::{Step, told};
use migratrix_guest::{ImageError, ReadError};
use migratrix_history::{Outcome, Refusal, Side};
use migratrix_qmp::{QemuError, QmpError};
use thiserror::Error;

/// Why a step of a case was not done. The first two are QEMU's own "no".
#[derive(Debug, Error)]
pub(crate) enum Trouble {
    /// A command was refused.
    #[error("{0}")]
    Refused(QmpError),
    /// The migration ended in another state than the awaited one.
    #[error("the migration on the {} is {state}: {why}", word(*.side))]
    Astray {
        side: Side,
        state: String,
        why: String,
    },
    /// We could not ask.
    #[error(transparent)]
    Qemu(#[from] QemuError),
    /// There is no QEMU to ask.
    #[error("there is no QEMU on the {}{}", word(*.0), because(.1))]
    Gone(Side, Option<String>),
    /// QEMU says what makes no sense.
    #[error("`{command}` says {what}")]
    Odd { command: &'static str, what: String },
    /// A step of another back end.
    #[error("the step `{0}` is none of the raw back end's")]
    Foreign(Step),
    /// A step that the case's own values have no use for.
    #[error("the step can't be done in this case: {0}")]
    Unfit(&'static str),
    /// A device that is asked does not answer.
    #[error("the device does not answer")]
    Mute,
    /// No guest can be made.
    #[error("no boot image can be made")]
    Image(#[from] ImageError),
    /// The memory that was read is not the guest's.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The credentials can't be made.
    #[error("no credentials can be made: {0}")]
    Credentials(String),
}

impl Trouble {
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

impl From<Trouble> for Outcome {
    fn from(trouble: Trouble) -> Self {
        let text = told(&trouble);
        if let Trouble::Refused(_) | Trouble::Astray { .. } = trouble {
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
pub(crate) fn unless_gone<T>(asked: Result<T, Trouble>) -> Result<Option<T>, Trouble> {
    match asked {
        Err(Trouble::Gone(..) | Trouble::Qemu(QemuError::Died { .. })) => Ok(None),
        asked => asked.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use migratrix_guest::Parameters;

    use super::*;

    fn image() -> Trouble {
        let unaligned = Parameters {
            start: 0x100001,
            ..Parameters::SMALL
        };
        unaligned.boot_image().map(drop).unwrap_err().into()
    }

    #[test]
    fn a_trouble_does_not_say_its_cause_and_is_told_with_it_once() {
        let file = || io::Error::other("a cause of its own");
        let troubles = [
            image(),
            QemuError::file("read", "/x")(file()).into(),
            Trouble::system("kill QEMU")(file()),
            QemuError::Start {
                program: "/x".to_owned(),
                source: file(),
            }
            .into(),
        ];
        for trouble in troubles {
            let cause = std::error::Error::source(&trouble).map(ToString::to_string);
            let cause = cause.expect("each of these has one");
            assert!(!trouble.to_string().contains(&cause), "{trouble}");
            let Outcome::Unknown { why } = trouble.into() else {
                panic!("none of these is a refusal");
            };
            assert_eq!(why.matches(&cause).count(), 1, "{why}");
        }
    }
}
