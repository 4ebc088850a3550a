//! The guest's boot image, on the hosts that are ours.

use std::{fs, io, path::Path};

use migratrix_contract::{Host, Subject};

use crate::Error;

/// Writes the boot image where `host` looks for it, unless it is there. On a host that is not ours it
/// must be there already.
///
/// # Errors
/// Returns an error if no image can be made, or the file can't be written.
pub fn provide(host: &dyn Host, subject: &Subject) -> Result<(), Error> {
    match host.path(&subject.boot_image) {
        Some(path) if !path.exists() => {
            let image = subject.guest.boot_image()?;
            put(&path, &subject.domain, &image).map_err(|source| Error::File { path, source })
        }
        Some(_) | None => Ok(()),
    }
}

/// Writes `bytes` to `path` at once, so that nobody sees half of them; `mark` tells writers apart.
fn put(path: &Path, mark: &str, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let draft = path.with_extension(mark);
    fs::write(&draft, bytes)?;
    fs::rename(&draft, path)
}
