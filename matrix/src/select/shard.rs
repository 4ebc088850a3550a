//! Shards: one of several parts of a selection, for several machines to share it.

pub(crate) mod auto;

use std::{
    collections::BTreeSet,
    fmt::{self, Write},
    str::FromStr,
};

use thiserror::Error;

use crate::{Case, word::serde_as_text};

/// One part of a selection. The parts of one count have every case exactly once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shard {
    /// Which part it is, from 1.
    pub index: u32,
    /// How many parts there are.
    pub count: u32,
    /// How cases are dealt out.
    pub by: ShardBy,
}

/// How cases are dealt out to shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ShardBy {
    /// Each shard gets a run of neighbours, of one length but for one case. Neighbours share their
    /// hosts, but a new case moves others to another shard.
    Slice,
    /// Each shard gets the cases whose names' hash says so: a case stays in its shard for ever,
    /// whichever others there are.
    Hash,
}

/// A text that can't be a shard.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{0}` is not a shard: expected INDEX/COUNT, with INDEX from 1 to COUNT, as in `2/4`, \
     `hash:2/4` or `slice:2/4`"
)]
pub struct BadShard(pub String);

impl Shard {
    /// The cases of this shard, in their order.
    #[must_use]
    pub fn of(self, cases: Vec<Case>) -> Vec<Case> {
        let total = cases.len();
        let numbered = cases.into_iter().enumerate();
        let own = numbered.filter(|(place, case)| match self.by {
            ShardBy::Slice => self.is(slice(*place, total, self.count)),
            ShardBy::Hash => self.is(scale(hash(case), self.count)),
        });
        own.map(|(_, case)| case).collect()
    }

    /// The shards of its whole that are not `there`, by their indices.
    #[must_use]
    pub fn lacking(self, there: &BTreeSet<u32>) -> Vec<Self> {
        let others = (1..=self.count).filter(|index| !there.contains(index));
        others.map(|index| Self { index, ..self }).collect()
    }

    fn is(self, index_from_0: u64) -> bool {
        index_from_0 + 1 == u64::from(self.index)
    }
}

/// The slice, from 0, that the case at `place` of `total` is in.
fn slice(place: usize, total: usize, count: u32) -> u64 {
    (place as u128 * u128::from(count) / total as u128) as u64
}

/// The part of `count`, from 0, that `hash` falls in. It goes by the high bits: the lowest bit of an
/// FNV hash only tells whether a name has an odd number of odd letters.
const fn scale(hash: u64, count: u32) -> u64 {
    ((hash as u128 * count as u128) >> 64) as u64
}

/// The FNV-1a hash of the case's first name, in 64 bits: the same in every version, though words
/// change, and on every platform.
fn hash(case: &Case) -> u64 {
    let mut hash = Fnv1a(0xcbf2_9ce4_8422_2325);
    write!(hash, "{}", case.first_name()).expect("hashing can't fail");
    hash.0
}

struct Fnv1a(u64);

impl Write for Fnv1a {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Ok(())
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = match self.by {
            ShardBy::Slice => "slice",
            ShardBy::Hash => "hash",
        };
        write!(f, "{by}:{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = BadShard;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadShard(text.to_owned());
        let (by, part) = match text.split_once(':') {
            None => (ShardBy::Hash, text),
            Some(("hash", part)) => (ShardBy::Hash, part),
            Some(("slice", part)) => (ShardBy::Slice, part),
            Some(_) => return Err(bad()),
        };
        let (index, count) = part.split_once('/').ok_or_else(bad)?;
        let index = index.parse().map_err(|_| bad())?;
        let count = count.parse().map_err(|_| bad())?;
        if !(1..=count).contains(&index) {
            return Err(bad());
        }
        Ok(Self { index, count, by })
    }
}

serde_as_text!(Shard);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_read_and_written() {
        for text in ["slice:1/4", "hash:4/4"] {
            assert_eq!(text.parse::<Shard>().unwrap().to_string(), text);
        }
        assert_eq!("2/4".parse::<Shard>(), "hash:2/4".parse());
    }

    #[test]
    fn a_shard_outside_its_count_is_refused() {
        for text in ["0/4", "5/4", "1/0", "1", "x:1/4", "slice:a/4", "-1/4"] {
            assert_eq!(text.parse::<Shard>(), Err(BadShard(text.to_owned())));
        }
    }

    #[test]
    fn hashes_fall_evenly_into_shards() {
        assert_eq!(scale(0, 4), 0);
        assert_eq!(scale(u64::MAX / 2, 4), 1);
        assert_eq!(scale(u64::MAX, 4), 3);
        assert_eq!(scale(u64::MAX, u32::MAX), u64::from(u32::MAX) - 1);
    }

    #[test]
    fn the_hash_of_a_name_stays_what_it_is() {
        let case = "tck/libvirt/trixie,bookworm,trixie/p2p/persistent-running-undefined/none";
        assert_eq!(hash(&case.parse().unwrap()), 0xb159_c337_0925_c638);
        let mut fnv = Fnv1a(0xcbf2_9ce4_8422_2325);
        fnv.write_str("foobar").unwrap();
        assert_eq!(fnv.0, 0x8594_4171_f739_67e8, "the published test vector");
    }
}
