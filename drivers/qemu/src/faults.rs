//! What is broken on purpose.

use std::fs::{self, OpenOptions};

use migratrix_contract::Recorder;
use migratrix_guest::{PAGE, SECTOR};
use migratrix_history::Side;
use migratrix_qmp::{Launch, QemuError, Width};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use serde_json::json;

use crate::{QemuDriver, error::StepError, party::PATIENCE, words::words};

/// A byte of a sector that the guest lays out once and then leaves alone: the last.
const MARK: u32 = 511;

/// The ports of the real-time clock of a PC, its register of the year, and a year that is past.
const CMOS_INDEX: u16 = 0x70;
const CMOS_DATA: u16 = 0x71;
const CMOS_YEAR: u32 = 0x09;
const PAST: u32 = 0x05;

/// How much of the stream's file is cut off, in bytes.
const CUT: u64 = 64;

impl QemuDriver {
    /// Flips the bits of the last byte of a sector of the middle page.
    pub(crate) async fn poke_byte(&mut self, side: Side) -> Result<(), StepError> {
        let guest = &self.subject.guest;
        let page = guest.start + guest.pages() / 2 * PAGE;
        let address = u64::from(page + MARK);
        let byte = self.party(side).read_memory(address, 1).await?;
        let flipped: Vec<u8> = byte.iter().map(|byte| byte ^ 0xff).collect();
        self.party(side).write_memory(address, &flipped).await
    }

    /// Changes the first byte of the page after the range, which nobody uses.
    pub(crate) async fn poke_rest(&mut self, side: Side) -> Result<(), StepError> {
        let address = self.subject.guest.end.into();
        self.party(side).write_memory(address, &[0xff]).await
    }

    /// Puts each sector of the last page back by a lap.
    pub(crate) async fn age_page(&mut self, side: Side) -> Result<(), StepError> {
        let stamp = self.lap(side).await?.wrapping_sub(1).to_le_bytes();
        let end = self.subject.guest.end;
        for sector in (end - PAGE..end).step_by(SECTOR as usize) {
            self.party(side).write_memory(sector.into(), &stamp).await?;
        }
        Ok(())
    }

    /// Writes what halts over the guest's code.
    pub(crate) async fn halt_guest(&mut self, side: Side) -> Result<(), StepError> {
        let (address, code) = migratrix_guest::halting_code();
        self.party(side).write_memory(address.into(), &code).await
    }

    /// Leaves a file in the case's folder.
    pub(crate) fn leave_file(&self, _side: Side) -> Result<(), StepError> {
        self.scratch.make()?;
        self.scratch.litter(".left")
    }

    /// Starts a QEMU that waits for a guest, and has nothing of the case on its command line.
    pub(crate) async fn leave_listener(&mut self, side: Side) -> Result<(), StepError> {
        let line = "-nodefaults -display none -machine none -incoming tcp:127.0.0.1:0";
        let launch = Launch::new(self.binary(side)).arguments(words(line));
        self.litter = Some(launch.start(PATIENCE).await?);
        Ok(())
    }

    /// Kills the side's QEMU, and waits until it is gone.
    pub(crate) async fn kill(&mut self, side: Side) -> Result<(), StepError> {
        Ok(self.party(side).qemu()?.kill().await?)
    }

    /// Stops the side's QEMU.
    pub(crate) fn stop_qemu(&mut self, side: Side) -> Result<(), StepError> {
        self.signal(side, Signal::SIGSTOP)
    }

    /// Sends the side's QEMU a signal.
    pub(crate) fn signal(&mut self, side: Side, signal: Signal) -> Result<(), StepError> {
        let party = self.party(side);
        let pid = party.pid().and_then(|pid| i32::try_from(pid).ok());
        let pid = pid.ok_or(StepError::NoQemu(side, party.end().map(str::to_owned)))?;
        // It leads a group: where it is a wrapper, its QEMU is a member.
        killpg(Pid::from_raw(pid), signal).map_err(StepError::system("send QEMU a signal"))
    }

    /// Garbles what the side's QEMU says from now on.
    pub(crate) fn garble(&mut self, side: Side) -> Result<(), StepError> {
        self.party(side).qemu()?.garble();
        Ok(())
    }

    /// Turns on a capability that changes nothing where there is no postcopy.
    pub(crate) async fn switch_on(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let on = json!({ "capabilities": [{ "capability": "release-ram", "state": true }] });
        let party = self.party(side);
        party
            .command("migrate-set-capabilities", on, record)
            .await?;
        Ok(())
    }

    /// Plugs in a device.
    pub(crate) async fn plug_device(
        &mut self,
        side: Side,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let device = json!({ "driver": "virtio-rng-pci", "id": "plugged", "addr": "0x1d" });
        let party = self.party(side);
        party.command("device_add", device, record).await?;
        Ok(())
    }

    /// Sets the year of the guest's clock back: the register of the year, then its value.
    pub(crate) async fn set_clock(&mut self, side: Side) -> Result<(), StepError> {
        let party = self.party(side);
        party.port_out(Width::Byte, CMOS_INDEX, CMOS_YEAR).await?;
        party.port_out(Width::Byte, CMOS_DATA, PAST).await
    }

    /// Cuts off the end of the stream's file.
    pub(crate) fn cut_stream(&self) -> Result<(), StepError> {
        let path = self.stream();
        let cut = || {
            let length = fs::metadata(&path)?.len().saturating_sub(CUT);
            OpenOptions::new().write(true).open(&path)?.set_len(length)
        };
        Ok(cut().map_err(QemuError::file("cut", &path))?)
    }
}
