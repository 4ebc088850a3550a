//! The packages of a root, as dpkg has written them down.

use std::{fs, path::Path};

use super::Inventory;
use crate::{LabError, Package};

/// Where dpkg writes down what is installed.
const STATUS: &str = "var/lib/dpkg/status";

/// What dpkg says of a root: of the packages those that are `kept`, and the version of the one that is
/// the C library. `None` where there is no dpkg.
pub(super) fn inventory(
    root: &Path,
    kept: &[&str],
    c_library: &str,
) -> Result<Option<Inventory>, LabError> {
    let status =
        migratrix_root::resolve(root, STATUS).map_err(LabError::file("read", root.join(STATUS)))?;
    if !status.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&status).map_err(LabError::file("read", status))?;
    let packages = installed(&text, kept);
    Ok(Some(Inventory {
        glibc: upstream(&packages, c_library),
        packages,
    }))
}

fn installed(status: &str, kept: &[&str]) -> Vec<Package> {
    let field = |entry: &str, key: &str| {
        entry
            .lines()
            .find_map(|line| line.strip_prefix(key))
            .map(|text| text.trim().to_owned())
    };
    let package = |entry: &str| {
        let name = field(entry, "Package:").filter(|name| kept.contains(&name.as_str()))?;
        Some(Package {
            name,
            version: field(entry, "Version:")?,
        })
    };
    status.split("\n\n").filter_map(package).collect()
}

/// The version of a package without its distribution's part.
fn upstream(packages: &[Package], name: &str) -> Option<String> {
    let package = packages.iter().find(|package| package.name == name)?;
    package.version.split('-').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_versions_come_from_the_status_of_dpkg() {
        let dir = tempfile::tempdir().unwrap();
        let found = || inventory(dir.path(), &["libc6"], "libc6").unwrap();
        assert_eq!(found(), None);
        let status = "Package: adduser\nVersion: 3\n\nPackage: libc6\nStatus: install ok installed\n\
                      Version: 2.36-9+deb12u10\nDescription: x\n\n";
        fs::create_dir_all(dir.path().join("var/lib/dpkg")).unwrap();
        fs::write(dir.path().join(STATUS), status).unwrap();
        let libc = Package {
            name: "libc6".into(),
            version: "2.36-9+deb12u10".into(),
        };
        let expected = Inventory {
            packages: vec![libc],
            glibc: Some("2.36".to_owned()),
        };
        assert_eq!(found(), Some(expected));
    }
}
