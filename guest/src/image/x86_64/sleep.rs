//! The sleep: ACPI S3 after the first lap, and the way back.

use iced_x86::{IcedError, code_asm::*};

use super::{ORIGIN, SLEPT};

/// Goes on with the laps if it has slept.
pub(super) fn laps_if_woken(a: &mut CodeAssembler, laps: CodeLabel) -> Result<(), IcedError> {
    a.cmp(dword_ptr(SLEPT), 0)?;
    a.jne(laps)
}

/// Asks for ACPI S3, if it has not slept yet, and halts. It wakes up as if it booted. Where there is
/// no ACPI it goes on at once.
pub(super) fn sleep_once(a: &mut CodeAssembler) -> Result<(), IcedError> {
    let (mut search, mut found) = (a.create_label(), a.create_label());
    let (mut next, mut table) = (a.create_label(), a.create_label());
    let (mut asleep, mut awake) = (a.create_label(), a.create_label());
    a.cmp(dword_ptr(SLEPT), 0)?;
    a.jne(awake)?;
    a.mov(dword_ptr(SLEPT), 1)?;
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
