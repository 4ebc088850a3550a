//! Wilcoxon's signed-rank test: whether paired values have moved, by the ranks of their differences.
//!
//! No library that is small has it, and the test itself is. It is exact for few pairs without ties, and by
//! the normal distribution with the correction for ties otherwise.

use libm::erfc;

/// The largest number of differences for which the distribution is counted.
const EXACT: usize = 50;

/// The probability that differences which go either way by chance alone lie as far to one side as
/// these, or farther: two-sided. Differences of nothing don't count.
pub(super) fn two_sided_p(differences: &[f64]) -> f64 {
    let mut all: Vec<f64> = differences
        .iter()
        .copied()
        .filter(|one| *one != 0.0)
        .collect();
    if all.is_empty() {
        return 1.0;
    }
    all.sort_by(|one, other| one.abs().total_cmp(&other.abs()));
    let ranked = Ranks::of(&all);
    let p = if ranked.ties == 0.0 && all.len() <= EXACT {
        exact(ranked.smaller(), all.len())
    } else {
        normal(&ranked)
    };
    p.min(1.0)
}

/// The sums of the ranks of the differences to either side.
struct Ranks {
    count: f64,
    up: f64,
    down: f64,
    /// The sum of t³ − t over the groups of t that are tied.
    ties: f64,
}

impl Ranks {
    /// Of differences in the order of their size. Those of one size share the mean of their ranks.
    fn of(sorted: &[f64]) -> Self {
        let mut ranks = Self {
            count: number(sorted.len()),
            up: 0.0,
            down: 0.0,
            ties: 0.0,
        };
        let mut before = 0;
        for group in sorted.chunk_by(|one, other| one.abs() == other.abs()) {
            let tied = number(group.len());
            let rank = number(before) + (tied + 1.0) / 2.0;
            let up = number(group.iter().filter(|one| **one > 0.0).count());
            ranks.up += rank * up;
            ranks.down += rank * (tied - up);
            ranks.ties += tied.powi(3) - tied;
            before += group.len();
        }
        ranks
    }

    fn smaller(&self) -> f64 {
        self.up.min(self.down)
    }
}

/// Counts of all 2ⁿ ways to sign n ranks those whose sum is no larger.
fn exact(sum: f64, count: usize) -> f64 {
    let whole = count * (count + 1) / 2;
    let mut ways = vec![0.0; whole + 1];
    ways[0] = 1.0;
    for rank in 1..=count {
        for total in (rank..=whole).rev() {
            ways[total] += ways[total - rank];
        }
    }
    let reached = ways.iter().enumerate();
    let reached = reached.take_while(|(total, _)| number(*total) <= sum);
    let reached: f64 = reached.map(|(_, ways)| ways).sum();
    2.0 * reached / ways.iter().sum::<f64>()
}

fn normal(ranks: &Ranks) -> f64 {
    let n = ranks.count;
    let mean = n * (n + 1.0) / 4.0;
    let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ranks.ties / 48.0;
    let z = (mean - ranks.smaller()) / variance.sqrt();
    erfc(z / std::f64::consts::SQRT_2)
}

/// A count as a number to calculate with: none here is beyond what it can hold.
fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is(p: f64, published: f64) {
        assert!((p - published).abs() < 1e-9, "{p} is not {published}");
    }

    /// Darwin's 15 pairs of maize, crossed and self-fertilized, in eighths of an inch.
    const MAIZE: [f64; 15] = [
        6., 8., 14., 16., 23., 24., 28., 29., 41., -48., 49., 56., 60., -67., 75.,
    ];

    #[test]
    fn the_maize_of_darwin_has_the_published_probability() {
        is(two_sided_p(&MAIZE), 0.041_259_765_625);
        let down = MAIZE.map(|one| -one);
        is(two_sided_p(&down), 0.041_259_765_625);
    }

    #[test]
    fn by_the_normal_distribution_it_is_what_scipy_gives() {
        let mut all = MAIZE.to_vec();
        all.sort_by(|one, other| one.abs().total_cmp(&other.abs()));
        is(normal(&Ranks::of(&all)), 0.040_888_132_911_855_91);
        let with_ties = [
            1., 1., 2., 2., 2., -1., 3., 4., -2., 5., 5., 1., 1., -3., 2., 2., 6., 7., 0., 0., -1.,
            2., 3., 3.,
        ];
        is(two_sided_p(&with_ties), 0.002_122_837_074_935_268);
        let fifty = (1..=50_i32).map(|one| f64::from(if one % 3 == 0 { -one } else { one }));
        let mut fifty: Vec<_> = fifty.collect();
        is(two_sided_p(&fifty), 0.026_166_968_171_196_46);
        is(normal(&Ranks::of(&fifty)), 0.026_730_738_547_392_646);
        fifty.push(51.0);
        assert!(two_sided_p(&fifty) < 0.02, "beyond what is counted");
    }

    #[test]
    fn what_does_not_differ_proves_nothing() {
        is(two_sided_p(&[]), 1.0);
        is(two_sided_p(&[0.0; 30]), 1.0);
        is(two_sided_p(&[1.0, -1.0, 2.0, -2.0]), 1.0);
    }
}
