//! What else is to be told of a run: how many cases came out how, its hosts that died, what is missing,
//! its versions.

use maud::{Markup, html};
use migratrix_matrix::ReleaseName;

use super::{class, link::query};
use crate::{
    Death, Flaw, Judgement, Run, Standing,
    terminal::{bounds, sign},
};

/// How many cases stand where.
pub fn tally(run: &Run) -> Markup {
    let tally = run.cases();
    let counts = Standing::ALL.iter();
    let counts = counts.filter_map(|standing| Some((*standing, *tally.get(standing)?)));
    html! {
        ul.tally {
            @for (standing, count) in counts {
                li { a.(class(standing)) href=(query(&[("standing", standing.word())])) {
                    b { (sign(standing)) " " (count) } " " (standing.words(count))
                } }
            }
        }
        @for line in bounds(run) { p.mute { (line) } }
    }
}

/// The releases with their versions and packages.
pub fn releases(run: &Run) -> Markup {
    let packages = |release: &ReleaseName| {
        let known = run.known_releases().iter();
        let known = known.filter(|one| one.name == *release);
        let packages = known.flat_map(|one| one.packages());
        let packages: Vec<_> = packages
            .map(|(name, version)| format!("{name} {version}"))
            .collect();
        packages.join(", ")
    };
    html! {
        section {
            h2 { "Versions" }
            div.scroll { table {
                @for (release, versions) in run.releases() {
                    tr {
                        th scope="row" { (release) }
                        td { (versions.join(", ")) }
                        td { small { (packages(release)) } }
                    }
                }
            } }
        }
    }
}

/// A host that died, and what was on it.
pub fn death(run: &Run, death: &Death) -> Markup {
    let class = class(run.rules().of_a_death());
    html! {
        section.group.(class) {
            h2 { span.(class) { (death.told()) } }
            details {
                summary { (death.on_it()) }
                ul { @for case in &death.cases { li { code { (run.again(case)) } } } }
            }
        }
    }
}

/// What was as expected only when it was tried again, and what is missing.
pub fn remarks(run: &Run) -> Markup {
    let told = |(last, flaws): (&Judgement, Vec<Flaw>)| {
        let why = flaws
            .first()
            .map_or("it could not be seen", |flaw| &flaw.why);
        let fails = !last.flaws.is_empty();
        (!fails).then(|| format!("{}: {why}", last.case))
    };
    let flaky = run.flaky().filter_map(told).collect();
    let shards = run.missing_shards().iter().map(ToString::to_string);
    let missing = run.missing().map(ToString::to_string);
    let unused = run.unused_known().to_vec();
    html! {
        (list("as expected only when tried again", flaky))
        (list("missing shards", shards.collect()))
        (list("planned and without a verdict", missing.collect()))
        (list("known failures that no case is subject to", unused))
    }
}

fn list(title: &str, lines: Vec<String>) -> Markup {
    html! {
        @if !lines.is_empty() {
            section {
                h2 { (title) " (" (lines.len()) ")" }
                ul { @for line in lines { li { (line) } } }
            }
        }
    }
}
