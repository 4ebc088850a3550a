//! Selections: which cases of a suite are to be run, on which releases.

use std::collections::BTreeMap;

use itertools::{Either, Itertools, iproduct};
use serde::{Deserialize, Serialize};

use crate::{
    Backend, Case, Emptied, Fault, Filter, Point, Profile, ReleaseName, Releases, Role, Rule,
    SelectError, Shard, Strengths, Suite, Tuple, excluded,
};

/// What is asked for. The default is the suite `tck` on libvirt, with every known release at every
/// place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Selection {
    /// The suite.
    pub suite: Suite,
    /// How much of it; `None` for the suite's own [profile](Suite::profile).
    pub profile: Option<Profile>,
    /// What runs it.
    pub backend: Backend,
    /// The releases whose client makes the call; all known ones if empty.
    pub clients: Vec<ReleaseName>,
    /// The releases that guests come from; all known ones if empty.
    pub sources: Vec<ReleaseName>,
    /// The releases that guests go to; all known ones if empty.
    pub destinations: Vec<ReleaseName>,
    /// Two releases, for the 8 tuples of them, instead of the three lists.
    pub boundary: Option<(ReleaseName, ReleaseName)>,
    /// What a case must match.
    pub filter: Option<Filter>,
    /// These very cases, instead of a suite's product. What follows holds for them as well: the
    /// filter, the cover and the shard.
    pub names: Vec<Case>,
    /// Only a cover of these strengths.
    pub cover: Option<Strengths>,
    /// Cases that the cover has to have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<Case>,
    /// What the cover's random choices begin with.
    #[serde(skip_serializing_if = "is_usual")]
    pub cover_seed: u64,
    /// Only this part of the rest.
    pub shard: Option<Shard>,
}

impl Selection {
    /// The selected cases: all those of one source and destination together, so that hosts can be
    /// used again, of these all of one client together. Those of a cover stand so within its levels: first
    /// those in which each value occurs, with them those that it has to have, then those by which all pairs
    /// of values do, and so on, so that a run that ends early has covered the smaller strengths.
    ///
    /// # Errors
    /// Returns what contradicts itself or is not known, and what leaves no case at all.
    pub fn cases(&self, releases: &Releases) -> Result<Vec<Case>, SelectError> {
        self.part(self.whole(releases)?)
    }

    /// The selected cases, of all shards.
    ///
    /// # Errors
    /// As [`Selection::cases`].
    pub fn whole(&self, releases: &Releases) -> Result<Vec<Case>, SelectError> {
        if let Some(strengths) = &self.cover {
            return self.covered(strengths, releases);
        }
        let cases: Vec<Case> = self.matching(releases)?.try_collect()?;
        if cases.is_empty() {
            return Err(self.emptied(releases)?);
        }
        Ok(cases)
    }

    /// Those of the whole's cases that are in the shard, if there is one.
    ///
    /// # Errors
    /// Returns the shard where none is.
    pub fn part(&self, cases: Vec<Case>) -> Result<Vec<Case>, SelectError> {
        let Some(shard) = self.shard else {
            return Ok(cases);
        };
        let of = cases.len();
        let part = shard.of(cases);
        if part.is_empty() {
            let by = Emptied::Shard(shard);
            return Err(SelectError::Empty { by, of });
        }
        Ok(part)
    }

    /// The cases that match, one after the other, before the cover and the shard.
    ///
    /// # Errors
    /// Returns what contradicts itself or is not known, now or in place of a case.
    pub fn matching<'a>(
        &'a self,
        releases: &'a Releases,
    ) -> Result<impl Iterator<Item = Result<Case, SelectError>> + 'a, SelectError> {
        let matching = self.allowed(releases)?.filter_map(|case| {
            let keeps = self.keeps(&case, releases);
            keeps.map(|keeps| keeps.then_some(case)).transpose()
        });
        Ok(matching)
    }

    /// Whether the filter, if there is one, is true of the case.
    pub(crate) fn keeps(&self, case: &Case, releases: &Releases) -> Result<bool, SelectError> {
        let filter = self.filter.as_ref();
        filter.map_or(Ok(true), |filter| filter.matches(case, releases))
    }

    /// How many cases each rule leaves out, before the filter.
    ///
    /// # Errors
    /// Returns what contradicts itself or is not known.
    pub fn excluded(
        &self,
        releases: &Releases,
    ) -> Result<BTreeMap<&'static Rule, usize>, SelectError> {
        let rules = self
            .candidates(releases)?
            .filter_map(|case| excluded(&case));
        Ok(rules.counts().into_iter().collect())
    }

    fn allowed(&self, releases: &Releases) -> Result<impl Iterator<Item = Case>, SelectError> {
        let candidates = self.candidates(releases)?;
        Ok(candidates.filter(|case| excluded(case).is_none()))
    }

    /// All cases of the product, those that a rule leaves out among them.
    fn candidates(&self, releases: &Releases) -> Result<impl Iterator<Item = Case>, SelectError> {
        self.check(releases)?;
        if !self.names.is_empty() {
            return Ok(Either::Left(self.names.clone().into_iter()));
        }
        let backend = self.backend;
        let product = iproduct!(self.tuples(releases), self.points());
        Ok(Either::Right(product.map(
            move |(tuple, (point, fault))| Case {
                backend,
                tuple,
                point,
                fault,
            },
        )))
    }

    /// What is done, and what is broken on purpose.
    pub(crate) fn points(&self) -> Vec<(Point, Option<Fault>)> {
        let profile = self.profile.unwrap_or(self.suite.profile(self.backend));
        profile.points(self.backend)
    }

    /// The releases at the three places; where nobody stands between the two, each pair once.
    pub(crate) fn tuples(&self, releases: &Releases) -> Vec<Tuple> {
        let at = |place| self.chosen(place, releases);
        let [clients, sources, destinations] = Role::ALL.map(at);
        let pairs = iproduct!(sources, destinations);
        let tuple = |client, (source, destination)| Tuple {
            client,
            source,
            destination,
        };
        if !self.backend.has_client() {
            return pairs.map(|pair| tuple(pair.0.clone(), pair)).collect();
        }
        iproduct!(pairs, clients)
            .map(|(pair, client)| tuple(client, pair))
            .collect()
    }

    fn chosen(&self, place: Role, releases: &Releases) -> Vec<ReleaseName> {
        match (&self.boundary, self.given(place)) {
            (Some((below, above)), _) => vec![below.clone(), above.clone()],
            (None, []) => releases.names().cloned().collect(),
            (None, given) => given.to_vec(),
        }
    }

    fn given(&self, place: Role) -> &[ReleaseName] {
        match place {
            Role::Client => &self.clients,
            Role::Source => &self.sources,
            Role::Destination => &self.destinations,
        }
    }

    pub(crate) fn check(&self, releases: &Releases) -> Result<(), SelectError> {
        self.check_places(releases)?;
        self.check_boundary(releases)?;
        self.check_names(releases)?;
        check_cases(&self.with, releases)?;
        if let Some(profile) = self.profile.filter(|profile| profile.suite() != self.suite) {
            let suite = self.suite;
            return Err(SelectError::ForeignProfile { profile, suite });
        }
        self.check_backend()?;
        self.cover.iter().try_for_each(Strengths::check)?;
        let named = self.filter.iter().flat_map(Filter::releases);
        all_known(named, releases)
    }

    /// The names of cases have their own back ends.
    fn check_backend(&self) -> Result<(), SelectError> {
        let (suite, backend) = (self.suite, self.backend);
        if !self.names.is_empty() {
            return Ok(());
        }
        if !suite.backends().contains(&backend) {
            return Err(SelectError::ForeignBackend { backend, suite });
        }
        let foreign = |profile: &Profile| !profile.backends().contains(&backend);
        if let Some(profile) = self.profile.filter(foreign) {
            return Err(SelectError::BackendOfProfile { backend, profile });
        }
        if !backend.has_client() && !self.clients.is_empty() {
            return Err(SelectError::NoClient(backend));
        }
        Ok(())
    }

    fn check_places(&self, releases: &Releases) -> Result<(), SelectError> {
        for place in Role::ALL {
            let given = self.given(place);
            all_known(given, releases)?;
            if let Some(name) = given.iter().duplicates().next() {
                let name = name.clone();
                return Err(SelectError::ReleaseTwice { name, place });
            }
        }
        Ok(())
    }

    fn check_boundary(&self, releases: &Releases) -> Result<(), SelectError> {
        let Some((below, above)) = &self.boundary else {
            return Ok(());
        };
        all_known([below, above], releases)?;
        if below == above {
            return Err(SelectError::FlatBoundary(below.clone()));
        }
        match Role::ALL
            .into_iter()
            .find(|place| !self.given(*place).is_empty())
        {
            Some(place) => Err(SelectError::BoundaryAndPlace(place)),
            None => Ok(()),
        }
    }

    fn check_names(&self, releases: &Releases) -> Result<(), SelectError> {
        let placed = Role::ALL.iter().any(|place| !self.given(*place).is_empty());
        if !self.names.is_empty() && (placed || self.boundary.is_some()) {
            return Err(SelectError::NamesAndPlaces);
        }
        check_cases(&self.names, releases)
    }

    /// What left no case to match.
    pub(crate) fn emptied(&self, releases: &Releases) -> Result<SelectError, SelectError> {
        let of = self.allowed(releases)?.count();
        let by = match &self.filter {
            Some(filter) if of > 0 => match self.other_profile(releases) {
                Some((other, on)) => Emptied::FilterOfOthers(filter.to_string(), other, on),
                None => Emptied::Filter(filter.to_string()),
            },
            Some(_) | None => Emptied::Releases,
        };
        Ok(SelectError::Empty { by, of })
    }
}

/// How many cases of another profile are looked at for one that matches.
const LOOKED_AT: usize = 50_000;

impl Selection {
    /// Another profile that has cases of which the filter is true, or this one on another back end; those
    /// of the same suite first. The back end in memory is nobody's answer.
    fn other_profile(&self, releases: &Releases) -> Option<(Profile, Backend)> {
        let (own, others): (Vec<Profile>, Vec<Profile>) = Profile::ALL
            .iter()
            .filter(|_| self.names.is_empty())
            .partition(|profile| profile.suite() == self.suite);
        let mut all = own.into_iter().chain(others).flat_map(|profile| {
            let backends = profile.backends().iter();
            let real = backends.filter(|backend| **backend != Backend::Fake);
            real.map(move |backend| (profile, *backend))
        });
        all.find(|&(profile, backend)| {
            let clients = match backend.has_client() {
                true => self.clients.clone(),
                false => Vec::new(),
            };
            let other = Self {
                suite: profile.suite(),
                profile: Some(profile),
                backend,
                clients,
                ..self.clone()
            };
            let matching = other.matching(releases).into_iter().flatten();
            matching.take(LOOKED_AT).any(|case| case.is_ok())
        })
    }
}

/// That each case is named once, and that there can be such a case.
fn check_cases(cases: &[Case], releases: &Releases) -> Result<(), SelectError> {
    if let Some(case) = cases.iter().duplicates().next() {
        return Err(SelectError::NameTwice(case.to_string()));
    }
    for case in cases {
        all_known(case.tuple.places().map(|(_, name)| name), releases)?;
        if let Some(rule) = excluded(case) {
            let name = case.to_string();
            return Err(SelectError::Excluded { name, rule });
        }
    }
    Ok(())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_usual(seed: &u64) -> bool {
    *seed == 0
}

fn all_known<'a>(
    names: impl IntoIterator<Item = &'a ReleaseName>,
    releases: &Releases,
) -> Result<(), SelectError> {
    for name in names {
        releases.find(name)?;
    }
    Ok(())
}
