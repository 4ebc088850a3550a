//! The script of a migration that is struck on its way.
//!
//! ```text
//!   start ─▶ look ─▶ watch ─▶ hold ─▶ begin ─▶ await the moment ─▶ strike ─▶ let go ─▶ undo ─▶ answer
//!                                                                                            │
//!   clear ◀─ look, survey ◀─ retry ◀─ look ◀─ heal ◀─ look, survey, take stock ◀─ settle ◀───┘
//! ```
//!
//! What lasts is undone when the call is answered, or its peers have waited for long enough. A postcopy that
//! is to be given up is let go only then.

use std::time::Duration;

use migratrix_history::{Side, When};
use migratrix_matrix::{
    Activity, Family, Lasting, Persistence, Preparation, Recovery, RecoveryFault, RecoveryMoment,
    Strike, Way,
};

use crate::{Phase, RecoveryStep, Script, Step, Uuid, Variant};
use Side::{Destination, Source};

/// How long the answer to the call is waited for, when all is let go and undone.
const ANSWER: Duration = Duration::from_secs(30);

/// How long what lasts may last: longer than the keepalives of the lab's hosts take to miss a peer.
const LASTING: Duration = Duration::from_secs(10);

/// How long a QEMU is held still: nobody times out on it.
const STILL: Duration = Duration::from_secs(2);

/// How long an answer is waited for that can't come.
const WITHHELD: Duration = Duration::from_secs(5);

/// How much memory a guest stamps whose postcopy is to be struck in its middle: more than all buffers on the
/// way hold, so that most of it is still missing.
const MISSING_BYTES: u32 = 17 << 20;

/// How much memory the guest stamps, where it is not as much as usual.
pub(super) const fn stamped(moment: RecoveryMoment) -> Option<u32> {
    match moment {
        RecoveryMoment::PostcopyMiddle => Some(MISSING_BYTES),
        RecoveryMoment::Call
        | RecoveryMoment::Prepare
        | RecoveryMoment::Launched
        | RecoveryMoment::FirstPass
        | RecoveryMoment::LaterPass
        | RecoveryMoment::Switchover
        | RecoveryMoment::Finish
        | RecoveryMoment::Reply
        | RecoveryMoment::Confirm
        | RecoveryMoment::PostcopyEnd => None,
    }
}

/// Whether a fault is committed through qtest.
pub(super) const fn needs_qtest(fault: RecoveryFault) -> bool {
    match fault {
        RecoveryFault::PageAged | RecoveryFault::OwnerHalted => true,
        RecoveryFault::StrikeWithheld
        | RecoveryFault::AnswerWithheld
        | RecoveryFault::BothRun
        | RecoveryFault::OwnerPaused
        | RecoveryFault::ConfigLost
        | RecoveryFault::PortLeft
        | RecoveryFault::DaemonReplaced
        | RecoveryFault::RetryRefused => false,
    }
}

/// The steps of a case without a fault of ours.
pub(super) fn steps(point: &Recovery) -> Vec<(Phase, Step)> {
    let phases = [
        (Phase::Prepare, prepare(point)),
        (Phase::Before, before()),
        (Phase::Migration, migration(point)),
        (Phase::After, after(point)),
        (Phase::Clear, clear(point)),
    ];
    let phases = phases.into_iter();
    phases
        .flat_map(|(phase, steps)| steps.into_iter().map(move |step| (phase, step)))
        .collect()
}

const fn own(step: RecoveryStep) -> Step {
    Step::Recovery(step)
}

fn prepare(point: &Recovery) -> Vec<Step> {
    let state = point.scenario.state;
    let mut steps = vec![Step::Connect];
    if state.preparation == Preparation::Defined {
        steps.push(Step::Define(Destination, Uuid::Own));
    }
    steps.push(Step::Start(Source, state.persistence, Variant::Plain));
    steps.push(Step::AwaitBeat(Source));
    if state.activity == Activity::Paused {
        steps.push(Step::Suspend(Source));
    }
    steps
}

fn before() -> Vec<Step> {
    vec![
        Step::Inspect(Source, When::Before),
        Step::Beat(Source, When::Before),
        Step::Inspect(Destination, When::Before),
        own(RecoveryStep::Daemon(Source, When::Before)),
        own(RecoveryStep::Daemon(Destination, When::Before)),
        own(RecoveryStep::Stock(Destination, When::Before)),
        own(RecoveryStep::Watch),
    ]
}

fn migration(point: &Recovery) -> Vec<Step> {
    let (strike, moment) = (point.strike, point.moment);
    let steps = match point.family() {
        Family::Refused => vec![
            RecoveryStep::Strike(strike),
            RecoveryStep::Begin,
            RecoveryStep::End(ANSWER),
            RecoveryStep::Undo(strike),
        ],
        Family::InFlight => {
            let mut steps = Vec::new();
            if !strike.companions().is_empty() {
                steps.push(RecoveryStep::Gather);
            }
            steps.extend([
                RecoveryStep::Hold(moment),
                RecoveryStep::Begin,
                RecoveryStep::AwaitMoment(moment),
                RecoveryStep::Strike(strike),
                RecoveryStep::Release,
            ]);
            steps.extend(over(strike));
            steps
        }
        Family::Postcopy => {
            let mut steps = vec![
                RecoveryStep::Hold(moment),
                RecoveryStep::Begin,
                RecoveryStep::StartPostcopy,
                RecoveryStep::AwaitMoment(moment),
                RecoveryStep::Strike(strike),
            ];
            steps.extend(match point.way {
                Way::Documented => Some(RecoveryStep::Release),
                Way::GiveUp => None,
            });
            steps.extend(over(strike));
            steps
        }
    };
    let steps = steps.into_iter().chain([RecoveryStep::Settle]);
    steps.map(own).collect()
}

/// What comes when the migration is struck: what lasts is undone, and the call is answered.
fn over(strike: Strike) -> Vec<RecoveryStep> {
    let is_brief = matches!(
        strike,
        Strike::SourceQemuStopped | Strike::DestinationQemuStopped | Strike::DataStalled
    );
    let outlasting = if is_brief { STILL } else { LASTING };
    match strike.lasting() {
        Lasting::Instant => vec![RecoveryStep::End(ANSWER)],
        Lasting::Undone => vec![RecoveryStep::Undo(strike), RecoveryStep::End(ANSWER)],
        Lasting::Outlasting => vec![
            RecoveryStep::Linger(outlasting),
            RecoveryStep::Undo(strike),
            RecoveryStep::End(ANSWER),
        ],
        Lasting::Standing => vec![RecoveryStep::End(ANSWER), RecoveryStep::Undo(strike)],
    }
}

/// What both sides have of the guest at a look. Its memory is read last, for the guest is held still for that.
fn look(when: When) -> Vec<Step> {
    let sides = [Source, Destination];
    let mut steps = Vec::new();
    steps.extend(sides.map(|side| Step::Inspect(side, when)));
    steps.extend(sides.map(|side| Step::Beat(side, when)));
    steps.extend(sides.map(|side| own(RecoveryStep::Examine(side))));
    steps
}

/// What is left of the migration on both sides, beside the guest.
fn left(when: When) -> [Step; 4] {
    [
        own(RecoveryStep::Pending(Source, when)),
        own(RecoveryStep::Pending(Destination, when)),
        own(RecoveryStep::Stock(Source, when)),
        own(RecoveryStep::Stock(Destination, when)),
    ]
}

fn after(point: &Recovery) -> Vec<Step> {
    let mut steps = vec![
        own(RecoveryStep::Daemon(Source, When::After)),
        own(RecoveryStep::Daemon(Destination, When::After)),
    ];
    steps.extend(left(When::After));
    steps.extend(look(When::After));
    steps.push(own(RecoveryStep::Heal));
    if point.way == Way::GiveUp {
        steps.push(own(RecoveryStep::Release));
    }
    if point.may_heal() {
        steps.extend(look(When::Healed));
    }
    steps.push(own(RecoveryStep::Retry));
    steps.extend(look(When::Retried));
    steps.push(own(RecoveryStep::Unwatch));
    steps
}

fn clear(point: &Recovery) -> Vec<Step> {
    let mut steps = Vec::new();
    if !point.strike.companions().is_empty() {
        steps.push(own(RecoveryStep::Dismiss));
    }
    steps.extend([
        own(RecoveryStep::Restore),
        Step::Clear(Destination),
        Step::Clear(Source),
        Step::Leftovers(Source),
        Step::Leftovers(Destination),
    ]);
    steps
}

impl Script {
    /// Puts the steps of a fault where it strikes.
    pub(super) fn inject_recovery(&mut self, fault: RecoveryFault) {
        let heal = |step: &Step| *step == own(RecoveryStep::Heal);
        let examine = |step: &Step| *step == own(RecoveryStep::Examine(Source));
        match fault {
            RecoveryFault::StrikeWithheld => {
                self.steps
                    .retain(|(_, step)| !matches!(step, Step::Recovery(RecoveryStep::Strike(_))));
            }
            RecoveryFault::AnswerWithheld => self.withhold_answer(),
            RecoveryFault::BothRun => {
                let again = Step::Start(Destination, Persistence::Transient, Variant::Plain);
                self.after(Phase::Migration, [again, Step::AwaitBeat(Destination)]);
            }
            RecoveryFault::OwnerPaused => self.after(Phase::Migration, [Step::Suspend(Source)]),
            RecoveryFault::PageAged => self.before(examine, Step::AgePage(Source)),
            RecoveryFault::OwnerHalted => self.after(Phase::Migration, [Step::HaltGuest(Source)]),
            RecoveryFault::ConfigLost => self.after(Phase::Migration, [Step::Undefine(Source)]),
            RecoveryFault::PortLeft => {
                let taken = own(RecoveryStep::TakePort(Destination));
                self.after(Phase::Migration, [taken]);
            }
            RecoveryFault::DaemonReplaced => {
                let replaced = own(RecoveryStep::ReplaceDaemon(Destination));
                self.after(Phase::Migration, [replaced]);
            }
            RecoveryFault::RetryRefused => {
                self.before(heal, Step::Define(Destination, Uuid::Foreign));
            }
        }
    }

    /// What is held still is never let go, so that the call has no answer.
    fn withhold_answer(&mut self) {
        for (_, step) in &mut self.steps {
            if let Step::Recovery(RecoveryStep::End(limit)) = step {
                *limit = WITHHELD;
            }
        }
        self.steps
            .retain(|(_, step)| !matches!(step, Step::Recovery(RecoveryStep::Undo(_))));
    }
}
