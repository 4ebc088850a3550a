//! Whether there is room for a release.

use std::path::{Path, PathBuf};

use migratrix_matrix::Shown;

use crate::LabError;

/// An error where less than `needed_mib` is free in the folder.
pub(crate) fn demand(folder: PathBuf, needed_mib: u64) -> Result<(), LabError> {
    let free_mib = free_mib(&folder)?;
    if free_mib >= needed_mib {
        return Ok(());
    }
    Err(LabError::Space {
        path: folder,
        free_mib,
        needed_mib,
    })
}

/// The space that is free for us where `path` is, in MiB.
pub(crate) fn free_mib(path: &Path) -> Result<u64, LabError> {
    let stat = nix::sys::statvfs::statvfs(path);
    let stat = stat.map_err(LabError::system(format!("measure {}", path.shown())))?;
    Ok(stat.blocks_available() * stat.fragment_size() / (1024 * 1024))
}
