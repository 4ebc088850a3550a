//! Debian: each of its suites is a release, and so is one with its backports.

use std::path::Path;

use migratrix_matrix::Arch;

use super::{
    Inventory, ReleaseSource, Tool, dpkg,
    mmdebstrap::{self, Call},
};
use crate::{BuildOptions, LabError};

/// Debian's archive.
#[derive(Debug)]
pub(crate) struct Debian;

/// A release of it.
#[derive(Clone, Copy, Debug)]
struct Suite {
    /// What the release is called.
    release: &'static str,
    /// The suite.
    suite: &'static str,
    /// The suite that is laid over it, where there is one.
    backports: Option<&'static str>,
}

impl Suite {
    /// A suite alone.
    const fn plain(suite: &'static str) -> Self {
        Self {
            release: suite,
            suite,
            backports: None,
        }
    }

    /// A suite with its backports, by whose name the release goes.
    const fn with(backports: &'static str, suite: &'static str) -> Self {
        Self {
            release: backports,
            suite,
            backports: Some(backports),
        }
    }
}

/// The suites, the oldest first.
const SUITES: [Suite; 6] = [
    Suite::plain("bullseye"),
    Suite::plain("bookworm"),
    Suite::with("bookworm-backports", "bookworm"),
    Suite::plain("trixie"),
    Suite::with("trixie-backports", "trixie"),
    Suite::plain("sid"),
];

/// Where it is.
const ARCHIVE: &str = "http://deb.debian.org/debian";

/// What a host needs, beside the QEMU of its architecture. Recommended packages are left out.
const HOST: [&str; 4] = [
    "qemu-utils",
    "libvirt-daemon-system",
    "libvirt-clients",
    "iproute2",
];

/// The packages whose exact versions are kept, beside that.
const KEPT: [&str; 6] = [
    "libvirt-daemon",
    "libvirt-daemon-system",
    "libvirt0",
    "qemu-utils",
    "seabios",
    C_LIBRARY,
];

const C_LIBRARY: &str = "libc6";

/// The package of the QEMU that emulates an architecture.
const fn qemu(arch: Arch) -> &'static str {
    match arch {
        Arch::X86_64 => "qemu-system-x86",
    }
}

impl ReleaseSource for Debian {
    fn name(&self) -> &'static str {
        "Debian"
    }

    fn offers(&self) -> Vec<&'static str> {
        SUITES.map(|suite| suite.release).to_vec()
    }

    fn tools(&self) -> &'static [Tool] {
        &mmdebstrap::TOOLS
    }

    fn make(&self, release: &str, options: &BuildOptions, root: &Path) -> Result<(), LabError> {
        let mut suites = SUITES.into_iter();
        let suite = suites.find(|suite| suite.release == release);
        let suite = suite.ok_or_else(|| LabError::NoRecipe {
            name: release.to_owned(),
            known: self.offers().join(", "),
        })?;
        let packages = [&[qemu(Arch::default())][..], &HOST].concat();
        let call = Call {
            release,
            suite: suite.suite,
            preferred: suite.backports,
            sources: sources(suite, options.mirror().as_deref()),
            packages: packages.join(","),
            expired: options.expired,
        };
        mmdebstrap::make(&call, root)
    }

    fn inventory(&self, root: &Path) -> Result<Option<Inventory>, LabError> {
        let kept = [&[qemu(Arch::default())][..], &KEPT].concat();
        dpkg::inventory(root, &kept, C_LIBRARY)
    }
}

/// The sources that mmdebstrap is given: none where it knows them by itself.
fn sources(suite: Suite, mirror: Option<&str>) -> Vec<String> {
    let base = mirror.unwrap_or(ARCHIVE);
    match (suite.backports, mirror) {
        (Some(backports), _) => [suite.suite, backports]
            .map(|suite| format!("deb {base} {suite} main"))
            .to_vec(),
        (None, Some(mirror)) => vec![mirror.to_owned()],
        (None, None) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_is_taken_for_all_suites_of_a_release() {
        let backports = Suite::with("trixie-backports", "trixie");
        assert_eq!(
            sources(backports, Some("http://m/debian")),
            [
                "deb http://m/debian trixie main",
                "deb http://m/debian trixie-backports main"
            ]
        );
        assert_eq!(sources(Suite::plain("sid"), None), Vec::<String>::new());
    }
}
