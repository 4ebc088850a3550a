//! What a daemon finds out at its first use, kept for later hosts of the release.
//!
//! libvirt asks each QEMU for its capabilities, which takes a second or more, and caches the
//! answers. It checks by itself whether an answer still holds (the programs' times, the kernel),
//! so a stale one does no harm. It does not check the filters of its settings: what a host with a filter kept
//! would be filtered on all others, so those that filter have their own.

use std::{fs, io, path::Path};

use tempfile::NamedTempFile;

/// Where libvirt's QEMU driver caches what it found out.
const CACHE: &str = "var/cache/libvirt/qemu/capabilities";

/// Puts what was kept in `warm` into the root of a host that is being made.
pub(crate) fn give(warm: &Path, root: &Path) -> io::Result<()> {
    copy_files(warm, &migratrix_root::resolve(root, CACHE)?)
}

/// Keeps in `warm` what the host with this root has found out.
pub(crate) fn keep(root: &Path, warm: &Path) -> io::Result<()> {
    copy_files(&migratrix_root::resolve(root, CACHE)?, warm)
}

/// Copies all files from one folder to another. Each appears as a whole, since several labs may
/// copy at a time.
fn copy_files(from: &Path, to: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    fs::create_dir_all(to)?;
    for entry in entries {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.extension().is_some_and(|kind| kind == "xml") && differs(&source, &target) {
            let partial = NamedTempFile::new_in(to)?;
            fs::copy(&source, &partial)?;
            partial.persist(&target)?;
        }
    }
    Ok(())
}

fn differs(source: &Path, target: &Path) -> bool {
    fs::read(target).ok() != fs::read(source).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_host_found_out_the_next_is_given() {
        let dir = tempfile::tempdir().unwrap();
        let (first, warm, second) = (
            dir.path().join("first"),
            dir.path().join("warm"),
            dir.path().join("second"),
        );
        give(&warm, &second).unwrap();
        fs::create_dir_all(first.join(CACHE)).unwrap();
        fs::write(first.join(CACHE).join("q.xml"), "<caps/>").unwrap();
        keep(&first, &warm).unwrap();
        give(&warm, &second).unwrap();
        assert_eq!(
            fs::read_to_string(second.join(CACHE).join("q.xml")).unwrap(),
            "<caps/>"
        );
        assert_eq!(fs::read_dir(&warm).unwrap().count(), 1);
    }
}
