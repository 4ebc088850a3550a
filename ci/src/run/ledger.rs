//! What was concluded in a run: what its histories don't tell by themselves.
//!
//! ```text
//! {"case":"tck/…","attempts":[{"history":"history/….jsonl"}]}
//! {"case":"qemu/…","attempts":[{"skipped":{"ability":"…","began_unix":…}}]}
//! ```
//!
//! A line a case, written when it is known that no further attempt follows; the verdicts are made
//! from it and from the histories that it names, now and whenever the run is judged again. A case
//! that has no line was not concluded, whatever histories it left: it runs again.

mod lost;
pub mod trouble;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
    time::UNIX_EPOCH,
};

use anyhow::{Context, Result, bail};
use migratrix_history::{Completeness, History, Reading};
use migratrix_matrix::{Case, Plan, Releases};
use migratrix_reports::{self as reports, Attribution, Judgement, KnownFailures, Verdict, to_line};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use self::trouble::{Foreign, Kind, Trouble, told_lines};
use crate::{
    WrongUse, files,
    run::{evidence, rundir::RunDir, sessions::Sessions},
    say::{Shown, typed_word},
};

/// A case that was concluded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concluded {
    /// The case.
    pub case: Case,
    /// What its attempts left, in their order; the last one counts. Without any it is not concluded.
    #[serde(deserialize_with = "some")]
    pub attempts: Vec<Trace>,
    /// The raw case beside it that tells whose failure it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<Beside>,
}

/// A raw case beside one of libvirt that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    /// The raw case.
    pub case: Case,
    /// What it left.
    pub left: Trace,
}

/// What an attempt left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trace {
    /// A history: its file, as seen from the run's directory.
    History(#[serde(deserialize_with = "reports::file_of_the_run")] String),
    /// Nothing: it was not run.
    Skipped {
        /// The ability that is missing.
        ability: String,
        /// When that was found: seconds since 1970 UTC.
        began_unix: u64,
    },
}

/// The attempts of a case that was concluded: one at least.
fn some<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Trace>, D::Error> {
    let attempts = Vec::deserialize(from)?;
    if attempts.is_empty() {
        return Err(D::Error::custom("it names no attempt"));
    }
    Ok(attempts)
}

/// The verdicts on a case that was judged again.
pub struct Again {
    /// Of each attempt.
    pub judgements: Vec<Judgement>,
    /// The histories that could not be read, or not to their end: what they would have told is unknown.
    pub troubles: Vec<Trouble>,
}

impl Concluded {
    /// What is written down of a case, by the judgements of all its attempts and of the raw case
    /// beside it.
    #[must_use]
    pub fn of(earlier: &[Judgement], last: &Judgement, beside: Option<&Judgement>) -> Self {
        Self {
            case: last.case.clone(),
            attempts: earlier.iter().chain([last]).map(Trace::of).collect(),
            beside: beside.map(|raw| Beside {
                case: raw.case.clone(),
                left: Trace::of(raw),
            }),
        }
    }

    /// Its line in the file, the line's end included.
    #[must_use]
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).expect("it has only text keys") + "\n"
    }

    /// Judges it again, by the histories that are there. One that can't be read leaves its attempt
    /// unknown.
    #[must_use]
    pub fn judged_again(&self, dir: &RunDir) -> Again {
        let mut troubles = Vec::new();
        let mut judgements: Vec<_> = (1..)
            .zip(&self.attempts)
            .map(|(attempt, left)| {
                let judged = left.judged(&self.case, attempt, dir);
                troubles.extend(self.trouble(&judged, dir));
                judged
                    .unwrap_or_else(|error| unread(&self.case, attempt, &format!("{error:#}"), dir))
            })
            .collect();
        if let (Some(beside), Some(last)) = (&self.beside, judgements.last_mut()) {
            let judged = beside.left.judged(&beside.case, 1, dir);
            troubles.extend(self.trouble(&judged, dir));
            if let Ok(raw) = judged {
                *last = last.clone().attributed(&raw);
            }
        }
        Again {
            judgements,
            troubles,
        }
    }

    /// What is wrong with the history of one of its attempts, or of the raw case beside it.
    fn trouble(&self, judged: &Result<Judgement>, dir: &RunDir) -> Option<Trouble> {
        let (kind, told) = match judged {
            Err(error) => (Kind::of(error), format!("{error:#}")),
            Ok(one) => (Kind::Cut, cut(one, dir)?),
        };
        let case = self.case.clone();
        Some(Trouble { case, kind, told })
    }
}

impl Trace {
    fn of(judgement: &Judgement) -> Self {
        match &judgement.log {
            Some(log) => Self::History(log.clone()),
            None => Self::Skipped {
                ability: judgement.overall().why().to_owned(),
                began_unix: judgement.began_unix,
            },
        }
    }

    /// Judges what an attempt at `case` left. Where a history was cut, what is missing is unknown.
    ///
    /// # Errors
    /// Names the history that can't be read, or is not that of the attempt.
    pub fn judged(&self, case: &Case, attempt: u32, dir: &RunDir) -> Result<Judgement> {
        match self {
            Self::History(log) => Ok(Attempt::read(log, case, attempt, dir)?.judgement),
            Self::Skipped {
                ability,
                began_unix,
            } => Ok(Judgement::skipped(case.clone(), ability, *began_unix)),
        }
    }
}

/// An attempt at a case, as its history has it.
pub struct Attempt {
    /// Its history.
    pub history: History,
    /// What came of it.
    pub judgement: Judgement,
}

impl Attempt {
    /// Reads and judges what an attempt at `case` left in `log`. Where it was cut, what is missing is unknown.
    ///
    /// # Errors
    /// Names the history where it can't be read, or is not that of the attempt.
    pub fn read(log: &str, case: &Case, attempt: u32, dir: &RunDir) -> Result<Self> {
        let Reading {
            history,
            completeness,
            strange,
        } = own(log, case, attempt, dir)?;
        let judgement = reports::judge(&history).with_log(log);
        let judgement = judgement.with_strange(&strange);
        let judgement = match completeness {
            Completeness::Whole => judgement,
            Completeness::Truncated { line } => judgement.cut_at(line),
        };
        let kept = evidence::kept(dir, case, judgement.attempt);
        let judgement = judgement.with_evidence(kept);
        Ok(Self { history, judgement })
    }
}

/// What an attempt at `case` left in `log`, unjudged.
fn own(log: &str, case: &Case, attempt: u32, dir: &RunDir) -> Result<Reading> {
    let reading = read(&dir.path().join(log))?;
    let header = &reading.history.header;
    if header.case != *case {
        let of = &header.case;
        bail!(Foreign(format!(
            "the history {log} is one of {of}, and not of {case}"
        )));
    }
    if header.attempt != attempt {
        let of = header.attempt;
        bail!(Foreign(format!(
            "the history {log} is of attempt {of} at its case, and not of attempt {attempt}"
        )));
    }
    Ok(reading)
}

fn read(file: &Path) -> Result<Reading> {
    let read = || -> Result<_> { Ok(History::read_all(files::bytes(file)?)?) };
    read().with_context(|| format!("the history {} can't be read", file.shown()))
}

/// The cases that a run's files may name: those of its plan, and the raw cases beside them, which earlier
/// versions gave verdicts of their own.
pub struct Planned(BTreeSet<Case>);

impl Planned {
    /// Those of a plan.
    pub fn of(plan: &Plan) -> Self {
        let beside = plan.cases.iter().filter_map(Case::control_case);
        Self(plan.cases.iter().cloned().chain(beside).collect())
    }

    /// Whether it is one of them.
    pub fn has(&self, case: &Case) -> bool {
        self.0.contains(case)
    }

    /// Sees to it that `file` names no other.
    ///
    /// # Errors
    /// Names the first other one, and how the file is mended: where it can be made from another one,
    /// by `judge`.
    pub fn demand<'c>(&self, mut cases: impl Iterator<Item = &'c Case>, file: &Path) -> Result<()> {
        let Some(case) = cases.find(|case| !self.has(case)) else {
            return Ok(());
        };
        let dir = file.parent().unwrap_or(file);
        let source = dir.join("concluded.jsonl");
        let mend = if file != source && source.exists() {
            let dir = typed_word(&dir.to_string_lossy());
            format!("make it anew by migratrix judge {dir}")
        } else {
            "take its lines out, or restore the plan that had it".to_owned()
        };
        let file = file.shown();
        bail!(WrongUse(format!(
            "{file} is damaged: it has the case {case}, which is not in plan.json; {mend}"
        )))
    }
}

/// The judgement of an attempt that was made and is whole, by its history; none where there is none.
pub fn left_behind(case: &Case, attempt: u32, dir: &RunDir) -> Option<Judgement> {
    let log = dir.history_path(case, attempt);
    if !log.exists() {
        return None;
    }
    let judgement = Trace::History(dir.name_within(&log))
        .judged(case, attempt, dir)
        .ok();
    judgement.filter(|one| one.cut.is_none())
}

/// What is said of a judgement whose history is not whole.
fn cut(judgement: &Judgement, dir: &RunDir) -> Option<String> {
    Some(told_cut(judgement.log.as_ref()?, judgement.cut?, dir))
}

fn told_cut(log: &str, line: usize, dir: &RunDir) -> String {
    let log = dir.path().join(log);
    format!(
        "{} was cut at line {line}: what is missing is unknown",
        log.shown()
    )
}

/// The judgement of an attempt whose history can't be read: it says nothing about anything.
fn unread(case: &Case, attempt: u32, why: &str, dir: &RunDir) -> Judgement {
    let log = dir.history_path(case, attempt);
    // The times of files are those of a copy.
    let begun = Sessions::read(dir).ok().and_then(|all| all.begun_unix());
    let began = begun.or_else(|| modified_unix(&dir.path().join("plan.json")));
    let mut judgement = Judgement::skipped(case.clone(), "", began.unwrap_or(0));
    judgement.attempt = attempt;
    for (_, verdict) in &mut judgement.conditions {
        *verdict = Verdict::unknown(why);
    }
    judgement
        .with_log(dir.name_within(&log))
        .with_evidence(evidence::kept(dir, case, attempt))
}

fn modified_unix(file: &Path) -> Option<u64> {
    let modified = fs::metadata(file).and_then(|data| data.modified()).ok()?;
    let since = modified.duration_since(UNIX_EPOCH).ok()?;
    Some(since.as_secs())
}

/// All cases of a run that were concluded, in the order in which they were.
pub struct Ledger {
    /// The cases.
    pub cases: Vec<Concluded>,
    /// The lines that make no sense: what they told is lost.
    pub troubles: Vec<String>,
}

impl Ledger {
    /// Reads the ledger of a run. What it has lost is told by the verdicts, which are written after it.
    /// Runs of earlier versions have none: what was concluded is told by their verdicts, or where these
    /// are gone by their histories. `None` where nothing of it is there.
    ///
    /// # Errors
    /// Fails where a file is there and can't be read, or names a case that is not planned.
    pub fn read(dir: &RunDir, plan: &Plan) -> Result<Option<Self>> {
        if let Some(mut ledger) = Self::kept(dir)? {
            let cases = ledger.cases.iter().map(|one| &one.case);
            Planned::of(plan).demand(cases, &dir.ledger_path())?;
            ledger.take_from_verdicts(dir, plan)?;
            ledger.tell_mend(dir);
            return Ok(Some(ledger));
        }
        let verdicts = dir.path().join("verdicts.jsonl");
        if let Some(text) = text_of(&verdicts)? {
            Planned::of(plan).demand(named(&text).iter(), &verdicts)?;
            return Ok(Some(Self::of_verdicts(&text, &verdicts, plan)));
        }
        let cases: Vec<_> = plan
            .cases
            .iter()
            .filter_map(|case| of_histories(case, dir))
            .collect();
        Ok((!cases.is_empty()).then_some(Self {
            cases,
            troubles: Vec::new(),
        }))
    }

    /// Writes the verdicts anew, by the histories that are there; says what could not be read.
    ///
    /// # Errors
    /// Fails where they can't be written; the old ones stay.
    pub fn write_verdicts(
        &self,
        dir: &RunDir,
        plan: &Plan,
        known: &KnownFailures,
    ) -> Result<Vec<String>> {
        let releases = Releases::new(plan.releases.clone())?;
        let mut troubles = Vec::new();
        let lines = self.cases.iter().map(|concluded| {
            let again = concluded.judged_again(dir);
            troubles.extend(again.troubles);
            let mut lines = String::new();
            for judgement in again.judgements {
                let mut judgement = judgement.held_to(&releases);
                known.mark(&mut judgement, &releases)?;
                lines += &(to_line(&judgement) + "\n");
            }
            Ok(lines)
        });
        dir.write_lines("verdicts.jsonl", lines)?;
        let histories = trouble::told(&troubles, dir).into_iter();
        let histories = histories.map(|one| one.told);
        Ok(self.troubles.iter().cloned().chain(histories).collect())
    }

    /// Takes out the cases whose histories are gone, cut or damaged, since they were concluded by what
    /// nobody can see any more; gives what is wrong with each.
    fn take_lost(&mut self, dir: &RunDir) -> Vec<String> {
        let mut lost = Vec::new();
        self.cases.retain(|one| {
            let why = one.judged_again(dir).troubles;
            let whole = why.is_empty();
            lost.extend(why.into_iter().next().map(|one| one.told));
            whole
        });
        lost
    }

    /// Makes the files of a run that goes on agree: a crash may have come between two of them, a
    /// history may be lost, so that its case runs again, or the run goes on otherwise than it was
    /// begun. Says what it had to mend.
    ///
    /// # Errors
    /// Fails where one can't be written.
    pub fn settle(
        mut self,
        dir: &RunDir,
        plan: &Plan,
        known: &KnownFailures,
        manner: Manner,
    ) -> Result<()> {
        let lost = self.take_lost(dir);
        tell(&self.troubles);
        tell(&told_lost(&lost));
        let is_damaged = !self.troubles.is_empty() || !lost.is_empty();
        if is_damaged || !dir.ledger_path().exists() {
            let lines = self.cases.iter().map(|one| Ok(one.to_line()));
            dir.write_lines("concluded.jsonl", lines)?;
        }
        if manner == Manner::Otherwise || !self.agrees(dir)? {
            self.write_verdicts(dir, plan, known)?;
        }
        Ok(())
    }

    /// Whether the verdicts are of these attempts, in this order, and can be believed.
    fn agrees(&self, dir: &RunDir) -> Result<bool> {
        let file = dir.path().join("verdicts.jsonl");
        let text = text_of(&file)?.unwrap_or_default();
        let mut named = Vec::new();
        let read = reports::read(text.as_bytes(), |one| named.push(one.case));
        let read = read.with_context(|| format!("can't read {}", file.shown()))?;
        let attempts = self.cases.iter();
        let attempts = attempts.flat_map(|one| one.attempts.iter().map(|_| &one.case));
        Ok(read == reports::Reading::default() && named.iter().eq(attempts))
    }

    fn of_lines(text: &str, file: &Path) -> Self {
        let (cases, troubles) = readable(text, file);
        Self { cases, troubles }
    }

    /// What the verdicts tell of the cases of a plan.
    fn of_verdicts(text: &str, file: &Path, plan: &Plan) -> Self {
        let (judgements, troubles) = readable::<Judgement>(text, file);
        let planned: BTreeSet<_> = plan.cases.iter().collect();
        let mut places = BTreeMap::new();
        let mut cases: Vec<Concluded> = Vec::new();
        for judgement in judgements.iter().filter(|one| planned.contains(&one.case)) {
            let place = *places.entry(&judgement.case).or_insert(cases.len());
            let mut concluded = Concluded::of(&[], judgement, None);
            concluded.beside = beside_of(judgement);
            match cases.get_mut(place) {
                Some(of_case) => {
                    of_case.attempts.append(&mut concluded.attempts);
                    of_case.beside = concluded.beside;
                }
                None => cases.push(concluded),
            }
        }
        Self { cases, troubles }
    }
}

/// The raw case beside one that was attributed.
fn beside_of(judgement: &Judgement) -> Option<Beside> {
    let Attribution { why, raw, log, .. } = judgement.attribution.as_ref()?;
    let skipped = || Trace::Skipped {
        ability: why
            .trim_start_matches("QEMU alone was not tried: ")
            .to_owned(),
        began_unix: judgement.began_unix,
    };
    Some(Beside {
        case: raw.clone(),
        left: log.clone().map_or_else(skipped, Trace::History),
    })
}

/// What the histories of a case tell, if there are any.
fn of_histories(case: &Case, dir: &RunDir) -> Option<Concluded> {
    let attempts: Vec<_> = (1..)
        .map(|attempt| dir.history_path(case, attempt))
        .take_while(|file| file.exists())
        .map(|file| Trace::History(dir.name_within(&file)))
        .collect();
    (!attempts.is_empty()).then(|| Concluded {
        case: case.clone(),
        attempts,
        beside: None,
    })
}

/// How many cases are named whose histories are lost.
const EXAMPLES: usize = 3;

/// That cases run again, and why, of the first ones.
fn told_lost(lost: &[String]) -> Vec<String> {
    let head = match lost.len() {
        0 => return Vec::new(),
        1 => "1 case runs again, since its history is lost:".to_owned(),
        count => format!("{count} cases run again, since their histories are lost:"),
    };
    let named = lost.iter().take(EXAMPLES).map(|why| format!("  {why}"));
    let more = lost.len().checked_sub(EXAMPLES).filter(|more| *more > 0);
    let more = more.map(|more| format!("  and {more} more"));
    [head].into_iter().chain(named).chain(more).collect()
}

/// How a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// With the options that it was begun with.
    AsBefore,
    /// With others.
    Otherwise,
}

/// Tells what could not be read.
pub fn tell(troubles: &[String]) {
    for trouble in troubles {
        eprintln!("{trouble}");
    }
}

/// The lines that can be read; of the others, but for a cut last one, what is said of them.
fn readable<T: for<'de> Deserialize<'de>>(text: &str, file: &Path) -> (Vec<T>, Vec<String>) {
    let (mut all, mut bad) = (Vec::new(), Vec::new());
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        match serde_json::from_str(line) {
            _ if !line.ends_with('\n') || line.trim().is_empty() => {}
            Ok(one) => all.push(one),
            Err(error) => bad.push((number, error.to_string())),
        }
    }
    let told = [
        "makes no sense, and what it told is lost",
        "make no sense, and what they told is lost",
    ];
    (all, Vec::from_iter(told_lines(&bad, file, told)))
}

/// The cases that verdicts name.
fn named(text: &str) -> Vec<Case> {
    #[derive(Deserialize)]
    struct CaseOnly {
        case: Case,
    }
    let lines = text.lines().map(serde_json::from_str::<CaseOnly>);
    lines.filter_map(|line| Some(line.ok()?.case)).collect()
}

/// The text of a file, if it is there. A cut may have gone through a character.
fn text_of(file: &Path) -> Result<Option<String>> {
    match files::bytes(file) {
        Ok(text) => Ok(Some(String::from_utf8_lossy(&text).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("can't read {}", file.shown())),
    }
}

#[cfg(test)]
mod tests;
