//! A pace to look at something by.

use std::{mem::replace, time::Duration};

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

/// Ticks at once, and then each time when this has gone by since the last one.
///
/// The first tick of tokio's own interval takes a millisecond, and wakes the process twice: its clock has no
/// finer one.
pub(crate) struct Ticks {
    next: Interval,
    begun: bool,
}

impl Ticks {
    pub(crate) fn every(time: Duration) -> Self {
        let mut next = interval_at(Instant::now() + time, time);
        next.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { next, begun: false }
    }

    pub(crate) async fn tick(&mut self) {
        if replace(&mut self.begun, true) {
            self.next.tick().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_tick_takes_no_time_and_each_other_one_its_own() {
        let (began, second) = (Instant::now(), Duration::from_secs(1));
        let mut ticks = Ticks::every(second);
        for passed in 0..3 {
            ticks.tick().await;
            assert_eq!(began.elapsed(), second * passed);
        }
        tokio::time::advance(second * 5 / 2).await;
        ticks.tick().await;
        ticks.tick().await;
        assert_eq!(began.elapsed(), second * 11 / 2);
    }
}
