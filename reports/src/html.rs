//! One page that stands alone: the matrix as a picture, then every trouble with its reason.
//!
//! No script and nothing to load: it can be kept as an artefact and opened years later. Colour is
//! never the only sign: each cell has its share in figures, and the sign of the worst in it beside its colour.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use migratrix_matrix::ReleaseName;

use crate::{
    Death, Flaky, Flaw, Group, Judgement, Run, Standing,
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
    let mut page = String::from(HEAD);
    summary(&mut page, run);
    let clients: BTreeSet<_> = run
        .by_route()
        .into_iter()
        .map(|(route, _)| route.client)
        .collect();
    for client in ordered(run, clients) {
        grid(&mut page, run, client);
    }
    page.push_str(LEGEND);
    releases(&mut page, run);
    deaths(&mut page, run);
    for group in groups(run, &TROUBLES) {
        trouble(&mut page, run, &group, &way);
    }
    remarks(&mut page, run);
    page.push_str("</main></body></html>\n");
    page
}

/// The clients, by the order of the releases.
fn ordered<'r>(
    run: &'r Run,
    clients: BTreeSet<Option<&'r ReleaseName>>,
) -> Vec<Option<&'r ReleaseName>> {
    let ranks = run.ranks();
    let mut clients: Vec<_> = clients.into_iter().collect();
    clients.sort_by_key(|client| client.and_then(|one| ranks.get(one)));
    clients
}

fn summary(page: &mut String, run: &Run) {
    let tally = run.cases();
    let told: Vec<_> = Standing::ALL
        .iter()
        .filter_map(|standing| Some((standing, tally.get(standing)?)))
        .map(|(standing, count)| {
            let (class, sign, word) = (class(*standing), sign(*standing), standing.words(*count));
            format!("<li class={class}><b>{count}</b> {sign} {word}</li>")
        })
        .collect();
    let ten: usize = run.conditions(|one| one.is_one_of_the_ten()).values().sum();
    let all: usize = run.conditions(|_| true).values().sum();
    let (ten, all) = (count(ten, "post-condition"), count(all, "condition"));
    let head = headline(run);
    let told = told.concat();
    put(
        page,
        &format!("<p>{head}; {ten}, {all} in all.</p><ul class=tally>{told}</ul>"),
    );
    for line in bounds(run) {
        put(page, &format!("<p>{}</p>", escape(&line)));
    }
}

/// Source × destination, for one client, or where there is none.
fn grid(page: &mut String, run: &Run, client: Option<&ReleaseName>) {
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
            .map(|destination| cell(run, cells.get(&(source, *destination))))
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

fn cell(run: &Run, judgements: Option<&Vec<&Judgement>>) -> String {
    let Some(share) = share(run, judgements.into_iter().flatten().copied()) else {
        return "<td class=none>–".to_owned();
    };
    let (class, sign) = (class(share.worst), sign(share.worst));
    format!("<td class=\"cell {class}\"><b>{sign}</b> {share}")
}

fn releases(page: &mut String, run: &Run) {
    put(page, "<table><caption>versions</caption>");
    for (release, versions) in run.releases() {
        let known = run.known_releases().iter();
        let known = known.filter(|one| one.name == *release);
        let packages = known.flat_map(|one| one.packages());
        let packages: Vec<_> = packages
            .map(|(name, version)| format!("{name} {version}"))
            .collect();
        let release = escape(release.as_str());
        let versions = escape(&versions.join(", "));
        let packages = escape(&packages.join(", "));
        put(
            page,
            &format!("<tr><th scope=row>{release}<td>{versions}<td><small>{packages}</small>"),
        );
    }
    put(page, "</table>");
}

fn deaths(page: &mut String, run: &Run) {
    for death in run.deaths() {
        let Death { cases: on_it, .. } = &death;
        let (told, count) = (escape(&death.told()), death.on_it());
        let class = match run.rules().flaky {
            Flaky::Failed => "failed",
            Flaky::Allowed => "unknown",
        };
        let on_it: Vec<_> = on_it
            .iter()
            .map(|case| format!("<li><code>{}</code></li>", escape(&run.again(case))))
            .collect();
        let on_it = on_it.concat();
        put(
            page,
            &format!(
                "<section><h2><span class={class}>{told}</span></h2><details><summary>{count}</summary><ul>{on_it}</ul></details></section>"
            ),
        );
    }
}

fn trouble(
    page: &mut String,
    run: &Run,
    group: &Group<'_>,
    way: &impl Fn(&Judgement, &str) -> String,
) {
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
    known(page, group);
    // A single case is named below.
    if let Some((these, shared)) = group.apart().filter(|_| group.sharing > 1) {
        let shared = escape(&shared);
        put(page, &format!("<p>{these} <code>{shared}</code></p>"));
    }
    for (count, first) in origins(&group.cases).into_values() {
        let (whose, count) = (escape(&first.to_string()), cases(count));
        put(
            page,
            &format!(
                "<p>{whose} ({count}; <code>{}</code>)</p>",
                escape(&run.again(&first.raw))
            ),
        );
    }
    put(page, "<details><summary>the cases</summary><ul>");
    group
        .cases
        .iter()
        .for_each(|judgement| case(page, run, judgement, way));
    put(page, "</ul></details></section>");
}

/// Where one can read of a known failure, and how long it is excused.
fn known(page: &mut String, group: &Group<'_>) {
    let Some(known) = group.known else {
        return;
    };
    if let Some(link) = &known.link {
        let link = escape(link);
        // Only an address of the web is made one to follow.
        let told = if link.starts_with("https://") || link.starts_with("http://") {
            format!("<a href=\"{link}\">{link}</a>")
        } else {
            link
        };
        put(page, &format!("<p>see {told}</p>"));
    }
    if let Some(day) = &known.expires {
        let excused = if known.expired {
            "was excused until"
        } else {
            "is excused until"
        };
        put(page, &format!("<p>{excused} {}</p>", escape(day)));
    }
}

fn case(
    page: &mut String,
    run: &Run,
    judgement: &Judgement,
    way: &impl Fn(&Judgement, &str) -> String,
) {
    let link = |file: &str, shows: &str| link(&way(judgement, file), shows);
    let history = |log: &String| link(log, "history");
    let log = judgement.log.as_ref().map_or(String::new(), history);
    let again = escape(&run.again(&judgement.case));
    put(page, &format!("<li><code>{again}</code>{log}<ul>"));
    for Flaw {
        attempt,
        condition,
        why,
    } in &judgement.flaws
    {
        let condition = condition.map_or(String::new(), |one| format!("<code>{one}</code> "));
        let why = escape(why);
        put(
            page,
            &format!("<li>attempt {attempt}: {condition}{why}</li>"),
        );
    }
    for (condition, verdict) in judgement.troubles() {
        let (kind, why) = (verdict.kind().word(), escape(verdict.why()));
        put(
            page,
            &format!("<li><code>{condition}</code> {kind}: {why}</li>"),
        );
    }
    for one in &judgement.evidence {
        put(
            page,
            &format!("<li>evidence{}</li>", link(&one.file, &one.shows)),
        );
    }
    if let Some(one) = &judgement.attribution {
        let log = one.log.as_ref().map_or(String::new(), history);
        put(page, &format!("<li>{}{log}</li>", escape(&one.to_string())));
    }
    put(page, "</ul></li>");
}

fn link(way: &str, shows: &str) -> String {
    format!(" (<a href=\"{}\">{}</a>)", address(way), escape(shows))
}

/// A path as the address of a link: what an address gives a meaning of its own is written as its
/// bytes.
fn address(path: &str) -> String {
    let mut address = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/+,=@!$*".contains(&byte) {
            address.push(char::from(byte));
        } else {
            write!(address, "%{byte:02X}").expect("a String takes every text");
        }
    }
    address
}

fn remarks(page: &mut String, run: &Run) {
    let told = |(last, flaws): (&Judgement, Vec<Flaw>)| {
        let why = flaws
            .first()
            .map_or("it could not be seen", |flaw| &flaw.why);
        let fails = !last.flaws.is_empty();
        (!fails).then(|| format!("{}: {why}", last.case))
    };
    let flaky = run.flaky().filter_map(told).collect();
    list(page, "as expected only when tried again", flaky);
    let shards = run.missing_shards().iter().map(ToString::to_string);
    list(page, "missing shards", shards.collect());
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
        &format!("<section><h2>{title} ({count})</h2><ul>{lines}</ul></section>"),
    );
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
  --known: light-dark(#0969da, #58a6ff); --mute: light-dark(#59636e, #9198a1); --line: light-dark(#d1d9e0, #3d444d) }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 }
main { max-width: 70rem; margin: auto; padding: 1rem 1.5rem 4rem }
h1 { font-weight: 600 } h2 { font-size: 1.05rem; margin: 0 }
table { border-collapse: separate; border-spacing: 3px; margin: 1.5rem 0 }
caption { text-align: left; font-weight: 600; padding: .25rem 0 }
th { text-align: left; font-weight: 500; padding: .35rem .9rem .35rem 0 }
td { padding: .35rem .9rem; border-radius: 4px; font-variant-numeric: tabular-nums }
.cell { min-width: 5.5rem; border: 1px solid var(--c);
  background: color-mix(in srgb, var(--c) var(--fill), transparent) }
.passed { --c: var(--good); --fill: 15% } .known { --c: var(--known); --fill: 25% }
.unknown { --c: var(--odd); --fill: 35% } .news { --c: var(--news); --fill: 35% }
.failed, .flaky { --c: var(--bad); --fill: 45% } .skipped, .none { --c: var(--mute); --fill: 5% }
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

const LEGEND: &str = "<p><small>A cell: cases that passed of those that were tried, with the sign and the colour of the worst. \
✓ passed · ~ known failure · - skipped · ? unknown · ! unexpected pass · ± failed at first · ✗ failed</small></p>\n";
