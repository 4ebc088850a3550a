//! The form on disk: JSON lines, read so that a truncated file still gives what is whole in it.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, IgnoredAny},
};
use std::hash::Hasher;
use thiserror::Error;
use twox_hash::XxHash64;

use crate::{Entry, Header, History, Observation};

/// Whether a file holds all that was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// It ends in its end line.
    Whole,
    /// It has no end line: the writer died, or the file was cut.
    Truncated {
        /// The first line that is missing or cut, from 1.
        line: usize,
    },
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The history.
    pub history: History,
    /// Whether it is all that was recorded.
    pub completeness: Completeness,
    /// The observations of kinds that are not known here: a newer version wrote them.
    pub strange: Vec<Strange>,
}

/// An observation of a kind that is not known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strange {
    /// Its line, from 1.
    pub line: usize,
    /// The word of its kind.
    pub kind: String,
}

/// Why a text is not a history.
#[derive(Debug, Error)]
pub enum HistoryError {
    /// There is no whole first line.
    #[error("no header in the first line: the file is empty or was cut there")]
    NoHeader,
    /// The first line is not a header.
    #[error("line 1 is not the header of a history")]
    BadHeader(#[source] serde_json::Error),
    /// A later version wrote it.
    #[error("format {0} is newer than {newest}, the newest that is known here: read it with the version that wrote it", newest = Header::FORMAT)]
    NewerFormat(u32),
    /// No version wrote it.
    #[error("it has format 0, and they are counted from 1")]
    NoFormat,
    /// A line in the middle is damaged.
    #[error("line {line} is not an entry of a history")]
    BadLine {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Lines are lost, or there are too many.
    #[error("it is damaged: it has {there} lines before its end, and {whole} were written")]
    Lines {
        /// How many there are.
        there: usize,
        /// How many were written.
        whole: usize,
    },
    /// A line is not as it was written.
    #[error("it is damaged: its lines are not as they were written")]
    Changed,
    /// Something follows the end line.
    #[error("line {line} follows the end line: are these two files in one?")]
    AfterEnd {
        /// Which line, from 1.
        line: usize,
    },
}

/// A header's line, as it is written.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct HeaderLine<'a> {
    format: u32,
    #[serde(flatten)]
    header: &'a Header,
}

/// A line of a history: the header, an entry, or the end.
#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema, Serialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is asked for")]
enum Line<'a> {
    Header(HeaderLine<'a>),
    Entry(&'a Entry),
    End(EndLine),
}

/// The last line of a history.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct EndLine {
    saw: End,
    /// How many lines come before it; none in a history of an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lines: Option<usize>,
    /// The XXH64 of these lines, their ends included, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    xxh64: Option<String>,
}

/// The word of the last line.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
enum End {
    End,
}

/// What proves that a history is whole: how many lines it has, and what they come to.
#[derive(Clone)]
pub struct Seal {
    lines: usize,
    sum: XxHash64,
}

impl Default for Seal {
    fn default() -> Self {
        Self {
            lines: 0,
            sum: XxHash64::with_seed(0),
        }
    }
}

impl Seal {
    /// Takes in a line, without its end.
    pub fn add(&mut self, line: &str) {
        self.lines += 1;
        self.sum.write(line.as_bytes());
        self.sum.write(b"\n");
    }

    /// The last line of a history of these lines, without its end.
    #[must_use]
    pub fn end_line(&self) -> String {
        to_json(&EndLine {
            saw: End::End,
            lines: Some(self.lines),
            xxh64: Some(hex(self.sum.finish())),
        })
    }
}

fn hex(sum: u64) -> String {
    format!("{sum:016x}")
}

impl EndLine {
    /// Sees to it that so many lines come before it, and that they are as they were written.
    fn demand(&self, there: usize, before: &[u8]) -> Result<(), HistoryError> {
        if let Some(whole) = self.lines.filter(|whole| *whole != there) {
            return Err(HistoryError::Lines { there, whole });
        }
        let is = || hex(XxHash64::oneshot(0, before));
        match &self.xxh64 {
            Some(was) if *was != is() => Err(HistoryError::Changed),
            Some(_) | None => Ok(()),
        }
    }
}

/// The schema of a line of a history.
#[cfg(feature = "schema")]
#[must_use]
pub fn line_schema(generator: schemars::SchemaGenerator) -> schemars::Schema {
    generator.into_root_schema_for::<Line<'_>>()
}

/// Reads the number of an attempt.
///
/// # Errors
/// Refuses 0: they are counted from 1.
pub fn attempt_number<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    match u32::deserialize(from)? {
        0 => Err(D::Error::custom("attempt 0: attempts are counted from 1")),
        number => Ok(number),
    }
}

/// All that is read of a header before its format is known.
#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

/// All that is read of an entry of an unknown kind.
#[derive(Deserialize)]
struct KindOnly {
    at_us: u64,
    saw: String,
}

impl Header {
    /// The version of the form on disk. It grows when an older reader would judge wrongly: a new
    /// optional field or a new kind of remark leaves it as it is.
    pub const FORMAT: u32 = 1;

    /// How much drivers record. It grows with each kind of evidence that checks ask for: an older history is
    /// judged by what there was then, and in a newer one what is missing is unknown.
    ///
    /// - 1: the traffic of a migration, [`crate::Observation::Traffic`], documents,
    ///   [`crate::Observation::Description`], the guest's registers and all of its memory.
    /// - 2: what went by between two QEMUs, [`crate::Observation::Wire`], and what is open in postcopy,
    ///   [`crate::Observation::Userfaults`].
    /// - 3: what is set when a raw migration is over, and under way in COLO; what was written to the disks of
    ///   a chain, in an image of our own; connections that no call explains.
    pub const EVIDENCE: u32 = 3;

    /// Its line in the file, without the line's end.
    #[must_use]
    pub fn to_line(&self) -> String {
        to_json(&HeaderLine {
            format: Self::FORMAT,
            header: self,
        })
    }

    fn of_line(line: &[u8]) -> Result<Self, HistoryError> {
        if is_cut(line) && serde_json::from_slice::<IgnoredAny>(line).is_err() {
            return Err(HistoryError::NoHeader);
        }
        let FormatOnly { format } =
            serde_json::from_slice(line).map_err(HistoryError::BadHeader)?;
        if format == 0 {
            return Err(HistoryError::NoFormat);
        }
        if format > Self::FORMAT {
            return Err(HistoryError::NewerFormat(format));
        }
        serde_json::from_slice(line).map_err(HistoryError::BadHeader)
    }
}

impl Entry {
    /// Its line in the file, without the line's end.
    #[must_use]
    pub fn to_line(&self) -> String {
        to_json(self)
    }

    /// The entry, and the word of its kind where that is not known here.
    fn of_line(line: &[u8]) -> Result<(Self, Option<String>), serde_json::Error> {
        match serde_json::from_slice(line) {
            Ok(entry) => Ok((entry, None)),
            Err(error) => {
                let (entry, kind) = Self::of_unknown_kind(line).ok_or(error)?;
                Ok((entry, Some(kind)))
            }
        }
    }

    /// An observation of a kind that is not known here is kept as a remark.
    fn of_unknown_kind(line: &[u8]) -> Option<(Self, String)> {
        let KindOnly { at_us, saw } = serde_json::from_slice(line).ok()?;
        if Observation::KINDS.contains(&saw.as_str()) {
            return None;
        }
        let line = String::from_utf8_lossy(line.trim_ascii());
        let text = format!("not known to this version: {line}");
        let note = Observation::Note { text };
        Some((Self { at_us, saw: note }, saw))
    }
}

impl History {
    /// The whole file, end line and line ends included.
    #[must_use]
    pub fn to_text(&self) -> String {
        let (mut text, mut seal) = (String::new(), Seal::default());
        let header = [self.header.to_line()];
        for line in header
            .into_iter()
            .chain(self.entries.iter().map(Entry::to_line))
        {
            seal.add(&line);
            text += &line;
            text.push('\n');
        }
        text + &seal.end_line() + "\n"
    }

    /// Reads a file's text, and says whether it is whole. A last line that makes no sense and has
    /// no line's end was cut, and is left out.
    ///
    /// # Errors
    /// Returns an error where the header is missing or of a newer format, or where a line other
    /// than a cut last one is damaged.
    pub fn read(text: impl AsRef<[u8]>) -> Result<(Self, Completeness), HistoryError> {
        let read = Self::read_all(text)?;
        Ok((read.history, read.completeness))
    }

    /// The same, with what in it is not known here.
    ///
    /// # Errors
    /// As [`History::read`].
    pub fn read_all(text: impl AsRef<[u8]>) -> Result<Reading, HistoryError> {
        let whole = text.as_ref();
        let mut lines = (1..).zip(whole.split_inclusive(|byte| *byte == b'\n'));
        let mut before = 0;
        let (_, first) = lines.next().ok_or(HistoryError::NoHeader)?;
        let header = Header::of_line(first)?;
        before += first.len();
        let (mut entries, mut strange) = (Vec::new(), Vec::new());
        let mut is_whole = false;
        while let Some((line, text)) = lines.next() {
            if let Some(end) = end(text) {
                end.demand(line - 1, &whole[..before])?;
                if let Some((line, _)) = lines.next() {
                    return Err(HistoryError::AfterEnd { line });
                }
                is_whole = true;
                break;
            }
            before += text.len();
            match Entry::of_line(text) {
                Ok((entry, kind)) => {
                    entries.push(entry);
                    strange.extend(kind.map(|kind| Strange { line, kind }));
                }
                Err(_) if is_cut(text) => break,
                Err(source) => return Err(HistoryError::BadLine { line, source }),
            }
        }
        let completeness = if is_whole {
            Completeness::Whole
        } else {
            let line = entries.len() + 2;
            Completeness::Truncated { line }
        };
        Ok(Reading {
            history: Self { header, entries },
            completeness,
            strange,
        })
    }
}

/// The last line, where it is that, in whatever spacing.
fn end(line: &[u8]) -> Option<EndLine> {
    serde_json::from_slice(line).ok()
}

fn is_cut(line: &[u8]) -> bool {
    !line.ends_with(b"\n")
}

fn to_json<T: Serialize>(line: &T) -> String {
    serde_json::to_string(line).expect("the keys of a history are strings, and nothing in it fails")
}
