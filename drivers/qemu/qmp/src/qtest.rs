//! A client of qtest, QEMU's protocol for reading and writing a machine's memory and ports.
//!
//! ```text
//!   us ── readl 0x1000 ──────────────▶ QEMU
//!   us ◀─ OK 0x00000000deadbeef ────── QEMU      or FAIL, and why
//!   us ◀─ IRQ raise 4 ──────────────── QEMU      at any time
//! ```

pub(crate) mod lines;

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{Deadline, Irq, QemuError, error::excerpt};
use lines::Lines;

/// How many bytes of memory are moved by one command.
const CHUNK: usize = 256 << 10;

/// A qtest connection.
#[derive(Debug)]
pub struct Qtest<S> {
    lines: Lines<S>,
}

/// How wide an access is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 8 bits.
    Byte,
    /// 16 bits.
    Word,
    /// 32 bits.
    Long,
    /// 64 bits; ports have none of this.
    Quad,
}

/// The order of the bytes in the machine's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endianness {
    /// The least first.
    Little,
    /// The greatest first.
    Big,
}

impl Width {
    const fn letter(self) -> char {
        match self {
            Self::Byte => 'b',
            Self::Word => 'w',
            Self::Long => 'l',
            Self::Quad => 'q',
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Qtest<S> {
    /// A connection over `stream`. QEMU speaks only when it is spoken to.
    pub const fn new(stream: S) -> Self {
        Self {
            lines: Lines::new(stream),
        }
    }

    /// Reads a word of memory, in the machine's own order of bytes (`readb`, `readw`, `readl`, `readq`).
    ///
    /// # Errors
    /// Returns an error where no answer comes, or it is a refusal.
    pub async fn read(
        &mut self,
        width: Width,
        address: u64,
        deadline: impl Into<Deadline>,
    ) -> Result<u64, QemuError> {
        let command = format!("read{} {address:#x}", width.letter());
        self.ask(&command, deadline.into(), number).await
    }

    /// Writes a word of memory (`writeb`, `writew`, `writel`, `writeq`).
    ///
    /// # Errors
    /// Returns an error where no answer comes, or it is a refusal.
    pub async fn write(
        &mut self,
        width: Width,
        address: u64,
        value: u64,
        deadline: impl Into<Deadline>,
    ) -> Result<(), QemuError> {
        let command = format!("write{} {address:#x} {value:#x}", width.letter());
        self.ask(&command, deadline.into(), nothing).await
    }

    /// Reads a port (`inb`, `inw`, `inl`).
    ///
    /// # Errors
    /// Returns an error where no answer comes, or it is a refusal.
    pub async fn port_in(
        &mut self,
        width: Width,
        port: u16,
        deadline: impl Into<Deadline>,
    ) -> Result<u64, QemuError> {
        let command = format!("in{} {port:#x}", width.letter());
        self.ask(&command, deadline.into(), number).await
    }

    /// Writes a port (`outb`, `outw`, `outl`).
    ///
    /// # Errors
    /// Returns an error where no answer comes, or it is a refusal.
    pub async fn port_out(
        &mut self,
        width: Width,
        port: u16,
        value: u32,
        deadline: impl Into<Deadline>,
    ) -> Result<(), QemuError> {
        let command = format!("out{} {port:#x} {value:#x}", width.letter());
        self.ask(&command, deadline.into(), nothing).await
    }

    /// Reads `size` bytes of memory, chunk after chunk, as base64 (`b64read`).
    ///
    /// # Errors
    /// Returns an error where an answer doesn't come, or is a refusal or of another length.
    pub async fn read_memory(
        &mut self,
        address: u64,
        size: u64,
        deadline: impl Into<Deadline>,
    ) -> Result<Vec<u8>, QemuError> {
        self.read_chunks("b64read", address, size, deadline.into(), base64)
            .await
    }

    /// Reads `size` bytes of memory, chunk after chunk, as hexadecimal digits (`read`).
    ///
    /// # Errors
    /// Returns an error where an answer doesn't come, or is a refusal or of another length.
    pub async fn read_memory_hex(
        &mut self,
        address: u64,
        size: u64,
        deadline: impl Into<Deadline>,
    ) -> Result<Vec<u8>, QemuError> {
        self.read_chunks("read", address, size, deadline.into(), digits)
            .await
    }

    /// Writes memory, chunk after chunk (`b64write`).
    ///
    /// # Errors
    /// Returns an error where an answer doesn't come, or is a refusal.
    pub async fn write_memory(
        &mut self,
        address: u64,
        bytes: &[u8],
        deadline: impl Into<Deadline>,
    ) -> Result<(), QemuError> {
        let deadline = deadline.into();
        for (at, length) in chunks(address, bytes.len() as u64)? {
            let start = usize::try_from(at - address).expect("it is within the bytes");
            let text = BASE64_STANDARD.encode(&bytes[start..start + length]);
            let command = format!("b64write {at:#x} {length:#x} {text}");
            self.ask(&command, deadline, nothing).await?;
        }
        Ok(())
    }

    /// The machine's order of bytes.
    ///
    /// # Errors
    /// Returns an error where no answer comes, or it is a refusal.
    pub async fn endianness(
        &mut self,
        deadline: impl Into<Deadline>,
    ) -> Result<Endianness, QemuError> {
        self.ask("endianness", deadline.into(), |answer| match answer {
            "little" => Some(Endianness::Little),
            "big" => Some(Endianness::Big),
            _ => None,
        })
        .await
    }

    /// Moves the machine's clock on, by `step` or to its next timer, and gives its new time. QEMU
    /// refuses this unless it runs with `-accel qtest`.
    ///
    /// # Errors
    /// Returns an error where no answer comes, or it is a refusal.
    pub async fn clock_step(
        &mut self,
        step: Option<Duration>,
        deadline: impl Into<Deadline>,
    ) -> Result<Duration, QemuError> {
        let step = step
            .map(|step| format!(" {}", step.as_nanos()))
            .unwrap_or_default();
        self.ask(&format!("clock_step{step}"), deadline.into(), |answer| {
            answer.parse().ok().map(Duration::from_nanos)
        })
        .await
    }

    /// The changes of interrupt lines that came since they were taken last.
    pub fn take_irqs(&mut self) -> Vec<Irq> {
        std::mem::take(&mut self.lines.irqs)
    }

    async fn read_chunks(
        &mut self,
        verb: &str,
        address: u64,
        size: u64,
        deadline: Deadline,
        decode: fn(&str, &mut Vec<u8>) -> Option<()>,
    ) -> Result<Vec<u8>, QemuError> {
        let mut memory = Vec::with_capacity(usize::try_from(size).unwrap_or(CHUNK));
        for (at, length) in chunks(address, size)? {
            let whole = |answer: &str| {
                let end = memory.len() + length;
                decode(answer, &mut memory)?;
                (memory.len() == end).then_some(())
            };
            let command = format!("{verb} {at:#x} {length:#x}");
            self.ask(&command, deadline, whole).await?;
        }
        Ok(memory)
    }

    async fn ask<T>(
        &mut self,
        command: &str,
        deadline: Deadline,
        understand: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, QemuError> {
        let verb = command.split(' ').next().unwrap_or_default();
        let awaited = || format!("the answer to qtest's `{verb}`");
        let answer = tokio::time::timeout_at(deadline.at(), self.lines.exchange(command))
            .await
            .map_err(|_| QemuError::TimedOut {
                awaited: awaited(),
                deadline,
            })?
            .map_err(|ending| QemuError::Disconnected {
                awaited: awaited(),
                ending,
            })?;
        let answer = answer.map_err(|response| QemuError::RefusedByQtest {
            command: verb.to_owned(),
            response,
        })?;
        understand(&answer).ok_or_else(|| QemuError::Malformed {
            command: excerpt(command.as_bytes()),
            response: excerpt(answer.as_bytes()),
            why: "not of the expected form or length".to_owned(),
        })
    }
}

/// The addresses and lengths of the chunks of a range. None is empty: QEMU aborts on an empty one.
fn chunks(address: u64, size: u64) -> Result<impl Iterator<Item = (u64, usize)>, QemuError> {
    let end = address
        .checked_add(size)
        .ok_or(QemuError::Range { address, size })?;
    let starts = (address..end).step_by(CHUNK);
    Ok(starts.map(move |at| {
        (
            at,
            usize::try_from(end - at).map_or(CHUNK, |left| left.min(CHUNK)),
        )
    }))
}

fn nothing(answer: &str) -> Option<()> {
    answer.is_empty().then_some(())
}

fn number(answer: &str) -> Option<u64> {
    u64::from_str_radix(answer.strip_prefix("0x")?, 16).ok()
}

/// Adds the bytes to the memory that was read before.
fn digits(answer: &str, memory: &mut Vec<u8>) -> Option<()> {
    memory.extend(base16ct::mixed::decode_vec(answer.strip_prefix("0x")?).ok()?);
    Some(())
}

/// The same.
fn base64(answer: &str, memory: &mut Vec<u8>) -> Option<()> {
    BASE64_STANDARD.decode_vec(answer, memory).ok()
}
