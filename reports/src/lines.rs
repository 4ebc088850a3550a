//! `verdicts.jsonl`: one judgement a line.

use std::io::{self, BufRead};

use migratrix_explain::BadTable;
use migratrix_matrix::{Case, Condition, ReleaseName, SelectError, Suite};
use thiserror::Error;

use crate::{Judgement, Kind, Spot, Verdict, checks};

/// What can be wrong with what this crate is given to read.
#[derive(Debug, Error)]
pub enum ReportError {
    /// A line of `verdicts.jsonl` is not a judgement.
    #[error("line {line} of the verdicts is damaged: {why}; judge the run again")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What the parser said.
        why: String,
    },
    /// The verdicts can't be read at all.
    #[error("the verdicts can't be read: {0}")]
    Read(io::Error),
    /// The list of known failures can't be read.
    #[error("the list of known failures can't be read: {0}")]
    KnownList(String),
    /// A filter expression in the list of known failures can't be read.
    #[error("{at}: known failure {place}: the filter `{cases}` can't be read: {why}")]
    KnownCases {
        /// Where it stands.
        at: Spot,
        /// Its place in the list, from 1.
        place: usize,
        /// The expression.
        cases: String,
        /// What the parser said.
        why: String,
    },
    /// An entry of the list of known failures says too little, or what can't be.
    #[error("{at}: known failure {place} (`{cases}`) {why}")]
    KnownEntry {
        /// Where what is wrong stands.
        at: Spot,
        /// Its place in the list, from 1.
        place: usize,
        /// Its filter.
        cases: String,
        /// What is wrong with it, and the mend.
        why: String,
    },
    /// Something is wrong in one of several lists of known failures.
    #[error("{file}: {why}")]
    KnownFile {
        /// The list's name.
        file: String,
        /// What.
        why: Box<ReportError>,
    },
    /// A filter in the list of known failures asks for a release that is not known.
    #[error("the known failures can't be matched: {0}")]
    KnownReleases(SelectError),
    /// A side of a comparison has no verdict.
    #[error(
        "nothing was judged in {side} ({runs}): go on with the run, or judge it by migratrix judge"
    )]
    NoVerdicts {
        /// Which side.
        side: &'static str,
        /// Its runs.
        runs: String,
    },
    /// A suite is on one side of a comparison only.
    #[error(
        "the suite `{suite}` is in {side} alone ({run}): compare runs of the same suites, and leave this \
         one out or give its like on the other side"
    )]
    OtherSuite {
        /// Which side.
        side: &'static str,
        /// The run.
        run: String,
        /// The suite.
        suite: String,
    },
    /// The sides of a comparison have no case in common.
    #[error(
        "OLD and NEW have no case in common: compare runs of the same releases, by their names, and of the \
         same profile"
    )]
    NothingInCommon,
    /// Cases of several suites are to be explained together.
    #[error(
        "cases of the suites `{0}` and `{1}` can't be explained together, for their cases have not the same axes: explain each run by itself"
    )]
    Suites(Suite, Suite),
    /// A release has several versions in runs that are to tell something together.
    #[error("the runs have `{0}` in different versions: give each run by itself")]
    Versions(ReleaseName),
    /// The rows are no table: the columns were made for them, so that is a defect.
    #[error("the failures can't be explained: {0}")]
    Columns(BadTable),
    /// An axis has too many values.
    #[error(
        "`{axis}` has {count} values in these runs, and at most {most} can be told apart: give runs of fewer releases, or \
         of a part of the cases"
    )]
    Values {
        /// The axis.
        axis: String,
        /// How many values it has.
        count: usize,
        /// How many it may have.
        most: usize,
    },
    /// What the hypervisor in memory ran, and what real ones did.
    #[error(
        "some of the cases ran on the hypervisor in memory, where no QEMU runs, and others on real ones: they \
         tell nothing together; give the runs of one back end"
    )]
    InMemory,
    /// Runs of several suites are asked for safe jumps.
    #[error(
        "runs of the suites `{0}` and `{1}` tell of no jump together, for they try other things: give the runs \
         of one suite"
    )]
    JumpOfSuites(Suite, Suite),
    /// What is broken on purpose is asked for a safe jump.
    #[error(
        "cases of the suite `faults` are broken on purpose, and tell of no jump: give runs of another suite"
    )]
    JumpOfFaults,
    /// Of one pair there is nothing to choose.
    #[error(
        "the runs have one pair of releases, {0} → {1}: there is no road to choose; run each release with \
         each other, as in migratrix run --source {0},OTHER --destination {0},OTHER, or give runs of more \
         pairs"
    )]
    OnePair(ReleaseName, ReleaseName),
    /// A release that is asked for is in no run.
    #[error("no guest of these runs goes from or to `{0}`: they have {1}")]
    NotInRuns(String, String),
    /// A jump from a release to itself.
    #[error("from `{0}` to `{0}` is no jump: name two releases")]
    NoJump(String),
    /// The text of a ladder can't be read.
    #[error("the ladder can't be read: {0}")]
    LadderText(String),
    /// A ladder says what can't be.
    #[error("{at}: {why}")]
    Ladder {
        /// Where.
        at: Spot,
        /// What is wrong, and the mend.
        why: String,
    },
    /// A release that is asked for is not on the ladder.
    #[error("the ladder {ladder} has no release `{name}`: it has {known}")]
    NotOnLadder {
        /// The release.
        name: String,
        /// The ladder.
        ladder: String,
        /// Those that it has.
        known: String,
    },
    /// A ladder has no steps from one release to another.
    #[error("the ladder {ladder} has no steps from `{from}` to `{to}`: {mend}")]
    NoSteps {
        /// The ladder.
        ladder: String,
        /// From where.
        from: String,
        /// To where.
        to: String,
        /// What would be right.
        mend: String,
    },
    /// A JUnit file can't be written.
    #[error("the JUnit report can't be written")]
    JUnit(#[source] io::Error),
}

/// What a file of verdicts holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    /// The judgements, in the file's order.
    pub judgements: Vec<Judgement>,
    /// The number of the last line, from 1, where it was cut short: its writer was stopped.
    pub cut_at: Option<usize>,
}

/// The judgement's line, without the line's end.
#[must_use]
pub fn to_line(judgement: &Judgement) -> String {
    serde_json::to_string(judgement).expect("a judgement has only text keys")
}

/// A line of the verdicts that can't be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
    /// The case that it is of, where that can be read.
    pub case: Option<Case>,
}

/// What a file of verdicts turned out to be, beside its judgements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The number of the last line, from 1, where it was cut short: its writer was stopped.
    pub cut_at: Option<usize>,
    /// The lines that can't be believed.
    pub damaged: Vec<Damage>,
}

/// Reads a file of verdicts. A last line without its end that can't be read is a cut, and is told;
/// a line that can't be read elsewhere is damage.
///
/// # Errors
/// Returns the number of the first damaged line.
pub fn parse(text: &str) -> Result<Verdicts, ReportError> {
    let mut judgements = Vec::new();
    let Reading { cut_at, damaged } = read(text.as_bytes(), |one| judgements.push(one))?;
    match damaged.into_iter().next() {
        Some(Damage { line, why, .. }) => Err(ReportError::Line { line, why }),
        None => Ok(Verdicts { judgements, cut_at }),
    }
}

/// Reads verdicts line by line, and hands over each: a file of them may be large. Of a line whose
/// conditions are not those of its case nothing is believed but what failed.
///
/// # Errors
/// Returns an error where the reader fails.
pub fn read(
    mut from: impl BufRead,
    mut take: impl FnMut(Judgement),
) -> Result<Reading, ReportError> {
    let mut whole = Vec::new();
    let mut reading = Reading::default();
    for line in 1.. {
        whole.clear();
        let read = from.read_until(b'\n', &mut whole);
        if read.map_err(ReportError::Read)? == 0 {
            break;
        }
        if whole.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<Judgement>(&whole) {
            Ok(mut judgement) => {
                let why = distrust(&mut judgement, line);
                let damage = why.map(|why| Damage {
                    line,
                    why,
                    case: Some(judgement.case.clone()),
                });
                reading.damaged.extend(damage);
                take(judgement);
            }
            // A cut may have gone through a character.
            Err(_) if !whole.ends_with(b"\n") => reading.cut_at = Some(line),
            Err(error) => {
                let why = format!("it is not a judgement: {error}");
                reading.damaged.push(Damage {
                    line,
                    why,
                    case: None,
                });
            }
        }
    }
    Ok(reading)
}

/// Takes back what a judgement says whose conditions are not those of its case, but for what failed;
/// says what is wrong with it.
fn distrust(judgement: &mut Judgement, line: usize) -> Option<String> {
    let own = judgement.case.point.conditions();
    add_early(judgement, &own);
    let told: Vec<_> = judgement.conditions.iter().map(|(one, _)| *one).collect();
    let lacking = own.iter().filter(|one| !told.contains(one));
    let foreign = told.iter().filter(|one| !own.contains(one));
    let is_twice = |own: &&Condition| told.iter().filter(|one| one == own).count() > 1;
    let twice = own.iter().filter(is_twice);
    let wrong = [
        words("lacks", &lacking.collect::<Vec<_>>()),
        words("has no business with", &foreign.collect::<Vec<_>>()),
        words("has twice", &twice.collect::<Vec<_>>()),
    ];
    let wrong: Vec<_> = wrong.into_iter().flatten().collect();
    if wrong.is_empty() {
        return None;
    }
    let wrong = wrong.join(", and it ");
    let why = format!("line {line} of the verdicts is damaged: it {wrong}");
    let kept = |one: Condition| {
        let failed = judgement
            .conditions
            .iter()
            .find(|(its, verdict)| *its == one && verdict.kind() == Kind::Fail);
        failed.map_or_else(
            || Verdict::unknown(why.clone()),
            |(_, verdict)| verdict.clone(),
        )
    };
    judgement.conditions = own.into_iter().map(|one| (one, kept(one))).collect();
    let case = &judgement.case;
    Some(format!(
        "its conditions are not those of its case {case}: it {wrong}"
    ))
}

/// What a version before did not judge is skipped, in its place.
fn add_early(judgement: &mut Judgement, own: &[Condition]) {
    for (place, condition) in own.iter().enumerate() {
        let is_there = judgement.conditions.iter().any(|(one, _)| one == condition);
        let early = checks::early(*condition, judgement.recorded);
        if let (false, Some(skipped)) = (is_there, early) {
            let place = place.min(judgement.conditions.len());
            judgement.conditions.insert(place, (*condition, skipped));
        }
    }
}

fn words(what: &str, conditions: &[&Condition]) -> Option<String> {
    let named: Vec<_> = conditions.iter().map(|one| one.word()).collect();
    (!named.is_empty()).then(|| format!("{what} {}", named.join(", ")))
}
