//! A tool of a release, run to its end.

use std::io;

use tokio::process::Command;

/// What a tool said, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolSaid {
    /// Its exit status; -1 where a signal ended it.
    pub status: i32,
    /// What it wrote to its standard output, then to its standard error.
    pub text: String,
}

impl ToolSaid {
    /// Runs `command` to its end. The tool dies with the wait.
    ///
    /// # Errors
    /// Returns the error where it can't be run.
    pub async fn of(mut command: Command) -> io::Result<Self> {
        let output = command.kill_on_drop(true).output().await?;
        let mut text = output.stdout;
        text.extend(output.stderr);
        Ok(Self {
            status: output.status.code().unwrap_or(-1),
            text: String::from_utf8_lossy(&text).trim().to_owned(),
        })
    }
}
