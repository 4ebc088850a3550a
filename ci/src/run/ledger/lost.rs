//! What the ledger or the verdicts of a run have lost, by what the other one and the histories tell.

use std::collections::BTreeSet;

use anyhow::Result;
use migratrix_matrix::{Case, Plan};

use super::{Ledger, named, text_of};
use crate::{
    run::rundir::RunDir,
    say::{Shown, count, typed_word},
};

impl Ledger {
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
