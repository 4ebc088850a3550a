//! A case that is to be run.

use migratrix_matrix::{Case, HostSetup};
use migratrix_reports::Judgement;

/// A case that waits for its turn.
pub struct Job {
    /// Its place in the plan: the number in its domain's name.
    pub place: usize,
    /// The case.
    pub case: Case,
    /// Which attempt at it comes next, from 1.
    pub attempt: u32,
    /// How its hosts are set up.
    pub setup: HostSetup,
    /// Whether nothing else may run on its hosts.
    pub alone: bool,
    /// What came of the attempts before.
    pub earlier: Vec<Judgement>,
}
