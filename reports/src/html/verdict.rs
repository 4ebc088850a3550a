//! The verdict on a run: go or no go, and a sentence that says of what.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::causes::Causes;
use crate::{
    Blame, Group, Run, Standing,
    go::{Reach, Sign, beside_cases},
    terminal::{cases, count, extent},
};

/// How many groups of failures the sentence names.
const NAMED: usize = 2;

const fn class(sign: Sign) -> &'static str {
    match sign {
        Sign::Go => "passed",
        Sign::GoButKnown => "known",
        Sign::NoGo => "failed",
        Sign::Open | Sign::Untried => "unknown",
    }
}

/// The top of the page.
pub fn verdict(run: &Run, groups: &[Group<'_>], why: &Causes) -> Markup {
    let sign = Sign::of(run);
    let [mark, word, by] = sign.words();
    html! {
        header.verdict {
            p.go.(class(sign)) { b { (mark) " " (word) } " " small { (by) } }
            div {
                h1 { (sentence(run, groups, why)) }
                p.mute { (extent(run)) "; " (figures(run)) "." }
            }
        }
    }
}

fn figures(run: &Run) -> String {
    let ten: usize = run.conditions(|one| one.is_one_of_the_ten()).values().sum();
    let all: usize = run.conditions(|_| true).values().sum();
    let all = format!("{} in all", count(all, "condition"));
    // Suites of QEMU alone have none of the ten.
    match ten {
        0 => all,
        ten => format!("{}, {all}", count(ten, "post-condition")),
    }
}

/// How many scenarios are safe, and which are not.
fn sentence(run: &Run, groups: &[Group<'_>], why: &Causes) -> Markup {
    let tally = run.cases();
    let of = |standing| tally.get(&standing).copied().unwrap_or(0);
    let (passed, all) = (of(Standing::Passed), run.judgements().len());
    let tried = all - of(Standing::Skipped);
    let unseen = of(Standing::Unknown);
    let having = |is: fn(Standing) -> bool| groups.iter().filter(move |one| is(one.standing));
    let bad: Vec<_> = having(is_unsafe).collect();
    let news: Vec<_> = having(|one| one == Standing::UnexpectedPass).collect();
    html! {
        (Reach::of(run).map_or_else(|| way(run), |reach| reach.told())) ": "
        @if tried == 0 { "nothing was tried" }
        @else { (what(run)) " in " (passed) " of " (scenarios(tried)) }
        @if !news.is_empty() { "; against the list of known failures it passed " (named(&news)) }
        @if why.all().next().is_some() { "; not " (accounted(&bad, why)) }
        @else if !bad.is_empty() { "; not " (named(&bad)) }
        @if unseen > 0 { "; not seen in " (unseen) }
        @for one in beside_cases(run) { "; " (one) }
    }
}

/// Whether a guest did not come through, at least once.
const fn is_unsafe(standing: Standing) -> bool {
    match standing {
        Standing::Failed | Standing::FailedAtFirst | Standing::KnownFailure => true,
        Standing::Unknown | Standing::UnexpectedPass | Standing::Passed | Standing::Skipped => {
            false
        }
    }
}

fn scenarios(number: usize) -> String {
    count(number, "scenario")
}

/// What a pass says: of a case in which something is broken on purpose, that it was seen.
fn what(run: &Run) -> &'static str {
    if run.judgements().all(|one| one.case.fault.is_some()) {
        "what was broken was seen"
    } else {
        "safe"
    }
}

/// From where to where.
fn way(run: &Run) -> String {
    let pairs = run.pairs();
    match &*pairs {
        [] => "no pair".to_owned(),
        [(source, destination)] => format!("{source} → {destination}"),
        several => {
            let ends = several
                .iter()
                .flat_map(|(source, destination)| [*source, *destination]);
            let releases: BTreeSet<_> = ends.collect();
            let (pairs, releases) = (several.len(), releases.len());
            format!("{pairs} pairs of {releases} releases")
        }
    }
}

/// What accounts for the most failures, by the same that the list of causes says.
fn accounted(groups: &[&Group<'_>], why: &Causes) -> Markup {
    let causes: Vec<_> = why.all().take(NAMED).collect();
    let told = causes.iter().flat_map(|(cause, _)| &cause.failed);
    let told: BTreeSet<_> = told.collect();
    let bad = groups.iter().flat_map(|one| &one.cases);
    let more = bad.filter(|one| !told.contains(&one.case)).count();
    html! {
        @for (place, (cause, standing)) in causes.iter().enumerate() {
            @if place > 0 { ", " }
            (of_cause(cause))
            @if *standing == Standing::KnownFailure { " (known)" }
        }
        @if more > 0 { " and in " (cases(more)) " more" }
    }
}

fn of_cause(cause: &Blame) -> Markup {
    let (failed, passed) = (cause.failed.len(), cause.passed.len());
    html! {
        @if let ([only], 0) = (&cause.failed[..], passed) { "in " code { (only) } }
        @else if passed == 0 { "with " code { (cause.told()) } }
        @else { "in " (failed) " of the " (failed + passed) " with " code { (cause.told()) } }
    }
}

/// The largest groups, by what sets them apart.
fn named(groups: &[&Group<'_>]) -> Markup {
    let more: usize = groups.iter().skip(NAMED).map(|one| one.cases.len()).sum();
    html! {
        @for (place, group) in groups.iter().take(NAMED).enumerate() {
            @if place > 0 { ", " }
            (apart(group))
            @match group.standing {
                Standing::KnownFailure => " (known)",
                Standing::FailedAtFirst => " (at first)",
                Standing::Failed | Standing::Unknown | Standing::Passed | Standing::Skipped
                | Standing::UnexpectedPass => "",
            }
        }
        @if more > 0 { " and " (cases(more)) " more" }
    }
}

fn apart(group: &Group<'_>) -> Markup {
    let own = group.cases.len();
    html! {
        @if own == 1 { "in " code { (group.cases[0].case) } }
        @else if group.shared.is_empty() {
            "in " (cases(own))
            @if let Some(condition) = group.condition { " (" code { (condition) } ")" }
        }
        @else if group.sharing == own { "with " code { (group.shared) } }
        @else { "in " (own) " of the " (group.sharing) " with " code { (group.shared) } }
    }
}
