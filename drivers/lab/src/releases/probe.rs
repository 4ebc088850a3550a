//! What is in a root file system: the versions that it holds, and its machine types.

use std::{fs, path::Path, time::SystemTime};

use migratrix_matrix::{ReleaseName, Version, is_versioned_machine};
use migratrix_root::Root;

use crate::{
    LabError,
    releases::{
        jail,
        release::{FORMAT, Origin, Package, Record},
    },
};

/// The daemon of a root.
pub(crate) const LIBVIRTD: &str = "/usr/sbin/libvirtd";
/// The QEMU of a root.
pub(crate) const QEMU: &str = "/usr/bin/qemu-system-x86_64";

/// The packages whose exact versions are kept.
const PACKAGES: [&str; 7] = [
    "libvirt-daemon",
    "libvirt-daemon-system",
    "libvirt0",
    "qemu-system-x86",
    "qemu-utils",
    "seabios",
    "libc6",
];

/// Looks into the root and writes down what it holds.
pub(crate) fn look(root: &Path, name: &ReleaseName, origin: Origin) -> Result<Record, LabError> {
    for program in [LIBVIRTD, QEMU] {
        demand(root, program)?;
    }
    // Clients are started by it.
    Root::at(root).loader()?;
    let packages = packages(root)?;
    Ok(Record {
        format: FORMAT,
        name: name.clone(),
        origin,
        libvirt: version(root, LIBVIRTD, &jail::ask(root, LIBVIRTD, &["--version"])?)?,
        qemu: version(root, QEMU, &jail::ask(root, QEMU, &["--version"])?)?,
        machines: machines(&jail::ask(root, QEMU, &["-machine", "help"])?),
        glibc: glibc(&packages),
        packages,
        added: now(),
    })
}

fn demand(root: &Path, program: &str) -> Result<(), LabError> {
    Ok(Root::at(root).file(&[program]).map(drop)?)
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

fn packages(root: &Path) -> Result<Vec<Package>, LabError> {
    let status = "var/lib/dpkg/status";
    let status =
        migratrix_root::resolve(root, status).map_err(LabError::file("read", root.join(status)))?;
    if !status.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(&status).map_err(LabError::file("read", status))?;
    Ok(installed(&text))
}

fn installed(status: &str) -> Vec<Package> {
    let field = |entry: &str, key: &str| {
        entry
            .lines()
            .find_map(|line| line.strip_prefix(key))
            .map(|text| text.trim().to_owned())
    };
    let package = |entry: &str| {
        let name = field(entry, "Package:").filter(|name| PACKAGES.contains(&name.as_str()))?;
        Some(Package {
            name,
            version: field(entry, "Version:")?,
        })
    };
    status.split("\n\n").filter_map(package).collect()
}

fn glibc(packages: &[Package]) -> Option<String> {
    let libc = packages.iter().find(|package| package.name == "libc6")?;
    libc.version.split('-').next().map(str::to_owned)
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

    #[test]
    fn package_versions_come_from_the_status_of_dpkg() {
        let status = "Package: adduser\nVersion: 3\n\nPackage: libc6\nStatus: install ok installed\n\
                      Version: 2.36-9+deb12u10\nDescription: x\n\n";
        let found = installed(status);
        assert_eq!(
            found,
            [Package {
                name: "libc6".into(),
                version: "2.36-9+deb12u10".into()
            }]
        );
        assert_eq!(glibc(&found).as_deref(), Some("2.36"));
    }
}
