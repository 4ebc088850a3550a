//! One page that stands alone: the matrix as a picture, then every trouble with its reason.
//!
//! No script and nothing to load: it can be kept as an artefact and opened years later. Colour is
//! never the only sign: each cell has its share in figures and a sign for the worst in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use migratrix_matrix::ReleaseName;

use crate::{
    Group, Judgement, Run, Standing,
    attribution::origins,
    groups,
    json::TROUBLES,
    printable::printable,
    terminal::{Share, cases, seconds, share, sign},
};

/// The run as one page.
#[must_use]
pub fn html(run: &Run) -> String {
    let mut page = String::from(HEAD);
    summary(&mut page, run);
    let clients: BTreeSet<_> = run
        .by_route()
        .into_keys()
        .map(|route| route.client)
        .collect();
    for client in clients {
        grid(&mut page, run, client);
    }
    page.push_str(LEGEND);
    releases(&mut page, run);
    for standing in TROUBLES {
        for group in groups(run, standing) {
            trouble(&mut page, &group);
        }
    }
    remarks(&mut page, run);
    page.push_str("</main></body></html>\n");
    page
}

fn summary(page: &mut String, run: &Run) {
    let told: Vec<_> = run
        .cases()
        .iter()
        .map(|(standing, count)| {
            let (class, sign, word) = (class(*standing), sign(*standing), standing.word());
            format!("<li class={class}><b>{count}</b> {sign} {word}</li>")
        })
        .collect();
    let ten: usize = run.conditions(|one| one.is_one_of_the_ten()).values().sum();
    let all: usize = run.conditions(|_| true).values().sum();
    let (count, time) = (cases(run.judgements().len()), seconds(run.elapsed_ms));
    let told = told.concat();
    put(
        page,
        &format!(
            "<p>{count} in {time}; {ten} post-conditions, {all} conditions in all.</p><ul class=tally>{told}</ul>"
        ),
    );
}

/// Source × destination, for one client, or where there is none.
fn grid(page: &mut String, run: &Run, client: Option<&ReleaseName>) {
    let mut cells: BTreeMap<(&ReleaseName, &ReleaseName), Vec<&Judgement>> = BTreeMap::new();
    for (route, judgements) in run.by_route() {
        if route.client == client {
            cells.insert((route.source, route.destination), judgements);
        }
    }
    let sources: BTreeSet<_> = cells.keys().map(|(source, _)| *source).collect();
    let destinations: BTreeSet<_> = cells.keys().map(|(_, destination)| *destination).collect();
    let head = |one: &&ReleaseName| format!("<th scope=col>→ {}", escape(one.as_str()));
    let heads: Vec<_> = destinations.iter().map(head).collect();
    let caption = client.map_or("QEMU alone".to_owned(), |client| {
        format!("client {}", escape(client.as_str()))
    });
    let heads = heads.concat();
    put(
        page,
        &format!("<table><caption>{caption}</caption><tr><th scope=col>source{heads}"),
    );
    for source in sources {
        let row: Vec<_> = destinations
            .iter()
            .map(|destination| cell(cells.get(&(source, *destination))))
            .collect();
        put(
            page,
            &format!(
                "<tr><th scope=row>{}{}",
                escape(source.as_str()),
                row.concat()
            ),
        );
    }
    put(page, "</table>");
}

fn cell(judgements: Option<&Vec<&Judgement>>) -> String {
    let Some(share) = share(judgements.into_iter().flatten().copied()) else {
        return "<td class=none>–".to_owned();
    };
    let Share { worst, fine, tried } = share;
    let percent = fine * 100 / tried.max(1);
    let (class, sign) = (class(worst), sign(worst));
    format!("<td class={class} style=\"--share:{percent}%\"><b>{sign}</b> {fine}/{tried}")
}

fn releases(page: &mut String, run: &Run) {
    put(page, "<table><caption>versions</caption>");
    for (release, versions) in run.releases() {
        let versions = escape(&versions.join(", "));
        put(
            page,
            &format!("<tr><th scope=row>{}<td>{versions}", escape(release)),
        );
    }
    put(page, "</table>");
}

fn trouble(page: &mut String, group: &Group<'_>) {
    let (class, sign, word) = (
        class(group.standing),
        sign(group.standing),
        group.standing.word(),
    );
    let condition = group
        .condition
        .map_or(String::new(), |one| format!(": <code>{one}</code>"));
    let (count, why) = (cases(group.cases.len()), escape(&group.why));
    put(
        page,
        &format!(
            "<section><h2><span class={class}>{sign} {word}</span> {count}{condition}</h2><p>{why}</p>"
        ),
    );
    if !group.shared.is_empty() {
        let exactly = if group.sharing == group.cases.len() {
            "exactly the"
        } else {
            "all of the"
        };
        let (sharing, shared) = (cases(group.sharing), escape(&group.shared));
        put(
            page,
            &format!("<p>{exactly} {sharing} with <code>{shared}</code></p>"),
        );
    }
    for (count, first) in origins(&group.cases).into_values() {
        let (whose, count) = (escape(&first.to_string()), cases(count));
        put(
            page,
            &format!("<p>{whose} ({count}; <code>{}</code>)</p>", first.raw),
        );
    }
    put(page, "<details><summary>the cases</summary><ul>");
    group
        .cases
        .iter()
        .for_each(|judgement| case(page, judgement));
    put(page, "</ul></details></section>");
}

fn case(page: &mut String, judgement: &Judgement) {
    let log = judgement.log.as_deref().map_or(String::new(), link);
    put(
        page,
        &format!(
            "<li><code>migratrix run --case {}</code>{log}<ul>",
            judgement.case
        ),
    );
    for (condition, verdict) in judgement.troubles() {
        let (kind, why) = (verdict.kind().word(), escape(verdict.why()));
        put(
            page,
            &format!("<li><code>{condition}</code> {kind}: {why}</li>"),
        );
    }
    if let Some(one) = &judgement.attribution {
        let log = one.log.as_deref().map_or(String::new(), link);
        put(page, &format!("<li>{}{log}</li>", escape(&one.to_string())));
    }
    put(page, "</ul></li>");
}

fn link(log: &str) -> String {
    let log = escape(log);
    format!(" (<a href=\"history/{log}\">history</a>)")
}

fn remarks(page: &mut String, run: &Run) {
    let flaky = run.flaky().map(|one| one.case.to_string()).collect();
    list(page, "passed only when tried again", flaky);
    let missing = run.missing().map(ToString::to_string).collect();
    list(page, "planned and without a verdict", missing);
    list(
        page,
        "known failures that no case is subject to",
        run.unused_known().to_vec(),
    );
}

fn list(page: &mut String, title: &str, lines: Vec<String>) {
    if lines.is_empty() {
        return;
    }
    let count = lines.len();
    let lines: Vec<_> = lines
        .iter()
        .map(|line| format!("<li>{}</li>", escape(line)))
        .collect();
    let lines = lines.concat();
    put(
        page,
        &format!("<section><h2>{count} {title}</h2><ul>{lines}</ul></section>"),
    );
}

const fn class(standing: Standing) -> &'static str {
    match standing {
        Standing::Passed => "passed",
        Standing::KnownFailure => "known",
        Standing::Skipped => "skipped",
        Standing::Unknown => "unknown",
        Standing::KnownPasses => "news",
        Standing::Failed => "failed",
    }
}

fn escape(text: &str) -> String {
    let text = printable(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    text.replace('"', "&quot;")
}

fn put(page: &mut String, line: &str) {
    writeln!(page, "{line}").expect("a String takes every text");
}

const HEAD: &str = r#"<!doctype html>
<html lang=en><head><meta charset=utf-8>
<meta name=viewport content="width=device-width,initial-scale=1">
<title>Migratrix</title>
<style>
:root { color-scheme: light dark;
  --good: light-dark(#1a7f37, #3fb950); --bad: light-dark(#c62828, #ff7b72);
  --odd: light-dark(#8a6100, #d29922); --news: light-dark(#8250df, #bc8cff);
  --mute: light-dark(#59636e, #9198a1); --line: light-dark(#d1d9e0, #3d444d) }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 }
main { max-width: 70rem; margin: auto; padding: 1rem 1.5rem 4rem }
h1 { font-weight: 600 } h2 { font-size: 1.05rem; margin: 0 }
table { border-collapse: separate; border-spacing: 3px; margin: 1.5rem 0 }
caption { text-align: left; font-weight: 600; padding: .25rem 0 }
th { text-align: left; font-weight: 500; padding: .35rem .9rem .35rem 0 }
td { padding: .35rem .9rem; border-radius: 4px; font-variant-numeric: tabular-nums }
td[style] { min-width: 5.5rem; border: 1px solid var(--c);
  background: linear-gradient(90deg, color-mix(in srgb, var(--c) 22%, transparent) var(--share), transparent var(--share)) }
.passed { --c: var(--good) } .failed { --c: var(--bad) } .unknown { --c: var(--odd) }
.news { --c: var(--news) } .known, .skipped, .none { --c: var(--mute) }
td b, .tally li, h2 span { color: var(--c) }
.none { color: var(--mute) }
.tally { list-style: none; padding: 0; display: flex; gap: 1.5rem; flex-wrap: wrap }
section { border-top: 1px solid var(--line); padding: 1rem 0 }
section p { margin: .4rem 0; overflow-wrap: anywhere }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere }
small { color: var(--mute) }
</style></head><body><main>
<h1>Migratrix</h1>
"#;

const LEGEND: &str = "<p><small>A cell: cases as expected of the cases that were tried, with the sign of the worst. \
✓ passed · ~ known failure · - skipped · ? unknown · ! known failure that passes · ✗ failed</small></p>\n";
