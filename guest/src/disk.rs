//! The disk that the guest stamps, and the law that it obeys.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{stamp::SECTOR, survey::Sector};

/// A disk that the guest stamps, one sector a lap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Disk {
    /// The first I/O port of its ATA registers: `0x1f0` or `0x170`.
    pub port: u16,
    /// How many sectors are stamped: a power of two.
    pub sectors: u32,
    /// From each of them to the next, in sectors: a power of two.
    pub stride: u32,
}

/// What was read of a disk's stamped sectors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DiskSurvey {
    /// From the first to the last.
    pub sectors: Vec<DiskSector>,
}

/// What one sector was found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum DiskSector {
    /// Never written.
    Blank,
    /// In its place.
    Stamped {
        /// The lap.
        lap: u32,
    },
    /// Made for another place.
    Misplaced {
        /// The number of the sector that it was made for.
        belongs: u32,
    },
    /// Not what the guest writes.
    Foreign,
}

/// How a disk breaks the law: the first sector that does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sector {lba} must {}, where {newest} is the newest lap, and {found}", wanted(*due))]
pub struct DiskBreach {
    /// The number of the sector.
    pub lba: u32,
    /// The lap that must be there; `None` where no lap has come to it.
    pub due: Option<u32>,
    /// What is there.
    pub found: DiskSector,
    /// The newest lap on the disk.
    pub newest: u32,
}

fn wanted(due: Option<u32>) -> String {
    match due {
        Some(lap) => format!("hold lap {lap}"),
        None => "be blank".to_owned(),
    }
}

impl fmt::Display for DiskSector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => f.write_str("is blank"),
            Self::Stamped { lap } => write!(f, "holds lap {lap}"),
            Self::Misplaced { belongs } => write!(f, "was made for sector {belongs}"),
            Self::Foreign => f.write_str("holds what no guest writes"),
        }
    }
}

impl Disk {
    /// 64 sectors, one in each MiB, at the ports of the first ATA channel.
    pub const SMALL: Self = Self {
        port: 0x1f0,
        sectors: 64,
        stride: 2048,
    };

    /// Whether a guest can have it.
    pub(crate) fn is_sound(&self) -> bool {
        let all = u64::from(self.sectors) * u64::from(self.stride);
        self.sectors.is_power_of_two() && self.stride.is_power_of_two() && all <= 1 << 23
    }

    /// Where its stamped sectors are, in bytes.
    pub fn places(&self) -> impl Iterator<Item = u64> {
        let step = u64::from(self.stride) * u64::from(SECTOR);
        (0..u64::from(self.sectors)).map(move |number| number * step)
    }
}

impl DiskSurvey {
    /// How many bytes a sector has.
    pub const SECTOR: usize = SECTOR as usize;

    /// Reads the stamped sectors, one after the other, as [`Disk::places`] has them.
    pub fn read<'b>(disk: &Disk, sectors: impl IntoIterator<Item = &'b [u8]>) -> Self {
        let sectors = disk.places().zip(sectors);
        let sectors = sectors.map(|(place, bytes)| DiskSector::read(place, bytes));
        Self {
            sectors: sectors.collect(),
        }
    }

    /// Reads the stamped sectors of a raw image: `read` fills a buffer with what is at a place of it,
    /// in bytes.
    ///
    /// # Errors
    /// Returns the error of reading one.
    pub fn of_image<E>(
        disk: &Disk,
        read: impl Fn(&mut [u8], u64) -> Result<(), E>,
    ) -> Result<Self, E> {
        let sector = |place| {
            let mut bytes = vec![0; Self::SECTOR];
            read(&mut bytes, place).map(|()| bytes)
        };
        let sectors: Vec<_> = disk.places().map(sector).collect::<Result<_, E>>()?;
        Ok(Self::read(disk, sectors.iter().map(Vec::as_slice)))
    }

    /// The newest lap, if the disk is one that the guest can have left: each of the last laps is in
    /// its sector, and no lap has been left out. A guest that has written nothing is at lap 0.
    ///
    /// # Errors
    /// Returns the first sector that breaks the law. A lost write of the newest lap makes an
    /// earlier one of it; that the disk is not old is for who knows how far the guest was.
    pub fn law(&self, disk: &Disk) -> Result<u32, DiskBreach> {
        let newest = self.sectors.iter().filter_map(|sector| sector.lap()).max();
        let newest = newest.unwrap_or_default();
        let due = |number: u32| {
            let back = newest.wrapping_sub(number) % disk.sectors;
            newest.checked_sub(back).filter(|lap| *lap > 0)
        };
        let broken = (0..disk.sectors).find_map(|number| {
            let found = self.sectors.get(number as usize);
            let found = found.copied().unwrap_or(DiskSector::Foreign);
            let wanted = due(number).map_or(DiskSector::Blank, |lap| DiskSector::Stamped { lap });
            (found != wanted).then(|| DiskBreach {
                lba: number * disk.stride,
                due: due(number),
                found,
                newest,
            })
        });
        broken.map_or(Ok(newest), Err)
    }
}

impl DiskSector {
    fn read(place: u64, bytes: &[u8]) -> Self {
        match Sector::read(bytes) {
            Some(sector) if u64::from(sector.belongs) == place => Self::Stamped { lap: sector.lap },
            Some(sector) => Self::Misplaced {
                belongs: sector.belongs / SECTOR,
            },
            None if bytes.iter().all(|byte| *byte == 0) => Self::Blank,
            None => Self::Foreign,
        }
    }

    const fn lap(&self) -> Option<u32> {
        match self {
            Self::Stamped { lap } => Some(*lap),
            Self::Blank | Self::Misplaced { .. } | Self::Foreign => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stamp;

    const DISK: Disk = Disk {
        sectors: 4,
        ..Disk::SMALL
    };

    /// The disk after so many laps, but for the writes of `lost`.
    fn after(laps: u32, lost: &[u32]) -> DiskSurvey {
        let mut sectors = vec![vec![0; DiskSurvey::SECTOR]; 4];
        for lap in (1..=laps).filter(|lap| !lost.contains(lap)) {
            let number = lap % DISK.sectors;
            let place = number * DISK.stride * SECTOR;
            sectors[number as usize] = stamp::sector(place, lap).to_vec();
        }
        DiskSurvey::read(&DISK, sectors.iter().map(Vec::as_slice))
    }

    #[test]
    fn the_law_holds_after_any_lap() {
        for laps in 0..12 {
            assert_eq!(after(laps, &[]).law(&DISK), Ok(laps));
        }
    }

    #[test]
    fn a_lost_write_is_named_by_its_sector_and_lap() {
        let breach = after(7, &[6]).law(&DISK).unwrap_err();
        assert_eq!((breach.lba, breach.due), (2 * DISK.stride, Some(6)));
        assert_eq!(breach.found, DiskSector::Stamped { lap: 2 });
        let words = "sector 4096 must hold lap 6, where 7 is the newest lap, and holds lap 2";
        assert_eq!(breach.to_string(), words);
        let breach = after(3, &[1]).law(&DISK).unwrap_err();
        assert_eq!(breach.found, DiskSector::Blank);
    }

    #[test]
    fn what_belongs_elsewhere_or_to_nobody_breaks_the_law() {
        let mut survey = after(7, &[]);
        survey.sectors.swap(0, 1);
        assert!(survey.law(&DISK).is_err());
        survey.sectors[0] = DiskSector::Foreign;
        assert!(survey.law(&DISK).is_err());
        survey.sectors.truncate(1);
        assert!(survey.law(&DISK).is_err());
    }

    #[test]
    fn a_sector_that_was_made_for_another_place_is_seen_to_be() {
        let bytes = stamp::sector(DISK.stride * SECTOR, 5);
        let read = DiskSector::read(0, &bytes);
        assert_eq!(
            read,
            DiskSector::Misplaced {
                belongs: DISK.stride
            }
        );
    }

    #[test]
    fn a_guest_can_have_a_disk_of_powers_of_two_within_four_gigabytes() {
        let of = |sectors, stride| Disk {
            sectors,
            stride,
            ..Disk::SMALL
        };
        assert!(Disk::SMALL.is_sound());
        assert!(of(1 << 12, 1 << 11).is_sound());
        for disk in [
            of(1 << 13, 1 << 11),
            of(63, 2048),
            of(64, 2047),
            of(0, 1),
            of(1, 0),
        ] {
            assert!(!disk.is_sound(), "{disk:?}");
        }
    }
}
