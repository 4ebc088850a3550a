//! Running the machine's own programs, with errors that name the package to install.

use std::process::{Child, Command, ExitStatus, Output};

use crate::LabError;

/// How much of what a program said an error carries, in bytes.
const TAIL: usize = 2000;

/// Starts a program that comes in `package`.
pub(crate) fn spawn(command: &mut Command, package: &'static str) -> Result<Child, LabError> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.spawn().map_err(|source| LabError::Program {
        program,
        package,
        source,
    })
}

/// Runs a program that comes in `package` to its end, and gives what it wrote to its output.
pub(crate) fn output(command: &mut Command, package: &'static str) -> Result<String, LabError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|source| LabError::Program {
        program,
        package,
        source,
    })?;
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

/// The error of a command that ended badly, and said this.
pub(crate) fn failed(command: &Command, status: ExitStatus, said: &str) -> LabError {
    LabError::Failed {
        command: words(command),
        status,
        stderr: tail(said).to_owned(),
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
    use super::*;

    #[test]
    fn a_tail_is_the_end_of_the_text_at_a_character_boundary() {
        assert_eq!(tail("one\n"), "one");
        let long = "ü".repeat(TAIL);
        assert_eq!(tail(&long).len(), TAIL);
        assert!(tail(&format!("x{long}")).len() <= TAIL);
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
