//! Which jumps between releases are safe, by the runs that there are: of each pair what was tried and
//! what must be avoided, the shortest safe ladder where the direct jump is not safe, and where two
//! steps say another thing than the jump over both.
//!
//! ```text
//!   Runs ─▶ Grid ─▶ Jumps ─▶ text · JSON · page
//!     └▶ Study ──────┘ ▲
//!                      └─ Ladder: the releases of something that runs on top, by what it demands
//! ```
//!
//! Known failures are failures here: who asks whether guests survive is not helped by their being known.

mod breaks;
mod faults;
mod grid;
mod ladder;
mod shortest;
mod survey;
mod text;
mod upgrade;
mod written;

use std::fmt;

use migratrix_matrix::{HostSetup, ReleaseName, Version};
use serde::Serialize;

pub use breaks::{Break, Fails};
pub use grid::Tested;
pub use ladder::Ladder;
pub use text::told;
pub use upgrade::{Gap, Least, Place, Span, StandIn, Step, Upgrade};

use crate::{Exit, LeftOver, Reason, ReportError, Run, Study};
use grid::{Grid, Whole};
use survey::Survey;

/// What runs tell of the jumps between their releases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Jumps {
    /// The number of this form, 2: in 1, what is left over were names of cases alone.
    pub format: u32,
    /// The releases, the oldest first.
    pub releases: Vec<Stop>,
    /// Whether the hypervisor in memory ran the cases: that tells nothing of the releases.
    pub in_memory: bool,
    /// Whether libvirt took part, or QEMU ran alone.
    pub with_libvirt: bool,
    /// In how many cases nothing migrates: these tell nothing of any jump.
    #[serde(skip_serializing_if = "is_none")]
    pub staying: usize,
    /// The jumps.
    pub jumps: Vec<Jump>,
    /// Where two steps say another thing than the jump over both.
    pub breaks: Vec<Break>,
    /// The upgrade that was asked for, on a ladder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<Upgrade>,
    /// Of each run that is a cover its strengths, and how many cases the pair with the fewest has.
    pub covers: Vec<String>,
    /// Whether all cases that failed in one run and passed in another did so in the same runs: these
    /// differ in something that is no axis of a case. Else they are flaky.
    pub changed_with_the_run: bool,
    /// The shards that are not there: nothing is safe before they are.
    pub missing_shards: Vec<String>,
    /// What of the files is not believed.
    pub damaged: Vec<String>,
    /// The one jump that was asked for, where it was one.
    #[serde(skip)]
    asked: Option<[ReleaseName; 2]>,
}

/// A release, with what it turned out to have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stop {
    /// Its name.
    pub name: ReleaseName,
    /// Its libvirt, where that is known.
    pub libvirt: Option<Version>,
    /// Its QEMU, likewise.
    pub qemu: Option<Version>,
}

/// A jump of guests from one release to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Jump {
    /// From where.
    pub source: ReleaseName,
    /// To where.
    pub destination: ReleaseName,
    /// Which way that is.
    pub way: Way,
    /// Whether it is safe.
    pub safety: Safety,
    /// What came of its cases.
    pub cases: Tested,
    /// What must be avoided, so that nothing that was tried fails.
    pub avoid: Vec<Avoid>,
    /// The cases that failed and that nothing accounts for: they must be avoided one by one.
    pub left_over: Vec<LeftOver>,
    /// Where nothing that could be avoided makes it safe, what most of its failures say, whatever the pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Where it is not safe, the shortest ladder of safe steps, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ladder: Option<Vec<ReleaseName>>,
    /// Where there is none, the untested steps that would make the shortest one if they are safe, if any would.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub untested_steps: Vec<[ReleaseName; 2]>,
}

/// Which way a jump goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// To newer versions.
    Forward,
    /// To older ones.
    Back,
    /// Between releases of which nobody knows which is newer.
    Unknown,
    /// To the same versions.
    Level,
}

/// Whether a jump is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Safety {
    /// All cases came out as they should.
    Safe,
    /// Some failed, and it is known what must be avoided.
    Conditional,
    /// None failed, but some could not be seen, failed at first, or were not run.
    Unclear,
    /// Nothing of it was tried.
    Untested,
    /// All failed, or nothing is left where what fails is avoided.
    NotSafe,
}

/// What must be avoided on a jump.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Avoid {
    /// The filter that is true of it, where hosts are set up as `setups` says.
    pub filter: String,
    /// How hosts are set up on which it fails; empty where that makes no difference.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub setups: Vec<HostSetup>,
    /// What most of its failures say, whatever the pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// How many cases fail by it.
    pub failed: usize,
    /// Whether little doubt is left that it is to blame.
    pub sure: bool,
    /// Where it is not sure, the values beside it that were never tried there: nobody knows that these are safe.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub untried: Vec<String>,
}

impl Safety {
    /// The words of reports.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Conditional => "conditional",
            Self::Unclear => "unclear",
            Self::Untested => "untested",
            Self::NotSafe => "not safe",
        }
    }

    /// How it ends for who asks whether a jump is safe.
    pub(crate) const fn exit(self) -> Exit {
        match self {
            Self::Safe => Exit::AsExpected,
            Self::Conditional | Self::NotSafe => Exit::Failed,
            Self::Unclear | Self::Untested => Exit::Unknown,
        }
    }
}

impl Jumps {
    /// What some runs of one suite tell.
    ///
    /// # Errors
    /// Returns why they tell nothing together.
    pub fn of(runs: &[&Run]) -> Result<Self, ReportError> {
        let lacking = Run::lacking(runs);
        let whole = if lacking.is_empty() {
            Whole::Yes
        } else {
            Whole::No
        };
        let grid = Grid::of(runs, whole);
        grid.demand_one_suite()?;
        let account = Study::strict(runs)?.account();
        let survey = Survey::of(&grid, &account);
        let covers = runs.iter().filter_map(|run| run.cover());
        Ok(Self {
            format: 2,
            in_memory: account.in_memory,
            with_libvirt: grid.has_client(),
            staying: grid.staying(),
            jumps: survey.jumps(),
            breaks: breaks::breaks(&survey),
            upgrade: None,
            changed_with_the_run: account.changed_with_the_run,
            covers: covers
                .map(|(strengths, fewest)| format!("--cover {strengths}: {fewest}"))
                .collect(),
            missing_shards: lacking.iter().map(ToString::to_string).collect(),
            damaged: runs.iter().flat_map(|run| run.damaged().to_vec()).collect(),
            asked: None,
            releases: grid.stops,
        })
    }

    /// The same of the jumps from or to a release alone; of both, of that jump and the one back.
    ///
    /// # Errors
    /// Says where there is nothing to choose: there is one pair, no such release, or no jump.
    pub fn between(mut self, from: Option<&str>, to: Option<&str>) -> Result<Self, ReportError> {
        self.demand_several()?;
        let from = from.map(|name| self.stop(name)).transpose()?;
        let to = to.map(|name| self.stop(name)).transpose()?;
        if let (Some(from), true) = (&from, from == to) {
            return Err(ReportError::NoJump(from.to_string()));
        }
        let is_asked = |source: &ReleaseName, destination: &ReleaseName| match (&from, &to) {
            (None, None) => true,
            (Some(from), None) => source == from,
            (None, Some(to)) => destination == to,
            (Some(from), Some(to)) => {
                [(source, destination), (destination, source)].contains(&(from, to))
            }
        };
        self.jumps
            .retain(|one| is_asked(&one.source, &one.destination));
        self.breaks
            .retain(|one| is_asked(&one.source, &one.destination));
        self.asked = from.zip(to).map(<[ReleaseName; 2]>::from);
        Ok(self)
    }

    /// How it ends, for the exit code: [`Exit::AsExpected`] where all jumps are safe that were asked for. Of
    /// a jump that is named by both ends the one back is none of these. Of an upgrade it is the jumps that stand
    /// for the steps of its way, at least one for each.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self.exit_as_tried() {
            // No QEMU ran: as far as releases go nothing was tried. What is damaged may have told of a failure.
            Exit::AsExpected if self.in_memory || !self.damaged.is_empty() => Exit::Unknown,
            exit @ (Exit::AsExpected | Exit::Unknown | Exit::Failed) => exit,
        }
    }

    fn exit_as_tried(&self) -> Exit {
        if let Some(upgrade) = &self.upgrade {
            let steps = upgrade.steps.iter().filter(|step| step.on_way);
            return Exit::worst(steps.map(Step::exit));
        }
        let is_asked = |jump: &&Jump| match &self.asked {
            Some([source, destination]) => {
                (&jump.source, &jump.destination) == (source, destination)
            }
            None => jump.cases.planned() > 0,
        };
        let mut asked = self.jumps.iter().filter(is_asked).peekable();
        // Where nothing was to migrate, no jump was tried.
        match asked.peek() {
            None => Exit::Unknown,
            Some(_) => Exit::worst(asked.map(|jump| jump.safety.exit())),
        }
    }

    /// The same, with an upgrade on a ladder: from its first release, and to its last, where none is
    /// named.
    ///
    /// # Errors
    /// Says where the ladder has no such release, or no steps lead there.
    pub fn on(
        mut self,
        ladder: &Ladder,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Self, ReportError> {
        self.upgrade = Some(Upgrade::of(&self, ladder, from, to)?);
        Ok(self)
    }

    /// The jumps of which something was tried: what any sentence on them counts.
    pub(crate) fn tried(&self) -> impl Iterator<Item = &Jump> {
        let tried = self.jumps.iter();
        tried.filter(|one| one.safety != Safety::Untested)
    }

    fn demand_several(&self) -> Result<(), ReportError> {
        let mut planned = self.jumps.iter().filter(|one| one.cases.planned() > 0);
        match (planned.next(), planned.next()) {
            (Some(only), None) => Err(ReportError::OnePair(
                only.source.clone(),
                only.destination.clone(),
            )),
            (_, _) => Ok(()),
        }
    }

    fn stop(&self, name: &str) -> Result<ReleaseName, ReportError> {
        let names = self.releases.iter().map(|stop| &stop.name);
        let found = names.clone().find(|own| own.as_str() == name);
        found.cloned().ok_or_else(|| {
            let known: Vec<_> = names.map(ReleaseName::as_str).collect();
            ReportError::NotInRuns(name.to_owned(), known.join(", "))
        })
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands a reference over"
)]
const fn is_none(count: &usize) -> bool {
    *count == 0
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version =
            |version: Option<Version>| version.map_or("?".to_owned(), |one| one.to_string());
        let (libvirt, qemu) = (version(self.libvirt), version(self.qemu));
        write!(f, "{} (libvirt {libvirt}, QEMU {qemu})", self.name)
    }
}

#[cfg(test)]
mod tests;
