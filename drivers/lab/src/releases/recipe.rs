//! The releases that can be made from nothing: each is a Debian suite, by `mmdebstrap`.

use std::{
    env,
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
};

use crate::{LabError, process, releases::unpack};

/// What a host needs. Recommended packages are left out.
const PACKAGES: &str = "qemu-system-x86,qemu-utils,libvirt-daemon-system,libvirt-clients,iproute2";

/// How much a release takes while it is made, in MiB.
const SPACE_MIB: u64 = 1500;

/// How a release is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Its name, which is also the release's usual one.
    pub name: &'static str,
    /// The suite.
    pub suite: &'static str,
    /// The suite that is laid over it, where there is one.
    pub backports: Option<&'static str>,
}

/// All recipes.
pub const RECIPES: [Recipe; 6] = [
    Recipe {
        name: "bullseye",
        suite: "bullseye",
        backports: None,
    },
    Recipe {
        name: "bookworm",
        suite: "bookworm",
        backports: None,
    },
    Recipe {
        name: "bookworm-backports",
        suite: "bookworm",
        backports: Some("bookworm-backports"),
    },
    Recipe {
        name: "trixie",
        suite: "trixie",
        backports: None,
    },
    Recipe {
        name: "trixie-backports",
        suite: "trixie",
        backports: Some("trixie-backports"),
    },
    Recipe {
        name: "sid",
        suite: "sid",
        backports: None,
    },
];

/// What the person says about the making of a release.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildOptions {
    /// The mirror; else `MIGRATRIX_MIRROR`, else the one that mmdebstrap knows.
    pub mirror: Option<String>,
    /// What to do about an index past its validity date.
    pub expired: Expired,
}

/// What to do about a package index past its validity date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expired {
    /// It is an error.
    #[default]
    Refuse,
    /// It is taken.
    Allow,
}

impl BuildOptions {
    /// The mirror that was named, here or in the environment.
    #[must_use]
    pub fn mirror(&self) -> Option<String> {
        let set = || {
            env::var("MIGRATRIX_MIRROR")
                .ok()
                .filter(|mirror| !mirror.is_empty())
        };
        self.mirror.clone().or_else(set)
    }
}

/// The recipe of this name.
///
/// # Errors
/// Returns an error that lists the known where there is none.
pub fn recipe(name: &str) -> Result<Recipe, LabError> {
    let names = || RECIPES.map(|recipe| recipe.name).join(", ");
    let found = RECIPES.into_iter().find(|recipe| recipe.name == name);
    found.ok_or_else(|| LabError::NoRecipe(name.to_owned(), names()))
}

/// Makes the root file system `root` by the recipe, and leaves the log beside it.
pub(crate) fn make(recipe: Recipe, options: &BuildOptions, root: &Path) -> Result<(), LabError> {
    fs::create_dir(root).map_err(LabError::file("create", root))?;
    demand_space(root)?;
    let log = root.with_file_name("build.log");
    let errors = File::create(&log).map_err(LabError::file("create", &log))?;
    let mut command = mmdebstrap(recipe, options);
    let mut build = process::spawn(
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors),
        "mmdebstrap",
    )?;
    let tarball = build.stdout.take().expect("stdout is piped");
    let extracted = unpack::stream(tarball.into(), Path::new(recipe.name), root);
    let status = build
        .wait()
        .map_err(LabError::system("wait for `mmdebstrap`"))?;
    if status.success() {
        return extracted.map(drop);
    }
    let said = fs::read_to_string(&log).unwrap_or_default();
    let known = known_failure(recipe, &said).or_else(|| extracted.err().filter(is_full));
    Err(known.unwrap_or_else(|| LabError::Failed {
        command: process::words(&command),
        status,
        stderr: process::tail(&said).to_owned(),
    }))
}

/// Whether the extraction ended because the disk is full; `mmdebstrap` then only sees a broken pipe.
fn is_full(error: &LabError) -> bool {
    error.to_string().contains("No space left")
}

fn mmdebstrap(recipe: Recipe, options: &BuildOptions) -> Command {
    let mut command = Command::new("mmdebstrap");
    let mode = if nix::unistd::geteuid().is_root() {
        "root"
    } else {
        "unshare"
    };
    command.arg(format!("--mode={mode}"));
    command.args(["--variant=minbase", "--format=tar", "--include", PACKAGES]);
    if options.expired == Expired::Allow {
        command.arg("--aptopt=Acquire::Check-Valid-Until \"false\"");
    }
    if let Some(backports) = recipe.backports {
        command.arg(format!("--aptopt=APT::Default-Release \"{backports}\""));
    }
    command
        .args([recipe.suite, "-"])
        .args(sources(recipe, options.mirror().as_deref()));
    command
}

/// The sources that mmdebstrap is given: none where it knows them by itself.
fn sources(recipe: Recipe, mirror: Option<&str>) -> Vec<String> {
    let base = mirror.unwrap_or("http://deb.debian.org/debian");
    match (recipe.backports, mirror) {
        (Some(backports), _) => [recipe.suite, backports]
            .map(|suite| format!("deb {base} {suite} main"))
            .to_vec(),
        (None, Some(mirror)) => vec![mirror.to_owned()],
        (None, None) => Vec::new(),
    }
}

/// The failures that have a mend of their own, by what apt says of them.
fn known_failure(recipe: Recipe, said: &str) -> Option<LabError> {
    let says = |texts: &[&str]| texts.iter().any(|text| said.contains(text));
    if says(&["is not valid anymore", "is expired"]) {
        Some(LabError::Expired(recipe.name.to_owned()))
    } else if says(&[
        "Could not resolve",
        "resolving",
        "Could not connect",
        "Unable to connect",
        "Connection timed out",
        "Network is unreachable",
    ]) {
        Some(LabError::Network(recipe.name.to_owned()))
    } else {
        None
    }
}

fn demand_space(root: &Path) -> Result<(), LabError> {
    for path in [root.to_owned(), env::temp_dir()] {
        let free_mib = free_mib(&path)?;
        if free_mib < SPACE_MIB {
            return Err(LabError::Space {
                path,
                free_mib,
                needed_mib: SPACE_MIB,
            });
        }
    }
    Ok(())
}

/// The space that is free for us where `path` is, in MiB.
pub(crate) fn free_mib(path: &Path) -> Result<u64, LabError> {
    let stat = nix::sys::statvfs::statvfs(path);
    let stat = stat.map_err(LabError::system(format!("measure {}", path.display())))?;
    Ok(stat.blocks_available() * stat.fragment_size() / (1024 * 1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_recipe_is_an_error_that_lists_the_known() {
        let error = recipe("potato").unwrap_err().to_string();
        assert!(
            error.starts_with("no recipe `potato`: known are bullseye, bookworm,"),
            "{error}"
        );
    }

    #[test]
    fn a_mirror_is_taken_for_all_suites_of_a_recipe() {
        let backports = recipe("trixie-backports").unwrap();
        assert_eq!(
            sources(backports, Some("http://m/debian")),
            [
                "deb http://m/debian trixie main",
                "deb http://m/debian trixie-backports main"
            ]
        );
        assert_eq!(sources(recipe("sid").unwrap(), None), Vec::<String>::new());
    }

    #[test]
    fn failures_with_a_mend_of_their_own_are_told_apart() {
        let sid = recipe("sid").unwrap();
        let expired = "E: Release file for http://x/InRelease is expired (invalid since 3d).";
        assert!(matches!(
            known_failure(sid, expired),
            Some(LabError::Expired(_))
        ));
        let offline = "E: Failed to fetch http://x  Temporary failure resolving 'x'";
        assert!(matches!(
            known_failure(sid, offline),
            Some(LabError::Network(_))
        ));
        assert!(known_failure(sid, "E: Unable to locate package qemu").is_none());
    }
}
