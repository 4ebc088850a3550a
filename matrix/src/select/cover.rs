//! Covers: few cases, in which every combination of T values that occurs among all occurs at least once.
//!
//! Most faults need few values to meet: a cover of strength 2 or 3 sees them with a fraction of the
//! cases. See Kuhn, Kacker, Lei: *Practical Combinatorial Testing*, NIST SP 800-142.

mod halves;
mod selected;
pub(crate) mod strengths;

use itertools::Itertools;
use migratrix_cover::{CoverError, Group, Wanted};

pub(crate) use halves::{Both, Half, Halves};
pub use strengths::{AxisGroup, BadStrengths, Strengths};

use crate::{Case, Point, SelectError, point::Facet};

/// The greatest strength that is offered; the source above knows of no fault that needs more.
pub(crate) const STRONGEST: usize = 6;

/// Cases by which every combination of `strength` values that occurs in `cases` is covered. The same cases
/// always have the same cover.
///
/// The axes are those of [`Case::facets`], each flag and feature for itself, and the suite, the back end
/// and the fault. Where fewer than `strength` axes vary, the cover is all cases.
///
/// Each source with each destination has at least one case in it, whatever the strength.
///
/// # Errors
/// Returns a strength of 0, and how many combinations there are where these are too many.
pub fn cover(cases: &[Case], strength: usize) -> Result<Vec<Case>, SelectError> {
    let halves = Halves::alone(cases.iter().map(facets).collect());
    let chosen = choose(&halves, &Wish::plain(strength))?;
    Ok(chosen
        .into_iter()
        .map(|(_, case)| cases[case].clone())
        .collect())
}

/// Of the points those by which every combination of `strength` values that occurs in them is covered, in
/// their order. A profile has them, so that they stay the same whatever becomes of the search for few cases.
pub(crate) fn cover_points(points: Vec<Point>, strength: usize) -> Vec<Point> {
    let half = Half::new(points.iter().map(Point::facets).collect(), |_| true);
    let chosen = migratrix_cover::among(&half.sizes, strength, &half.rows);
    let chosen = chosen.expect("a profile's points have few axes");
    chosen
        .into_iter()
        .sorted()
        .map(|point| points[point])
        .collect()
}

/// What the case is, axis by axis.
pub(crate) fn facets(case: &Case) -> Vec<Facet> {
    let mut all = case.places();
    all.extend(own_facets(case));
    all
}

/// What the case is beside its releases.
pub(crate) fn own_facets(case: &Case) -> Vec<Facet> {
    let mut all = case.point.facets();
    all.push(Facet::of("suite", case.suite()));
    all.push(Facet::of("backend", case.backend));
    all.extend(case.fault.map(|fault| Facet::of("fault", fault)));
    all
}

/// What a cover is to be.
pub(crate) struct Wish {
    pub(crate) strengths: Strengths,
    /// What it has to have.
    pub(crate) kept: Vec<Both>,
    pub(crate) seed: u64,
}

impl Wish {
    fn plain(strength: usize) -> Self {
        Self {
            strengths: strength.into(),
            kept: Vec::new(),
            seed: 0,
        }
    }
}

/// Those that cover what is wished: first those that cover strength 1, then those that it takes for 2, and
/// so on, and among these in their order. A strength is that of the axes that vary.
pub(crate) fn choose(halves: &Halves, wish: &Wish) -> Result<Vec<Both>, CoverError> {
    let columns: Vec<&String> = halves.columns().collect();
    if columns.is_empty() {
        let first = halves.first().filter(|_| wish.kept.is_empty());
        return Ok(wish.kept.iter().copied().chain(first).collect());
    }
    let cover = migratrix_cover::cover(&halves.model(), &wanted(halves, &columns, wish))?;
    let mut chosen = halves.found(&cover.rows);
    chosen[..wish.kept.len()].copy_from_slice(&wish.kept);
    let mut begin = 0;
    for end in cover.levels {
        chosen[begin..end].sort_unstable();
        begin = end;
    }
    Ok(chosen)
}

fn wanted(halves: &Halves, columns: &[&String], wish: &Wish) -> Wanted {
    let group = |axes: &[String], strength: usize| {
        let places = axes
            .iter()
            .filter_map(|axis| columns.iter().position(|column| *column == axis));
        let columns: Vec<usize> = places.collect();
        let strength = strength.min(columns.len());
        (strength > 0).then_some(Group { columns, strength })
    };
    let groups = wish.strengths.groups.iter();
    let groups = groups.filter_map(|one| group(&one.axes, one.strength));
    let pairs = group(&["source", "destination"].map(str::to_owned), 2);
    Wanted {
        strength: wish.strengths.strength.min(columns.len()),
        groups: groups.chain(pairs).collect(),
        kept: wish.kept.iter().map(|both| halves.row(*both)).collect(),
        seed: wish.seed,
        steps: Wanted::STEPS,
    }
}
