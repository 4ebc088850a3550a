//! What is in a root file system: the versions that it holds, and its machine types.

use std::path::Path;

use migratrix_contract::now_unix;
use migratrix_matrix::{ReleaseName, Shown, Version, is_versioned_machine, typed_word};
use migratrix_root::Root;
use tracing::info;

use crate::{
    LabError,
    releases::{
        jail,
        release::{FORMAT, Origin, Record},
        source::{self, Inventory, ReleaseSource, SOURCES},
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
        libvirt: version(root, LIBVIRTD)?,
        qemu: version(root, qemu)?,
        machines: machines(&jail::ask(root, qemu, &["-machine", "help"])?),
        packages,
        glibc,
        added: now_unix(),
    };
    let Record { libvirt, qemu, .. } = &record;
    info!("{name}: libvirt {libvirt}, QEMU {qemu}");
    Ok(record)
}

/// Sees to it that a root still holds what was found in it when its release was made.
pub(crate) fn demand_unchanged(root: &Path, record: &Record) -> Result<(), LabError> {
    let qemu = Root::at(root).own_qemu()?;
    let now = [version(root, LIBVIRTD)?, version(root, qemu)?].map(|version| version.to_string());
    let then = [record.libvirt, record.qemu].map(|version| version.to_string());
    let programs = ["libvirt", "QEMU"].map(str::to_owned);
    let packages = source::inventory(&SOURCES, root)?.packages;
    let of = |name: &str| packages.iter().find(|one| one.name == name);
    let packages = record.packages.iter().map(|one| {
        let now = of(&one.name).map_or("nothing", |now| &now.version);
        (one.name.clone(), one.version.clone(), now.to_owned())
    });
    let programs = programs.into_iter().zip(then).zip(now);
    let programs = programs.map(|((what, then), now)| (what, then, now));
    match programs.chain(packages).find(|(_, then, now)| then != now) {
        Some((what, then, now)) => Err(LabError::Changed {
            name: record.name.clone(),
            change: format!("{what} is {now} in {}, and was {then}", root.shown()),
            mend: mend(record),
        }),
        None => Ok(()),
    }
}

/// How a release is taken as it is now.
fn mend(Record { name, origin, .. }: &Record) -> String {
    match origin {
        Origin::Recipe { .. } => format!("`migratrix releases build --again {name}`"),
        Origin::Directory(path) | Origin::Tarball(path) => {
            let path = typed_word(&path.to_string_lossy());
            format!("`migratrix releases rm {name}`, then `migratrix releases add {name} {path}`")
        }
    }
}

fn version(root: &Path, program: &str) -> Result<Version, LabError> {
    let said = jail::ask(root, program, &["--version"])?;
    first_version(&said).ok_or_else(|| LabError::NoVersion {
        root: root.to_owned(),
        program: program.to_owned(),
        said,
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
