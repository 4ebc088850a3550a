//! A chain of backups around a migration through libvirt.
//!
//! A checkpoint is a bitmap of its name on each disk, stored in the image (libvirt's
//! `incremental-backup.rst`). A backup since a checkpoint leaves its bitmap as it is, and goes with
//! the next checkpoint. The bitmaps travel with the domain, the descriptions of the checkpoints
//! don't: who migrates saves them, and has the destination take them up
//! (`VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE`).

pub(crate) mod faults;
mod story;
#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use itertools::iproduct;

use super::{
    axes::{BitmapTransfer, Creation, StorageMigration, Writer},
    point::Backup,
};
use crate::{
    Activity, Axis, AxisInfo, Backend, BadWord, Condition, Control, Flag, FlagSet, MachineChoice,
    Point, Scenario, State, Suite,
    axis::Value,
    point::{Column, SuitePoint},
    rule::{Row, Rule, first, row},
    word::serde_as_text,
};

/// A scenario of the suite `tck`, with a chain of backups around its migration. Its text is
/// `JOURNEY/WRITER/CONTROL/STATE/FLAGS`, as in
/// `shared-storage/qemu-io/p2p/persistent-running-undefined/undefine`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Chained {
    /// How the disk comes to the destination.
    pub journey: StorageMigration,
    /// Who writes to it.
    pub writer: Writer,
    /// What is migrated, and how.
    pub scenario: Scenario,
}

impl Chained {
    /// Its axes; the others are those of its scenario.
    pub const AXES: &'static [&'static AxisInfo] = &[&StorageMigration::INFO, &Writer::INFO];
}

impl SuitePoint for Chained {
    fn suite(&self) -> Suite {
        Suite::Backup
    }

    fn backends(&self) -> &'static [Backend] {
        &[Backend::Libvirt]
    }

    fn values(&self) -> Vec<Value> {
        let mut all = vec![Value::of(self.journey), Value::of(self.writer)];
        all.extend(self.scenario.values());
        all
    }

    fn excluded(&self) -> Option<&'static Rule> {
        first(&ROWS, self)
    }

    /// The machine: only the old one has the fixed ports by which a guest writes to its disk.
    fn machine(&self) -> MachineChoice {
        match self.writer {
            Writer::QemuIo => MachineChoice::Q35,
            Writer::Guest => MachineChoice::Pc,
        }
    }

    /// The conditions that a case of it is judged by: those of its scenario, and those of the chain.
    fn conditions(&self) -> Vec<Condition> {
        let chain = [
            Condition::BlockJobs,
            Condition::Bitmap,
            Condition::Backups,
            Condition::Chain,
        ];
        [&Scenario::CONDITIONS[..], &chain].concat()
    }

    fn migrates(&self) -> bool {
        self.journey.migrates()
    }

    fn column(&self) -> Column {
        self.scenario.column()
    }

    fn scenario(&self) -> Option<&Scenario> {
        Some(&self.scenario)
    }

    /// libvirt has its bitmaps in the image, and gives them an alias where the image is copied.
    fn counterpart(&self) -> Option<Point> {
        let journey = self.journey;
        Some(Point::Backup(Backup {
            journey,
            writer: self.writer,
            creation: Creation::InTransaction,
            carrier: match journey {
                StorageMigration::Stay | StorageMigration::Shared => BitmapTransfer::Image,
                StorageMigration::Copied => BitmapTransfer::Mapping,
            },
            ..Backup::default()
        }))
    }
}

/// The chain around each of the scenarios with these sets of flags, by each way of the disk; and with
/// a guest that writes, which has no time to where it is not live.
pub(crate) fn chained(flags: &[FlagSet]) -> Vec<Chained> {
    let live = [FlagSet::NONE, FlagSet::NONE.with(Flag::Live)];
    let of = |writer, flags: &[FlagSet]| {
        let journeys = [StorageMigration::Shared, StorageMigration::Copied];
        iproduct!(journeys, Control::ALL, State::all(), flags)
            .map(|(journey, control, state, flags)| Chained {
                journey,
                writer,
                scenario: Scenario {
                    control,
                    state,
                    flags: *flags,
                    ..Scenario::USUAL
                },
            })
            .collect::<Vec<_>>()
    };
    [of(Writer::QemuIo, flags), of(Writer::Guest, &live)].concat()
}

static ROWS: [Row<Chained>; 3] = [
    row(
        "chain-jumps",
        |point| point.journey == StorageMigration::Stay,
        "a chain that stays on its host is none around a migration",
        "the suite `backup`: a case shows what its name says",
    ),
    row(
        "paused-guest",
        |point| point.writer == Writer::Guest && point.scenario.state.activity == Activity::Paused,
        "a guest that is paused writes nothing",
        "the suite `backup`: a case shows what its name says",
    ),
    row(
        "tunnel-has-no-nbd",
        |point| {
            point.journey == StorageMigration::Copied
                && point.scenario.control == Control::Tunnelled
        },
        "a disk is copied over NBD, which libvirt's tunnel does not carry",
        "virDomainMigrateFlags, VIR_MIGRATE_NON_SHARED_DISK and VIR_MIGRATE_TUNNELLED",
    ),
];

impl fmt::Display for Chained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (journey, writer) = (self.journey.word(), self.writer.word());
        write!(f, "{journey}/{writer}/{}", self.scenario)
    }
}

impl FromStr for Chained {
    type Err = BadWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, '/');
        let (Some(journey), Some(writer), Some(scenario)) =
            (parts.next(), parts.next(), parts.next())
        else {
            return Err(BadWord {
                kind: "point",
                word: text.to_owned(),
                known: vec!["JOURNEY/WRITER/CONTROL/STATE/FLAGS".to_owned()],
            });
        };
        Ok(Self {
            journey: journey.parse()?,
            writer: writer.parse()?,
            scenario: scenario.parse()?,
        })
    }
}

serde_as_text!(Chained);
