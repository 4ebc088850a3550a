//! Documents that a host gives: long texts that are mostly the same, told so that what was told before is
//! not told again.
//!
//! ```text
//! first   <domain>⏎<name>a</name>⏎<title>x</title>⏎</domain>     all of it
//! second  [0,2] <title>y</title> [3,1]                           lines 0 and 1, a new one, line 3
//! ```
//!
//! All lines that were told as new make one list, by whose places later documents name them.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};

/// What a document describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Document {
    /// The running domain (`virDomainGetXMLDesc`).
    Live,
    /// The configuration that the host keeps of the domain (`VIR_DOMAIN_XML_INACTIVE`); of a transient one
    /// what it would keep.
    Kept,
    /// The machine, as its QEMU tells of it: see [`crate::machine`].
    Machine,
}

/// A document, in the form in which it stands in a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Text {
    /// How many lines were told as new before it.
    pub at: usize,
    /// Its parts, in their order.
    pub parts: Vec<Part>,
}

/// Lines of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Part {
    /// Lines that were told before: the place of the first one, and how many.
    Again(usize, usize),
    /// New lines.
    New(String),
}

/// All lines that were told as new.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    all: Vec<Arc<str>>,
    /// Where each stands among those that were told here.
    places: HashMap<Arc<str>, Vec<usize>>,
}

/// The shortest lines that are worth naming by their place, in bytes: the place is as long.
const WORTH: usize = 12;

impl Lines {
    /// The form of a text, whose lines are known from now on. White space around lines, and empty lines, are
    /// left out.
    pub fn tell(&mut self, text: &str) -> Text {
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        let lines: Vec<_> = lines.into_iter().filter(|line| !line.is_empty()).collect();
        let at = self.all.len();
        let mut parts = Vec::new();
        let mut new: Vec<&str> = Vec::new();
        let mut next = 0;
        while let Some(line) = lines.get(next) {
            match self.longest(&lines[next..]) {
                Some((from, count)) => {
                    parts.extend(joined(&mut new));
                    parts.push(Part::Again(from, count));
                    next += count;
                }
                None => {
                    self.add(line);
                    new.push(line);
                    next += 1;
                }
            }
        }
        parts.extend(joined(&mut new));
        Text { at, parts }
    }

    /// The text of a document that was told after all that are known; its new lines are known from now on.
    /// `None` where one before it is missing, or it names lines that are not there.
    pub fn read(&mut self, text: &Text) -> Option<String> {
        if text.at != self.all.len() {
            return None;
        }
        let mut lines: Vec<Arc<str>> = Vec::new();
        for part in &text.parts {
            match part {
                Part::Again(from, count) => {
                    let end = from.checked_add(*count)?;
                    lines.extend_from_slice(self.all.get(*from..end)?);
                }
                Part::New(new) => {
                    let from = self.all.len();
                    self.all.extend(new.lines().map(Arc::from));
                    lines.extend_from_slice(&self.all[from..]);
                }
            }
        }
        Some(lines.join("\n"))
    }

    fn add(&mut self, line: &str) {
        let line: Arc<str> = line.into();
        let places = self.places.entry(Arc::clone(&line)).or_default();
        places.push(self.all.len());
        self.all.push(line);
    }

    /// The most of the next lines that were told one after the other, if that is worth it.
    fn longest(&self, next: &[&str]) -> Option<(usize, usize)> {
        let same = |from: usize| {
            let known = self.all[from..].iter();
            let same = known
                .zip(next)
                .take_while(|(known, next)| known.as_ref() == **next);
            (from, same.count())
        };
        let runs = self
            .places
            .get(*next.first()?)?
            .iter()
            .map(|from| same(*from));
        let (from, count) = runs.max_by_key(|(from, count)| (*count, std::cmp::Reverse(*from)))?;
        let bytes: usize = next[..count].iter().map(|line| line.len()).sum();
        (bytes >= WORTH).then_some((from, count))
    }
}

/// The new lines as one part, if there are some.
fn joined(new: &mut Vec<&str>) -> Option<Part> {
    let text = std::mem::take(new).join("\n");
    (!text.is_empty()).then_some(Part::New(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str =
        "<domain>\n  <name>machine-a</name>\n  <title>one</title>\n  <vcpu>1</vcpu>\n</domain>\n";

    fn told(texts: &[&str]) -> Vec<Text> {
        let mut lines = Lines::default();
        texts.iter().map(|text| lines.tell(text)).collect()
    }

    fn read(texts: &[Text]) -> Vec<Option<String>> {
        let mut lines = Lines::default();
        texts.iter().map(|text| lines.read(text)).collect()
    }

    fn flat(text: &str) -> String {
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        lines.join("\n")
    }

    #[test]
    fn each_document_is_read_as_it_was_told() {
        let second = FIRST.replace("one", "two");
        let third = second.replace("machine-a", "machine-b") + "<more/>\n<more/>";
        let texts = [FIRST, &second, FIRST, &third];
        let read = read(&told(&texts));
        assert_eq!(read, texts.map(|text| Some(flat(text))));
    }

    #[test]
    fn what_was_told_before_is_named_by_its_place() {
        let second = FIRST.replace("one", "two");
        let told = told(&[FIRST, &second, &second]);
        let line = serde_json::to_string(&told[1].parts).unwrap();
        assert_eq!(line, r#"[[0,2],"<title>two</title>",[3,2]]"#);
        let line = serde_json::to_string(&told[2].parts).unwrap();
        assert_eq!(line, "[[0,2],[5,1],[3,2]]");
    }

    #[test]
    fn where_one_is_missing_those_after_it_are_not_guessed_at() {
        let second = FIRST.replace("one", "two");
        let told = told(&[FIRST, &second, &second]);
        assert_eq!(read(&told[1..]), [None, None]);
        let beyond = Text {
            at: 0,
            parts: vec![Part::Again(0, 1)],
        };
        assert_eq!(read(&[beyond]), [None]);
    }
}
