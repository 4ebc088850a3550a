//! What is in a root file system: the versions that it holds, and its machine types.

use std::{path::Path, time::SystemTime};

use migratrix_matrix::{ReleaseName, Version, is_versioned_machine};
use migratrix_root::Root;
use tracing::info;

use crate::{
    LabError,
    releases::{
        jail,
        release::{FORMAT, Origin, Record},
        source::{self, Inventory, ReleaseSource},
    },
};

/// The daemon of a root.
pub(crate) const LIBVIRTD: &str = "/usr/sbin/libvirtd";
/// Looks into the root and writes down what it holds. What it is made of can be told by
/// one of `sources`.
pub(crate) fn look(
    root: &Path,
    name: &ReleaseName,
    origin: Origin,
    sources: &[&dyn ReleaseSource],
) -> Result<Record, LabError> {
    let place = Root::at(root);
    place.file(&[LIBVIRTD])?;
    let qemu = place.own_qemu()?;
    // Clients are started by it.
    place.loader()?;
    let Inventory { packages, glibc } = source::inventory(sources, root)?;
    let record = Record {
        format: FORMAT,
        name: name.clone(),
        origin,
        libvirt: version(root, LIBVIRTD, &jail::ask(root, LIBVIRTD, &["--version"])?)?,
        qemu: version(root, qemu, &jail::ask(root, qemu, &["--version"])?)?,
        machines: machines(&jail::ask(root, qemu, &["-machine", "help"])?),
        packages,
        glibc,
        added: now(),
    };
    let Record { libvirt, qemu, .. } = &record;
    info!("{name}: libvirt {libvirt}, QEMU {qemu}");
    Ok(record)
}

fn version(root: &Path, program: &str, said: &str) -> Result<Version, LabError> {
    first_version(said).ok_or_else(|| LabError::Lacks {
        root: root.to_owned(),
        sought: format!("a version in what {program} says, `{}`", said.trim()),
    })
}

/// The first word that is a version of at least two numbers.
fn first_version(said: &str) -> Option<Version> {
    let dotted = |word: &&str| word.contains('.');
    said.split(|c: char| !c.is_ascii_digit() && c != '.')
        .filter(dotted)
        .find_map(|word| word.parse().ok())
}

/// The machine types that cases can run on, from what `-machine help` says.
fn machines(said: &str) -> Vec<String> {
    let names = said
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| is_versioned_machine(name))
        .map(str::to_owned)
        .collect()
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_a_program_says_of_itself() {
        let qemu = "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\nCopyright";
        assert_eq!(first_version(qemu), Some(Version::new(7, 2, 22)));
        assert_eq!(
            first_version("/usr/sbin/libvirtd (libvirt) 12.8.0\n"),
            Some(Version::new(12, 8, 0))
        );
        assert_eq!(first_version("nothing"), None);
    }

    #[test]
    fn only_versioned_machine_types_are_kept() {
        let said = "Supported machines are:\n\
                    pc                   Standard PC (alias of pc-i440fx-7.2)\n\
                    pc-i440fx-7.2        Standard PC (default)\n\
                    microvm              microvm\n\
                    pc-q35-rhel9.2.0     RHEL-9.2.0 PC\n\
                    pc-q35-7.2           Standard PC\n";
        assert_eq!(machines(said), ["pc-i440fx-7.2", "pc-q35-7.2"]);
    }
}
