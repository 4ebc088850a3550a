//! What each virtio device does when it is used, in words that are the same on both sides.

use migratrix_contract::Recorder;
use migratrix_history::{Observation, Side, When};
use migratrix_matrix::Devices;
use serde_json::json;

use super::virtio::{
    Driven,
    Part::{Room, Says},
};
use crate::{QemuDriver, error::StepError, party::Party};

/// The size of a sector of a disk, in bytes.
const SECTOR: u32 = 512;

/// A work that a device does.
#[derive(Clone, Copy, Debug)]
enum Work {
    Random,
    Disk,
    Network,
    Scsi,
    Balloon,
    Serial,
}

impl Work {
    /// The work of the case's device, if it is in use.
    fn of(devices: Devices) -> Option<Self> {
        match devices {
            Devices::VirtioRngInUse => Some(Self::Random),
            Devices::VirtioBlkInUse => Some(Self::Disk),
            Devices::VirtioNetInUse => Some(Self::Network),
            Devices::VirtioScsiInUse => Some(Self::Scsi),
            Devices::VirtioBalloonInUse => Some(Self::Balloon),
            Devices::VirtioSerialInUse => Some(Self::Serial),
            Devices::None
            | Devices::VirtioBlk
            | Devices::VirtioNet
            | Devices::VirtioScsi
            | Devices::VirtioRng
            | Devices::VirtioBalloon
            | Devices::VirtioSerial
            | Devices::VirtioGpu
            | Devices::VirtioInput
            | Devices::E1000e
            | Devices::E1000
            | Devices::Rtl8139
            | Devices::Vmxnet3
            | Devices::Xhci
            | Devices::Ehci
            | Devices::Nvme
            | Devices::Ahci
            | Devices::Lsi
            | Devices::Megasas
            | Devices::Vga
            | Devices::IntelHda
            | Devices::Watchdog
            | Devices::Pvpanic
            | Devices::AllVirtio => None,
        }
    }

    /// The queues that it needs, in the order in which it names them; a queue's number is its place
    /// on the device.
    const fn queues(self) -> &'static [u16] {
        match self {
            Self::Random | Self::Disk => &[0],
            // What is sent.
            Self::Network => &[1],
            // Requests; control and events are not used.
            Self::Scsi => &[2],
            // What is given up, and taken back.
            Self::Balloon => &[0, 1],
            // What is said to the device itself, and what is sent by its port 1.
            Self::Serial => &[3, 5],
        }
    }

    async fn done(
        self,
        party: &mut Party,
        driven: &mut Driven,
        turn: u8,
    ) -> Result<Vec<String>, StepError> {
        match self {
            Self::Random => random(party, driven).await,
            Self::Disk => disk(party, driven, turn).await,
            Self::Network => network(party, driven, turn).await,
            Self::Scsi => scsi(party, driven).await,
            Self::Balloon => balloon(party, driven, turn).await,
            Self::Serial => serial(party, driven, turn).await,
        }
    }

    /// The features that it needs: several ports, of a serial device.
    const fn features(self) -> u32 {
        match self {
            Self::Serial => 1 << 1,
            Self::Random | Self::Disk | Self::Network | Self::Scsi | Self::Balloon => 0,
        }
    }
}

/// What the case's device does, in words; nothing where it is idle. It is taken before the
/// migration, and is at work from then on.
pub(crate) async fn done(
    driver: &mut QemuDriver,
    side: Side,
    when: When,
) -> Result<Vec<String>, StepError> {
    let Some(work) = Work::of(driver.subject.raw.devices) else {
        return Ok(Vec::new());
    };
    let base = u64::from(driver.subject.guest.end);
    let taken = driver.driven.take();
    let party = driver.party(side);
    let mut driven = match taken {
        Some(driven) => driven,
        None => take(party, work, base).await?,
    };
    // Each time something else is asked for, so that an old answer is none.
    let turn = match when {
        When::Before => 0,
        When::During => 1,
        When::After | When::Writing | When::Healed | When::Retried => 2,
    };
    let did = match work.done(party, &mut driven, turn).await {
        Err(StepError::DeviceTimeout) => vec!["no answer".to_owned()],
        did => did?,
    };
    let did = driven.sizes().chain(did).collect();
    driver.driven = Some(driven);
    Ok(did)
}

async fn take(party: &mut Party, work: Work, base: u64) -> Result<Driven, StepError> {
    let mut driven = Driven::take(party, base, work.queues(), work.features()).await?;
    if matches!(work, Work::Serial) {
        // To port 0 the device is ready (0); port 1 is ready (3), and open (6).
        for (port, event, value) in [(0_u32, 0_u16, 1_u16), (1, 3, 1), (1, 6, 1)] {
            let mut message = port.to_le_bytes().to_vec();
            message.extend(event.to_le_bytes());
            message.extend(value.to_le_bytes());
            driven.ask(party, 0, &[Says(message)]).await?;
        }
    }
    Ok(driven)
}

async fn random(party: &mut Party, driven: &mut Driven) -> Result<Vec<String>, StepError> {
    let bytes = driven.ask(party, 0, &[Room(32)]).await?;
    let is_random = bytes.iter().any(|byte| *byte != 0);
    Ok(vec![format!("32 bytes that are not all zero: {is_random}")])
}

/// Writes a sector, reads it back, and reads the one that was written first.
async fn disk(party: &mut Party, driven: &mut Driven, turn: u8) -> Result<Vec<String>, StepError> {
    let content = |turn: u8| vec![b'a' + turn; SECTOR as usize];
    let write = [Says(disk_header(1, turn)), Says(content(turn)), Room(1)];
    let written = driven.ask(party, 0, &write).await?;
    let mut did = vec![format!("write: {}", status(&written))];
    for (name, of) in [("what was written", turn), ("what was written first", 0)] {
        let read = [Says(disk_header(0, of)), Room(SECTOR), Room(1)];
        let mut bytes = driven.ask(party, 0, &read).await?;
        let end = bytes.split_off(SECTOR as usize);
        let equal = bytes == content(of);
        did.push(format!("read of {name}: {}, equal: {equal}", status(&end)));
    }
    Ok(did)
}

/// The header of a request: read (0) or write (1), and the sector.
fn disk_header(kind: u32, sector: u8) -> Vec<u8> {
    let mut header = kind.to_le_bytes().to_vec();
    header.extend(0_u32.to_le_bytes());
    header.extend(u64::from(sector).to_le_bytes());
    header
}

fn status(bytes: &[u8]) -> &'static str {
    match bytes {
        [0] => "done",
        [1] => "an I/O error",
        [2] => "not supported",
        _ => "no answer",
    }
}

async fn network(
    party: &mut Party,
    driven: &mut Driven,
    turn: u8,
) -> Result<Vec<String>, StepError> {
    // A header of 10 bytes that asks for nothing, and a frame to everybody of a local protocol.
    let mut frame = vec![0xff; 6];
    frame.extend([0x52, 0x54, 0, 0x6d, 0x69, 0x67, 0x88, 0xb5]);
    frame.resize(60, turn);
    driven
        .ask(party, 0, &[Says(vec![0; 10]), Says(frame)])
        .await?;
    Ok(vec!["a frame was sent".to_owned()])
}

/// Asks the disk who it is.
async fn scsi(party: &mut Party, driven: &mut Driven) -> Result<Vec<String>, StepError> {
    const SENSE: u32 = 108;
    const INQUIRY: u32 = 36;
    let mut request = vec![1, 0, 0x40, 0, 0, 0, 0, 0];
    // A tag, an attribute, a priority and a reference that say nothing.
    request.extend([0; 11]);
    request.extend([0x12, 0, 0, 0, INQUIRY as u8, 0]);
    request.resize(51, 0);
    let parts = [Says(request), Room(SENSE), Room(INQUIRY)];
    let answer = driven.ask(party, 0, &parts).await?;
    let (sense, response) = answer.split_at(SENSE as usize);
    Ok(vec![
        format!("inquiry: status {}, response {}", sense[10], sense[11]),
        format!(
            "vendor {}",
            String::from_utf8_lossy(&response[8..16]).trim()
        ),
    ])
}

/// Gives a page up, and takes it back.
async fn balloon(
    party: &mut Party,
    driven: &mut Driven,
    turn: u8,
) -> Result<Vec<String>, StepError> {
    let page = driven.spare_page(turn.into());
    let page = u32::try_from(page)
        .unwrap_or(u32::MAX)
        .to_le_bytes()
        .to_vec();
    driven.ask(party, 0, &[Says(page.clone())]).await?;
    driven.ask(party, 1, &[Says(page)]).await?;
    Ok(vec!["a page was given up, and taken back".to_owned()])
}

async fn serial(
    party: &mut Party,
    driven: &mut Driven,
    turn: u8,
) -> Result<Vec<String>, StepError> {
    let text = format!("turn {turn}");
    driven
        .ask(party, 1, &[Says(text.clone().into_bytes())])
        .await?;
    let read = json!({ "device": "port", "size": 64 });
    let response = party.ask("ringbuf-read", read).await?;
    let arrived = response.as_str().is_some_and(|read| read == text);
    Ok(vec![format!("what was sent has arrived: {arrived}")])
}

impl QemuDriver {
    /// Uses the case's device, and records what it did: what it is, and what it answers if it is in
    /// use.
    pub(crate) async fn use_device(
        &mut self,
        side: Side,
        when: When,
        record: &mut Recorder,
    ) -> Result<(), StepError> {
        let devices = self.subject.raw.devices;
        if devices == Devices::None {
            return Err(StepError::NotApplicable("it has no device"));
        }
        let mut did = self.party(side).devices(devices).await?;
        did.extend(done(self, side, when).await?);
        record.saw(Observation::Device { side, when, did });
        Ok(())
    }

    /// Changes a register of the case's device behind its driver's back.
    pub(crate) async fn disturb_device(&mut self, side: Side) -> Result<(), StepError> {
        self.party(side).change_interrupt_line().await
    }
}
