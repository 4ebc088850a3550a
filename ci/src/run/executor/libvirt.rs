//! Cases that libvirt runs, on hosts of the lab and on real machines.

use std::{collections::HashMap, path::Path, sync::Arc};

use anyhow::Result;
use migratrix_history::Observation;
use migratrix_libvirt::{LibvirtDriver, Listener, Slot};
use migratrix_matrix::{Axis, Case, Fault, HostSetup, Point, Release, ReleaseName, Strike, Writer};
use tokio::time::timeout;

use super::{Attempt, AttemptResult, BOOT_IMAGE, COMMON_MACHINE, Executor};
use crate::run::{
    hosts::{Hosts, Lost},
    job::Job,
    rundir::RunDir,
};

/// Where the boot image of a guest that writes to a disk is on hosts of the lab.
const WRITER_IMAGE: &str = "/var/lib/migratrix/a-b-writer.img";

/// What a worker keeps from case to case: a client process of each release.
#[derive(Default)]
pub struct Worker {
    clients: HashMap<(ReleaseName, Listens), Slot>,
}

/// Who listens to the hosts of a client.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Listens {
    /// One for all workers.
    Shared,
    /// One for this worker alone.
    Own,
}

impl Worker {
    /// The client processes of a release: started when they are first needed, and kept. Hosts that may be
    /// silent are listened to by nobody else: who waits for one of them hears nothing of the others.
    fn slot(
        &mut self,
        hosts: &Hosts,
        release: &ReleaseName,
        setup: HostSetup,
    ) -> Result<&mut Slot> {
        let listens = match setup {
            HostSetup::AsShipped | HostSetup::Quick => Listens::Shared,
            HostSetup::Resilient => Listens::Own,
        };
        let key = (release.clone(), listens);
        if !self.clients.contains_key(&key) {
            let program = hosts.client_program(release)?;
            let listener = match listens {
                Listens::Shared => hosts.listener(release)?,
                Listens::Own => Listener::of_silent_hosts(Arc::clone(&program)),
            };
            self.clients
                .insert(key.clone(), Slot::new(program, listener));
        }
        Ok(self.clients.get_mut(&key).expect("it was just put there"))
    }
}

impl Executor {
    pub(super) async fn on_libvirt(
        &self,
        worker: &mut Worker,
        job: &Job,
        dir: &RunDir,
    ) -> Result<AttemptResult> {
        let Some(hosts) = &self.hosts else {
            return Ok(AttemptResult::skipped(&job.case, "a host"));
        };
        // What a host has is known only of one that answers.
        match (self.machine(&job.case), hosts.lack(&job.case.tuple)) {
            (Ok(machine), _) => self.on_hosts(hosts, worker, job, machine, dir).await,
            (Err(_), Some(why)) => self.no_hosts(job, String::new(), why, dir),
            (Err(lack), None) => Ok(AttemptResult::skipped(&job.case, &lack)),
        }
    }

    async fn on_hosts(
        &self,
        hosts: &Hosts,
        worker: &mut Worker,
        job: &Job,
        machine: String,
        dir: &RunDir,
    ) -> Result<AttemptResult> {
        let tuple = &job.case.tuple;
        let alone = job.alone || job.case.fault.is_some_and(Fault::is_alone);
        let pair = match hosts.pair(tuple, job.setup, alone).await {
            Ok(pair) => pair,
            Err(why) => return self.no_hosts(job, machine, why, dir),
        };
        let writes = job.case.point.is(Writer::NAME, Writer::Guest.word());
        let usual = if writes { WRITER_IMAGE } else { BOOT_IMAGE };
        let image = pair.source.boot_image.as_deref();
        let image = image.unwrap_or(Path::new(usual));
        let script = self.script(job, machine, &image.to_string_lossy());
        let slot = worker.slot(hosts, &tuple.client, job.setup)?;
        let (source, destination) = (pair.source.host.clone(), pair.destination.host.clone());
        let driver = LibvirtDriver::new(slot, source, destination, script.subject.clone());
        let mut driver = driver.with_patience(self.deadlines.clear);
        if job.alone {
            driver = driver.alone_on_its_hosts();
        }
        // A host that does not answer is the case's own to tell of.
        let lacks = timeout(self.deadlines.step, driver.lacks()).await;
        if let Ok(Some(ability)) = lacks {
            return Ok(AttemptResult::skipped(&job.case, &ability));
        }
        let mut running = Attempt::open(script, job, dir)?;
        let mut material = pair.material(&running.script.subject.domain);
        running.execute(&mut driver, &self.deadlines).await;
        for (side, when, xml) in driver.descriptions() {
            material.describe(side, when, xml);
        }
        material.explain_missing(running.record.so_far());
        material.end();
        if running.is_in_doubt() {
            hosts.repair(&pair).await;
        }
        // What another case found is told as well: this one was on it.
        let lost = hosts.lost(&pair);
        let disturbed = !lost.is_empty();
        for Lost {
            side,
            why,
            host,
            generation,
        } in lost
        {
            running.record.saw(Observation::HostLost {
                side,
                why,
                instance: format!("{:04x}.{host}.{generation}", self.run),
            });
        }
        if running.is_blind() {
            hosts.renew(&pair).await;
        }
        running.close(dir, job, disturbed, material)
    }

    /// The machine type that the case runs on, or what is lacking of one.
    fn machine(&self, case: &Case) -> Result<String, String> {
        let release = |name| self.releases.find(name).map_err(|_| COMMON_MACHINE);
        let source = release(&case.tuple.source)?;
        let destination = release(&case.tuple.destination)?;
        machine(&case.point, source, destination)
    }
}

/// One that both releases have, or that the source alone has where that is what the case is about.
fn machine(point: &Point, source: &Release, destination: &Release) -> Result<String, String> {
    let choice = point.machine();
    if !matches!(point, Point::Recovery(point) if point.strike == Strike::MachineUnknown) {
        let common = choice.among(source, destination);
        return common.ok_or_else(|| COMMON_MACHINE.to_owned());
    }
    let (family, source_name, name) = (choice.family(), &source.name, &destination.name);
    choice.beyond(source, destination).ok_or_else(|| {
        format!(
            "a machine type that {name} does not know: it knows every {family} of {source_name}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(name: &str, machines: &[&str]) -> Release {
        let mut release = Release::unknown(ReleaseName::new(name).unwrap());
        release.machines = machines.iter().map(|&machine| machine.to_owned()).collect();
        release
    }

    #[test]
    fn a_machine_is_common_to_both_but_where_the_destination_is_not_to_know_it() {
        let of = |strike: &str, [source, destination]: [&Release; 2]| {
            let name = format!("{strike}/p2p/persistent-running-undefined/live");
            let point: migratrix_matrix::Recovery = name.parse().unwrap();
            machine(&Point::Recovery(point), source, destination)
        };
        let old = release("old", &["pc-q35-5.1", "pc-q35-5.2"]);
        let new = release("new", &["pc-q35-5.2", "pc-q35-7.2"]);
        let usual = "cancelled/first-pass";
        assert_eq!(of(usual, [&new, &old]).unwrap(), "pc-q35-5.2");
        let unknown = "machine-unknown/call";
        assert_eq!(of(unknown, [&new, &old]).unwrap(), "pc-q35-7.2");
        assert_eq!(of(unknown, [&old, &new]).unwrap(), "pc-q35-5.1");
        let lack = of(unknown, [&old, &old]).unwrap_err();
        assert_eq!(
            lack,
            "a machine type that old does not know: it knows every pc-q35 of old"
        );
        let none = release("none", &[]);
        assert_eq!(of(usual, [&old, &none]).unwrap_err(), COMMON_MACHINE);
    }
}
