//! What the ledger or the verdicts of a run have lost, by what the other one and the histories tell.

use std::collections::BTreeSet;

use anyhow::Result;
use migratrix_matrix::{Case, Plan};

use super::{Completeness, Concluded, Ledger, Trace, named, own, tell, text_of, told_cut};
use crate::{
    run::rundir::RunDir,
    say::{Shown, count, typed_word},
};

impl Concluded {
    /// What is wrong with the histories of its attempts, and of the raw case beside it.
    fn unreadable(&self, dir: &RunDir) -> Vec<String> {
        let attempts = (1..).zip(&self.attempts);
        let attempts = attempts.map(|(attempt, left)| (&self.case, attempt, left));
        let beside = self.beside.iter().map(|raw| (&raw.case, 1, &raw.left));
        let wrong = |(case, attempt, left): (&Case, u32, &Trace)| {
            let Trace::History(log) = left else {
                return None;
            };
            match own(log, case, attempt, dir) {
                Ok(reading) => match reading.completeness {
                    Completeness::Whole => None,
                    Completeness::Truncated { line } => Some(told_cut(log, line, dir)),
                },
                Err(error) => Some(format!("{error:#}")),
            }
        };
        attempts.chain(beside).filter_map(wrong).collect()
    }
}

impl Ledger {
    /// Tells what of a run's ledger and histories can't be read, is cut or is lost, in the words of `judge`, and
    /// gives what of it is damage. The verdicts that were made of it stand as they were. Of a run that is under
    /// way nothing can be told to be lost.
    ///
    /// # Errors
    /// As [`Ledger::read`].
    pub fn look_through(dir: &RunDir, plan: &Plan) -> Result<Vec<String>> {
        let ledger = Self::read(dir, plan)?;
        let Some(ledger) = ledger.filter(|_| !dir.is_under_way()) else {
            return Ok(Vec::new());
        };
        let histories = ledger.cases.iter().flat_map(|one| one.unreadable(dir));
        let damage: Vec<_> = ledger.troubles.iter().cloned().chain(histories).collect();
        let unconcluded = ledger.unconcluded(dir, plan);
        // It may have been gone on with meanwhile.
        if dir.is_under_way() {
            return Ok(Vec::new());
        }
        tell(&damage);
        tell(unconcluded.as_slice());
        Ok(damage)
    }

    /// The ledger as its file has it, where that is there.
    pub(super) fn kept(dir: &RunDir) -> Result<Option<Self>> {
        let file = dir.ledger_path();
        let text = text_of(&file)?;
        Ok(text.map(|text| Self::of_lines(&text, &file)))
    }

    /// Takes in the cases that have verdicts and no line: the file has lost theirs. Verdicts that can't
    /// be believed are told where they are read for themselves.
    pub(super) fn take_from_verdicts(&mut self, dir: &RunDir, plan: &Plan) -> Result<()> {
        let verdicts = dir.path().join("verdicts.jsonl");
        let Some(text) = text_of(&verdicts)? else {
            return Ok(());
        };
        let there: BTreeSet<_> = self.cases.iter().map(|one| one.case.clone()).collect();
        // Mostly nothing is lost, and nothing but the names has to be read to know it.
        if named(&text).iter().all(|case| there.contains(case)) {
            return Ok(());
        }
        let mut lost = Self::of_verdicts(&text, &verdicts, plan).cases;
        lost.retain(|one| !there.contains(&one.case));
        if !lost.is_empty() {
            let file = dir.ledger_path();
            let place = dir.path().to_string_lossy();
            self.troubles.push(format!(
                "{} is damaged: it lacks {} that verdicts.jsonl has, which says what was concluded of them; \
                 migratrix run --resume {} writes it anew",
                file.shown(),
                count(lost.len(), "case"),
                typed_word(&place)
            ));
        }
        self.cases.append(&mut lost);
        Ok(())
    }

    /// That cases left histories and are not concluded: those at work when the run was stopped, or those
    /// whose lines and verdicts are both lost.
    pub fn unconcluded(&self, dir: &RunDir, plan: &Plan) -> Option<String> {
        let there: BTreeSet<_> = self.cases.iter().map(|one| &one.case).collect();
        let left = plan.cases.iter().filter(|case| !there.contains(case));
        let left = left
            .filter(|case| dir.history_path(case, 1).exists())
            .count();
        let place = dir.path().to_string_lossy();
        (left > 0).then(|| {
            format!(
                "{} says nothing of {} with a history: migratrix run --resume {} runs what was not \
                 concluded; where the file has lost its lines, take it away and judge again, by the histories",
                dir.ledger_path().shown(),
                count(left, "case"),
                typed_word(&place)
            )
        })
    }

    /// Which attempts the ledger names and the verdicts lack, by how many of each case these have:
    /// that they have lost some.
    ///
    /// # Errors
    /// Fails where the ledger is there and can't be read.
    pub fn lacking(dir: &RunDir, verdicts: impl Fn(&Case) -> usize) -> Result<usize> {
        let ledger = Self::kept(dir)?;
        let cases = ledger.iter().flat_map(|ledger| &ledger.cases);
        let lacking = cases.map(|one| one.attempts.len().saturating_sub(verdicts(&one.case)));
        Ok(lacking.sum())
    }
}
