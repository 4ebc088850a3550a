//! The folder of a case.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::{self, FileType},
    os::unix::fs::FileTypeExt,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use migratrix_guest::Parameters;
use migratrix_qmp::QemuError;
use tokio::time::{Instant, interval};

use crate::error::StepError;

/// What a name was given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    /// A file or a socket.
    File,
    /// A folder.
    Folder,
}

/// A folder that one case has for itself. It is removed when this is dropped, at the latest.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: PathBuf,
    /// The paths in it that were given to somebody: nothing else is to be there, nor anything of another
    /// kind.
    given: Mutex<BTreeMap<PathBuf, Given>>,
    /// What else was there when it was removed.
    strange: Mutex<Vec<String>>,
}

impl Scratch {
    pub(crate) const fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            given: Mutex::new(BTreeMap::new()),
            strange: Mutex::new(Vec::new()),
        }
    }

    /// The path of a file in it, which may be there from now on.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        held(&self.given).entry(name.into()).or_insert(Given::File);
        self.folder.join(name)
    }

    /// The path of a file in it, as text for QEMU.
    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_string_lossy().into_owned()
    }

    /// Makes the folder.
    pub(crate) fn make(&self) -> Result<(), StepError> {
        let made = fs::create_dir_all(&self.folder);
        Ok(made.map_err(QemuError::file("create", &self.folder))?)
    }

    /// Makes a folder in it.
    pub(crate) fn make_within(&self, name: &str) -> Result<(), StepError> {
        held(&self.given).insert(name.into(), Given::Folder);
        let path = self.folder.join(name);
        Ok(fs::create_dir_all(&path).map_err(QemuError::file("create", path))?)
    }

    /// Leaves a file in it that nobody was given, on purpose.
    pub(crate) fn litter(&self, name: &str) -> Result<(), StepError> {
        let path = self.folder.join(name);
        let left = fs::write(&path, b"left on purpose\n");
        Ok(left.map_err(QemuError::file("write", path))?)
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StepError> {
        let path = self.path(name);
        Ok(fs::write(&path, bytes).map_err(QemuError::file("write", path))?)
    }

    /// Writes the guest's boot image, and gives its path.
    pub(crate) fn boot_image(&self, guest: &Parameters) -> Result<String, StepError> {
        if !self.path(BOOT).exists() {
            self.write(BOOT, &guest.boot_image()?)?;
        }
        Ok(self.text(BOOT))
    }

    /// The paths of all that is left in it, and of what was there when it was removed and nobody was given.
    pub(crate) fn left(&self) -> Vec<String> {
        let mut left = held(&self.strange).clone();
        left.extend(entries(&self.folder).iter().map(|(path, _)| told(path)));
        left
    }

    /// Removes it with all that is in it.
    pub(crate) fn remove(&self) {
        let strange = self.strange_in(&self.folder);
        held(&self.strange).extend(strange);
        // What can't be removed is found as leftovers.
        drop(fs::remove_dir_all(&self.folder));
    }

    /// What lies in the folder, and in those in it that were given, and nobody was given.
    fn strange_in(&self, folder: &Path) -> Vec<String> {
        let mut strange = Vec::new();
        for (path, kind) in entries(folder) {
            match self.given_for(&path) {
                Some(Given::Folder) if kind.is_dir() => strange.extend(self.strange_in(&path)),
                Some(Given::File) if kind.is_file() || kind.is_socket() => {}
                Some(Given::File | Given::Folder) | None => strange.push(told(&path)),
            }
        }
        strange
    }

    fn given_for(&self, path: &Path) -> Option<Given> {
        let within = path.strip_prefix(&self.folder).ok()?;
        held(&self.given).get(within).copied()
    }
}

/// What lies in a folder, each with what it is: a link is not followed.
fn entries(folder: &Path) -> Vec<(PathBuf, FileType)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let entries = entries.filter_map(|entry| Some((entry.path(), entry.file_type().ok()?)));
    entries.collect()
}

fn told(path: &Path) -> String {
    path.display().to_string()
}

/// What is behind a lock that nobody panics with.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

const BOOT: &str = "boot";

/// The variable that marks what belongs to a case.
const MARK: &str = "MIGRATRIX_CASE";

/// How often is looked for processes that are to go.
const EVERY: Duration = Duration::from_millis(20);

impl Drop for Scratch {
    fn drop(&mut self) {
        self.remove();
    }
}

impl Scratch {
    /// Those processes that are still there when their time is up: one that was ended goes when the
    /// machine comes to it.
    pub(crate) async fn processes_left(&self, patience: Duration) -> Vec<String> {
        let deadline = Instant::now() + patience;
        let mut tick = interval(EVERY);
        loop {
            tick.tick().await;
            let left = self.processes();
            if left.is_empty() || Instant::now() >= deadline {
                return left;
            }
        }
    }

    /// What a case's QEMUs have in their environment, and hand on to all that they start: what is left is
    /// known by it, whatever its name.
    pub(crate) fn mark(&self) -> (OsString, OsString) {
        (MARK.into(), self.folder.clone().into())
    }

    /// The processes that have something of it on their command lines, its mark in their environment, or
    /// are in it.
    pub(crate) fn processes(&self) -> Vec<String> {
        let name = format!("{}/", self.folder.display());
        let mark = format!("{MARK}={}\0", self.folder.display());
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let processes = entries.filter(|entry| is_number(&entry.file_name()));
        let lines = processes.filter_map(|entry| {
            let line = read(&entry.path().join("cmdline"))?;
            let is_ours = line.contains(&name)
                || read(&entry.path().join("environ")).is_some_and(|all| all.contains(&mark))
                || self.has_within(&entry.path().join("cwd"));
            is_ours.then(|| {
                format!(
                    "process {}: {}",
                    entry.file_name().to_string_lossy(),
                    line.replace('\0', " ")
                )
            })
        });
        lines.collect()
    }

    /// Whether what this link of a process leads to is the folder or lies in it, removed or not.
    fn has_within(&self, link: &Path) -> bool {
        let to = fs::read_link(link).unwrap_or_default();
        let to = to.to_string_lossy();
        let within = to.strip_prefix(&*self.folder.to_string_lossy());
        within.is_some_and(|rest| ["", REMOVED].contains(&rest) || rest.starts_with('/'))
    }
}

/// What the kernel says behind the path of a folder that is no more.
const REMOVED: &str = " (deleted)";

/// What a file of a process says; `None` where it may not be read, or is no more.
fn read(path: &Path) -> Option<String> {
    let text = String::from_utf8(fs::read(path).ok()?);
    Some(text.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

fn is_number(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// A process that has a file of the folder on its command line, until its input is closed.
    fn user_of(scratch: &Scratch) -> Child {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "read line; exit 0", &scratch.text("disk")]);
        let child = command.stdin(Stdio::piped()).spawn();
        child.expect("there is a shell")
    }

    #[test]
    fn a_process_is_known_by_its_mark_whatever_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(folder.path().join("case-1"));
        let other = Scratch::new(folder.path().join("case-10"));
        let mut command = Command::new("/bin/sh");
        // The shell starts another program, which inherits the mark.
        command.args(["-c", "cat; exit 0"]).envs([scratch.mark()]);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        // For a moment a new program has no environment that the kernel would tell.
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while scratch.processes().is_empty() {
            assert!(std::time::Instant::now() < deadline, "it is not found");
        }
        assert_eq!(other.processes(), Vec::<String>::new());
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
        assert_eq!(scratch.processes(), Vec::<String>::new());
    }

    #[test]
    fn what_lay_in_the_folder_and_was_given_to_nobody_is_left_over_though_it_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(folder.path().join("case"));
        scratch.make_within("keys").unwrap();
        scratch.write("keys/one", b"1").unwrap();
        fs::write(scratch.text("socket"), b"").unwrap();
        scratch.remove();
        assert_eq!(scratch.left(), Vec::<String>::new());
        scratch.make().unwrap();
        let strange = folder.path().join("case/.hidden");
        fs::create_dir(&strange).unwrap();
        scratch.remove();
        assert!(!strange.exists());
        assert_eq!(scratch.left(), [strange.display().to_string()]);
    }

    #[test]
    fn what_lies_below_or_is_of_another_kind_than_was_given_is_left_over() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(folder.path().join("case"));
        scratch.make_within("keys").unwrap();
        scratch.write("keys/one", b"1").unwrap();
        scratch.litter("keys/two").unwrap();
        std::os::unix::fs::symlink("/nowhere", scratch.path("link")).unwrap();
        nix::unistd::mkfifo(&scratch.path("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        fs::create_dir(scratch.path("file")).unwrap();
        drop(std::os::unix::net::UnixListener::bind(scratch.path("socket")).unwrap());
        scratch.litter(".hidden").unwrap();
        scratch.remove();
        let mut left = scratch.left();
        left.sort();
        let names = [".hidden", "fifo", "file", "keys/two", "link"];
        let strange = names.map(|name| format!("{}/case/{name}", folder.path().display()));
        assert_eq!(left, strange);
    }

    #[test]
    fn a_process_is_known_by_the_folder_that_it_is_in_though_that_was_removed() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(folder.path().join("case"));
        let other = Scratch::new(folder.path().join("cas"));
        scratch.make_within("in").unwrap();
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", "read line; exit 0"])
            .current_dir(scratch.path("in"));
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        assert_eq!(scratch.processes().len(), 1);
        scratch.remove();
        assert_eq!(scratch.processes().len(), 1);
        assert_eq!(other.processes(), Vec::<String>::new());
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
    }

    #[tokio::test]
    async fn an_ended_process_has_its_time_to_go() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(folder.path().join("case"));
        let mut child = user_of(&scratch);
        assert_eq!(scratch.processes_left(Duration::ZERO).await.len(), 1);
        let going = async {
            // It is slow to go: it is looked for several times before.
            tokio::time::sleep(5 * EVERY).await;
            drop(child.stdin.take());
            child.wait()
        };
        let patience = Duration::from_secs(60);
        let (left, ended) = tokio::join!(scratch.processes_left(patience), going);
        assert_eq!(left, Vec::<String>::new());
        assert!(ended.unwrap().success());
    }
}
