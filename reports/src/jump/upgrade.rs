//! An upgrade along a ladder: its steps, which of the jumps that were tried stand for each, and what of
//! it was not tried.

use std::collections::{BTreeMap, BTreeSet};

use migratrix_matrix::{ReleaseName, Version};
use serde::Serialize;

use super::{
    Avoid, Jump, Jumps, Safety, Stop, Tested,
    ladder::{Ladder, Rung},
};
use crate::{Exit, LeftOver, ReportError};

/// An upgrade from one release of a ladder to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Upgrade {
    /// What the ladder is called.
    pub ladder: String,
    /// The shortest way that its rules allow, both ends included.
    pub way: Vec<Place>,
    /// The steps of this way, then those of other ways that lead there as well.
    pub steps: Vec<Step>,
}

/// A release on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Place {
    /// Its name.
    pub name: ReleaseName,
    /// What is said beside its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What it takes at least.
    pub least: Least,
    /// The releases of the runs that it takes.
    pub takes: Vec<ReleaseName>,
}

/// The oldest versions that a release on a ladder takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Least {
    /// Of libvirt, where it minds.
    pub libvirt: Option<Version>,
    /// Of QEMU, where it minds.
    pub qemu: Option<Version>,
}

/// A step of an upgrade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Step {
    /// From which release of the ladder.
    pub from: ReleaseName,
    /// To which.
    pub to: ReleaseName,
    /// Whether it is one of the shortest way.
    pub on_way: bool,
    /// What stands for it: the jumps that were tried, not to an older version, whose ends it takes.
    pub standing: Vec<StandIn>,
    /// Of these jumps those that were not tried.
    pub untested: Vec<[ReleaseName; 2]>,
    /// The versions that it takes and that are older than all that were tried.
    pub gaps: Vec<Gap>,
}

/// A jump that stands for a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StandIn {
    /// From which release.
    pub source: ReleaseName,
    /// To which.
    pub destination: ReleaseName,
    /// Whether it is safe.
    pub safety: Safety,
    /// What came of its cases.
    pub cases: Tested,
    /// What must be avoided.
    pub avoid: Vec<Avoid>,
    /// The cases that failed and that nothing accounts for.
    pub left_over: Vec<LeftOver>,
}

/// Versions on a side that a step takes and that are older than all that were tried there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Gap {
    /// `sources` or `destinations`.
    pub side: &'static str,
    /// Those of libvirt, if there are some.
    pub libvirt: Option<Span>,
    /// Those of QEMU, likewise.
    pub qemu: Option<Span>,
}

/// Versions between two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Span {
    /// From this one,
    pub from: Version,
    /// to before this one.
    pub before: Version,
}

impl Upgrade {
    /// The upgrade from a release of a ladder to another; without a name from its first, or to its last.
    ///
    /// # Errors
    /// As [`Jumps::on`].
    pub(super) fn of(
        jumps: &Jumps,
        ladder: &Ladder,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Self, ReportError> {
        let from = from.map_or(Ok(0), |name| ladder.place(name))?;
        let to = to.map_or(Ok(ladder.releases.len() - 1), |name| ladder.place(name))?;
        let way = ladder.way((from, to))?;
        let own: Vec<_> = way.windows(2).map(|step| (step[0], step[1])).collect();
        let is_own: BTreeSet<_> = own.iter().copied().collect();
        let others = ladder.steps((from, to)).into_iter();
        let others = others.filter(|step| !is_own.contains(step));
        let known = Standing::of(jumps);
        let step = |(from, to): (usize, usize), on_way| {
            let ends = [&ladder.releases[from], &ladder.releases[to]];
            step(&known, ends, on_way)
        };
        let others: Vec<_> = others.map(|ends| step(ends, false)).collect();
        let own = own.iter().map(|ends| step(*ends, true));
        Ok(Self {
            ladder: ladder.name.clone(),
            steps: own.chain(others).collect(),
            way: way
                .iter()
                .map(|place| Place::of(jumps, &ladder.releases[*place]))
                .collect(),
        })
    }
}

impl Step {
    /// How it ends: nobody knows of one that nothing stands for.
    pub(super) fn exit(&self) -> Exit {
        match self.standing.as_slice() {
            [] => Exit::Unknown,
            standing => Exit::worst(standing.iter().map(|one| one.safety.exit())),
        }
    }
}

impl Place {
    fn of(jumps: &Jumps, rung: &Rung) -> Self {
        let taken = jumps.releases.iter().filter(|stop| rung.takes(stop));
        Self {
            name: rung.name.clone(),
            note: rung.note.clone(),
            least: Least {
                libvirt: rung.libvirt,
                qemu: rung.qemu,
            },
            takes: taken.map(|stop| stop.name.clone()).collect(),
        }
    }
}

/// A jump that does not go back, with what its two ends have.
struct Ended<'j> {
    jump: &'j Jump,
    stops: [&'j Stop; 2],
}

impl<'j> Ended<'j> {
    fn all(jumps: &'j Jumps) -> Vec<Self> {
        let stops = jumps.releases.iter().enumerate();
        let stops: BTreeMap<_, _> = stops
            .map(|(place, stop)| (&stop.name, (place, stop)))
            .collect();
        let ended = |jump: &'j Jump| {
            let (source, destination) = (stops.get(&jump.source)?, stops.get(&jump.destination)?);
            let stops = [source.1, destination.1];
            (source.0 <= destination.0).then_some(Self { jump, stops })
        };
        jumps.jumps.iter().filter_map(ended).collect()
    }
}

/// What can stand for a step.
struct Standing<'j> {
    ended: Vec<Ended<'j>>,
    /// The releases within which no guest was moved.
    untried: Vec<&'j Stop>,
}

impl<'j> Standing<'j> {
    fn of(jumps: &'j Jumps) -> Self {
        let within = jumps.jumps.iter();
        let within = within.filter(|jump| jump.source == jump.destination);
        let within: BTreeSet<_> = within.map(|jump| &jump.source).collect();
        let stops = jumps.releases.iter();
        Self {
            ended: Ended::all(jumps),
            untried: stops.filter(|stop| !within.contains(&stop.name)).collect(),
        }
    }
}

fn step(jumps: &Standing<'_>, ends: [&Rung; 2], on_way: bool) -> Step {
    let [from, to] = ends;
    let takes = |one: &&Ended<'_>| from.takes(one.stops[0]) && to.takes(one.stops[1]);
    let (tried, not): (Vec<_>, Vec<_>) = jumps
        .ended
        .iter()
        .filter(takes)
        .partition(|one| one.jump.safety != Safety::Untested);
    let standing = tried.iter().map(|Ended { jump, .. }| StandIn {
        source: jump.source.clone(),
        destination: jump.destination.clone(),
        safety: jump.safety,
        cases: jump.cases.clone(),
        avoid: jump.avoid.clone(),
        left_over: jump.left_over.clone(),
    });
    let stops = |side: usize| tried.iter().map(|one| one.stops[side]).collect::<Vec<_>>();
    let own = jumps.untried.iter();
    let own = own.filter(|stop| from.takes(stop) && to.takes(stop));
    let own = own.map(|stop| [stop.name.clone(), stop.name.clone()]);
    let gaps = [("sources", from, stops(0)), ("destinations", to, stops(1))];
    Step {
        from: from.name.clone(),
        to: to.name.clone(),
        on_way,
        standing: standing.collect(),
        untested: not
            .into_iter()
            .map(|Ended { jump, .. }| [jump.source.clone(), jump.destination.clone()])
            .chain(own)
            .collect(),
        gaps: gaps
            .into_iter()
            .flat_map(|(side, rung, stops)| gap(side, rung, &stops))
            .collect(),
    }
}

/// From the oldest versions that are taken on a side to the oldest that were tried there.
fn gap(side: &'static str, rung: &Rung, tried: &[&Stop]) -> Option<Gap> {
    let span = |least: Option<Version>, own: fn(&Stop) -> Option<Version>| {
        let tried = tried.iter().filter_map(|stop| own(stop)).min();
        let (from, before) = least.zip(tried).filter(|(least, tried)| least < tried)?;
        Some(Span { from, before })
    };
    let libvirt = span(rung.libvirt, |stop| stop.libvirt);
    let qemu = span(rung.qemu, |stop| stop.qemu);
    let any = libvirt.is_some() || qemu.is_some();
    any.then_some(Gap {
        side,
        libvirt,
        qemu,
    })
}
