//! A run: the value that every renderer takes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use migratrix_matrix::{
    Backend, Case, Condition, HostSetup, Release, ReleaseName, Releases, RunOptions, Selection,
    Shard, Strengths, Tuple, Version, missing_shards,
};

use crate::{
    DamageOf, Damaged, Death, Flaw, IdleLoss, Judgement, Kind, KnownFailures, Possible,
    ReportError, Standing,
    damaged::Damages,
    flaw::{deaths, flaws},
    known::Notes,
};

/// What was planned and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// The cases that were planned, by their order.
    planned: Vec<Case>,
    /// The last attempt at each case, in the order of the cases' names. Boxed, since a tree leaves
    /// much of its room free.
    judgements: BTreeMap<Case, Box<Judgement>>,
    /// Earlier attempts. They count by what they showed to be wrong.
    earlier: BTreeMap<Case, Vec<Judgement>>,
    /// When it began: seconds since 1970 UTC.
    pub began_unix: u64,
    /// When it worked: each session from its first case's begin to its last one's end, in milliseconds
    /// since 1970 UTC.
    pub sessions: Vec<(u64, u64)>,
    /// What is known of the releases.
    releases: Vec<Release>,
    /// The parts of it that are not there.
    missing_shards: Vec<Shard>,
    /// What was asked for, where it is a part of that.
    part: Option<Box<Selection>>,
    /// The strengths of the cover that its cases are, where they are one.
    cover: Option<Strengths>,
    /// The hosts that were lost while no case was on them.
    idle_losses: Vec<IdleLoss>,
    /// What of its files, or of its releases, can't be believed, in words.
    damaged: Vec<String>,
    /// What that is damage of, where it is told by cases or shards as well.
    damage: Damages,
    /// Whether it is still being written.
    under_way: bool,
    /// What is told of the known failures.
    known: Notes,
    /// How many cases it has with these.
    whole: usize,
    /// The options that it had.
    options: RunOptions,
    /// The cases that could be tried, those of its selection that were not planned among them.
    possible: Vec<Possible>,
    /// What counts as a failure.
    rules: Rules,
    /// The tuples of its cases: all cases of one share its names.
    tuples: BTreeSet<Tuple>,
}

/// What counts as a failure of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// What an attempt showed to be wrong, and a later one did not.
    pub flaky: Flaky,
    /// What is known to fail.
    pub known: KnownAre,
}

impl Rules {
    /// Where a host that died stands.
    pub(crate) const fn of_a_death(self) -> Standing {
        match self.flaky {
            Flaky::Failed => Standing::Failed,
            Flaky::Allowed => Standing::Unknown,
        }
    }

    /// Where what is known to fail stands in a table.
    pub(crate) const fn of_known(self) -> Standing {
        match self.known {
            KnownAre::Excused => Standing::KnownFailure,
            KnownAre::Failed => Standing::Failed,
        }
    }
}

/// What it means that something went wrong once, and not when it was tried again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flaky {
    /// The run fails: what was seen was seen.
    #[default]
    Failed,
    /// It is told, and fails nothing.
    Allowed,
}

/// What it means that a known failure fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KnownAre {
    /// It is as expected: for who asks whether a build is worse than the one before.
    #[default]
    Excused,
    /// It is a failure: for who asks whether guests survive an upgrade.
    Failed,
}

/// Which way a guest goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route<'r> {
    /// Who asks for it; nobody where QEMUs are told directly.
    pub client: Option<&'r ReleaseName>,
    /// From where.
    pub source: &'r ReleaseName,
    /// To where; nowhere where nothing migrates.
    pub destination: Option<&'r ReleaseName>,
}

/// How a run went, for the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is as expected; known failures that fail are.
    AsExpected,
    /// A case failed, or a known failure passes.
    Failed,
    /// Something is unknown, a planned case has no verdict, or the run is still under way.
    Unknown,
}

impl Exit {
    /// How several go together: a failure is one, whatever the others are.
    #[must_use]
    pub fn worst(all: impl IntoIterator<Item = Self>) -> Self {
        let rank = |exit: &Self| match exit {
            Self::AsExpected => 0,
            Self::Unknown => 1,
            Self::Failed => 2,
        };
        let worst = all.into_iter().max_by_key(rank);
        worst.unwrap_or(Self::AsExpected)
    }

    /// The word that programs read.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::AsExpected => "as-expected",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// The libvirt and the QEMU of a release, as far as they are known.
pub(crate) type Versions = (Option<Version>, Option<Version>);

/// How many there are of each standing.
pub type Tally = BTreeMap<Standing, usize>;

impl Run {
    /// A run of the cases that were `planned`, with every attempt at them in any order.
    #[must_use]
    pub fn new(planned: Vec<Case>, judgements: impl IntoIterator<Item = Judgement>) -> Self {
        let mut run = Self::default();
        let planned = planned.into_iter();
        run.planned = planned.map(|case| shared(&mut run.tuples, case)).collect();
        for judgement in judgements {
            run.add(judgement);
        }
        run
    }

    /// Takes one more attempt in. Of several at one case the latest counts.
    pub fn add(&mut self, mut judgement: Judgement) {
        judgement.case = shared(&mut self.tuples, judgement.case);
        judgement.conditions.shrink_to_fit();
        if let Some(why) = &judgement.misplaced {
            if !self.damaged.contains(why) {
                self.damaged.push(why.clone());
            }
        }
        let began = judgement.began_unix;
        self.began_unix = match self.began_unix {
            0 => began,
            first => first.min(began),
        };
        let case = judgement.case.clone();
        match self.judgements.get_mut(&case) {
            Some(there) if there.is_same_attempt(&judgement) => return,
            Some(there) => {
                let older = if there.age() <= judgement.age() {
                    std::mem::replace(&mut **there, judgement)
                } else {
                    judgement
                };
                self.keep_earlier(older);
            }
            None => {
                self.judgements.insert(case.clone(), Box::new(judgement));
            }
        }
        self.settle(&case);
    }

    fn keep_earlier(&mut self, older: Judgement) {
        let all = self.earlier.entry(older.case.clone()).or_default();
        if !all.iter().any(|one| one.is_same_attempt(&older)) {
            all.push(older);
            all.sort_by_key(Judgement::age);
        }
    }

    /// Tells the attempt that counts what those before it showed to be wrong.
    fn settle(&mut self, case: &Case) {
        let (Some(last), Some(earlier)) = (self.judgements.get_mut(case), self.earlier.get(case))
        else {
            return;
        };
        last.flaws = match self.rules.flaky {
            Flaky::Failed => earlier.iter().flat_map(flaws).collect(),
            Flaky::Allowed => Vec::new(),
        };
    }

    fn settle_all(&mut self) {
        let cases: Vec<_> = self.earlier.keys().cloned().collect();
        cases.iter().for_each(|case| self.settle(case));
    }

    /// The same run, by other rules on what fails it.
    #[must_use]
    pub fn by(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self.settle_all();
        self
    }

    /// What counts as a failure of it.
    #[must_use]
    pub fn rules(&self) -> Rules {
        self.rules
    }

    /// The same run, with what is known of its releases.
    #[must_use]
    pub fn on(mut self, releases: Vec<Release>) -> Self {
        self.releases = releases;
        self
    }

    /// What the plan knows of its releases.
    pub(crate) fn planned_releases(&self) -> &[Release] {
        &self.releases
    }

    /// The same run, as one whose directory is not where its reports are.
    #[must_use]
    pub fn at(mut self, home: &str) -> Self {
        let home: Arc<str> = home.into();
        let earlier = self.earlier.values_mut().flatten();
        let last = self.judgements.values_mut().map(AsMut::as_mut);
        for judgement in last.chain(earlier) {
            judgement.home = Some(Arc::clone(&home));
        }
        self
    }

    /// The releases that its guests go from and to, in the order of their versions: those of cases in which
    /// nothing migrates are none.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&ReleaseName, &ReleaseName)> {
        let ranks = self.ranks();
        let cases = self.all_cases().filter(|case| case.migrates());
        let pairs = cases.map(|case| (&case.tuple.source, &case.tuple.destination));
        let pairs: BTreeSet<_> = pairs.collect();
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.sort_by_key(|(source, destination)| (ranks.get(source), ranks.get(destination)));
        pairs
    }

    /// The releases on which cases stay in which nothing migrates, in the order of their versions.
    #[must_use]
    pub fn alone(&self) -> Vec<&ReleaseName> {
        let ranks = self.ranks();
        let cases = self.all_cases().filter(|case| !case.migrates());
        let names: BTreeSet<_> = cases.map(|case| &case.tuple.source).collect();
        let mut names: Vec<_> = names.into_iter().collect();
        names.sort_by_key(|name| ranks.get(name));
        names
    }

    /// Its cases: those that were planned, and those that were judged. One that is both is there twice.
    pub(crate) fn all_cases(&self) -> impl Iterator<Item = &Case> {
        let judged = self.judgements().map(|one| &one.case);
        self.planned.iter().chain(judged)
    }

    /// The releases of the two sides of all of its cases.
    pub(crate) fn ends(&self) -> impl Iterator<Item = &ReleaseName> {
        let tuples = self.tuples.iter();
        tuples.flat_map(|tuple| [&tuple.source, &tuple.destination])
    }

    /// The same run, as the part that a selection's shard is, where it has one: of `whole` cases.
    #[must_use]
    pub fn as_part(mut self, selection: Selection, whole: Option<usize>) -> Self {
        self.part = selection.shard.is_some().then(|| Box::new(selection));
        self.whole = whole.unwrap_or(0);
        self
    }

    /// Which part of a run it is, where it is one.
    #[must_use]
    pub fn shard(&self) -> Option<Shard> {
        self.part.as_ref()?.shard
    }

    /// The parts that are not there of what some runs are parts of. A shard alone is whole as a run, and
    /// of what was asked for it tells only its part.
    pub(crate) fn lacking(runs: &[&Self]) -> Vec<Shard> {
        let parts = runs.iter().filter_map(|run| run.part.as_deref());
        let mut lacking = missing_shards(parts);
        for shard in runs.iter().flat_map(|run| run.missing_shards()) {
            if !lacking.contains(shard) {
                lacking.push(*shard);
            }
        }
        lacking
    }

    /// The same run, as a cover of these strengths, where it is one.
    #[must_use]
    pub fn as_cover(mut self, strengths: Option<Strengths>) -> Self {
        self.cover = strengths;
        self
    }

    /// The strengths of the cover that its cases are, where they are one.
    #[must_use]
    pub const fn strengths(&self) -> Option<&Strengths> {
        self.cover.as_ref()
    }

    /// Of a cover of several pairs: its strengths, and how many cases the pair with the fewest has.
    #[must_use]
    pub fn cover(&self) -> Option<(&Strengths, usize)> {
        let strengths = self.strengths()?;
        let tuples = self.planned.iter().map(|case| &case.tuple);
        let pairs = tally(tuples.map(|tuple| (&tuple.source, &tuple.destination)));
        let fewest = pairs.values().copied().min()?;
        (pairs.len() > 1).then_some((strengths, fewest))
    }

    /// The same run, with the hosts that were lost while no case was on them.
    #[must_use]
    pub fn with_idle_losses(mut self, losses: Vec<IdleLoss>) -> Self {
        self.idle_losses = losses;
        self
    }

    /// The same run, with what of its files can't be believed.
    #[must_use]
    pub fn with_damage(mut self, damaged: impl IntoIterator<Item = Damaged>) -> Self {
        for Damaged { told, of } in damaged {
            if !self.damaged.contains(&told) {
                self.damaged.push(told.clone());
            }
            if of != DamageOf::Files {
                self.damage.insert(told, of);
            }
        }
        self
    }

    /// What it is damage of, as it is told.
    pub(crate) fn damage_of(&self, told: &str) -> &DamageOf {
        self.damage.get(told).unwrap_or(&DamageOf::Files)
    }

    /// What of its files, or of its releases, can't be believed: what it would have told is unknown.
    #[must_use]
    pub fn damaged(&self) -> &[String] {
        &self.damaged
    }

    /// The same run, as one that is still being written: what is there is how far it is, and no case that is
    /// to come is known.
    #[must_use]
    pub fn under_way(mut self) -> Self {
        self.under_way = true;
        self
    }

    /// Whether it is still being written.
    #[must_use]
    pub const fn is_under_way(&self) -> bool {
        self.under_way
    }

    /// The known failures whose day is over, and that a case of the run is subject to.
    #[must_use]
    pub fn expired_known(&self) -> &[String] {
        &self.known.expired
    }

    /// The known failures whose last day comes within a month, and that a case of the run is subject to.
    #[must_use]
    pub fn expiring_known(&self) -> &[String] {
        &self.known.expiring
    }

    /// The known failures that match cases of the run in part: these fail otherwise than they say.
    #[must_use]
    pub fn partly_known(&self) -> Vec<String> {
        self.known.partly()
    }

    /// The same in one line, where there are any.
    pub(crate) fn partly_known_in_a_line(&self) -> Option<String> {
        self.known.partly_in_a_line()
    }

    /// Whether a host was lost while an attempt at the case was on it, or an earlier attempt showed
    /// something to be wrong: it came out as it did only when it was tried again.
    #[must_use]
    pub fn was_shaken(&self, judgement: &Judgement) -> bool {
        let earlier = self.earlier(&judgement.case);
        let mut attempts = earlier.iter().chain([judgement]);
        let lost = attempts.any(|one| !one.lost.is_empty() && one.case.fault.is_none());
        lost || earlier.iter().any(|one| !flaws(one).is_empty())
    }

    /// The same run, as one of `whole` cases of which these parts are not there.
    #[must_use]
    pub fn without_shards(mut self, missing: Vec<Shard>, whole: usize) -> Self {
        self.missing_shards = missing;
        self.whole = whole;
        self
    }

    /// The same run, of which these cases could be tried: what accounts for its failures is sure only where
    /// none of them could tell another thing.
    #[must_use]
    pub fn with_possible(mut self, possible: Vec<Possible>) -> Self {
        self.possible.extend(possible);
        self
    }

    /// The cases that could be tried.
    pub(crate) fn possible(&self) -> &[Possible] {
        &self.possible
    }

    /// The same run, as one that had these options: those that a case needs to run again as it did
    /// stand in each line that runs one again.
    #[must_use]
    pub fn with_options(mut self, options: RunOptions) -> Self {
        self.options = options.of_a_case();
        self
    }

    /// The line that runs a case again as it was run, for a shell: with the options that it was run with, on
    /// hosts that are set up as its own were.
    #[must_use]
    pub fn again(&self, case: &Case) -> String {
        let options = self.options.clone();
        let options = match self.setup_of(case) {
            Some(setup) => options.alone_on(setup),
            None => options,
        };
        let case = case.to_string();
        options.command_line("migratrix", &["--case", &case])
    }

    /// How the hosts of a case were set up, where it ran: in the attempt that counts.
    pub(crate) fn setup_of(&self, case: &Case) -> Option<HostSetup> {
        let last = self.judgements.get(case)?;
        last.log.is_some().then_some(last.setup)
    }

    /// How many cases the whole has that this run is, or is a part of, as far as that is known.
    #[must_use]
    pub fn whole(&self) -> usize {
        self.whole.max(self.planned.len())
    }

    /// What is known of the releases that take part.
    #[must_use]
    pub fn known_releases(&self) -> &[Release] {
        &self.releases
    }

    /// Joins the shards of one run. Where both hold a case, the latest attempt counts.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.possible.extend(other.possible.iter().cloned());
        let there: BTreeSet<_> = self.planned.iter().collect();
        let new = |case: &Case| !there.contains(case);
        let planned: Vec<_> = other.planned.into_iter().filter(new).collect();
        self.planned.extend(planned);
        self.known.join(other.known);
        self.join_releases(other.releases);
        self.whole = self.whole.max(other.whole);
        self.under_way |= other.under_way;
        self.missing_shards
            .retain(|one| other.missing_shards.contains(one));
        self.options = std::mem::take(&mut self.options).or(other.options);
        self.part = self.part.filter(|part| other.part.as_ref() == Some(part));
        self.join_troubles(other.idle_losses, other.damaged);
        self.damage.extend(other.damage);
        self.sessions.extend(other.sessions);
        for judgement in other
            .judgements
            .into_values()
            .map(|judgement| *judgement)
            .chain(other.earlier.into_values().flatten())
        {
            self.add(judgement);
        }
        self
    }

    /// How long it took, in milliseconds. Sessions that worked at the same time took that time once; when
    /// none worked is nobody's time.
    #[must_use]
    pub fn elapsed_ms(&self) -> u64 {
        let mut sessions = self.sessions.clone();
        sessions.sort_unstable();
        let (mut elapsed, mut counted) = (0, 0);
        for (begin, end) in sessions {
            elapsed += end.saturating_sub(begin.max(counted));
            counted = counted.max(end);
        }
        elapsed
    }

    /// In what two runs differ that can't be shards of one then: the versions that a release turned
    /// out to have.
    #[must_use]
    pub fn differs(&self, other: &Self) -> Option<String> {
        let others: BTreeMap<_, _> = other.releases().into_iter().collect();
        let differ = |(name, here): (&ReleaseName, Vec<String>)| {
            let there = others.get(name)?;
            let (one, two) = ["libvirt ", "QEMU "].into_iter().find_map(|program| {
                let of = |all: &[String]| -> Vec<String> {
                    let own = all.iter().filter(|one| one.starts_with(program));
                    own.cloned().collect()
                };
                let (one, two) = (of(&here), of(there));
                let apart = one.iter().all(|version| !two.contains(version));
                (apart && !one.is_empty() && !two.is_empty()).then_some((one, two))
            })?;
            let (one, two) = (one.join(", "), two.join(", "));
            Some(format!(
                "{name} had {one} in the first and {two} in the second"
            ))
        };
        self.releases().into_iter().find_map(differ)
    }

    /// A run that is given twice has its losses once.
    fn join_troubles(&mut self, losses: Vec<IdleLoss>, damaged: Vec<String>) {
        for loss in losses {
            if !self.idle_losses.contains(&loss) {
                self.idle_losses.push(loss);
            }
        }
        for damage in damaged {
            if !self.damaged.contains(&damage) {
                self.damaged.push(damage);
            }
        }
    }

    fn join_releases(&mut self, others: Vec<Release>) {
        for other in others {
            if self.releases.iter().all(|one| one.name != other.name) {
                self.releases.push(other);
            }
        }
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
        for judgement in self.earlier.values_mut().flatten() {
            known.mark(judgement, releases)?;
        }
        let last = self.judgements.values_mut().map(AsMut::as_mut);
        self.known = known.mark_all(last, releases)?;
        self.settle_all();
        Ok(())
    }

    /// The cases that were planned.
    #[must_use]
    pub fn planned(&self) -> &[Case] {
        &self.planned
    }

    /// The attempt that counts at each case, in the order of the cases.
    pub fn judgements(&self) -> impl ExactSizeIterator<Item = &Judgement> + Clone {
        self.judgements.values().map(AsRef::as_ref)
    }

    /// The attempt that counts at a case, where it has one.
    pub(crate) fn judgement(&self, case: &Case) -> Option<&Judgement> {
        self.judgements.get(case).map(AsRef::as_ref)
    }

    /// The earlier attempts at a case, the first one first.
    #[must_use]
    pub fn earlier(&self, case: &Case) -> &[Judgement] {
        self.earlier.get(case).map_or(&[], Vec::as_slice)
    }

    /// The cases of which an earlier attempt was not as expected, and the last one is: each with what
    /// was wrong, and with what could not be seen then.
    pub fn flaky(&self) -> impl Iterator<Item = (&Judgement, Vec<Flaw>)> {
        self.earlier.iter().filter_map(|(case, earlier)| {
            let last = self.judgements.get(case)?.as_ref();
            let good = last.own_standing().is_as_expected();
            let bad = earlier
                .iter()
                .any(|one| !one.own_standing().is_as_expected());
            (good && bad).then(|| (last, earlier.iter().flat_map(flaws).collect()))
        })
    }

    /// The hosts that died, the first one first.
    #[must_use]
    pub fn deaths(&self) -> Vec<Death> {
        deaths(self.attempts(), &self.idle_losses)
    }

    /// The planned cases that have no verdict.
    pub fn missing(&self) -> impl Iterator<Item = &Case> {
        self.planned
            .iter()
            .filter(|case| !self.judgements.contains_key(case))
    }

    /// The parts of it that are not there.
    #[must_use]
    pub fn missing_shards(&self) -> &[Shard] {
        &self.missing_shards
    }

    /// The known failures that no case of the run is subject to.
    #[must_use]
    pub fn unused_known(&self) -> &[String] {
        &self.known.unused
    }

    /// How many cases ran on hosts that were set up in each way; skipped ones are not counted.
    #[must_use]
    pub fn setups(&self) -> BTreeMap<HostSetup, usize> {
        let ran = self.judgements().filter(|one| one.log.is_some());
        tally(
            ran.filter(|one| one.case.backend == Backend::Libvirt)
                .map(|one| one.setup),
        )
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

    /// The judgements of each route, by the [order](Self::ranks) of the releases.
    #[must_use]
    pub fn by_route(&self) -> Vec<(Route<'_>, Vec<&Judgement>)> {
        let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for judgement in self.judgements() {
            all.entry(Route::of(&judgement.case))
                .or_default()
                .push(judgement);
        }
        let ranks = self.ranks();
        let rank = |name: &ReleaseName| ranks.get(name).copied();
        let mut all: Vec<_> = all.into_iter().collect();
        all.sort_by_key(|(route, _)| {
            let client = route.client.and_then(rank);
            let destination = route.destination.and_then(rank);
            (client, rank(route.source), destination)
        });
        all
    }

    /// The place of each release in the order of their versions: first the QEMU's, then the
    /// libvirt's, then the names.
    #[must_use]
    pub fn ranks(&self) -> BTreeMap<&ReleaseName, usize> {
        let mut order: Vec<_> = self.versions().into_iter().collect();
        order.sort_by_key(|(name, (libvirt, qemu))| (*qemu, *libvirt, *name));
        let names = order.into_iter().map(|(name, _)| name).enumerate();
        names.map(|(place, name)| (name, place)).collect()
    }

    /// The versions of each release: what the plan knows, and where it knows none what was seen.
    pub(crate) fn versions(&self) -> BTreeMap<&ReleaseName, Versions> {
        let mut versions: BTreeMap<&ReleaseName, Versions> = BTreeMap::new();
        for one in self.judgements() {
            for (name, libvirt, qemu) in seen(one) {
                let known = versions.entry(name).or_default();
                *known = (libvirt.or(known.0), qemu.or(known.1));
            }
        }
        for release in &self.releases {
            let seen = versions.entry(&release.name).or_default();
            *seen = (release.libvirt.or(seen.0), release.qemu.or(seen.1));
        }
        versions
    }

    /// Each release with the exact versions that it turned out to have, by the
    /// [order](Self::ranks) of the releases: of a client `libvirt 9.0.0`, of a host its QEMU as well.
    #[must_use]
    pub fn releases(&self) -> Vec<(&ReleaseName, Vec<String>)> {
        let mut all: BTreeMap<&ReleaseName, BTreeSet<String>> = BTreeMap::new();
        for (name, libvirt, qemu) in self.judgements().flat_map(seen) {
            let versions = all.entry(name).or_default();
            versions.extend(libvirt.map(|version| format!("libvirt {version}")));
            versions.extend(qemu.map(|version| format!("QEMU {version}")));
        }
        let ranks = self.ranks();
        let mut all: Vec<_> = all
            .into_iter()
            .filter(|(_, versions)| !versions.is_empty())
            .map(|(name, versions)| (name, versions.into_iter().collect()))
            .collect();
        all.sort_by_key(|(name, _): &(&ReleaseName, Vec<String>)| ranks.get(name));
        all
    }

    /// How the run went, for the exit code.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let worst = self.judgements().map(Judgement::standing).max();
        let missing = self.missing().next().is_some()
            || !self.missing_shards.is_empty()
            || !self.damaged.is_empty()
            || self.under_way;
        let died = self.rules.flaky == Flaky::Failed && !self.deaths().is_empty();
        match worst {
            _ if died => Exit::Failed,
            Some(Standing::Failed | Standing::UnexpectedPass | Standing::FailedAtFirst) => {
                Exit::Failed
            }
            Some(_) if self.fails_by_known() => Exit::Failed,
            Some(Standing::Unknown) | None => Exit::Unknown,
            Some(Standing::Passed | Standing::KnownFailure | Standing::Skipped) if missing => {
                Exit::Unknown
            }
            Some(Standing::Passed | Standing::KnownFailure | Standing::Skipped) => Exit::AsExpected,
        }
    }

    fn fails_by_known(&self) -> bool {
        let known = |one: &Judgement| one.standing() == Standing::KnownFailure;
        self.rules.known == KnownAre::Failed && self.judgements().any(known)
    }

    fn attempts(&self) -> impl Iterator<Item = &Judgement> + Clone {
        self.judgements().chain(self.earlier.values().flatten())
    }
}

/// The case, with the names of an equal tuple: a run has many cases, and few releases.
fn shared(tuples: &mut BTreeSet<Tuple>, mut case: Case) -> Case {
    match tuples.get(&case.tuple) {
        Some(tuple) => case.tuple = tuple.clone(),
        None => {
            tuples.insert(case.tuple.clone());
        }
    }
    case
}

impl Judgement {
    fn age(&self) -> (u32, u64) {
        (self.attempt, self.began_unix)
    }

    /// Whether both tell of one attempt: a shard may be given twice.
    fn is_same_attempt(&self, other: &Self) -> bool {
        let own = (self.age(), self.elapsed_ms, &self.conditions, &self.log);
        own == (other.age(), other.elapsed_ms, &other.conditions, &other.log)
    }
}

impl<'r> Route<'r> {
    /// The way of a case's guest.
    #[must_use]
    pub fn of(case: &'r Case) -> Self {
        let Tuple {
            client,
            source,
            destination,
        } = &case.tuple;
        Self {
            client: case.backend.has_client().then_some(client),
            source,
            destination: case.migrates().then_some(destination),
        }
    }

    /// The same, whoever asks for it.
    #[must_use]
    pub const fn of_nobody(self) -> Self {
        Self {
            client: None,
            ..self
        }
    }
}

/// `trixie: bookworm → trixie`; `bookworm alone` where nothing migrates.
impl fmt::Display for Route<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(client) = self.client {
            write!(f, "{client}: ")?;
        }
        match self.destination {
            Some(destination) => write!(f, "{} → {destination}", self.source),
            None => write!(f, "{} alone", self.source),
        }
    }
}

fn tally<T: Ord>(all: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    let mut tally = BTreeMap::new();
    all.for_each(|one| *tally.entry(one).or_default() += 1);
    tally
}

/// The releases that took part in an attempt, with the libvirt and the QEMU that each had.
pub(crate) fn seen(judgement: &Judgement) -> [(&ReleaseName, Option<Version>, Option<Version>); 3] {
    let (tuple, versions) = (&judgement.case.tuple, &judgement.versions);
    [
        (&tuple.client, versions.client, None),
        (&tuple.source, versions.source_libvirt, versions.source_qemu),
        (
            &tuple.destination,
            versions.destination_libvirt,
            versions.destination_qemu,
        ),
    ]
}
