//! The pace: the guest halts until the timer has ticked often enough.

use iced_x86::{IcedError, code_asm::*};

use super::{CODE_SEGMENT, INTERRUPT_POINTER, INTERRUPTS, ORIGIN, VECTORS};

/// The timer's frequency, in Hz.
const TIMER_HZ: u64 = 1_193_182;

/// How the pace is kept: so many shots of the timer, each of so many of its periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    pub(super) shots: u32,
    periods: u16,
}

impl Pace {
    /// The pace that is no shorter than this; `None` if it is 0.
    pub(super) fn at_least(us: u32) -> Option<Self> {
        let periods = (u64::from(us) * TIMER_HZ).div_ceil(1_000_000);
        let shots = periods.div_ceil(u64::from(u16::MAX));
        let periods = periods.checked_div(shots)? + u64::from(periods % shots != 0);
        let (shots, periods) = (u32::try_from(shots).ok()?, u16::try_from(periods).ok()?);
        Some(Self { shots, periods })
    }
}

/// The timer's interrupt, and what it does: it goes on with the laps, or halts again until all shots
/// are spent. `sti` takes effect after the next instruction, so no tick is lost between it and `hlt`.
pub(super) fn timer(
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
pub(super) fn arm(a: &mut CodeAssembler, pace: Pace) -> Result<(), IcedError> {
    for byte in pace.periods.to_le_bytes() {
        a.mov(al, u32::from(byte))?;
        a.out(0x40, al)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_of_nothing_needs_no_timer() {
        assert_eq!(Pace::at_least(0), None);
    }

    #[test]
    fn a_pace_is_kept_in_as_few_shots_as_the_timer_can_count() {
        assert_eq!(
            Pace::at_least(10_000),
            Some(Pace {
                shots: 1,
                periods: 11_932
            })
        );
        assert_eq!(
            Pace::at_least(54_924),
            Some(Pace {
                shots: 1,
                periods: 65_535
            })
        );
        assert_eq!(
            Pace::at_least(54_925),
            Some(Pace {
                shots: 2,
                periods: 32_768
            })
        );
        assert_eq!(
            Pace::at_least(1_000_000),
            Some(Pace {
                shots: 19,
                periods: 62_800
            })
        );
    }

    #[test]
    fn no_pace_is_cut_short() {
        for us in [1, 2, 999, 54_926, 123_456, 1_000_000, u32::MAX] {
            let Pace { shots, periods } = Pace::at_least(us).unwrap();
            let due = u64::from(us) * TIMER_HZ;
            assert!(
                u64::from(shots) * u64::from(periods) * 1_000_000 >= due,
                "{us}"
            );
        }
    }
}
