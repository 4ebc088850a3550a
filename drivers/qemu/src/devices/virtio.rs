//! A virtio device in use: a driver of the legacy interface that works through qtest, and goes on
//! on the destination where it was on the source.
//!
//! ```text
//!   descriptors ─ 16 bytes each ─┐
//!   available ring ──────────────┴─ up to a page's end
//!   used ring ───────────────────── from there on
//! ```
//!
//! The layout and the registers are those of "Virtio PCI Card Specification 0.9.5".

use std::time::Duration;

use migratrix_qmp::{Deadline, Width};

use super::{
    SLOT,
    pci::{BAR, COMMAND},
};
use crate::{
    error::StepError,
    party::{EVERY, Party},
};

/// Registers, by their offsets from the first base address.
const FEATURES: u16 = 4;
const QUEUE_PAGE: u16 = 8;
const QUEUE_SIZE: u16 = 12;
const QUEUE: u16 = 14;
const NOTIFY: u16 = 16;
const STATUS: u16 = 18;

/// Bits of the status: acknowledged, driven, and at work.
const KNOWN: u32 = 1;
const DRIVEN: u32 = 2;
const WORKS: u32 = 4;

/// The bit of PCI's command register that lets a device reach memory.
const BUS_MASTER: u32 = 4;

const PAGE: u64 = 4096;

/// How far apart the rings of two queues lie.
const RING_BYTES: u64 = 0x8000;

/// Flags of a descriptor: another one follows, and the device writes to it.
const NEXT: u16 = 1;
const WRITES: u16 = 2;

/// A device whose driver we are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Driven {
    port: u16,
    /// Where memory is free.
    base: u64,
    rings: Vec<Ring>,
}

/// A queue of it.
#[derive(Clone, Copy, Debug)]
struct Ring {
    queue: u16,
    address: u64,
    size: u16,
    /// How many requests were made.
    made: u16,
}

/// A part of a request: what the device reads, or room for what it writes.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Says(Vec<u8>),
    Room(u32),
}

impl Ring {
    const fn available(&self) -> u64 {
        self.address + 16 * self.size as u64
    }

    const fn used(&self) -> u64 {
        let end = self.available() + 6 + 2 * self.size as u64;
        end.next_multiple_of(PAGE)
    }
}

impl Driven {
    /// Takes the device in the case's slot, with these queues and features. `base` is where memory
    /// is free.
    pub(crate) async fn take(
        party: &mut Party,
        base: u64,
        queues: &[u16],
        features: u32,
    ) -> Result<Self, StepError> {
        let command = party.read_config(SLOT, COMMAND).await?;
        party
            .write_config(SLOT, COMMAND, command | BUS_MASTER)
            .await?;
        let port = party.read_config(SLOT, BAR).await? & !3;
        let mut driven = Self {
            port: u16::try_from(port)
                .map_err(|_| StepError::NotApplicable("it is no legacy device"))?,
            base,
            rings: Vec::new(),
        };
        for status in [0, KNOWN, KNOWN | DRIVEN] {
            driven.set(party, STATUS, Width::Byte, status).await?;
        }
        driven.set(party, FEATURES, Width::Long, features).await?;
        for (queue, place) in queues.iter().zip(0..) {
            driven
                .set_up(party, *queue, base + place * RING_BYTES)
                .await?;
        }
        let works = KNOWN | DRIVEN | WORKS;
        driven.set(party, STATUS, Width::Byte, works).await?;
        Ok(driven)
    }

    async fn set_up(&mut self, party: &mut Party, queue: u16, at: u64) -> Result<(), StepError> {
        self.set(party, QUEUE, Width::Word, queue.into()).await?;
        let size = party.port_in(Width::Word, self.port + QUEUE_SIZE).await?;
        let ring = Ring {
            queue,
            address: at,
            size: u16::try_from(size).unwrap_or(0),
            made: 0,
        };
        if ring.size == 0 || ring.used() + 6 + 8 * u64::from(ring.size) > at + RING_BYTES {
            return Err(StepError::NotApplicable("its queue has an odd size"));
        }
        party
            .write_memory(at, &vec![0; RING_BYTES as usize])
            .await?;
        let page = u32::try_from(at / PAGE).unwrap_or(0);
        self.set(party, QUEUE_PAGE, Width::Long, page).await?;
        self.rings.push(ring);
        Ok(())
    }

    async fn set(
        &self,
        party: &mut Party,
        register: u16,
        width: Width,
        value: u32,
    ) -> Result<(), StepError> {
        party.port_out(width, self.port + register, value).await
    }

    /// How many descriptors each queue has, in words.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = String> {
        let rings = self.rings.iter();
        rings.map(|Ring { queue, size, .. }| format!("queue {queue} of {size}"))
    }

    /// Where memory is free for what requests carry.
    fn room(&self) -> u64 {
        self.base + RING_BYTES * self.rings.len() as u64
    }

    /// A page that neither the guest nor a request needs.
    pub(crate) fn spare_page(&self, number: u64) -> u64 {
        self.room() / PAGE + 16 + number
    }

    /// Makes a request on the queue that was named as the `place`th, waits until the device has
    /// answered it, and gives what it wrote.
    pub(crate) async fn ask(
        &mut self,
        party: &mut Party,
        place: usize,
        parts: &[Part],
    ) -> Result<Vec<u8>, StepError> {
        let room = self.room();
        let ring = self.rings.get_mut(place);
        let ring = ring.ok_or(StepError::NotApplicable("it has no such queue"))?;
        let (answer, length) = describe(party, ring, room, parts).await?;
        let slot = ring.available() + 4 + 2 * u64::from(ring.made % ring.size);
        party.write_memory(slot, &0_u16.to_le_bytes()).await?;
        ring.made = ring.made.wrapping_add(1);
        let (made, used) = (ring.made, ring.used());
        let index = ring.available() + 2;
        party.write_memory(index, &made.to_le_bytes()).await?;
        let queue = ring.queue.into();
        self.set(party, NOTIFY, Width::Word, queue).await?;
        await_used(party, used + 2, made).await?;
        party.read_memory(answer, length).await
    }
}

/// Writes the descriptors of a request and what they point to; gives where the device writes, and
/// how much.
async fn describe(
    party: &mut Party,
    ring: &Ring,
    mut room: u64,
    parts: &[Part],
) -> Result<(u64, u64), StepError> {
    let (mut answer, mut length) = (None, 0);
    for (part, number) in parts.iter().zip(0_u16..) {
        let (size, mut flags) = match part {
            Part::Says(bytes) => {
                party.write_memory(room, bytes).await?;
                (u32::try_from(bytes.len()).unwrap_or(u32::MAX), 0)
            }
            Part::Room(size) => {
                party.write_memory(room, &vec![0; *size as usize]).await?;
                answer = answer.or(Some(room));
                length += u64::from(*size);
                (*size, WRITES)
            }
        };
        if usize::from(number) + 1 < parts.len() {
            flags |= NEXT;
        }
        let mut descriptor = room.to_le_bytes().to_vec();
        descriptor.extend(size.to_le_bytes());
        descriptor.extend(flags.to_le_bytes());
        descriptor.extend((number + 1).to_le_bytes());
        let at = ring.address + 16 * u64::from(number);
        party.write_memory(at, &descriptor).await?;
        room += u64::from(size);
    }
    Ok((answer.unwrap_or(room), length))
}

/// How long a device may take to answer.
const ANSWER: Duration = Duration::from_secs(2);

/// Waits until the device has answered so many requests.
async fn await_used(party: &mut Party, at: u64, made: u16) -> Result<(), StepError> {
    let deadline = Deadline::after(ANSWER);
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tick.tick().await;
        if party.read_memory(at, 2).await? == made.to_le_bytes() {
            return Ok(());
        }
        if deadline.is_past() {
            return Err(StepError::DeviceTimeout);
        }
    }
}
