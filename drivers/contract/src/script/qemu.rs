//! The script of a raw migration: what QEMU's documentation says is done for it, in order.

mod faults;

use migratrix_history::{Side, When};
use migratrix_matrix::{Blow, Devices, End, GuestState, Incident, Method, Multifd, Raw, RawFault};

use crate::{Phase, RawStep, Script, Step};
use Side::{Destination, Source};

pub(super) use faults::effective;

/// The steps of a raw migration. What goes by is looked at where the case that is `named` is to show it.
pub(super) fn steps(raw: &Raw, named: &Raw) -> Vec<(Phase, Step)> {
    let migration = migration(raw);
    let migration = match named.is_wired() {
        true => relayed(migration),
        false => migration,
    };
    let phases = [
        (Phase::Prepare, prepare(raw)),
        (Phase::Before, before()),
        (Phase::Migration, migration),
        (Phase::After, after(raw)),
        (Phase::Clear, clear()),
    ];
    let phases = phases.into_iter();
    phases
        .flat_map(|(phase, steps)| steps.into_iter().map(move |step| (phase, step)))
        .collect()
}

impl Script {
    /// Puts the steps of a raw fault where it strikes.
    pub(super) fn inject_raw(&mut self, fault: RawFault) {
        faults::inject_fault(self, fault);
    }
}

const fn raw(step: RawStep) -> Step {
    Step::Raw(step)
}

fn prepare(raw_migration: &Raw) -> Vec<Step> {
    let mut steps = vec![
        raw(RawStep::Launch(Source)),
        raw(RawStep::Launch(Destination)),
    ];
    steps.push(if raw_migration.guest.sleeps() {
        raw(RawStep::AwaitSleep(Source))
    } else {
        Step::AwaitBeat(Source)
    });
    // Devices work while the machine runs.
    if raw_migration.devices != Devices::None {
        steps.push(raw(RawStep::UseDevice(Source, When::Before)));
    }
    match raw_migration.guest {
        GuestState::Running | GuestState::Suspended => {}
        GuestState::Stopped | GuestState::SuspendedStopped => steps.push(Step::Suspend(Source)),
    }
    steps.push(raw(RawStep::Configure(Source)));
    if raw_migration.method != Method::CprExec {
        steps.push(raw(RawStep::Configure(Destination)));
    }
    steps
}

fn before() -> Vec<Step> {
    vec![
        Step::Inspect(Source, When::Before),
        Step::Beat(Source, When::Before),
        Step::ReadRam(Source, When::Before),
    ]
}

fn migration(raw_migration: &Raw) -> Vec<Step> {
    match raw_migration.incident {
        Incident::None => undisturbed(raw_migration),
        Incident::CancelBefore => {
            let mut steps = vec![raw(RawStep::Cancel)];
            steps.extend(undisturbed(raw_migration));
            steps
        }
        Incident::CancelSetup => {
            let mut steps = begin();
            steps.push(raw(RawStep::Await(Source, "setup")));
            steps.extend(cancel());
            steps
        }
        Incident::CancelActive => cancelled(raw_migration),
        Incident::CancelPreSwitchover => {
            let mut steps = copied(raw_migration);
            steps.push(raw(RawStep::Converge));
            steps.push(raw(RawStep::Await(Source, "pre-switchover")));
            steps.extend(cancel());
            steps
        }
        Incident::CancelCancelling => {
            let mut steps = copied(raw_migration);
            steps.push(raw(RawStep::CancelTwice));
            steps.push(raw(RawStep::Await(Source, "cancelled")));
            steps
        }
        Incident::CancelCancelled => {
            let mut steps = cancelled(raw_migration);
            steps.extend(cancel());
            steps
        }
        Incident::CancelCompleted => {
            let mut steps = undisturbed(raw_migration);
            steps.extend([
                raw(RawStep::Cancel),
                raw(RawStep::Await(Source, "completed")),
            ]);
            steps
        }
        Incident::CancelFailed => {
            let mut steps = nowhere();
            steps.extend([raw(RawStep::Cancel), raw(RawStep::Await(Source, "failed"))]);
            steps
        }
        Incident::CancelRetry => {
            let mut steps = cancelled(raw_migration);
            steps.push(raw(RawStep::Replace));
            steps.extend(undisturbed(raw_migration));
            steps
        }
        Incident::BadDestination => nowhere(),
        Incident::BadOffset => vec![raw(RawStep::Migrate)],
        Incident::Recover | Incident::FailHandshake | Incident::FailReconnect => {
            recovered(raw_migration)
        }
        Incident::LoseActive
        | Incident::LosePreSwitchover
        | Incident::KillActive
        | Incident::KillPreSwitchover => broken(raw_migration),
        Incident::LoseRetry | Incident::KillRetry => {
            let mut steps = broken(raw_migration);
            steps.push(raw(RawStep::Replace));
            steps.extend(undisturbed(raw_migration));
            steps
        }
        Incident::HoldActive => undisturbed(raw_migration),
    }
}

/// The same steps, with a relay between the two sides, and a look at what went by in the end.
fn relayed(steps: Vec<Step>) -> Vec<Step> {
    let mut all = Vec::new();
    for step in steps {
        let is_laid = all.last() == Some(&raw(RawStep::Relay));
        let is_to_lie = step == raw(RawStep::Migrate) && !is_laid;
        all.extend(is_to_lie.then_some(raw(RawStep::Relay)));
        all.push(step);
    }
    all.push(raw(RawStep::InspectWire));
    all
}

fn begin() -> Vec<Step> {
    vec![raw(RawStep::Listen), raw(RawStep::Migrate)]
}

fn nowhere() -> Vec<Step> {
    vec![
        raw(RawStep::Migrate),
        raw(RawStep::Await(Source, "failed")),
        Step::Job(Source),
    ]
}

fn cancel() -> Vec<Step> {
    vec![
        raw(RawStep::Cancel),
        raw(RawStep::Await(Source, "cancelled")),
    ]
}

fn cancelled(raw_migration: &Raw) -> Vec<Step> {
    let mut steps = copied(raw_migration);
    steps.extend(cancel());
    steps
}

/// Until something from outside has struck the migration, and it has failed for that.
fn broken(raw_migration: &Raw) -> Vec<Step> {
    let mut steps = vec![raw(RawStep::Listen)];
    if raw_migration.incident.blow() == Some(Blow::Lose) {
        steps.push(raw(RawStep::Relay));
    }
    steps.extend([raw(RawStep::Migrate), raw(RawStep::Await(Source, "active"))]);
    if raw_migration.is_carried() {
        steps.push(raw(RawStep::InspectCarriers));
    }
    if raw_migration.guest == GuestState::Running {
        steps.push(raw(RawStep::AwaitPass));
    }
    let waits = raw_migration.incident.is_before_switchover();
    if waits {
        steps.extend([
            raw(RawStep::Converge),
            raw(RawStep::Await(Source, "pre-switchover")),
        ]);
    }
    steps.extend(raw_migration.incident.blow().map(RawStep::Strike).map(raw));
    if waits {
        // It has nothing to send until then.
        steps.push(raw(RawStep::Proceed));
    }
    steps.extend([raw(RawStep::Await(Source, "failed")), Step::Job(Source)]);
    steps
}

/// Until memory has been copied for a while, and the guest was seen meanwhile.
fn copied(raw_migration: &Raw) -> Vec<Step> {
    let mut steps = if raw_migration.transport.is_file() {
        vec![raw(RawStep::Migrate)]
    } else {
        begin()
    };
    steps.push(raw(RawStep::Await(Source, "active")));
    if raw_migration.multifd != Multifd::Off {
        steps.push(raw(RawStep::CountChannels));
    }
    if raw_migration.is_carried() {
        steps.push(raw(RawStep::InspectCarriers));
    }
    if raw_migration.has_passes() || raw_migration.incident.cancels() {
        steps.push(raw(RawStep::AwaitPass));
    } else if raw_migration.is_held() {
        steps.push(Step::Beat(Source, When::During));
    }
    if raw_migration.incident == Incident::HoldActive {
        steps.push(raw(RawStep::Strike(Blow::Hold)));
    }
    steps
}

fn undisturbed(raw_migration: &Raw) -> Vec<Step> {
    match raw_migration.expectation().end {
        End::Completed => {}
        End::Refused => return vec![raw(RawStep::Migrate)],
        End::Failed(_) | End::Cancelled => {
            let mut steps = begin();
            steps.extend([
                raw(RawStep::Await(Source, "failed")),
                Step::Job(Source),
                Step::Job(Destination),
            ]);
            return steps;
        }
    }
    if raw_migration.method == Method::Postcopy {
        return postcopy(raw_migration, vec![]);
    }
    let mut steps = copied(raw_migration);
    steps.push(raw(RawStep::Converge));
    if raw_migration.pauses() {
        steps.push(raw(RawStep::Await(Source, "pre-switchover")));
        steps.push(raw(RawStep::Proceed));
    }
    steps.push(raw(RawStep::Await(Source, "completed")));
    if raw_migration.transport.is_file() {
        steps.push(raw(RawStep::ReadStream));
        steps.push(raw(RawStep::Listen));
    }
    steps.push(raw(RawStep::Await(Destination, "completed")));
    steps
}

/// Postcopy, with `meanwhile` while pages are still requested.
fn postcopy(raw_migration: &Raw, meanwhile: Vec<Step>) -> Vec<Step> {
    let mut steps = begin();
    steps.push(raw(RawStep::Await(Source, "active")));
    if raw_migration.multifd != Multifd::Off {
        steps.push(raw(RawStep::CountChannels));
    }
    if raw_migration.is_carried() {
        steps.push(raw(RawStep::InspectCarriers));
    }
    steps.push(raw(RawStep::StartPostcopy));
    if raw_migration.pauses() {
        steps.push(raw(RawStep::Await(Source, "pre-switchover")));
        steps.push(raw(RawStep::Proceed));
    }
    steps.push(raw(RawStep::Await(Source, "postcopy-active")));
    steps.push(raw(RawStep::InspectPostcopy));
    steps.extend(meanwhile);
    steps.extend([
        raw(RawStep::Converge),
        raw(RawStep::Await(Source, "completed")),
        raw(RawStep::Await(Destination, "completed")),
    ]);
    steps
}

fn recovered(raw_migration: &Raw) -> Vec<Step> {
    let paused = [
        raw(RawStep::Await(Source, "postcopy-paused")),
        raw(RawStep::Await(Destination, "postcopy-paused")),
    ];
    let mut meanwhile = vec![raw(RawStep::Lose)];
    meanwhile.extend(paused);
    let in_vain = [
        (Incident::FailHandshake, RawStep::RecoverInVain),
        (Incident::FailReconnect, RawStep::RecoverNowhere),
    ];
    for (_, step) in in_vain
        .iter()
        .filter(|(incident, _)| *incident == raw_migration.incident)
    {
        meanwhile.push(raw(*step));
        meanwhile.extend(paused);
    }
    meanwhile.push(raw(RawStep::Recover));
    postcopy(raw_migration, meanwhile)
}

fn after(raw_migration: &Raw) -> Vec<Step> {
    let survivor = raw_migration.expectation().survivor;
    let mut steps = vec![
        Step::Inspect(Source, When::After),
        Step::Inspect(Destination, When::After),
    ];
    let asked = raw_migration.asked_again().iter();
    steps.extend(asked.map(|side| raw(RawStep::AskSettings(*side))));
    match raw_migration.guest {
        GuestState::Running | GuestState::Stopped => {}
        GuestState::Suspended => steps.push(raw(RawStep::Wake(survivor))),
        GuestState::SuspendedStopped => {
            steps.extend([Step::Resume(survivor), raw(RawStep::Wake(survivor))]);
        }
    }
    // Memory that both have beats on both sides.
    if !raw_migration.shares_memory() {
        steps.push(Step::Beat(Source, When::After));
    }
    steps.extend([
        Step::Beat(Destination, When::After),
        Step::Job(Source),
        Step::Survey(survivor),
        Step::ReadRam(survivor, When::After),
    ]);
    if raw_migration.devices != Devices::None {
        // It was held still to be surveyed.
        steps.push(Step::Resume(survivor));
        steps.push(raw(RawStep::UseDevice(survivor, When::After)));
    }
    steps
}

fn clear() -> Vec<Step> {
    vec![
        Step::Clear(Destination),
        Step::Clear(Source),
        Step::Leftovers(Source),
        Step::Leftovers(Destination),
    ]
}
