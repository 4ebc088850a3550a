//! The summary for a terminal or a log.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use migratrix_matrix::{Axis, Case, Control, Method, Point, Suite};

use crate::{Group, Judgement, Kind, Route, Run, Standing, attribution::origins, groups};

/// Whether the text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// By ANSI escape sequences.
    Ansi,
    /// Not at all.
    Plain,
}

/// How many cases of a group are named.
const EXAMPLES: usize = 3;

/// The whole summary: the counts, the table by tuple, and each trouble explained.
#[must_use]
pub fn terminal(run: &Run, colour: Colour) -> String {
    let mut text = String::new();
    table(&mut text, run, colour);
    for standing in [
        Standing::KnownFailure,
        Standing::Unknown,
        Standing::KnownPasses,
        Standing::Failed,
    ] {
        for group in groups(run, standing) {
            explain(&mut text, &group, colour);
        }
    }
    remarks(&mut text, run);
    counts(&mut text, run, colour);
    text
}

/// One line on one case, for the log of a run that goes on.
#[must_use]
pub fn line(judgement: &Judgement, colour: Colour) -> String {
    let standing = judgement.standing();
    let seconds = seconds(judgement.elapsed_ms);
    let head = paint(&format!("{:>7}", standing.word()), standing, colour);
    let tail = match standing {
        Standing::Passed => String::new(),
        Standing::Failed
        | Standing::Unknown
        | Standing::Skipped
        | Standing::KnownFailure
        | Standing::KnownPasses => {
            let (condition, why) = groups::reason(judgement, standing);
            let condition = condition.map_or(String::new(), |one| format!("{one}: "));
            format!("\n        {condition}{why}")
        }
    };
    format!("{head} {seconds:>8} {}{tail}", judgement.case)
}

/// The tables: one for each kind of cases, a row for each route.
fn table(text: &mut String, run: &Run, colour: Colour) {
    let (managed, direct): (Rows<'_>, Rows<'_>) = run
        .by_route()
        .into_iter()
        .partition(|(route, _)| route.client.is_some());
    rows(text, "client: source → destination", &managed, colour);
    rows(text, "source → destination", &direct, colour);
}

type Rows<'r> = Vec<(Route<'r>, Vec<&'r Judgement>)>;

fn rows(text: &mut String, title: &str, rows: &Rows<'_>, colour: Colour) {
    if rows.is_empty() {
        return;
    }
    let columns = columns(rows);
    let names = rows.iter().map(|(route, _)| route.to_string());
    let names: Vec<_> = [title.to_owned()].into_iter().chain(names).collect();
    let wide = |name: &String| name.chars().count();
    let width = names.iter().map(wide).max().unwrap_or(0);
    let heads: String = columns.iter().map(|head| format!("{head:>13}")).collect();
    put(text, &format!("{title:width$}{heads}"));
    for ((_, judgements), name) in rows.iter().zip(&names[1..]) {
        let cells = columns.iter().map(|head| cell(head, judgements, colour));
        put(text, &format!("{name:width$}{}", cells.collect::<String>()));
    }
}

/// The heads of the columns that these rows need: every control method where one is there, and what
/// is there of the others.
fn columns(rows: &Rows<'_>) -> Vec<&'static str> {
    let cases = rows.iter().flat_map(|(_, judgements)| judgements);
    let there: BTreeSet<_> = cases.map(|one| column(&one.case)).collect();
    let controls = Control::ALL.map(Control::word);
    let managed = controls.iter().any(|control| there.contains(control));
    let methods = Method::ALL.iter().map(|method| method.word());
    let others = methods.chain(Suite::ALL.map(Suite::word));
    let controls = controls.into_iter().filter(|_| managed);
    controls
        .chain(others.filter(|one| there.contains(one)))
        .collect()
}

/// The column that a case stands in.
fn column(case: &Case) -> &'static str {
    match &case.point {
        Point::Tck(scenario) => scenario.control.word(),
        Point::Chained(chained) => chained.scenario.control.word(),
        Point::Qemu(raw) => raw.method.word(),
        Point::Colo(_) | Point::Backup(_) => case.point.suite().word(),
    }
}

/// `31/32` of the cases that were tried are as expected; the sign tells the worst without colour.
fn cell(head: &str, judgements: &[&Judgement], colour: Colour) -> String {
    let of = judgements.iter().filter(|one| column(&one.case) == head);
    let Some(Share { worst, fine, tried }) = share(of.copied()) else {
        return format!("{:>13}", "–");
    };
    let told = format!("{} {fine}/{tried}", sign(worst));
    paint(&format!("{told:>13}"), worst, colour)
}

/// How many of some cases are as expected, of those that were tried, and the worst of them.
pub(crate) struct Share {
    pub worst: Standing,
    pub fine: usize,
    pub tried: usize,
}

/// The share of the cases, if there are any.
pub(crate) fn share<'j>(judgements: impl Iterator<Item = &'j Judgement>) -> Option<Share> {
    let standings: Vec<_> = judgements.map(Judgement::standing).collect();
    let worst = standings.iter().copied().max()?;
    let count = |of: fn(Standing) -> bool| standings.iter().filter(|one| of(**one)).count();
    let tried = count(|standing| standing != Standing::Skipped);
    Some(Share {
        worst,
        fine: count(is_expected),
        tried,
    })
}

fn explain(text: &mut String, group: &Group<'_>, colour: Colour) {
    let count = cases(group.cases.len());
    let condition = group
        .condition
        .map_or(String::new(), |one| format!("{one}, "));
    let head = format!(
        "{} {}: {condition}{count}",
        sign(group.standing),
        group.standing.word()
    );
    put(text, "");
    put(text, &paint(&head, group.standing, colour));
    put(text, &format!("  {}", group.why));
    if !group.shared.is_empty() {
        let these = if group.sharing == group.cases.len() {
            "exactly the"
        } else {
            "all are of the"
        };
        put(
            text,
            &format!("  {these} {} with {}", cases(group.sharing), group.shared),
        );
    }
    also(text, group);
    whose(text, group);
    for judgement in group.cases.iter().take(EXAMPLES) {
        put(text, &format!("  migratrix run --case {}", judgement.case));
        if let Some(log) = &judgement.log {
            put(text, &format!("    seen: {log}"));
        }
    }
    if let Some(more) = group
        .cases
        .len()
        .checked_sub(EXAMPLES)
        .filter(|more| *more > 0)
    {
        put(text, &format!("  and {} more", cases(more)));
    }
}

/// The conditions that went wrong with it.
fn also(text: &mut String, group: &Group<'_>) {
    let mut others: BTreeMap<_, usize> = BTreeMap::new();
    for judgement in &group.cases {
        let troubles = judgement.troubles().map(|(condition, _)| condition);
        for condition in troubles.filter(|one| Some(*one) != group.condition) {
            *others.entry(condition).or_default() += 1;
        }
    }
    if group.condition.is_some() && !others.is_empty() {
        let told: Vec<_> = others
            .iter()
            .map(|(one, count)| format!("{one} ({count})"))
            .collect();
        put(text, &format!("  and with it: {}", told.join(", ")));
    }
}

/// Whose failures they are, by the raw cases beside them.
fn whose(text: &mut String, group: &Group<'_>) {
    for (count, first) in origins(&group.cases).into_values() {
        put(text, &format!("  {first} ({})", cases(count)));
        put(text, &format!("    migratrix run --case {}", first.raw));
    }
}

fn remarks(text: &mut String, run: &Run) {
    let flaky: Vec<_> = run.flaky().collect();
    if !flaky.is_empty() {
        put(
            text,
            &format!("\n{} passed only when tried again:", cases(flaky.len())),
        );
        flaky
            .iter()
            .for_each(|one| put(text, &format!("  {}", one.case)));
    }
    let missing: Vec<_> = run.missing().collect();
    if let Some(first) = missing.first() {
        let count = cases(missing.len());
        put(
            text,
            &format!("\n{count} planned and without a verdict, the first: {first}"),
        );
    }
    if !run.unused_known().is_empty() {
        put(
            text,
            "\nknown failures that no case of this run is subject to:",
        );
        run.unused_known()
            .iter()
            .for_each(|one| put(text, &format!("  {one}")));
    }
}

fn counts(text: &mut String, run: &Run, colour: Colour) {
    let tally = run.cases();
    let told: Vec<_> = tally
        .iter()
        .map(|(standing, count)| paint(&format!("{count} {}", standing.word()), *standing, colour))
        .collect();
    let all = run.judgements().len();
    let (ten, whole) = (
        run.conditions(|one| one.is_one_of_the_ten()),
        run.conditions(|_| true),
    );
    put(
        text,
        &format!(
            "\n{} in {}: {}",
            cases(all),
            seconds(run.elapsed_ms),
            told.join(", ")
        ),
    );
    if !ten.is_empty() {
        let (sum, kinds) = (sum(&ten), kinds(&ten));
        put(
            text,
            &format!("{sum} post-conditions of {}: {kinds}", cases(all)),
        );
    }
    put(
        text,
        &format!("{} conditions in all: {}", sum(&whole), kinds(&whole)),
    );
}

fn sum(tally: &BTreeMap<Kind, usize>) -> usize {
    tally.values().sum()
}

fn kinds(tally: &BTreeMap<Kind, usize>) -> String {
    let told: Vec<_> = tally
        .iter()
        .map(|(kind, count)| format!("{count} {}", kind.word()))
        .collect();
    told.join(", ")
}

pub(crate) fn cases(count: usize) -> String {
    if count == 1 {
        "1 case".to_owned()
    } else {
        format!("{count} cases")
    }
}

/// A time for people.
pub(crate) fn seconds(ms: u64) -> String {
    match ms / 1_000 {
        whole @ 0..=59 => format!("{whole}.{} s", ms % 1_000 / 100),
        whole @ 60..=3_599 => format!("{} min {} s", whole / 60, whole % 60),
        whole => format!("{} h {} min", whole / 3_600, whole % 3_600 / 60),
    }
}

const fn is_expected(standing: Standing) -> bool {
    match standing {
        Standing::Passed | Standing::KnownFailure => true,
        Standing::Skipped | Standing::Unknown | Standing::KnownPasses | Standing::Failed => false,
    }
}

pub(crate) const fn sign(standing: Standing) -> &'static str {
    match standing {
        Standing::Passed => "✓",
        Standing::KnownFailure => "~",
        Standing::Skipped => "-",
        Standing::Unknown => "?",
        Standing::KnownPasses => "!",
        Standing::Failed => "✗",
    }
}

fn paint(text: &str, standing: Standing, colour: Colour) -> String {
    let code = match standing {
        Standing::Passed => 32,
        Standing::KnownFailure | Standing::Skipped => 36,
        Standing::Unknown => 33,
        Standing::KnownPasses => 35,
        Standing::Failed => 31,
    };
    match colour {
        Colour::Ansi => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        Colour::Plain => text.to_owned(),
    }
}

fn put(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a String takes every text");
}
