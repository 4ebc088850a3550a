//! Filters: which cases are wanted, as one expression.
//!
//! ```text
//!   control(p2p) & source(<9.0) & !state(paused)
//! ```
//!
//! `&`, `|`, `!` and parentheses, or `and`, `or`, `not`; `!` binds closest, then `&`. What stands between
//! a predicate's parentheses may be several values with commas: any of them will do.
//!
//! | predicate | values |
//! |---|---|
//! | `suite`, `backend`, `control`, `hardware`, `fault` | the words of that kind; `fault(none)` |
//! | `state` | `persistent`, `transient`, `running`, `paused`, `defined` (on the destination), `undefined` |
//! | `flag` | a flag that is among others, or `none` |
//! | `flags` | exactly this set, as `undefine+persist` |
//! | `client`, `source`, `destination` | a release, a glob as `book*`, a version as `<9.0`, `qemu>=7.2`, or a range as `>=8 & <9` |
//! | `forward()`, `same()`, `backward()` | the destination is newer, equal, older |
//! | `name` | a glob for the whole name; its commas are its own |
//! | `method`, `transport`, `guest`, `address`, `multifd`, `channels`, `zero-page`, `tls`, `uuids`, `incident`, `machine`, `accelerator`, `devices` | the words of that axis of the `qemu` suite, the usual ones among them, as `tls(plain-text)` |
//! | `feature` | a feature of the `qemu` suite that is among others |
//! | `colo-channel`, `failover`, `colo-moment`, `loss`, `colo-disk`, `checkpoint-delay`; `machine`, `accelerator` | the words of that axis of the `colo` suite |
//! | `journey`, `backup-form`, `operation`, `writer`, `granularity`, `clusters`, `bitmaps`, `creation`, `target`, `carrier` | the words of that axis of the `backup` suite |
//!
//! Each axis of a suite is a predicate (or shares `state`), which takes the words of its values, or a
//! glob for several, as `devices(virtio-*)`.
//!
//! A version counts as far as it is written: `=7.2` and `<=7.2` are true of 7.2.22, `>7.2` is not. It is
//! the libvirt's, and the QEMU's in suites without libvirt. What a case's suite does not have is false of it.

mod parse;
mod predicate;
mod vocabulary;

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::{Case, ReleaseName, Releases, Role, SelectError, word::serde_as_text};
use predicate::{Bound, Predicate};

/// An expression that is true or false of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    text: String,
    expression: Expression,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Expression {
    Is(Predicate),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
}

/// A text that can't be a filter. It is shown with the wrong place marked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct BadFilter {
    /// The text.
    pub text: String,
    /// The byte at which it goes wrong.
    pub at: usize,
    /// What is wrong there, and what would be right.
    pub problem: String,
}

impl Filter {
    /// Whether it is true of `case`. What can't change the answer is not asked: in `a & b`, a case that
    /// is not `a` needs no version for `b`.
    ///
    /// # Errors
    /// Returns a release of the case that is not known, or whose version is asked for and not known.
    pub fn matches(&self, case: &Case, releases: &Releases) -> Result<bool, SelectError> {
        self.expression.is_true(case, releases)
    }

    /// The releases that it names.
    #[must_use]
    pub fn releases(&self) -> Vec<&ReleaseName> {
        let asked = self.predicates().into_iter();
        asked.filter_map(Predicate::release).collect()
    }

    /// Whether it is a range of versions: it asks for nothing but releases and their versions, and whatever it is
    /// true of is within a bound.
    #[must_use]
    pub fn is_range(&self) -> bool {
        self.is_of_releases() && self.expression.is_bounded()
    }

    /// Whether it asks for releases and their versions alone.
    #[must_use]
    pub fn is_of_releases(&self) -> bool {
        let asked = self.predicates();
        asked.into_iter().all(Predicate::is_of_releases)
    }

    /// Whether no version is in it, as in `source(>9 & <8)`.
    #[must_use]
    pub fn is_void(&self) -> bool {
        self.expression.is_void()
    }

    fn predicates(&self) -> Vec<&Predicate> {
        let mut all = Vec::new();
        self.expression.predicates(&mut all);
        all
    }
}

impl Expression {
    fn is_true(&self, case: &Case, releases: &Releases) -> Result<bool, SelectError> {
        match self {
            Self::Is(predicate) => predicate.holds(case, releases),
            Self::Not(inner) => Ok(!inner.is_true(case, releases)?),
            Self::All(parts) => Ok(!any_is(false, parts, case, releases)?),
            Self::Any(parts) => any_is(true, parts, case, releases),
        }
    }

    /// Whether its bounds leave no version of a release that it is true of.
    fn is_void(&self) -> bool {
        match self {
            Self::Is(_) | Self::Not(_) => false,
            Self::Any(parts) => parts.iter().all(Self::is_void),
            Self::All(parts) => {
                let mut bounds = Vec::new();
                self.bounds(&mut bounds);
                parts.iter().any(Self::is_void) || predicate::is_void(&bounds)
            }
        }
    }

    /// Whether all that it is true of is within a bound of versions: which of two is newer is none.
    fn is_bounded(&self) -> bool {
        match self {
            Self::Is(predicate) => predicate.is_bound(),
            Self::Not(inner) => inner.is_bounded_outside(),
            Self::All(parts) => parts.iter().any(Self::is_bounded),
            Self::Any(parts) => parts.iter().all(Self::is_bounded),
        }
    }

    /// The same of all that it is not true of.
    fn is_bounded_outside(&self) -> bool {
        match self {
            Self::Is(predicate) => predicate.is_bound(),
            Self::Not(inner) => inner.is_bounded(),
            Self::All(parts) => parts.iter().all(Self::is_bounded_outside),
            Self::Any(parts) => parts.iter().any(Self::is_bounded_outside),
        }
    }

    /// Adds the versions that all have to do.
    fn bounds<'a>(&'a self, all: &mut Vec<(Role, &'a Bound)>) {
        match self {
            Self::Is(Predicate::Version(role, bound)) => all.push((*role, bound)),
            Self::All(parts) => parts.iter().for_each(|part| part.bounds(all)),
            Self::Is(_) | Self::Not(_) | Self::Any(_) => {}
        }
    }

    /// Adds all that is asked.
    fn predicates<'a>(&'a self, all: &mut Vec<&'a Predicate>) {
        match self {
            Self::Is(predicate) => all.push(predicate),
            Self::Not(inner) => inner.predicates(all),
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.predicates(all));
            }
        }
    }
}

/// Whether one of `parts` comes out as `wanted`. The rest is not asked then.
fn any_is(
    wanted: bool,
    parts: &[Expression],
    case: &Case,
    releases: &Releases,
) -> Result<bool, SelectError> {
    for part in parts {
        if part.is_true(case, releases)? == wanted {
            return Ok(true);
        }
    }
    Ok(false)
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Filter {
    type Err = BadFilter;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expression = parse::parse(text)?;
        Ok(Self {
            text: text.to_owned(),
            expression,
        })
    }
}

/// How much of a filter is shown on each side of what is wrong with it, in characters.
const SHOWN: usize = 100;

impl fmt::Display for BadFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = self.text.split_at(self.at);
        let before = before.rsplit('\n').next().unwrap_or_default();
        let after = after.split('\n').next().unwrap_or_default();
        let cut = |part: usize| if part > SHOWN { "…" } else { "" };
        let lengths = [before, after].map(|part| part.chars().count());
        let left = before.chars().skip(lengths[0].saturating_sub(SHOWN));
        let left = cut(lengths[0]).chars().chain(left).collect::<String>();
        let right: String = after.chars().take(SHOWN).collect();
        let column = left.chars().count();
        writeln!(
            f,
            "the filter is wrong at byte {}: {}",
            self.at, self.problem
        )?;
        writeln!(f, "  {left}{right}{}", cut(lengths[1]))?;
        write!(f, "  {:column$}^", "")
    }
}

serde_as_text!(Filter);

#[cfg(test)]
mod tests;
