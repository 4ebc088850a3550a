//! Known failures: the list of what is expected to fail, and why.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use migratrix_matrix::{BadFilter, Case, Condition, Filter, ReleaseName, Releases, SelectError};
use serde::Deserialize;

use crate::{Judgement, Kind, Known, ReportError, Verdict};

/// The list of known failures.
#[derive(Clone, Debug, Default)]
pub struct KnownFailures {
    entries: Vec<Entry>,
    general: bool,
    mark: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    /// Its place in the list, from 1.
    place: usize,
    cases: Filter,
    expires: Option<Date>,
    /// Whether its last day is over.
    expired: bool,
    written: Written,
}

/// What an entry says of a condition.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// It fails.
    Fails,
    /// It can't be seen.
    Unseen,
    /// It may fail or not be seen, since others fail.
    Follows,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
    known: Vec<Written>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    cases: String,
    #[serde(default)]
    conditions: Vec<Condition>,
    /// What can't be seen because of it.
    #[serde(default)]
    unseen: Vec<Condition>,
    /// What may fail or not be seen where one of `conditions` fails: it depends on the case.
    #[serde(default)]
    follows: Vec<Condition>,
    /// What is said of such a failure: one of these stands in what was seen of one of `conditions`, or in
    /// what a QEMU said. A failure of which none is said is another one.
    #[serde(default)]
    says: Vec<String>,
    reason: String,
    /// Whether it depends on chance, so that a pass is no news.
    #[serde(default)]
    sometimes: bool,
    #[serde(default)]
    versions: Option<String>,
    #[serde(default)]
    link: Option<String>,
    /// The last day on which it excuses a failure.
    #[serde(default)]
    expires: Option<String>,
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
    /// versions = "libvirt 7.0"              # for people
    /// link = "https://example.org/issue/1"  # for people
    /// expires = "2027-01-31"                # after that day it excuses nothing
    /// ```
    ///
    /// # Errors
    /// Returns what is wrong with the TOML, or the entry that can't be read or says too little.
    pub fn parse(text: &str) -> Result<Self, ReportError> {
        let list: List =
            toml::from_str(text).map_err(|error| ReportError::KnownList(error.to_string()))?;
        let entries = list.known.into_iter().enumerate();
        let entries = entries.map(|(place, written)| Entry::read(place + 1, written));
        Ok(Self {
            entries: entries.collect::<Result<_, _>>()?,
            general: false,
            mark: fnv_1a(text),
        })
    }

    /// What tells this list from others: of one text it is always the same.
    #[must_use]
    pub fn digest(&self) -> String {
        format!("{:016x}", self.mark)
    }

    /// Whether an entry names a release.
    #[must_use]
    pub fn names_releases(&self) -> bool {
        let names = |entry: &Entry| !entry.cases.releases().is_empty();
        self.entries.iter().any(names)
    }

    /// The same list on the day of this moment, in seconds since 1970 UTC: what has expired before
    /// it excuses nothing.
    #[must_use]
    pub fn on(mut self, now_unix: u64) -> Self {
        let now = i64::try_from(now_unix).ok();
        let now = now.and_then(|unix| Timestamp::from_second(unix).ok());
        let today = now.map(|now| now.to_zoned(TimeZone::UTC).date());
        for entry in &mut self.entries {
            entry.expired = entry
                .expires
                .zip(today)
                .is_some_and(|(last, day)| last < day);
        }
        self
    }

    /// Sees to it that the list names no release that nobody knows: it would excuse nothing.
    ///
    /// # Errors
    /// Returns the first entry that does, and the release.
    pub fn check_releases(&self, releases: &Releases) -> Result<(), ReportError> {
        for entry in &self.entries {
            for name in entry.cases.releases() {
                releases.find(name).map_err(|unknown| {
                    entry.written.wrong(
                        entry.place,
                        format!(
                            "names a release that there is not: {unknown}; a version (`source(qemu<9)`) \
                             or a glob (`source({name}*)`) may be of none"
                        ),
                    )
                })?;
            }
        }
        Ok(())
    }

    /// The same list, as one that is made for all runs: that no case of a run is subject to an entry
    /// is no news.
    #[must_use]
    pub fn general(self) -> Self {
        Self {
            general: true,
            ..self
        }
    }

    /// Marks the conditions of `judgement` that are expected to fail. Cases with a fault fail on
    /// purpose, and have no known failures.
    ///
    /// # Errors
    /// Returns a release that is not among `releases`.
    pub fn mark(&self, judgement: &mut Judgement, releases: &Releases) -> Result<(), ReportError> {
        judgement.known.clear();
        if judgement.case.fault.is_some() {
            return Ok(());
        }
        let seen = with_seen(judgement, releases);
        for entry in &self.entries {
            if entry.takes(&judgement.case, &seen)? {
                entry.mark(judgement);
            }
        }
        Ok(())
    }

    /// The entries that none of `cases` is subject to, in words.
    ///
    /// # Errors
    /// As [`KnownFailures::mark`].
    pub fn unused<'c>(
        &self,
        cases: impl Iterator<Item = &'c Case> + Clone,
        releases: &Releases,
    ) -> Result<Vec<String>, ReportError> {
        let mut unused = Vec::new();
        if self.general {
            return Ok(unused);
        }
        for Entry {
            cases: filter,
            written,
            ..
        } in &self.entries
        {
            let mut takes = cases.clone().map(|case| filter.matches(case, releases));
            let used = match takes.find(|taken| *taken != Ok(false)) {
                // Nobody knows whether the entry is needed.
                Some(Ok(_) | Err(SelectError::UnknownVersion { .. })) => true,
                Some(Err(why)) => return Err(ReportError::KnownReleases(why)),
                None => false,
            };
            if !used {
                unused.push(format!("{}: {}", written.cases, written.reason));
            }
        }
        Ok(unused)
    }
}

impl KnownFailures {
    /// The entries whose day is over and that one of `cases` is subject to, in words.
    ///
    /// # Errors
    /// As [`KnownFailures::mark`].
    pub fn expired<'c>(
        &self,
        cases: impl Iterator<Item = &'c Case> + Clone,
        releases: &Releases,
    ) -> Result<Vec<String>, ReportError> {
        let mut expired = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.expired) {
            let mut subject = 0;
            for case in cases.clone().filter(|case| case.fault.is_none()) {
                subject += usize::from(entry.takes(case, releases)?);
            }
            if subject > 0 {
                expired.push(entry.told_expired(subject));
            }
        }
        Ok(expired)
    }
}

impl Entry {
    /// That its day is over, and what becomes of it.
    fn told_expired(&self, subject: usize) -> String {
        let Written {
            cases,
            reason,
            expires,
            ..
        } = &self.written;
        let (place, day) = (self.place, expires.as_deref().unwrap_or_default());
        let subject = match subject {
            1 => "1 case is".to_owned(),
            more => format!("{more} cases are"),
        };
        format!(
            "known failure {place} has expired on {day} and excuses nothing (`{cases}`: {reason}); \
             {subject} subject to it: take it off the list, or give it another last day"
        )
    }

    fn read(place: usize, written: Written) -> Result<Self, ReportError> {
        let cases = written.cases.parse().map_err(|why: BadFilter| {
            let (cases, why) = (written.cases.clone(), why.to_string());
            ReportError::KnownCases { place, cases, why }
        })?;
        if written.reason.trim().is_empty() {
            let why = "has an empty reason: say what is wrong, and whose it is";
            return Err(written.wrong(place, why.to_owned()));
        }
        if written.conditions.is_empty() && written.unseen.is_empty() {
            let why = "names no conditions: say what fails in `conditions`, or what can't be seen \
                       in `unseen`";
            return Err(written.wrong(place, why.to_owned()));
        }
        if written.says.iter().any(|text| text.trim().is_empty()) {
            let why = "says nothing in `says`: quote what each such failure says, or leave it out";
            return Err(written.wrong(place, why.to_owned()));
        }
        if let Some(why) = written.link.as_deref().and_then(bad_link) {
            return Err(written.wrong(place, why));
        }
        let expires = written.expires.as_deref().map(day).transpose();
        Ok(Self {
            place,
            cases,
            expires: expires.map_err(|why| written.wrong(place, why))?,
            expired: false,
            written,
        })
    }

    /// Whether a case is subject to it; where it asks for a version that is not known, none is.
    fn takes(&self, case: &Case, releases: &Releases) -> Result<bool, ReportError> {
        match self.cases.matches(case, releases) {
            Err(SelectError::UnknownVersion { .. }) => Ok(false),
            taken => taken.map_err(ReportError::KnownReleases),
        }
    }

    /// Marks what it excuses. Where another entry does so already, it has nothing to add; what has
    /// expired stands behind what has not.
    fn mark(&self, judgement: &mut Judgement) {
        let Written {
            conditions,
            unseen,
            follows,
            ..
        } = &self.written;
        let fails = |one: &Condition| judgement.of(*one).map(Verdict::kind) == Some(Kind::Fail);
        if self.is_another(judgement) {
            return;
        }
        let follows = if conditions.iter().any(fails) {
            follows.as_slice()
        } else {
            &[]
        };
        let of = |all: &[Condition], how| all.iter().map(|one| (*one, how)).collect::<Vec<_>>();
        let all = [
            of(conditions, How::Fails),
            of(unseen, How::Unseen),
            of(follows, How::Follows),
        ];
        for (condition, how) in all.concat() {
            let excused = judgement.known(condition).is_some();
            if !excused || self.expired {
                judgement.known.push(self.known(condition, how));
            }
        }
    }

    /// Whether what failed is not what it speaks of, by what is said.
    fn is_another(&self, judgement: &Judgement) -> bool {
        let Written {
            conditions, says, ..
        } = &self.written;
        let failed = conditions.iter().filter_map(|one| judgement.of(*one));
        let failed = failed.filter(|verdict| verdict.kind() == Kind::Fail);
        let mut whys = failed.map(Verdict::why).peekable();
        if says.is_empty() || whys.peek().is_none() {
            return false;
        }
        let quoted = judgement.evidence.iter();
        let quoted = quoted.filter_map(|one| one.said.as_deref());
        !whys
            .chain(quoted)
            .any(|text| says.iter().any(|one| text.contains(one)))
    }

    fn known(&self, condition: Condition, how: How) -> Known {
        let written = &self.written;
        let versions = written
            .versions
            .as_ref()
            .map_or(String::new(), |them| format!(" ({them})"));
        Known {
            condition,
            reason: format!("{}{versions}", written.reason),
            sometimes: written.sometimes,
            unseen: how == How::Unseen,
            follows: how == How::Follows,
            link: written.link.clone(),
            expires: written.expires.clone(),
            expired: self.expired,
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

impl Written {
    fn wrong(&self, place: usize, why: String) -> ReportError {
        ReportError::KnownEntry {
            place,
            cases: self.cases.clone(),
            why,
        }
    }
}

/// The releases, with the versions that were seen in an attempt where nobody knew them: those of a
/// machine that is reached by its address.
fn with_seen(judgement: &Judgement, releases: &Releases) -> Releases {
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
    let known = releases.iter().cloned().map(|mut release| {
        let (libvirt, qemu) = versions(&release.name);
        release.libvirt = release.libvirt.or(libvirt);
        release.qemu = release.qemu.or(qemu);
        release
    });
    Releases::new(known.collect()).unwrap_or_else(|_| releases.clone())
}

/// The FNV-1a hash of a text, in 64 bits.
fn fnv_1a(text: &str) -> u64 {
    let more = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, more)
}

/// Why a link can't be one: reports make it one that is clicked on.
fn bad_link(link: &str) -> Option<String> {
    let lower = link.to_ascii_lowercase();
    let schemes = ["http://", "https://"].into_iter();
    let mut rest = schemes.filter_map(|scheme| lower.strip_prefix(scheme));
    let is_one = rest.any(|rest| !rest.is_empty())
        && !link.contains(|c: char| c.is_whitespace() || c.is_control());
    (!is_one).then(|| {
        format!(
            "has the link `{link}`, which is none to a page: write it as in \
             link = \"https://example.org/issue/1\""
        )
    })
}

/// The day that `text` names.
fn day(text: &str) -> Result<Date, String> {
    let day = Date::strptime("%Y-%m-%d", text).ok();
    day.filter(|_| text.len() == "2027-01-31".len())
        .ok_or_else(|| {
            format!("expires on `{text}`, which is no day: write it as in expires = \"2027-01-31\"")
        })
}
