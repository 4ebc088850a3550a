//! What the kernel says in a file below `/proc`.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// How much is read at once: all of most files there.
const AT_ONCE: usize = 4 << 10;

/// All that the file below `/proc` has. Such a file says nothing of its length, so that it is not asked
/// for that.
///
/// # Errors
/// Returns an error where it is not there, or may not be read.
pub fn read_kernel_file(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    read_all(File::open(path)?)
}

/// All that this file has from here on.
///
/// # Errors
/// Returns an error where it can't be read.
pub fn read_all(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(AT_ONCE);
    // `File` itself would ask for its length first.
    file.take(u64::MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_however_long_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for length in [0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 10 * AT_ONCE] {
            std::fs::write(&path, vec![7; length]).unwrap();
            assert_eq!(read_kernel_file(&path).unwrap(), vec![7; length]);
        }
    }
}
