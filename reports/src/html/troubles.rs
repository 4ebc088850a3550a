//! The failures in groups, each with its reason, what sets its cases apart, and its cases.

use maud::{Markup, html};

use super::{article::Articles, class, link::query};
use crate::{
    Group, Known, Run,
    attribution::origins,
    terminal::{cases, sign},
};

/// The groups, by their numbers from 1.
pub fn troubles(run: &Run, groups: &[Group<'_>], articles: &Articles<'_>) -> Markup {
    html! {
        @for (number, group) in (1..).zip(groups) { (trouble(run, number, group, articles)) "\n" }
    }
}

fn trouble(run: &Run, number: usize, group: &Group<'_>, articles: &Articles<'_>) -> Markup {
    let standing = group.standing;
    let said = group.said();
    html! {
        section.group.(class(standing)) {
            h2 {
                span.(class(standing)) { (sign(standing)) " " (standing.word()) }
                " " (cases(group.cases.len()))
                @if let Some(condition) = group.condition { ": " code { (condition) } }
            }
            p { (group.why) }
            @if let Some(said) = said { p { (said) } }
            @if let Some(known) = group.known { (self::known(known)) }
            // A single case is named below.
            @if let Some((these, shared)) = group.apart().filter(|_| group.sharing > 1) {
                p { (these) " " code { (shared) } }
            }
            @for (count, first) in origins(&group.cases).into_values() {
                p { (first) " (" (cases(count)) "; " code { (run.again(&first.raw)) } ")" }
            }
            p.scripted hidden { a href=(query(&[("group", &number.to_string())])) {
                "show " (cases(group.cases.len())) " in the list"
            } }
            (listed(group, articles))
        }
    }
}

/// The cases of a group, to be opened one by one.
fn listed(group: &Group<'_>, articles: &Articles<'_>) -> Markup {
    let shown: Vec<_> = group
        .cases
        .iter()
        .filter_map(|one| articles.shown(one))
        .collect();
    let more = group.cases.len() - shown.len();
    html! {
        details.cases {
            summary { "the cases" }
            @for case in shown { (case) "\n" }
            @if more > 0 {
                p.mute { (cases(more)) " more, left out here to keep the page small: see verdicts.jsonl" }
            }
        }
    }
}

/// Where one can read of a known failure, and how long it is excused.
fn known(known: &Known) -> Markup {
    // Only an address of the web is made one to follow.
    let is_web = |link: &str| link.starts_with("https://") || link.starts_with("http://");
    let excused = if known.expired { "was" } else { "is" };
    html! {
        @if let Some(link) = &known.link {
            p { "see " @if is_web(link) { a href=(link) { (link) } } @else { (link) } }
        }
        @if let Some(day) = &known.expires { p { (excused) " excused until " (day) } }
    }
}
