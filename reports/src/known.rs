//! Known failures: the list of what is expected to fail, and why.

use migratrix_matrix::{BadFilter, Case, Condition, Filter, Releases, SelectError};
use serde::Deserialize;

use crate::{Judgement, Known, ReportError};

/// The list of known failures.
#[derive(Clone, Debug, Default)]
pub struct KnownFailures {
    entries: Vec<Entry>,
    general: bool,
}

#[derive(Clone, Debug)]
struct Entry {
    cases: Filter,
    written: Written,
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
    conditions: Vec<Condition>,
    /// What can't be seen because of it.
    #[serde(default)]
    unseen: Vec<Condition>,
    reason: String,
    /// Whether it depends on chance, so that a pass is no news.
    #[serde(default)]
    sometimes: bool,
    #[serde(default)]
    versions: Option<String>,
    #[serde(default)]
    link: Option<String>,
}

impl KnownFailures {
    /// Reads a list in TOML.
    ///
    /// ```toml
    /// [[known]]
    /// cases = "control(tunnelled) & source(bullseye)"
    /// conditions = ["events"]
    /// unseen = ["memory"]                   # what can't be seen because of it
    /// reason = "no `resumed` event before libvirt 8"
    /// sometimes = true                      # chance has a part in it: a pass is no news
    /// versions = "libvirt 7.0"              # for people
    /// link = "https://example.org/issue/1"  # for people
    /// ```
    ///
    /// # Errors
    /// Returns what is wrong with the TOML, or the filter that can't be read.
    pub fn parse(text: &str) -> Result<Self, ReportError> {
        let list: List =
            toml::from_str(text).map_err(|error| ReportError::KnownList(error.to_string()))?;
        let entries = list.known.into_iter().enumerate().map(|(place, written)| {
            let cases = written.cases.parse().map_err(|why: BadFilter| {
                let (cases, why) = (written.cases.clone(), why.to_string());
                ReportError::KnownCases {
                    place: place + 1,
                    cases,
                    why,
                }
            })?;
            Ok(Entry { cases, written })
        });
        Ok(Self {
            entries: entries.collect::<Result<_, _>>()?,
            general: false,
        })
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
    /// Returns a release that is not among `releases`, or whose version a filter asks for in vain.
    pub fn mark(&self, judgement: &mut Judgement, releases: &Releases) -> Result<(), ReportError> {
        judgement.known.clear();
        if judgement.case.fault.is_some() {
            return Ok(());
        }
        for entry in &self.entries {
            if entry.takes(&judgement.case, releases)? {
                entry.written.mark(judgement);
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
        } in &self.entries
        {
            let mut takes = cases.clone().map(|case| filter.matches(case, releases));
            let used = takes
                .find(|taken| *taken != Ok(false))
                .transpose()
                .map_err(unmatched)?;
            if used.is_none() {
                unused.push(format!("{}: {}", written.cases, written.reason));
            }
        }
        Ok(unused)
    }
}

impl Entry {
    fn takes(&self, case: &Case, releases: &Releases) -> Result<bool, ReportError> {
        self.cases.matches(case, releases).map_err(unmatched)
    }
}

fn unmatched(why: SelectError) -> ReportError {
    ReportError::KnownReleases(why)
}

impl Written {
    fn mark(&self, judgement: &mut Judgement) {
        let failing = self.conditions.iter().map(|one| (one, false));
        let unseen = self.unseen.iter().map(|one| (one, true));
        for (condition, unseen) in failing.chain(unseen) {
            if judgement.known(*condition).is_none() {
                judgement.known.push(self.known(*condition, unseen));
            }
        }
    }

    fn known(&self, condition: Condition, unseen: bool) -> Known {
        let versions = self
            .versions
            .as_ref()
            .map_or(String::new(), |them| format!(" ({them})"));
        Known {
            condition,
            reason: format!("{}{versions}", self.reason),
            sometimes: self.sometimes,
            unseen,
            link: self.link.clone(),
        }
    }
}
