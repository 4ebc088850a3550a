//! What is broken on purpose, behind the hypervisor's back.

use std::{fs, io, path::PathBuf, process::Stdio};

use migratrix_client::wire::{DomainAction, Op, Said};
use migratrix_contract::{Litter, Recorder, Step, Variant, other_name};
use migratrix_guest::{PAGE, SECTOR};
use migratrix_history::{Observation, Side};
use serde_json::json;

use crate::{Error, LibvirtDriver, client::done, domain_xml, qtest};

/// A byte of a sector that the guest lays out once and then leaves alone: the last.
const MARK: u32 = 511;

/// Where the QEMU listens that is left: a port of libvirt's migrations that no other case comes to.
const LISTENS_AT: &str = "tcp:0.0.0.0:49215";

/// The port of libvirt's daemons.
const DAEMON: u16 = 16_509;

/// A UUID of its 32 digits.
fn uuid_of_parts(digits: &str) -> String {
    let at = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    [at(0, 8), at(8, 12), at(12, 16), at(16, 20), at(20, 32)].join("-")
}

impl LibvirtDriver<'_> {
    /// Breaks what `step` says, and records that. Steps that break nothing are none of its business.
    pub(crate) async fn break_on_purpose(
        &mut self,
        step: &Step,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        match *step {
            Step::PokeByte(side) => self.poke_byte(side).await?,
            Step::PokeRest(side) => self.poke_rest(side).await?,
            Step::AgePage(side) => self.age_page(side).await?,
            Step::HaltGuest(side) => self.halt_guest(side).await?,
            Step::LeaveFile(side) => self.leave_file(side)?,
            Step::Leave(side, litter) => self.leave(side, litter).await?,
            Step::Plug(side) => self.plug(side).await?,
            Step::Approach(side) => self.approach(side)?,
            Step::StopDaemon(side) => {
                let done = self.host(side).stop_daemon().await;
                self.broken(side, "can't stop the daemon", done)?;
            }
            Step::KillQemu(side) => {
                let done = self.host(side).kill_qemu(&self.subject.domain);
                self.broken(side, "can't kill QEMU", done)?;
            }
            Step::KillClient => self.slot.client()?.kill().await,
            Step::Connect
            | Step::Define(..)
            | Step::Rename(_)
            | Step::Undefine(_)
            | Step::Start(..)
            | Step::AwaitBeat(_)
            | Step::Suspend(_)
            | Step::Resume(_)
            | Step::Destroy(_)
            | Step::Inspect(..)
            | Step::Beat(..)
            | Step::Migrate(_)
            | Step::Job(_)
            | Step::Survey(_)
            | Step::ReadRam(..)
            | Step::Clear(_)
            | Step::Leftovers(_)
            | Step::Raw(_)
            | Step::Colo(_)
            | Step::Backup(_)
            | Step::Recovery(_) => return Ok(()),
        }
        record.saw(Observation::Fault {
            fault: step.to_string(),
        });
        Ok(())
    }

    /// Flips the bits of the last byte of the middle page.
    async fn poke_byte(&self, side: Side) -> Result<(), Error> {
        let guest = &self.subject.guest;
        let page = guest.start + guest.pages() / 2 * PAGE;
        let byte = b"a-b!"[3] ^ 0xff;
        qtest::write(self.qtest_path(side)?, page + MARK, &[byte]).await
    }

    /// Changes the first byte of the page after the range, which nobody uses.
    async fn poke_rest(&self, side: Side) -> Result<(), Error> {
        qtest::write(self.qtest_path(side)?, self.subject.guest.end, &[0xff]).await
    }

    /// Puts each sector of the last page back by a lap.
    async fn age_page(&mut self, side: Side) -> Result<(), Error> {
        let (path, end) = (self.qtest_path(side)?, self.subject.guest.end);
        let lap = self.heartbeat(side).await?.lap().await?;
        let stamp = lap.unwrap_or_default().wrapping_sub(1).to_le_bytes();
        for sector in (end - PAGE..end).step_by(SECTOR as usize) {
            qtest::write(path.clone(), sector, &stamp).await?;
        }
        Ok(())
    }

    async fn halt_guest(&self, side: Side) -> Result<(), Error> {
        let (address, code) = migratrix_guest::halting_code();
        qtest::write(self.qtest_path(side)?, address, &code).await
    }

    /// Plugs a device into the port that no device is on: libvirt gives a machine of PCI Express one more
    /// than it needs.
    async fn plug(&mut self, side: Side) -> Result<(), Error> {
        let device = json!({ "driver": "virtio-rng-pci", "id": "plugged", "bus": "pci.2" });
        let command = json!({ "execute": "device_add", "arguments": device }).to_string();
        let plug = Op::Monitor {
            side,
            domain: self.subject.domain.clone(),
            command,
            human: false,
        };
        let Said::Text(said) = self.on(side).await?.ask(plug).await? else {
            return Err(Error::Malformed("monitor"));
        };
        if said.contains("\"error\"") {
            return Err(Error::Monitor(said));
        }
        Ok(())
    }

    fn qtest_path(&self, side: Side) -> Result<PathBuf, Error> {
        self.path(side, &self.subject.qtest_socket())
    }

    fn leave_file(&self, side: Side) -> Result<(), Error> {
        let file = format!("/var/lib/libvirt/qemu/{}.left", self.subject.domain);
        let path = self.path(side, &file)?;
        fs::write(&path, "left on purpose\n").map_err(|source| Error::File { path, source })
    }

    async fn leave(&mut self, side: Side, litter: Litter) -> Result<(), Error> {
        match litter {
            Litter::UuidFile => self.leave_uuid(side),
            Litter::Listener => self.leave_listener(side),
            Litter::Copy => self.leave_copy(side).await,
        }
    }

    fn leave_uuid(&self, side: Side) -> Result<(), Error> {
        let file = format!("/var/lib/libvirt/qemu/{}", self.subject.uuid);
        let path = self.path(side, &file)?;
        fs::create_dir(&path).map_err(|source| Error::File { path, source })
    }

    /// Starts a QEMU that waits for a guest, and that nobody will end but the host's own end.
    pub(crate) fn leave_listener(&self, side: Side) -> Result<(), Error> {
        let emulator = self.subject.point.machine().arch().emulator();
        let words = [
            emulator,
            "-nodefaults",
            "-display",
            "none",
            "-machine",
            "none",
        ];
        let words = [&words[..], &["-daemonize", "-incoming", LISTENS_AT]].concat();
        let started = self.run_on(side, &words);
        self.broken(side, "can't start a QEMU that listens", started)
    }

    /// Connects to the other side's daemon by the shell that each root has, and ends that at once.
    fn approach(&self, side: Side) -> Result<(), Error> {
        let uri = self.host(side.other()).uri();
        let address = uri.split('/').nth(2).unwrap_or_default();
        let line = format!("exec 3<>/dev/tcp/{address}/{DAEMON}");
        let done = self.run_on(side, &["bash", "-c", &line]);
        self.broken(side, "can't connect to the other daemon", done)
    }

    /// Runs a command on a host, which must succeed, and is silent.
    fn run_on(&self, side: Side, words: &[&str]) -> io::Result<()> {
        let mut command = self
            .host(side)
            .command(words)?
            .ok_or(io::ErrorKind::Unsupported)?;
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let status = command.status()?;
        status
            .success()
            .then_some(())
            .ok_or_else(|| io::Error::other(status.to_string()))
    }

    async fn leave_copy(&mut self, side: Side) -> Result<(), Error> {
        // A name that is none of the case's.
        let domain = format!("copy{}", other_name(&self.subject.domain));
        let mut copy = self.subject.clone();
        copy.domain.clone_from(&domain);
        let uuid: String = self.subject.uuid.chars().rev().collect();
        let uuid = uuid_of_parts(&uuid.replace('-', ""));
        let xml = domain_xml(&copy, &uuid, Variant::Plain);
        let act = DomainAction::Suspend;
        let paused = false;
        done(self.on(side).await?, Op::CreateXml { side, xml, paused }).await?;
        done(self.on(side).await?, Op::Domain { side, domain, act }).await
    }

    /// Where a file of the side is found from here.
    pub(crate) fn path(&self, side: Side, inside: &str) -> Result<PathBuf, Error> {
        let host = self.host(side);
        let ours = host.path(inside);
        ours.ok_or_else(|| Error::NotOurs(host.release().to_string()))
    }

    /// What came of something that was done to a host.
    pub(crate) fn broken<T>(
        &self,
        side: Side,
        what: &'static str,
        done: io::Result<T>,
    ) -> Result<T, Error> {
        let host = self.host(side).release().to_string();
        match done {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Err(Error::NotOurs(host)),
            done => done.map_err(|source| Error::Host { what, host, source }),
        }
    }
}
