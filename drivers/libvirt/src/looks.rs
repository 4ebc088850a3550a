//! The steps that only look: at the domain, at its guest, at what is left of both.

use std::{io, sync::Arc, time::Duration};

use migratrix_client::wire::{Detail, DomainAction, Op, Said, Seen};
use migratrix_contract::{Host, Leftovers, REGISTERS, Recorder, registers};
use migratrix_guest::{Accelerated, Registers, Survey};
use migratrix_history::{Document, DomainInfo, DomainState, Observation, Refusal, Side, When};
use tokio::time::Instant;

use crate::{Error, LibvirtDriver, driver::LastLook, identity, ticks::Ticks};

/// How often it is looked at meanwhile.
const RESIDUE_EVERY: Duration = Duration::from_millis(20);

impl LibvirtDriver<'_> {
    /// Records what the host says of the domain.
    pub(crate) async fn look(
        &mut self,
        side: Side,
        when: When,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        if when == When::Before {
            // What the host has told of the preparation is no event of the migration.
            self.events.settle(side).await?;
        }
        let Some(seen) = self.seen(side, Detail::Whole).await? else {
            self.last_looks.remove(&side);
            let look = DomainState::Absent;
            record.saw(Observation::Domain { side, when, look });
            return Ok(());
        };
        let active = seen.active;
        let runs = seen.state == "running";
        self.last_looks.insert(side, LastLook { active, runs });
        let texts = texts(&seen);
        let look = DomainState::Present(described(&seen)?);
        record.saw(Observation::Domain { side, when, look });
        for (of, text) in texts {
            record.describe(side, when, of, text);
        }
        self.described.extend(seen.xml.map(|xml| (side, when, xml)));
        // A job that is left would have QEMU asked in half a minute.
        if active && !(self.is_struck() && self.is_busy(side).await) {
            self.ask_machine(side, when, record).await?;
        }
        Ok(())
    }

    /// What the host says of the domain; `None` where there is none.
    pub(crate) async fn seen(&mut self, side: Side, detail: Detail) -> Result<Option<Seen>, Error> {
        let domain = self.subject.domain.clone();
        let look = Op::Look {
            side,
            domain,
            detail,
        };
        let said = self.on(side).await?.ask(look).await?;
        if let Said::Present(seen) = said {
            return Ok(Some(seen));
        }
        let absent = said == Said::Absent;
        absent.then_some(None).ok_or(Error::Malformed("look"))
    }

    /// Records two readings of the guest's lap counter.
    pub(crate) async fn beat(
        &mut self,
        side: Side,
        when: When,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        if self.is_incomplete(side).await? {
            return Err(Error::incomplete());
        }
        let runs = self.runs(side).await?;
        let laps = self.heartbeat(side).await?.sample(runs).await?;
        record.saw(laps.observation(side, when));
        Ok(())
    }

    /// Whether the host says that the guest runs, or said so when it was looked at and left alone since.
    pub(crate) async fn runs(&mut self, side: Side) -> Result<bool, Error> {
        if let Some(look) = self.last_looks.get(&side) {
            return Ok(look.runs);
        }
        let domain = self.subject.domain.clone();
        let Said::Runs(runs) = self.on(side).await?.ask(Op::Runs { side, domain }).await? else {
            return Err(Error::Malformed("runs"));
        };
        Ok(runs)
    }

    /// Records the statistics of the last finished job.
    pub(crate) async fn job(&mut self, side: Side, record: &mut Recorder) -> Result<(), Error> {
        let domain = self.subject.domain.clone();
        let job = Op::Job { side, domain };
        let Said::Job(job) = self.on(side).await?.ask(job).await? else {
            return Err(Error::Malformed("job"));
        };
        record.saw(Observation::Job { side, job });
        Ok(())
    }

    /// Records the guest's stamped memory, read while it is held still.
    pub(crate) async fn survey(&mut self, side: Side, record: &mut Recorder) -> Result<(), Error> {
        // A domain that is paused already stays so.
        self.act(side, DomainAction::Suspend).await?;
        self.record_survey(side, record).await
    }

    /// Records the stamped memory of a guest that is held still.
    pub(crate) async fn record_survey(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        let survey = self.surveyed(side).await?;
        let registers = self.registers(side).await?;
        record.saw(Observation::Memory {
            side,
            survey,
            registers,
        });
        Ok(())
    }

    /// What lies in the guest's stamped memory: where its QEMU's process is ours to look into, by the kernel's
    /// word, else by the host's (`virDomainMemoryPeek`).
    async fn surveyed(&mut self, side: Side) -> Result<Survey, Error> {
        if let Ok(survey) = self.memory(side).and_then(|memory| memory.survey()) {
            return Ok(survey);
        }
        let survey = Op::Survey {
            side,
            domain: self.subject.domain.clone(),
            guest: self.subject.guest,
        };
        let Said::Survey(survey) = self.on(side).await?.ask(survey).await? else {
            return Err(Error::Malformed("survey"));
        };
        Ok(survey)
    }

    /// Where the guest's processor stands; `None` where the host does not let QEMU be asked.
    async fn registers(&mut self, side: Side) -> Result<Option<Registers>, Error> {
        match self.say(side, REGISTERS.to_owned(), true).await {
            Ok(told) => registers(&told).map(Some).ok_or(Error::Monitor(told)),
            Err(Error::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Records what is in each page of the machine's memory.
    pub(crate) async fn read_ram(
        &mut self,
        side: Side,
        when: When,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        if self.host(side).path("/proc").is_none() {
            record.saw(Observation::NotOurs { side });
            return Ok(());
        }
        let memory = self.memory(side);
        // The domain's XML has `type='qemu'`.
        let read = move || memory?.ram(Accelerated::Tcg);
        let read = tokio::task::spawn_blocking(read);
        let ram = read.await.map_err(io::Error::other).and_then(|read| read);
        let ram = ram.map_err(|error| unreadable(&error))?;
        record.saw(Observation::Ram { side, when, ram });
        Ok(())
    }

    /// Records what is left on the host, once nothing is or the host has had its time.
    pub(crate) async fn leftovers(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        let host = Arc::clone(self.host(side));
        let anything = |left: &Leftovers| !left.is_empty();
        let left = left_in_the_end(&*host, &self.subject.domain, self.patience, anything).await;
        let left = left.map_err(|source| Error::Host {
            what: "can't look for leftovers",
            host: host.release().to_string(),
            source,
        })?;
        match left {
            Some(left) => note_left(side, left, record),
            None => record.saw(Observation::NotOurs { side }),
        }
        if side == Side::Destination {
            self.traffic(record);
        }
        Ok(())
    }

    /// Records what the hosts' network carried of the migration, where that is ours.
    fn traffic(&self, record: &mut Recorder) {
        let Some(destination) = self.destination.captured_address() else {
            return;
        };
        match self.source.traffic(&self.subject.domain, destination) {
            Ok(Some(traffic)) => record.saw(Observation::Traffic(traffic)),
            Ok(None) => {}
            Err(error) => record.saw(Observation::NotCaptured {
                why: error.to_string(),
            }),
        }
    }
}

/// Records what is left: what is the case's own, and what may be of others.
fn note_left(side: Side, left: Leftovers, record: &mut Recorder) {
    record.saw(Observation::Leftovers {
        side,
        left: left.own,
    });
    if !left.unowned.is_empty() {
        record.saw(Observation::Unowned {
            side,
            found: left.unowned,
            others: left.others,
        });
    }
}

/// That the memory can't be read is no reason to see nothing else of the case.
fn unreadable(error: &io::Error) -> Error {
    Error::Refused(Refusal {
        code: 0,
        domain: 0,
        message: format!("can't read the memory of the domain's QEMU: {error}"),
    })
}

/// What is left of the domain, once that is nothing that has to go or the host has had its time: what was
/// ended goes when the machine comes to it. `None` where the host is not ours to look into.
pub(crate) async fn left_in_the_end(
    host: &dyn Host,
    domain: &str,
    patience: Duration,
    has_to_go: impl Fn(&Leftovers) -> bool,
) -> io::Result<Option<Leftovers>> {
    let deadline = Instant::now() + patience;
    let mut tick = Ticks::every(RESIDUE_EVERY);
    loop {
        tick.tick().await;
        let left = host.leftovers(domain)?;
        let waits = left.as_ref().is_some_and(&has_to_go);
        if !waits || Instant::now() >= deadline {
            return Ok(left);
        }
    }
}

/// The documents of a domain: what is kept of one that is not active is all that there is.
fn texts(seen: &Seen) -> Vec<(Document, &str)> {
    let running = if seen.active {
        Document::Live
    } else {
        Document::Kept
    };
    let documents = [(running, &seen.xml), (Document::Kept, &seen.kept)];
    let documents = documents.into_iter();
    documents
        .filter_map(|(of, text)| Some((of, text.as_deref()?)))
        .collect()
}

fn described(seen: &Seen) -> Result<DomainInfo, Error> {
    let running = seen.xml.as_deref().filter(|_| seen.active);
    Ok(DomainInfo {
        uuid: seen.uuid.clone(),
        active: seen.active,
        persistent: seen.persistent,
        state: seen.state.clone(),
        reason: seen.reason.clone(),
        identity: running.map(identity::read).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, pin::Pin, process::Command};

    use migratrix_matrix::ReleaseName;

    use super::*;

    /// A busy host: what was ended on it is gone at some moment.
    struct Busy {
        release: ReleaseName,
        gone: Instant,
    }

    impl Busy {
        fn rid_of_it_after(time: Duration) -> Self {
            Self {
                release: ReleaseName::new("trixie").unwrap(),
                gone: Instant::now() + time,
            }
        }
    }

    impl Host for Busy {
        fn release(&self) -> &ReleaseName {
            &self.release
        }

        fn uri(&self) -> String {
            String::new()
        }

        fn path(&self, _inside: &str) -> Option<PathBuf> {
            None
        }

        fn command(&self, _words: &[&str]) -> io::Result<Option<Command>> {
            Ok(None)
        }

        fn leftovers(&self, domain: &str) -> io::Result<Option<Leftovers>> {
            let is_left = Instant::now() < self.gone;
            Ok(Some(Leftovers {
                own: is_left.then(|| domain.to_owned()).into_iter().collect(),
                ..Leftovers::default()
            }))
        }

        fn stop_daemon(&self) -> Pin<Box<dyn Future<Output = io::Result<()>> + '_>> {
            Box::pin(async { Ok(()) })
        }

        fn kill_qemu(&self, _domain: &str) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_host_has_the_whole_deadline_to_be_rid_of_a_domain() {
        let seconds = Duration::from_secs;
        let anything = |left: &Leftovers| !left.is_empty();
        let slow = Busy::rid_of_it_after(seconds(4));
        let left = left_in_the_end(&slow, "m", seconds(5), anything)
            .await
            .unwrap();
        assert_eq!(left, Some(Leftovers::default()));
        let never = Busy::rid_of_it_after(seconds(600));
        let left = left_in_the_end(&never, "m", seconds(5), anything)
            .await
            .unwrap();
        assert_eq!(left.unwrap().own, ["m"]);
    }
}
