//! The boot sector: the guest's code and tables, assembled for its parameters.
//!
//! ```text
//!   0x7c00  real mode: A20, the tables, the step to protected mode; also where it wakes up
//!   0x7c40  protected mode: COM1, the timer, the layout, the laps
//!   0x7d90  whether it has slept, the pointer to the interrupt table, the segments
//!   0x7dbe  the partition table: empty
//!   0x7dfe  55 aa
//!   0x8000  the interrupt table, made when it boots
//! ```
//!
//! The BIOS leaves IRQ 0 at vector 8. Interrupts are off but for the instruction that halts, so a tick
//! has one place to come from and never returns there: it goes on from where it arrives. (There are
//! nested hypervisors that don't know `iret`.) Channel 0 of the timer is armed for one shot at the
//! start of each lap: ticks can't pile up, and a lap can't be shorter than its pace.
//!
//! `ebx` holds the lap, `edi` the sector, `ebp` the ticks that are left of the lap's pace.

use iced_x86::{Code, IcedError, Instruction, code_asm::*};

use crate::{
    Parameters,
    stamp::{MAGIC, PAGE, SECTOR},
};

/// Why no guest can be made of these parameters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// A bound of the range lies within a page.
    #[error("{0:#x} lies within a page: a range starts and ends at multiples of 0x1000")]
    Unaligned(u32),
    /// The range has no pages.
    #[error("the range {start:#x}..{end:#x} is empty: it must end after its start")]
    Empty {
        /// Where it starts.
        start: u32,
        /// Where it ends.
        end: u32,
    },
    /// The range reaches into the memory of the BIOS and of the guest's own code.
    #[error("the range starts at {0:#x}: it must start at 0x100000 (1 MiB) or above")]
    Low(u32),
    /// The range reaches to where a machine may have no memory.
    #[error("the range ends at {0:#x}: q35 may have no memory above 0x80000000 (2 GiB)")]
    High(u32),
    /// The assembler refused.
    #[error("the boot sector can't be assembled: {0}")]
    Assembly(String),
}

impl From<IcedError> for ImageError {
    fn from(error: IcedError) -> Self {
        Self::Assembly(error.to_string())
    }
}

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

/// The timer's frequency, in Hz.
const TIMER_HZ: u64 = 1_193_182;

/// How the pace is kept: so many shots of the timer, each of so many of its periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pace {
    shots: u32,
    periods: u16,
}

impl Pace {
    /// The pace that is no shorter than this; `None` if it is 0.
    fn at_least(us: u32) -> Option<Self> {
        let periods = (u64::from(us) * TIMER_HZ).div_ceil(1_000_000);
        let shots = periods.div_ceil(u64::from(u16::MAX));
        let periods = periods.checked_div(shots)? + u64::from(periods % shots != 0);
        let (shots, periods) = (u32::try_from(shots).ok()?, u16::try_from(periods).ok()?);
        Some(Self { shots, periods })
    }
}

impl Parameters {
    /// The guest's boot image, to boot from as a raw disk: the boot sector, and zeros up to the 504
    /// KiB of one cylinder. SeaBIOS reads no disk that has less.
    ///
    /// # Errors
    /// Returns an error if no guest can be made of the parameters.
    pub fn boot_image(&self) -> Result<Vec<u8>, ImageError> {
        self.check()?;
        let mut image = real_mode()?;
        pad(&mut image, PROTECTED)?;
        image.extend(self.protected_mode()?);
        pad(&mut image, TABLES)?;
        image.extend(tables());
        pad(&mut image, ORIGIN + SECTOR - 2)?;
        image.extend([0x55, 0xaa]);
        image.resize(CYLINDER, 0);
        Ok(image)
    }

    fn check(&self) -> Result<(), ImageError> {
        let &Self { start, end, .. } = self;
        if let Some(bound) = [start, end].into_iter().find(|bound| bound % PAGE != 0) {
            return Err(ImageError::Unaligned(bound));
        }
        if start >= end {
            return Err(ImageError::Empty { start, end });
        }
        if start < 0x10_0000 {
            return Err(ImageError::Low(start));
        }
        if end > 0x8000_0000 {
            return Err(ImageError::High(end));
        }
        Ok(())
    }

    fn protected_mode(&self) -> Result<Vec<u8>, IcedError> {
        let pace = Pace::at_least(self.pace_us);
        let mut a = CodeAssembler::new(32)?;
        let (mut halt, mut laps) = (a.create_label(), a.create_label());
        flat_segments(&mut a)?;
        serial(&mut a)?;
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
        a.xor(ebx, ebx)?;
        say(a, b'A')
    }

    /// Stamps each sector with the next lap, then says `B`.
    fn lap(&self, a: &mut CodeAssembler) -> Result<(), IcedError> {
        let mut sector = a.create_label();
        a.inc(ebx)?;
        a.mov(edi, self.start)?;
        a.set_label(&mut sector)?;
        a.mov(dword_ptr(edi), ebx)?;
        a.add(edi, SECTOR)?;
        a.cmp(edi, self.end)?;
        a.jb(sector)?;
        say(a, b'B')
    }
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

/// The timer's interrupt, and what it does: it goes on with the laps, or halts again until all shots
/// are spent. `sti` takes effect after the next instruction, so no tick is lost between it and `hlt`.
fn timer(
    a: &mut CodeAssembler,
    pace: Pace,
    halt: &mut CodeLabel,
    laps: CodeLabel,
) -> Result<(), IcedError> {
    let mut table = a.create_label();
    // The call leaves the address of what follows it: the tick's.
    a.call(table)?;
    a.mov(al, 0x20)?;
    a.out(0x20, al)?;
    a.mov(esp, ORIGIN)?;
    a.dec(ebp)?;
    a.jz(laps)?;
    arm(a, pace)?;
    a.set_label(halt)?;
    a.sti()?;
    a.hlt()?;
    a.jmp(*halt)?;
    a.set_label(&mut table)?;
    interrupts(a)
}

/// All interrupts masked but the timer's, and the address on the stack for every vector of the first
/// controller; the timer's channel 0 in one-shot mode.
fn interrupts(a: &mut CodeAssembler) -> Result<(), IcedError> {
    for (port, byte) in [(0x21, 0xfe), (0xa1, 0xff), (0x43, 0x30)] {
        a.mov(al, byte)?;
        a.out(port, al)?;
    }
    let mut vector = a.create_label();
    a.pop(eax)?;
    a.or(eax, CODE_SEGMENT << 16)?;
    a.mov(edi, INTERRUPTS)?;
    a.mov(ecx, VECTORS)?;
    a.set_label(&mut vector)?;
    a.mov(dword_ptr(edi), eax)?;
    a.mov(dword_ptr(edi + 4), 0x8e00)?;
    a.add(edi, 8)?;
    a.loop_(vector)?;
    a.lidt(ptr(INTERRUPT_POINTER))
}

/// One shot of the timer. A new count starts it anew.
fn arm(a: &mut CodeAssembler, pace: Pace) -> Result<(), IcedError> {
    for byte in pace.periods.to_le_bytes() {
        a.mov(al, u32::from(byte))?;
        a.out(0x40, al)?;
    }
    Ok(())
}

fn laps_if_woken(a: &mut CodeAssembler, laps: CodeLabel) -> Result<(), IcedError> {
    a.mov(ebx, ptr(SLEPT))?;
    a.test(ebx, ebx)?;
    a.jnz(laps)
}

/// Asks for ACPI S3, if it has not slept yet, and halts. It wakes up as if it booted. Where there is
/// no ACPI it goes on at once.
fn sleep_once(a: &mut CodeAssembler) -> Result<(), IcedError> {
    let (mut search, mut found) = (a.create_label(), a.create_label());
    let (mut next, mut table) = (a.create_label(), a.create_label());
    let (mut asleep, mut awake) = (a.create_label(), a.create_label());
    a.cmp(dword_ptr(SLEPT), 0)?;
    a.jne(awake)?;
    a.mov(dword_ptr(SLEPT), ebx)?;
    // The root pointer: "RSD PTR " on a paragraph of the BIOS.
    a.mov(esi, 0xe_0000)?;
    a.set_label(&mut search)?;
    a.cmp(dword_ptr(esi), text(b"RSD "))?;
    a.jne(next)?;
    a.cmp(dword_ptr(esi + 4), text(b"PTR "))?;
    a.je(found)?;
    a.set_label(&mut next)?;
    a.add(esi, 16)?;
    a.cmp(esi, 0x10_0000)?;
    a.jb(search)?;
    a.jmp(awake)?;
    // The fixed table: "FACP", among those that the root table lists from offset 36.
    a.set_label(&mut found)?;
    a.mov(esi, dword_ptr(esi + 16))?;
    a.set_label(&mut table)?;
    a.mov(edi, dword_ptr(esi + 36))?;
    a.add(esi, 4)?;
    a.cmp(dword_ptr(edi), text(b"FACP"))?;
    a.jne(table)?;
    // The waking vector of the firmware table, then S3 (type 1, enable) to the control block.
    a.mov(eax, dword_ptr(edi + 36))?;
    a.mov(dword_ptr(eax + 12), ORIGIN)?;
    a.mov(edx, dword_ptr(edi + 64))?;
    a.mov(eax, 0x2400)?;
    a.out(dx, ax)?;
    a.set_label(&mut asleep)?;
    a.hlt()?;
    a.jmp(asleep)?;
    a.set_label(&mut awake)?;
    a.zero_bytes()
}

const fn text(text: &[u8; 4]) -> u32 {
    u32::from_le_bytes(*text)
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
