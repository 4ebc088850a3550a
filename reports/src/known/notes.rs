//! What is told of the entries of a list after a run: which are needed no more, which end, and which do
//! not say what is so.

use std::collections::BTreeMap;

use migratrix_matrix::{Case, Condition};

use super::{
    KnownFailures, Origin,
    entry::{Entry, Fit},
};
use crate::terminal::{cases, count};

/// For how many days before its last one it is told of an entry that it ends.
const SOON: i32 = 30;

/// What is told of the entries of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    /// Those that no case is subject to.
    pub unused: Vec<String>,
    /// Those whose day is over.
    pub expired: Vec<String>,
    /// Those whose last day comes soon.
    pub expiring: Vec<String>,
    /// Those that match in part, each with how.
    pub partly: BTreeMap<String, Partly>,
}

/// How an entry matches in part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Partly {
    subject: usize,
    another: Apart,
    part: Apart,
}

/// The cases in which an entry is not what it says: how many, the first, and one of its conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Apart {
    cases: usize,
    first: Option<(Case, Condition)>,
}

/// What became of an entry, counted case by case.
#[derive(Clone, Debug, Default)]
pub(super) struct Count {
    /// Whether a case may be subject to it, for all that is known.
    unsure: bool,
    partly: Partly,
}

impl Count {
    /// Counts a case in.
    pub fn add(&mut self, case: &Case, fit: &Fit) {
        let partly = &mut self.partly;
        partly.subject += usize::from(!matches!(fit, Fit::Not | Fit::Unsure));
        match fit {
            Fit::Not | Fit::Whole => {}
            Fit::Unsure => self.unsure = true,
            Fit::Another(condition) => partly.another.add(case, *condition),
            Fit::Part(condition) => partly.part.add(case, *condition),
        }
    }
}

impl Apart {
    fn add(&mut self, case: &Case, condition: Condition) {
        self.cases += 1;
        self.first.get_or_insert_with(|| (case.clone(), condition));
    }

    fn join(&mut self, other: Self) {
        self.cases += other.cases;
        self.first = self.first.take().or(other.first);
    }
}

impl Partly {
    fn is_told(&self) -> bool {
        self.another.cases + self.part.cases > 0
    }

    /// In words, for a report.
    pub fn told(&self, entry: &str) -> String {
        let subject = cases(self.subject);
        let another = self.another.first.as_ref().map(|(case, condition)| {
            let some = self.another.cases;
            format!("{some} of {subject} fail otherwise than its `says`, as {condition} in {case}")
        });
        let part = self.part.first.as_ref().map(|(case, condition)| {
            let some = self.part.cases;
            format!("{some} of {subject} pass one of its conditions and fail another, as {condition} passes in {case}")
        });
        let told: Vec<_> = [another, part].into_iter().flatten().collect();
        format!("{entry} matches in part: {}", told.join("; "))
    }

    fn join(&mut self, other: Self) {
        self.subject += other.subject;
        self.another.join(other.another);
        self.part.join(other.part);
    }
}

impl Notes {
    /// What is told of the entries of `known`, each with what was counted of it.
    pub(super) fn of(known: &KnownFailures, counts: Vec<Count>) -> Self {
        let mut notes = Self::default();
        for (entry, count) in known.entries.iter().zip(counts) {
            let Count { unsure, partly } = count;
            let subject = partly.subject;
            if subject == 0 && !unsure && entry.origin != Origin::BuiltIn {
                notes.unused.push(entry.told());
            }
            if subject == 0 {
                continue;
            }
            notes.expired.extend(expired(entry, subject));
            notes.expiring.extend(expiring(entry, subject));
            if partly.is_told() {
                let told = format!("{} (`{}`)", entry.name(), entry.cases);
                notes.partly.insert(told, partly);
            }
        }
        notes
    }

    /// Joins what is told of the shards of one run.
    pub fn join(&mut self, other: Self) {
        self.unused.retain(|one| other.unused.contains(one));
        join(&mut self.expired, other.expired);
        join(&mut self.expiring, other.expiring);
        for (entry, partly) in other.partly {
            self.partly.entry(entry).or_default().join(partly);
        }
    }

    /// Which entries match in part, in words.
    pub fn partly(&self) -> Vec<String> {
        let all = self.partly.iter();
        all.map(|(entry, partly)| partly.told(entry)).collect()
    }

    /// The same in one line, where there are any: of several entries how many do so in which way, each way
    /// with one example.
    pub fn partly_in_a_line(&self) -> Option<String> {
        let mut all = self.partly.iter();
        match (all.next(), self.partly.len()) {
            (None, _) => None,
            (Some((entry, partly)), 1) => Some(partly.told(entry)),
            (Some(_), several) => {
                let ways = [self.way(&OTHERWISE), self.way(&IN_PART)];
                let ways: Vec<_> = ways.into_iter().flatten().collect();
                Some(format!(
                    "{several} known failures match in part: {}; summary.json names each",
                    ways.join("; ")
                ))
            }
        }
    }

    /// How many entries are not what they say in one way, in how many cases, and one of these.
    fn way(&self, way: &Way) -> Option<String> {
        let own = self.partly.iter();
        let own = own.map(|(entry, partly)| (entry, (way.of)(partly)));
        let own = own.filter(|(_, apart)| apart.cases > 0);
        let some = cases(own.clone().map(|(_, apart)| apart.cases).sum());
        let (entry, first) = own.clone().next()?;
        let (case, condition) = first.first.as_ref()?;
        let entries = match own.count() {
            1 => format!("1 {}", way.one),
            more => format!("{more} {}", way.several),
        };
        let seen = way.seen;
        Some(format!(
            "{entries}, in {some}, as {condition}{seen} in {case} ({entry})"
        ))
    }
}

/// A way in which entries are not what they say.
struct Way {
    of: fn(&Partly) -> &Apart,
    one: &'static str,
    several: &'static str,
    /// What becomes of the condition.
    seen: &'static str,
}

const OTHERWISE: Way = Way {
    of: |one| &one.another,
    one: "fails otherwise than its `says`",
    several: "fail otherwise than their `says`",
    seen: "",
};

const IN_PART: Way = Way {
    of: |one| &one.part,
    one: "passes one of its conditions and fails another",
    several: "pass one of their conditions and fail another",
    seen: " passes",
};

fn join(all: &mut Vec<String>, others: Vec<String>) {
    for other in others {
        if !all.contains(&other) {
            all.push(other);
        }
    }
}

/// That its day is over, and what becomes of it.
fn expired(entry: &Entry, subject: usize) -> Option<String> {
    let day = entry.expires.filter(|_| entry.is_over())?;
    let subject = are(subject);
    Some(format!(
        "{} has expired on {day} and excuses nothing (`{}`: {}); {subject} subject to it: take it off \
         the list, or give it another last day",
        entry.name(),
        entry.cases,
        entry.reason
    ))
}

/// That its last day comes soon.
fn expiring(entry: &Entry, subject: usize) -> Option<String> {
    let left = entry.days_left.filter(|days| (0..=SOON).contains(days))?;
    let day = entry.expires?;
    let when = match usize::try_from(left) {
        Ok(0) | Err(_) => "today".to_owned(),
        Ok(left) => format!("in {}", count(left, "day")),
    };
    let subject = are(subject);
    Some(format!(
        "{} expires {when}, on {day} (`{}`: {}); {subject} subject to it, and a failure after that day: \
         mend it, or give it another last day",
        entry.name(),
        entry.cases,
        entry.reason
    ))
}

fn are(subject: usize) -> String {
    let verb = if subject == 1 { "is" } else { "are" };
    format!("{} {verb}", cases(subject))
}
