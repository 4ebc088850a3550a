//! The XML of a backup and of a checkpoint: of the chain's disk, and not of the one that is booted.

use migratrix_matrix::DirtyBitmap;

use super::disks::{BOOT, DISK};

/// A backup into `file`, since a checkpoint if one is named (libvirt's `formatbackup.rst`).
pub(super) fn backup(file: &str, since: Option<DirtyBitmap>) -> String {
    let since = since.map_or_else(String::new, |since| {
        format!("<incremental>{since}</incremental>")
    });
    format!(
        "<domainbackup mode='push'>{since}<disks><disk name='{BOOT}' backup='no'/>\
         <disk name='{DISK}' type='file'><driver type='qcow2'/><target file='{file}'/></disk>\
         </disks></domainbackup>"
    )
}

/// A checkpoint (libvirt's `formatcheckpoint.rst`).
pub(super) fn checkpoint(name: DirtyBitmap) -> String {
    format!(
        "<domaincheckpoint><name>{name}</name><disks><disk name='{BOOT}' checkpoint='no'/>\
         <disk name='{DISK}' checkpoint='bitmap'/></disks></domaincheckpoint>"
    )
}
