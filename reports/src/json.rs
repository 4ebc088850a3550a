//! The summary as JSON, for other programs.

use std::collections::BTreeMap;

use migratrix_matrix::Release;
use serde::{Serialize, Serializer};

use crate::{
    Attribution, Death, Evidence, Flaw, Group, Judgement, Kind, Known, Origin, Route, Run,
    Standing, Tally,
    attribution::origins,
    groups,
    terminal::{Share, bounds, headline, share},
};

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Summary<'r> {
    format: u32,
    began_unix: u64,
    elapsed_ms: u64,
    exit: &'static str,
    /// Whether each planned case has a verdict, and each shard is there.
    complete: bool,
    headline: String,
    /// What the figures do not speak of.
    bounds: Vec<String>,
    /// Which part of a run it is, as `hash:2/3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<String>,
    /// How many cases the whole has that this run is, or is a part of.
    planned: usize,
    cases: Tally,
    post_conditions: BTreeMap<Kind, usize>,
    conditions: BTreeMap<Kind, usize>,
    #[serde(serialize_with = "in_order")]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, Vec<String>>"))]
    releases: Vec<(String, Vec<String>)>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    packages: BTreeMap<&'r str, BTreeMap<&'r str, &'r str>>,
    tuples: Vec<Tuple>,
    groups: Vec<Told>,
    flaky: Vec<String>,
    /// What was wrong with the cases that are flaky.
    first_attempts: Vec<First>,
    hosts_died: Vec<Death>,
    missing: Vec<String>,
    missing_shards: Vec<String>,
    unused_known: &'r [String],
    /// The known failures whose day is over, and that a case is subject to.
    expired_known: &'r [String],
    /// The known failures whose last day comes within a month, and that a case is subject to.
    expiring_known: &'r [String],
    /// The known failures whose cases fail otherwise than they say.
    partly_known: Vec<String>,
    /// What of the run's files is not believed.
    damaged: &'r [String],
}

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Tuple {
    /// None where QEMUs are told directly.
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    source: String,
    /// None where nothing migrates.
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<String>,
    cases: Tally,
    /// How many of its cases were tried.
    tried: usize,
    worst: Standing,
}

/// What was wrong with a case before it came out as expected.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct First {
    case: String,
    wrong: Vec<Wrong>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Wrong {
    attempt: u32,
    condition: Option<&'static str>,
    why: String,
}

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Told {
    standing: Standing,
    condition: Option<&'static str>,
    why: String,
    /// What QEMU said of it in one of the cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<Excuse>,
    shared: String,
    /// How many of the cases that were tried have what is shared.
    sharing: usize,
    cases: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    seen: BTreeMap<String, Seen>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    origins: Vec<Whose>,
}

/// Why failures are known.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Excuse {
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    expired: bool,
}

/// The files that show what was seen in a case.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Seen {
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<Evidence>,
}

/// Whose failures a group's are, by the raw cases beside them.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Whose {
    origin: Origin,
    cases: usize,
    why: String,
    raw: String,
}

/// The schema of the summary.
#[cfg(feature = "schema")]
#[must_use]
pub fn summary_schema(generator: schemars::SchemaGenerator) -> schemars::Schema {
    generator.into_root_schema_for::<Summary<'_>>()
}

/// The summary of the run as one JSON document. `format` grows when the meaning of a field changes.
#[must_use]
pub fn json(run: &Run) -> String {
    let summary = Summary {
        format: 1,
        began_unix: run.began_unix,
        elapsed_ms: run.elapsed_ms(),
        exit: run.exit().word(),
        complete: run.missing().next().is_none()
            && run.missing_shards().is_empty()
            && run.damaged().is_empty()
            && !run.is_under_way(),
        headline: headline(run),
        bounds: bounds(run),
        shard: run.shard().map(|shard| shard.to_string()),
        planned: run.whole(),
        cases: run.cases(),
        post_conditions: run.conditions(|one| one.is_one_of_the_ten()),
        conditions: run.conditions(|_| true),
        releases: releases(run),
        packages: packages(run),
        tuples: tuples(run),
        groups: groups(run, &TROUBLES).into_iter().map(told).collect(),
        flaky: run.flaky().map(|(last, _)| last.case.to_string()).collect(),
        first_attempts: run.flaky().map(first).collect(),
        hosts_died: run.deaths(),
        missing: run.missing().map(ToString::to_string).collect(),
        missing_shards: run
            .missing_shards()
            .iter()
            .map(ToString::to_string)
            .collect(),
        unused_known: run.unused_known(),
        expired_known: run.expired_known(),
        expiring_known: run.expiring_known(),
        partly_known: run.partly_known(),
        damaged: run.damaged(),
    };
    serde_json::to_string_pretty(&summary).expect("a summary has only text keys")
}

/// Where a case can stand that wants an explanation, the worst first.
pub(crate) const TROUBLES: [Standing; 5] = [
    Standing::Failed,
    Standing::FailedAtFirst,
    Standing::UnexpectedPass,
    Standing::Unknown,
    Standing::KnownFailure,
];

fn tuples(run: &Run) -> Vec<Tuple> {
    let told = |(route, judgements): (Route<'_>, Vec<&Judgement>)| {
        let Share { worst, tried, .. } = share(run, judgements.iter().copied())?;
        let mut cases = Tally::new();
        judgements
            .iter()
            .for_each(|one| *cases.entry(one.standing()).or_default() += 1);
        Some(Tuple {
            client: route.client.map(ToString::to_string),
            source: route.source.to_string(),
            destination: route.destination.map(ToString::to_string),
            cases,
            tried,
            worst,
        })
    };
    run.by_route().into_iter().filter_map(told).collect()
}

fn whose((origin, (cases, first)): (Origin, (usize, &Attribution))) -> Whose {
    Whose {
        origin,
        cases,
        why: first.why.clone(),
        raw: first.raw.to_string(),
    }
}

fn releases(run: &Run) -> Vec<(String, Vec<String>)> {
    let all = run.releases().into_iter();
    all.map(|(name, versions)| (name.to_string(), versions))
        .collect()
}

fn packages(run: &Run) -> BTreeMap<&str, BTreeMap<&str, &str>> {
    let all = run.known_releases().iter();
    let made = all.filter(|one| !one.packages.is_empty());
    made.map(|one: &Release| (one.name.as_str(), one.packages().collect()))
        .collect()
}

/// An object whose keys stand in the order of the list.
fn in_order<S: Serializer>(
    list: &[(String, Vec<String>)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(list.iter().map(|(name, versions)| (name, versions)))
}

fn first((last, flaws): (&Judgement, Vec<Flaw>)) -> First {
    let wrong = flaws.into_iter().map(|flaw| Wrong {
        attempt: flaw.attempt,
        condition: flaw.condition.map(migratrix_matrix::Condition::word),
        why: flaw.why,
    });
    First {
        case: last.case.to_string(),
        wrong: wrong.collect(),
    }
}

fn told(group: Group<'_>) -> Told {
    let seen = group.cases.iter().filter_map(|one| seen(one));
    Told {
        standing: group.standing,
        condition: group.condition.map(migratrix_matrix::Condition::word),
        origins: origins(&group.cases).into_iter().map(whose).collect(),
        known: group.known.map(excuse),
        seen: seen.collect(),
        said: group.said(),
        why: group.why,
        shared: group.shared,
        sharing: group.sharing,
        cases: group.cases.iter().map(|one| one.case.to_string()).collect(),
    }
}

fn excuse(known: &Known) -> Excuse {
    Excuse {
        reason: known.reason.clone(),
        link: known.link.clone(),
        expires: known.expires.clone(),
        expired: known.expired,
    }
}

fn seen(judgement: &Judgement) -> Option<(String, Seen)> {
    let history = judgement.log.as_deref().map(|log| judgement.at_home(log));
    let evidence = judgement.evidence.iter().map(|one| Evidence {
        file: judgement.at_home(&one.file),
        shows: one.shows.clone(),
        said: one.said.clone(),
    });
    let evidence: Vec<_> = evidence.collect();
    let seen = Seen { history, evidence };
    let any = seen.history.is_some() || !seen.evidence.is_empty();
    any.then(|| (judgement.case.to_string(), seen))
}
