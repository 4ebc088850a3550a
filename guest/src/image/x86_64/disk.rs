//! The disk: one sector a lap, by programmed I/O. It takes no BIOS, no interrupt, no memory structure
//! and no set-up of PCI, so that a migration can come between any two of its instructions.
//!
//! The commands and registers are those of ATA: 28-bit addresses, `WRITE SECTOR(S)`, no interrupts.

use iced_x86::{IcedError, code_asm::*};

use super::{out, scratch::BUFFER};
use crate::{
    Disk,
    stamp::{MAGIC, SECTOR},
};

/// Registers, from the first port on.
const DATA: u32 = 0;
const COUNT: u32 = 2;
const DEVICE: u32 = 6;
const STATUS: u32 = 7;
const COMMAND: u32 = STATUS;
const CONTROL: u32 = 0x206;

/// Bits of the status.
const BUSY: u32 = 0x80;
const REQUEST: u32 = 0x08;
const WRONG: u32 = 0x21;

const WRITE: u8 = 0x30;
const NO_INTERRUPTS: u8 = 2;
/// The first device, by the numbers of its sectors.
const FIRST_BY_NUMBER: u8 = 0xe0;

/// The disk asks for no interrupts, and is the one that commands go to; the top of each sector's
/// number is 0.
pub(super) fn choose(a: &mut CodeAssembler, disk: &Disk) -> Result<(), IcedError> {
    out(a, port(disk, CONTROL), NO_INTERRUPTS)?;
    out(a, port(disk, DEVICE), FIRST_BY_NUMBER)
}

fn port(disk: &Disk, register: u32) -> u32 {
    u32::from(disk.port) + register
}

/// Goes on from one register to another: all but the last have the port's upper byte in common. The
/// boot sector has no room for whole ports.
fn turn_to(a: &mut CodeAssembler, disk: &Disk, register: u32) -> Result<(), IcedError> {
    a.mov(dl, port(disk, register) & 0xff)
}

/// Writes the sector of the lap that has just ended, and waits until it is written. `edi` is the end
/// of the range, whose last sector tells the lap. A disk that says no holds the guest up for ever.
pub(super) fn write_sector(a: &mut CodeAssembler, disk: &Disk) -> Result<(), IcedError> {
    make_sector(a, disk)?;
    out(a, port(disk, COUNT), 1)?;
    a.mov(eax, esi)?;
    for _ in 0..3 {
        a.inc(edx)?;
        a.out(dx, al)?;
        a.shr(eax, 8)?;
    }
    turn_to(a, disk, COMMAND)?;
    a.mov(al, u32::from(WRITE))?;
    a.out(dx, al)?;
    await_request(a)?;
    a.mov(esi, BUFFER)?;
    a.mov(ecx, SECTOR / 2)?;
    turn_to(a, disk, DATA)?;
    a.rep().outsw()?;
    await_idle(a, disk)?;
    let mut wrong = a.create_label();
    a.set_label(&mut wrong)?;
    a.test(al, WRONG)?;
    a.jnz(wrong)
}

/// Makes the sector, and leaves its number in `esi`.
fn make_sector(a: &mut CodeAssembler, disk: &Disk) -> Result<(), IcedError> {
    a.mov(ebx, dword_ptr(edi - SECTOR))?;
    a.mov(esi, ebx)?;
    a.and(esi, disk.sectors - 1)?;
    a.shl(esi, disk.stride.ilog2())?;
    a.mov(edi, BUFFER)?;
    a.mov(eax, ebx)?;
    a.stosd()?;
    a.mov(eax, esi)?;
    a.shl(eax, SECTOR.ilog2())?;
    a.xor(eax, MAGIC)?;
    a.mov(ecx, SECTOR / 4 - 1)?;
    a.rep().stosd()
}

/// Waits until the disk is not busy, and leaves its status in `al`.
fn await_idle(a: &mut CodeAssembler, disk: &Disk) -> Result<(), IcedError> {
    let mut busy = a.create_label();
    turn_to(a, disk, STATUS)?;
    a.set_label(&mut busy)?;
    a.in_(al, dx)?;
    a.test(al, BUSY)?;
    a.jnz(busy)
}

/// Waits until the disk takes data.
fn await_request(a: &mut CodeAssembler) -> Result<(), IcedError> {
    let mut again = a.create_label();
    a.set_label(&mut again)?;
    a.in_(al, dx)?;
    a.test(al, BUSY)?;
    a.jnz(again)?;
    a.test(al, REQUEST)?;
    a.jz(again)
}
