//! Devices as the guest sees them on its PCI bus: their configuration, by the ports of mechanism 1.

use migratrix_matrix::Devices;
use migratrix_qmp::Width;

use super::SLOT;
use crate::{
    error::StepError,
    party::{PATIENCE, Party},
};

const ADDRESS: u16 = 0xcf8;
const DATA: u16 = 0xcfc;

/// Registers of a configuration, by their offsets.
pub(crate) const COMMAND: u32 = 0x04;
const CLASS: u32 = 0x08;
pub(crate) const BAR: u32 = 0x10;
const BARS: u32 = 6;
const INTERRUPT: u32 = 0x3c;

/// The port at which `pvpanic` is, which is no device of PCI.
const PVPANIC: u16 = 0x505;

impl Party {
    /// Reads a register of the device in a slot of the first bus.
    pub(crate) async fn read_config(&mut self, slot: u32, register: u32) -> Result<u32, StepError> {
        self.select(slot, register).await?;
        let value = self.port_in(Width::Long, DATA).await?;
        Ok(u32::try_from(value).unwrap_or(u32::MAX))
    }

    /// Writes a register of the device in a slot of the first bus.
    pub(crate) async fn write_config(
        &mut self,
        slot: u32,
        register: u32,
        value: u32,
    ) -> Result<(), StepError> {
        self.select(slot, register).await?;
        self.port_out(Width::Long, DATA, value).await
    }

    async fn select(&mut self, slot: u32, register: u32) -> Result<(), StepError> {
        let address = 1 << 31 | slot << 11 | register;
        self.port_out(Width::Long, ADDRESS, address).await
    }

    pub(crate) async fn port_in(&mut self, width: Width, port: u16) -> Result<u64, StepError> {
        let qtest = self.qtest()?;
        let read = qtest.port_in(width, port, PATIENCE).await;
        self.explained(read).await
    }

    pub(crate) async fn port_out(
        &mut self,
        width: Width,
        port: u16,
        value: u32,
    ) -> Result<(), StepError> {
        let qtest = self.qtest()?;
        let written = qtest.port_out(width, port, value, PATIENCE).await;
        self.explained(written).await
    }

    /// The case's devices as the guest finds them: what each is, where, and where its registers are.
    pub(crate) async fn devices(&mut self, devices: Devices) -> Result<Vec<String>, StepError> {
        if devices == Devices::Pvpanic {
            // What else it can tell of differs between releases, with the same machine type.
            let panics = self.port_in(Width::Byte, PVPANIC).await? & 1 != 0;
            return Ok(vec![format!("port {PVPANIC:#x} takes panics: {panics}")]);
        }
        let mut all = Vec::new();
        for slot in slots(devices) {
            all.extend(self.device(slot).await?);
        }
        Ok(all)
    }

    async fn device(&mut self, slot: u32) -> Result<Vec<String>, StepError> {
        let id = self.read_config(slot, 0).await?;
        let (vendor, device) = (id & 0xffff, id >> 16);
        let class = self.read_config(slot, CLASS).await?;
        let mut all = vec![
            format!("{vendor:04x}:{device:04x} at 00:{slot:02x}.0"),
            format!("class {:06x}, revision {:02x}", class >> 8, class & 0xff),
        ];
        for place in 0..BARS {
            let base = self.read_config(slot, BAR + 4 * place).await?;
            if base != 0 {
                all.push(format!("BAR {place} at {base:#010x}"));
            }
        }
        let line = self.read_config(slot, INTERRUPT).await? & 0xff;
        all.push(format!("interrupt line {line}"));
        Ok(all)
    }

    /// Changes the interrupt line of the case's device.
    pub(crate) async fn change_interrupt_line(&mut self) -> Result<(), StepError> {
        let line = self.read_config(SLOT, INTERRUPT).await?;
        self.write_config(SLOT, INTERRUPT, line ^ 1).await
    }
}

/// The slots of the case's devices.
fn slots(devices: Devices) -> std::ops::RangeInclusive<u32> {
    let more = if devices == Devices::VirtioInput {
        2
    } else if devices == Devices::AllVirtio {
        7
    } else {
        0
    };
    SLOT..=SLOT + more
}
