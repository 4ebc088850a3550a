//! The layout of a stamped page: what the image writes, the model writes and the survey reads.

/// The size of a page, in bytes.
pub const PAGE: u32 = 4096;

/// The size of a sector, in bytes: what one stamp covers.
pub const SECTOR: u32 = 512;

/// How many sectors, and so stamps, a page has.
pub const SECTORS: usize = (PAGE / SECTOR) as usize;

/// What the address is mixed with. Its low nine bits are not zero, and a sector's address has none
/// there: so no mark is zero.
pub const MAGIC: u32 = u32::from_le_bytes(*b"a-b!");

/// The mark of the sector at `address`.
pub(crate) const fn mark(address: u32) -> u32 {
    address ^ MAGIC
}

/// The address of the sector that has this mark; `None` if none has it.
pub(crate) const fn marked(mark: u32) -> Option<u32> {
    let address = mark ^ MAGIC;
    if address % SECTOR == 0 {
        Some(address)
    } else {
        None
    }
}

/// The bytes of the sector at `address` when it has been stamped with `lap`.
pub(crate) fn sector(address: u32, lap: u32) -> [u8; SECTOR as usize] {
    let mut bytes = [0; SECTOR as usize];
    for word in bytes.chunks_exact_mut(4) {
        word.copy_from_slice(&mark(address).to_le_bytes());
    }
    bytes[..4].copy_from_slice(&lap.to_le_bytes());
    bytes
}
