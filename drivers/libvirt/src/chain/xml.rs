//! The XML of a backup and of a checkpoint: of the chain's disk, and not of the one that is booted.

use migratrix_matrix::DirtyBitmap;

use super::disks::BOOT;

/// A backup of `disk` into `file`, since a checkpoint if one is named (libvirt's `formatbackup.rst`).
pub(super) fn backup(disk: &str, file: &str, since: Option<DirtyBitmap>) -> String {
    let since = since.map_or_else(String::new, |since| {
        format!("<incremental>{since}</incremental>")
    });
    format!(
        "<domainbackup mode='push'>{since}<disks><disk name='{BOOT}' backup='no'/>\
         <disk name='{disk}' type='file'><driver type='qcow2'/><target file='{file}'/></disk>\
         </disks></domainbackup>"
    )
}

/// A checkpoint of `disk` (libvirt's `formatcheckpoint.rst`).
pub(super) fn checkpoint(disk: &str, name: DirtyBitmap) -> String {
    format!(
        "<domaincheckpoint><name>{name}</name><disks><disk name='{BOOT}' checkpoint='no'/>\
         <disk name='{disk}' checkpoint='bitmap'/></disks></domaincheckpoint>"
    )
}
