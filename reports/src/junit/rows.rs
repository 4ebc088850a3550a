//! The rows that both flavours write: which test cases there are, and what came of each. A row's
//! texts are made when it is written, and not before.

use std::collections::BTreeMap;

use migratrix_matrix::{Case, Condition, Shard, Tuple};

use super::{Granularity, Part};
use crate::{
    Death, Flaky, Judgement, Kind, KnownAre, Route, Rules, Run, Standing, Verdict, groups::reason,
    printable::printable,
};

/// One suite: the rows of a tuple, or of what is of no tuple.
pub(super) struct Suite<'r> {
    pub name: String,
    pub began_unix: u64,
    pub rows: Vec<Row<'r>>,
}

/// One test case: what it is of.
pub(super) enum Row<'r> {
    /// A case as a whole.
    Case(&'r Judgement),
    /// A condition of a case.
    Condition(&'r Judgement, Condition),
    /// A case that was never judged.
    Missing(&'r Case),
    /// A shard that is not there.
    Shard(Shard),
    /// A host that died.
    Death(Box<Death>),
    /// A part of the run's files that is not believed.
    Damage(&'r str),
}

/// What came of a row, without its texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    Passed,
    Failure,
    Error,
    Skipped,
}

/// Why a row did not pass.
pub(super) struct Trouble {
    /// The condition, or what else it is about.
    pub kind: String,
    /// The reason in one line.
    pub message: String,
    /// All that is known of it.
    pub text: String,
}

impl Trouble {
    /// The reason as an attribute holds it: in one line.
    pub fn line(&self) -> String {
        self.message.replace('\n', " ")
    }
}

/// What was tried again in a suite, and why: a test case that passes can't say so in every
/// granularity and flavour.
pub(super) fn tried_again(run: &Run, suite: &Suite<'_>) -> Option<String> {
    let flaky = suite.rows.iter().filter_map(|row| {
        let earlier = run.earlier(&row.judgement()?.case);
        let bad = earlier
            .iter()
            .find(|one| !one.own_standing().is_as_expected())?;
        let is_whole = matches!(row, Row::Case(_) | Row::Condition(_, Condition::Migrated));
        is_whole.then(|| told(bad))
    });
    let flaky = printable(&flaky.collect::<String>());
    (!flaky.is_empty()).then_some(flaky)
}

/// An attempt that was not as expected, in a line.
fn told(attempt: &Judgement) -> String {
    let (condition, why) = reason(attempt, attempt.own_standing());
    let (case, number) = (&attempt.case, attempt.attempt);
    let condition = condition.map_or("case", Condition::word);
    format!("tried again {case}: attempt {number}: {condition}: {why}\n")
}

/// The suite that a case is in: that of its tuple, where it migrates, and of its route.
type Key<'r> = (Option<&'r Tuple>, Route<'r>);

fn key(case: &Case) -> Key<'_> {
    let tuple = case.migrates().then_some(&case.tuple);
    (tuple, Route::of(case))
}

/// The releases of a suite, as they stand in a case's name: no client where nobody asks as one. Where nothing
/// migrates it is a release alone.
fn releases((_, route): Key<'_>) -> String {
    let last = match route.destination {
        Some(destination) => format!("{},{destination}", route.source),
        None => route.of_nobody().to_string(),
    };
    let client = route.client.map(|client| format!("{client},"));
    client.unwrap_or_default() + &last
}

/// A suite a tuple, in the order of the tuples; then what is of none.
pub(super) fn suites<'r>(run: &'r Run, part: Part<'_>, granularity: Granularity) -> Vec<Suite<'r>> {
    let mut suites: BTreeMap<Key<'_>, Vec<Row<'_>>> = BTreeMap::new();
    let judged = run.judgements().filter(|one| part.takes(&one.case));
    for judgement in judged {
        let rows = suites.entry(key(&judgement.case)).or_default();
        rows.extend(rows_of(judgement, granularity));
    }
    for case in run.missing().filter(|case| part.takes(case)) {
        suites
            .entry(key(case))
            .or_default()
            .push(Row::Missing(case));
    }
    let named = suites.into_iter();
    let mut suites: Vec<_> = named
        .map(|(key, rows)| suite(run, releases(key), rows))
        .collect();
    if part.has_rest() {
        let deaths = run
            .deaths()
            .into_iter()
            .map(|one| Row::Death(Box::new(one)));
        let shards = run.missing_shards().iter().map(|one| Row::Shard(*one));
        let damaged = run.damage_beside_cases().map(Row::Damage);
        let rest = [
            ("hosts", deaths.collect()),
            ("shards", shards.collect()),
            ("files", damaged.collect()),
        ];
        let rest = rest
            .into_iter()
            .filter(|(_, rows): &(_, Vec<_>)| !rows.is_empty());
        suites.extend(rest.map(|(name, rows)| suite(run, name.to_owned(), rows)));
    }
    suites
}

fn suite<'r>(run: &Run, name: String, rows: Vec<Row<'r>>) -> Suite<'r> {
    let began = |row: &Row<'_>| row.judgement().map(|one| one.began_unix);
    let began = rows.iter().filter_map(began).min();
    Suite {
        name,
        began_unix: began.unwrap_or(run.began_unix),
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
    // What an attempt showed to be wrong may be of no condition, or of one that has no row.
    let elsewhere =
        |flaw: &crate::Flaw| flaw.condition.is_none_or(|one| !conditions.contains(&one));
    let needs_whole = judgement.flaws.iter().any(elsewhere);
    if conditions.is_empty() || judgement.case.fault.is_some() {
        return vec![Row::Case(judgement)];
    }
    let whole = needs_whole.then_some(Row::Case(judgement));
    let rows = conditions.iter();
    let rows = rows.map(|condition| Row::Condition(judgement, *condition));
    rows.chain(whole).collect()
}

impl<'r> Row<'r> {
    /// The attempt that counts, where there is one.
    pub fn judgement(&self) -> Option<&'r Judgement> {
        match self {
            Self::Case(judgement) | Self::Condition(judgement, _) => Some(judgement),
            Self::Missing(_) | Self::Shard(_) | Self::Death(_) | Self::Damage(_) => None,
        }
    }

    pub fn classname(&self) -> String {
        match self {
            Self::Case(judgement) => class(&judgement.case),
            Self::Condition(judgement, _) => {
                format!("{}.{}", class(&judgement.case), judgement.case)
            }
            Self::Missing(case) => class(case),
            Self::Shard(_) => "migratrix.shards".to_owned(),
            Self::Death(_) => "migratrix.hosts".to_owned(),
            Self::Damage(_) => "migratrix.files".to_owned(),
        }
    }

    pub fn name(&self) -> String {
        match self {
            Self::Case(judgement) => judgement.case.to_string(),
            Self::Condition(_, condition) => condition.to_string(),
            Self::Missing(case) => case.to_string(),
            Self::Shard(shard) => shard.to_string(),
            Self::Death(death) => death.host(),
            Self::Damage(told) => printable(told),
        }
    }

    /// The time of a case is that of its migration, so that a suite's times add up.
    pub fn time_ms(&self) -> u64 {
        match self {
            Self::Case(judgement) | Self::Condition(judgement, Condition::Migrated) => {
                judgement.elapsed_ms
            }
            Self::Condition(..)
            | Self::Missing(_)
            | Self::Shard(_)
            | Self::Death(_)
            | Self::Damage(_) => 0,
        }
    }

    pub fn came(&self, rules: Rules) -> Came {
        match self {
            Self::Case(judgement) => came(judgement.standing(), rules),
            Self::Condition(judgement, one) => {
                let standing = judgement.standing_of(*one);
                let is_unseen = judgement.of(*one).map(Verdict::kind) == Some(Kind::Unknown);
                // Where known failures fail, what was not seen in one is still no failure.
                if standing == Standing::KnownFailure && is_unseen {
                    came(standing, rules).or_unseen()
                } else {
                    came(standing, rules)
                }
            }
            Self::Missing(_) | Self::Shard(_) | Self::Damage(_) => Came::Error,
            Self::Death(_) => match rules.flaky {
                Flaky::Failed => Came::Failure,
                Flaky::Allowed => Came::Skipped,
            },
        }
    }

    /// Why it did not pass.
    pub fn trouble(&self, run: &Run) -> Trouble {
        match self {
            Self::Case(judgement) => whole(run, judgement),
            Self::Condition(judgement, condition) => one(run, judgement, *condition),
            Self::Missing(case) => {
                let why = run.why_lost(case);
                let why = why.map_or("the run was stopped before it".to_owned(), |why| {
                    format!("it is lost: {}", printable(&why))
                });
                let message = format!("the case was planned and has no verdict: {why}");
                plain("planned", message, String::new())
            }
            Self::Shard(shard) => plain("shard", missing(run, *shard), String::new()),
            Self::Death(death) => {
                let cases = death
                    .cases
                    .iter()
                    .map(|case| format!("\n{}", run.again(case)));
                let cases = format!("\n{}{}", death.on_it(), cases.collect::<String>());
                plain("host", printable(&death.told()), cases)
            }
            Self::Damage(told) => plain("file", printable(told), String::new()),
        }
    }
}

/// What is said of a shard that is missing: which directory stands for which is not known where several are.
fn missing(run: &Run, shard: Shard) -> String {
    let unread = run.shards_unread();
    if unread.is_empty() {
        return format!("the shard {shard} is missing: give its directory as well");
    }
    let why = printable(&unread.join("; "));
    format!(
        "the shard {shard} is missing: {why}; give the directory that it was run in, or run it again by --shard {shard}"
    )
}

fn plain(kind: &str, message: String, more: String) -> Trouble {
    Trouble {
        kind: kind.to_owned(),
        text: format!("{message}{more}"),
        message,
    }
}

impl Came {
    /// It of what was not seen.
    const fn or_unseen(self) -> Self {
        match self {
            Self::Failure => Self::Error,
            Self::Passed | Self::Error | Self::Skipped => self,
        }
    }
}

fn came(standing: Standing, rules: Rules) -> Came {
    match (standing, rules.known) {
        (Standing::Passed, _) => Came::Passed,
        (Standing::KnownFailure, KnownAre::Excused) | (Standing::Skipped, _) => Came::Skipped,
        (Standing::KnownFailure, KnownAre::Failed)
        | (Standing::Failed | Standing::UnexpectedPass | Standing::FailedAtFirst, _) => {
            Came::Failure
        }
        (Standing::Unknown, _) => Came::Error,
    }
}

fn whole(run: &Run, judgement: &Judgement) -> Trouble {
    let standing = judgement.standing();
    let (condition, why) = reason(judgement, standing);
    let known = condition.and_then(|one| judgement.known(one));
    let message = match (standing, known) {
        (Standing::KnownFailure, Some(known)) => format!("known: {}", known.told()),
        _ => why,
    };
    let condition = condition.or(judgement.case.fault.map(|fault| fault.detected_by()));
    Trouble {
        kind: condition.map_or("case", Condition::word).to_owned(),
        message: printable(&message),
        text: text(run, judgement),
    }
}

fn one(run: &Run, judgement: &Judgement, condition: Condition) -> Trouble {
    let verdict = judgement.of(condition);
    let why = verdict.map_or("it was not judged", |verdict| verdict.why());
    let known = judgement.known(condition);
    let known = known.map_or(String::new(), |known| format!("known: {}", known.told()));
    let message = match (judgement.standing_of(condition), judgement.flaw(condition)) {
        (Standing::UnexpectedPass, _) => format!("unexpected pass; {known}"),
        (Standing::KnownFailure, _) => known,
        (Standing::FailedAtFirst, Some(flaw)) => {
            format!("attempt {}: {}", flaw.attempt, flaw.why)
        }
        (
            Standing::Passed
            | Standing::Skipped
            | Standing::Unknown
            | Standing::Failed
            | Standing::FailedAtFirst,
            _,
        ) => why.to_owned(),
    };
    let message = printable(&message);
    let seen = if message == why {
        String::new()
    } else {
        printable(why)
    };
    let lines = [
        message.clone(),
        seen,
        whose(run, judgement),
        files(judgement),
    ];
    let lines: Vec<_> = lines.iter().map(|one| one.trim_end()).collect();
    let lines: Vec<_> = lines.into_iter().filter(|one| !one.is_empty()).collect();
    Trouble {
        kind: condition.to_string(),
        text: lines.join("\n"),
        message,
    }
}

fn class(case: &Case) -> String {
    let releases = releases(key(case));
    format!("migratrix.{}.{releases}", case.suite().word())
}

/// Whose failure it is, where that was found out.
fn whose(run: &Run, judgement: &Judgement) -> String {
    let attribution = judgement.attribution.as_ref();
    attribution.map_or(String::new(), |one| {
        format!("{one}\n{}\n", run.again(&one.raw))
    })
}

/// Every trouble of a case, and how to see it again.
fn text(run: &Run, judgement: &Judgement) -> String {
    let told = |(condition, verdict): (Condition, &Verdict)| {
        let known = judgement.known(condition).or(judgement.expired(condition));
        let known = known.map_or(String::new(), |known| format!(" (known: {})", known.told()));
        let (kind, why) = (verdict.kind().word(), verdict.why());
        format!("{condition} ({kind}): {why}{known}\n")
    };
    let flaws = judgement.flaws.iter().map(|flaw| {
        let condition = flaw.condition.map_or("case", Condition::word);
        format!("attempt {}: {condition}: {}\n", flaw.attempt, flaw.why)
    });
    let mut text: String = flaws.chain(judgement.troubles().map(told)).collect();
    text.push_str(&whose(run, judgement));
    text.push_str(&run.again(&judgement.case));
    text.push('\n');
    text.push_str(&files(judgement));
    printable(&text)
}

/// The files that show what was seen.
fn files(judgement: &Judgement) -> String {
    let log = judgement.log.iter();
    let log = log.map(|log| format!("history: {}\n", judgement.at_home(log)));
    let said = judgement.said().map(|said| said + "\n");
    let log = said.into_iter().chain(log);
    let evidence = judgement.evidence.iter();
    let evidence = evidence.map(|one| format!("{}: {}\n", one.shows, judgement.at_home(&one.file)));
    printable(&log.chain(evidence).collect::<String>())
}
