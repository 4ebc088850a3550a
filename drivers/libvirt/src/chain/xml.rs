//! The XML of a backup and of a checkpoint: of the chain's disk, and not of the one that is booted.

use migratrix_matrix::DirtyBitmap;

use super::disks::BOOT;
use crate::element::Element;

/// A backup of `disk` into `file`, since a checkpoint if one is named (libvirt's `formatbackup.rst`).
pub(super) fn backup(disk: &str, file: &str, since: Option<DirtyBitmap>) -> String {
    let since = since.map(|since| Element::new("incremental").text(since));
    let booted = Element::new("disk").with("name", BOOT).with("backup", "no");
    let own = Element::new("disk")
        .with("name", disk)
        .with("type", "file")
        .holds(Element::new("driver").with("type", "qcow2"))
        .holds(Element::new("target").with("file", file));
    let backup = Element::new("domainbackup")
        .with("mode", "push")
        .holds_all(since)
        .holds(Element::new("disks").holds(booted).holds(own));
    backup.to_string()
}

/// A checkpoint of `disk` (libvirt's `formatcheckpoint.rst`).
pub(super) fn checkpoint(disk: &str, name: DirtyBitmap) -> String {
    let of = |disk: &str, how| {
        let element = Element::new("disk").with("name", disk);
        element.with("checkpoint", how)
    };
    let disks = Element::new("disks")
        .holds(of(BOOT, "no"))
        .holds(of(disk, "bitmap"));
    let checkpoint = Element::new("domaincheckpoint")
        .holds(Element::new("name").text(name))
        .holds(disks);
    checkpoint.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_any_name_reaches_libvirt_as_it_is() {
        let file = "/srv/a & b's \"<c>\"/d";
        let xml = backup("vdb", file, Some(DirtyBitmap::First));
        let read = roxmltree::Document::parse(&xml).unwrap();
        let find = |name| read.descendants().find(|node| node.has_tag_name(name));
        assert_eq!(find("target").unwrap().attribute("file"), Some(file));
        let since = find("incremental").unwrap().text();
        assert_eq!(since, Some(DirtyBitmap::First.name()));
    }

    #[test]
    fn a_whole_backup_and_a_checkpoint_leave_the_booted_disk_alone() {
        let xml = backup("vdb", "/f", None);
        assert_eq!(
            xml,
            "<domainbackup mode=\"push\">\n  <disks>\n    \
             <disk name=\"vda\" backup=\"no\"/>\n    \
             <disk name=\"vdb\" type=\"file\">\n      <driver type=\"qcow2\"/>\n      \
             <target file=\"/f\"/>\n    </disk>\n  </disks>\n</domainbackup>"
        );
        let xml = checkpoint("vdb", DirtyBitmap::First);
        let name = DirtyBitmap::First.name();
        assert_eq!(
            xml,
            format!(
                "<domaincheckpoint>\n  <name>{name}</name>\n  <disks>\n    \
                 <disk name=\"vda\" checkpoint=\"no\"/>\n    \
                 <disk name=\"vdb\" checkpoint=\"bitmap\"/>\n  </disks>\n</domaincheckpoint>"
            )
        );
    }
}
