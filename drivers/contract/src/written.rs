//! What the writes to a disk make of it, in an image of our own: no QEMU and no tool of a release has a hand in it.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    os::unix::fs::FileExt,
    path::Path,
};

use migratrix_matrix::{Drive, Write};

/// The name of the raw image with what was written to a disk.
#[must_use]
pub fn written_image(drive: Drive) -> String {
    format!("{drive}-written")
}

/// Writes to the raw image at `path`, which is made where it is not there, and is as large as the disk.
///
/// # Errors
/// Returns the error of the file system.
pub fn write_to_image(path: &Path, size: u64, writes: &[Write]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut image = options
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    if image.metadata()?.len() < size {
        image.set_len(size)?;
    }
    for write in writes {
        let length = usize::try_from(write.length).map_err(io::Error::other)?;
        image.write_all_at(&vec![write.pattern; length], write.offset)?;
    }
    image.flush()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn an_image_has_what_was_written_last_and_zeros_and_grows() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(written_image(Drive::First));
        let write = |pattern, offset, length| Write {
            pattern,
            offset,
            length,
        };
        write_to_image(&path, 8, &[write(1, 0, 2), write(2, 1, 3)]).expect("it is written");
        write_to_image(&path, 10, &[write(3, 8, 1)]).expect("it is written");
        let bytes = fs::read(&path).expect("it is there");
        assert_eq!(bytes, [1, 2, 2, 2, 0, 0, 0, 0, 3, 0]);
    }
}
