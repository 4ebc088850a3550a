//! A run's directory: one file an arrow of the line, so that each later arrow can run again alone.
//!
//! ```text
//! plan.json            what is to be run, and on what
//! history/NAME.jsonl   what was done and seen, a file a case and attempt
//! evidence/NAME/       what hypervisors and hosts said, a folder an attempt that was not as expected
//! concluded.jsonl      a line a case of which no attempt follows: which attempts there are, and skips
//! sessions.jsonl       when it was begun and gone on with, and hosts that were lost beside the cases
//! verdicts.jsonl       a line a judged attempt, written as soon as its case is concluded
//! migratrix.log        what was done, for people
//! junit.xml · junit-strict.xml · index.html · summary.json · summary.md · summary.txt
//! ```

mod busy;
mod place;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use migratrix_lab::sandbox;
use migratrix_matrix::{Case, Plan};
use nix::fcntl::Flock;

pub use self::{
    busy::Busy,
    place::{Claim, claim},
};

use crate::{
    WrongUse, files,
    files::{write_by, write_whole},
    formats::FORMATS,
    run::newest,
    say::{Shown, count, typed_word},
};

/// What a run's directory holds as files, beside its folders and reports.
const FILES: [&str; 6] = [
    "plan.json",
    "concluded.jsonl",
    "sessions.jsonl",
    "verdicts.jsonl",
    busy::LOCK,
    LOG,
];

/// What was done.
const LOG: &str = "migratrix.log";

/// A run's directory.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    /// Held by whoever writes into it, so that no two do.
    lock: Option<Flock<File>>,
    /// Whether another one wrote into it when it was opened.
    opened: At,
}

/// Whether another one writes into a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// No.
    Rest,
    /// Yes: its files grow, each by itself.
    Work,
}

/// A history's file while it is written: it gets its name when it is whole.
pub struct HistoryFile {
    part: PathBuf,
    whole: PathBuf,
}

impl RunDir {
    /// Whether a new run can have the directory.
    ///
    /// # Errors
    /// Fails where another migratrix is at work in it, there is a run in it already or around it, it holds
    /// anything else, or a file stands in its place.
    pub fn must_be_free(path: &Path) -> Result<()> {
        if busy::is_busy(path) {
            bail!(Busy::in_dir(path));
        }
        Self::must_have_no_run(path)?;
        place::demand_empty(path)?;
        place::demand_in_no_run(path)
    }

    /// Whether a new run can have a directory of its own at `path`, or beside it.
    ///
    /// # Errors
    /// Fails where that is in the directory of another run, or nothing can be made there.
    pub fn must_have_a_place(path: &Path) -> Result<()> {
        place::demand_in_no_run(path)?;
        demand_folder(path.parent().unwrap_or(path))
    }

    fn must_have_no_run(path: &Path) -> Result<()> {
        let left = ["plan.json", "concluded.jsonl", "verdicts.jsonl"];
        if left.iter().any(|name| path.join(name).exists()) {
            let word = typed_word(&path.to_string_lossy());
            bail!(
                "{} holds a run already: give another --out, or go on with it by \
                 migratrix run --resume {word}",
                path.shown()
            );
        }
        demand_files(path)?;
        demand_folder(path)
    }

    /// Makes the directory of a new run.
    ///
    /// # Errors
    /// Fails where there is a run in it already, or it can't be written.
    pub fn create(path: &Path, plan: &Plan) -> Result<Self> {
        Self::must_be_free(path)?;
        fs::create_dir_all(path.join("history"))
            .with_context(|| format!("can't make the run's directory {}", path.shown()))?;
        let dir = Self::held(path)?;
        // Another run may have come first.
        Self::must_have_no_run(path)?;
        dir.write("plan.json", &plan.to_json())?;
        Ok(dir)
    }

    /// Opens the directory of a run that was begun.
    ///
    /// # Errors
    /// Fails where there is no run in it, or its plan can't be read.
    pub fn open(path: &Path) -> Result<(Self, Plan)> {
        let file = path.join("plan.json");
        let opened = if busy::is_busy(path) {
            At::Work
        } else {
            At::Rest
        };
        demand_files(path)?;
        if !file.exists() {
            newest::demand_one(path)?;
            if opened == At::Work {
                bail!(Busy::in_dir(path));
            }
        }
        let text = files::text(&file).with_context(|| {
            format!(
                "{} is not a run's directory: {} can't be read",
                path.shown(),
                file.shown()
            )
        })?;
        let plan = Plan::from_json(&text).with_context(|| {
            format!(
                "{} can't be used: restore it, begin a new run, or call the program that wrote it",
                file.shown()
            )
        })?;
        demand_cases(&plan).with_context(|| format!("{} is damaged", file.shown()))?;
        Ok((
            Self {
                path: path.to_owned(),
                lock: None,
                opened,
            },
            plan,
        ))
    }

    /// Opens it for one who only reads what is there: that is told to be so far what it is where another
    /// migratrix still writes it.
    ///
    /// # Errors
    /// As [`RunDir::open`].
    pub fn read(path: &Path) -> Result<(Self, Plan)> {
        let (dir, plan) = Self::open(path)?;
        // What is read again inside the sandbox was told of outside.
        if dir.is_under_way() && sandbox::is_outside() {
            let path = path.shown();
            eprintln!("{path} is being written by another migratrix: this is how far it is");
        }
        Ok((dir, plan))
    }

    /// Whether another migratrix writes into it, or did when it was opened: its files are read one after
    /// another and grow meanwhile, so that what is in one and not in another is not lost, but not yet concluded.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.lock.is_none() && (self.opened == At::Work || busy::is_busy(&self.path))
    }

    /// Whether something was done in it: a verdict or a history is there.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        let verdicts = fs::metadata(self.path.join("verdicts.jsonl"));
        let mut histories = fs::read_dir(self.path.join("history"))
            .into_iter()
            .flatten();
        verdicts.is_ok_and(|file| file.len() > 0) || histories.next().is_some()
    }

    /// The same directory, for a run that goes on in it.
    ///
    /// # Errors
    /// Fails where it can't be written.
    pub fn again(&self) -> Result<Self> {
        let histories = self.path.join("history");
        fs::create_dir_all(&histories)
            .with_context(|| format!("can't make {}", histories.shown()))?;
        Self::held(&self.path)
    }

    /// The directory, for one who writes into it.
    fn held(path: &Path) -> Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            lock: Some(busy::lock(path)?),
            opened: At::Rest,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes one of the run's files, whole or not at all.
    ///
    /// # Errors
    /// Fails where it can't be written; the old one stays.
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        write_whole(&self.path.join(name), text)
    }

    /// Writes one of the run's files piece by piece, whole or not at all.
    ///
    /// # Errors
    /// Fails where a piece can't be had, or it can't be written; the old one stays.
    pub fn write_lines(
        &self,
        name: &str,
        mut pieces: impl Iterator<Item = Result<String>>,
    ) -> Result<()> {
        write_by(&self.path.join(name), |pen| {
            pieces.try_for_each(|piece| Ok(pen.write_all(piece?.as_bytes())?))
        })
    }

    /// The file of a case's history, and the pen for it.
    ///
    /// # Errors
    /// Fails where it can't be made.
    pub fn history(&self, case: &Case, attempt: u32) -> Result<(HistoryFile, File)> {
        let whole = self.history_path(case, attempt);
        let part = whole.with_extension("part");
        let pen = files::create(&part).with_context(|| format!("can't write {}", part.shown()))?;
        Ok((HistoryFile { part, whole }, pen))
    }

    /// The name of a file in it, as seen from it.
    #[must_use]
    pub fn name_within(&self, file: &Path) -> String {
        let name = file.strip_prefix(&self.path).unwrap_or(file);
        name.to_string_lossy().into_owned()
    }

    /// Where the history of an attempt at a case is.
    #[must_use]
    pub fn history_path(&self, case: &Case, attempt: u32) -> PathBuf {
        let folder = self.path.join("history");
        place_of(case, |stem| {
            folder.join(attempt_name(stem, attempt) + ".jsonl")
        })
    }

    /// Where evidence of an attempt at a case is kept, where it was not as expected.
    #[must_use]
    pub fn evidence(&self, case: &Case, attempt: u32) -> PathBuf {
        let folder = self.path.join("evidence");
        place_of(case, |stem| folder.join(attempt_name(stem, attempt)))
    }

    /// Where it is written down which cases are concluded.
    #[must_use]
    pub fn ledger_path(&self) -> PathBuf {
        self.path.join("concluded.jsonl")
    }

    /// Where it is written down what happened that is of no case.
    #[must_use]
    pub fn sessions_path(&self) -> PathBuf {
        self.path.join("sessions.jsonl")
    }

    /// Opens what happened that is of no case for adding to it, as [`RunDir::ledger_pen`].
    ///
    /// # Errors
    /// Fails where the file can't be opened.
    pub fn sessions_pen(&self) -> Result<Pen> {
        Pen::open(self.sessions_path())
    }

    /// Opens the list of what is concluded for adding to it. A last line that was cut is taken away
    /// first: its case runs again.
    ///
    /// # Errors
    /// Fails where the file can't be opened.
    pub fn ledger_pen(&self) -> Result<Pen> {
        Pen::open(self.ledger_path())
    }

    /// Opens the verdicts for adding to them, likewise.
    ///
    /// # Errors
    /// Fails where the file can't be opened.
    pub fn verdicts_pen(&self) -> Result<Pen> {
        Pen::open(self.path.join("verdicts.jsonl"))
    }

    /// Opens the log for adding to it: that of a run that goes on is one file.
    ///
    /// # Errors
    /// Fails where the file can't be opened.
    pub fn log(&self) -> Result<File> {
        let path = self.path.join(LOG);
        let mut how = OpenOptions::new();
        files::opened(&path, how.create(true).append(true))
            .with_context(|| format!("can't write {}", path.shown()))
    }
}

/// Adds to a file whose lines are each whole or not there.
#[derive(Debug)]
pub struct Pen {
    file: File,
    path: PathBuf,
}

impl Pen {
    fn open(path: PathBuf) -> Result<Self> {
        let open = || -> io::Result<File> {
            let mut how = OpenOptions::new();
            let how = how.create(true).read(true).append(true);
            let mut file = files::opened(&path, how)?;
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            let whole = text
                .iter()
                .rposition(|byte| *byte == b'\n')
                .map_or(0, |end| end + 1);
            if whole < text.len() {
                file.set_len(whole as u64)?;
            }
            Ok(file)
        };
        let file = open().with_context(|| format!("can't write {}", path.shown()))?;
        Ok(Self { file, path })
    }

    /// Adds lines, at once.
    ///
    /// # Errors
    /// Fails where they can't be written.
    pub fn add(&mut self, lines: &str) -> Result<()> {
        self.file
            .write_all(lines.as_bytes())
            .with_context(|| format!("can't write {}", self.path.shown()))
    }
}

impl HistoryFile {
    /// What is said where it can't be written.
    #[must_use]
    pub fn trouble(&self) -> String {
        format!("can't write {}", self.part.shown())
    }

    /// Gives the file its name: it is whole.
    ///
    /// # Errors
    /// Fails where it can't be renamed.
    pub fn done(self) -> Result<PathBuf> {
        fs::rename(&self.part, &self.whole)
            .with_context(|| format!("can't name {}", self.whole.shown()))?;
        Ok(self.whole)
    }
}

/// Sees to it that a run can write into this directory.
fn demand_folder(path: &Path) -> Result<()> {
    let context = || {
        format!(
            "a run's directory can't be {}, give another --out",
            path.shown()
        )
    };
    files::demand_folder(path).with_context(context)
}

/// Sees to it that a plan has as many cases as it says: no run is begun without one.
fn demand_cases(plan: &Plan) -> Result<()> {
    let (there, whole) = (plan.cases.len(), plan.whole);
    let fewer = whole.filter(|whole| match plan.selection.shard {
        None => there != *whole,
        Some(_) => there > *whole,
    });
    match (there, fewer) {
        (0, _) => bail!("it has no cases; restore it, or begin a new run"),
        (_, Some(whole)) => bail!(
            "it has {} and says that there are {whole}; restore it, or begin a new run",
            count(there, "case")
        ),
        (_, None) => Ok(()),
    }
}

/// Sees to it that nothing stands in the place of a run's file that is none.
fn demand_files(path: &Path) -> Result<()> {
    let reports = FORMATS.iter().map(|format| format.file);
    for name in FILES.into_iter().chain(reports) {
        let file = path.join(name);
        // What else may be wrong with it is told where it is read or written.
        let foreign = |error: &io::Error| error.kind() == io::ErrorKind::InvalidInput;
        if let Some(error) = files::demand(&file).err().filter(foreign) {
            bail!(WrongUse(format!("{} can't be used: {error}", file.shown())));
        }
    }
    Ok(())
}

/// The place of something of a case, by the name that files of it have: by its first one only where an
/// earlier version has put it there.
fn place_of(case: &Case, at: impl Fn(String) -> PathBuf) -> PathBuf {
    let (now, first) = (at(case.file_stem()), at(case.first_file_stem()));
    if !now.exists() && first.exists() {
        first
    } else {
        now
    }
}

/// What the files of an attempt at a case are called, without an end.
fn attempt_name(stem: String, attempt: u32) -> String {
    if attempt == 1 {
        stem
    } else {
        format!("{stem}.{attempt}")
    }
}
