//! Which client program a run takes: one that was built for another C library does not start with an older
//! client library, and each of its cases would be unknown.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, ensure};
use migratrix_contract::ToolSaid;
use migratrix_lab::{StoredRelease, client_command};
use migratrix_matrix::ReleaseName;
use tokio::{process::Command, time::timeout};

use crate::say::Shown;

/// How long a client that is asked for nothing may take to end.
const ENDS: Duration = Duration::from_secs(30);

/// The first of the programs that starts with the client library of each of the releases.
///
/// # Errors
/// Fails where there is none, with why the first one does not start.
pub async fn that_starts(programs: &[PathBuf], releases: &[&StoredRelease]) -> Result<PathBuf> {
    let mut first = None;
    for program in programs {
        match starts_with_each(program, releases).await {
            Ok(()) => return Ok(program.clone()),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.unwrap_or_else(|| anyhow!("no client program is named")))
}

async fn starts_with_each(program: &Path, releases: &[&StoredRelease]) -> Result<()> {
    for release in releases {
        let words = client_command(release, program)?;
        starts(&words)
            .await
            .with_context(|| doubt(program, release.name()))?;
    }
    Ok(())
}

fn doubt(program: &Path, release: &ReleaseName) -> String {
    format!(
        "the client program {} does not start with the client library of {release}: build it by \
         ci/build-client, or name another one by MIGRATRIX_CLIENT",
        program.shown()
    )
}

/// Sees to it that the client of this command line ends well when nothing is asked of it.
async fn starts(words: &[OsString]) -> Result<()> {
    let (loader, arguments) = words.split_first().context("it has no loader")?;
    let mut command = Command::new(loader);
    command.args(arguments).stdin(Stdio::null());
    let said = timeout(ENDS, ToolSaid::of(command)).await;
    let said = said.with_context(|| format!("it has not ended in {} s", ENDS.as_secs()))??;
    ensure!(said.status == 0, said.text);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn shell(script: &str) -> Result<()> {
        starts(&["/bin/sh", "-c", script].map(OsString::from)).await
    }

    #[tokio::test]
    async fn a_client_that_ends_well_with_nothing_to_do_starts() {
        shell("! read line").await.unwrap();
    }

    #[tokio::test]
    async fn one_that_does_not_says_why() {
        let error = shell("echo GLIBC_2.34 not found >&2; exit 1")
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "GLIBC_2.34 not found");
        let error = starts(&["/nowhere/ld.so".into()]).await.unwrap_err();
        assert!(error.to_string().contains("No such file"), "{error}");
    }

    #[tokio::test]
    async fn without_a_release_the_first_one_is_taken() {
        let programs = ["/a".into(), "/b".into()];
        assert_eq!(that_starts(&programs, &[]).await.unwrap(), Path::new("/a"));
        assert!(that_starts(&[], &[]).await.is_err());
    }
}
