//! The verdict on a run: go or no go, and a sentence that says of what.

use std::collections::BTreeSet;

use maud::{Markup, html};
use migratrix_matrix::{Case, ReleaseName};

use super::causes::Causes;
use crate::{
    Blame, Group, Judgement, Run, Standing,
    go::{Reach, Sign, Tells, beside_cases},
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
    let [mark, word, by] = sign.words(Tells::of(run));
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
    let unseen = run.cases().get(&Standing::Unknown).copied().unwrap_or(0);
    let having = |is: fn(Standing) -> bool| groups.iter().filter(move |one| is(one.standing));
    let bad: Vec<_> = having(is_unsafe).collect();
    let news: Vec<_> = having(|one| one == Standing::UnexpectedPass).collect();
    html! {
        (came(run))
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

/// What a pass says: of a case in which something is broken on purpose, that it was seen; where no guest goes
/// from a release to another, no more than that it passed.
const fn what(tells: Tells) -> &'static str {
    match tells {
        Tells::Migrations => "safe",
        Tells::ReleasesAlone | Tells::NoRelease => "as expected",
        Tells::Tester => "what was broken was seen",
    }
}

/// What came of the cases; of those in which nothing migrates by themselves, where others migrate guests.
fn came(run: &Run) -> String {
    let tells = Tells::of(run);
    let begin = match (Reach::of(run), tells) {
        (None, _) => way(run, tells),
        (Some(reach), Tells::NoRelease) => format!("{}: {}", way(run, tells), reach.told()),
        (Some(reach), _) => reach.told(),
    };
    let told = |of: fn(&Case) -> bool| {
        let passed = passed(run, of);
        passed.map(|passed| format!("{} in {passed}", what(tells)))
    };
    let (first, rest) = match tells {
        Tells::Migrations => (told(Case::migrates), passed(run, |case| !case.migrates())),
        Tells::ReleasesAlone | Tells::Tester | Tells::NoRelease => (told(|_| true), None),
    };
    let first = first.unwrap_or_else(|| "nothing was tried".to_owned());
    let rest = rest.map(|passed| {
        let alone = alone(run);
        format!("; {alone}: {} in {passed}", what(Tells::ReleasesAlone))
    });
    format!("{begin}: {first}{}", rest.unwrap_or_default())
}

/// How many of these cases passed, of those that were tried; nothing where none was.
fn passed(run: &Run, of: fn(&Case) -> bool) -> Option<String> {
    let standings = run.judgements().filter(|one| of(&one.case));
    let standings = standings.map(Judgement::standing);
    let tried: Vec<_> = standings.filter(|one| *one != Standing::Skipped).collect();
    let passed = tried.iter().filter(|one| **one == Standing::Passed);
    (!tried.is_empty()).then(|| format!("{} of {}", passed.count(), scenarios(tried.len())))
}

/// `bookworm alone, where nothing migrates`
fn alone(run: &Run) -> String {
    let names: Vec<_> = run.alone().into_iter().map(ReleaseName::as_str).collect();
    format!("{} alone, where nothing migrates", names.join(", "))
}

/// From where to where.
fn way(run: &Run, tells: Tells) -> String {
    if tells == Tells::NoRelease {
        return "in memory, where no QEMU ran".to_owned();
    }
    let pairs = run.pairs();
    match &*pairs {
        [] if run.alone().is_empty() => "no pair".to_owned(),
        [] => alone(run),
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
