//! One attempt while it runs: its script, and the record that is kept of it.

use anyhow::{Context, Result};
use migratrix_contract::{Deadlines, Driver, Recorder, Script, now_unix, now_unix_and_ms, run};
use migratrix_history::{Header, History, Observation, Outcome, Verb};
use migratrix_matrix::{Case, Releases};
use migratrix_reports::{Judgement, judge};
use tracing::debug;

use crate::run::{
    evidence::Material,
    job::Job,
    rundir::{HistoryFile, RunDir},
};

/// What came of one attempt.
pub struct AttemptResult {
    /// Its judgement, before known failures are marked.
    pub judgement: Judgement,
    /// Whether others that were on its hosts may have disturbed it.
    pub disturbed: bool,
    /// What could be kept of it.
    pub material: Material,
}

/// A script that is run, and the pen that records it.
pub(super) struct Attempt {
    pub script: Script,
    pub record: Recorder,
    file: HistoryFile,
}

impl AttemptResult {
    /// The same, held to what the releases are.
    pub(super) fn held_to(self, releases: &Releases) -> Self {
        let judgement = self.judgement.held_to(releases);
        Self { judgement, ..self }
    }

    pub(super) fn skipped(case: &Case, ability: &str) -> Self {
        Self {
            judgement: Judgement::skipped(case.clone(), ability, now_unix()),
            disturbed: false,
            material: Material::new(),
        }
    }
}

impl Attempt {
    pub fn open(script: Script, job: &Job, dir: &RunDir) -> Result<Self> {
        let (began_unix, began_ms) = now_unix_and_ms();
        let header = Header {
            began_ms,
            ..script.header(job.attempt, began_unix)
        };
        let (file, pen) = dir.history(&job.case, job.attempt)?;
        let record = Recorder::new(header, Some(Box::new(pen)));
        Ok(Self {
            script,
            record,
            file,
        })
    }

    pub async fn execute<D: Driver>(&mut self, driver: &mut D, deadlines: &Deadlines) {
        run(&self.script, driver, &mut self.record, deadlines).await;
    }

    /// Whether a step ended in a way that may be a host's fault.
    pub fn is_in_doubt(&self) -> bool {
        self.record
            .so_far()
            .entries
            .iter()
            .any(|entry| is_in_doubt(&entry.saw))
    }

    /// Whether a step did not come to its end, or could not be seen.
    pub fn is_blind(&self) -> bool {
        let is_unknown = |saw: &Observation| {
            let Observation::Ended { outcome, .. } = saw else {
                return false;
            };
            matches!(outcome, Outcome::Unknown { .. })
        };
        let entries = &self.record.so_far().entries;
        entries.iter().any(|entry| is_unknown(&entry.saw))
    }

    pub fn close(
        self,
        dir: &RunDir,
        job: &Job,
        disturbed: bool,
        material: Material,
    ) -> Result<AttemptResult> {
        let finished = self.record.finish();
        let history: History = finished.with_context(|| self.file.trouble())?;
        tell(&history);
        let path = self.file.done()?;
        let log = path
            .strip_prefix(dir.path())
            .unwrap_or(&path)
            .to_string_lossy()
            .into_owned();
        let judgement = judge(&history).with_log(log);
        debug_assert_eq!(judgement.case, job.case);
        Ok(AttemptResult {
            judgement,
            disturbed,
            material,
        })
    }
}

/// Tells which steps were refused, or did not come to their end.
fn tell(history: &History) {
    let case = &history.header.case;
    for entry in &history.entries {
        let Observation::Ended { step, outcome, .. } = &entry.saw else {
            continue;
        };
        match outcome {
            Outcome::Done => {}
            Outcome::Refused(refusal) => debug!("{case}: {step}: refused: {}", refusal.message),
            Outcome::Unknown { why } => debug!("{case}: {step}: unknown: {why}"),
        }
    }
}

/// Whether it tells of a step that ended in a way that may be a host's fault.
fn is_in_doubt(saw: &Observation) -> bool {
    let Observation::Ended { verb, outcome, .. } = saw else {
        return false;
    };
    match outcome {
        Outcome::Done => false,
        Outcome::Refused(_) => *verb == Verb::Migrate || *verb == Verb::Clear,
        Outcome::Unknown { .. } => true,
    }
}
