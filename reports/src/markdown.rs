//! The summary in Markdown, for the page of a CI system's job and for a merge request.

use std::fmt::Write;

use crate::{
    Group, Route, Run, Standing, groups,
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
    put(text, &format!("## {}", plain(&headline(run))));
    put(text, &format!("\n{}", plain(&told)));
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
                let told = cell.as_ref().map_or("·".to_owned(), recovered::Cell::told);
                plain(&told)
            });
            let all = [plain(strike.word())].into_iter().chain(cells).collect();
            put(text, &line(all));
        }
        put(text, &format!("\n{}", plain(recovered::LEGEND)));
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

/// The text as a line of Markdown that shows it as it is: nothing in it is markup.
pub(crate) fn plain(text: &str) -> String {
    let text = printable(text).replace(['\n', '\t'], " ");
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => plain += "&lt;",
            '&' => plain += "&amp;",
            // What makes a link of a name or an address by itself.
            '@' => plain += "&#64;",
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '|' | '~' | '>'
            | '!' => {
                plain.extend(['\\', c]);
            }
            c => plain.push(c),
        }
    }
    plain.replace("://", "&#58;//")
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
            "&lt;b\\> \\[x\\]\\(http&#58;//a\\) \\`\\*\\_\\|\\# &#64;all \\\\u\\{1b\\}"
        );
        assert_eq!(code("a ``b`"), "``` a ``b` ```");
        assert_eq!(block("echo '```'"), "````sh\necho '```'\n````");
    }
}
