//! A run: the value that every renderer takes.

use std::{collections::BTreeMap, fmt};

use migratrix_history::Versions;
use migratrix_matrix::{Case, Condition, ReleaseName, Releases, Tuple};

use crate::{Judgement, Kind, KnownFailures, ReportError, Standing};

/// What was planned and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// The cases that were planned, by their order.
    planned: Vec<Case>,
    /// The last attempt at each case, in the order of the cases' names.
    judgements: BTreeMap<Case, Judgement>,
    /// Earlier attempts, which count for nothing but are shown.
    earlier: Vec<Judgement>,
    /// When it began: seconds since 1970 UTC.
    pub began_unix: u64,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// The known failures that no case of the run is subject to.
    unused_known: Vec<String>,
}

/// Which way a guest goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route<'r> {
    /// Who asks for it; nobody where QEMUs are told directly.
    pub client: Option<&'r ReleaseName>,
    /// From where.
    pub source: &'r ReleaseName,
    /// To where.
    pub destination: &'r ReleaseName,
}

/// How a run went, for the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is as expected; known failures that fail are.
    AsExpected,
    /// A case failed, or a known failure passes.
    Failed,
    /// Something is unknown, or a planned case has no verdict.
    Unknown,
}

/// How many there are of each standing.
pub type Tally = BTreeMap<Standing, usize>;

impl Run {
    /// A run of the cases that were `planned`, with every attempt at them in any order.
    #[must_use]
    pub fn new(planned: Vec<Case>, judgements: impl IntoIterator<Item = Judgement>) -> Self {
        let mut run = Self {
            planned,
            ..Self::default()
        };
        for judgement in judgements {
            run.add(judgement);
        }
        run.began_unix = run.attempts().map(|one| one.began_unix).min().unwrap_or(0);
        run
    }

    /// Takes one more attempt in. Of several at one case the latest counts.
    pub fn add(&mut self, judgement: Judgement) {
        let age = |one: &Judgement| (one.attempt, one.began_unix);
        match self.judgements.get_mut(&judgement.case) {
            Some(there) if *there == judgement => {}
            Some(there) if age(there) <= age(&judgement) => {
                self.earlier.push(std::mem::replace(there, judgement));
            }
            Some(_) => self.earlier.push(judgement),
            None => {
                self.judgements.insert(judgement.case.clone(), judgement);
            }
        }
    }

    /// Joins the shards of one run. Where both hold a case, the latest attempt counts.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        let new = |case: &Case| !self.planned.contains(case);
        let planned: Vec<_> = other.planned.into_iter().filter(new).collect();
        self.planned.extend(planned);
        self.unused_known
            .retain(|one| other.unused_known.contains(one));
        let end = |run: (u64, u64)| run.0 * 1_000 + run.1;
        let ends = [
            (self.began_unix, self.elapsed_ms),
            (other.began_unix, other.elapsed_ms),
        ];
        self.began_unix = self.began_unix.min(other.began_unix);
        self.elapsed_ms = ends.map(end).into_iter().max().unwrap_or(0) - self.began_unix * 1_000;
        for judgement in other.judgements.into_values().chain(other.earlier) {
            self.add(judgement);
        }
        self
    }

    /// Marks the failures that are known, and notes the entries of the list that nothing needs.
    ///
    /// # Errors
    /// As [`KnownFailures::mark`].
    pub fn mark_known(
        &mut self,
        known: &KnownFailures,
        releases: &Releases,
    ) -> Result<(), ReportError> {
        for judgement in self.judgements.values_mut().chain(&mut self.earlier) {
            known.mark(judgement, releases)?;
        }
        self.unused_known = known.unused(self.judgements.keys(), releases)?;
        Ok(())
    }

    /// The cases that were planned.
    #[must_use]
    pub fn planned(&self) -> &[Case] {
        &self.planned
    }

    /// The attempt that counts at each case, in the order of the cases.
    pub fn judgements(&self) -> impl ExactSizeIterator<Item = &Judgement> + Clone {
        self.judgements.values()
    }

    /// The earlier attempts at a case, the first one first.
    #[must_use]
    pub fn earlier(&self, case: &Case) -> Vec<&Judgement> {
        let mut all: Vec<_> = self
            .earlier
            .iter()
            .filter(|one| one.case == *case)
            .collect();
        all.sort_by_key(|one| (one.attempt, one.began_unix));
        all
    }

    /// The cases that passed only after an attempt that did not.
    pub fn flaky(&self) -> impl Iterator<Item = &Judgement> {
        self.judgements().filter(|last| {
            let good = last.standing() == Standing::Passed;
            good && self
                .earlier(&last.case)
                .iter()
                .any(|one| one.standing() != Standing::Passed)
        })
    }

    /// The planned cases that have no verdict.
    pub fn missing(&self) -> impl Iterator<Item = &Case> {
        self.planned
            .iter()
            .filter(|case| !self.judgements.contains_key(case))
    }

    /// The known failures that no case of the run is subject to.
    #[must_use]
    pub fn unused_known(&self) -> &[String] {
        &self.unused_known
    }

    /// How many cases there are of each standing.
    #[must_use]
    pub fn cases(&self) -> Tally {
        tally(self.judgements().map(Judgement::standing))
    }

    /// How many conditions there are of each verdict, of those that `of` takes.
    #[must_use]
    pub fn conditions(&self, of: impl Fn(Condition) -> bool) -> BTreeMap<Kind, usize> {
        let all = self
            .judgements()
            .flat_map(|judgement| &judgement.conditions);
        tally(
            all.filter(|(one, _)| of(*one))
                .map(|(_, verdict)| verdict.kind()),
        )
    }

    /// The judgements of each route.
    #[must_use]
    pub fn by_route(&self) -> BTreeMap<Route<'_>, Vec<&Judgement>> {
        let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for judgement in self.judgements() {
            all.entry(Route::of(&judgement.case))
                .or_default()
                .push(judgement);
        }
        all
    }

    /// The exact versions that each release turned out to have: of a client `libvirt 9.0.0`, of a
    /// host its QEMU as well.
    #[must_use]
    pub fn releases(&self) -> BTreeMap<&str, Vec<String>> {
        let mut all: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (release, version) in self.judgements().flat_map(|one| named(one, &one.versions)) {
            let versions = all.entry(release).or_default();
            if !versions.contains(&version) {
                versions.push(version);
                versions.sort();
            }
        }
        all
    }

    /// How the run went, for the exit code.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let worst = self.judgements().map(Judgement::standing).max();
        let missing = self.missing().next().is_some();
        match worst {
            Some(Standing::Failed | Standing::KnownPasses) => Exit::Failed,
            Some(Standing::Unknown) | None => Exit::Unknown,
            Some(Standing::Passed | Standing::KnownFailure | Standing::Skipped) if missing => {
                Exit::Unknown
            }
            Some(Standing::Passed | Standing::KnownFailure | Standing::Skipped) => Exit::AsExpected,
        }
    }

    fn attempts(&self) -> impl Iterator<Item = &Judgement> {
        self.judgements.values().chain(&self.earlier)
    }
}

impl<'r> Route<'r> {
    pub(crate) fn of(case: &'r Case) -> Self {
        let Tuple {
            client,
            source,
            destination,
        } = &case.tuple;
        Self {
            client: case.backend.has_client().then_some(client),
            source,
            destination,
        }
    }
}

impl fmt::Display for Route<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(client) = self.client {
            write!(f, "{client}: ")?;
        }
        write!(f, "{} → {}", self.source, self.destination)
    }
}

fn tally<T: Ord>(all: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    let mut tally = BTreeMap::new();
    all.for_each(|one| *tally.entry(one).or_default() += 1);
    tally
}

fn named<'j>(judgement: &'j Judgement, versions: &Versions) -> Vec<(&'j str, String)> {
    let Tuple {
        client,
        source,
        destination,
    } = &judgement.case.tuple;
    [
        (client, "libvirt", versions.client),
        (source, "libvirt", versions.source_libvirt),
        (source, "QEMU", versions.source_qemu),
        (destination, "libvirt", versions.destination_libvirt),
        (destination, "QEMU", versions.destination_qemu),
    ]
    .into_iter()
    .filter_map(|(release, what, version)| Some((release.as_str(), format!("{what} {}", version?))))
    .collect()
}
