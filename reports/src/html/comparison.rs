//! What broke between two sides, as a page that stands alone and leads to those of the runs.

use maud::{DOCTYPE, Markup, html as markup};

use super::{
    head,
    link::{address, query},
};
use crate::{
    Change, Class, Comparison, Exit,
    compare::{groups, moves, sign, state_words, telling, troubles},
    printable::printable,
    terminal::{cases, count},
};

/// How many cases of a group are named: the JSON has all.
const SHOWN: usize = 200;

/// The comparison as one page, from which `way` leads to the page of a run that is named, if it has one.
#[must_use]
pub fn comparison_html(comparison: &Comparison, way: impl Fn(&str) -> Option<String>) -> String {
    let page = markup! {
        (DOCTYPE)
        html lang="en" {
            (head())
            body { main {
                (verdict(comparison))
                (sides(comparison, &way))
                (counts(comparison))
                @for class in Class::ALL { div id=(anchor(class)) {
                    @for group in groups(comparison, class) { (told(class, &group, &way)) "\n" }
                } }
            } }
        }
    };
    printable(&page.into_string()) + "\n"
}

fn verdict(comparison: &Comparison) -> Markup {
    let (class, sign, word) = match comparison.exit() {
        Exit::Failed => ("failed", "✗", "Worse"),
        Exit::Unknown => ("unknown", "?", "Open"),
        Exit::AsExpected if comparison.is_hollow() => ("unknown", "?", "Open"),
        Exit::AsExpected => ("passed", "✓", "Not worse"),
    };
    markup! {
        header.verdict {
            p.go.(class) {
                b { (sign) " " (word) }
                @if comparison.number(Class::Gone) > 0 { " " small { "where both sides tell" } }
            }
            div {
                h1 { (comparison.verdict()) }
                @for line in moves(comparison) { p.mute { (line) } }
            }
        }
    }
}

fn sides(comparison: &Comparison, way: &impl Fn(&str) -> Option<String>) -> Markup {
    let sides = [("OLD", &comparison.old), ("NEW", &comparison.new)];
    markup! {
        section aria-label="what is compared" {
            div.scroll { table {
                @for (name, side) in sides { tr {
                    th scope="row" { (name) }
                    td { @for run in &side.runs { (linked(run, way(run), "")) " " } }
                    td { (cases(side.cases)) }
                } }
            } }
            @for trouble in troubles(comparison) { p { (trouble) } }
            @if let Some(times) = &comparison.times { p.mute { (times.told()) } }
        }
    }
}

fn counts(comparison: &Comparison) -> Markup {
    markup! {
        ul.tally { @for (class, number) in &comparison.counts {
            li { a.(hue(*class)) href={ "#" (anchor(*class)) } {
                b { (sign(*class)) " " (number) } " " (class.words())
            } }
        } }
    }
}

/// Cases of one class for one reason.
fn told(class: Class, group: &[&Change], way: &impl Fn(&str) -> Option<String>) -> Markup {
    let telling = group.first().and_then(|change| telling(change));
    let condition = telling.and_then(|one| one.condition);
    let more = group.len().saturating_sub(SHOWN);
    markup! {
        section.group.(hue(class)) {
            h2 {
                span.(hue(class)) { (sign(class)) " " (class.words()) }
                " " (cases(group.len()))
                @if let Some(condition) = condition { ": " code { (condition) } }
            }
            @if let Some(telling) = telling { p { (telling.why) } }
            details {
                summary { "the cases" }
                ul { @for change in group.iter().take(SHOWN) { li { (case(change, way)) } } }
                @if more > 0 { p.mute { (count(more, "more case")) ", which the JSON has" } }
            }
        }
    }
}

/// A case: to the pages of both sides, and how it is run again.
fn case(change: &Change, way: &impl Fn(&str) -> Option<String>) -> Markup {
    let sides = [("before", &change.old), ("now", &change.new)];
    let choice = query(&[("open", &change.case)]);
    markup! {
        code { (change.case) }
        @for (when, outcome) in sides {
            @if let Some(outcome) = outcome {
                " " small { (when) ": " (linked(state_words(outcome.state), way(&outcome.run), &choice)) }
            }
        }
        @if let Some(new) = &change.new { p.mute { code.again { (new.again) } } }
    }
}

/// Words that lead to a place of a page, where there is one.
fn linked(words: &str, way: Option<String>, place: &str) -> Markup {
    markup! {
        @if let Some(way) = way { a href={ (address(&way)) (place) } { (words) } } @else { (words) }
    }
}

/// The class of what is of this class, as a run's page has it.
const fn hue(class: Class) -> &'static str {
    match class {
        Class::Broke | Class::StillFailing => "failed",
        Class::Unseen | Class::NotSeen => "unknown",
        Class::Flaky => "flaky",
        Class::Known => "known",
        Class::New => "news",
        Class::Gone => "skipped",
        Class::Mended | Class::Passing => "passed",
    }
}

/// Where the cases of this class begin.
fn anchor(class: Class) -> String {
    class.words().replace(' ', "-")
}
