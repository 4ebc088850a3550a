//! What came of each case, by the pair of releases between which it moves a guest.

use std::collections::{BTreeMap, BTreeSet};

use migratrix_matrix::{Backend, Case, Point, ReleaseName, Suite, Version};
use serde::Serialize;

use super::{Safety, Stop, Way};
use crate::{Judgement, ReportError, Run, Standing, run::Versions};

/// How many cases of a pair came out in which way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tested {
    /// As they should.
    pub passed: usize,
    /// Not as they should, known failures among them.
    pub failed: usize,
    /// How many of these are known failures.
    pub known: usize,
    /// How many of them passed in another run.
    pub passed_too: usize,
    /// Not as they should at first; when they were tried again as they should, or not to be seen.
    pub at_first: usize,
    /// How many of these could not be seen when they were tried again.
    pub unseen_again: usize,
    /// So that it could not be seen.
    pub unseen: usize,
    /// Skipped: a release, or the machine, lacks what they need.
    pub skipped: usize,
    /// Not at all: they were planned and have no verdict.
    pub not_run: usize,
}

/// The places of two releases among all.
pub(super) type Pair = (usize, usize);

/// What came of a case. Of several runs the last of these counts, which is the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Came {
    NotRun,
    Skipped,
    Unseen,
    Passed,
    AtFirst,
    UnseenAgain,
    Known,
    Failed,
}

/// What a case is but for its source and destination: it is the same case on all pairs.
pub(super) type Kin<'r> = (Option<&'r ReleaseName>, Backend, Point);

/// All cases of some runs.
pub(super) struct Grid<'r> {
    /// The releases that guests go from and to, the oldest first.
    pub stops: Vec<Stop>,
    cases: BTreeMap<Pair, BTreeMap<Kin<'r>, (&'r Case, Came)>>,
    places: BTreeMap<&'r ReleaseName, usize>,
    /// The cases in which nothing migrates: they are of no pair.
    stay: BTreeSet<&'r Case>,
    pub whole: Whole,
}

/// Whether all shards are there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whole {
    Yes,
    No,
}

impl<'r> Grid<'r> {
    pub fn of(runs: &[&'r Run], whole: Whole) -> Self {
        let (stops, places) = stops(runs);
        let mut cases: BTreeMap<Pair, BTreeMap<Kin<'r>, (&'r Case, Came)>> = BTreeMap::new();
        let planned = runs.iter().flat_map(|run| run.planned());
        let planned = planned.map(|case| (case, Came::NotRun));
        let judged = runs.iter().flat_map(|run| run.judgements());
        let judged = judged.map(|one| (&one.case, Came::of(one)));
        let mut stay = BTreeSet::new();
        for (case, came) in planned.chain(judged) {
            let Some(pair) = pair(&places, case) else {
                stay.insert(case);
                continue;
            };
            let own = cases.entry(pair).or_default().entry(kin(case));
            let own = own.or_insert((case, came));
            own.1 = own.1.max(came);
        }
        Self {
            stops,
            cases,
            places,
            stay,
            whole,
        }
    }

    /// How many cases there are in which nothing migrates.
    pub fn staying(&self) -> usize {
        self.stay.len()
    }

    /// Refuses cases of several suites, which are not the same on two pairs, and those of which something
    /// is broken on purpose.
    pub fn demand_one_suite(&self) -> Result<(), ReportError> {
        let suites: BTreeSet<_> = self.all().map(Case::suite).collect();
        let mut suites = suites.into_iter();
        match (suites.next(), suites.next()) {
            (Some(one), Some(other)) => Err(ReportError::JumpOfSuites(one, other)),
            (Some(Suite::Faults), None) => Err(ReportError::JumpOfFaults),
            (_, _) => Ok(()),
        }
    }

    /// Whether a client of libvirt moves the guests.
    pub fn has_client(&self) -> bool {
        self.all().any(|case| case.backend.has_client())
    }

    fn all(&self) -> impl Iterator<Item = &'r Case> {
        let cases = self.cases.values().flat_map(BTreeMap::values);
        let stay = self.stay.iter().copied();
        cases.map(|(case, _)| *case).chain(stay)
    }

    pub fn pairs(&self) -> impl Iterator<Item = Pair> {
        self.cases.keys().copied()
    }

    pub fn tested(&self, pair: Pair) -> Tested {
        let mut tested = Tested::default();
        let cases = self.cases.get(&pair).into_iter().flatten();
        cases.for_each(|(_, (_, came))| tested.take(*came));
        tested
    }

    pub fn came(&self, pair: Pair, kin: &Kin<'_>) -> Option<Came> {
        let case = self.cases.get(&pair)?.get(kin);
        case.map(|(_, came)| *came)
    }

    /// The cases of a pair that came out so.
    pub fn having(
        &self,
        pair: Pair,
        is: fn(Came) -> bool,
    ) -> impl Iterator<Item = (&Kin<'r>, &'r Case)> {
        let cases = self.cases.get(&pair).into_iter().flatten();
        cases.filter_map(move |(kin, (case, came))| is(*came).then_some((kin, *case)))
    }

    /// How many of these cases of a pair count as failed.
    pub fn failed_among(&self, pair: Pair, cases: &[Case]) -> usize {
        let failed = self.having(pair, Came::is_failure);
        failed.filter(|(_, case)| cases.contains(case)).count()
    }

    /// Cases, or what has one, by the pair that each is of. One that was tried on hosts of two setups stands there once.
    pub fn by_pair<T: Clone>(&self, some: &[T], case: fn(&T) -> &Case) -> BTreeMap<Pair, Vec<T>> {
        let mut all: BTreeMap<_, Vec<T>> = BTreeMap::new();
        for one in some {
            if let Some(pair) = self.pair(case(one)) {
                let own = all.entry(pair).or_default();
                if own.last().map(case) != Some(case(one)) {
                    own.push(one.clone());
                }
            }
        }
        all
    }

    /// The pair of a case.
    pub fn pair(&self, case: &Case) -> Option<Pair> {
        pair(&self.places, case)
    }

    /// Which way a pair goes.
    pub fn way(&self, (from, to): Pair) -> Way {
        if from == to {
            return Way::Level;
        }
        let versions = |place: usize| Some((self.stops[place].qemu?, self.stops[place].libvirt));
        let (Some(source), Some(destination)) = (versions(from), versions(to)) else {
            return Way::Unknown;
        };
        match source.cmp(&destination) {
            std::cmp::Ordering::Less => Way::Forward,
            std::cmp::Ordering::Equal => Way::Level,
            std::cmp::Ordering::Greater => Way::Back,
        }
    }
}

/// The releases of all pairs in the order of their versions, and the place of each.
fn stops<'r>(runs: &[&'r Run]) -> (Vec<Stop>, BTreeMap<&'r ReleaseName, usize>) {
    let mut versions: BTreeMap<&ReleaseName, Versions> = BTreeMap::new();
    for (name, (libvirt, qemu)) in runs.iter().flat_map(|run| run.versions()) {
        let known = versions.entry(name).or_default();
        *known = (known.0.or(libvirt), known.1.or(qemu));
    }
    let names: BTreeSet<_> = runs.iter().flat_map(|run| run.ends()).collect();
    let of = |name: &ReleaseName| versions.get(name).copied().unwrap_or_default();
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort_by_key(|name| (of(name).1, of(name).0, *name));
    let stop = |name: &&ReleaseName| {
        let (libvirt, qemu): (Option<Version>, Option<Version>) = of(name);
        let name = (*name).clone();
        Stop {
            name,
            libvirt,
            qemu,
        }
    };
    let stops = names.iter().map(stop).collect();
    (stops, names.into_iter().zip(0..).collect())
}

/// The pair between which a case moves a guest; none where nothing migrates.
fn pair(places: &BTreeMap<&ReleaseName, usize>, case: &Case) -> Option<Pair> {
    let of = |name| places.get(name).copied().filter(|_| case.migrates());
    of(&case.tuple.source).zip(of(&case.tuple.destination))
}

fn kin(case: &Case) -> Kin<'_> {
    let client = case.backend.has_client().then_some(&case.tuple.client);
    (client, case.backend, case.point)
}

impl Came {
    fn of(judgement: &Judgement) -> Self {
        match judgement.standing() {
            Standing::Passed | Standing::UnexpectedPass => Self::Passed,
            Standing::KnownFailure => Self::Known,
            Standing::Failed => Self::Failed,
            Standing::FailedAtFirst if judgement.own_standing() == Standing::Unknown => {
                Self::UnseenAgain
            }
            Standing::FailedAtFirst => Self::AtFirst,
            Standing::Unknown => Self::Unseen,
            Standing::Skipped => Self::Skipped,
        }
    }

    /// Whether it failed, known or not.
    pub const fn is_failure(self) -> bool {
        match self {
            Self::Failed | Self::Known => true,
            Self::NotRun
            | Self::Skipped
            | Self::Unseen
            | Self::Passed
            | Self::AtFirst
            | Self::UnseenAgain => false,
        }
    }

    /// Whether it came out as it should.
    pub const fn is_pass(self) -> bool {
        match self {
            Self::Passed => true,
            Self::NotRun
            | Self::Skipped
            | Self::Unseen
            | Self::AtFirst
            | Self::UnseenAgain
            | Self::Known
            | Self::Failed => false,
        }
    }
}

impl Tested {
    fn take(&mut self, came: Came) {
        self.known += usize::from(came == Came::Known);
        self.unseen_again += usize::from(came == Came::UnseenAgain);
        let counter = match came {
            Came::Passed => &mut self.passed,
            Came::Known | Came::Failed => &mut self.failed,
            Came::AtFirst | Came::UnseenAgain => &mut self.at_first,
            Came::Unseen => &mut self.unseen,
            Came::Skipped => &mut self.skipped,
            Came::NotRun => &mut self.not_run,
        };
        *counter += 1;
    }

    /// How many cases were planned.
    #[must_use]
    pub const fn planned(&self) -> usize {
        self.tried() + self.skipped + self.not_run
    }

    /// How many cases ran.
    #[must_use]
    pub const fn tried(&self) -> usize {
        self.passed + self.failed + self.at_first + self.unseen
    }

    /// Whether they make a jump safe, where none of them failed.
    pub(super) const fn without_failures(&self, whole: Whole) -> Safety {
        let unclear = self.at_first + self.unseen + self.not_run;
        match (self.tried(), unclear, whole) {
            (0, _, _) => Safety::Untested,
            (_, 0, Whole::Yes) => Safety::Safe,
            (_, _, _) => Safety::Unclear,
        }
    }
}
