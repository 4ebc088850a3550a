//! The summary as JSON, for other programs.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    Attribution, Exit, Group, Judgement, Kind, Origin, Route, Run, Standing, Tally,
    attribution::origins, groups,
};

#[derive(Serialize)]
struct Summary<'r> {
    format: u32,
    began_unix: u64,
    elapsed_ms: u64,
    exit: &'static str,
    planned: usize,
    cases: Tally,
    post_conditions: BTreeMap<Kind, usize>,
    conditions: BTreeMap<Kind, usize>,
    releases: BTreeMap<&'r str, Vec<String>>,
    tuples: Vec<Tuple>,
    groups: Vec<Told>,
    flaky: Vec<String>,
    missing: Vec<String>,
    unused_known: &'r [String],
}

#[derive(Serialize)]
struct Tuple {
    /// None where QEMUs are told directly.
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    source: String,
    destination: String,
    cases: Tally,
}

#[derive(Serialize)]
struct Told {
    standing: Standing,
    condition: Option<&'static str>,
    why: String,
    shared: String,
    cases: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    origins: Vec<Whose>,
}

/// Whose failures a group's are, by the raw cases beside them.
#[derive(Serialize)]
struct Whose {
    origin: Origin,
    cases: usize,
    why: String,
    raw: String,
}

/// The summary of the run as one JSON document. `format` grows when the meaning of a field changes.
#[must_use]
pub fn json(run: &Run) -> String {
    let summary = Summary {
        format: 1,
        began_unix: run.began_unix,
        elapsed_ms: run.elapsed_ms,
        exit: match run.exit() {
            Exit::AsExpected => "as-expected",
            Exit::Failed => "failed",
            Exit::Unknown => "unknown",
        },
        planned: run.planned().len(),
        cases: run.cases(),
        post_conditions: run.conditions(|one| one.is_one_of_the_ten()),
        conditions: run.conditions(|_| true),
        releases: run.releases(),
        tuples: tuples(run),
        groups: TROUBLES
            .into_iter()
            .flat_map(|one| groups(run, one))
            .map(told)
            .collect(),
        flaky: run.flaky().map(|one| one.case.to_string()).collect(),
        missing: run.missing().map(ToString::to_string).collect(),
        unused_known: run.unused_known(),
    };
    serde_json::to_string_pretty(&summary).expect("a summary has only text keys")
}

/// Where a case can stand that wants an explanation, the worst first.
pub(crate) const TROUBLES: [Standing; 4] = [
    Standing::Failed,
    Standing::KnownPasses,
    Standing::Unknown,
    Standing::KnownFailure,
];

fn tuples(run: &Run) -> Vec<Tuple> {
    let told = |(route, judgements): (Route<'_>, Vec<&Judgement>)| {
        let mut cases = Tally::new();
        judgements
            .iter()
            .for_each(|one| *cases.entry(one.standing()).or_default() += 1);
        Tuple {
            client: route.client.map(ToString::to_string),
            source: route.source.to_string(),
            destination: route.destination.to_string(),
            cases,
        }
    };
    run.by_route().into_iter().map(told).collect()
}

fn whose((origin, (cases, first)): (Origin, (usize, &Attribution))) -> Whose {
    Whose {
        origin,
        cases,
        why: first.why.clone(),
        raw: first.raw.to_string(),
    }
}

fn told(group: Group<'_>) -> Told {
    Told {
        standing: group.standing,
        condition: group.condition.map(migratrix_matrix::Condition::word),
        origins: origins(&group.cases).into_iter().map(whose).collect(),
        why: group.why,
        shared: group.shared,
        cases: group.cases.iter().map(|one| one.case.to_string()).collect(),
    }
}
