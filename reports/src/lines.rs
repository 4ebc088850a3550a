//! `verdicts.jsonl`: one judgement a line.

use std::io::{self, BufRead};

use migratrix_matrix::SelectError;
use thiserror::Error;

use crate::Judgement;

/// What can be wrong with what this crate is given to read.
#[derive(Debug, Error)]
pub enum ReportError {
    /// A line of `verdicts.jsonl` is not a judgement.
    #[error("line {line} of the verdicts is not a judgement: {why}; judge the run again")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What the parser said.
        why: String,
    },
    /// The verdicts can't be read at all.
    #[error("the verdicts can't be read: {0}")]
    Read(io::Error),
    /// The list of known failures can't be read.
    #[error("the list of known failures can't be read: {0}")]
    KnownList(String),
    /// A filter expression in the list of known failures can't be read.
    #[error("known failure {place}: the filter `{cases}` can't be read: {why}")]
    KnownCases {
        /// Its place in the list, from 1.
        place: usize,
        /// The expression.
        cases: String,
        /// What the parser said.
        why: String,
    },
    /// An entry of the list of known failures says too little, or what can't be.
    #[error("known failure {place} (`{cases}`) {why}")]
    KnownEntry {
        /// Its place in the list, from 1.
        place: usize,
        /// Its filter.
        cases: String,
        /// What is wrong with it, and the mend.
        why: String,
    },
    /// A filter in the list of known failures asks for a release that is not known.
    #[error("the known failures can't be matched: {0}")]
    KnownReleases(SelectError),
    /// A JUnit file can't be written.
    #[error("the JUnit report can't be written")]
    JUnit(#[source] io::Error),
}

/// What a file of verdicts holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    /// The judgements, in the file's order.
    pub judgements: Vec<Judgement>,
    /// The number of the last line, from 1, where it was cut short: its writer was stopped.
    pub cut_at: Option<usize>,
}

/// The judgement's line, without the line's end.
#[must_use]
pub fn to_line(judgement: &Judgement) -> String {
    serde_json::to_string(judgement).expect("a judgement has only text keys")
}

/// Reads a file of verdicts. A last line without its end that can't be read is a cut, and is told;
/// a line that can't be read elsewhere is damage.
///
/// # Errors
/// Returns the number of the first damaged line.
pub fn parse(text: &str) -> Result<Verdicts, ReportError> {
    let mut judgements = Vec::new();
    let cut_at = read(text.as_bytes(), |judgement| judgements.push(judgement))?;
    Ok(Verdicts { judgements, cut_at })
}

/// Reads verdicts line by line, and hands over each: a file of them may be large. Gives the number of
/// the last line where that was cut short.
///
/// # Errors
/// As [`parse`], and where the reader fails.
pub fn read(
    mut from: impl BufRead,
    mut take: impl FnMut(Judgement),
) -> Result<Option<usize>, ReportError> {
    let mut whole = Vec::new();
    for line in 1.. {
        whole.clear();
        let read = from.read_until(b'\n', &mut whole);
        if read.map_err(ReportError::Read)? == 0 {
            break;
        }
        if whole.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<Judgement>(&whole) {
            Ok(judgement) => take(judgement),
            // A cut may have gone through a character.
            Err(_) if !whole.ends_with(b"\n") => return Ok(Some(line)),
            Err(error) => {
                return Err(ReportError::Line {
                    line,
                    why: error.to_string(),
                });
            }
        }
    }
    Ok(None)
}
