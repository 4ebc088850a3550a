//! Known failures: the list of what is expected to fail, and why.

mod bless;
mod entry;
mod line_ends;
mod notes;
mod series;
mod spot;
mod written;

use std::{borrow::Cow, fmt, sync::Arc};

use jiff::{Timestamp, tz::TimeZone};
use migratrix_matrix::{Filter, ReleaseName, Releases};

pub use self::{bless::Blessing, spot::Spot};
use self::{
    entry::{Entry, Fit},
    notes::Count,
};
use crate::{Judgement, Known, ReportError};

pub(crate) use self::notes::Notes;

/// The list of known failures, or several that are one.
#[derive(Clone, Debug, Default)]
pub struct KnownFailures {
    entries: Vec<Entry>,
    /// What tells each list that it is made of.
    marks: Vec<u64>,
}

/// Which list an entry is of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Origin {
    /// The one that is for all runs: that no case of a run is subject to an entry is no news.
    BuiltIn,
    /// One of the user's own that has no name.
    #[default]
    Own,
    /// One of the user's own, by its name.
    Named(Arc<str>),
}

impl KnownFailures {
    /// Reads a list in TOML.
    ///
    /// ```toml
    /// [[known]]
    /// cases = "control(tunnelled) & source(bullseye)"
    /// conditions = ["events"]
    /// unseen = ["memory"]                   # what can't be seen because of it
    /// follows = ["alive"]                   # what may fail or not be seen where `conditions` do
    /// says = ["expected resumed"]           # what is said of it; another failure is news
    /// reason = "no `resumed` event before libvirt 8"
    /// sometimes = true                      # chance has a part in it: a pass is no news
    /// versions = "source(libvirt>=7.0 & <8.0)"  # outside of these it excuses nothing
    /// link = "https://example.org/issue/1"  # for people
    /// expires = "2027-01-31"                # after that day it excuses nothing
    /// ```
    ///
    /// # Errors
    /// Returns what is wrong with the TOML, or the entry that can't be read or says too little, with its
    /// line and column.
    pub fn parse(text: &str) -> Result<Self, ReportError> {
        Ok(Self {
            entries: written::read(text)?,
            marks: vec![fnv_1a(text)],
        })
    }

    /// This list and another one: what either excuses is excused.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.entries.extend(other.entries);
        self.marks.extend(other.marks);
        self
    }

    /// What tells this list from others: of one text it is always the same.
    #[must_use]
    pub fn digest(&self) -> String {
        let marks: Vec<_> = self.marks.iter().map(|one| format!("{one:016x}")).collect();
        match marks.as_slice() {
            [only] => only.clone(),
            several => format!("{:016x}", fnv_1a(&several.concat())),
        }
    }

    /// Whether an entry names a release.
    #[must_use]
    pub fn names_releases(&self) -> bool {
        self.named().next().is_some()
    }

    /// The releases that entries name.
    fn named(&self) -> impl Iterator<Item = (&Entry, &ReleaseName)> {
        self.entries.iter().flat_map(|entry| {
            let names = entry.filters().flat_map(Filter::releases);
            names.map(move |name| (entry, name))
        })
    }

    /// The same list on the day of this moment, in seconds since 1970 UTC: what has expired before
    /// it excuses nothing.
    #[must_use]
    pub fn on(mut self, now_unix: u64) -> Self {
        let now = i64::try_from(now_unix).ok();
        let now = now.and_then(|unix| Timestamp::from_second(unix).ok());
        let today = now.map(|now| now.to_zoned(TimeZone::UTC).date());
        for entry in &mut self.entries {
            let both = entry.expires.zip(today);
            let left = both.and_then(|(last, today)| today.until(last).ok());
            entry.days_left = left.map(|span| span.get_days());
        }
        self
    }

    /// Sees to it that the list names no release that nobody knows: it would excuse nothing.
    ///
    /// # Errors
    /// Returns the first entry that does, and the release.
    pub fn check_releases(&self, releases: &Releases) -> Result<(), ReportError> {
        for (entry, name) in self.named() {
            releases.find(name).map_err(|unknown| {
                entry.origin.blamed(entry.wrong(format!(
                    "names a release that there is not: {unknown}; a version (`source(qemu<9)`) \
                     or a glob (`source({name}*)`) may be of none"
                )))
            })?;
        }
        Ok(())
    }

    /// The same list, as one that is made for all runs: that no case of a run is subject to an entry
    /// is no news.
    #[must_use]
    pub fn general(self) -> Self {
        self.of(&Origin::BuiltIn)
    }

    /// The same list, by its name.
    #[must_use]
    pub fn named_as(self, name: &str) -> Self {
        self.of(&Origin::Named(name.into()))
    }

    fn of(mut self, origin: &Origin) -> Self {
        for entry in &mut self.entries {
            entry.origin = origin.clone();
        }
        self
    }

    /// Marks the conditions of `judgement` that are expected to fail. Cases with a fault fail on
    /// purpose, and have no known failures.
    ///
    /// # Errors
    /// Returns a release that is not among `releases`.
    pub fn mark(&self, judgement: &mut Judgement, releases: &Releases) -> Result<(), ReportError> {
        self.mark_counting(judgement, releases, |_, _, _| {})
    }

    fn mark_counting(
        &self,
        judgement: &mut Judgement,
        releases: &Releases,
        mut count: impl FnMut(usize, &Judgement, &Fit),
    ) -> Result<(), ReportError> {
        judgement.known.clear();
        if judgement.case.fault.is_some() {
            return Ok(());
        }
        let seen = with_seen(judgement, releases);
        let mut fits = Vec::new();
        for entry in &self.entries {
            let fit = entry.fit(judgement, &seen)?;
            match fit {
                Fit::Not | Fit::Unsure | Fit::Another(_) => {}
                Fit::Whole | Fit::Part(_) => entry.mark(judgement),
            }
            fits.push(fit);
        }
        for (place, fit) in fits.iter().enumerate() {
            // What fails otherwise than an entry says is no news of it where another one says it.
            let said = matches!(fit, Fit::Another(of) if judgement.known(*of).is_some());
            count(place, judgement, if said { &Fit::Whole } else { fit });
        }
        Ok(())
    }

    /// Marks the judgements of a run, and tells what became of the entries.
    ///
    /// # Errors
    /// As [`KnownFailures::mark`].
    pub(crate) fn mark_all<'j>(
        &self,
        judgements: impl Iterator<Item = &'j mut Judgement>,
        releases: &Releases,
    ) -> Result<Notes, ReportError> {
        let mut counts = vec![Count::default(); self.entries.len()];
        for judgement in judgements {
            self.mark_counting(judgement, releases, |place, judgement, fit| {
                counts[place].add(&judgement.case, fit);
            })?;
        }
        Ok(Notes::of(self, counts))
    }
}

impl Origin {
    /// What is wrong, with the file that it is in.
    fn blamed(&self, why: ReportError) -> ReportError {
        match self {
            Self::BuiltIn | Self::Own => why,
            Self::Named(file) => ReportError::KnownFile {
                file: file.to_string(),
                why: Box::new(why),
            },
        }
    }
}

/// ` of mine.toml`, or nothing where the list has no name.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str(" of the list that comes with the program"),
            Self::Own => Ok(()),
            Self::Named(name) => write!(f, " of {name}"),
        }
    }
}

impl Known {
    /// Why, where one can read about it, and how long it excuses: in one line.
    #[must_use]
    pub fn told(&self) -> String {
        let link = self.link.as_ref();
        let link = link.map_or(String::new(), |link| format!("; see {link}"));
        let until = if self.expired { "expired on" } else { "until" };
        let expires = self.expires.as_ref();
        let expires = expires.map_or(String::new(), |day| format!("; {until} {day}"));
        format!("{}{link}{expires}", self.reason)
    }
}

/// The releases, with the versions that were seen in an attempt where nobody knew them: those of a
/// machine that is reached by its address.
fn with_seen<'r>(judgement: &Judgement, releases: &'r Releases) -> Cow<'r, Releases> {
    let (tuple, seen) = (&judgement.case.tuple, &judgement.versions);
    let versions = |name: &ReleaseName| {
        if *name == tuple.source {
            (seen.source_libvirt, seen.source_qemu)
        } else if *name == tuple.destination {
            (seen.destination_libvirt, seen.destination_qemu)
        } else {
            (None, None)
        }
    };
    let adds = |name| {
        let (libvirt, qemu) = versions(name);
        let known = releases.find(name);
        known.is_ok_and(|one| {
            one.libvirt.is_none() && libvirt.is_some() || one.qemu.is_none() && qemu.is_some()
        })
    };
    if !adds(&tuple.source) && !adds(&tuple.destination) {
        return Cow::Borrowed(releases);
    }
    let known = releases.iter().cloned().map(|mut release| {
        let (libvirt, qemu) = versions(&release.name);
        release.libvirt = release.libvirt.or(libvirt);
        release.qemu = release.qemu.or(qemu);
        release
    });
    Releases::new(known.collect()).map_or(Cow::Borrowed(releases), Cow::Owned)
}

/// The FNV-1a hash of a text, in 64 bits.
fn fnv_1a(text: &str) -> u64 {
    let more = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, more)
}
