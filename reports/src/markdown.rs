//! The summary in Markdown, for the page of a CI system's job and for a merge request.

use std::fmt::Write;

use crate::{
    Group, Route, Run, Standing,
    go::{Sign, Tells, beside_cases},
    groups,
    json::TROUBLES,
    printable::{printable, shortened},
    recovered,
    terminal::{self, EXAMPLES, Rows, bounds, cases, headline, sign},
};

/// How many groups of failures are told: GitHub takes no summary beyond 1 MiB.
const GROUPS: usize = 20;
/// How much of a reason is told, in characters.
pub(crate) const REASON: usize = 2_000;

/// The whole summary: the counts, the table by tuple, and each group of failures with its reason.
#[must_use]
pub fn markdown(run: &Run) -> String {
    let mut text = String::new();
    head(&mut text, run);
    let (managed, direct): (Rows<'_>, Rows<'_>) = run
        .by_route()
        .into_iter()
        .partition(|(route, _)| route.client.is_some());
    table(&mut text, run, "client: source → destination", &managed);
    table(&mut text, run, "source → destination", &direct);
    recovered(&mut text, run);
    missing(&mut text, run);
    deaths(&mut text, run);
    let groups = groups(run, &TROUBLES);
    for group in groups.iter().take(GROUPS) {
        explain(&mut text, run, group);
    }
    if let Some(more) = groups.len().checked_sub(GROUPS).filter(|more| *more > 0) {
        put(
            &mut text,
            &format!("\nand {}", terminal::count(more, "more group")),
        );
    }
    notes(&mut text, run);
    text
}

/// How many cases there are, and how they came out.
fn head(text: &mut String, run: &Run) {
    let tally = run.cases();
    let told = Standing::ALL.iter().filter_map(|standing| {
        let count = tally.get(standing)?;
        Some(format!(
            "{} {count} {}",
            sign(*standing),
            standing.words(*count)
        ))
    });
    let told: Vec<_> = told.collect();
    let told = if told.is_empty() {
        "nothing was judged".to_owned()
    } else {
        told.join(", ")
    };
    let [mark, word, _] = Sign::of(run).words(Tells::of(run));
    let title = format!("{mark} {word}: {}", headline(run));
    put(text, &format!("## {}", plain(&title)));
    let beside: Vec<_> = [told].into_iter().chain(beside_cases(run)).collect();
    put(text, &format!("\n{}", plain(&beside.join("; "))));
}

fn table(text: &mut String, run: &Run, title: &str, rows: &Rows<'_>) {
    if rows.is_empty() {
        return;
    }
    let columns = terminal::columns(rows);
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let heads = [title].into_iter().chain(columns.iter().copied());
    put(text, &format!("\n{}", line(heads.map(plain).collect())));
    put(text, &format!("|---|{}", "---:|".repeat(columns.len())));
    for (route, judgements) in rows {
        let cells = columns
            .iter()
            .map(|head| terminal::cell(run, head, judgements).told);
        let all = [Route::to_string(route)].into_iter().chain(cells);
        put(text, &line(all.map(|cell| plain(&cell)).collect()));
    }
}

/// What was left of struck migrations.
fn recovered(text: &mut String, run: &Run) {
    for grid in recovered::grids(run) {
        let (source, destination) = grid.pair;
        let title = format!("what was left when it was struck: {source} → {destination}");
        put(text, &format!("\n### {}", plain(&title)));
        let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
        let heads = grid.moments.iter().map(|moment| plain(moment.word()));
        let heads = [String::new()].into_iter().chain(heads).collect();
        put(text, &format!("\n{}", line(heads)));
        put(text, &format!("|---|{}", "---|".repeat(grid.moments.len())));
        for (strike, cells) in &grid.rows {
            let cells = cells.iter().map(|cell| {
                let told = cell
                    .as_ref()
                    .map_or(recovered::NO_CASE.to_owned(), recovered::Cell::told);
                plain(&told)
            });
            let all = [plain(strike.word())].into_iter().chain(cells).collect();
            put(text, &line(all));
        }
        put(text, &format!("\n{}", plain(&recovered::legend([&grid]))));
        for step in &grid.steps {
            put(text, &format!("- {}", plain(step)));
        }
    }
}

/// What of the run is not there.
fn missing(text: &mut String, run: &Run) {
    let shards: Vec<_> = run
        .missing_shards()
        .iter()
        .map(ToString::to_string)
        .collect();
    if !shards.is_empty() {
        put(
            text,
            &format!("\n**missing: {}**", plain(&shards.join(", "))),
        );
    }
    let mut missing = run.missing();
    if let Some(first) = missing.next() {
        let count = cases(1 + missing.count());
        let first = code(&first.to_string());
        put(
            text,
            &format!("\n{count} planned and without a verdict, the first: {first}"),
        );
    }
}

/// The hosts that died.
fn deaths(text: &mut String, run: &Run) {
    let sign = sign(run.rules().of_a_death());
    for death in run.deaths().iter().take(GROUPS) {
        let told = format!("{} {}; {}", sign, death.told(), death.on_it());
        put(text, &format!("\n### {}", plain(&told)));
    }
    let all = run.deaths().len();
    if let Some(more) = all.checked_sub(GROUPS).filter(|more| *more > 0) {
        put(
            text,
            &format!("\nand {}", terminal::count(more, "more host")),
        );
    }
}

fn explain(text: &mut String, run: &Run, group: &Group<'_>) {
    let condition = group
        .condition
        .map_or(String::new(), |one| format!("{one}, "));
    let (standing, count) = (group.standing, cases(group.cases.len()));
    let told = format!("{} {}: {condition}{count}", sign(standing), standing.word());
    put(text, &format!("\n### {}", plain(&told)));
    put(
        text,
        &format!("\n{}", plain(&shortened(&group.why, REASON))),
    );
    if let Some((these, shared)) = group.apart().filter(|_| group.sharing > 1) {
        put(text, &format!("\n{} {}", plain(&these), code(&shared)));
    }
    let again = group.cases.iter().take(EXAMPLES);
    let again: Vec<_> = again.map(|one| run.again(&one.case)).collect();
    put(text, &format!("\n{}", block(&again.join("\n"))));
    if let Some(more) = group
        .cases
        .len()
        .checked_sub(EXAMPLES)
        .filter(|more| *more > 0)
    {
        put(text, &format!("\nand {} more", cases(more)));
    }
}

/// What the figures do not speak of.
fn notes(text: &mut String, run: &Run) {
    for (place, note) in bounds(run).iter().enumerate() {
        let before = if place == 0 { "\n" } else { "" };
        put(text, &format!("{before}- {}", plain(note)));
    }
}

/// The text as a line of Markdown that shows it as it is: nothing in it is markup, wherever in a line, a
/// list or a table it stands. What makes links by itself, of the text that is shown, is parted by a comment, which
/// nobody sees: there, characters by their numbers are no help.
pub(crate) fn plain(text: &str) -> String {
    let text = printable(text).replace(['\n', '\t'], " ");
    let text = text.trim();
    let mut plain = String::with_capacity(text.len());
    for (place, c) in text.char_indices() {
        match c {
            '<' => plain += "&lt;",
            '&' => plain += "&amp;",
            // Of an address or a name, or of the number of an issue.
            '@' => plain += "@<!-- -->",
            '#' => plain += "\\#<!-- -->",
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '|' | '~' | '>' | '!'
            | '$' => {
                plain.extend(['\\', c]);
            }
            '-' | '+' | '=' if place == 0 => plain.extend(['\\', c]),
            '.' if text[..place].bytes().all(|byte| byte.is_ascii_digit()) => plain += "\\.",
            c => plain.push(c),
        }
    }
    let plain = plain.replace("://", "&#58;//");
    plain.replace("www.", "www&#46;")
}

/// A piece of code in a line.
pub(crate) fn code(text: &str) -> String {
    let text = printable(text).replace(['\n', '\t'], " ");
    let fence = fence(&text, 1);
    let space = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{space}{text}{space}{fence}")
}

/// A block of code.
fn block(text: &str) -> String {
    let fence = fence(text, 3);
    format!("{fence}sh\n{text}\n{fence}")
}

/// A fence that is longer than all that the text has.
fn fence(text: &str, least: usize) -> String {
    let ticks = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(least.max(ticks + 1))
}

fn put(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a String takes every text");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_said_is_no_markup() {
        assert_eq!(
            plain("<b> [x](http://a) `*_|#\n@all \u{1b}"),
            "&lt;b\\> \\[x\\]\\(http&#58;//a\\) \\`\\*\\_\\|\\#<!-- --> @<!-- -->all \\\\u\\{1b\\}"
        );
        assert_eq!(plain("a_b*c|d<e"), "a\\_b\\*c\\|d&lt;e");
        assert_eq!(code("a ``b`"), "``` a ``b` ```");
        assert_eq!(block("echo '```'"), "````sh\necho '```'\n````");
    }

    #[test]
    fn what_begins_a_list_a_heading_or_a_block_or_makes_a_link_or_a_formula_by_itself_stays_text() {
        for (text, told) in [
            ("- x", "\\- x"),
            ("+ x", "\\+ x"),
            ("--cover 2", "\\--cover 2"),
            ("===", "\\==="),
            ("1. x", "1\\. x"),
            ("10.0.13 is older", "10\\.0.13 is older"),
            (". x", "\\. x"),
            ("    x", "x"),
            ("a - b + c = 1.5", "a - b + c = 1.5"),
            ("at www.x.org", "at www&#46;x.org"),
            ("$x$", "\\$x\\$"),
            ("me@x.org", "me@<!-- -->x.org"),
            ("#12", "\\#<!-- -->12"),
        ] {
            assert_eq!(plain(text), told, "{text}");
        }
    }
}
