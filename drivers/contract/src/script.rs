//! The script of a case: its subject, and the steps in their phases.

use migratrix_guest::Parameters;
use migratrix_matrix::Case;

use crate::Step;

/// The domain that a case moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its name: unique in the run, and the mark by which its residue is found.
    pub domain: String,
    /// Its UUID, as text.
    pub uuid: String,
    /// Another UUID, for a configuration that is in the way.
    pub foreign_uuid: String,
    /// The versioned machine type.
    pub machine: String,
    /// The domain's memory, in MiB.
    pub memory_mib: u32,
    /// The guest's parameters.
    pub guest: Parameters,
    /// The guest's boot image, by the path that both hosts know it by.
    pub boot_image: String,
    /// Whether the domain's QEMU gets a qtest socket, see [`Subject::qtest_socket`].
    pub qtest: bool,
}

/// The parts of a script, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Bring about the state that the scenario names.
    Prepare,
    /// Look at it.
    Before,
    /// Migrate.
    Migration,
    /// Look at what came of it.
    After,
    /// Clear everything away, always, and look for what is left.
    Clear,
}

/// What to do for a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The case.
    pub case: Case,
    /// The domain that it moves.
    pub subject: Subject,
    /// The bound on the downtime, in milliseconds.
    pub downtime_bound_ms: u64,
    /// The steps, phase after phase.
    pub steps: Vec<(Phase, Step)>,
}

impl Subject {
    /// Where the domain's QEMU listens for qtest, by the path that its host knows it by.
    #[must_use]
    pub fn qtest_socket(&self) -> String {
        format!("/run/{}.qtest", self.domain)
    }
}
