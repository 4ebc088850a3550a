//! The timeline of an attempt: its steps, and what both sides told meanwhile, on one axis.

mod draw;
mod scale;
#[cfg(test)]
mod tests;

use migratrix_history::{
    DomainState, Entry, History, JobStats, Observation, Outcome, Pending, Side,
};

pub use draw::timeline;

/// What is drawn of a history.
#[derive(Debug, Default, PartialEq)]
struct Chart {
    /// When the last thing was seen, in microseconds; so are all other moments.
    end: u64,
    steps: Vec<Step>,
    source: Lane,
    destination: Lane,
}

/// A step of the script.
#[derive(Debug, PartialEq)]
struct Step {
    began: u64,
    ended: u64,
    text: String,
    end: End,
}

/// How a step ended.
#[derive(Debug, PartialEq)]
enum End {
    Done,
    Refused(String),
    Unknown(String),
}

/// What one side told.
#[derive(Debug, Default, PartialEq)]
struct Lane {
    statuses: Vec<Status>,
    marks: Vec<Mark>,
    /// How much of the memory was sent by when, from 0 to 1.
    progress: Vec<(u64, f64)>,
}

/// A state that the migration was in on a side.
#[derive(Debug, PartialEq)]
struct Status {
    from: u64,
    to: u64,
    text: String,
}

/// Something that a side told at a moment.
#[derive(Debug, PartialEq)]
struct Mark {
    at: u64,
    kind: MarkKind,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MarkKind {
    /// It sent an event.
    Event,
    /// It was asked for the state of the domain, or of the job.
    State,
    /// The guest's laps were read.
    Laps,
    /// It was lost, or something is left on it.
    Trouble,
}

impl Chart {
    fn of(history: &History) -> Self {
        let mut chart = Self {
            end: history
                .entries
                .iter()
                .map(|one| one.at_us)
                .max()
                .unwrap_or(0),
            ..Self::default()
        };
        history.entries.iter().for_each(|entry| chart.take(entry));
        let end = chart.end;
        for lane in [&mut chart.source, &mut chart.destination] {
            lane.marks.sort_by_key(|mark| mark.at);
            if let Some(last) = lane.statuses.last_mut() {
                last.to = end;
            }
        }
        chart
    }

    fn take(&mut self, Entry { at_us, saw }: &Entry) {
        let at = *at_us;
        if let Observation::Began { step, .. } = saw {
            self.begin(at, step);
        }
        if let (Observation::Ended { outcome, .. }, Some(step)) = (saw, self.steps.last_mut()) {
            step.ended = at;
            step.end = End::of(outcome);
        }
        if let Observation::Status { side, status } = saw {
            self.lane(*side).change(at, status);
        }
        if let Observation::Job { side, job } | Observation::JobEnded { side, job } = saw {
            let sent = sent(job).map(|sent| (at, sent));
            self.lane(*side).progress.extend(sent);
        }
        if let Some((side, kind, text)) = told(saw) {
            self.lane(side).marks.push(Mark { at, kind, text });
        }
    }

    fn begin(&mut self, at: u64, step: &str) {
        self.steps.push(Step {
            began: at,
            ended: self.end,
            text: step.to_owned(),
            end: End::Unknown("it did not end".to_owned()),
        });
    }

    fn lane(&mut self, side: Side) -> &mut Lane {
        match side {
            Side::Source => &mut self.source,
            Side::Destination => &mut self.destination,
        }
    }

    /// The steps that did not end as they should, and what was said of each.
    fn troubles(&self) -> impl Iterator<Item = (&Step, &str)> {
        self.steps.iter().filter_map(|step| match &step.end {
            End::Done => None,
            End::Refused(why) | End::Unknown(why) => Some((step, why.as_str())),
        })
    }
}

impl Lane {
    fn change(&mut self, at: u64, status: &str) {
        if let Some(last) = self.statuses.last_mut() {
            last.to = at;
        }
        self.statuses.push(Status {
            from: at,
            to: at,
            text: status.to_owned(),
        });
    }
}

impl End {
    fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::Done,
            Outcome::Refused(refusal) => Self::Refused(refusal.message.clone()),
            Outcome::Unknown { why } => Self::Unknown(why.clone()),
        }
    }
}

/// How much of the memory a job has sent.
fn sent(job: &JobStats) -> Option<f64> {
    let (total, remaining) = (job.memory_total?, job.memory_remaining?);
    #[expect(clippy::cast_precision_loss, reason = "it is drawn, and less is seen")]
    let share = 1.0 - remaining.min(total) as f64 / total.max(1) as f64;
    Some(share)
}

fn told_job(job: &JobStats) -> String {
    let mut text = format!("job {}", job.kind);
    if let Some(downtime) = job.downtime_ms {
        text += &format!(", downtime {downtime} ms");
    }
    text
}

/// What is marked of an observation, if anything is.
fn told(saw: &Observation) -> Option<(Side, MarkKind, String)> {
    Some(match saw {
        Observation::Lifecycle {
            side,
            event,
            detail,
        } => (*side, MarkKind::Event, format!("{event} ({detail})")),
        Observation::Event { side, event, .. } => (*side, MarkKind::Event, event.clone()),
        Observation::Iteration { side, iteration } => {
            (*side, MarkKind::Event, format!("pass {iteration}"))
        }
        Observation::Domain { side, look, .. } => (*side, MarkKind::State, state(look)),
        Observation::Job { side, job } | Observation::JobEnded { side, job } => {
            (*side, MarkKind::State, told_job(job))
        }
        Observation::Beat {
            side, first, last, ..
        } => (*side, MarkKind::Laps, format!("laps {first}–{last}")),
        Observation::HostLost { side, why, .. } => {
            (*side, MarkKind::Trouble, format!("host lost: {why}"))
        }
        Observation::Leftovers { side, left } if !left.is_empty() => (
            *side,
            MarkKind::Trouble,
            format!("left: {}", left.join(", ")),
        ),
        Observation::Struck { strike, side, .. } => (
            side.unwrap_or(Side::Source),
            MarkKind::Trouble,
            format!("struck: {strike}"),
        ),
        Observation::Stood { moment, .. } => {
            (Side::Source, MarkKind::State, format!("stands at {moment}"))
        }
        Observation::Pending {
            side,
            pending: Pending::Job { kind },
            ..
        } => (*side, MarkKind::State, format!("job {kind}")),
        // Steps and statuses are drawn as spans, and what was measured has no moment of its own.
        Observation::Began { .. }
        | Observation::Ended { .. }
        | Observation::Status { .. }
        | Observation::Leftovers { .. }
        | Observation::Versions(_)
        | Observation::Description { .. }
        | Observation::Memory { .. }
        | Observation::Ram { .. }
        | Observation::Command { .. }
        | Observation::Settings { .. }
        | Observation::Channels { .. }
        | Observation::Device { .. }
        | Observation::Stream { .. }
        | Observation::Colo { .. }
        | Observation::Mirror { .. }
        | Observation::Monitor { .. }
        | Observation::Bitmaps { .. }
        | Observation::Written { .. }
        | Observation::Compared { .. }
        | Observation::Sectors { .. }
        | Observation::Traffic(_)
        | Observation::NotCaptured { .. }
        | Observation::Carriers { .. }
        | Observation::Wire { .. }
        | Observation::Userfaults { .. }
        | Observation::Waited { .. }
        | Observation::Unowned { .. }
        | Observation::NotOurs { .. }
        | Observation::Beside { .. }
        | Observation::Answered { .. }
        | Observation::Unanswered { .. }
        | Observation::Watched { .. }
        | Observation::Daemon { .. }
        | Observation::Pending { .. }
        | Observation::Stock { .. }
        | Observation::Healed { .. }
        | Observation::Fault { .. }
        | Observation::Note { .. } => return None,
    })
}

fn state(look: &DomainState) -> String {
    match look {
        DomainState::Absent => "no domain".to_owned(),
        DomainState::Present(domain) => format!("{} ({})", domain.state, domain.reason),
    }
}
