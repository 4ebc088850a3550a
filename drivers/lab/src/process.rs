//! Running the machine's own programs, with errors that name the package to install.

use std::{
    io,
    process::{Child, Command, ExitStatus, Output},
};

use tracing::{debug, warn};

use crate::LabError;

/// How much of what a program said an error carries, in bytes.
const TAIL: usize = 2000;

/// Starts a program that comes in `package`.
pub(crate) fn spawn(command: &mut Command, package: &'static str) -> Result<Child, LabError> {
    debug!("starts `{}`", words(command));
    command.spawn().map_err(missing(command, package))
}

/// Runs a program that comes in `package` to its end, and gives what it wrote to its output.
pub(crate) fn output(command: &mut Command, package: &'static str) -> Result<String, LabError> {
    debug!("runs `{}`", words(command));
    let output = command.output().map_err(missing(command, package))?;
    check(command, &output)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// An error if it ended badly.
pub(crate) fn check(command: &Command, output: &Output) -> Result<(), LabError> {
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(failed(command, output.status, &said))
}

/// The error of a command that ended badly, and said this. It is told as well.
pub(crate) fn failed(command: &Command, status: ExitStatus, said: &str) -> LabError {
    let (command, stderr) = (words(command), tail(said).to_owned());
    warn!("`{command}` ended with {status}:\n{stderr}");
    LabError::Failed {
        command,
        status,
        stderr,
    }
}

/// The error of a program that can't be started. It is told as well.
fn missing(command: &Command, package: &'static str) -> impl FnOnce(io::Error) -> LabError {
    let program = command.get_program().to_string_lossy().into_owned();
    move |source| {
        warn!("can't start `{program}`: {source}");
        LabError::Program {
            program,
            package,
            source,
        }
    }
}

/// The command as one would type it.
pub(crate) fn words(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The last lines of a text.
pub(crate) fn tail(text: &str) -> &str {
    let text = text.trim_end();
    let start = text.len().saturating_sub(TAIL);
    let start = (start..=text.len()).find(|&at| text.is_char_boundary(at));
    text.get(start.unwrap_or(0)..).unwrap_or(text).trim_start()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    #[test]
    fn a_tail_is_the_end_of_the_text_at_a_character_boundary() {
        assert_eq!(tail("one\n"), "one");
        let long = "ü".repeat(TAIL);
        assert_eq!(tail(&long).len(), TAIL);
        assert!(tail(&format!("x{long}")).len() <= TAIL);
    }

    #[test]
    fn a_command_that_fails_is_told_with_what_it_said() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let log = File::create(&path).unwrap();
        let told = tracing_subscriber::fmt().with_writer(log).without_time();
        tracing::subscriber::with_default(told.finish(), || {
            let mut command = Command::new("sh");
            command.args(["-c", "echo no such thing >&2; echo at all >&2; exit 7"]);
            output(&mut command, "dash").unwrap_err();
            output(&mut Command::new("/nowhere/prog"), "prog-pkg").unwrap_err();
        });
        let told = fs::read_to_string(path).unwrap();
        assert!(
            told.contains("exit 7` ended with exit status: 7:\nno such thing\nat all\n"),
            "{told}"
        );
        assert!(told.contains("can't start `/nowhere/prog`"), "{told}");
    }

    #[test]
    fn a_missing_program_is_an_error_that_names_its_package() {
        let error = output(&mut Command::new("/nowhere/prog"), "prog-pkg").unwrap_err();
        assert_eq!(
            error.to_string(),
            "can't start `/nowhere/prog`: install it with `apt-get install prog-pkg`"
        );
    }
}
