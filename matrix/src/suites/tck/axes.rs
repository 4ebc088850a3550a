//! The axes of the `tck` suite, each one enum in one place.
//!
//! The axes and their values are those of the migration test of the libvirt TCK
//! (`domain/migration`): how the migration is controlled, the state that both sides are in before
//! it, and the flags that the caller gives. The semantics of each value are those of the libvirt
//! API documentation of `virDomainMigrate3`, `virDomainMigrateToURI3` and `virDomainMigrateFlags`.

use std::{fmt, str::FromStr};

use crate::{BadWord, Channels, Multifd, axis::axis, word::serde_as_text};

axis! {
    /// Who drives the migration, and over which connection its data flows.
    Control, "control", kind "control method" {
        /// The client holds a connection to both sides and carries the cookies (`virDomainMigrate3`).
        Normal = "normal",
        /// The source daemon connects to the destination (`VIR_MIGRATE_PEER2PEER`).
        P2p = "p2p",
        /// As [`Control::P2p`], with the data inside the RPC connection (`VIR_MIGRATE_TUNNELLED`).
        Tunnelled = "tunnelled",
    }
}

axis! {
    /// Whether the source has a configuration besides its running domain.
    Persistence, "persistence", of "state" as "part of a state" {
        /// The domain is defined (`virDomainDefineXML`), then started.
        Persistent = "persistent",
        /// The domain exists only while it runs (`virDomainCreateXML`).
        Transient = "transient",
    }
}

axis! {
    /// What the guest does when the migration is asked for.
    Activity, "activity", of "state" as "part of a state" {
        /// Its processors run: its heartbeat advances.
        Running = "running",
        /// It was suspended (`virDomainSuspend`): its heartbeat has stopped.
        Paused = "paused",
    }
}

axis! {
    /// Whether the destination knows the domain before it comes.
    Preparation, "preparation", of "state" as "part of a state" {
        /// An inactive persistent configuration of the same name and UUID is defined there.
        Defined = "defined" once "prepared",
        /// Nothing of that name is there.
        Undefined = "undefined" once "bare",
    }
}

axis! {
    /// One flag of `virDomainMigrateFlags` that is an axis of its own.
    Flag, "flag" {
        /// `VIR_MIGRATE_LIVE`: the guest runs while its memory is copied.
        Live = "live",
        /// `VIR_MIGRATE_PAUSED`: the guest stays paused on the destination.
        Paused = "paused",
        /// `VIR_MIGRATE_UNDEFINE_SOURCE`: the source's configuration is removed on success.
        UndefineSource = "undefine",
        /// `VIR_MIGRATE_PERSIST_DEST`: the destination's configuration is made persistent on success.
        PersistDest = "persist",
    }
}

axis! {
    /// Over how many connections QEMU sends the guest's memory.
    Parallel, "parallel", kind "number of connections" {
        /// One, which carries all of the stream.
        Off = "off",
        /// Four beside the first one (`VIR_MIGRATE_PARALLEL`, since libvirt 5.2.0).
        Four = "parallel",
    }
}

impl Parallel {
    /// How many connections are asked for (`VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS`).
    #[must_use]
    pub const fn connections(self) -> Option<u32> {
        match self {
            Self::Off => None,
            Self::Four => Some(4),
        }
    }

    /// The suite `qemu`'s own values of it.
    pub(crate) const fn multifd(self) -> (Multifd, Channels) {
        match self {
            Self::Off => (Multifd::Off, Channels::Two),
            Self::Four => (Multifd::Plain, Channels::Four),
        }
    }
}

impl Control {
    /// The flags of `virDomainMigrateFlags` that ask for it, by their names.
    #[must_use]
    pub const fn libvirt_flags(self) -> &'static [&'static str] {
        match self {
            Self::Normal => &[],
            Self::P2p => &["VIR_MIGRATE_PEER2PEER"],
            Self::Tunnelled => &["VIR_MIGRATE_PEER2PEER", "VIR_MIGRATE_TUNNELLED"],
        }
    }
}

impl Flag {
    /// Its name in `virDomainMigrateFlags`.
    #[must_use]
    pub const fn libvirt_flag(self) -> &'static str {
        match self {
            Self::Live => "VIR_MIGRATE_LIVE",
            Self::Paused => "VIR_MIGRATE_PAUSED",
            Self::UndefineSource => "VIR_MIGRATE_UNDEFINE_SOURCE",
            Self::PersistDest => "VIR_MIGRATE_PERSIST_DEST",
        }
    }
}

/// A set of [`Flag`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlagSet(u8);

impl Flag {
    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl FlagSet {
    /// No flag; its word is `none`.
    pub const NONE: Self = Self(0);

    /// The set with `flag` in it as well.
    #[must_use]
    pub const fn with(self, flag: Flag) -> Self {
        Self(self.0 | flag.bit())
    }

    /// Whether `flag` is in the set.
    #[must_use]
    pub const fn has(self, flag: Flag) -> bool {
        self.0 & flag.bit() != 0
    }

    /// The flags of the set, in the order of [`Flag::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Flag> {
        Flag::ALL.into_iter().filter(move |flag| self.has(*flag))
    }

    /// All subsets of `flags`, the empty one first.
    pub fn subsets(flags: &[Flag]) -> impl Iterator<Item = Self> + '_ {
        (0..1_u32 << flags.len()).map(|choice| {
            flags
                .iter()
                .enumerate()
                .filter(|(place, _)| choice & (1 << place) != 0)
                .map(|(_, flag)| *flag)
                .collect()
        })
    }
}

impl FromIterator<Flag> for FlagSet {
    fn from_iter<I: IntoIterator<Item = Flag>>(flags: I) -> Self {
        flags.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Display for FlagSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NONE {
            return f.write_str("none");
        }
        for (place, flag) in self.iter().enumerate() {
            if place > 0 {
                f.write_str("+")?;
            }
            f.write_str(flag.word())?;
        }
        Ok(())
    }
}

impl FromStr for FlagSet {
    type Err = BadWord;

    /// Reads `none`, or flags with `+` between them, in any order.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" {
            return Ok(Self::NONE);
        }
        let flags: Result<Self, BadWord> = text.split('+').map(str::parse::<Flag>).collect();
        flags.map_err(|mut error| {
            error.known.push("none".to_owned());
            error
        })
    }
}

serde_as_text!(FlagSet);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_that_is_in_a_set_stays_in_it() {
        for flag in Flag::ALL {
            let once = FlagSet::NONE.with(flag);
            assert!(once.has(flag));
            assert_eq!(once.with(flag), once);
        }
    }
}
