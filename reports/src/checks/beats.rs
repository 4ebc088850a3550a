//! What a heartbeat can carry: it was sampled for long enough, and the guest's time only goes on.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "it picks one kind of observation"
)]

use migratrix_history::{Observation, Side, When};

use super::{
    evidence::{Beat, Evidence},
    words::{moment, place},
};
use crate::Verdict;

/// How far apart two readings are at the least, in microseconds: each is a question to a process, and its
/// answer.
pub(super) const READING_US: u64 = 100;

/// For how many of its paces a guest must have been sampled before it is said to stand.
const STILL_PACES: u64 = 3;

impl Beat {
    /// Whether it was sampled for long enough to show what it shows, of a guest of this pace.
    pub const fn carries(self, pace_us: u32) -> bool {
        let least = if self.beats() {
            READING_US
        } else {
            STILL_PACES * pace_us as u64
        };
        self.window_us >= least
    }

    /// Whether there was a guest to read it of: where its QEMU has gone, it is all noughts.
    pub const fn is_of_a_guest(self) -> bool {
        self.window_us > 0 || self.last > 0
    }
}

impl Evidence<'_> {
    /// All that was sampled of the lap counter on a host at a look, in the order of the record.
    pub(super) fn beats(&self, of: Side, at: When) -> Vec<Beat> {
        let span = self.span(at);
        let entries = self.entries.iter();
        let beats = entries.filter_map(|entry| match entry.saw {
            Observation::Beat {
                side,
                when,
                first,
                last,
                window_us,
            } if (side, when) == (of, at) => Some(Beat {
                at_us: entry.at_us,
                first,
                last,
                window_us,
            }),
            _ => None,
        });
        beats.filter(|beat| beat.is_in(&span)).collect()
    }

    /// All that was sampled of it at these looks.
    pub(super) fn beats_at(&self, of: Side, looks: &[When]) -> Vec<Beat> {
        let all = looks.iter().flat_map(|at| self.beats(of, *at));
        all.collect()
    }

    /// The heartbeat on a host, where it was sampled for long enough.
    pub(super) fn beat(&self, side: Side, when: When) -> Result<Beat, Verdict> {
        let beat = self.any_beat(side, when)?;
        if beat.carries(self.header().guest.pace_us) {
            return Ok(beat);
        }
        let (place, moment) = (place(side), moment(when));
        let window = beat.window_us;
        Err(self.unseen(&format!(
            "the heartbeat on {place} was sampled {moment} for {window} µs only"
        )))
    }

    /// The heartbeat on a host, however short it was sampled.
    pub(super) fn any_beat(&self, side: Side, when: When) -> Result<Beat, Verdict> {
        let what = format!(
            "the heartbeat on {} was not sampled {}",
            place(side),
            moment(when)
        );
        let beat = self
            .beat_if_sampled(side, when)
            .ok_or_else(|| self.unseen(&what))?;
        if beat.last < beat.first {
            let (host, told) = (self.host(side), beat.told());
            return Err(Verdict::fail(format!(
                "on {host} the guest has gone back in time: {told}"
            )));
        }
        Ok(beat)
    }

    /// What is wrong with a heartbeat on a host that began with an older lap than one of these looks has seen.
    pub(super) fn gone_back(&self, on: Side, beat: Beat, since: &[When]) -> Option<Verdict> {
        let (_, seen) = self.latest_lap(since)?;
        (beat.first < seen).then(|| {
            let (host, told) = (self.host(on), beat.told());
            Verdict::fail(format!(
                "on {host} the guest has gone back in time, lap {seen} was seen before: {told}"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use migratrix_history::History;
    use migratrix_matrix::Condition;

    use super::*;
    use crate::{checks, raw_story, story};

    const TCK: &str = "tck/libvirt/trixie,bookworm,trixie/p2p";
    const RAW: &str = "qemu/qemu/bookworm,trixie/precopy/unix";

    fn good(point: &str) -> History {
        match point.starts_with("tck") {
            true => story::good(point),
            false => raw_story::good(point),
        }
    }

    /// What comes of a condition where the beats of a look are changed so.
    fn with(
        point: &str,
        (of, at): (Side, When),
        condition: Condition,
        change: fn(&mut u32, &mut u32, &mut u64),
    ) -> Verdict {
        let history = story::changed(good(point), |saw| {
            if let Observation::Beat {
                side,
                when,
                first,
                last,
                window_us,
            } = saw
            {
                if (*side, *when) == (of, at) {
                    change(first, last, window_us);
                }
            }
        });
        let mut all = checks::all(&history).into_iter();
        let own = all.find(|(one, _)| *one == condition);
        own.expect("the case has it").1
    }

    const BEFORE: (Side, When) = (Side::Source, When::Before);
    const DURING: (Side, When) = (Side::Source, When::During);
    const AFTER: (Side, When) = (Side::Destination, When::After);

    #[test]
    fn a_heartbeat_that_was_sampled_for_no_time_proves_nothing() {
        let running = format!("{TCK}/persistent-running-undefined/live");
        let raw = format!("{RAW}/running/plain");
        for (point, look, condition) in [
            (&running, BEFORE, Condition::SourceStarted),
            (&running, DURING, Condition::GuestDuringCopy),
            (&running, AFTER, Condition::Alive),
            (&raw, BEFORE, Condition::SourceStarted),
            (&raw, DURING, Condition::GuestDuringCopy),
            (&raw, DURING, Condition::Iterations),
            (&raw, AFTER, Condition::Alive),
        ] {
            let shortened = with(point, look, condition, |_, _, window| *window = 99);
            let Verdict::Unknown { why } = shortened else {
                panic!("{condition} of {point} is {shortened:?}");
            };
            assert!(why.contains("for 99 µs only"), "{why}");
            let enough = with(point, look, condition, |_, _, window| *window = 100);
            assert_eq!(enough, Verdict::Pass, "{condition} of {point}");
        }
    }

    #[test]
    fn a_guest_stands_only_if_it_was_sampled_for_several_of_its_paces() {
        let paused = format!("{TCK}/transient-paused-undefined/live");
        let raw = format!("{RAW}/stopped/plain");
        for (point, look, condition) in [
            (&paused, BEFORE, Condition::SourceStarted),
            (&paused, AFTER, Condition::Alive),
            (&raw, BEFORE, Condition::SourceStarted),
            (&raw, DURING, Condition::GuestDuringCopy),
            (&raw, AFTER, Condition::Alive),
        ] {
            let shortened = with(point, look, condition, |_, _, window| *window = 29_999);
            assert!(
                matches!(shortened, Verdict::Unknown { .. }),
                "{condition} of {point} is {shortened:?}"
            );
            let enough = with(point, look, condition, |_, _, window| *window = 30_000);
            assert_eq!(enough, Verdict::Pass, "{condition} of {point}");
        }
    }

    #[test]
    fn a_guest_that_goes_back_in_time_fails() {
        let live = format!("{TCK}/persistent-running-undefined/live");
        let raw = format!("{RAW}/running/plain");
        for (point, look, condition) in [
            (&live, DURING, Condition::GuestDuringCopy),
            (&live, AFTER, Condition::Alive),
            (&raw, DURING, Condition::GuestDuringCopy),
            (&raw, AFTER, Condition::Alive),
        ] {
            let older = with(point, look, condition, |first, last, _| {
                (*first, *last) = (2, 4);
            });
            let Verdict::Fail { why } = older else {
                panic!("{condition} of {point} is {older:?}");
            };
            assert!(why.contains("has gone back in time"), "{why}");
        }
    }

    #[test]
    fn a_guest_that_was_paused_all_the_while_stays_at_its_lap() {
        let paused = format!("{TCK}/transient-paused-undefined/live");
        let once = with(
            &paused,
            DURING,
            Condition::GuestDuringCopy,
            |_, _, window| *window = 0,
        );
        assert_eq!(once, Verdict::Pass);
        let later = with(
            &paused,
            DURING,
            Condition::GuestDuringCopy,
            |first, last, _| {
                (*first, *last) = (*first + 1, *last + 1);
            },
        );
        assert!(matches!(later, Verdict::Fail { .. }), "{later:?}");
    }

    #[test]
    fn a_guest_that_is_gone_is_not_one_that_was_sampled_for_too_short() {
        for point in ["running/plain", "stopped/plain"] {
            let gone = with(
                &format!("{RAW}/{point}"),
                AFTER,
                Condition::Alive,
                |first, last, window| (*first, *last, *window) = (0, 0, 0),
            );
            assert!(matches!(gone, Verdict::Fail { .. }), "{point}: {gone:?}");
        }
    }

    #[test]
    fn a_heartbeat_on_the_other_side_counts_whatever_was_sampled_there_later() {
        let point = format!("{RAW}/running/cancel-active");
        let mut history = good(&point);
        let own = history.entries.iter().rposition(|entry| {
            matches!(
                entry.saw,
                Observation::Beat {
                    when: When::After,
                    ..
                }
            )
        });
        let place = own.expect("it is sampled");
        for (first, last) in [(9, 9), (3, 9)] {
            let mut entry = history.entries[place].clone();
            entry.saw = Observation::Beat {
                side: Side::Destination,
                when: When::After,
                first,
                last,
                window_us: 20_000,
            };
            history.entries.insert(place + 1, entry);
        }
        let mut all = checks::all(&history).into_iter();
        let own = all.find(|(one, _)| *one == Condition::Alive);
        let verdict = own.expect("the case has it").1;
        assert!(matches!(verdict, Verdict::Fail { .. }), "{verdict:?}");
    }
}
