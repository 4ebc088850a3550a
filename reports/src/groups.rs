//! Failures in groups: the same condition with the same reason, and what sets the cases of a group
//! apart.

use std::{borrow::Cow, collections::BTreeMap};

use migratrix_matrix::Condition;

use crate::{
    Judgement, Known, Run, Standing, Verdict,
    facets::{Apart, Facets},
    gist::gist,
    printable::printable,
};

/// Cases that stand alike for the same reason.
#[derive(Clone, Debug)]
pub struct Group<'r> {
    /// Where they stand.
    pub standing: Standing,
    /// The first condition that made them so; `None` for a fault that did not trip.
    pub condition: Option<Condition>,
    /// The reason, as the first of them gives it.
    pub why: String,
    /// What is known of it, where it is a known failure or was one.
    pub known: Option<&'r Known>,
    /// What sets them apart from the other cases of the run that were tried, as a filter; empty if
    /// nothing.
    pub shared: String,
    /// How many cases of the run that were tried have that, these among them.
    pub sharing: usize,
    /// The cases.
    pub cases: Vec<&'r Judgement>,
}

/// The troubles of a run in groups: of each of `standings` the largest first. A case stands in one
/// group alone: that of the first condition that went wrong, from which the others mostly follow.
#[must_use]
pub fn groups<'r>(run: &'r Run, standings: &[Standing]) -> Vec<Group<'r>> {
    let mut all: BTreeMap<_, Vec<&Judgement>> = BTreeMap::new();
    for judgement in run.judgements() {
        let standing = judgement.standing();
        let Some(place) = standings.iter().position(|one| *one == standing) else {
            continue;
        };
        let cause = Cause::of(judgement, standing);
        all.entry((place, cause.condition, cause.gist))
            .or_default()
            .push(judgement);
    }
    if all.is_empty() {
        return Vec::new();
    }
    let mut alike: BTreeMap<_, Vec<&Judgement>> = BTreeMap::new();
    for ((place, condition, _), cases) in &all {
        alike.entry((*place, *condition)).or_default().extend(cases);
    }
    let facets = Facets::of(run);
    let wide: BTreeMap<_, _> = alike
        .into_iter()
        .map(|(key, cases)| (key, (facets.apart(&cases), cases.len())))
        .collect();
    let group = |((place, condition, _), cases)| {
        let wide = &wide[&(place, condition)];
        (place, group(&facets, wide, condition, cases))
    };
    let mut groups: Vec<_> = all.into_iter().map(group).collect();
    groups.sort_by_key(|(place, group)| (*place, std::cmp::Reverse(group.cases.len())));
    groups.into_iter().map(|(_, group)| group).collect()
}

/// A group. What sets all cases apart in which the same condition went wrong tells more than what sets
/// its own apart, where that is closer: one cause may show in different words. Where neither is
/// exact, a list of values may be.
fn group<'r>(
    facets: &Facets,
    (wide, alike): &(Apart, usize),
    condition: Option<Condition>,
    cases: Vec<&'r Judgement>,
) -> Group<'r> {
    let first = cases[0];
    let standing = first.standing();
    let own = facets.apart(&cases);
    let mut apart = if wide.having < own.having {
        wide.clone()
    } else {
        own
    };
    if apart.having > cases.len().max(*alike) {
        apart = facets.listed(&cases).unwrap_or(apart);
    }
    let known = condition.and_then(|one| first.known(one).or(first.expired(one)));
    Group {
        standing,
        condition,
        why: reason(first, standing).1,
        known,
        shared: apart.filter,
        sharing: apart.having,
        cases,
    }
}

impl Group<'_> {
    /// What QEMU said of its end in most of its cases, and in how many: nothing where fewer than half of them have
    /// the same, for it is then no word on the group.
    #[must_use]
    pub fn said(&self) -> Option<String> {
        let mut alike: BTreeMap<String, usize> = BTreeMap::new();
        for said in self.cases.iter().filter_map(|one| one.said()) {
            *alike.entry(said).or_default() += 1;
        }
        let all = self.cases.len();
        // The first of equal ones.
        let most = alike.into_iter().rev().max_by_key(|(_, times)| *times);
        most.filter(|(_, times)| 2 * times >= all)
            .map(|(said, times)| {
                if times == all {
                    said
                } else {
                    format!("{said} ({times} of the {all})")
                }
            })
    }

    /// What sets its cases apart, in words that are true: `exactly the 4 cases with …` where all
    /// that have it are in the group, else `4 of the 9 cases with …`; a single one is named. Empty if
    /// nothing does.
    #[must_use]
    pub fn apart(&self) -> Option<(String, Cow<'_, str>)> {
        let (own, all) = (self.cases.len(), self.sharing);
        if self.shared.is_empty() {
            return None;
        }
        let shared = Cow::Borrowed(self.shared.as_str());
        Some(match (own, all) {
            (1, 1) => ("the case".to_owned(), self.cases[0].case.to_string().into()),
            (own, all) if own == all => (format!("exactly the {all} cases with"), shared),
            (own, all) => (format!("{own} of the {all} cases with"), shared),
        })
    }
}

/// What put a judgement where it stands: failures with one condition and one gist are one group, wherever they are
/// told.
pub(crate) struct Cause {
    /// The condition that went wrong first; `None` for a fault that did not trip.
    pub condition: Option<Condition>,
    /// Why.
    pub why: String,
    /// What of that is the same in other cases. What is known is of one cause, in whatever words it shows.
    pub gist: String,
}

impl Cause {
    pub fn of(judgement: &Judgement, standing: Standing) -> Self {
        let (condition, why) = reason(judgement, standing);
        let known = condition.and_then(|one| judgement.known(one));
        let gist = known.map_or_else(|| gist(judgement, &why), |known| known.reason.clone());
        Self {
            condition,
            why,
            gist,
        }
    }
}

/// The condition that put a judgement where it stands, and why.
pub(crate) fn reason(judgement: &Judgement, standing: Standing) -> (Option<Condition>, String) {
    let (condition, why) = raw_reason(judgement, standing, told);
    (condition, printable(&why))
}

/// The same without what a list of known failures says of it: that is of whoever wrote the list.
pub(crate) fn reason_itself(
    judgement: &Judgement,
    standing: Standing,
) -> (Option<Condition>, String) {
    let (condition, why) = raw_reason(judgement, standing, itself);
    (condition, printable(&why))
}

/// How the verdict of a condition is told.
type Telling = fn(&Judgement, Condition, &Verdict) -> String;

fn raw_reason(
    judgement: &Judgement,
    standing: Standing,
    telling: Telling,
) -> (Option<Condition>, String) {
    if let (Standing::FailedAtFirst, Some(flaw)) = (standing, judgement.flaws.first()) {
        let came = judgement.own_standing().word();
        let (attempt, why) = (flaw.attempt, &flaw.why);
        let why = format!("attempt {attempt}: {why}; tried again: {came}");
        return (flaw.condition, why);
    }
    if judgement.case.fault.is_some() {
        return (None, judgement.overall().why().to_owned());
    }
    let stands = |(one, _): &&(Condition, Verdict)| judgement.own_standing_of(*one) == standing;
    match judgement.conditions.iter().find(stands) {
        Some((condition, verdict)) => {
            let why = telling(judgement, *condition, verdict);
            (Some(*condition), why)
        }
        None => (None, judgement.overall().why().to_owned()),
    }
}

fn itself(judgement: &Judgement, condition: Condition, verdict: &Verdict) -> String {
    match verdict.why() {
        "" => told(judgement, condition, verdict),
        why => why.to_owned(),
    }
}

fn told(judgement: &Judgement, condition: Condition, verdict: &Verdict) -> String {
    let why = verdict.why();
    match (judgement.known(condition), judgement.expired(condition)) {
        (Some(known), _) if why.is_empty() => {
            format!("unexpected pass, known to fail: {}", known.reason)
        }
        (Some(known), _) => format!("{why} (known: {})", known.reason),
        (None, Some(known)) => format!("{why} (known, and expired: {})", known.reason),
        (None, None) => why.to_owned(),
    }
}
