//! The files and directories that reports are asked to be written to: that none is one of the run's
//! own, nor two the same, that they can be written, and how a page that lies elsewhere finds the run's
//! files.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Component, Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::{
    WrongUse, files,
    files::real,
    formats::{FORMATS, Form, Output},
    say::Shown,
};

/// What a run's directory holds that is no report: what reports are made from.
const OWN: [&str; 9] = [
    "plan.json",
    "concluded.jsonl",
    "sessions.jsonl",
    "run.lock",
    "migratrix.log",
    "verdicts.jsonl",
    "history",
    "evidence",
    "hosts",
];

/// Sees to it that no output is a file of the runs in `dirs`, nor another output, and that each can be
/// written.
///
/// # Errors
/// Names the option and the file.
pub fn check(outputs: &[Output<'_>], dirs: &[PathBuf]) -> Result<()> {
    let mut taken: BTreeMap<PathBuf, &str> = BTreeMap::new();
    for output @ Output { option, path, .. } in outputs {
        let real = real(path);
        for dir in dirs {
            if let Some(own) = own_file(&real, path, dir) {
                bail!(
                    "{option} {} is {own} of the run {}: give it another name",
                    path.shown(),
                    dir.shown()
                );
            }
        }
        output.must_leave_runs_alone(&real, dirs)?;
        if let Some(other) = taken.insert(real, option) {
            bail!(
                "{other} and {option} name the same file {}: give one another name",
                path.shown()
            );
        }
        output.must_be_writable().with_context(|| {
            let what = match output.form {
                Form::File | Form::Foreign => "file",
                Form::Folder => "directory",
            };
            format!(
                "{option} {} can't be written, name another {what}",
                path.shown()
            )
        })?;
    }
    Ok(())
}

impl Output<'_> {
    /// In the directory of a run a file is written only where it is the same report of that run, and of
    /// no other; no folder is one that the run is made of.
    fn must_leave_runs_alone(&self, real: &Path, dirs: &[PathBuf]) -> Result<()> {
        let mut formats = FORMATS.iter();
        let own = formats.find(|format| format.is_asked_by(self.option));
        let mut folders = real.ancestors().take(3);
        let Some(run) = folders.find(|folder| folder.join("plan.json").exists()) else {
            return Ok(());
        };
        let inside = real.strip_prefix(run).unwrap_or(real);
        let is_of_it = matches!(dirs, [only] if self::real(only) == run);
        let allowed = match self.form {
            Form::File => is_of_it && own.is_some_and(|own| inside == Path::new(own.file)),
            Form::Folder => {
                let reports = FORMATS.iter().map(|format| format.file);
                !OWN.into_iter()
                    .chain(reports)
                    .any(|one| inside.starts_with(one))
            }
            Form::Foreign => false,
        };
        if allowed {
            return Ok(());
        }
        let (option, path, run) = (self.option, self.path.shown(), run.shown());
        let among = if is_of_it {
            "among what it is made of"
        } else {
            "which has reports of its own"
        };
        bail!(WrongUse(format!(
            "{option} {path} is in the directory of the run {run}, {among}: write it elsewhere"
        )))
    }

    /// A device or a pipe is written into; it is not known before whether it takes anything.
    fn must_be_writable(&self) -> Result<()> {
        let path = real(self.path);
        match self.form {
            Form::Folder => files::demand_folder(&path),
            Form::File | Form::Foreign if path.is_dir() => {
                bail!(WrongUse("it is a directory".to_owned()))
            }
            Form::File | Form::Foreign if path.exists() && !path.is_file() => Ok(()),
            Form::File | Form::Foreign => {
                let folder = path.parent().unwrap_or(&path);
                if !folder.exists() {
                    let folder = folder.shown();
                    bail!(WrongUse(format!(
                        "the directory {folder} is not there: make it"
                    )));
                }
                files::demand_folder(folder)
            }
        }
    }
}

/// Which file of the run in `dir` it is, by whatever name, if it is one.
fn own_file(real: &Path, path: &Path, dir: &Path) -> Option<&'static str> {
    let dir = self::real(dir);
    let inside = real.strip_prefix(&dir).ok();
    let first = inside.and_then(|inside| inside.components().next());
    let named = OWN.into_iter().find(|own| {
        let own = Component::Normal(own.as_ref());
        first == Some(own)
    });
    named.or_else(|| hard_link(path, &dir))
}

/// Which file of the run has the same inode.
fn hard_link(path: &Path, dir: &Path) -> Option<&'static str> {
    let inode = |path: &Path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    let shared = fs::metadata(path).is_ok_and(|file| file.is_file() && file.nlink() > 1);
    let own = inode(path).filter(|_| shared)?;
    OWN.into_iter().find(|name| {
        let place = dir.join(name);
        let inside = fs::read_dir(&place).into_iter().flatten().flatten();
        let mut files = inside.map(|entry| entry.path()).chain([place.clone()]);
        files.any(|file| inode(&file) == Some(own))
    })
}
