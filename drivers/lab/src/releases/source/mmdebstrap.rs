//! Roots of distributions that are made of Debian packages, by `mmdebstrap`: it writes a tarball,
//! which is extracted as it comes.

use std::{
    env,
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
};

use super::Tool;
use crate::{
    Expired, LabError, process,
    releases::{space, unpack},
};

/// What it takes.
pub(super) const TOOLS: [Tool; 1] = [MMDEBSTRAP];

const MMDEBSTRAP: Tool = Tool {
    program: "mmdebstrap",
    flag: "--version",
    package: "mmdebstrap",
};

/// How much a release takes while it is made, in MiB.
const SPACE_MIB: u64 = 1500;

/// What is asked of `mmdebstrap`.
pub(super) struct Call<'c> {
    /// What the release is called, for errors.
    pub release: &'c str,
    /// The suite.
    pub suite: &'c str,
    /// The suite whose packages are taken where it has some.
    pub preferred: Option<&'c str>,
    /// Where packages come from: mirrors or lines of sources; none where it knows by itself.
    pub sources: Vec<String>,
    /// What is installed beside what is essential, with commas between.
    pub packages: String,
    /// What to do about an index past its validity date.
    pub expired: Expired,
}

/// Makes the root, and leaves the log beside it.
pub(super) fn make(call: &Call<'_>, root: &Path) -> Result<(), LabError> {
    for folder in [root.to_owned(), env::temp_dir()] {
        space::demand(folder, SPACE_MIB)?;
    }
    let log = root.with_file_name("build.log");
    let errors = File::create(&log).map_err(LabError::file("create", &log))?;
    let mut command = command(call);
    let mut build = process::spawn(
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors),
        MMDEBSTRAP.package,
    )?;
    let tarball = build.stdout.take().expect("stdout is piped");
    let extracted = unpack::stream(tarball.into(), Path::new(call.release), root);
    let status = build
        .wait()
        .map_err(LabError::system("wait for `mmdebstrap`"))?;
    if status.success() {
        return extracted.map(drop);
    }
    let said = fs::read_to_string(&log).unwrap_or_default();
    let failed = process::failed(&command, status, &said);
    let known = known_failure(call.release, &said).or_else(|| extracted.err().filter(is_full));
    Err(known.unwrap_or(failed))
}

/// Whether the extraction ended because the disk is full; `mmdebstrap` then only sees a broken pipe.
fn is_full(error: &LabError) -> bool {
    error.to_string().contains("No space left")
}

fn command(call: &Call<'_>) -> Command {
    let mut command = Command::new(MMDEBSTRAP.program);
    let mode = if nix::unistd::geteuid().is_root() {
        "root"
    } else {
        "unshare"
    };
    command.arg(format!("--mode={mode}"));
    command.args(["--variant=minbase", "--format=tar"]);
    command.args(["--include", &call.packages]);
    if call.expired == Expired::Allow {
        command.arg("--aptopt=Acquire::Check-Valid-Until \"false\"");
    }
    if let Some(preferred) = call.preferred {
        command.arg(format!("--aptopt=APT::Default-Release \"{preferred}\""));
    }
    command.args([call.suite, "-"]).args(&call.sources);
    command
}

/// The failures that have a mend of their own, by what apt says of them.
fn known_failure(release: &str, said: &str) -> Option<LabError> {
    let says = |texts: &[&str]| texts.iter().any(|text| said.contains(text));
    if says(&["is not valid anymore", "is expired"]) {
        Some(LabError::Expired(release.to_owned()))
    } else if says(&[
        "Could not resolve",
        "resolving",
        "Could not connect",
        "Unable to connect",
        "Connection timed out",
        "Network is unreachable",
    ]) {
        Some(LabError::Network(release.to_owned()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_distribution_of_debian_packages_is_another_call() {
        let call = Call {
            release: "noble",
            suite: "noble",
            preferred: None,
            sources: vec!["deb http://m/ubuntu noble main universe".to_owned()],
            packages: "qemu-system-x86,libvirt-daemon-system".to_owned(),
            expired: Expired::Allow,
        };
        let words = process::words(&command(&call));
        let (_, told) = words.split_once(" --variant").unwrap();
        assert_eq!(
            told,
            "=minbase --format=tar --include qemu-system-x86,libvirt-daemon-system \
             --aptopt=Acquire::Check-Valid-Until \"false\" noble - \
             deb http://m/ubuntu noble main universe"
        );
    }

    #[test]
    fn failures_with_a_mend_of_their_own_are_told_apart() {
        let expired = "E: Release file for http://x/InRelease is expired (invalid since 3d).";
        assert!(matches!(
            known_failure("sid", expired),
            Some(LabError::Expired(_))
        ));
        let offline = "E: Failed to fetch http://x  Temporary failure resolving 'x'";
        assert!(matches!(
            known_failure("sid", offline),
            Some(LabError::Network(_))
        ));
        assert!(known_failure("sid", "E: Unable to locate package qemu").is_none());
    }
}
