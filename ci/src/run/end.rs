//! How a run ends, and what ends it early by `--fail-fast`.

use migratrix_reports::{Exit, Judgement, Rules, Run};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// No case was left.
    Whole,
    /// A person stopped it.
    Stopped,
    /// So many cases were left when one failed, by `--fail-fast`.
    FailedFast {
        /// How many.
        left: usize,
    },
}

/// Whether a case of which these are the attempts fails the run that it is in.
#[must_use]
pub fn fails_run(earlier: &[Judgement], last: &Judgement, rules: Rules) -> bool {
    let attempts = earlier.iter().chain([last]).cloned();
    let alone = Run::new(vec![last.case.clone()], attempts).by(rules);
    alone.exit() == Exit::Failed
}
