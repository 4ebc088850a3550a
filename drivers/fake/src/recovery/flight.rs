//! The way of a migration that is struck: where it stands, what strikes it, and how it ends.

use std::time::Instant;

use migratrix_contract::Recorder;
use migratrix_history::{Deed, Observation, Outcome, Proof, Refusal, Side, Silence};
use migratrix_matrix::{Activity, Answer, Ending, Family, RecoveryMoment, Standing, Strike};

use super::{PORT, RecoveryDefect};
use crate::{
    driver::{Done, FakeDriver},
    host::Active,
    migration::tick,
    refusal,
};

/// The call that attaches a device, and the name of that.
const ATTACH: &str = "attach-device";
const DISK: &str = "disk/sda";

impl FakeDriver {
    /// The migration comes to the moment, and stands.
    pub(super) fn stand(&mut self, moment: RecoveryMoment, record: &mut Recorder) -> Done {
        use RecoveryMoment::{Call, Confirm, LaterPass, Launched, Prepare};
        if !matches!(moment, Call | Prepare) {
            self.tell_started(record);
        }
        if !matches!(moment, Call | Prepare | Launched) {
            pass(1, record);
        }
        if moment == LaterPass {
            pass(2, record);
        }
        if moment.is_stopped() && moment.family() == Family::InFlight {
            self.stop_source(record)?;
        }
        if moment.is_past_return() && moment.family() == Family::InFlight {
            self.run_destination("migrated", record)?;
        }
        if moment == Confirm {
            self.leave_source("migrated", record);
        }
        record.saw(Observation::Stood {
            moment: moment.word().to_owned(),
            proof: proof(moment),
        });
        Ok(())
    }

    /// The destination runs the guest, and memory is missing there.
    pub(super) fn start_postcopy(&mut self, record: &mut Recorder) -> Done {
        self.tell_started(record);
        pass(1, record);
        let source = self.host(Side::Source).must_be_active()?;
        source.turn(Activity::Paused, "postcopy");
        self.host(Side::Source)
            .tell(record, "suspended", "migrated");
        self.run_destination("postcopy", record)
    }

    fn stop_source(&mut self, record: &mut Recorder) -> Done {
        let source = self.host(Side::Source).must_be_active()?;
        if source.runs() {
            source.turn(Activity::Paused, "migration");
            self.host(Side::Source)
                .tell(record, "suspended", "migrated");
        }
        Ok(())
    }

    fn run_destination(&mut self, reason: &'static str, record: &mut Recorder) -> Done {
        let mut moved = self.host(Side::Source).must_be_active()?.clone();
        self.tell_started(record);
        if self.struck_point().runs() {
            moved.turn(Activity::Running, reason);
        }
        self.tell_resumed(record);
        self.host(Side::Destination).active = Some(moved);
        Ok(())
    }

    fn tell_started(&mut self, record: &mut Recorder) {
        if !self.flight.told_started {
            self.flight.told_started = true;
            self.host(Side::Destination)
                .tell(record, "started", "migrated");
        }
    }

    fn tell_resumed(&mut self, record: &mut Recorder) {
        if !self.flight.told_resumed {
            self.flight.told_resumed = true;
            let (event, detail) = if self.struck_point().runs() {
                ("resumed", "migrated")
            } else {
                ("suspended", "paused")
            };
            self.host(Side::Destination).tell(record, event, detail);
        }
    }

    fn leave_source(&mut self, reason: &'static str, record: &mut Recorder) {
        let source = self.host(Side::Source);
        source.stopped_by = reason;
        if source.active.take().is_some() {
            source.tell(record, "stopped", reason);
        }
    }

    /// The fault is committed: what comes of it, the ending says.
    pub(super) fn strike(&mut self, strike: Strike, record: &mut Recorder) {
        let began_us = record.at_us(Instant::now());
        tick(record);
        let deed = match self.flight.defect {
            Some(RecoveryDefect::FurtherJobDone) => asked("migrate", Outcome::Done),
            Some(RecoveryDefect::RefusedOtherwise) => {
                asked(ATTACH, Outcome::Refused(refusal::unreasoned()))
            }
            Some(RecoveryDefect::KnownToBoth) => known(strike, &Side::BOTH),
            Some(_) | None if strike.companions().is_empty() => deed(strike),
            Some(_) | None => self.beside(strike, record),
        };
        if let (Strike::GuestRebooted, Some(source)) = (strike, &mut self.source.active) {
            source.guest.rewind();
        }
        self.flight.is_still = matches!(
            strike,
            Strike::SourceQemuStopped | Strike::DestinationQemuStopped
        );
        if strike.is_twice() {
            record.saw(Observation::Struck {
                strike: strike.word().to_owned(),
                side: None,
                began_us,
                deed: Deed::Killed {
                    process: "daemon".to_owned(),
                    pid: 99,
                },
            });
        }
        if !self.betrays(RecoveryDefect::StrikeMissed) {
            record.saw(Observation::Struck {
                strike: strike.word().to_owned(),
                side: None,
                began_us,
                deed,
            });
        }
    }

    /// What the caller is told.
    pub(super) fn answer(&self, ending: &Ending, within_us: u64) -> Observation {
        let outcome = match ending.answer {
            Answer::Gone => {
                return Observation::Unanswered {
                    within_us,
                    because: Silence::CallerGone,
                };
            }
            Answer::Success | Answer::SuccessOr(_) => Outcome::Done,
            Answer::Error(_) if self.betrays(RecoveryDefect::WrongError) => {
                Outcome::Refused(refusal::unreasoned())
            }
            Answer::Error(_) => Outcome::Refused(Refusal {
                message: reason(self.struck_point().strike).to_owned(),
                ..error(ending)
            }),
        };
        Observation::Answered { within_us, outcome }
    }

    /// Both sides come to stand as the ending says, and tell it.
    pub(super) fn enact(&mut self, ending: &Ending, record: &mut Recorder) {
        let source = self.source.active.clone();
        let Some(base) = self.destination.active.clone().or_else(|| source.clone()) else {
            return;
        };
        self.enact_destination(ending, base.clone(), record);
        self.enact_source(ending, source.unwrap_or(base), record);
        self.keep(ending);
    }

    fn enact_source(&mut self, ending: &Ending, mut is: Active, record: &mut Recorder) {
        match ending.source {
            Standing::Active(states) => {
                let was_paused = !is.runs();
                turn(&mut is, states[0]);
                if is.runs() && was_paused {
                    self.source.tell(record, "resumed", "migrated");
                }
                self.source.active = Some(is);
            }
            Standing::Inactive(reasons) => self.leave_source(reasons[0], record),
            Standing::Clear => self.leave_source("unknown", record),
        }
    }

    fn enact_destination(&mut self, ending: &Ending, mut is: Active, record: &mut Recorder) {
        match ending.destination {
            Standing::Active(states) => {
                self.tell_started(record);
                turn(&mut is, states[0]);
                self.tell_resumed(record);
                self.destination.active = Some(is);
            }
            Standing::Inactive(_) | Standing::Clear => {
                self.destination.active = None;
                if self.flight.told_started && !self.betrays(RecoveryDefect::EventLost) {
                    self.destination.tell(record, "stopped", "failed");
                }
            }
        }
    }

    /// What the flags ask for takes effect, or doesn't.
    fn keep(&mut self, ending: &Ending) {
        let point = self.struck_point();
        let uuid = self.subject.uuid.clone();
        let source = point.source_config(ending);
        if source == Some(false) {
            self.source.config = None;
        }
        self.destination.config = point.destination_config(ending).then_some(uuid);
    }

    /// What a defect makes of the ending.
    pub(super) fn betray(&mut self, record: &mut Recorder) {
        let Some(defect) = self.flight.defect else {
            return;
        };
        match defect {
            RecoveryDefect::BothRun => self.destination.active = self.source.active.clone(),
            RecoveryDefect::OwnerPaused => {
                if let Some(owner) = &mut self.source.active {
                    owner.turn(Activity::Paused, "migration");
                }
            }
            RecoveryDefect::WrongOwner => {
                let mut moved = self.source.active.take();
                if let Some(moved) = &mut moved {
                    moved.turn(Activity::Running, "migrated");
                }
                self.destination.active = moved;
            }
            RecoveryDefect::PortStays => self.destination.litter.push(PORT.to_owned()),
            RecoveryDefect::FileStays => {
                let file = format!("file /var/lib/libvirt/qemu/{}", self.subject.domain);
                self.source.litter.push(file);
            }
            RecoveryDefect::ConfigLost => self.source.config = None,
            RecoveryDefect::DeadGuest => {
                if let Some(owner) = &mut self.source.active {
                    owner.guest.halt();
                }
            }
            RecoveryDefect::OtherMachine => {
                if let Some(owner) = &mut self.source.active {
                    owner.hardware.machine = "pc-q35-2.4".to_owned();
                }
            }
            RecoveryDefect::FurtherDevice => plug(self.destination.active.as_mut()),
            RecoveryDefect::ConfigChanged => self.source.title = Some("another"),
            RecoveryDefect::StrikeMissed
            | RecoveryDefect::RefusedOtherwise
            | RecoveryDefect::OtherStart
            | RecoveryDefect::KnownToBoth
            | RecoveryDefect::BesideTooSoon
            | RecoveryDefect::BesideTooLate
            | RecoveryDefect::BesideUnanswered
            | RecoveryDefect::BesideRefused
            | RecoveryDefect::BesideNotCancelled
            | RecoveryDefect::BesideStays
            | RecoveryDefect::BesideLost
            | RecoveryDefect::BesideTwice
            | RecoveryDefect::BesidePaused
            | RecoveryDefect::CancelledLost
            | RecoveryDefect::RetryStale
            | RecoveryDefect::RetryOtherMachine
            | RecoveryDefect::NeverAnswers
            | RecoveryDefect::FurtherJobDone
            | RecoveryDefect::WrongError
            | RecoveryDefect::StaleMemory
            | RecoveryDefect::JobStays
            | RecoveryDefect::DaemonReplaced
            | RecoveryDefect::RetryRefused
            | RecoveryDefect::EventLost => {}
        }
        tick(record);
    }
}

/// The error that the caller gets: of the first class that may be.
pub(super) fn error(ending: &Ending) -> Refusal {
    match ending.answer {
        Answer::Error([class, ..]) | Answer::SuccessOr([class, ..]) => Refusal {
            code: class.code,
            domain: class.domain,
            message: "the migration failed".to_owned(),
        },
        Answer::Error([]) | Answer::SuccessOr([]) | Answer::Success | Answer::Gone => {
            refusal::unreasoned()
        }
    }
}

/// What a refusal says of its cause.
const fn reason(strike: Strike) -> &'static str {
    if matches!(strike, Strike::TlsForeign) {
        "The certificate hasn't got a known issuer"
    } else if matches!(strike, Strike::TlsExpired) {
        "The server certificate /etc/pki/qemu/server-cert.pem has expired"
    } else {
        "the migration failed"
    }
}

/// A guest that runs gets a device.
fn plug(into: Option<&mut Active>) {
    if let Some(active) = into {
        let devices = &mut active.hardware.devices;
        devices.insert(DISK.to_owned(), "usb bus=0 port=1".to_owned());
    }
}

fn turn(is: &mut Active, (state, reason): (&'static str, &'static str)) {
    let activity = if state == "running" {
        Activity::Running
    } else {
        Activity::Paused
    };
    is.turn(activity, reason);
}

fn pass(iteration: i32, record: &mut Recorder) {
    tick(record);
    record.saw(Observation::Iteration {
        side: Side::Source,
        iteration,
    });
}

/// By what it is known that a migration stands there.
fn proof(moment: RecoveryMoment) -> Proof {
    let hook = |side, operation: &str, stage: &str| Proof::Hook {
        side,
        operation: operation.to_owned(),
        stage: stage.to_owned(),
    };
    let status = |status: &str| Proof::Status {
        side: Side::Source,
        status: status.to_owned(),
    };
    let postcopy = |remaining| Proof::Postcopy {
        status: "postcopy-active".to_owned(),
        remaining,
    };
    match moment {
        RecoveryMoment::Call => Proof::NotCalled,
        RecoveryMoment::Prepare => hook(Side::Destination, "migrate", "begin"),
        RecoveryMoment::Launched => hook(Side::Destination, "started", "begin"),
        RecoveryMoment::FirstPass => Proof::Processed { bytes: 4096 },
        RecoveryMoment::LaterPass => Proof::Iteration { iteration: 2 },
        RecoveryMoment::Switchover => status("pre-switchover"),
        RecoveryMoment::Finish => status("completed"),
        RecoveryMoment::Reply => Proof::Runs {
            side: Side::Destination,
        },
        RecoveryMoment::Confirm => hook(Side::Source, "stopped", "end"),
        RecoveryMoment::PostcopyMiddle => postcopy(4096),
        RecoveryMoment::PostcopyEnd => postcopy(0),
    }
}

fn asked(call: &str, outcome: Outcome) -> Deed {
    Deed::Asked {
        call: call.to_owned(),
        outcome,
    }
}

/// A guest that is made of what these know.
fn known(strike: Strike, to: &[Side]) -> Deed {
    Deed::Known {
        what: strike.word().to_owned(),
        to: to.to_vec(),
    }
}

/// How a fault is committed.
fn deed(strike: Strike) -> Deed {
    let process = |process: &str| process.to_owned();
    let asked = |call: &str| asked(call, Outcome::Done);
    let made = |what: &str| Deed::Made {
        what: what.to_owned(),
    };
    match strike {
        Strike::Cancelled | Strike::NeverConverges => asked("abort-job"),
        Strike::PostcopyPaused => asked("abort-job-postcopy"),
        Strike::SourceDestroyed | Strike::DestinationDestroyed => asked("destroy"),
        Strike::SecondMigration => Deed::Asked {
            call: "migrate".to_owned(),
            outcome: Outcome::Refused(refusal::invalid("domain is not running")),
        },
        Strike::DeviceAttached => Deed::Asked {
            call: ATTACH.to_owned(),
            outcome: Outcome::Refused(refusal::ended()),
        },
        Strike::GuestPoweredOff => made("SHUTDOWN (guest-shutdown)"),
        Strike::GuestRebooted => made("RESET (guest-reset)"),
        Strike::GuestCrashed => made("SHUTDOWN (guest-reset)"),
        Strike::Suspended => asked("suspend"),
        Strike::Resumed => asked("resume"),
        Strike::ClientKilled => Deed::Killed {
            process: process("client"),
            pid: 1,
        },
        Strike::SourceQemuKilled | Strike::DestinationQemuKilled => Deed::Killed {
            process: process("qemu"),
            pid: 2,
        },
        Strike::SourceDaemonKilled
        | Strike::DestinationDaemonKilled
        | Strike::SourceDaemonKilledTwice
        | Strike::DestinationDaemonKilledTwice
        | Strike::DaemonDead => Deed::Killed {
            process: process("daemon"),
            pid: 100,
        },
        Strike::SourceQemuStopped | Strike::DestinationQemuStopped => Deed::Stopped {
            process: process("qemu"),
            pid: 2,
        },
        Strike::SourceDaemonSilent | Strike::DestinationDaemonSilent => Deed::Stopped {
            process: process("daemon"),
            pid: 100,
        },
        Strike::DataReset | Strike::DataStalled | Strike::ManagementReset | Strike::ReplyLost => {
            Deed::Cut {
                connections: 1,
                passed: 4096,
            }
        }
        Strike::MachineUnknown | Strike::CpuModelUnknown | Strike::CpuFeatureUnknown => {
            known(strike, &[Side::Source])
        }
        Strike::Undisturbed => Deed::Nothing,
        Strike::Crossing
        | Strike::Crowd
        | Strike::LinkDown
        | Strike::NameInactive
        | Strike::NameActive
        | Strike::UuidInactive
        | Strike::UuidActive
        | Strike::DomainActive
        | Strike::HookMigrate
        | Strike::HookStart
        | Strike::StateFolderFull
        | Strike::LibraryFolderFull
        | Strike::LogFolderFull
        | Strike::MemoryShort
        | Strike::DiskMissing
        | Strike::DiskUnreadable
        | Strike::DiskShort
        | Strike::PortTaken
        | Strike::UriUnknown
        | Strike::UriUnreachable
        | Strike::UriRefusing
        | Strike::UriScheme
        | Strike::TlsMissing
        | Strike::TlsForeign
        | Strike::TlsExpired
        | Strike::TlsRight
        | Strike::SameHost => made(strike.word()),
    }
}
