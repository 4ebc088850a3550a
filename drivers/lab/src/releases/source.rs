//! Where the roots of releases come from. A source offers releases by name, and makes the root of
//! each; whoever lists, builds or examines releases asks all of them by [`SOURCES`].

mod debian;
mod dpkg;
mod mmdebstrap;

use std::{fmt::Debug, path::Path};

use crate::{BuildOptions, LabError, Package};

/// All sources.
pub(crate) const SOURCES: [&dyn ReleaseSource; 1] = [&debian::Debian];

/// Where the roots of releases come from.
pub trait ReleaseSource: Debug + Sync {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// The releases that it offers, by their names.
    fn offers(&self) -> Vec<&'static str>;

    /// The programs that it needs on this machine.
    fn tools(&self) -> &'static [Tool];

    /// Makes the root of a release that it offers, in the folder `root`, which is empty. What it says
    /// while it does goes into `build.log` beside that.
    ///
    /// # Errors
    /// Says what is in the way, and what mends it where that is known.
    fn make(&self, release: &str, options: &BuildOptions, root: &Path) -> Result<(), LabError>;

    /// What a root is made of, whoever packed it; `None` where it is not of this source's packages.
    ///
    /// # Errors
    /// Returns an error where that can't be read.
    fn inventory(&self, root: &Path) -> Result<Option<Inventory>, LabError>;
}

/// A program of this machine that a source needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tool {
    /// The program.
    pub program: &'static str,
    /// What makes it say its version, and do nothing.
    pub flag: &'static str,
    /// The Debian package that has it.
    pub package: &'static str,
}

/// The packages that a root is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// The exact versions of those that tell releases apart.
    pub packages: Vec<Package>,
    /// The version of its C library, as `2.36`, where it can be told.
    pub glibc: Option<String>,
}

/// The tools of all sources, each once.
pub(crate) fn tools() -> Vec<Tool> {
    let mut all = Vec::new();
    for tool in SOURCES.iter().flat_map(|source| source.tools()) {
        if !all.contains(tool) {
            all.push(*tool);
        }
    }
    all
}

/// What a root is made of, by the first of the sources that knows its packages.
pub(crate) fn inventory(
    sources: &[&dyn ReleaseSource],
    root: &Path,
) -> Result<Inventory, LabError> {
    for source in sources {
        if let Some(found) = source.inventory(root)? {
            return Ok(found);
        }
    }
    Ok(Inventory::default())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A source that was made for this test: no package of Debian is its own.
    #[derive(Debug)]
    struct Images;

    impl ReleaseSource for Images {
        fn name(&self) -> &'static str {
            "images"
        }

        fn offers(&self) -> Vec<&'static str> {
            vec!["stream"]
        }

        fn tools(&self) -> &'static [Tool] {
            &[]
        }

        fn make(&self, release: &str, _: &BuildOptions, root: &Path) -> Result<(), LabError> {
            let file = root.join("image");
            fs::write(&file, release).map_err(LabError::file("write", file))
        }

        fn inventory(&self, root: &Path) -> Result<Option<Inventory>, LabError> {
            let glibc = fs::read_to_string(root.join("image")).ok();
            Ok(glibc.map(|glibc| Inventory {
                packages: Vec::new(),
                glibc: Some(glibc),
            }))
        }
    }

    #[test]
    fn a_root_is_known_by_the_source_whose_packages_it_has() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let sources: [&dyn ReleaseSource; 2] = [&debian::Debian, &Images];
        assert_eq!(inventory(&sources, root).unwrap(), Inventory::default());
        Images
            .make("stream", &BuildOptions::default(), root)
            .unwrap();
        let found = inventory(&sources, root).unwrap();
        assert_eq!(found.glibc.as_deref(), Some("stream"));
    }

    #[test]
    fn no_two_sources_offer_the_same_name_and_each_says_what_it_needs() {
        let mut names: Vec<_> = SOURCES.iter().flat_map(|source| source.offers()).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
        let programs: Vec<_> = tools().iter().map(|tool| tool.program).collect();
        assert_eq!(programs, ["mmdebstrap"]);
    }
}
