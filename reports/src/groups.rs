//! Failures in groups: the same condition with the same reason, and what the cases of a group share.

use std::collections::BTreeMap;

use migratrix_matrix::{Case, Condition, Tuple};

use crate::{Judgement, Run, Standing, Verdict, printable::printable};

/// Cases that stand alike for the same reason.
#[derive(Clone, Debug)]
pub struct Group<'r> {
    /// Where they stand.
    pub standing: Standing,
    /// The first condition that made them so; `None` for a fault that did not trip.
    pub condition: Option<Condition>,
    /// The reason, as the first of them gives it.
    pub why: String,
    /// What they share and not every case of the run has, as a filter; empty if nothing.
    pub shared: String,
    /// How many cases of the run have that.
    pub sharing: usize,
    /// The cases.
    pub cases: Vec<&'r Judgement>,
}

/// The troubles of a run in groups, the largest first. A case stands in one group alone: that of
/// the first condition that went wrong, from which the others mostly follow.
#[must_use]
pub fn groups(run: &Run, standing: Standing) -> Vec<Group<'_>> {
    let mut all: BTreeMap<(Option<Condition>, String), Vec<&Judgement>> = BTreeMap::new();
    for judgement in run.judgements().filter(|one| one.standing() == standing) {
        let (condition, why) = reason(judgement, standing);
        all.entry((condition, gist(judgement, &why)))
            .or_default()
            .push(judgement);
    }
    let mut groups: Vec<_> = all
        .into_iter()
        .map(|((condition, _), cases)| group(run, standing, condition, cases))
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.cases.len()));
    groups
}

fn group<'r>(
    run: &Run,
    standing: Standing,
    condition: Option<Condition>,
    cases: Vec<&'r Judgement>,
) -> Group<'r> {
    let why = reason(cases[0], standing).1;
    let traits = shared(run, &cases);
    let sharing = run
        .judgements()
        .filter(|one| has_all(&one.case, &traits))
        .count();
    Group {
        standing,
        condition,
        why,
        shared: traits.join(" & "),
        sharing,
        cases,
    }
}

/// The condition that put a judgement where it stands, and why.
pub(crate) fn reason(judgement: &Judgement, standing: Standing) -> (Option<Condition>, String) {
    let (condition, why) = raw_reason(judgement, standing);
    (condition, printable(&why))
}

fn raw_reason(judgement: &Judgement, standing: Standing) -> (Option<Condition>, String) {
    if judgement.case.fault.is_some() {
        return (None, judgement.overall().why().to_owned());
    }
    let stands = |(one, _): &&(Condition, Verdict)| judgement.standing_of(*one) == standing;
    match judgement.conditions.iter().find(stands) {
        Some((condition, verdict)) => (Some(*condition), told(judgement, *condition, verdict)),
        None => (None, judgement.overall().why().to_owned()),
    }
}

fn told(judgement: &Judgement, condition: Condition, verdict: &Verdict) -> String {
    match judgement.known(condition) {
        Some(known) if verdict.why().is_empty() => {
            format!("the known failure passes now: {}", known.reason)
        }
        Some(known) => format!("{} (known: {})", verdict.why(), known.reason),
        None => verdict.why().to_owned(),
    }
}

/// The reason without what differs from case to case: releases and versions, numbers, names. An
/// error's code stays.
fn gist(judgement: &Judgement, why: &str) -> String {
    let Tuple {
        client,
        source,
        destination,
    } = &judgement.case.tuple;
    let mut words = Vec::new();
    let mut before = "";
    for word in why.split_whitespace() {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let names_release = [client, source, destination]
            .iter()
            .any(|name| name.as_str() == bare);
        let varies = bare.contains(|c: char| c.is_ascii_digit()) && before != "code";
        words.push(if varies || names_release { "#" } else { word });
        before = bare;
    }
    words.join(" ")
}

/// The smallest set of traits that says of these cases what all their shared traits say.
fn shared(run: &Run, cases: &[&Judgement]) -> Vec<String> {
    let mut kept: Vec<_> = traits(&cases[0].case)
        .into_iter()
        .filter(|one| cases.iter().all(|other| traits(&other.case).contains(one)))
        .collect();
    let all: Vec<_> = run.judgements().map(|one| traits(&one.case)).collect();
    let having = |kept: &[String]| {
        all.iter()
            .filter(|case| kept.iter().all(|one| case.contains(one)))
            .count()
    };
    let least = having(&kept);
    for place in (0..kept.len()).rev() {
        let mut fewer = kept.clone();
        fewer.remove(place);
        if having(&fewer) == least {
            kept = fewer;
        }
    }
    kept
}

fn has_all(case: &Case, wanted: &[String]) -> bool {
    let has = traits(case);
    wanted.iter().all(|one| has.contains(one))
}

/// What a case is, trait by trait, in the words of the filter language.
fn traits(case: &Case) -> Vec<String> {
    let traits = case.traits().into_iter();
    traits.map(|one| one.text).collect()
}
