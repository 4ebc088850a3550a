//! One page that stands alone: the matrix as a picture, then every trouble with its reason.
//!
//! No script and nothing to load: it can be kept as an artefact and opened years later. Colour is
//! never the only sign: each cell has its share in figures, and the sign of the worst in it beside its colour.
//!
//! A text can't become markup: what is not [`Markup`] is escaped where it is put into it.

use std::collections::{BTreeMap, BTreeSet};

use maud::{DOCTYPE, Markup, PreEscaped, html};
use migratrix_matrix::ReleaseName;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    Death, Flaky, Flaw, Group, Judgement, Known, Run, Standing,
    attribution::origins,
    groups,
    json::TROUBLES,
    printable::printable,
    terminal::{bounds, cases, count, headline, share, sign},
};

/// The run as one page. `way` leads from the page's place to a file of the run's directory, which
/// is given with the judgement that names it.
#[must_use]
pub fn html(run: &Run, way: impl Fn(&Judgement, &str) -> String) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                title { "Migratrix" }
                style { (PreEscaped(include_str!("html/page.css"))) }
            }
            body { main {
                h1 { "Migratrix" }
                (summary(run))
                @for client in clients(run) { (grid(run, client)) "\n" }
                (legend())
                (releases(run))
                @for death in run.deaths() { (self::death(run, &death)) "\n" }
                @for group in groups(run, &TROUBLES) { (trouble(run, &group, &way)) "\n" }
                (remarks(run))
            } }
        }
    };
    printable(&page.into_string()) + "\n"
}

/// The clients, by the order of the releases.
fn clients(run: &Run) -> Vec<Option<&ReleaseName>> {
    let clients = run.by_route().into_iter().map(|(route, _)| route.client);
    let clients: BTreeSet<_> = clients.collect();
    let ranks = run.ranks();
    let mut clients: Vec<_> = clients.into_iter().collect();
    clients.sort_by_key(|client| client.and_then(|one| ranks.get(one)));
    clients
}

fn summary(run: &Run) -> Markup {
    let tally = run.cases();
    let counts = Standing::ALL.iter();
    let counts = counts.filter_map(|standing| Some((*standing, *tally.get(standing)?)));
    let ten: usize = run.conditions(|one| one.is_one_of_the_ten()).values().sum();
    let all: usize = run.conditions(|_| true).values().sum();
    html! {
        p {
            (headline(run)) "; " (self::count(ten, "post-condition")) ", "
            (self::count(all, "condition")) " in all."
        }
        ul.tally {
            @for (standing, count) in counts {
                li class=(class(standing)) {
                    b { (count) } " " (sign(standing)) " " (standing.words(count))
                }
            }
        }
        @for line in bounds(run) { p { (line) } }
    }
}

/// Source × destination, for one client, or where there is none.
fn grid(run: &Run, client: Option<&ReleaseName>) -> Markup {
    let mut cells: BTreeMap<(&ReleaseName, &ReleaseName), Vec<&Judgement>> = BTreeMap::new();
    for (route, judgements) in run.by_route() {
        if route.client == client {
            cells.insert((route.source, route.destination), judgements);
        }
    }
    let ranks = run.ranks();
    let in_order = |names: BTreeSet<_>| {
        let mut names: Vec<&ReleaseName> = names.into_iter().collect();
        names.sort_by_key(|name| ranks.get(name));
        names
    };
    let sources = in_order(cells.keys().map(|(source, _)| *source).collect());
    let destinations = in_order(cells.keys().map(|(_, destination)| *destination).collect());
    html! {
        table {
            caption {
                @if let Some(client) = client { "client " (client) } @else { "QEMU alone" }
            }
            tr {
                th scope="col" { "source" }
                @for destination in &destinations { th scope="col" { "→ " (destination) } }
            }
            @for source in sources {
                tr {
                    th scope="row" { (source) }
                    @for destination in &destinations {
                        (cell(run, cells.get(&(source, *destination))))
                    }
                }
            }
        }
    }
}

fn cell(run: &Run, judgements: Option<&Vec<&Judgement>>) -> Markup {
    let share = share(run, judgements.into_iter().flatten().copied());
    html! {
        @if let Some(share) = share {
            td.cell.(class(share.worst)) { b { (sign(share.worst)) } " " (share) }
        } @else {
            td.none { "–" }
        }
    }
}

fn legend() -> Markup {
    let signs = Standing::ALL.map(|one| format!("{} {}", sign(one), one.word()));
    html! {
        p { small {
            "A cell: cases that passed of those that were tried, with the sign and the colour of the worst. "
            (signs.join(" · "))
        } }
    }
}

fn releases(run: &Run) -> Markup {
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
        table {
            caption { "versions" }
            @for (release, versions) in run.releases() {
                tr {
                    th scope="row" { (release) }
                    td { (versions.join(", ")) }
                    td { small { (packages(release)) } }
                }
            }
        }
    }
}

fn death(run: &Run, death: &Death) -> Markup {
    let class = match run.rules().flaky {
        Flaky::Failed => "failed",
        Flaky::Allowed => "unknown",
    };
    html! {
        section {
            h2 { span class=(class) { (death.told()) } }
            details {
                summary { (death.on_it()) }
                ul { @for case in &death.cases { li { code { (run.again(case)) } } } }
            }
        }
    }
}

fn trouble(run: &Run, group: &Group<'_>, way: &impl Fn(&Judgement, &str) -> String) -> Markup {
    let standing = group.standing;
    html! {
        section {
            h2 {
                span class=(class(standing)) { (sign(standing)) " " (standing.word()) }
                " " (cases(group.cases.len()))
                @if let Some(condition) = group.condition { ": " code { (condition) } }
            }
            p { (group.why) }
            @if let Some(known) = group.known { (self::known(known)) }
            // A single case is named below.
            @if let Some((these, shared)) = group.apart().filter(|_| group.sharing > 1) {
                p { (these) " " code { (shared) } }
            }
            @for (count, first) in origins(&group.cases).into_values() {
                p { (first) " (" (cases(count)) "; " code { (run.again(&first.raw)) } ")" }
            }
            details {
                summary { "the cases" }
                ul { @for judgement in &group.cases { (case(run, judgement, way)) "\n" } }
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

fn case(run: &Run, judgement: &Judgement, way: &impl Fn(&Judgement, &str) -> String) -> Markup {
    let link = |file: &str, shows: &str| link(&way(judgement, file), shows);
    html! {
        li {
            code { (run.again(&judgement.case)) }
            @if let Some(log) = &judgement.log { (link(log, "history")) }
            ul {
                @for Flaw { attempt, condition, why } in &judgement.flaws {
                    li {
                        "attempt " (attempt) ": "
                        @if let Some(condition) = condition { code { (condition) } " " }
                        (why)
                    }
                }
                @for (condition, verdict) in judgement.troubles() {
                    li { code { (condition) } " " (verdict.kind().word()) ": " (verdict.why()) }
                }
                @for one in &judgement.evidence { li { "evidence" (link(&one.file, &one.shows)) } }
                @if let Some(one) = &judgement.attribution {
                    li { (one) @if let Some(log) = &one.log { (link(log, "history")) } }
                }
            }
        }
    }
}

fn link(way: &str, shows: &str) -> Markup {
    let address = utf8_percent_encode(way, &PATH);
    html! { " (" a href=(address) { (shows) } ")" }
}

/// What of a path an address gives a meaning of its own, and is written as its bytes.
const PATH: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/')
    .remove(b'+')
    .remove(b',')
    .remove(b'=')
    .remove(b'@');

fn remarks(run: &Run) -> Markup {
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

const fn class(standing: Standing) -> &'static str {
    match standing {
        Standing::Passed => "passed",
        Standing::KnownFailure => "known",
        Standing::Skipped => "skipped",
        Standing::Unknown => "unknown",
        Standing::UnexpectedPass => "news",
        Standing::FailedAtFirst => "flaky",
        Standing::Failed => "failed",
    }
}
