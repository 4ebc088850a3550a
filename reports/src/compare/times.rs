//! Whether one side is slower than the other: by all cases that passed on both, each with itself.

use serde::Serialize;

use super::{outcome::Outcomes, quantile::quantile, signed_rank::two_sided_p};

/// How many cases it takes to say anything.
const FEWEST: usize = 20;
/// How improbable a difference by chance must be.
const SIGNIFICANT: f64 = 0.01;
/// By how much the median must have moved to be worth a word, however sure it is.
const WORTH_IT: f64 = 1.02;

/// How long the cases took on the two sides.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Times {
    /// What is said of them.
    pub pace: Pace,
    /// How many cases passed on both sides.
    pub pairs: usize,
    /// The median of the ratios of the times of a case, new to old: above 1 is slower.
    pub median_ratio: f64,
    /// The ratios within which the middle half of the cases lies.
    pub quartiles: [f64; 2],
    /// The probability of such ranks where nothing but chance has changed.
    pub p: f64,
    /// The test that gave it.
    pub test: &'static str,
}

/// Whether the new side is slower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Pace {
    /// It is.
    Slower,
    /// It is faster.
    Faster,
    /// Neither can be told.
    Alike,
}

/// How long the cases took that passed on both sides, where there are enough of them.
pub(super) fn times(old: &Outcomes<'_>, new: &Outcomes<'_>) -> Option<Times> {
    let log_ratio = |case| Some((new.elapsed_ms(case)? / old.elapsed_ms(case)?).ln());
    let mut logs: Vec<f64> = old.cases().filter_map(log_ratio).collect();
    if logs.len() < FEWEST {
        return None;
    }
    logs.sort_by(f64::total_cmp);
    let at = |share| quantile(&logs, share).map(f64::exp);
    let (median_ratio, p) = (at(0.5)?, two_sided_p(&logs));
    let pace = match p < SIGNIFICANT {
        true if median_ratio >= WORTH_IT => Pace::Slower,
        true if median_ratio <= 1.0 / WORTH_IT => Pace::Faster,
        true | false => Pace::Alike,
    };
    Some(Times {
        pace,
        pairs: logs.len(),
        median_ratio,
        quartiles: [at(0.25)?, at(0.75)?],
        p,
        test: "Wilcoxon signed-rank on the logarithms of the ratios, two-sided",
    })
}

impl Times {
    /// What is said, in a line.
    pub(crate) fn told(&self) -> String {
        let Self {
            pairs,
            median_ratio,
            quartiles: [low, high],
            p,
            ..
        } = self;
        let pace = match self.pace {
            Pace::Slower => "slower",
            Pace::Faster => "faster",
            Pace::Alike => "not slower or faster, as far as can be told",
        };
        let p = if *p < 0.001 {
            "p < 0.001".to_owned()
        } else {
            format!("p = {p:.3}")
        };
        format!(
            "{pace}: {pairs} cases that passed on both sides took {median_ratio:.2} times as long in the \
             median, the middle half of them {low:.2} to {high:.2} ({p}, Wilcoxon signed-rank test on the \
             logarithms of the ratios)"
        )
    }
}
