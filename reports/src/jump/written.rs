//! The TOML of a ladder, as people write it: each value with its place in the text.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    str::FromStr,
};

use migratrix_matrix::{ReleaseName, Version};
use serde::Deserialize;
use toml::Spanned;

use super::ladder::{Ladder, Rung};
use crate::{ReportError, Spot};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Spanned<String>,
    #[serde(default)]
    release: Vec<WrittenRelease>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRelease {
    name: Spanned<String>,
    #[serde(default)]
    note: Option<Spanned<String>>,
    #[serde(default)]
    libvirt: Option<Spanned<String>>,
    #[serde(default)]
    qemu: Option<Spanned<String>>,
    #[serde(default)]
    next: Vec<Spanned<String>>,
}

/// How many characters a text has at most that stands in a line.
const LONGEST: usize = 200;

/// What is read so far.
struct Reader<'t> {
    text: &'t str,
    /// The place of each release by its name, and where that stands.
    places: HashMap<String, (usize, Range<usize>)>,
}

impl Ladder {
    /// Reads a ladder in TOML.
    ///
    /// ```toml
    /// name = "nova"
    ///
    /// [[release]]
    /// name = "2024.1"
    /// note = "SLURP"               # said beside its name
    /// libvirt = "7.0.0"            # the oldest that it takes
    /// qemu = "5.2.0"
    /// next = ["2024.2", "2025.1"]  # the steps of an upgrade from it
    /// ```
    ///
    /// # Errors
    /// Returns what is wrong, with its line and column.
    pub fn parse(text: &str) -> Result<Self, ReportError> {
        let written: Written = toml::from_str(text).map_err(|error| {
            let message = match error.message().trim_end() {
                "" => "this is no TOML, or the text is cut off here".to_owned(),
                message => message.to_owned(),
            };
            ReportError::LadderText(match error.span() {
                Some(span) => format!("{}: {message}", Spot::of(text, &span)),
                None => message,
            })
        })?;
        let mut reader = Reader {
            text,
            places: HashMap::new(),
        };
        let blank = "the ladder's name is blank: give it one, which is told with what it says";
        let name = reader.words(&written.name, blank)?;
        if written.release.is_empty() {
            let why = "the ladder has no releases: name each in a [[release]]";
            return Err(reader.wrong(&written.name, why));
        }
        for (place, release) in written.release.iter().enumerate() {
            reader.add(place, &release.name)?;
        }
        let releases = written.release.iter().map(|one| reader.release(one));
        let releases = releases.collect::<Result<Vec<_>, _>>()?;
        if let [only] = written.release.as_slice() {
            let why = format!(
                "the ladder has one release, `{}`, and an upgrade takes two: add another [[release]], and name \
                 it in the `next` of this one",
                only.name.get_ref()
            );
            return Err(reader.wrong(&only.name, why));
        }
        reader.demand_no_cycle(&written.release, &releases)?;
        Ok(Self { name, releases })
    }
}

/// Whether a character behind a letter is not to be seen, or does what no letter does.
fn is_unseen(one: &char) -> bool {
    let is_quoted = matches!(one, '"' | '\\' | '\'');
    !is_quoted && format!("a{one}").escape_debug().count() > 2
}

impl Reader<'_> {
    fn wrong<T>(&self, at: &Spanned<T>, why: impl Into<String>) -> ReportError {
        ReportError::Ladder {
            at: Spot::of(self.text, &at.span()),
            why: why.into(),
        }
    }

    fn add(&mut self, place: usize, name: &Spanned<String>) -> Result<(), ReportError> {
        let (text, here) = (name.get_ref(), (place, name.span()));
        let Some((_, before)) = self.places.insert(text.clone(), here) else {
            return Ok(());
        };
        let line = Spot::of(self.text, &before).line;
        let why =
            format!("the release `{text}` is there twice, first in line {line}: name each once");
        Err(self.wrong(name, why))
    }

    fn release(&self, written: &WrittenRelease) -> Result<Rung, ReportError> {
        let WrittenRelease {
            name,
            note,
            libvirt,
            qemu,
            next,
        } = written;
        if libvirt.is_none() && qemu.is_none() {
            let why = format!(
                "the release `{}` says neither `libvirt` nor `qemu`: give the oldest version that it takes",
                name.get_ref()
            );
            return Err(self.wrong(name, why));
        }
        let version = |text: &Option<Spanned<String>>| -> Result<Option<Version>, ReportError> {
            text.as_ref().map(|text| self.parsed(text)).transpose()
        };
        let note_of = |note| self.words(note, "the note is blank: leave it out");
        Ok(Rung {
            name: self.parsed::<ReleaseName>(name)?,
            note: note.as_ref().map(note_of).transpose()?,
            libvirt: version(libvirt)?,
            qemu: version(qemu)?,
            next: self.places_of(name, next)?,
        })
    }

    /// A text that is printed as it is, in one line, and what is said of one that is blank.
    fn words(&self, text: &Spanned<String>, blank: &str) -> Result<String, ReportError> {
        if text.get_ref().trim().is_empty() {
            return Err(self.wrong(text, blank));
        }
        let length = text.get_ref().chars().count();
        if length > LONGEST {
            let why = format!("{length} characters are no line: at most {LONGEST} are taken");
            return Err(self.wrong(text, why));
        }
        match text.get_ref().chars().find(is_unseen) {
            Some(unseen) => {
                let why = format!("{unseen:?} can't be printed: take it out");
                Err(self.wrong(text, why))
            }
            None => Ok(text.get_ref().clone()),
        }
    }

    fn parsed<T: FromStr<Err: ToString>>(&self, text: &Spanned<String>) -> Result<T, ReportError> {
        let parsed = text.get_ref().parse();
        parsed.map_err(|why: T::Err| self.wrong(text, why.to_string()))
    }

    fn places_of(
        &self,
        from: &Spanned<String>,
        next: &[Spanned<String>],
    ) -> Result<Vec<usize>, ReportError> {
        let (mut places, mut seen) = (Vec::new(), HashSet::new());
        for name in next {
            let (from, to) = (from.get_ref(), name.get_ref());
            let Some((place, _)) = self.places.get(to) else {
                let why = format!(
                    "a step goes from `{from}` to `{to}`, which is no release of this ladder: add a \
                     [[release]] of this name, or take it out of `next`"
                );
                return Err(self.wrong(name, why));
            };
            if !seen.insert(*place) {
                let why = format!("the step from `{from}` to `{to}` is there twice: name it once");
                return Err(self.wrong(name, why));
            }
            places.push(*place);
        }
        Ok(places)
    }

    /// Refuses steps that lead back to where they began.
    fn demand_no_cycle(
        &self,
        written: &[WrittenRelease],
        releases: &[Rung],
    ) -> Result<(), ReportError> {
        let mut done = vec![false; releases.len()];
        let mut on_way = vec![false; releases.len()];
        for first in 0..releases.len() {
            let mut way = vec![(first, 0)];
            on_way[first] = true;
            while let Some((here, step)) = way.pop() {
                let Some(next) = releases[here].next.get(step).filter(|_| !done[here]) else {
                    (done[here], on_way[here]) = (true, false);
                    continue;
                };
                way.push((here, step + 1));
                if on_way[*next] {
                    let begin = way.iter().position(|(place, _)| place == next);
                    let round = way[begin.unwrap_or(0)..].iter().map(|(place, _)| *place);
                    let round = round.chain([*next]);
                    let round: Vec<_> = round.map(|place| releases[place].name.as_str()).collect();
                    let why = format!(
                        "the steps {} lead back to where they began: an upgrade only goes forward, take \
                         one of them out of `next`",
                        round.join(" → ")
                    );
                    return Err(self.wrong(&written[here].next[step], why));
                }
                if !done[*next] {
                    on_way[*next] = true;
                    way.push((*next, 0));
                }
            }
        }
        Ok(())
    }
}
