//! The rules of the `backup` suite: which points can't be, or would show nothing, and why.

use super::{
    axes::{
        BitmapTransfer, Bitmaps, Clusters, Creation, Granularity, Operation, StorageMigration,
        Target, Writer,
    },
    point::Backup,
};
use crate::rule::{Row, Rule, first, row};

const BITMAPS: &str = "docs/interop/bitmaps.rst";
const POINT: &str = "the suite `backup`: a case shows what its name says";

static ROWS: [Row<Backup>; 10] = [
    row(
        "copy-leaves-the-image",
        |point| point.journey == StorageMigration::Copied && point.carrier == BitmapTransfer::Image,
        "what is copied is what the disk holds: a bitmap that is stored in the image stays in that \
         image",
        "docs/interop/qcow2.rst, Bitmaps extension",
    ),
    row(
        "nothing-travels",
        |point| !point.jumps() && point.carrier != BitmapTransfer::Stream,
        "a bitmap that stays is carried by nothing",
        POINT,
    ),
    row(
        "no-guest",
        |point| !point.jumps() && point.writer == Writer::Guest,
        "a chain that stays is one of qemu-iotests 124, which has no guest",
        POINT,
    ),
    row(
        "one-way-to-jump",
        |point| point.jumps() && point.operation != Operation::Simple,
        "what goes wrong on one QEMU is not repeated beside a migration",
        POINT,
    ),
    row(
        "guest-never-waits",
        |point| point.writer == Writer::Guest && point.creation != Creation::InTransaction,
        "what a running guest writes between the full backup and the bitmap is in neither",
        BITMAPS,
    ),
    row(
        "refused-at-once",
        |point| point.operation.is_refused() && has_options(point),
        "a command that is refused makes nothing of its options",
        POINT,
    ),
    row(
        "fixed-story",
        |point| point.operation != Operation::Simple && is_other_story(point),
        "the operation says itself which bitmaps there are, when they are made, and onto what",
        "qemu-iotests 124",
    ),
    row(
        "raw-has-no-clusters",
        |point| point.target == Target::Raw && point.clusters != Clusters::Equal,
        "a raw image has no clusters",
        POINT,
    ),
    row(
        "raw-is-one-file",
        |point| point.target == Target::Raw && point.bitmaps == Bitmaps::Two,
        "a raw image lies on none: two chains would be written onto one file",
        BITMAPS,
    ),
    row(
        "raw-stays",
        |point| point.target == Target::Raw && point.jumps(),
        "what is compared after a jump is a chain, and a raw image is none",
        POINT,
    ),
];

/// The rule that leaves `point` out; `None` where it may be run.
pub(crate) fn excluded(point: &Backup) -> Option<&'static Rule> {
    first(&ROWS, point)
}

fn has_options(point: &Backup) -> bool {
    point.granularity != Granularity::Usual || is_other_story(point)
}

fn is_other_story(point: &Backup) -> bool {
    point.clusters != Clusters::Equal
        || point.bitmaps != Bitmaps::One
        || point.creation != Creation::AfterFull
        || point.target != Target::Qcow2
}
