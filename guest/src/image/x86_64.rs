//! The boot sector of a PC: the guest's code and tables, assembled for its parameters.
//!
//! ```text
//!   0x7c00  real mode: A20, the tables, the step to protected mode; also where it wakes up
//!   0x7c40  protected mode: COM1, the timer, the layout, the laps
//!   0x7d90  whether it has slept, the pointer to the interrupt table, the segments
//!   0x7dbe  the partition table: empty
//!   0x7dfe  55 aa
//!   0x8000  the interrupt table, made when it boots
//!   0x8200  the sector that is written to the disk
//! ```
//!
//! The BIOS leaves IRQ 0 at vector 8. Interrupts are off but for the instruction that halts, so a tick
//! has one place to come from and never returns there: it goes on from where it arrives. (There are
//! nested hypervisors that don't know `iret`.) Channel 0 of the timer is armed for one shot at the
//! start of each lap: ticks can't pile up, and a lap can't be shorter than its pace.
//!
//! While it stamps, `edi` holds the sector, and between laps nothing that matters; `ebp` holds the
//! ticks that are left of the lap's pace. The lap is nowhere but in memory: each sector is counted up
//! by itself, so that one that was lost stays behind for ever.

mod disk;
pub(crate) mod scratch;
mod sleep;
mod timer;

use iced_x86::{Code, IcedError, Instruction, code_asm::*};

use self::{
    disk::{choose, write_sector},
    sleep::{laps_if_woken, sleep_once},
    timer::{Pace, arm, timer},
};
use super::{Hold, ImageError};
use crate::{
    Parameters, Place, Registers,
    stamp::{MAGIC, SECTOR},
};

impl From<IcedError> for ImageError {
    fn from(error: IcedError) -> Self {
        Self::Assembly(error.to_string())
    }
}

/// What halts the guest for ever, wherever it goes on, and the address to write it to: `cli` in
/// place of all its code, down to `hlt` and a jump back to that. Its tables stay.
#[must_use]
pub fn halting_code() -> (u32, Vec<u8>) {
    const HALT: [u8; 3] = [0xf4, 0xeb, 0xfd];
    let mut code = vec![CLI; (TABLES - ORIGIN) as usize - HALT.len()];
    code.extend(HALT);
    (ORIGIN, code)
}

/// What has the guest's processor shut down at its next tick, and the address to write it to: an interrupt table with
/// no gate in it, so that the tick is a fault, that one too, and the third ends it.
#[must_use]
pub fn no_interrupts() -> (u32, Vec<u8>) {
    const GATE: u32 = 8;
    (INTERRUPTS, vec![0; (VECTORS * GATE) as usize])
}

const CLI: u8 = 0xfa;

const ORIGIN: u32 = 0x7c00;
const PROTECTED: u32 = ORIGIN + 0x40;
const TABLES: u32 = ORIGIN + 0x190;
const SLEPT: u32 = TABLES;
const INTERRUPT_POINTER: u32 = TABLES + 4;
const SEGMENTS: u32 = TABLES + 12;
const INTERRUPTS: u32 = 0x8000;
const VECTORS: u32 = 16;

const CODE_SEGMENT: u32 = 8;
const DATA_SEGMENT: u32 = 16;

const COM1: u32 = 0x3f8;

/// The least disk that the BIOS boots from: one cylinder of 16 heads and 63 sectors, in bytes.
const CYLINDER: usize = 16 * 63 * SECTOR as usize;

/// The image of a guest whose parameters are sound.
pub(super) fn boot_image(guest: &Parameters) -> Result<Vec<u8>, ImageError> {
    let mut image = real_mode()?;
    pad(&mut image, PROTECTED)?;
    image.extend(guest.protected_mode()?);
    pad(&mut image, TABLES)?;
    image.extend(tables());
    pad(&mut image, ORIGIN + SECTOR - 2)?;
    image.extend([0x55, 0xaa]);
    image.resize(CYLINDER, 0);
    Ok(image)
}

/// `sti`, `hlt`, and the jump back to the first.
const WAIT: [u8; 4] = [0xfb, 0xf4, 0xeb, 0xfc];

/// Counts a sector's lap up (`inc`), and goes on to the next sector (`add`).
const STAMP: [u8; 8] = [0xff, 0x07, 0x81, 0xc7, 0x00, 0x02, 0x00, 0x00];

/// How long the first of the two is.
const INC: u32 = 2;

/// How long all of the stamping loop is, with the comparison and the jump back.
const LOOP: u32 = STAMP.len() as u32 + 8;

/// What holds the guest still, at the end of a lap.
pub(super) fn hold(guest: &Parameters) -> Result<Option<Hold>, ImageError> {
    let wait = find(&guest.protected_mode()?, &WAIT);
    Ok(wait.map(|address| Hold {
        address,
        own: WAIT[0],
        holding: CLI,
    }))
}

/// Where the code has these bytes.
fn find(code: &[u8], bytes: &[u8]) -> Option<u32> {
    let place = code.windows(bytes.len()).position(|found| found == bytes);
    place.map(|place| PROTECTED + place as u32)
}

/// The address of the loop that stamps: of the instruction that counts a sector's lap up.
fn stamping(guest: &Parameters) -> Result<u32, ImageError> {
    let lap = find(&guest.protected_mode()?, &STAMP);
    lap.ok_or_else(|| ImageError::Assembly("the loop that stamps is not found".to_owned()))
}

/// A processor that is interrupted between the two instructions has stamped the sector that `edi` still
/// names. (QEMU's translator never stops there; KVM may.)
pub(super) fn place(guest: &Parameters, registers: &Registers) -> Result<Place, ImageError> {
    let stamping = u64::from(stamping(guest)?);
    let (next, sector) = (registers.next, registers.edi);
    Ok(match next.checked_sub(stamping) {
        Some(into) if into == u64::from(INC) => Place::Before(sector.saturating_add(SECTOR)),
        Some(into) if into < u64::from(LOOP) => Place::Before(sector),
        Some(_) | None if (ORIGIN.into()..TABLES.into()).contains(&next) => Place::Between,
        Some(_) | None => Place::Elsewhere,
    })
}

/// At the start of a lap it waits, if it ever does: `edi` is then the range's end.
pub(super) fn registers(guest: &Parameters, sector: u32) -> Result<Registers, ImageError> {
    let wait = hold(guest)?.filter(|_| sector == guest.start);
    Ok(match wait {
        Some(wait) => Registers {
            next: u64::from(wait.address) + 2,
            edi: guest.end,
            halted: true,
        },
        None => Registers {
            next: stamping(guest)?.into(),
            edi: sector,
            halted: false,
        },
    })
}

impl Parameters {
    fn protected_mode(&self) -> Result<Vec<u8>, IcedError> {
        let pace = Pace::at_least(self.pace_us);
        let mut a = CodeAssembler::new(32)?;
        let (mut halt, mut laps) = (a.create_label(), a.create_label());
        flat_segments(&mut a)?;
        serial(&mut a)?;
        if let Some(disk) = &self.disk {
            choose(&mut a, disk)?;
        }
        if let Some(pace) = pace {
            timer(&mut a, pace, &mut halt, laps)?;
        }
        if self.suspend {
            laps_if_woken(&mut a, laps)?;
        }
        self.lay_out(&mut a)?;
        a.set_label(&mut laps)?;
        if let Some(pace) = pace {
            a.mov(ebp, pace.shots)?;
            arm(&mut a, pace)?;
        }
        self.lap(&mut a)?;
        if self.suspend {
            sleep_once(&mut a)?;
        }
        a.jmp(if pace.is_some() { halt } else { laps })?;
        a.assemble(u64::from(PROTECTED))
    }

    /// Fills each sector with its mark and lap 0, then says `A`.
    fn lay_out(&self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        let mut sector = a.create_label();
        a.mov(edi, self.start)?;
        a.set_label(&mut sector)?;
        a.mov(eax, edi)?;
        a.xor(eax, MAGIC)?;
        a.mov(dword_ptr(edi), 0)?;
        a.add(edi, 4)?;
        a.mov(ecx, SECTOR / 4 - 1)?;
        a.rep().stosd()?;
        a.cmp(edi, self.end)?;
        a.jb(sector)?;
        say(a, b'A')
    }

    /// Counts the lap of each sector up, then says `B`.
    fn lap(&self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        let mut sector = a.create_label();
        if self.flush {
            flush(a)?;
        }
        a.mov(edi, self.start)?;
        a.set_label(&mut sector)?;
        a.inc(dword_ptr(edi))?;
        a.add(edi, SECTOR)?;
        a.cmp(edi, self.end)?;
        a.jb(sector)?;
        if let Some(disk) = &self.disk {
            write_sector(a, disk)?;
        }
        say(a, b'B')
    }
}

/// Has the processor forget its translations: a change of write protection (`CR0.WP`), which means
/// nothing to this guest, does that.
fn flush(a: &mut CodeAssembler) -> Result<(), IcedError> {
    const WRITE_PROTECT: u32 = 1 << 16;
    a.mov(eax, cr0)?;
    a.xor(eax, WRITE_PROTECT)?;
    a.mov(cr0, eax)
}

/// From real mode to protected mode, from whichever segment it is entered by.
fn real_mode() -> Result<Vec<u8>, IcedError> {
    let mut a = CodeAssembler::new(16)?;
    a.cli()?;
    a.cld()?;
    a.xor(ax, ax)?;
    a.mov(ds, ax)?;
    // The A20 gate on, and no reset.
    a.in_(al, 0x92)?;
    a.or(al, 2)?;
    a.and(al, 0xfe)?;
    a.out(0x92, al)?;
    a.lgdt(ptr(SEGMENTS))?;
    a.mov(eax, cr0)?;
    a.or(al, 1)?;
    a.mov(cr0, eax)?;
    let far = Instruction::with_far_branch(Code::Jmp_ptr1616, CODE_SEGMENT as u16, PROTECTED)?;
    a.add_instruction(far)?;
    a.assemble(u64::from(ORIGIN))
}

fn flat_segments(a: &mut CodeAssembler) -> Result<(), IcedError> {
    a.mov(eax, DATA_SEGMENT)?;
    a.mov(ds, eax)?;
    a.mov(es, eax)?;
    a.mov(ss, eax)?;
    a.mov(esp, ORIGIN)
}

/// COM1: no interrupts, 8 bits, no parity. A byte that nobody reads never holds the guest up.
fn serial(a: &mut CodeAssembler) -> Result<(), IcedError> {
    out(a, COM1 + 1, 0)?;
    out(a, COM1 + 3, 3)
}

fn say(a: &mut CodeAssembler, byte: u8) -> Result<(), IcedError> {
    out(a, COM1, byte)
}

fn out(a: &mut CodeAssembler, port: u32, byte: u8) -> Result<(), IcedError> {
    a.mov(edx, port)?;
    a.mov(al, u32::from(byte))?;
    a.out(dx, al)
}

fn tables() -> Vec<u8> {
    let slept = [0; 4];
    let interrupt_pointer = pointer(VECTORS * 8, INTERRUPTS);
    // The null segment is never read: it holds the pointer to its table.
    let segment_pointer = pointer(24, SEGMENTS);
    let code: u64 = 0x00cf_9a00_0000_ffff;
    let data: u64 = 0x00cf_9200_0000_ffff;
    let segments = [segment_pointer, code.to_le_bytes(), data.to_le_bytes()];
    [&slept[..], &interrupt_pointer, segments.as_flattened()].concat()
}

/// What `lgdt` and `lidt` read, and two bytes more.
fn pointer(bytes: u32, address: u32) -> [u8; 8] {
    (u64::from(bytes - 1) | u64::from(address) << 16).to_le_bytes()
}

/// Zeros up to the address.
fn pad(image: &mut Vec<u8>, address: u32) -> Result<(), ImageError> {
    let due = (address - ORIGIN) as usize;
    if image.len() > due {
        let over = image.len() - due;
        return Err(ImageError::Assembly(format!(
            "{over} bytes too many before {address:#x}"
        )));
    }
    image.resize(due, 0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_that_waits_can_be_held_at_one_place_of_its_image() {
        let guest = Parameters::SMALL;
        let hold = guest.hold().unwrap().unwrap();
        let image = guest.boot_image().unwrap();
        let at = (hold.address - ORIGIN) as usize;
        assert_eq!(image[at], hold.own);
        let wait = [hold.own, 0xf4, 0xeb, 0xfc];
        let places = image.windows(4).filter(|bytes| *bytes == wait);
        assert_eq!(places.count(), 1);
    }

    #[test]
    fn a_guest_that_never_waits_can_not_be_held() {
        let guest = Parameters {
            pace_us: 0,
            ..Parameters::SMALL
        };
        assert_eq!(guest.hold(), Ok(None));
    }
}
