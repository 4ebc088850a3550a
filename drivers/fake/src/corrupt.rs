//! How each defect alters a migration.

use std::collections::BTreeSet;

use migratrix_guest::{PAGE, SECTOR};
use migratrix_history::{
    JobStats, Party,
    Side::{Destination, Source},
};
use migratrix_matrix::{Activity, Arch, Version};

use crate::{
    Defect,
    document::PLUGGED,
    guest::{CODE, Guest},
    migration::{Passage, PassageEvent},
    traffic::{self, DATA},
};

const STARTED: PassageEvent = PassageEvent::Tell(Destination, "started", "migrated");
const PAGE_BYTES: usize = PAGE as usize;

impl Passage {
    /// Makes it the one that a hypervisor with this defect goes. Defects before the migration, and
    /// those instead of it, are committed where the step is done.
    pub fn corrupt(&mut self, defect: Defect) {
        match defect {
            Defect::ForgetsConfig
            | Defect::SuspendsInName
            | Defect::DefinesNothing
            | Defect::RefusesWithoutReason
            | Defect::HangsInMigrate
            | Defect::CrashesClient
            | Defect::SaysDoneWithoutMigrating => {}
            Defect::KeepsSourceRunning => self.source_stays = true,
            Defect::KeepsSourceConfig => self.source_config = self.was_defined,
            Defect::DropsSourceConfig => self.source_config = false,
            Defect::RewritesSourceConfig => self.titles[0] = Some("another"),
            Defect::RewritesDestinationConfig => self.titles[1] = Some("another"),
            Defect::ChangesUuid => self.arrives.uuid = self.arrives.uuid.chars().rev().collect(),
            Defect::ForgetsPersist => self.destination_config = false,
            Defect::PersistsUnasked => self.destination_config = true,
            Defect::LeavesDestinationPaused => self.arrives.turn(Activity::Paused, "user"),
            Defect::ResumesPausedGuest | Defect::IgnoresPausedFlag => {
                self.arrives.turn(Activity::Running, "migrated");
            }
            Defect::WrongStateReason => self.arrives.reason = "booted",
            Defect::StillWhileLive => self.move_pause(PassageEvent::Pass(1), 0),
            Defect::RunsWhileNotLive => self.pause_late(),
            Defect::PausesInName => self.pause_in_name(),
            Defect::LosesPage => self.mishap = |guest| guest.spoil(|bytes| page(bytes).fill(0)),
            Defect::StalePage => self.mishap = |guest| guest.spoil(|bytes| age(page(bytes), 2)),
            Defect::SwapsPages => self.mishap = |guest| guest.spoil(swap),
            Defect::TearsPage => {
                self.mishap =
                    |guest| guest.spoil(|bytes| age(&mut page(bytes)[PAGE_BYTES / 2..], 2));
            }
            Defect::UndoesStamps => self.mishap = undo_stamps,
            Defect::ForeseesStamps => self.mishap = foresee_stamps,
            Defect::LosesUnstampedPage => self.mishap = |guest| guest.change_rest(CODE, None),
            Defect::ChangesUnstampedPage => {
                self.mishap = |guest| guest.change_rest(CODE + 1, Some(1));
            }
            Defect::GoesBackInTime => self.mishap = Guest::rewind,
            Defect::BeatsOnBothSides => self.ghost = true,
            Defect::DeadOnArrival => self.mishap = Guest::halt,
            Defect::ChangesMachineType => self.arrives.hardware.machine.push_str("-other"),
            Defect::MovesDeviceAddress => self.move_device(),
            Defect::DropsDevice => drop(self.arrives.hardware.devices.pop_last()),
            Defect::ChangesXml => self.arrives.told.on_crash = "restart",
            Defect::PlugsDevice => self.arrives.told.plugged = Some(PLUGGED),
            Defect::OpensOtherImage => self.arrives.told.image = "/other.img",
            Defect::SetsClock => self.arrives.told.ahead = -3_600,
            Defect::RunsOtherVersion => self.arrives.told.qemu = Version::new(2, 0, 0),
            Defect::LosesEvent => self.acts.retain(|act| *act != STARTED),
            Defect::ReordersEvents => self.tell_start_last(),
            Defect::ExtraEvent => {
                self.acts
                    .push(PassageEvent::Tell(Destination, "suspended", "ioerror"))
            }
            Defect::NoJobStatistics => self.job = no_job(),
            Defect::KeepsEndQuiet => self.ended = false,
            Defect::SwallowsPass => self.acts.retain(|act| *act != PassageEvent::Pass(1)),
            Defect::SendsLessThanPages => self.job.memory_processed = Some(1),
            Defect::StatisticsDontAddUp => self.job.memory_remaining = Some(u64::from(PAGE)),
            Defect::DowntimeTooLong => self.stretch(),
            Defect::LeavesTunnel => self.traffic.connections.push(traffic::connection(DATA, 9)),
            Defect::LeavesPeer => self.called_by(Party::Client),
            Defect::TakesOver => self.called_by(Party::Source),
            Defect::AddsFlag => self.change_flags(|flags| {
                flags.insert("VIR_MIGRATE_AUTO_CONVERGE".to_owned());
            }),
            Defect::DropsFlag => self.change_flags(BTreeSet::clear),
            Defect::SendsNothing => {
                let connections = self.traffic.connections.iter_mut();
                connections.for_each(|one| one.sent = Some(100));
            }
            Defect::ConnectsUnasked => {
                let stranger = traffic::stranger(Destination);
                self.traffic.strangers.push(stranger);
            }
            Defect::LeavesListener => self.litter = Some("port 49152 of process 7".to_owned()),
            Defect::LeavesProcess => {
                self.litter = Some(format!("process {}", Arch::default().emulator()));
            }
            Defect::LeavesFile => self.litter = Some("file /var/lib/libvirt/qemu/save".to_owned()),
        }
    }
}

impl Passage {
    /// Has somebody else ask the destination to prepare.
    fn called_by(&mut self, party: Party) {
        let calls = self.traffic.calls.iter_mut();
        let prepares = calls.filter(|call| call.to == Party::Destination);
        prepares.for_each(|call| call.from = party);
    }

    fn change_flags(&mut self, change: fn(&mut BTreeSet<String>)) {
        let calls = self.traffic.calls.iter_mut();
        calls
            .filter_map(|call| call.flags.as_mut())
            .for_each(change);
    }

    fn place_of(&self, act: PassageEvent) -> Option<usize> {
        self.acts.iter().position(|one| *one == act)
    }

    /// Puts the pause, if there is one, so many places after the first `mark`.
    fn move_pause(&mut self, mark: PassageEvent, after: usize) {
        if let Some(pause) = self.place_of(PassageEvent::Pause) {
            self.acts.remove(pause);
            let place = self.place_of(mark).map_or(0, |place| place + after);
            self.acts.insert(place, PassageEvent::Pause);
        }
    }

    /// Lets the guest run until its beat has been sampled.
    fn pause_late(&mut self) {
        if self.place_of(PassageEvent::Pause) < self.place_of(PassageEvent::Sample) {
            self.move_pause(PassageEvent::Sample, 1);
        }
    }

    fn pause_in_name(&mut self) {
        for act in &mut self.acts {
            if *act == PassageEvent::Pause {
                *act = PassageEvent::Tell(Source, "suspended", "migrated");
            }
        }
    }

    fn tell_start_last(&mut self) {
        self.acts.retain(|act| *act != STARTED);
        self.acts.push(STARTED);
    }

    fn move_device(&mut self) {
        if let Some(mut device) = self.arrives.hardware.devices.last_entry() {
            device.insert("0000:00:1f.0".to_owned());
        }
    }

    /// Makes guest and job wait for an hour more.
    fn stretch(&mut self) {
        const HOUR_MS: u64 = 3_600_000;
        let longer = |time: Option<u64>| time.map(|ms| ms + HOUR_MS);
        self.job.elapsed_ms = longer(self.job.elapsed_ms);
        self.job.downtime_ms = longer(self.job.downtime_ms);
    }
}

/// What a host says that knows of no job.
pub(crate) fn no_job() -> JobStats {
    JobStats {
        kind: "none".to_owned(),
        ..JobStats::default()
    }
}

/// The second page: one that the stamper leaves behind in each lap.
fn page(bytes: &mut [u8]) -> &mut [u8] {
    &mut bytes[PAGE_BYTES..2 * PAGE_BYTES]
}

/// The last page.
pub(crate) fn last_page(bytes: &mut [u8]) -> &mut [u8] {
    let start = bytes.len().saturating_sub(PAGE_BYTES);
    &mut bytes[start..]
}

/// Puts sectors so many laps back.
pub(crate) fn age(bytes: &mut [u8], laps: u32) {
    for sector in bytes.chunks_mut(SECTOR as usize) {
        if let Some(stamp) = sector.first_chunk_mut::<4>() {
            *stamp = u32::from_le_bytes(*stamp).wrapping_sub(laps).to_le_bytes();
        }
    }
}

/// The last stamps of a guest's lap, which never came.
fn undo_stamps(guest: &mut Guest) {
    let stood = guest.stood();
    guest.spoil(|bytes| age(&mut bytes[stood.saturating_sub(LATEST)..stood], 1));
}

/// The next stamps of a guest's lap, before it has made them.
fn foresee_stamps(guest: &mut Guest) {
    let stood = guest.stood();
    guest.spoil(|bytes| {
        let end = bytes.len().min(stood + LATEST);
        age(&mut bytes[stood..end], u32::MAX);
    });
}

/// How much of the stamper's page is undone, or foreseen.
const LATEST: usize = 2 * SECTOR as usize;

fn swap(bytes: &mut [u8]) {
    let (first, second) = bytes.split_at_mut(PAGE_BYTES);
    first.swap_with_slice(&mut second[..PAGE_BYTES]);
}
