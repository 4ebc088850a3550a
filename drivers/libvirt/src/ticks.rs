//! A pace to look at something by.

use std::{mem::replace, sync::LazyLock, time::Duration};

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

/// Where the moments that are the same for all begin.
static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Ticks at once, and then again and again.
///
/// The first tick of tokio's own interval takes a millisecond, and wakes the process twice: its clock has no
/// finer one.
pub(crate) struct Ticks {
    next: Interval,
    begun: bool,
}

impl Ticks {
    /// Each time when this has gone by since the last tick.
    pub(crate) fn every(time: Duration) -> Self {
        Self::from(time, time, MissedTickBehavior::Delay)
    }

    /// At the moments that are the same for all who have this pace, so that the process wakes once for all cases
    /// that wait: the second tick comes after half of the time to one and a half of it.
    pub(crate) fn in_step(time: Duration) -> Self {
        let gone = BEGINNING.elapsed().as_nanos() % time.as_nanos().max(1);
        let gone = Duration::from_nanos(u64::try_from(gone).unwrap_or(0));
        let left = time.saturating_sub(gone);
        let first = if left < time / 2 { left + time } else { left };
        Self::from(first, time, MissedTickBehavior::Skip)
    }

    fn from(first: Duration, time: Duration, missed: MissedTickBehavior) -> Self {
        let mut next = interval_at(Instant::now() + first, time);
        next.set_missed_tick_behavior(missed);
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

    #[tokio::test(start_paused = true)]
    async fn those_of_one_pace_tick_together_whenever_they_were_begun() {
        let second = Duration::from_secs(1);
        let mut moments = Vec::new();
        for tenth in 0..10 {
            tokio::time::advance(second * tenth / 10).await;
            let (at, mut ticks) = (Instant::now(), Ticks::in_step(second));
            ticks.tick().await;
            assert_eq!(at.elapsed(), Duration::ZERO);
            ticks.tick().await;
            let gone = at.elapsed();
            assert!((second / 2..=second * 3 / 2).contains(&gone), "{gone:?}");
            moments.push(BEGINNING.elapsed().subsec_millis());
        }
        assert_eq!(moments, [moments[0]; 10]);
    }
}
