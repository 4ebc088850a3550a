//! An entry of a list of known failures: which cases it is of, and what of a case it excuses.

use jiff::civil::Date;
use migratrix_matrix::{Case, Condition, Filter, Releases, SelectError};

use super::{Origin, spot::Spot};
use crate::{Judgement, Kind, Known, ReportError, Verdict};

#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its place in the list, from 1.
    pub place: usize,
    /// Where it stands in the text.
    pub spot: Spot,
    /// Which list it is of.
    pub origin: Origin,
    pub cases: Filter,
    /// The versions to which it is bound.
    pub versions: Option<Filter>,
    pub conditions: Vec<Condition>,
    /// What can't be seen because of it.
    pub unseen: Vec<Condition>,
    /// What may fail or not be seen where one of `conditions` fails: it depends on the case.
    pub follows: Vec<Condition>,
    /// What is said of such a failure: one of these stands in what was seen of one of `conditions`, or
    /// in what a QEMU said. A failure of which none is said is another one.
    pub says: Vec<String>,
    pub reason: String,
    /// Whether it depends on chance, so that a pass is no news.
    pub sometimes: bool,
    pub link: Option<String>,
    /// The last day on which it excuses a failure.
    pub expires: Option<Date>,
    /// How many days that is from today, where both are known; less than none where it is over.
    pub days_left: Option<i32>,
}

/// Whether an entry is of a case, and what comes of it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is not.
    Not,
    /// It asks for a version that is not known.
    Unsure,
    /// It is, and says all that is wrong of its conditions.
    Whole,
    /// It is, and the failure says nothing of what its failures say.
    Another(Condition),
    /// It is, and of its conditions one fails and this one passes.
    Part(Condition),
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

impl Entry {
    /// That it can't be so.
    pub fn wrong(&self, why: String) -> ReportError {
        ReportError::KnownEntry {
            at: self.spot,
            place: self.place,
            cases: self.cases.to_string(),
            why,
        }
    }

    /// What it is called: `known failure 3 of mine.toml`.
    pub fn name(&self) -> String {
        format!("known failure {}{}", self.place, self.origin)
    }

    /// Which cases it is of, and why they fail.
    pub fn told(&self) -> String {
        let versions = self.versions.as_ref();
        let versions = versions.map_or(String::new(), |range| format!(" & {range}"));
        format!("{}{versions}: {}", self.cases, self.reason)
    }

    /// Whether its last day is over.
    pub fn is_over(&self) -> bool {
        self.days_left.is_some_and(|days| days < 0)
    }

    /// What a case has to match.
    pub fn filters(&self) -> impl Iterator<Item = &Filter> {
        [Some(&self.cases), self.versions.as_ref()]
            .into_iter()
            .flatten()
    }

    /// Whether a case is subject to it; `None` where it asks for a version that is not known.
    fn takes(&self, case: &Case, releases: &Releases) -> Result<Option<bool>, ReportError> {
        for filter in self.filters() {
            match filter.matches(case, releases) {
                Ok(true) => {}
                Ok(false) => return Ok(Some(false)),
                Err(SelectError::UnknownVersion { .. }) => return Ok(None),
                Err(why) => return Err(ReportError::KnownReleases(why)),
            }
        }
        Ok(Some(true))
    }

    /// How it fits a judgement.
    ///
    /// # Errors
    /// Returns a release of the case that nobody knows.
    pub fn fit(&self, judgement: &Judgement, releases: &Releases) -> Result<Fit, ReportError> {
        match self.takes(&judgement.case, releases)? {
            Some(true) => {}
            Some(false) => return Ok(Fit::Not),
            None => return Ok(Fit::Unsure),
        }
        let of = |kind| {
            let all = self.conditions.iter().copied();
            let mut all =
                all.filter(move |one| judgement.of(*one).map(Verdict::kind) == Some(kind));
            all.next()
        };
        let Some(failed) = of(Kind::Fail) else {
            return Ok(Fit::Whole);
        };
        if self.is_another(judgement) {
            return Ok(Fit::Another(failed));
        }
        Ok(of(Kind::Pass).map_or(Fit::Whole, Fit::Part))
    }

    /// Whether what failed, or could not be seen where nothing fails by it, is not what it speaks of, by what is said.
    fn is_another(&self, judgement: &Judgement) -> bool {
        let (conditions, kind) = match self.conditions.as_slice() {
            [] => (&self.unseen, Kind::Unknown),
            [..] => (&self.conditions, Kind::Fail),
        };
        let failed = conditions.iter().filter_map(|one| judgement.of(*one));
        let failed = failed.filter(|verdict| verdict.kind() == kind);
        let quoted = judgement.evidence.iter();
        let quoted = quoted.filter_map(|one| one.said.as_deref());
        let mut texts = failed.map(Verdict::why).chain(quoted);
        let says = |text: &str| self.says.iter().any(|one| text.contains(one));
        !self.says.is_empty() && !texts.any(says)
    }

    /// Marks what it excuses. Where another entry does so already, it has nothing to add; what has
    /// expired stands behind what has not. Where chance has a part in it, one that excuses nothing leaves its
    /// place to another.
    pub fn mark(&self, judgement: &mut Judgement) {
        let fails = |one: &Condition| judgement.of(*one).map(Verdict::kind) == Some(Kind::Fail);
        let follows = if self.conditions.iter().any(fails) {
            self.follows.as_slice()
        } else {
            &[]
        };
        let unseen = if self.conditions.is_empty() && self.is_another(judgement) {
            &[]
        } else {
            self.unseen.as_slice()
        };
        let of = |all: &[Condition], how| all.iter().map(|one| (*one, how)).collect::<Vec<_>>();
        let all = [
            of(&self.conditions, How::Fails),
            of(unseen, How::Unseen),
            of(follows, How::Follows),
        ];
        for (condition, how) in all.concat() {
            let excused = judgement.known(condition).is_some();
            let kind = judgement.of(condition).map(Verdict::kind);
            let is_idle = self.sometimes
                && matches!(
                    (kind, how),
                    (Some(Kind::Unknown), How::Fails) | (Some(Kind::Fail), How::Unseen)
                );
            if !is_idle && (!excused || self.is_over()) {
                judgement.known.push(self.known(condition, how));
            }
        }
    }

    fn known(&self, condition: Condition, how: How) -> Known {
        Known {
            condition,
            reason: self.reason.clone(),
            sometimes: self.sometimes,
            unseen: how == How::Unseen,
            follows: how == How::Follows,
            link: self.link.clone(),
            expires: self.expires.map(|day| day.to_string()),
            expired: self.is_over(),
        }
    }
}
