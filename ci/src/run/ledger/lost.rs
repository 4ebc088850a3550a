//! What the ledger or the verdicts of a run have lost, by what the other one and the histories tell.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use migratrix_matrix::{Case, Plan};
use migratrix_reports::Damaged;

use super::{
    Completeness, Concluded, Kind, Ledger, Trace, Trouble, named, own, tell, text_of, told_cut,
    trouble,
};
use crate::{
    run::rundir::RunDir,
    say::{Shown, count, typed_word},
};

impl Concluded {
    /// What is wrong with the histories of its attempts, and of the raw case beside it.
    fn unreadable(&self, dir: &RunDir) -> Vec<Trouble> {
        let attempts = (1..).zip(&self.attempts);
        let attempts = attempts.map(|(attempt, left)| (&self.case, attempt, left));
        let beside = self.beside.iter().map(|raw| (&raw.case, 1, &raw.left));
        let wrong = |(case, attempt, left): (&Case, u32, &Trace)| {
            let Trace::History(log) = left else {
                return None;
            };
            let (kind, told) = match own(log, case, attempt, dir) {
                Ok(reading) => match reading.completeness {
                    Completeness::Whole => return None,
                    Completeness::Truncated { line } => (Kind::Cut, told_cut(log, line, dir)),
                },
                Err(error) => (Kind::of(&error), format!("{error:#}")),
            };
            let case = self.case.clone();
            Some(Trouble { case, kind, told })
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
    pub fn look_through(dir: &RunDir, plan: &Plan) -> Result<Vec<Damaged>> {
        let ledger = Self::read(dir, plan)?;
        let Some(ledger) = ledger.filter(|_| !dir.is_under_way()) else {
            return Ok(Vec::new());
        };
        let histories = ledger.cases.iter().flat_map(|one| one.unreadable(dir));
        let histories: Vec<_> = histories.collect();
        let lines = ledger.troubles.iter().cloned().map(Damaged::of_files);
        let damage: Vec<_> = lines.chain(trouble::told(&histories, dir)).collect();
        let unconcluded = ledger.unconcluded(dir, plan);
        // It may have been gone on with meanwhile.
        if dir.is_under_way() {
            return Ok(Vec::new());
        }
        damage.iter().for_each(|one| eprintln!("{}", one.told));
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
            let (file, cases) = (dir.ledger_path(), count(lost.len(), "case"));
            let lacks = format!(
                "{} is damaged: it lacks {cases} that verdicts.jsonl has, which says what was concluded of them",
                file.shown(),
            );
            // The lines that make no sense were theirs.
            let lines = self.troubles.pop().map(|lines| format!("{lines}; "));
            self.troubles.push(lines.unwrap_or_default() + &lacks);
        }
        self.cases.append(&mut lost);
        Ok(())
    }

    /// Adds how what is wrong with its file is mended.
    pub(super) fn tell_mend(&mut self, dir: &RunDir) {
        let place = dir.path().to_string_lossy();
        let mend = format!(
            "; migratrix run --resume {} writes it anew",
            typed_word(&place)
        );
        self.troubles.iter_mut().for_each(|one| one.push_str(&mend));
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

    /// How many attempts at each case the ledger names and the verdicts lack, by how many these have: that they have
    /// lost some.
    ///
    /// # Errors
    /// Fails where the ledger is there and can't be read.
    pub fn lacking(
        dir: &RunDir,
        verdicts: impl Fn(&Case) -> usize,
    ) -> Result<BTreeMap<Case, usize>> {
        let ledger = Self::kept(dir)?;
        let cases = ledger.into_iter().flat_map(|ledger| ledger.cases);
        let lacking = cases.map(|one| {
            let lacking = one.attempts.len().saturating_sub(verdicts(&one.case));
            (one.case, lacking)
        });
        Ok(lacking.filter(|(_, lacking)| *lacking > 0).collect())
    }
}
