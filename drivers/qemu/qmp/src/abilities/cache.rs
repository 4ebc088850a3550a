//! Capabilities that were probed before, by the digest of their binary.

use std::{
    fs::{self, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Binary, Deadline, QemuCaps, QemuError};

/// A folder with a file a binary. Files may be removed at any time, and damaged ones are not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QemuCapsCache {
    folder: PathBuf,
}

/// The number of the form of a file: another one is another program's.
const FORMAT: u32 = 1;

/// The rights of a file, as far as the user's mask leaves them: others may read it.
const READABLE: u32 = 0o666;

#[derive(Serialize, Deserialize)]
struct File {
    format: u32,
    /// The digest of the abilities as they are written.
    check: String,
    abilities: QemuCaps,
}

impl QemuCapsCache {
    /// The cache in `folder`, which need not exist yet.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// The abilities of `binary`: as they were written down, or else probed, and written down.
    ///
    /// # Errors
    /// Returns an error where the binary can't be read or probed, or the cache can't be written.
    pub async fn abilities(
        &self,
        binary: &Binary,
        deadline: impl Into<Deadline>,
    ) -> Result<QemuCaps, QemuError> {
        let deadline = deadline.into();
        let Some(file) = self.file(binary).await? else {
            return QemuCaps::probe(binary, deadline).await;
        };
        if let Some(abilities) = read(&file) {
            return Ok(abilities);
        }
        let abilities = QemuCaps::probe(binary, deadline).await?;
        self.write(&file, &abilities)?;
        Ok(abilities)
    }

    /// Where the abilities of `binary` are kept, if they can be.
    async fn file(&self, binary: &Binary) -> Result<Option<PathBuf>, QemuError> {
        let binary = binary.clone();
        let digest = tokio::task::spawn_blocking(move || binary.digest()).await;
        let digest = digest
            .map_err(io::Error::other)
            .map_err(QemuError::system("digest a file"))??;
        Ok(digest.map(|digest| self.folder.join(format!("{digest}.json"))))
    }

    /// Writes it beside its place and moves it there, so that no reader finds half of it.
    fn write(&self, file: &Path, abilities: &QemuCaps) -> Result<(), QemuError> {
        fs::create_dir_all(&self.folder).map_err(QemuError::file("create", &self.folder))?;
        let whole = File {
            format: FORMAT,
            check: check(abilities),
            abilities: abilities.clone(),
        };
        let text = serde_json::to_vec(&whole).expect("plain data has a JSON form");
        let mut beside = tempfile::Builder::new();
        beside.permissions(Permissions::from_mode(READABLE));
        let written = beside.tempfile_in(&self.folder).and_then(|mut beside| {
            beside.write_all(&text)?;
            Ok(beside.persist(file)?)
        });
        written.map(drop).map_err(QemuError::file("write", file))
    }
}

/// What is written in `file`, if it can be believed.
fn read(file: &Path) -> Option<QemuCaps> {
    let File {
        format,
        check: expected,
        abilities,
    } = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    (format == FORMAT && expected == check(&abilities)).then_some(abilities)
}

fn check(abilities: &QemuCaps) -> String {
    let text = serde_json::to_vec(abilities).expect("plain data has a JSON form");
    base16ct::lower::encode_string(&Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn abilities() -> QemuCaps {
        serde_json::from_value(json!({
            "version": "10.0.13", "package": "Debian", "capabilities": { "xbzrle": false },
            "schema": [{ "name": "0", "meta-type": "object",
                "members": [{ "name": "a", "type": "str", "default": null }] }],
            "parameters": { "mode": "normal" }, "options": { "smp": ["cpus"] },
            "machines": { "none": { "alias": null, "cpu-max": 1 } }, "devices": ["isa-debug-exit"],
        }))
        .unwrap()
    }

    #[test]
    fn what_was_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = QemuCapsCache::new(folder.path().join("a/b"));
        let file = cache.folder.join("digest.json");
        assert_eq!(read(&file), None);
        cache.write(&file, &abilities()).unwrap();
        assert_eq!(read(&file), Some(abilities()));
        assert_eq!(fs::read_dir(&cache.folder).unwrap().count(), 1);
    }

    #[test]
    fn writers_of_one_file_at_the_same_time_do_not_disturb_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let cache = QemuCapsCache::new(folder.path());
        let file = cache.folder.join("digest.json");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..64).for_each(|_| cache.write(&file, &abilities()).unwrap()));
            }
        });
        assert_eq!(read(&file), Some(abilities()));
        assert_eq!(fs::read_dir(&cache.folder).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_damaged_anywhere_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = QemuCapsCache::new(folder.path());
        let file = cache.folder.join("digest.json");
        cache.write(&file, &abilities()).unwrap();
        let whole = fs::read(&file).unwrap();
        for place in 0..whole.len() {
            fs::write(&file, &whole[..place]).unwrap();
            assert_eq!(read(&file), None);
            let mut other = whole.clone();
            other[place] ^= 1;
            fs::write(&file, other).unwrap();
            assert!(
                read(&file).is_none_or(|believed| believed == abilities()),
                "at {place}"
            );
        }
    }

    #[test]
    fn a_cache_that_cannot_be_written_is_an_error_that_names_it() {
        let cache = QemuCapsCache::new("/dev/null/cache");
        let error = cache
            .write(Path::new("/dev/null/cache/x.json"), &abilities())
            .unwrap_err();
        assert_eq!(error.to_string(), "can't create /dev/null/cache");
    }
}
