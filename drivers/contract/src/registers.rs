//! The registers of a guest's processor, as QEMU's human monitor tells them (`info registers`).

use migratrix_guest::Registers;

/// The command by which they are asked for. It tells of the first processor.
pub const REGISTERS: &str = "info registers";

/// What of them says where the guest stood; `None` where the text is no list of registers.
///
/// A processor in 64-bit mode has `RIP` and `RDI` in place of `EIP` and `EDI`.
#[must_use]
pub fn registers(told: &str) -> Option<Registers> {
    let of = |name: &str| told.split_once(name).map(|(_, rest)| rest);
    let next = of("EIP=").or_else(|| of("RIP=")).and_then(digits)?;
    let edi = of("EDI=").or_else(|| of("RDI=")).and_then(digits)?;
    let halted = of("HLT=").and_then(digits)?;
    // The selector, then the base.
    let base = of("CS =")?.split_whitespace().nth(1).and_then(digits)?;
    Some(Registers {
        next: next.wrapping_add(base),
        edi: u32::try_from(edi & u64::from(u32::MAX)).unwrap_or_default(),
        halted: halted != 0,
    })
}

/// The hexadecimal number at the start of the text.
fn digits(text: &str) -> Option<u64> {
    let end = text.find(|digit: char| !digit.is_ascii_hexdigit());
    u64::from_str_radix(&text[..end.unwrap_or(text.len())], 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head of what QEMU 10.0 says of the guest as it waits.
    const WAITS: &str = "\r\nCPU#0\r\n\
        EAX=00000042 EBX=00000000 ECX=00000000 EDX=000003f8\r\n\
        ESI=00000000 EDI=00200000 EBP=00000001 ESP=00007c00\r\n\
        EIP=00007c7b EFL=00000246 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1\r\n\
        ES =0010 00000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\r\n\
        CS =0008 00000000 ffffffff 00cf9a00 DPL=0 CS32 [-R-]\r\n";

    #[test]
    fn the_place_of_a_guest_is_read_from_its_registers() {
        let waits = Registers {
            next: 0x7c7b,
            edi: 0x20_0000,
            halted: true,
        };
        assert_eq!(registers(WAITS), Some(waits));
    }

    #[test]
    fn an_address_counts_from_the_base_of_its_segment() {
        let bios = WAITS.replace("CS =0008 00000000", "CS =f000 000f0000");
        assert_eq!(registers(&bios).unwrap().next, 0xf_7c7b);
    }

    #[test]
    fn a_processor_in_64_bit_mode_is_read_as_well() {
        let long = WAITS
            .replace("EIP=0000", "RIP=000000000000")
            .replace("EDI=0020", "RDI=000000000020");
        assert_eq!(registers(&long), registers(WAITS));
    }

    #[test]
    fn what_is_no_list_of_registers_is_none() {
        assert_eq!(registers("unknown command: 'info registers'\r\n"), None);
        assert_eq!(registers(""), None);
    }
}
