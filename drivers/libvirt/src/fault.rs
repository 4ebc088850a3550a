//! What is broken on purpose, behind the hypervisor's back.

use std::{fs, io, path::PathBuf};

use migratrix_contract::{Recorder, Step};
use migratrix_history::{Observation, Side};

use crate::{Error, LibvirtDriver, qtest};

/// A byte of a sector that the guest lays out once and then leaves alone: the last.
const MARK: u32 = 511;

impl LibvirtDriver<'_> {
    /// Breaks what `step` says, and records that. Steps that break nothing are none of its business.
    pub(crate) async fn break_on_purpose(
        &mut self,
        step: &Step,
        record: &mut Recorder,
    ) -> Result<(), Error> {
        match *step {
            Step::PokeByte(side) => self.poke_byte(side).await?,
            Step::HaltGuest(side) => self.halt_guest(side).await?,
            Step::LeaveFile(side) => self.leave_file(side)?,
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
            | Step::Clear(_)
            | Step::Leftovers(_)
            | Step::Raw(_)
            | Step::Colo(_)
            | Step::Backup(_) => return Ok(()),
        }
        record.saw(Observation::Fault {
            fault: step.to_string(),
        });
        Ok(())
    }

    /// Flips the bits of the last byte of the middle page.
    async fn poke_byte(&self, side: Side) -> Result<(), Error> {
        let guest = &self.subject.guest;
        let page = guest.start + guest.pages() / 2 * migratrix_guest::PAGE;
        let byte = b"a-b!"[3] ^ 0xff;
        qtest::write(self.qtest_path(side)?, page + MARK, &[byte]).await
    }

    async fn halt_guest(&self, side: Side) -> Result<(), Error> {
        let (address, code) = migratrix_guest::halting_code();
        qtest::write(self.qtest_path(side)?, address, &code).await
    }

    fn qtest_path(&self, side: Side) -> Result<PathBuf, Error> {
        self.path(side, &self.subject.qtest_socket())
    }

    fn leave_file(&self, side: Side) -> Result<(), Error> {
        let file = format!("/var/lib/libvirt/qemu/{}.left", self.subject.domain);
        let path = self.path(side, &file)?;
        fs::write(&path, "left on purpose\n").map_err(|source| Error::File { path, source })
    }

    /// Where a file of the side is found from here.
    pub(crate) fn path(&self, side: Side, inside: &str) -> Result<PathBuf, Error> {
        let host = self.host(side);
        let ours = host.path(inside);
        ours.ok_or_else(|| Error::NotOurs(host.release().to_string()))
    }

    fn broken(&self, side: Side, what: &'static str, done: io::Result<()>) -> Result<(), Error> {
        let host = self.host(side).release().to_string();
        match done {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Err(Error::NotOurs(host)),
            done => done.map_err(|source| Error::Host { what, host, source }),
        }
    }
}
