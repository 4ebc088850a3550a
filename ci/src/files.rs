//! Files that are read and written by name: whatever stands under a name and is no regular file (a
//! pipe, a device, a directory) is refused by what it is. Without that, a pipe is waited for for ever.
//! A link to a regular file is as good as the file.

use std::{
    fs::{self, File, FileType, Metadata, OpenOptions},
    hash::{BuildHasher, Hasher, RandomState},
    io::{self, BufWriter, ErrorKind, Read, Write, stderr, stdout},
    os::{
        fd::AsFd,
        unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, fchown},
    },
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use nix::{
    fcntl::{FcntlArg, OFlag, fcntl},
    libc::{O_NOCTTY, O_NONBLOCK},
};

use crate::{WrongUse, is_full, say::Shown};

/// How long a text is at most that people write, in bytes: what is longer is another file, and takes long to be read.
const LONGEST_TEXT: u64 = 64 << 20;

/// Opens a regular file to read it.
///
/// # Errors
/// Fails where it is not there or can't be read, or says what is there in its place.
pub fn open(path: &Path) -> io::Result<File> {
    opened(path, OpenOptions::new().read(true))
}

/// Opens a regular file as the options say, and makes it where they say so.
///
/// # Errors
/// As [`open`].
pub fn opened(path: &Path, how: &mut OpenOptions) -> io::Result<File> {
    // Some devices do something when they are opened.
    match fs::metadata(path) {
        Ok(there) => demand_regular(there.file_type())?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let file = how.custom_flags(O_NONBLOCK | O_NOCTTY).open(path)?;
    demand_regular(file.metadata()?.file_type())?;
    Ok(file)
}

/// Sees to it that what is there is a regular file.
///
/// # Errors
/// As [`open`].
pub fn demand(path: &Path) -> io::Result<()> {
    demand_regular(fs::metadata(path)?.file_type())
}

/// The bytes of a regular file.
///
/// # Errors
/// As [`open`].
pub fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The text of a regular file, which people write or could.
///
/// # Errors
/// As [`open`]; and where it is no UTF-8, or too long for that.
pub fn text(path: &Path) -> io::Result<String> {
    let (mut text, mut file) = (String::new(), open(path)?);
    if file.metadata()?.len() > LONGEST_TEXT {
        let why = format!("it is longer than {} MiB", LONGEST_TEXT >> 20);
        return Err(io::Error::new(ErrorKind::FileTooLarge, why));
    }
    file.read_to_string(&mut text)?;
    Ok(text)
}

/// Makes a file, which is emptied where it is there. What may be written into and is no regular file
/// is written into, but for a pipe that nobody reads.
///
/// # Errors
/// Fails where it can't be made or written; where it is an output of this program whose reader wants no
/// more, as one that is written into then does.
pub fn create(path: &Path) -> io::Result<File> {
    let mut how = OpenOptions::new();
    how.write(true).create(true).truncate(true);
    let made = how.custom_flags(O_NONBLOCK | O_NOCTTY).open(path);
    let file = made.map_err(|error| match fs::metadata(path) {
        Ok(there) if !there.file_type().is_fifo() => error,
        Ok(there) if is_own_output(&there) => ErrorKind::BrokenPipe.into(),
        Ok(there) => no_file(there.file_type()),
        Err(_) => error,
    })?;
    // Whoever reads a pipe may take its time.
    fcntl(&file, FcntlArg::F_SETFL(OFlag::empty()))?;
    Ok(file)
}

/// Whether it is what this program prints to.
fn is_own_output(there: &Metadata) -> bool {
    let (out, error) = (stdout(), stderr());
    let own = [out.as_fd(), error.as_fd()].into_iter();
    let own = own.filter_map(|one| File::from(one.try_clone_to_owned().ok()?).metadata().ok());
    own.map(|own| (own.dev(), own.ino()))
        .any(|own| own == (there.dev(), there.ino()))
}

fn demand_regular(there: FileType) -> io::Result<()> {
    if there.is_file() {
        Ok(())
    } else {
        Err(no_file(there))
    }
}

fn no_file(there: FileType) -> io::Error {
    let what = format!("it is {}, and no regular file", word(there));
    io::Error::new(ErrorKind::InvalidInput, what)
}

fn word(there: FileType) -> &'static str {
    if there.is_dir() {
        "a directory"
    } else if there.is_fifo() {
        "a pipe (FIFO)"
    } else if there.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

/// Sees to it that a directory is one that can be written into, or can be made: a probe is put into
/// it, or into the nearest one above it, and taken away.
///
/// # Errors
/// Names what is in the way.
pub fn demand_folder(folder: &Path) -> Result<()> {
    let there = nearest(folder);
    if !there.is_dir() {
        bail!(WrongUse(format!("{} is no directory", there.shown())));
    }
    let told = |error: io::Error| -> anyhow::Error {
        if is_full(&error) {
            return anyhow::Error::new(error).context(there.shown());
        }
        let folder = there.shown();
        WrongUse(format!("nothing can be written into {folder}: {error}")).into()
    };
    probe(&there).map_err(told)
}

/// The path, or what of it is there already.
fn nearest(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut parts = absolute.ancestors();
    // A link that leads nowhere is in the way as well.
    let there = parts.find(|part| part.symlink_metadata().is_ok());
    there.unwrap_or(&absolute).to_owned()
}

fn probe(folder: &Path) -> io::Result<()> {
    // Not by the process: each sandbox counts its own from 1.
    let name = format!(".migratrix-probe-{:x}", chance());
    let probe = folder.join(name);
    let mut how = OpenOptions::new();
    how.write(true).create_new(true).open(&probe)?;
    fs::remove_file(probe)
}

/// A number by chance: the keys of a hash table are such.
pub fn chance() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Writes a file through another one beside it, so that it is whole or not there.
///
/// # Errors
/// Fails where it can't be written.
pub fn write_whole(path: &Path, text: &str) -> Result<()> {
    write_by(path, |pen| Ok(pen.write_all(text.as_bytes())?))
}

/// The most links that are followed, as the kernel does it: see path_resolution(7).
const LINKS: usize = 40;

/// Where a file really is, or would be: a link stays one, also one to what is not there yet.
fn whole(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    // What a link of /proc says is no path.
    for _ in 0..LINKS {
        if path.exists() {
            break;
        }
        let Ok(to) = fs::read_link(&path) else {
            break;
        };
        path = path
            .parent()
            .map_or_else(|| to.clone(), |folder| folder.join(&to));
    }
    fs::canonicalize(&path).unwrap_or(path)
}

/// Gives a file that takes the place of another one the mode of that, and its owner where we may.
fn made_like(file: &File, old: &Path) -> io::Result<()> {
    let Ok(old) = fs::metadata(old) else {
        return Ok(());
    };
    let _not_ours_to_give = fchown(file, Some(old.uid()), Some(old.gid()));
    file.set_permissions(old.permissions())
}

/// Whether it is there and no file, but a device or a pipe: that is written into, and not replaced.
fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|data| !data.is_file() && !data.is_dir())
}

/// Has a file written through another one beside it, of which nothing is left where that fails. What is
/// no file, and whose reader wants no more, is written as far as it is read.
///
/// # Errors
/// Fails where it can't be written.
pub fn write_by(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> Result<()>) -> Result<()> {
    let path = &whole(path);
    let (part, special) = (part_of(path), is_special(path));
    let written = || -> Result<()> {
        let file = create(if special { path } else { &part })?;
        if !special {
            made_like(&file, path)?;
        }
        let mut pen = BufWriter::new(file);
        write(&mut pen)?;
        pen.flush()?;
        if special {
            return Ok(());
        }
        Ok(fs::rename(&part, path)?)
    };
    match written() {
        Err(error) if special && error.chain().any(is_closed) => Ok(()),
        ended => ended.with_context(|| {
            let _nothing_there = fs::remove_file(&part);
            format!("can't write {}", path.shown())
        }),
    }
}

/// Whether the cause is a reader that wants no more.
fn is_closed(cause: &(dyn std::error::Error + 'static)) -> bool {
    let kind = cause.downcast_ref().map(io::Error::kind);
    kind == Some(ErrorKind::BrokenPipe)
}

/// What a file is called while it is written.
fn part_of(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    part.into()
}

/// Where a file is, links followed; of one that is not there, where it would be.
pub fn real(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (absolute.parent(), absolute.file_name()) {
        (Some(folder), Some(name)) => real(folder).join(name),
        (_, _) => absolute,
    }
}

/// How a page at this place leads to other files.
pub fn ways_from(page: &Path) -> impl Fn(&Path) -> String {
    let page = real(page);
    let folder = page.parent().map(Path::to_owned).unwrap_or_default();
    move |file| relative(&folder, &real(file))
}

fn relative(folder: &Path, file: &Path) -> String {
    let shared = folder.components().zip(file.components());
    let shared = shared.take_while(|(one, other)| one == other).count();
    let up = folder.components().skip(shared).map(|_| "..");
    let down = file.components().skip(shared);
    let down = down.map(|part| part.as_os_str().to_string_lossy().into_owned());
    let parts: Vec<_> = up.map(str::to_owned).chain(down).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use nix::{sys::stat::Mode, unistd::mkfifo};

    use super::*;

    #[test]
    fn what_is_no_regular_file_is_refused_by_what_it_is_and_nothing_waits_for_it() {
        let dir = tempfile::tempdir().expect("there is room");
        let pipe = dir.path().join("pipe");
        mkfifo(&pipe, Mode::S_IRWXU).expect("there is room");
        let link = dir.path().join("link");
        symlink(&pipe, &link).expect("there is room");
        for (path, word) in [
            (pipe.as_path(), "a pipe"),
            (&link, "a pipe"),
            (dir.path(), "a directory"),
            (Path::new("/dev/null"), "a device"),
        ] {
            let why = text(path).expect_err("it is no file").to_string();
            assert!(why.contains(word), "{why}");
        }
        assert!(
            create(&pipe)
                .expect_err("nobody reads")
                .to_string()
                .contains("a pipe")
        );
        create(Path::new("/dev/null")).expect("it takes everything");
    }

    #[test]
    fn what_is_written_goes_into_a_pipe_that_is_read_and_nothing_waits_for_one_that_is_not() {
        let dir = tempfile::tempdir().expect("there is room");
        let pipe = dir.path().join("pipe");
        mkfifo(&pipe, Mode::S_IRWXU).expect("there is room");
        let why = format!(
            "{:#}",
            write_whole(&pipe, "text").expect_err("nobody reads")
        );
        assert!(why.contains("a pipe"), "{why}");
        let mut how = OpenOptions::new();
        let mut reader = how
            .read(true)
            .custom_flags(O_NONBLOCK)
            .open(&pipe)
            .expect("it is there");
        write_whole(&pipe, "text").expect("somebody reads");
        let mut read = String::new();
        reader.read_to_string(&mut read).expect("it was written");
        assert_eq!(read, "text");
    }

    #[test]
    fn a_link_to_a_regular_file_is_as_good_as_the_file() {
        let dir = tempfile::tempdir().expect("there is room");
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&file, "text").expect("there is room");
        symlink(&file, &link).expect("there is room");
        assert_eq!(text(&link).expect("it is there"), "text");
        assert_eq!(
            text(&dir.path().join("none"))
                .expect_err("it is not")
                .kind(),
            ErrorKind::NotFound
        );
    }

    #[test]
    fn a_text_that_nobody_has_written_is_not_read() {
        let file = tempfile::NamedTempFile::new().expect("there is room");
        let set = |length| file.as_file().set_len(length).expect("it is a hole");
        set(LONGEST_TEXT + 1);
        let refused = text(file.path()).expect_err("it is too long");
        assert_eq!(refused.to_string(), "it is longer than 64 MiB");
        set(3);
        assert_eq!(text(file.path()).expect("it is short"), "\0\0\0");
    }

    #[test]
    fn what_is_written_anew_keeps_its_mode_and_is_reached_by_the_link_that_led_to_it() {
        let dir = tempfile::tempdir().expect("there is room");
        let (file, link) = (dir.path().join("deep/file"), dir.path().join("link"));
        fs::create_dir(dir.path().join("deep")).expect("there is room");
        symlink("deep/other", &link).expect("there is room");
        symlink("file", dir.path().join("deep/other")).expect("there is room");
        write_whole(&link, "one").expect("there is room");
        assert_eq!(fs::read_to_string(&file).expect("it was made"), "one");
        for mode in [0o600, 0o664, 0o444] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("it is ours");
            write_whole(&link, "two").expect("there is room");
            assert!(link.is_symlink() && dir.path().join("deep/other").is_symlink());
            let now = fs::metadata(&file).expect("it is there");
            assert_eq!(now.permissions().mode() & 0o7777, mode);
            assert_eq!(fs::read_to_string(&file).expect("it is there"), "two");
        }
        let left = fs::read_dir(dir.path().join("deep")).expect("it is there");
        assert_eq!(left.count(), 2, "nothing is left beside it");
    }

    #[test]
    fn a_folder_is_one_that_can_be_written_into_or_made() {
        let dir = tempfile::tempdir().expect("there is room");
        demand_folder(&dir.path().join("new/deep")).expect("it can be made");
        assert_eq!(fs::read_dir(dir.path()).expect("it is there").count(), 0);
        let file = dir.path().join("file");
        fs::write(&file, "").expect("there is room");
        for bad in [&file, &file.join("below"), Path::new("/proc/new/deep")] {
            demand_folder(bad).expect_err("it can't be made");
        }
    }

    #[test]
    fn many_may_ask_for_one_folder_at_once() {
        let dir = tempfile::tempdir().expect("there is room");
        let ask = || (0..200).try_for_each(|_| demand_folder(dir.path()));
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
            for one in all {
                let asked = one.join().expect("it ends");
                asked.expect("nobody is in another one's way");
            }
        });
    }

    #[test]
    fn a_way_leads_up_and_down_again() {
        let way = |from: &str, to: &str| relative(Path::new(from), Path::new(to));
        assert_eq!(way("/a/b", "/a/b/history/x"), "history/x");
        assert_eq!(way("/a/c/d", "/a/b/history/x"), "../../b/history/x");
        assert_eq!(way("/", "/a"), "a");
    }
}
