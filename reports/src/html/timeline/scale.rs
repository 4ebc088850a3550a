//! The axis: which place a moment has on it.
//!
//! Waits are much longer than what is done between them, so that on an even axis nothing could be told
//! apart. Here a span takes room by the square root of its time: order and simultaneity are kept, what is
//! long stays longer, and the moments themselves stand at the axis.

/// The places of moments, from one edge to another.
pub struct Scale {
    /// Moments, each with its place.
    knots: Vec<(u64, f64)>,
}

impl Scale {
    /// The scale on which these moments share the room between two places.
    pub fn of(moments: impl IntoIterator<Item = u64>, from: f64, to: f64) -> Self {
        let mut moments: Vec<u64> = moments.into_iter().chain([0]).collect();
        moments.sort_unstable();
        moments.dedup();
        let mut sum = 0.0;
        let mut last = 0;
        let weighed = moments.into_iter().map(|moment| {
            #[expect(clippy::cast_precision_loss, reason = "it is drawn, and less is seen")]
            let span = (moment - last) as f64;
            sum += span.sqrt();
            last = moment;
            (moment, sum)
        });
        let mut knots: Vec<_> = weighed.collect();
        let whole = knots.last().map_or(1.0, |(_, sum)| sum.max(1.0));
        for (_, place) in &mut knots {
            *place = from + *place / whole * (to - from);
        }
        Self { knots }
    }

    /// The place of a moment.
    pub fn place(&self, at: u64) -> f64 {
        let next = self.knots.partition_point(|(moment, _)| *moment < at);
        let place = |at: usize| self.knots.get(at).map(|(_, place)| *place);
        match (
            next.checked_sub(1).map(|at| self.knots[at]),
            self.knots.get(next),
        ) {
            (Some((before, from)), Some((after, to))) => {
                #[expect(clippy::cast_precision_loss, reason = "it is drawn, and less is seen")]
                let share = (at - before) as f64 / (after - before) as f64;
                from + share * (to - from)
            }
            (None, _) => place(0).unwrap_or(0.0),
            (Some((_, last)), None) => last,
        }
    }

    /// Moments to be told at the axis, so that their places are this far apart.
    pub fn ticks(&self, apart: f64) -> Vec<(u64, f64)> {
        let mut ticks: Vec<(u64, f64)> = Vec::new();
        for (moment, place) in &self.knots {
            if ticks.last().is_none_or(|(_, last)| place - last >= apart) {
                ticks.push((*moment, *place));
            }
        }
        ticks
    }
}
