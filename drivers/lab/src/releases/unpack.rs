//! A tarball, extracted into a folder by a process that may touch files of all the ids that a
//! release's root holds.
//!
//! ```text
//!  tarball ─▶ gzip, xz, zstd ─▶ this program again, in a user namespace ─▶ root
//! ```
//!
//! Whoever packed it is not trusted: nothing is written outside the root, neither setuid or setgid
//! bits nor device files come out of it, and its size and the number of its entries are bounded.

use std::{
    env,
    ffi::OsString,
    fmt::{self, Display},
    fs::File,
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use nix::sys::resource::{Resource, setrlimit};
use serde::{Deserialize, Serialize};
use tar::{Archive, Entry, EntryType};

use crate::{LabError, privilege, process};

/// The hidden command by which the lab starts this program again to extract what comes on its
/// standard input. Its argument is the folder.
pub(crate) const COMMAND: &str = "lab-unpack";

/// The exit code of [`COMMAND`] where the tarball is to blame.
const BAD: u8 = 3;

/// What a tarball may hold.
const BOUNDS: Bounds = Bounds {
    bytes: 16 << 30,
    entries: 1_000_000,
};

/// How much memory the extraction may take, in bytes: a name in a tarball can be of any length.
const MEMORY: u64 = 1 << 30;

/// The bits of a mode that run a program as another: setuid and setgid.
const AS_OTHERS: u32 = 0o6000;

/// How compressed files begin, and what takes them apart.
const COMPRESSIONS: [(&[u8], &str, &str); 4] = [
    (b"\x1f\x8b", "gzip", "gzip"),
    (b"\xfd7zXZ\0", "xz", "xz-utils"),
    (b"\x28\xb5\x2f\xfd", "zstd", "zstd"),
    (b"BZh", "bzip2", "bzip2"),
];

/// What a tarball may hold at most.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    bytes: u64,
    entries: u64,
}

/// What came out of a tarball, and what was left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// How many entries it has.
    pub entries: u64,
    /// How large it is without compression, in bytes.
    pub bytes: u64,
    /// Files that lost a setuid or setgid bit.
    pub stripped: u64,
    /// Device files, which were left out.
    pub devices: u64,
}

impl Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            entries,
            bytes,
            stripped,
            devices,
        } = self;
        let count = |number: &u64, one: &str, more: &str| {
            let word = if *number == 1 { one } else { more };
            format!("{number} {word}")
        };
        write!(
            f,
            "extracted {}, {} MiB; left out: setuid and setgid bits of {}, {}",
            count(entries, "entry", "entries"),
            bytes >> 20,
            count(stripped, "file", "files"),
            count(devices, "device file", "device files"),
        )
    }
}

/// Extracts the tarball at `path` into the empty folder `root`.
pub(crate) fn tarball(path: &Path, root: &Path) -> Result<Contents, LabError> {
    let mut file = File::open(path).map_err(LabError::file("read", path))?;
    let mut magic = Vec::new();
    (&mut file)
        .take(6)
        .read_to_end(&mut magic)
        .and_then(|_| file.rewind())
        .map_err(LabError::file("read", path))?;
    let packed = COMPRESSIONS.iter().find(|(it, ..)| magic.starts_with(it));
    let Some((_, program, package)) = packed else {
        return stream(file.into(), path, root);
    };
    let mut command = Command::new(program);
    command.arg("-dc").stdin(file).stdout(Stdio::piped());
    let mut child = process::spawn(command.stderr(Stdio::null()), package)?;
    let unpacked = child.stdout.take().expect("stdout is piped");
    let done = stream(unpacked.into(), path, root);
    end(&mut child, program)?;
    done
}

/// Extracts a tarball without compression, `name` to people, into the empty folder `root`.
pub(crate) fn stream(tarball: Stdio, name: &Path, root: &Path) -> Result<Contents, LabError> {
    let program = env::current_exe().map_err(LabError::system("find this program"))?;
    let mut command = privilege::as_owner(&program);
    command.arg(COMMAND).arg(root).stdin(tarball);
    let output = command
        .output()
        .map_err(LabError::system("start the extraction"))?;
    if output.status.code() == Some(BAD.into()) {
        return Err(LabError::Tarball {
            path: name.to_owned(),
            why: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        });
    }
    process::check(&command, &output)?;
    let contents: Contents =
        serde_json::from_slice(&output.stdout).map_err(|error| LabError::System {
            what: "hear what was extracted".to_owned(),
            source: error.into(),
        })?;
    if contents.entries == 0 {
        return Err(LabError::Tarball {
            path: name.to_owned(),
            why: "it is empty".to_owned(),
        });
    }
    Ok(contents)
}

/// Ends the program that takes a compression apart: it may still have some that nobody wants.
fn end(child: &mut Child, program: &str) -> Result<(), LabError> {
    drop(child.kill());
    let ended = child.wait();
    ended.map_err(LabError::system(format!("wait for `{program}`")))?;
    Ok(())
}

/// Carries out [`COMMAND`], and gives the code to exit with.
pub(crate) fn dispatch(mut arguments: impl Iterator<Item = OsString>) -> u8 {
    let root = PathBuf::from(arguments.next().unwrap_or_default());
    let bounded = setrlimit(Resource::RLIMIT_AS, MEMORY, MEMORY);
    let done = bounded
        .map_err(io::Error::from)
        .and_then(|()| extract(io::stdin().lock(), &root, BOUNDS));
    match done {
        Ok(contents) => {
            let text = serde_json::to_string(&contents).expect("it is all numbers");
            println!("{text}");
            0
        }
        Err(error) => {
            drop(writeln!(io::stderr(), "{}", with_causes(&error)));
            if is_ours(error.kind()) { 1 } else { BAD }
        }
    }
}

/// Whether the machine is to blame, and not the tarball.
fn is_ours(kind: io::ErrorKind) -> bool {
    [
        io::ErrorKind::StorageFull,
        io::ErrorKind::QuotaExceeded,
        io::ErrorKind::PermissionDenied,
        io::ErrorKind::ReadOnlyFilesystem,
        io::ErrorKind::OutOfMemory,
    ]
    .contains(&kind)
}

/// What the error says, and its causes.
fn with_causes(error: &io::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.get_ref().and_then(|inner| inner.source());
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn extract(tarball: impl Read, root: &Path, bounds: Bounds) -> io::Result<Contents> {
    let mut archive = Archive::new(Bounded {
        inner: tarball,
        read: 0,
        most: bounds.bytes,
    });
    archive.set_preserve_permissions(true);
    archive.set_preserve_ownerships(true);
    archive.set_mask(AS_OTHERS);
    let mut contents = Contents::default();
    for entry in archive.entries()? {
        let entry = entry.map_err(|error| no_entry(error, contents.entries))?;
        contents.entries += 1;
        if contents.entries > bounds.entries {
            return Err(bad(format!("it has more than {} entries", bounds.entries)));
        }
        put(entry, root, &mut contents)?;
    }
    // What follows the last entry counts as well.
    let mut rest = archive.into_inner();
    io::copy(&mut rest, &mut io::sink())?;
    contents.bytes = rest.read;
    Ok(contents)
}

/// That what follows the first `entries` is no entry, in words of ours: the reader of tarballs quotes what it
/// took for a header, whatever its bytes are. What it could not read is told as it was.
fn no_entry(error: io::Error, entries: u64) -> io::Error {
    match (error.kind(), entries) {
        (io::ErrorKind::Other, 0) => {
            let known = COMPRESSIONS.map(|(_, program, _)| program).join(", ");
            bad(format!("it is no tar archive, bare or packed by {known}"))
        }
        (io::ErrorKind::Other, _) => bad(format!(
            "it is damaged, or cut: what follows entry {entries} is no entry of a tar archive"
        )),
        (_, _) => error,
    }
}

/// Puts an entry in its place, unless it is one that is left out.
fn put(mut entry: Entry<'_, impl Read>, root: &Path, contents: &mut Contents) -> io::Result<()> {
    let kind = entry.header().entry_type();
    let mode = entry.header().mode();
    let mode = mode.map_err(|error| no_entry(error, contents.entries - 1))?;
    if [EntryType::Char, EntryType::Block, EntryType::Fifo].contains(&kind) {
        contents.devices += 1;
        return Ok(());
    }
    if kind == EntryType::Regular && mode & AS_OTHERS != 0 {
        contents.stripped += 1;
    }
    if entry.unpack_in(root)? {
        return Ok(());
    }
    let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    Err(bad(format!("its entry `{path}` leads out of the root")))
}

fn bad(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// A reader of so many bytes at most; more are an error.
struct Bounded<R> {
    inner: R,
    read: u64,
    most: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read += read as u64;
        if self.read > self.most {
            return Err(bad(format!("it holds more than {} MiB", self.most >> 20)));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt, symlink},
    };

    use tar::{Builder, Header};

    use super::*;

    #[test]
    fn one_of_something_is_no_plural() {
        let contents = |number| Contents {
            entries: number,
            bytes: 3 << 20,
            stripped: number,
            devices: number,
        };
        assert_eq!(
            contents(1).to_string(),
            "extracted 1 entry, 3 MiB; left out: setuid and setgid bits of 1 file, 1 device file"
        );
        let told = contents(2).to_string();
        assert!(told.ends_with("of 2 files, 2 device files"), "{told}");
    }

    /// A tarball of entries: the kind, the name, the link's target, the mode.
    fn packed(entries: &[(EntryType, &str, &str, u32)]) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        for (kind, name, target, mode) in entries {
            let mut header = Header::new_gnu();
            header.set_entry_type(*kind);
            // As a hostile one is written: without the library's own checks.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
            header.set_mode(*mode);
            header.set_uid(nix::unistd::geteuid().as_raw().into());
            header.set_gid(nix::unistd::getegid().as_raw().into());
            header.set_size(if *kind == EntryType::Regular { 4 } else { 0 });
            header.set_cksum();
            builder
                .append(
                    &header,
                    &b"text"[..usize::from(*kind == EntryType::Regular) * 4],
                )
                .unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn extracted(tarball: &[u8], root: &Path) -> io::Result<Contents> {
        extract(tarball, root, BOUNDS)
    }

    #[test]
    fn neither_bits_that_run_as_others_nor_devices_come_out_of_a_tarball() {
        let dir = tempfile::tempdir().unwrap();
        let tarball = packed(&[
            (EntryType::Directory, "./dev/", "", 0o755),
            (EntryType::Regular, "./su", "", 0o4755),
            (EntryType::Regular, "./at", "", 0o2755),
            (EntryType::Regular, "./plain", "", 0o640),
            (EntryType::Block, "./dev/sda", "", 0o660),
            (EntryType::Char, "./null", "", 0o666),
        ]);
        let contents = extracted(&tarball, dir.path()).unwrap();
        let mode = |name| {
            fs::metadata(dir.path().join(name))
                .unwrap()
                .permissions()
                .mode()
                & 0o7777
        };
        assert_eq!(
            (mode("su"), mode("at"), mode("plain")),
            (0o755, 0o755, 0o640)
        );
        assert!(!dir.path().join("dev/sda").exists() && !dir.path().join("null").exists());
        assert_eq!(
            (contents.entries, contents.stripped, contents.devices),
            (6, 2, 2)
        );
    }

    #[test]
    fn nothing_is_written_or_linked_outside_the_root() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "kept").unwrap();
        let away = outside.path().to_str().unwrap();
        for hostile in [
            packed(&[(EntryType::Regular, "../secret", "", 0o644)]),
            packed(&[
                (EntryType::Symlink, "out", away, 0o777),
                (EntryType::Regular, "out/secret", "", 0o644),
            ]),
            packed(&[(EntryType::Link, "mine", &format!("{away}/secret"), 0o644)]),
        ] {
            let dir = tempfile::tempdir_in(outside.path()).unwrap();
            assert!(extracted(&hostile, dir.path()).is_err());
            let secret = fs::read_to_string(outside.path().join("secret")).unwrap();
            assert_eq!(secret, "kept");
        }
    }

    #[test]
    fn an_absolute_name_is_one_in_the_root() {
        let dir = tempfile::tempdir().unwrap();
        symlink("usr", dir.path().join("lib")).unwrap();
        fs::create_dir(dir.path().join("usr")).unwrap();
        let tarball = packed(&[
            (EntryType::Regular, "/lib/file", "", 0o644),
            (EntryType::Symlink, "sh", "/bin/dash", 0o777),
        ]);
        extracted(&tarball, dir.path()).unwrap();
        assert!(dir.path().join("usr/file").is_file());
        assert!(dir.path().join("sh").is_symlink());
    }

    #[test]
    fn a_tarball_that_holds_too_much_is_refused_and_says_what_is_too_much() {
        let dir = tempfile::tempdir().unwrap();
        let tarball = packed(&[(EntryType::Regular, "a", "", 0o644); 3]);
        let refused = |bytes, entries| {
            let error = extract(&tarball[..], dir.path(), Bounds { bytes, entries }).unwrap_err();
            assert!(!is_ours(error.kind()));
            with_causes(&error)
        };
        assert_eq!(refused(1 << 20, 2), "it has more than 2 entries");
        assert!(refused(1024, 9).contains("it holds more than 0 MiB"));
    }

    #[test]
    fn what_is_no_tarball_is_to_blame_itself() {
        let dir = tempfile::tempdir().unwrap();
        let whole = packed(&[(EntryType::Regular, "a", "", 0o644); 2]);
        let mut damaged = whole.clone();
        damaged[1024..1536].fill(0xf7);
        let none = "it is no tar archive, bare or packed by gzip, xz, zstd, bzip2";
        for (bytes, why) in [
            (&[b'x'; 2048][..], none),
            (&[0xf7; 2048], none),
            (&[0xf7; 5], none),
            (
                &damaged,
                "it is damaged, or cut: what follows entry 1 is no entry of a tar archive",
            ),
            (
                &whole[..1200],
                "it is damaged, or cut: what follows entry 1 is no entry of a tar archive",
            ),
        ] {
            let error = extracted(bytes, dir.path()).unwrap_err();
            assert!(!is_ours(error.kind()), "{error}");
            assert_eq!(with_causes(&error), why);
        }
    }
}
