//! A run's directory: one file an arrow of the line, so that each later arrow can run again alone.
//!
//! ```text
//! plan.json            what is to be run, and on what
//! history/NAME.jsonl   what was done and seen, a file a case and attempt
//! evidence/NAME/       what hypervisors and hosts said, a folder an attempt that was not as expected
//! verdicts.jsonl       a line a judged case, written as soon as it is known
//! junit.xml · junit-strict.xml · index.html · summary.json · summary.txt
//! ```

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use migratrix_matrix::{Case, Plan};
use migratrix_reports::Judgement;

/// A run's directory.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
}

/// A history's file while it is written: it gets its name when it is whole.
pub struct HistoryFile {
    part: PathBuf,
    whole: PathBuf,
}

impl RunDir {
    /// Makes the directory of a new run.
    ///
    /// # Errors
    /// Fails where there is a run in it already, or it can't be written.
    pub fn create(path: &Path, plan: &Plan) -> Result<Self> {
        if path.join("plan.json").exists() {
            bail!(
                "{0} holds a run already: give another --out, or go on with it by --resume {0}",
                path.display()
            );
        }
        let dir = Self {
            path: path.to_owned(),
        };
        fs::create_dir_all(path.join("history"))
            .with_context(|| format!("can't make the run's directory {}", path.display()))?;
        dir.write("plan.json", &plan.to_json())?;
        Ok(dir)
    }

    /// Opens the directory of a run that was begun.
    ///
    /// # Errors
    /// Fails where there is no run in it, or its plan can't be read.
    pub fn open(path: &Path) -> Result<(Self, Plan)> {
        let file = path.join("plan.json");
        let text = fs::read_to_string(&file).with_context(|| {
            format!(
                "{} is not a run's directory: {} can't be read",
                path.display(),
                file.display()
            )
        })?;
        let plan = Plan::from_json(&text)
            .with_context(|| format!("{} is not a plan that this program knows", file.display()))?;
        fs::create_dir_all(path.join("history"))?;
        Ok((
            Self {
                path: path.to_owned(),
            },
            plan,
        ))
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

    /// The file of a case's history, and the pen for it.
    ///
    /// # Errors
    /// Fails where it can't be made.
    pub fn history(&self, case: &Case, attempt: u32) -> Result<(HistoryFile, File)> {
        let whole = self.history_path(case, attempt);
        let part = whole.with_extension("part");
        let pen = File::create(&part).with_context(|| format!("can't write {}", part.display()))?;
        Ok((HistoryFile { part, whole }, pen))
    }

    /// Where the history of an attempt at a case is.
    #[must_use]
    pub fn history_path(&self, case: &Case, attempt: u32) -> PathBuf {
        let name = attempt_stem(case, attempt);
        self.path.join("history").join(format!("{name}.jsonl"))
    }

    /// Where evidence of an attempt at a case is kept, where it was not as expected.
    #[must_use]
    pub fn evidence(&self, case: &Case, attempt: u32) -> PathBuf {
        self.path.join("evidence").join(attempt_stem(case, attempt))
    }

    /// Opens the verdicts for adding to them. A last line that was cut is taken away first: its case
    /// runs again.
    ///
    /// # Errors
    /// Fails where the file can't be opened.
    pub fn verdicts_pen(&self) -> Result<File> {
        let path = self.path.join("verdicts.jsonl");
        let open = || -> io::Result<File> {
            let pen = OpenOptions::new()
                .create(true)
                .read(true)
                .append(true)
                .open(&path)?;
            let text = fs::read(&path)?;
            let whole = text
                .iter()
                .rposition(|byte| *byte == b'\n')
                .map_or(0, |end| end + 1);
            if whole < text.len() {
                pen.set_len(whole as u64)?;
            }
            Ok(pen)
        };
        open().with_context(|| format!("can't write {}", path.display()))
    }

    /// The verdicts so far; none where nothing was judged yet.
    ///
    /// # Errors
    /// Fails where the file can't be read, or is damaged other than by a cut line.
    pub fn verdicts(&self) -> Result<Vec<Judgement>> {
        let path = self.path.join("verdicts.jsonl");
        match fs::read(&path) {
            // A cut may have gone through a character.
            Ok(text) => Ok(migratrix_reports::parse(&String::from_utf8_lossy(&text))
                .with_context(|| format!("{} is damaged", path.display()))?
                .judgements),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error).with_context(|| format!("can't read {}", path.display())),
        }
    }
}

impl HistoryFile {
    /// Gives the file its name: it is whole.
    ///
    /// # Errors
    /// Fails where it can't be renamed.
    pub fn done(self) -> Result<PathBuf> {
        fs::rename(&self.part, &self.whole)
            .with_context(|| format!("can't name {}", self.whole.display()))?;
        Ok(self.whole)
    }
}

/// What the files of an attempt at a case are called, without an end.
fn attempt_stem(case: &Case, attempt: u32) -> String {
    let stem = case.file_stem();
    if attempt == 1 {
        stem
    } else {
        format!("{stem}.{attempt}")
    }
}

/// Writes a file through another one beside it, so that it is whole or not there.
///
/// # Errors
/// Fails where it can't be written.
pub fn write_whole(path: &Path, text: &str) -> Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    fs::write(&part, text)
        .and_then(|()| fs::rename(&part, path))
        .with_context(|| format!("can't write {}", path.display()))
}
