//! A bare `migratrix` at a terminal: what there is, and what to do next.

use std::path::Path;

use anyhow::Result;
use migratrix_matrix::ReleaseName;
use migratrix_reports::Run;

use crate::{
    cli::KnownArgs,
    meaning, report,
    run::{
        last_failed::is_wrong,
        newest::{RUNS, newest},
        rundir::RunDir,
    },
    say::{Shown, called, count, typed_word},
};

/// A line that can be typed, and what it does.
type Line = (String, &'static str);

/// Prints what there is, and what to do next.
///
/// # Errors
/// Fails where the releases or the newest run can't be read.
pub fn tell() -> Result<()> {
    let (there, lines) = told()?;
    let width = lines.iter().map(|(line, _)| line.chars().count());
    let width = width.max().unwrap_or(0);
    println!("{there} What comes next:");
    for (line, does) in lines {
        println!("  {line:width$}   # {does}");
    }
    println!("All commands: {} --help", called());
    Ok(())
}

/// What there is, and the lines that go on from it.
fn told() -> Result<(String, Vec<Line>)> {
    if let Some(path) = newest(Path::new(RUNS))? {
        let (dir, plan) = RunDir::read(&path)?;
        let known = KnownArgs::default();
        let run = report::run_of(&dir, &plan, &known.or_kept(&plan)?)?;
        let run = run.by(known.rules(&plan.options));
        return Ok(ended(&path.to_string_lossy(), &run));
    }
    let stock = meaning::store()?.list()?;
    let names: Vec<_> = stock.whole.iter().map(|one| one.name().clone()).collect();
    Ok(if names.is_empty() {
        nothing()
    } else {
        releases(&names)
    })
}

fn nothing() -> (String, Vec<Line>) {
    let lines = [
        (
            "migratrix doctor",
            "what this machine can do, and what it lacks",
        ),
        (
            "migratrix releases build bookworm trixie",
            "builds the stacks of Debian 12 and 13, once",
        ),
    ];
    let lines = lines.map(|(line, does)| (line.to_owned(), does));
    ("No release is built yet.".to_owned(), lines.into())
}

fn releases(names: &[ReleaseName]) -> (String, Vec<Line>) {
    let is_there = |name: &str| names.iter().any(|one| one.as_str() == name);
    let places = match names {
        // What is meant where none is named.
        _ if is_there("bookworm") && is_there("trixie") => String::new(),
        [first, .., last] => format!(" --source {first} --destination {last}"),
        [one] => format!(" --source {one}"),
        [] => String::new(),
    };
    let all: Vec<_> = names.iter().map(ReleaseName::as_str).collect();
    let there = format!(
        "{} built: {}. There is no run below {RUNS} yet.",
        count(names.len(), "release"),
        all.join(", ")
    );
    let lines = vec![
        (format!("migratrix run{places}"), "runs the default profile"),
        (format!("migratrix list{places}"), "the cases that it runs"),
    ];
    (there, lines)
}

fn ended(path: &str, run: &Run) -> (String, Vec<Line>) {
    let tally = run.cases();
    let words = tally
        .iter()
        .map(|(standing, count)| format!("{count} {}", standing.words(*count)));
    let words = match words.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "nothing was judged".to_owned(),
        words => words,
    };
    let word = typed_word(path);
    let mut lines = Vec::new();
    let missing = run.missing().count();
    if missing > 0 && !run.is_under_way() {
        lines.push((
            format!("migratrix run --resume {word}"),
            "runs the cases that have no verdict yet",
        ));
    }
    lines.push((
        format!("migratrix report {word}"),
        "what came out, group by group",
    ));
    let page = Path::new(path).join("index.html");
    if page.exists() {
        lines.push((
            format!("xdg-open {}", typed_word(&page.to_string_lossy())),
            "the same as a page",
        ));
    }
    if run.judgements().any(|one| is_wrong(one, run.rules())) {
        lines.push((
            format!("migratrix run --last-failed {word}"),
            "runs again what was not as expected",
        ));
    }
    let without = match missing {
        0 => String::new(),
        missing => format!(", {missing} without a verdict"),
    };
    let caveat = run.caveat().map(|told| format!(" ({told})"));
    (
        format!(
            "The newest run is {}: {words}{without}{}.",
            Path::new(path).shown(),
            caveat.unwrap_or_default()
        ),
        lines,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_for(names: &[&str]) -> String {
        let names = names
            .iter()
            .map(|name| ReleaseName::new(name).expect("a name"));
        let (_, lines) = releases(&names.collect::<Vec<_>>());
        lines[0].0.clone()
    }

    #[test]
    fn the_first_run_is_between_releases_that_are_built() {
        assert_eq!(line_for(&["bookworm", "sid", "trixie"]), "migratrix run");
        let others = line_for(&["bullseye", "sid"]);
        assert_eq!(others, "migratrix run --source bullseye --destination sid");
        assert_eq!(line_for(&["sid"]), "migratrix run --source sid");
    }
}
