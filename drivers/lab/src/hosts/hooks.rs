//! The hook script of a host, which notes each call, and lets it through, holds it or refuses it.
//!
//! A gate is a file whose name is the call's: a FIFO holds the script until somebody writes to it, any other
//! file has it end with an error. A call that nobody set a gate for goes on at once.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use migratrix_contract::{Gate, HookPoint, MONITORS};
use nix::{sys::stat::Mode, unistd::mkfifo};

use crate::LabError;

/// Where the daemon looks for the script.
const SCRIPT: &str = "/etc/libvirt/hooks/qemu";

/// Where gates and notes are: in none of the folders that are searched for what is left.
pub(crate) const FOLDER: &str = "/opt/migratrix/hooks";

/// What the calls of a domain are noted in.
const NOTES: &str = "calls";

/// It is noted first: who sees the note and a gate knows that the call is held.
const TEXT: &str = r#"#!/bin/sh
cd /opt/migratrix/hooks || exit 0
printf '%s %s\n' "$2" "$3" >> "$1.calls"
gate="$1.$2.$3"
if [ -p "$gate" ]; then
    { read -r _ < "$gate"; } 2> /dev/null
elif [ -e "$gate" ]; then
    echo "refused by the hook script of migratrix" >&2
    exit 1
fi
exit 0
"#;

/// Writes the script, and makes the folders that it and others need. To be called in the host.
pub(crate) fn write() -> Result<(), LabError> {
    for folder in [FOLDER, MONITORS] {
        fs::create_dir_all(folder).map_err(LabError::file("create", folder))?;
    }
    let folder = Path::new(SCRIPT).parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder).map_err(LabError::file("create", folder))?;
    fs::write(SCRIPT, TEXT).map_err(LabError::file("write", SCRIPT))?;
    let executable = fs::set_permissions(SCRIPT, Permissions::from_mode(0o755));
    executable.map_err(LabError::file("write", SCRIPT))
}

/// Sets a gate, in the `folder` that a host knows as [`FOLDER`].
pub(crate) fn set(folder: &Path, domain: &str, at: HookPoint, gate: Gate) -> io::Result<()> {
    let [operation, part] = at.words();
    let path = folder.join(format!("{domain}.{operation}.{part}"));
    match gate {
        Gate::Holds => mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR)?,
        Gate::Refuses => fs::write(path, "")?,
    }
    Ok(())
}

/// Opens all gates of a domain.
pub(crate) fn open(folder: &Path, domain: &str) -> io::Result<()> {
    for path in of(folder, domain)? {
        if path.extension().is_some_and(|name| name == NOTES) {
            continue;
        }
        // Opened for both, which never waits; a script that waits for a writer has one now, and what was
        // written is there for it though the name is gone.
        let gate = OpenOptions::new().read(true).write(true).open(&path);
        fs::remove_file(&path)?;
        gate?.write_all(b"go\n")?;
    }
    Ok(())
}

/// The calls that were noted for a domain.
pub(crate) fn calls(folder: &Path, domain: &str) -> io::Result<Vec<String>> {
    match fs::read_to_string(folder.join(format!("{domain}.{NOTES}"))) {
        Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Opens all gates of a domain, and forgets its calls.
pub(crate) fn forget(folder: &Path, domain: &str) -> io::Result<()> {
    open(folder, domain)?;
    of(folder, domain)?.iter().try_for_each(fs::remove_file)
}

/// The files of a domain.
fn of(folder: &Path, domain: &str) -> io::Result<Vec<PathBuf>> {
    let start = format!("{domain}.");
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&start) {
            all.push(entry.path());
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// The script, as the daemon calls it, with gates and notes in `folder`.
    fn call(folder: &Path, words: &str) -> Child {
        let text = TEXT.replace(FOLDER, &folder.display().to_string());
        let mut command = Command::new("sh");
        command.args(["-c", &text, "hook"]).args(words.split(' '));
        let quiet = command.stdin(Stdio::null()).stderr(Stdio::null());
        quiet.spawn().unwrap()
    }

    fn noted(folder: &Path, domain: &str, count: usize) {
        while calls(folder, domain).unwrap().len() < count {
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_call_is_noted_and_held_until_the_gate_is_opened_and_no_other_domain_is() {
        let dir = tempfile::tempdir().unwrap();
        set(dir.path(), "one", HookPoint::StartedBegin, Gate::Holds).unwrap();
        let mut held = call(dir.path(), "one started begin -");
        noted(dir.path(), "one", 1);
        assert!(
            call(dir.path(), "one start begin -")
                .wait()
                .unwrap()
                .success()
        );
        assert!(
            call(dir.path(), "one2 started begin -")
                .wait()
                .unwrap()
                .success()
        );
        assert!(held.try_wait().unwrap().is_none(), "it is held");
        open(dir.path(), "one").unwrap();
        assert!(held.wait().unwrap().success());
        assert!(
            call(dir.path(), "one started begin -")
                .wait()
                .unwrap()
                .success()
        );
        let expected = ["started begin", "start begin", "started begin"];
        assert_eq!(calls(dir.path(), "one").unwrap(), expected);
        forget(dir.path(), "one").unwrap();
        assert!(calls(dir.path(), "one").unwrap().is_empty());
        assert_eq!(calls(dir.path(), "one2").unwrap(), ["started begin"]);
    }

    #[test]
    fn a_call_is_refused_while_its_gate_says_so_and_one_that_was_opened_early_holds_nobody() {
        let dir = tempfile::tempdir().unwrap();
        set(dir.path(), "one", HookPoint::MigrateBegin, Gate::Refuses).unwrap();
        assert_eq!(
            call(dir.path(), "one migrate begin -")
                .wait()
                .unwrap()
                .code(),
            Some(1)
        );
        set(dir.path(), "one", HookPoint::StoppedEnd, Gate::Holds).unwrap();
        open(dir.path(), "one").unwrap();
        for words in ["one migrate begin -", "one stopped end -"] {
            assert!(call(dir.path(), words).wait().unwrap().success(), "{words}");
        }
    }
}
