//! The cover of a selection.

use itertools::Itertools;

use crate::{
    AxisGroup, Case, Fault, Point, Releases, SelectError, Selection, Strengths, Tuple, excluded,
    point::Facet,
    select::cover::{Both, Halves, STRONGEST, Wish, choose, facets, own_facets},
    word::find,
};

/// What cases are made of.
enum Parts<'a> {
    /// Any of the tuples, with any of the points.
    Product(Vec<Tuple>, Vec<(Point, Option<Fault>)>),
    /// These, and no others.
    Cases(&'a [Case]),
}

impl Selection {
    /// The cover of the cases that match: what is held of them is which points go with each tuple.
    pub(crate) fn covered(
        &self,
        strengths: &Strengths,
        releases: &Releases,
    ) -> Result<Vec<Case>, SelectError> {
        self.check(releases)?;
        let parts = match &*self.names {
            [] => Parts::Product(self.tuples(releases), self.points()),
            names => Parts::Cases(names),
        };
        let halves = self.halves(&parts, releases)?;
        if halves.is_empty() {
            return Err(self.emptied(releases)?);
        }
        check_axes(strengths, &halves)?;
        let kept = self
            .with
            .iter()
            .map(|case| self.kept(case, &parts, &halves));
        let wish = Wish {
            strengths: strengths.clone(),
            kept: kept.try_collect()?,
            seed: self.cover_seed,
        };
        let chosen = choose(&halves, &wish)?.into_iter();
        Ok(chosen.map(|both| self.case(&parts, both)).collect())
    }

    fn halves(&self, parts: &Parts, releases: &Releases) -> Result<Halves, SelectError> {
        let case = |both| self.case(parts, both);
        let (left, right): (Vec<Vec<Facet>>, Vec<Vec<Facet>>) = match parts {
            Parts::Product(tuples, points) if !tuples.is_empty() && !points.is_empty() => (
                (0..tuples.len())
                    .map(|left| case((left, 0)).places())
                    .collect(),
                (0..points.len())
                    .map(|right| own_facets(&case((0, right))))
                    .collect(),
            ),
            Parts::Product(..) => (Vec::new(), Vec::new()),
            Parts::Cases(cases) => (vec![Vec::new()], cases.iter().map(facets).collect()),
        };
        Halves::new(left, right, |both| {
            let case = case(both);
            Ok(excluded(&case).is_none() && self.keeps(&case, releases)?)
        })
    }

    fn case(&self, parts: &Parts, (left, right): Both) -> Case {
        match parts {
            Parts::Product(tuples, points) => {
                let (point, fault) = points[right];
                Case {
                    backend: self.backend,
                    tuple: tuples[left].clone(),
                    point,
                    fault,
                }
            }
            Parts::Cases(cases) => cases[right].clone(),
        }
    }

    /// Where the case is that has to be in the cover.
    fn kept(&self, case: &Case, parts: &Parts, halves: &Halves) -> Result<Both, SelectError> {
        let found = match parts {
            Parts::Product(tuples, points) if case.backend == self.backend => {
                let left = tuples.iter().position(|tuple| *tuple == case.tuple);
                let right = points
                    .iter()
                    .position(|one| *one == (case.point, case.fault));
                left.zip(right)
            }
            Parts::Product(..) => None,
            Parts::Cases(cases) => cases
                .iter()
                .position(|one| one == case)
                .map(|place| (0, place)),
        };
        let found = found.filter(|both| halves.has(*both));
        found.ok_or_else(|| SelectError::NotSelected(case.to_string()))
    }
}

impl Strengths {
    /// That that of all axes is one that there can be, whatever the cases are.
    pub(crate) fn check(&self) -> Result<(), SelectError> {
        in_range(self.strength)
    }
}

impl AxisGroup {
    /// That its axes are of these cases and, only then, that as many can be combined.
    fn check(&self, halves: &Halves) -> Result<(), SelectError> {
        let known: Vec<_> = halves.axes().cloned().collect();
        for axis in &self.axes {
            let parts = halves.asked_by(axis);
            if !parts.is_empty() && !known.contains(axis) {
                let word = axis.clone();
                return Err(SelectError::NoOneAxis { word, parts });
            }
            find("axis of these cases", axis, known.iter().cloned())?;
        }
        in_range(self.strength)?;
        let axes = self.axes.iter().unique().count();
        if axes < self.axes.len() || axes < self.strength {
            let group = self.to_string();
            return Err(SelectError::SmallGroup { group, axes });
        }
        Ok(())
    }
}

fn in_range(strength: usize) -> Result<(), SelectError> {
    if (1..=STRONGEST).contains(&strength) {
        Ok(())
    } else {
        Err(SelectError::Strength(strength))
    }
}

/// That the cases have the axes that are named, and as many that vary as are to be combined.
fn check_axes(strengths: &Strengths, halves: &Halves) -> Result<(), SelectError> {
    for group in &strengths.groups {
        group.check(halves)?;
    }
    let varying: Vec<String> = halves.columns().cloned().collect();
    let strength = strengths.strength;
    // Where none varies there is one case, which is its own cover.
    if !varying.is_empty() && strength > varying.len() {
        return Err(SelectError::FewAxes { strength, varying });
    }
    Ok(())
}
