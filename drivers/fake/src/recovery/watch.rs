//! What is seen of both sides while they are watched: no look is missed, for nothing changes between two steps.

use std::time::Instant;

use migratrix_contract::Recorder;
use migratrix_history::{Glimpse, Observation, Side, Watcher};

use super::place;
use crate::{driver::FakeDriver, migration::tick};

/// Since when each side is as it is, and how it was before.
#[derive(Debug, Default)]
pub(super) struct Watch {
    sides: [Vec<(u64, Glimpse)>; 2],
}

/// How many looks a stretch is said to have.
const LOOKS: u32 = 3;

impl FakeDriver {
    /// Looks at both sides, if they are watched.
    pub(super) fn glimpse(&mut self, record: &mut Recorder) {
        let now = record.at_us(Instant::now());
        let seen = [Side::Source, Side::Destination].map(|side| (side, self.is(side)));
        let Some(watch) = &mut self.flight.watch else {
            return;
        };
        for (side, glimpse) in seen {
            let own = &mut watch.sides[place(side)];
            if own.last().is_none_or(|(_, last)| *last != glimpse) {
                own.push((now, glimpse));
            }
        }
        tick(record);
    }

    fn is(&mut self, side: Side) -> Glimpse {
        let host = self.host(side);
        host.active
            .as_ref()
            .map_or(Glimpse::Absent, |active| Glimpse::State {
                state: active.activity.word().to_owned(),
                reason: active.reason.to_owned(),
            })
    }

    /// Tells all that was seen.
    pub(super) fn unwatch(&mut self, record: &mut Recorder) {
        let end = record.at_us(Instant::now());
        let Some(watch) = self.flight.watch.take() else {
            return;
        };
        for (side, own) in [Side::Source, Side::Destination]
            .into_iter()
            .zip(watch.sides)
        {
            let ends = own.iter().skip(1).map(|(from, _)| *from).chain([end]);
            let ends: Vec<u64> = ends.collect();
            for ((from_us, glimpse), to_us) in own.into_iter().zip(ends) {
                record.saw(Observation::Watched {
                    side,
                    by: Watcher::Libvirt,
                    from_us,
                    to_us,
                    looks: LOOKS,
                    slowest_us: 0,
                    glimpse,
                    laps: None,
                });
            }
        }
    }
}
