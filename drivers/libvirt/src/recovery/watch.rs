//! Both sides, looked at again and again while all else goes on.

use std::{
    mem,
    path::PathBuf,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use migratrix_client::wire::{Op, Said};
use migratrix_contract::{GuestMemory, Recorder};
use migratrix_guest::Parameters;
use migratrix_history::{Glimpse, Observation, Side, Watcher};
use tokio::{task::JoinHandle, time::timeout};

use super::monitor::{INCOMING, Monitors, Mute};
use crate::{Client, Error, LibvirtDriver, qemu::Qemu, slot::Role, ticks::Ticks};

/// How often a side is looked at.
const EVERY: Duration = Duration::from_millis(60);

/// How long a look may take until the side is called silent; it is waited for on.
const SILENCE: Duration = Duration::from_secs(1);

/// The watchers of one case.
pub(crate) struct Watch {
    tasks: Vec<JoinHandle<()>>,
    notes: Vec<Notes>,
}

/// What one watcher has seen.
#[derive(Clone)]
struct Notes {
    side: Side,
    by: Watcher,
    stretches: Arc<Mutex<Vec<Stretch>>>,
}

/// Looks that saw the same, one after the other.
struct Stretch {
    from: Instant,
    to: Instant,
    looks: u32,
    slowest: Duration,
    glimpse: Glimpse,
    laps: Option<[u32; 2]>,
    /// The lap that was read after the last look: it is of the stretch if the next look sees the same.
    newest: Option<u32>,
}

/// Where a guest's laps are to be found.
struct Laps {
    processes: Option<PathBuf>,
    domain: String,
    guest: Parameters,
    mib: u32,
    memory: Option<GuestMemory>,
}

impl LibvirtDriver<'_> {
    /// Begins to watch both sides.
    pub(super) fn begin_watch(&mut self) -> Result<(), Error> {
        let client = self.slot.client_for(Role::Watcher)?;
        let mut watch = Watch {
            tasks: Vec::new(),
            notes: Vec::new(),
        };
        for side in Side::BOTH {
            let (uri, domain) = (self.host(side).uri(), self.subject.domain.clone());
            let notes = watch.notes(side, Watcher::Libvirt);
            let looks = by_libvirt(Arc::clone(&client), uri, domain, notes);
            watch.tasks.push(tokio::spawn(looks));
            let notes = watch.notes(side, Watcher::Qemu);
            let (monitors, laps) = (Arc::clone(&self.ordeal.monitors), self.laps(side));
            watch
                .tasks
                .push(tokio::spawn(by_qemu(monitors, laps, notes)));
        }
        self.ordeal.watch = Some(watch);
        Ok(())
    }

    /// Ends that, and records what was seen.
    pub(super) fn end_watch(&mut self, record: &mut Recorder) -> Result<(), Error> {
        if let Some(watch) = self.ordeal.watch.take() {
            watch.tell(record);
        }
        Ok(())
    }

    /// Memory that a postcopy has still to bring is not read.
    fn laps(&self, side: Side) -> Option<Laps> {
        if side == Side::Destination && self.is_postcopy() {
            return None;
        }
        Some(Laps {
            processes: self.host(side).path("/proc"),
            domain: self.subject.domain.clone(),
            guest: self.subject.guest,
            mib: self.subject.memory_mib,
            memory: None,
        })
    }
}

impl Watch {
    fn notes(&mut self, side: Side, by: Watcher) -> Notes {
        let notes = Notes {
            side,
            by,
            stretches: Arc::default(),
        };
        self.notes.push(notes.clone());
        notes
    }

    fn tell(mut self, record: &mut Recorder) {
        for Notes {
            side,
            by,
            stretches,
        } in mem::take(&mut self.notes)
        {
            for stretch in lock(&stretches).drain(..) {
                record.saw(Observation::Watched {
                    side,
                    by,
                    from_us: record.at_us(stretch.from),
                    to_us: record.at_us(stretch.to),
                    looks: stretch.looks,
                    slowest_us: u64::try_from(stretch.slowest.as_micros()).unwrap_or(u64::MAX),
                    glimpse: stretch.glimpse,
                    laps: stretch.laps,
                });
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Notes {
    /// Takes down a look that was begun then and is over now.
    fn note(&self, glimpse: Glimpse, began: Instant, lap: Option<u32>) {
        let now = Instant::now();
        let took = now.saturating_duration_since(began);
        let mut stretches = lock(&self.stretches);
        if let Some(last) = stretches.last_mut().filter(|last| last.glimpse == glimpse) {
            last.to = now;
            last.looks += 1;
            last.slowest = last.slowest.max(took);
            if let Some(between) = mem::replace(&mut last.newest, lap) {
                let [first, _] = last.laps.unwrap_or([between; 2]);
                last.laps = Some([first, between]);
            }
            return;
        }
        stretches.push(Stretch {
            from: began,
            to: now,
            looks: 1,
            slowest: took,
            glimpse,
            laps: None,
            newest: lap,
        });
    }
}

impl Laps {
    /// The guest's lap now, where there is a guest whose memory can be read.
    fn now(&mut self) -> Option<u32> {
        if let Some(Ok(lap)) = self.memory.as_ref().map(GuestMemory::lap) {
            return lap;
        }
        let qemu = Qemu::find(self.processes.as_deref()?, &self.domain, None)?;
        let memory = GuestMemory::find(&qemu.folder, &self.guest, self.mib).ok()?;
        let lap = memory.lap().ok().flatten();
        self.memory = Some(memory);
        lap
    }
}

/// Looks at a side by its daemon. One that does not answer is waited for: so it is not asked again and again.
async fn by_libvirt(client: Arc<Client>, uri: String, domain: String, notes: Notes) {
    let mut tick = Ticks::every(EVERY);
    let mut open = false;
    loop {
        tick.tick().await;
        let mut began = Instant::now();
        let mut look = pin!(glance(&client, notes.side, &uri, &domain, &mut open));
        let glimpse = loop {
            match timeout(SILENCE, &mut look).await {
                Ok(glimpse) => break glimpse,
                Err(_) => {
                    notes.note(Glimpse::Silent, began, None);
                    began = Instant::now();
                }
            }
        };
        notes.note(glimpse, began, None);
    }
}

async fn glance(client: &Client, side: Side, uri: &str, domain: &str, open: &mut bool) -> Glimpse {
    let (uri, domain) = (uri.to_owned(), domain.to_owned());
    if !*open && client.ask(Op::Open { side, uri }).await.is_err() {
        return Glimpse::Silent;
    }
    *open = true;
    match client.ask(Op::State { side, domain }).await {
        Ok(Said::Absent) => Glimpse::Absent,
        Ok(Said::State(state, reason)) => Glimpse::State { state, reason },
        Ok(_) | Err(_) => {
            *open = false;
            Glimpse::Silent
        }
    }
}

/// Looks at a side by the domain's QEMU, and at its guest.
async fn by_qemu(monitors: Arc<Monitors>, mut laps: Option<Laps>, notes: Notes) {
    let mut tick = Ticks::every(EVERY);
    loop {
        tick.tick().await;
        let began = Instant::now();
        let glimpse = match monitors.run_state(notes.side).await {
            Ok(state) => Glimpse::State {
                state,
                reason: String::new(),
            },
            Err(Mute::Absent) => Glimpse::Absent,
            Err(Mute::Silent | Mute::Refused(_)) => Glimpse::Silent,
        };
        // What comes in has its laps from the source.
        let is_there = matches!(&glimpse, Glimpse::State { state, .. } if state != INCOMING);
        let lap = laps.as_mut().filter(|_| is_there).and_then(Laps::now);
        notes.note(glimpse, began, lap);
    }
}

fn lock(stretches: &Mutex<Vec<Stretch>>) -> MutexGuard<'_, Vec<Stretch>> {
    stretches.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(word: &str) -> Glimpse {
        Glimpse::State {
            state: word.to_owned(),
            reason: String::new(),
        }
    }

    #[test]
    fn looks_that_see_the_same_are_one_stretch_with_the_laps_that_were_read_between_them() {
        let mut watch = Watch {
            tasks: Vec::new(),
            notes: Vec::new(),
        };
        let notes = watch.notes(Side::Source, Watcher::Qemu);
        let began = Instant::now();
        for (glimpse, lap) in [
            (Glimpse::Absent, None),
            (state("running"), None),
            (state("running"), Some(7)),
            (state("running"), Some(9)),
            (state("running"), Some(11)),
            (Glimpse::Silent, None),
            (state("running"), Some(12)),
        ] {
            notes.note(glimpse, began, lap);
        }
        let stretches = lock(&notes.stretches);
        let told: Vec<_> = stretches
            .iter()
            .map(|stretch| (stretch.looks, stretch.laps))
            .collect();
        let expected = [(1, None), (4, Some([7, 9])), (1, None), (1, None)];
        assert_eq!(told, expected);
    }
}
