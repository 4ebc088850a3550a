//! The versions that are not the same on both sides.

use std::collections::{BTreeMap, BTreeSet};

use migratrix_matrix::ReleaseName;
use serde::Serialize;

use super::Runs;
use crate::run::seen;

/// A program of a release that has other versions on the two sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Moved {
    /// The release.
    pub release: String,
    /// `libvirt` or `QEMU`.
    pub program: &'static str,
    /// Its versions on the one side: several where the runs of it had several.
    pub old: Vec<String>,
    /// Those on the other.
    pub new: Vec<String>,
}

type Versions<'r> = BTreeMap<(&'r ReleaseName, &'static str), BTreeSet<migratrix_matrix::Version>>;

/// What moved between two sides, as far as both have seen it.
pub(super) fn moved(old: &Runs, new: &Runs) -> Vec<Moved> {
    let (old, mut new) = (versions(old), versions(new));
    let both = old
        .into_iter()
        .filter_map(|(key, old)| Some((key, old, new.remove(&key)?)));
    let moved = both.filter(|(_, old, new)| old != new);
    let told = |all: BTreeSet<_>| all.iter().map(ToString::to_string).collect();
    moved
        .map(|((release, program), old, new)| Moved {
            release: release.to_string(),
            program,
            old: told(old),
            new: told(new),
        })
        .collect()
}

fn versions(runs: &Runs) -> Versions<'_> {
    let mut all = Versions::new();
    let judgements = runs.iter().flat_map(|(_, run)| run.judgements());
    for (name, libvirt, qemu) in judgements.flat_map(seen) {
        for (program, version) in [("libvirt", libvirt), ("QEMU", qemu)] {
            if let Some(version) = version {
                all.entry((name, program)).or_default().insert(version);
            }
        }
    }
    all
}

impl Moved {
    /// `QEMU 10.0.13 → 11.1.3`.
    pub(super) fn told(&self) -> String {
        let (old, new) = (self.old.join(", "), self.new.join(", "));
        format!("{} {old} → {new}", self.program)
    }
}

/// What moved, a line a release.
pub(super) fn lines(moved: &[Moved]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut last = None;
    for one in moved {
        match lines.last_mut() {
            Some(line) if last == Some(&one.release) => *line += &format!(", {}", one.told()),
            Some(_) | None => lines.push(format!("{}: {}", one.release, one.told())),
        }
        last = Some(&one.release);
    }
    lines
}
