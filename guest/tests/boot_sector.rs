//! The boot sector, byte by byte, as a listing that a person can read.

use std::fmt::Write;

use iced_x86::{Decoder, DecoderOptions, Formatter, NasmFormatter};
use insta::assert_snapshot;
use migratrix_guest::{Disk, ImageError, Parameters};

const ORIGIN: usize = 0x7c00;
const PROTECTED: usize = 0x40;
const TABLES: usize = 0x190;
const PARTITIONS: usize = 0x1be;
const NEVER_HALTS: Parameters = Parameters {
    pace_us: 0,
    ..Parameters::SMALL
};
const SLEEPS: Parameters = Parameters {
    suspend: true,
    ..Parameters::SMALL
};

const STAMPS: Parameters = Parameters {
    disk: Some(Disk::SMALL),
    ..Parameters::SMALL
};

#[test]
fn the_small_guest_is_as_listed() {
    assert_snapshot!("small", listing(&Parameters::SMALL));
}

#[test]
fn the_guest_that_never_halts_is_as_listed() {
    assert_snapshot!("never-halts", listing(&NEVER_HALTS));
}

#[test]
fn the_guest_that_sleeps_is_as_listed() {
    assert_snapshot!("sleeps", listing(&SLEEPS));
}

#[test]
fn the_guest_that_stamps_a_disk_is_as_listed() {
    assert_snapshot!("stamps", listing(&STAMPS));
}

#[test]
fn an_image_is_one_boot_sector_without_partitions_on_a_cylinder_of_zeros() {
    let slow = Parameters {
        pace_us: u32::MAX,
        suspend: true,
        ..Parameters::SMALL
    };
    for parameters in [Parameters::SMALL, NEVER_HALTS, SLEEPS, slow] {
        let image = parameters.boot_image().unwrap();
        assert_eq!(image.len(), 16 * 63 * 512);
        assert_eq!(image[510..512], [0x55, 0xaa]);
        assert!(image[512..].iter().all(|&byte| byte == 0));
        assert!(image[PARTITIONS..510].iter().all(|&byte| byte == 0));
    }
}

#[test]
fn a_range_that_no_guest_can_have_is_refused() {
    let refusal = |start, end| {
        let parameters = Parameters {
            start,
            end,
            ..Parameters::SMALL
        };
        parameters.boot_image().unwrap_err()
    };
    assert_eq!(
        refusal(0x10_0200, 0x20_0000),
        ImageError::Unaligned(0x10_0200)
    );
    assert_eq!(
        refusal(0x10_0000, 0x20_0001),
        ImageError::Unaligned(0x20_0001)
    );
    assert_eq!(
        refusal(0x20_0000, 0x20_0000),
        ImageError::Empty {
            start: 0x20_0000,
            end: 0x20_0000
        }
    );
    assert_eq!(
        refusal(0x20_0000, 0x10_0000),
        ImageError::Empty {
            start: 0x20_0000,
            end: 0x10_0000
        }
    );
    assert_eq!(refusal(0xf_f000, 0x20_0000), ImageError::Low(0xf_f000));
    assert_eq!(
        refusal(0x10_0000, 0x8000_1000),
        ImageError::High(0x8000_1000)
    );
}

#[test]
fn a_refusal_names_the_value_and_the_mend() {
    let refusal = ImageError::Low(0xf_f000).to_string();
    assert_eq!(
        refusal,
        "the range starts at 0xff000: it must start at 0x100000 (1 MiB) or above"
    );
}

fn listing(parameters: &Parameters) -> String {
    let image = parameters.boot_image().unwrap();
    let mut listing = String::new();
    disassemble(&mut listing, 16, &image[..PROTECTED], ORIGIN);
    disassemble(
        &mut listing,
        32,
        &image[PROTECTED..TABLES],
        ORIGIN + PROTECTED,
    );
    for (index, bytes) in image[TABLES..PARTITIONS].chunks(4).enumerate() {
        writeln!(
            listing,
            "{:08x} {}",
            ORIGIN + TABLES + 4 * index,
            hex(bytes)
        )
        .unwrap();
    }
    listing
}

fn disassemble(listing: &mut String, bits: u32, bytes: &[u8], origin: usize) {
    let end = bytes
        .iter()
        .rposition(|&byte| byte != 0)
        .map_or(0, |last| last + 1);
    let decoder = Decoder::with_ip(bits, bytes, origin as u64, DecoderOptions::NONE);
    let mut formatter = NasmFormatter::new();
    for instruction in decoder
        .into_iter()
        .take_while(|next| (next.ip() as usize) < origin + end)
    {
        let at = instruction.ip() as usize - origin;
        let mut text = String::new();
        formatter.format(&instruction, &mut text);
        let bytes = hex(&bytes[at..at + instruction.len()]);
        writeln!(listing, "{:08x} {bytes:20} {text}", instruction.ip()).unwrap();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
