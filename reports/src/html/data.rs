//! All cases of the run in a compact form, for the page's script: it filters, searches and lists them.
//!
//! What many cases have in common is told once: the releases (`heads`), the points (`tails`) with their
//! values of each axis, and the verdicts (`looks`). A case is a row of a few numbers then.

use std::collections::HashMap;

use migratrix_matrix::{Axis as _, Backend, Case, Condition, HostSetup, Suite};
use serde::Serialize;

use super::{Files, article::Articles, class, link::address};
use crate::{Judgement, Kind, Run, Standing, Trial, Verdict, printable::printable, terminal::sign};

/// What the script gets.
#[derive(Serialize)]
struct Data<'r> {
    /// The axes by which cases can be chosen.
    axes: Vec<Axis>,
    /// `SUITE/BACKEND/RELEASES`, a value of each axis that it tells of: pairs of axis and value, and which of
    /// `again` runs its cases again.
    heads: Vec<Head>,
    /// The rest of a case's name, and its values.
    tails: Vec<(String, Vec<(usize, usize)>)>,
    /// Each standing: its word, its sign and its class.
    standings: Vec<(&'static str, &'static str, &'static str)>,
    /// The verdicts, each once.
    looks: Vec<Look>,
    conditions: Vec<&'static str>,
    kinds: [&'static str; 4],
    /// The reasons, each once.
    reasons: Vec<String>,
    /// What QEMUs said of why they gave up, each once; the first says nothing.
    said: Vec<String>,
    cases: Vec<Row>,
    /// What stands before a case's name in the line that runs it again, and after it: by how its hosts were
    /// set up.
    again: Vec<(String, String)>,
    /// Where histories lie.
    home: &'r str,
}

/// What the cases of some releases have in common.
type Head = (String, Vec<(usize, usize)>, usize);

#[derive(Serialize)]
struct Axis {
    name: String,
    values: Vec<String>,
}

/// The verdicts of a case: its conditions, of each one of `kinds`, and the reasons by the places of their
/// conditions.
#[derive(Serialize, PartialEq, Eq, Hash, Clone)]
struct Look(Vec<usize>, Vec<usize>, Vec<(usize, usize)>);

/// A case: its head, tail, standing, look, group of failures (0: none), place of its article (0: none),
/// the address of its history, and what a QEMU said in it (0: nothing).
#[derive(Serialize)]
struct Row(usize, usize, usize, usize, usize, usize, History, usize);

/// The address of a history.
#[derive(Serialize)]
#[serde(untagged)]
enum History {
    /// There is none.
    None(u8),
    /// It is where it is looked for by its case's name.
    Usual(u8),
    /// It is elsewhere.
    At(String),
}

/// Values that are told once, by their numbers.
struct Once<T> {
    all: Vec<T>,
    numbers: HashMap<T, usize>,
}

impl<T: Clone + Eq + std::hash::Hash> Once<T> {
    fn new() -> Self {
        Self {
            all: Vec::new(),
            numbers: HashMap::new(),
        }
    }

    fn number(&mut self, value: T) -> usize {
        let next = self.all.len();
        *self.numbers.entry(value).or_insert_with_key(|value| {
            self.all.push(value.clone());
            next
        })
    }
}

/// The cases, as JSON that may stand in a script element.
pub fn data(run: &Run, articles: &Articles<'_>, files: &impl Files) -> String {
    let home = home(run, files);
    let mut all = Table::new(run);
    let judgements = run.judgements();
    let row = |judgement| all.row(judgement, articles, &home, files);
    let cases: Vec<_> = judgements.map(row).collect();
    let Table {
        axes,
        values,
        heads,
        tails,
        looks,
        conditions,
        reasons,
        said,
        lines,
        ..
    } = all;
    let axes = axes.all.into_iter().zip(values);
    let data = Data {
        axes: axes
            .map(|(name, values)| Axis {
                name,
                values: values.all,
            })
            .collect(),
        heads: heads.all,
        tails: tails.all,
        standings: Standing::ALL
            .map(|one| (one.word(), sign(one), class(one)))
            .to_vec(),
        looks: looks.all,
        conditions: conditions.all,
        kinds: Kind::ALL.map(Kind::word),
        reasons: reasons.all,
        said: said.all,
        cases,
        again: lines.all,
        home: &home,
    };
    let text = serde_json::to_string(&data).expect("it has only text keys");
    in_script(&text)
}

/// JSON in which nothing ends or changes the element that it stands in.
fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

/// Where most histories lie, as far as one can be found by its case's name.
fn home(run: &Run, files: &impl Files) -> String {
    let of = |one: &Judgement| {
        let way = address(&files.way(one, one.log.as_ref()?));
        let home = way.strip_suffix(&usual(&one.case))?;
        Some(home.to_owned())
    };
    run.judgements().find_map(of).unwrap_or_default()
}

fn usual(case: &Case) -> String {
    format!("history/{}.jsonl", case.file_stem())
}

/// The line that runs a case again, without its case.
fn again(run: &Run, case: &Case) -> (String, String) {
    let line = run.again(case);
    let around = line.split_once(&case.to_string());
    let (before, after) = around.unwrap_or_default();
    (before.to_owned(), after.to_owned())
}

/// What is told once.
struct Table<'r> {
    run: &'r Run,
    words: Words,
    axes: Once<String>,
    values: Vec<Once<String>>,
    heads: Once<Head>,
    /// The lines that run cases again.
    lines: Once<(String, String)>,
    /// Which of them is that of such hosts.
    line_on: HashMap<Option<HostSetup>, usize>,
    tails: Once<(String, Vec<(usize, usize)>)>,
    looks: Once<Look>,
    conditions: Once<&'static str>,
    reasons: Once<String>,
    said: Once<String>,
}

impl<'r> Table<'r> {
    fn new(run: &'r Run) -> Self {
        let mut said = Once::new();
        said.number(String::new());
        Self {
            run,
            words: Words::of(run),
            lines: Once::new(),
            line_on: HashMap::new(),
            axes: Once::new(),
            values: Vec::new(),
            heads: Once::new(),
            tails: Once::new(),
            looks: Once::new(),
            conditions: Once::new(),
            reasons: Once::new(),
            said,
        }
    }

    fn row(
        &mut self,
        judgement: &Judgement,
        articles: &Articles<'_>,
        home: &str,
        files: &impl Files,
    ) -> Row {
        let case = &judgement.case;
        let (head, tail) = self.name(judgement);
        let standing = judgement.standing();
        let place = Standing::ALL.iter().position(|one| *one == standing);
        let look = self.look(judgement);
        let history = judgement.log.as_ref().map_or(History::None(0), |log| {
            let way = address(&files.way(judgement, log));
            if way.strip_prefix(home) == Some(&usual(case)) {
                History::Usual(1)
            } else {
                History::At(way)
            }
        });
        let (group, article) = articles.place(case);
        let said = judgement.said().unwrap_or_default();
        let said = self.said.number(printable(&said));
        Row(
            head,
            tail,
            place.unwrap_or(0),
            look,
            group,
            article,
            history,
            said,
        )
    }

    fn name(&mut self, judgement: &Judgement) -> (usize, usize) {
        let name = judgement.case.to_string();
        let end = name
            .match_indices('/')
            .nth(2)
            .map_or(name.len(), |(end, _)| end);
        let (head, tail) = (name[..end].to_owned(), name[end..].to_owned());
        let (mut of_head, mut of_tail) = (Vec::new(), Vec::new());
        for (axis, word) in self.words.of_judgement(judgement) {
            let value = self.value(&axis, &word);
            match axis.as_str() {
                Suite::NAME
                | Backend::NAME
                | HostSetup::NAME
                | "source"
                | "destination"
                | "client" => {
                    of_head.push(value);
                }
                _ => of_tail.push(value),
            }
        }
        let line = self.line(&judgement.case);
        (
            self.heads.number((head, of_head, line)),
            self.tails.number((tail, of_tail)),
        )
    }

    /// Which line runs the case again.
    fn line(&mut self, case: &Case) -> usize {
        let setup = self.run.setup_of(case);
        if let Some(line) = self.line_on.get(&setup) {
            return *line;
        }
        let line = self.lines.number(again(self.run, case));
        self.line_on.insert(setup, line);
        line
    }

    fn value(&mut self, axis: &str, value: &str) -> (usize, usize) {
        let axis = self.axes.number(axis.to_owned());
        if axis == self.values.len() {
            self.values.push(Once::new());
        }
        (axis, self.values[axis].number(value.to_owned()))
    }

    fn look(&mut self, judgement: &Judgement) -> usize {
        let mut look = Look(Vec::new(), Vec::new(), Vec::new());
        for (place, (condition, verdict)) in judgement.conditions.iter().enumerate() {
            look.0.push(self.conditions.number(condition.word()));
            let kind = Kind::ALL.iter().position(|one| *one == verdict.kind());
            look.1.push(kind.unwrap_or(0));
            let why = printable(&reason(judgement, *condition, verdict));
            if !why.is_empty() {
                let reason = self.reasons.number(why);
                look.2.push((place, reason));
            }
        }
        self.looks.number(look)
    }
}

/// Why a condition came out so. What is known of a failure is told of the case, and once.
fn reason(judgement: &Judgement, condition: Condition, verdict: &Verdict) -> String {
    match (
        judgement.own_standing_of(condition),
        judgement.known(condition),
    ) {
        (Standing::KnownFailure, _) => format!("{} (known)", verdict.why()),
        (Standing::UnexpectedPass, Some(known)) => {
            format!("unexpected pass, known to fail: {}", known.reason)
        }
        (_, _) => verdict.why().to_owned(),
    }
}

/// By what cases can be chosen.
#[derive(Clone, Copy)]
pub enum Words {
    /// By their axes.
    OfAxes,
    /// By how their hosts were set up as well: they were in several ways.
    OfHosts,
}

impl Words {
    pub fn of(run: &Run) -> Self {
        if run.setups().len() > 1 {
            Self::OfHosts
        } else {
            Self::OfAxes
        }
    }

    /// What a case is that was tried, as it can be chosen: its value of each axis, in a word.
    pub fn of_judgement(self, judgement: &Judgement) -> Vec<(String, String)> {
        let mut all = words(&judgement.case);
        match self {
            Self::OfHosts => {
                let setup = Trial::of(judgement).setup.word().to_owned();
                all.push((HostSetup::NAME.to_owned(), setup));
            }
            Self::OfAxes => {}
        }
        all
    }
}

fn words(case: &Case) -> Vec<(String, String)> {
    let mut all = vec![
        (Suite::NAME.to_owned(), case.suite().word().to_owned()),
        (Backend::NAME.to_owned(), case.backend.word().to_owned()),
    ];
    all.extend(case.facets().into_iter().map(|one| {
        let word = told(&one.axis, &one.text).to_owned();
        (one.axis, word)
    }));
    all.extend(
        case.fault
            .map(|fault| ("fault".to_owned(), fault.word().to_owned())),
    );
    all
}

/// The value of a facet in a word: what its filter takes, or for a switch whether it is on.
fn told<'t>(axis: &str, text: &'t str) -> &'t str {
    if axis.ends_with(')') {
        return if text.starts_with('!') { "no" } else { "yes" };
    }
    let value = text
        .split_once('(')
        .and_then(|(_, value)| value.strip_suffix(')'));
    value.unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_script_element_can_not_end_it_and_is_the_same_when_read() {
        let hostile = "</script><!--<script>&\"'\\";
        let text = in_script(&serde_json::to_string(hostile).expect("it is text"));
        assert!(!text.contains(['<', '>', '&']), "{text}");
        assert_eq!(
            serde_json::from_str::<String>(&text).expect("it is JSON"),
            hostile
        );
    }

    #[test]
    fn a_value_is_what_its_filter_takes_and_a_switch_is_on_or_off() {
        assert_eq!(told("control", "control(p2p)"), "p2p");
        assert_eq!(told("flag(live)", "flag(live)"), "yes");
        assert_eq!(told("flag(live)", "!flag(live)"), "no");
    }
}
