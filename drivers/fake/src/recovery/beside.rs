//! The guests that migrate beside the case's own, in memory: no more than what is told of them.

use std::time::Instant;

use migratrix_contract::Recorder;
use migratrix_history::{CallBeside, Deed, Glimpse, Observation, Outcome, Side};
use migratrix_matrix::{Companion, Fate, Strike};

use super::RecoveryDefect;
use crate::{driver::FakeDriver, migration::tick, refusal};

impl FakeDriver {
    /// They migrate, and each call is answered.
    pub(super) fn beside(&self, strike: Strike, record: &mut Recorder) -> Deed {
        let began_us = record.at_us(Instant::now());
        tick(record);
        let ended_us = record.at_us(Instant::now());
        let guests = strike.companions().iter().map(|companion| {
            let call = CallBeside {
                from: companion.from,
                began_us,
                ended_us: Some(ended_us),
                outcome: outcome(*companion),
            };
            self.betray_call(*companion, call)
        });
        Deed::Beside {
            guests: guests.collect(),
        }
    }

    /// What a defect makes of a call.
    fn betray_call(&self, companion: Companion, call: CallBeside) -> CallBeside {
        let is_cancelled = companion.fate == Fate::Cancelled;
        match self.flight.defect {
            Some(RecoveryDefect::BesideTooSoon) => CallBeside {
                began_us: 0,
                ..call
            },
            Some(RecoveryDefect::BesideTooLate) => CallBeside {
                ended_us: Some(u64::MAX),
                ..call
            },
            Some(RecoveryDefect::BesideUnanswered) => CallBeside {
                ended_us: None,
                outcome: Outcome::Unknown {
                    why: "no answer".to_owned(),
                },
                ..call
            },
            Some(RecoveryDefect::BesideRefused) => CallBeside {
                outcome: Outcome::Refused(refusal::unreasoned()),
                ..call
            },
            Some(RecoveryDefect::BesideNotCancelled) if is_cancelled => CallBeside {
                outcome: Outcome::Done,
                ..call
            },
            Some(_) | None => call,
        }
    }

    /// Tells how each stands on both sides.
    pub(super) fn tell_beside(&self, strike: Strike, record: &mut Recorder) {
        for (guest, companion) in (0..).zip(strike.companions()) {
            let [source, destination] = Side::BOTH.map(|side| self.stands(*companion, side));
            record.saw(Observation::Beside {
                guest,
                source,
                destination,
            });
        }
    }

    fn stands(&self, companion: Companion, side: Side) -> Glimpse {
        let is_there = companion.to() == side;
        let is_cancelled = companion.fate == Fate::Cancelled;
        match self.flight.defect {
            Some(RecoveryDefect::BesideStays) => is(companion.from == side),
            Some(RecoveryDefect::BesideLost) => Glimpse::Absent,
            Some(RecoveryDefect::CancelledLost) if is_cancelled => Glimpse::Absent,
            Some(RecoveryDefect::BesideTwice) => is(true),
            Some(RecoveryDefect::BesidePaused) if is_there => state("paused", "migration"),
            Some(_) | None => is(is_there),
        }
    }
}

fn outcome(companion: Companion) -> Outcome {
    match companion.fate {
        Fate::Arrives => Outcome::Done,
        Fate::Cancelled => Outcome::Refused(refusal::cancelled()),
    }
}

fn is(there: bool) -> Glimpse {
    if there {
        state("running", "migrated")
    } else {
        Glimpse::Absent
    }
}

fn state(state: &str, reason: &str) -> Glimpse {
    Glimpse::State {
        state: state.to_owned(),
        reason: reason.to_owned(),
    }
}
