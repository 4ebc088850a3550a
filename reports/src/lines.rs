//! `verdicts.jsonl`: one judgement a line.

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
    /// A filter in the list of known failures asks for a release that is not known.
    #[error("the known failures can't be matched: {0}")]
    KnownReleases(SelectError),
    /// A JUnit file can't be written.
    #[error("the JUnit report can't be written: {0}")]
    JUnit(String),
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
    let mut verdicts = Verdicts::default();
    for (place, whole) in text.split_inclusive('\n').enumerate() {
        let line = place + 1;
        if whole.trim().is_empty() {
            continue;
        }
        match serde_json::from_str(whole.trim_end()) {
            Ok(judgement) => verdicts.judgements.push(judgement),
            Err(_) if !whole.ends_with('\n') => verdicts.cut_at = Some(line),
            Err(error) => {
                return Err(ReportError::Line {
                    line,
                    why: error.to_string(),
                });
            }
        }
    }
    Ok(verdicts)
}
