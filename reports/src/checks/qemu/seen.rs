//! What the history of a raw migration holds, by question.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each question picks one kind of observation"
)]

use std::collections::{BTreeMap, BTreeSet};

use migratrix_history::{Carrier, JobStats, Observation, Outcome, Refusal, Side, Verb, When};
use serde_json::Value;

use crate::{
    Verdict,
    checks::{evidence::Evidence, reasons::is_silence, words::place},
};

/// What a side says is set.
pub(in crate::checks) struct Settings<'h> {
    pub capabilities: &'h BTreeSet<String>,
    pub parameters: &'h BTreeMap<String, Value>,
}

/// The stream that lies in a file.
pub(in crate::checks) struct Stream<'h> {
    pub magic: &'h str,
    pub version: u32,
    pub devices: Option<u64>,
    pub in_place: Option<bool>,
}

/// A state of the migration or a command to it, and when it came, in microseconds.
#[derive(Clone, Copy)]
pub(in crate::checks) struct Moment<'h> {
    pub at_us: u64,
    pub word: &'h str,
}

/// The state that a side's migration came to, where that was seen.
pub(in crate::checks) fn status(saw: &Observation, of: Side) -> Option<&str> {
    match saw {
        Observation::Status { side, status } if *side == of => Some(status),
        _ => None,
    }
}

/// The arguments of a command of this name to a side, where that was seen.
pub(in crate::checks) fn command<'h>(
    saw: &'h Observation,
    of: Side,
    named: &str,
) -> Option<&'h Value> {
    match saw {
        Observation::Command {
            side,
            command,
            arguments,
        } if *side == of && command == named => Some(arguments),
        _ => None,
    }
}

impl<'h> Evidence<'h> {
    /// The states that a side's migration came through.
    pub(in crate::checks) fn statuses(&self, of: Side) -> Vec<Moment<'h>> {
        self.moments(|saw| status(saw, of))
    }

    /// The state that a side's migration came to last.
    pub(in crate::checks) fn last_status(&self, of: Side) -> Result<&'h str, Verdict> {
        let last = self.statuses(of).last().map(|moment| moment.word);
        let what = format!("the migration's state on {} was not seen", place(of));
        last.ok_or_else(|| self.unseen(&what))
    }

    /// The commands of this name that a side was sent, with their arguments.
    pub(in crate::checks) fn commands(&self, of: Side, named: &str) -> Vec<(u64, &'h Value)> {
        self.all(|saw| command(saw, of, named))
    }

    /// The events that a side sent, but for those of the migration's states and passes.
    pub(in crate::checks) fn qmp_events(&self, of: Side) -> Vec<Moment<'h>> {
        self.moments(|saw| match saw {
            Observation::Event { side, event, .. } if *side == of => Some(event.as_str()),
            _ => None,
        })
    }

    /// Every answer of a side on what is set, with its time.
    pub(in crate::checks) fn settings(&self, of: Side) -> Vec<(u64, Settings<'h>)> {
        self.all(|saw| match saw {
            Observation::Settings {
                side,
                capabilities,
                parameters,
            } if *side == of => Some(Settings {
                capabilities,
                parameters,
            }),
            _ => None,
        })
    }

    /// How many multifd channels a side had when they were counted last.
    pub(in crate::checks) fn channels(&self, of: Side) -> Option<u32> {
        self.counts(of).pop()
    }

    /// How many multifd channels a side had, count by count.
    pub(in crate::checks) fn counts(&self, of: Side) -> Vec<u32> {
        let all = self.all(|saw| match saw {
            Observation::Channels { side, count } if *side == of => Some(*count),
            _ => None,
        });
        all.into_iter().map(|(_, count)| count).collect()
    }

    /// How many `userfaultfd`s a side had when it was looked at in postcopy, and when that was, in
    /// microseconds.
    pub(in crate::checks) fn userfaults(&self, of: Side) -> Option<(u64, u32)> {
        let all = self.all(|saw| match saw {
            Observation::Userfaults { side, count } if *side == of => Some(*count),
            _ => None,
        });
        all.first().copied()
    }

    /// What a side had open for the migration when it was looked at in postcopy.
    pub(in crate::checks) fn carriers_in_postcopy(&self, of: Side) -> Option<&'h [Carrier]> {
        let (looked, _) = self.userfaults(Side::Destination)?;
        let all = self.all(|saw| match saw {
            Observation::Carriers { side, carriers } if *side == of => Some(carriers.as_slice()),
            _ => None,
        });
        let seen = all.into_iter().find(|(at_us, _)| *at_us >= looked);
        seen.map(|(_, carriers)| carriers)
    }

    /// What the case's device did on a side.
    pub(in crate::checks) fn device(&self, of: Side, at: When) -> Option<&'h [String]> {
        self.last(|saw| match saw {
            Observation::Device { side, when, did } if (*side, *when) == (of, at) => {
                Some(did.as_slice())
            }
            _ => None,
        })
    }

    pub(in crate::checks) fn stream(&self) -> Option<Stream<'h>> {
        self.last(|saw| match saw {
            Observation::Stream {
                magic,
                version,
                devices,
                in_place,
            } => Some(Stream {
                magic,
                version: *version,
                devices: *devices,
                in_place: *in_place,
            }),
            _ => None,
        })
    }

    /// Every statistics that a side gave, the oldest first.
    pub(in crate::checks) fn jobs(&self, of: Side) -> Vec<&'h JobStats> {
        let all = self.all(|saw| match saw {
            Observation::Job { side, job } if *side == of => Some(job),
            _ => None,
        });
        all.into_iter().map(|(_, job)| job).collect()
    }

    /// When a step of this kind was begun last, in microseconds.
    pub(in crate::checks) fn began(&self, of: Verb) -> Option<u64> {
        let all = self.all(|saw| match saw {
            Observation::Began { verb, .. } if *verb == of => Some(()),
            _ => None,
        });
        all.last().map(|(at_us, ())| *at_us)
    }

    /// When the first step of one of these kinds was begun after a moment, in microseconds.
    pub(in crate::checks) fn first_after(&self, moment: u64, of: &[Verb]) -> Option<u64> {
        let all = self.all(|saw| match saw {
            Observation::Began { verb, .. } if of.contains(verb) => Some(()),
            _ => None,
        });
        let mut times = all.into_iter().map(|(at_us, ())| at_us);
        times.find(|at_us| *at_us > moment)
    }

    /// The numbers of the passes over the source's memory, and when each began.
    pub(in crate::checks) fn numbered_passes(&self) -> Vec<(u64, i32)> {
        self.all(|saw| match saw {
            Observation::Iteration {
                side: Side::Source,
                iteration,
            } => Some(*iteration),
            _ => None,
        })
    }

    /// The refusal of the command to migrate, if it was refused.
    pub(in crate::checks) fn refusal(&self) -> Result<Option<&'h Refusal>, Verdict> {
        match self.migrate_ended()?.1 {
            Outcome::Done => Ok(None),
            Outcome::Refused(refusal) => Ok(Some(refusal)),
            Outcome::Unknown { .. } => Err(self.unseen("the command to migrate was not answered")),
        }
    }

    /// The refusal of a step of this kind, if one was refused.
    pub(in crate::checks) fn refused(&self, of: Verb) -> Option<&'h Refusal> {
        self.last(|saw| match saw {
            Observation::Ended {
                verb,
                outcome: Outcome::Refused(refusal),
                ..
            } if *verb == of => Some(refusal),
            _ => None,
        })
    }

    /// All that was said of why a migration failed, by either side, the plainest first: refusals and
    /// statistics, then what came of steps that could not be done, then what was left on standard
    /// error.
    pub(in crate::checks) fn complaints(&self) -> Vec<&'h str> {
        let asked = self.migrate_began().unwrap_or(0);
        let all = self.all(|saw| match saw {
            Observation::Job { job, .. } => Some((0, job.error.as_deref()?)),
            Observation::Ended { outcome, .. } => match outcome {
                Outcome::Done => None,
                Outcome::Refused(refusal) => Some((0, refusal.message.as_str())),
                Outcome::Unknown { why } => Some((1, why.as_str())),
            },
            Observation::Note { text } if !is_silence(text) => Some((2, text.as_str())),
            _ => None,
        });
        let since = all.into_iter().filter(|(at_us, _)| *at_us >= asked);
        let mut ranked: Vec<_> = since.map(|(_, complaint)| complaint).collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.into_iter().map(|(_, text)| text).collect()
    }

    /// The first complaint, for people.
    pub(in crate::checks) fn told_why(&self) -> String {
        let first = self.complaints().first().map(|text| (*text).to_owned());
        first.unwrap_or_else(|| "neither side says why".to_owned())
    }

    /// How long a state was awaited in vain, and whether a QEMU answered no more: a migration that gets nowhere is
    /// as wrong as one that ends badly.
    pub(in crate::checks) fn is_stuck(&self) -> Option<String> {
        let why = self.last(|saw| match saw {
            Observation::Ended {
                verb: Verb::Await,
                outcome: Outcome::Unknown { why },
                ..
            } if why.starts_with("no answer within") => Some(why.as_str()),
            _ => None,
        })?;
        Some(match self.silence() {
            Some(silence) => format!("{why}, and {silence}"),
            None => why.to_owned(),
        })
    }

    fn moments(&self, choose: impl Fn(&'h Observation) -> Option<&'h str>) -> Vec<Moment<'h>> {
        let all = self.all(choose).into_iter();
        all.map(|(at_us, word)| Moment { at_us, word }).collect()
    }
}

/// The words in their order, for people.
pub(in crate::checks) fn route(moments: &[Moment<'_>]) -> String {
    let words: Vec<_> = moments.iter().map(|moment| moment.word).collect();
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(", ")
    }
}
