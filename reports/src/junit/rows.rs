//! The rows that both flavours write: which test cases there are, and what came of each.

use std::collections::BTreeMap;

use migratrix_matrix::{Case, Condition, Tuple};

use super::Granularity;
use crate::{Judgement, Run, Standing, Verdict, groups::reason, printable::printable};

/// One suite: the rows of a tuple.
pub(super) struct Suite<'r> {
    pub name: String,
    pub began_unix: u64,
    pub rows: Vec<Row<'r>>,
}

/// One test case.
pub(super) struct Row<'r> {
    pub classname: String,
    pub name: String,
    pub time_ms: u64,
    pub came: Came,
    /// `None` where the case was never judged.
    pub judgement: Option<&'r Judgement>,
}

/// What came of a row.
pub(super) enum Came {
    Passed,
    Failure(Trouble),
    Error(Trouble),
    Skipped(Trouble),
}

/// Why it did not pass.
pub(super) struct Trouble {
    /// The condition, or what else it is about.
    pub kind: String,
    /// The reason in one line.
    pub message: String,
    /// All that is known of it.
    pub text: String,
}

/// A suite a tuple, in the order of the tuples.
pub(super) fn suites(run: &Run, granularity: Granularity) -> Vec<Suite<'_>> {
    let mut suites: BTreeMap<&Tuple, Vec<Row<'_>>> = BTreeMap::new();
    for judgement in run.judgements() {
        let rows = suites.entry(&judgement.case.tuple).or_default();
        rows.extend(rows_of(judgement, granularity));
    }
    for case in run.missing() {
        suites.entry(&case.tuple).or_default().push(missing(case));
    }
    suites
        .into_iter()
        .map(|(tuple, rows)| suite(run, tuple, rows))
        .collect()
}

fn suite<'r>(run: &Run, tuple: &Tuple, rows: Vec<Row<'r>>) -> Suite<'r> {
    let began = |row: &Row<'_>| row.judgement.map(|one| one.began_unix);
    let began_unix = rows
        .iter()
        .filter_map(began)
        .min()
        .unwrap_or(run.began_unix);
    Suite {
        name: tuple.to_string(),
        began_unix,
        rows,
    }
}

fn rows_of(judgement: &Judgement, granularity: Granularity) -> Vec<Row<'_>> {
    let takes = |condition: Condition| match granularity {
        Granularity::Case => false,
        Granularity::PostCondition => condition.is_one_of_the_ten(),
        Granularity::Condition => true,
    };
    let own = judgement.case.point.conditions().into_iter();
    let conditions: Vec<_> = own.filter(|one| takes(*one)).collect();
    if conditions.is_empty() || judgement.case.fault.is_some() {
        return vec![whole(judgement)];
    }
    let rows = conditions.into_iter();
    rows.map(|condition| one(judgement, condition)).collect()
}

fn whole(judgement: &Judgement) -> Row<'_> {
    let standing = judgement.standing();
    let (condition, message) = reason(judgement, standing);
    let condition = condition.or(judgement.case.fault.map(|fault| fault.trips()));
    let kind = condition.map_or("case", Condition::word);
    let trouble = Trouble {
        kind: kind.to_owned(),
        message: printable(&message),
        text: text(judgement),
    };
    Row {
        classname: class(&judgement.case),
        name: judgement.case.to_string(),
        time_ms: judgement.elapsed_ms,
        came: came(standing, trouble),
        judgement: Some(judgement),
    }
}

/// The time of a case is that of its migration, so that a suite's times add up.
fn one(judgement: &Judgement, condition: Condition) -> Row<'_> {
    let (standing, verdict) = (judgement.standing_of(condition), judgement.of(condition));
    let known = judgement
        .known(condition)
        .map(|known| format!("known failure: {}", known.reason));
    let why = verdict.map_or("it was not judged", |verdict| verdict.why());
    let message = match standing {
        Standing::KnownPasses => format!("passes now; {}", known.unwrap_or_default()),
        Standing::Passed
        | Standing::KnownFailure
        | Standing::Skipped
        | Standing::Unknown
        | Standing::Failed => why.to_owned(),
    };
    let message = printable(&message);
    let trouble = Trouble {
        kind: condition.to_string(),
        text: format!("{message}\n{}", whose(judgement))
            .trim_end()
            .to_owned(),
        message,
    };
    let timed = condition == Condition::Migrated;
    Row {
        classname: format!("{}.{}", class(&judgement.case), judgement.case),
        name: condition.to_string(),
        time_ms: if timed { judgement.elapsed_ms } else { 0 },
        came: came(standing, trouble),
        judgement: Some(judgement),
    }
}

fn missing(case: &Case) -> Row<'_> {
    let message = "the case was planned and has no verdict: the run was stopped before it";
    let (kind, message) = ("planned".to_owned(), message.to_owned());
    let trouble = Trouble {
        kind,
        text: message.clone(),
        message,
    };
    Row {
        classname: class(case),
        name: case.to_string(),
        time_ms: 0,
        came: Came::Error(trouble),
        judgement: None,
    }
}

fn class(case: &Case) -> String {
    format!("migratrix.{}.{}", case.suite.word(), case.tuple)
}

fn came(standing: Standing, trouble: Trouble) -> Came {
    match standing {
        Standing::Passed | Standing::KnownFailure => Came::Passed,
        Standing::Failed | Standing::KnownPasses => Came::Failure(trouble),
        Standing::Unknown => Came::Error(trouble),
        Standing::Skipped => Came::Skipped(trouble),
    }
}

/// Whose failure it is, where that was found out.
fn whose(judgement: &Judgement) -> String {
    let attribution = judgement.attribution.as_ref();
    attribution.map_or(String::new(), |one| {
        format!("{one}\nmigratrix run --case {}\n", one.raw)
    })
}

/// Every trouble of a case, and how to see it again.
fn text(judgement: &Judgement) -> String {
    let told = |(condition, verdict): (Condition, &Verdict)| {
        format!(
            "{condition} ({}): {}\n",
            verdict.kind().word(),
            verdict.why()
        )
    };
    let mut text: String = judgement.troubles().map(told).collect();
    text.push_str(&whose(judgement));
    text.push_str(&format!("migratrix run --case {}\n", judgement.case));
    if let Some(log) = &judgement.log {
        text.push_str(&format!("history: {log}\n"));
    }
    printable(&text)
}
