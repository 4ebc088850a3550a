//! What can go wrong in the lab, each with its mend.

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitStatus,
};

use migratrix_matrix::{ReleaseName, Shown};
use migratrix_root::Lacks;
use thiserror::Error;

/// An error of the lab.
#[derive(Debug, Error)]
pub enum LabError {
    /// A program that the lab needs could not be started.
    #[error("can't start `{program}`: install it with `apt-get install {package}`")]
    Program {
        /// The program.
        program: String,
        /// The Debian package that has it.
        package: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A host can't be told where its files are.
    #[error(
        "the hosts of a lab know paths in UTF-8 alone, and one of theirs is not: rename the folder of the run (--out) or \
         that of the releases (MIGRATRIX_CACHE)"
    )]
    NotText(#[source] serde_json::Error),
    /// A program that the lab needs ended badly.
    #[error("`{command}` ended with {status}: {stderr}")]
    Failed {
        /// The command line.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it said.
        stderr: String,
    },
    /// A program of a root ended badly.
    #[error("`{program}` of {} ended with {status} {said}", root.shown())]
    Answer {
        /// The program and its arguments.
        program: String,
        /// The root.
        root: PathBuf,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it said.
        said: String,
    },
    /// A file or folder could not be read or written.
    #[error("can't {verb} {}", path.shown())]
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
        what: String,
        /// Why.
        source: io::Error,
    },
    /// The namespaces could not be made.
    #[error("`unshare` could not make the sandbox's namespaces ({0}): see `migratrix doctor`")]
    Sandbox(ExitStatus),
    /// A process that held the sandbox was killed: nothing in it tells of its end.
    #[error(
        "{0} in the sandbox was killed: by somebody, or by the kernel for want of memory (`dmesg` tells)"
    )]
    Killed(&'static str),
    /// The request to stop came before anybody in the sandbox listened for one.
    #[error("stopped by a signal")]
    Stopped,
    /// A second request to stop came, which ends all at once.
    #[error("stopped at once by a second signal")]
    StoppedAtOnce,
    /// The lab was asked for outside the sandbox.
    #[error("the lab works inside the sandbox only: call `sandbox::enter` first")]
    Outside,
    /// A host's own first process could not start its daemon.
    #[error("host {host} did not come up: {why}\n{tail}")]
    Host {
        /// The host's name.
        host: String,
        /// What was waited for, and what came.
        why: String,
        /// The end of its logs.
        tail: String,
    },
    /// A release that isn't in the store.
    #[error(
        "no release `{0}` in {dir}: `migratrix releases list` shows what is there and what can be built, `migratrix releases add` takes yours",
        dir = .1.shown()
    )]
    NoRelease(ReleaseName, PathBuf),
    /// A name that is taken.
    #[error("release `{0}` is in the store already: `migratrix releases rm {0}` removes it")]
    Taken(ReleaseName),
    /// A root of one's own under the name of a recipe, which means another one.
    #[error(
        "`{0}` is the recipe that `migratrix releases build {0}` makes: give a root of yours a name of its own, as `my-{0}`"
    )]
    OfRecipe(ReleaseName),
    /// A release that somebody uses.
    #[error(
        "release `{0}` is in use{1}: wait for the end of the run, or end the lab by `migratrix lab down`"
    )]
    InUse(ReleaseName, String),
    /// A release whose root has become another one.
    #[error(
        "release `{name}` is not what it was when it was made: {change}; {mend} takes it as it is now"
    )]
    Changed {
        /// Its name.
        name: ReleaseName,
        /// What is another one.
        change: String,
        /// What takes it as it is.
        mend: String,
    },
    /// A root file system that lacks what a host needs.
    #[error("{} is no root of a release: it has none of {sought}", root.shown())]
    Lacks {
        /// The root.
        root: PathBuf,
        /// What was looked for.
        sought: String,
    },
    /// A program of a root that does not say which version it is.
    #[error(
        "{} is no root of a release: its {program} names no version of itself, and says {}",
        root.shown(),
        quoted(said)
    )]
    NoVersion {
        /// The root.
        root: PathBuf,
        /// The program.
        program: String,
        /// What it says.
        said: String,
    },
    /// A tarball that can't be taken.
    #[error("{} is no tarball of a root: {why}", path.shown())]
    Tarball {
        /// The tarball.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A program of a root that did not end.
    #[error("`{program}` of {} did not end within {seconds} s, and was killed", root.shown())]
    Silent {
        /// The program.
        program: String,
        /// The root.
        root: PathBuf,
        /// How long it had.
        seconds: u64,
    },
    /// A root file system with owners that the user's namespace can't hold.
    #[error(
        "{} belongs to user id {owner}, which a user namespace of yours can't hold: pack it with `tar` and add the tarball",
        root.shown()
    )]
    Owner {
        /// The root.
        root: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// A release.json that this program can't take.
    #[error("{} can't be taken: {why}: `migratrix releases rm` it and make it again", path.shown())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A name without a recipe.
    #[error("no recipe `{name}`: known are {known}")]
    NoRecipe {
        /// The name.
        name: String,
        /// The names of those that there are.
        known: String,
    },
    /// A name that a lab can't have.
    #[error("`{0}` is not a lab's name: use up to 50 lower-case letters, digits, `-` and `_`")]
    BadLabName(String),
    /// A lab's name that is taken.
    #[error(
        "a lab `{0}` is up already: `migratrix lab down {0}` ends it, `--name` gives this one another name"
    )]
    LabUp(String),
    /// A lab that isn't up.
    #[error("no lab `{0}` is up; {1}")]
    NoLab(String, String),
    /// A lab that is held by a process that has no number here.
    #[error(
        "the lab `{0}` is held by a process that can't be seen from here: end it on the machine or in the container where it was brought up"
    )]
    Unseen(String),
    /// A lab that doesn't go.
    #[error("the lab `{0}` was killed and is still there: see `ps` for what it waits for")]
    Undying(String),
    /// A package index past its validity date.
    #[error(
        "the package index of {0} is past its validity date: `--allow-expired` lets it pass, another mirror (MIGRATRIX_MIRROR) may have a newer one"
    )]
    Expired(String),
    /// The mirror could not be reached.
    #[error(
        "the mirror of {0} can't be reached: check the network, or name another by MIGRATRIX_MIRROR"
    )]
    Network(String),
    /// Too little space on the disk.
    #[error(
        "{} has {free_mib} MiB free, a release needs {needed_mib}: free some, or name another folder by MIGRATRIX_CACHE",
        path.shown()
    )]
    Space {
        /// The folder.
        path: PathBuf,
        /// What is free, in MiB.
        free_mib: u64,
        /// What is needed, in MiB.
        needed_mib: u64,
    },
}

/// The first line of what a program says of itself, within a line.
fn quoted(said: &str) -> String {
    let first = said.lines().find(|line| !line.trim().is_empty());
    first.map_or_else(
        || "nothing".to_owned(),
        |line| format!("`{}`", Path::new(line.trim()).shown()),
    )
}

impl From<Lacks> for LabError {
    fn from(lacks: Lacks) -> Self {
        let Lacks { root, sought } = lacks;
        Self::Lacks { root, sought }
    }
}

impl LabError {
    /// Whether what was asked for makes no sense, as a name that nothing has; else the lab or a
    /// tool failed.
    #[must_use]
    pub fn is_wrong_use(&self) -> bool {
        match self {
            Self::NoRelease(..)
            | Self::Taken(_)
            | Self::OfRecipe(_)
            | Self::Lacks { .. }
            | Self::NoVersion { .. }
            | Self::Tarball { .. }
            | Self::Owner { .. }
            | Self::NoRecipe { .. }
            | Self::NotText(_)
            | Self::BadLabName(_)
            | Self::LabUp(_)
            | Self::NoLab(..) => true,
            Self::File { .. }
            | Self::Program { .. }
            | Self::Failed { .. }
            | Self::Answer { .. }
            | Self::Silent { .. }
            | Self::System { .. }
            | Self::Sandbox(_)
            | Self::Killed(_)
            | Self::Stopped
            | Self::StoppedAtOnce
            | Self::Outside
            | Self::Host { .. }
            | Self::Record { .. }
            | Self::InUse(..)
            | Self::Changed { .. }
            | Self::Unseen(_)
            | Self::Undying(_)
            | Self::Expired(_)
            | Self::Network(_)
            | Self::Space { .. } => false,
        }
    }

    /// The same of the root that is at `path`, where it has been looked at elsewhere.
    pub(crate) fn of_root(mut self, path: &Path) -> Self {
        if let Self::Lacks { root, .. }
        | Self::NoVersion { root, .. }
        | Self::Answer { root, .. }
        | Self::Silent { root, .. } = &mut self
        {
            path.clone_into(root);
        }
        self
    }

    /// Names the file that an I/O error is about.
    pub(crate) fn file(
        verb: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { verb, path, source }
    }

    /// Names what a system call was for.
    pub(crate) fn system<E: Into<io::Error>>(what: impl Into<String>) -> impl FnOnce(E) -> Self {
        let what = what.into();
        move |source| Self::System {
            what,
            source: source.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_within_its_line_by_every_error_that_names_one() {
        let path = || PathBuf::from("/a\nb\u{1b}[31m");
        let name: ReleaseName = "sid".parse().unwrap();
        let (why, sought) = (String::new(), String::new());
        let all = [
            LabError::file("read", path())(io::ErrorKind::NotFound.into()),
            LabError::NoRelease(name, path()),
            LabError::Lacks {
                root: path(),
                sought: sought.clone(),
            },
            LabError::NoVersion {
                root: path(),
                program: sought.clone(),
                said: "no\u{1b}version".to_owned(),
            },
            LabError::Tarball {
                path: path(),
                why: why.clone(),
            },
            LabError::Silent {
                program: sought,
                root: path(),
                seconds: 1,
            },
            LabError::Owner {
                root: path(),
                owner: 1,
            },
            LabError::Record { path: path(), why },
            LabError::Space {
                path: path(),
                free_mib: 1,
                needed_mib: 2,
            },
        ];
        for error in all {
            let told = error.to_string();
            assert!(told.contains("/a\\nb\\u{1b}[31m"), "{told}");
            assert!(!told.contains(char::is_control), "{told}");
        }
    }

    #[test]
    fn no_path_is_told_as_it_is() {
        let display = [".dis", "play()"].concat();
        let crates =
            ["src", "../root/src"].map(|it| Path::new(env!("CARGO_MANIFEST_DIR")).join(it));
        let mut folders = Vec::from(crates);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]").next().unwrap_or_default();
                assert!(!text.contains(&display), "{}: take shown()", path.shown());
            }
        }
    }
}
