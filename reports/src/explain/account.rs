//! What accounts for the failures, as it is told: to a person and to a program.

use migratrix_matrix::{Case, HostSetup};
use serde::Serialize;

use super::{Reason, Told, Tried};

/// What accounts for the failures.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Account {
    /// The number of this form, 2: in 1, what is left over were names of cases alone.
    pub format: u32,
    /// Whether the hypervisor in memory ran the cases: that tells nothing of the releases.
    pub in_memory: bool,
    /// What was tried.
    pub cases: Tried,
    /// The causes, the one that explains most first.
    pub causes: Vec<Blame>,
    /// The cases that failed and that are in no cause.
    pub left_over: Vec<LeftOver>,
    /// The cases that came out otherwise in another run: what came of them last counts.
    pub changed: Vec<Case>,
    /// Whether all of these fail in the same runs, and pass in the same others: the runs differ in
    /// something that is no axis of a case. Else they are flaky.
    pub changed_with_the_run: bool,
    /// What is the same in all cases that were tried, so that no cause can name it: `client`, `source`
    /// and `destination` among them.
    pub never_varied: Vec<String>,
}

/// A case that failed and that nothing accounts for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeftOver {
    /// The case.
    pub case: Case,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// A combination of values that is to blame.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Blame {
    /// The filter that is true of its cases, where hosts are set up as `setups` says.
    pub filter: String,
    /// How hosts are set up on which its cases fail; empty where that makes no difference.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub setups: Vec<HostSetup>,
    /// The same without what it says of source and destination: what is to be avoided between releases
    /// of which it says that; nothing where all cases between them are of it.
    pub traits: String,
    /// Its factors in other words, which are true of the same cases: versions of libvirt for those of
    /// QEMU, and releases.
    pub in_other_words: Vec<String>,
    /// What most of its failures say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Its cases that failed.
    pub failed: Vec<Case>,
    /// How many of them are of no other cause: they alone speak for it.
    pub alone: usize,
    /// Its cases that passed all the same.
    pub passed: Vec<Case>,
    /// How likely it is beside what else it could be, of 1.
    pub share: f64,
    /// Whether little doubt is left.
    pub sure: bool,
    /// What speaks against it.
    pub doubts: Vec<String>,
    /// What was tried beside it: for each factor the cases that have all others of them, and not it.
    pub beside: Vec<Neighbours>,
    /// The values of its axes that it does not name and that were never tried with all its other factors: nothing
    /// tells whether they fail as well. Each is a filter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub untried: Vec<String>,
    /// What else it could be.
    pub rivals: Vec<Other>,
}

/// The cases that have all factors of a cause but one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Neighbours {
    /// The axis of which they have another value.
    pub axis: String,
    /// How many passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
}

/// What else a cause could be.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Other {
    /// Its filter; none where it is chance.
    pub filter: Option<String>,
    /// How hosts are set up on which its cases fail; empty where that makes no difference.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub setups: Vec<HostSetup>,
    /// What others of the causes are then, each as a filter; none where they stay what they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<String>,
    /// How likely it is, of 1.
    pub share: f64,
    /// A case that would tell, if there is one.
    pub told_by: Option<Case>,
    /// How the hosts of that case are to be set up, where that may make a difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told_on: Option<HostSetup>,
}

impl Account {
    /// The causes that can be told of: none where no case passed, for nothing tells then what it depends on.
    pub(crate) fn telling(&self) -> &[Blame] {
        if self.cases.failed < self.cases.tried {
            &self.causes
        } else {
            &[]
        }
    }
}

impl Blame {
    /// What it is, in a line.
    pub(crate) fn told(&self) -> Told<'_> {
        Told {
            filter: &self.filter,
            setups: &self.setups,
        }
    }

    /// What may fail as well, for all that is known: nothing where it is sure.
    pub(crate) fn not_known(&self) -> &[String] {
        if self.sure { &[] } else { &self.untried }
    }

    /// How many of its cases fail.
    pub(crate) fn how_many(&self) -> String {
        let (failed, passed) = (self.failed.len(), self.passed.len());
        let sure = if self.sure { "" } else { ", not sure" };
        let verb = if failed == 1 { "fails" } else { "fail" };
        let alone = self.alone();
        format!("{failed} of {} {verb}{alone}{sure}", failed + passed)
    }

    /// How many of its failures are its own, where not all are.
    pub(super) fn alone(&self) -> String {
        if self.alone == self.failed.len() {
            String::new()
        } else {
            format!(", {} by it alone", self.alone)
        }
    }
}
