//! The profiles of the `backup` suite.

use itertools::iproduct;

use super::{
    axes::{
        BackupForm, BitmapTransfer, Bitmaps, Clusters, Creation, Granularity, Operation,
        StorageMigration, Target, Writer,
    },
    chained::chained,
    point::Backup,
};
use crate::{
    Backend, Point,
    suite::{profiles, unbroken},
    suites::tck::profiles::tck_flags,
};

profiles! {
    Backup;

    /// The cases of qemu-iotests 124, in both forms of the command.
    IOTESTS_124 = "iotests-124": &[Backend::Qemu], |_| unbroken(iotests_124(), Point::Backup);
    /// The simple chain × granularity × clusters × bitmaps × creation × format: a product that
    /// can be covered (--cover 2).
    VARIANTS = "variants": &[Backend::Qemu], |_| unbroken(variants(), Point::Backup);
    /// Chains that are continued after a migration: by shared storage and by a copy, with the
    /// bitmap in the stream, under an alias, or in the image.
    CHAIN = "chain": &[Backend::Qemu], |_| unbroken(chains(), Point::Backup);
    /// Chains that libvirt makes, with checkpoints, around each of the 96 scenarios of `tck`,
    /// by shared storage and by a copy.
    CHECKPOINTS = "checkpoints": &[Backend::Libvirt], |_| unbroken(chained(&tck_flags().collect::<Vec<_>>()), Point::Chained);
}

/// The cases of `qemu-iotests` 124, in both forms of the command.
pub(crate) fn iotests_124() -> Vec<Backup> {
    let plain = Operation::ALL.map(|operation| Backup {
        operation,
        ..Backup::default()
    });
    let of_granularity = [Granularity::Small, Granularity::Large].map(|granularity| Backup {
        granularity,
        ..Backup::default()
    });
    let larger = Backup {
        clusters: Clusters::Larger,
        ..Backup::default()
    };
    let all: Vec<Backup> = plain
        .into_iter()
        .chain(of_granularity)
        .chain([larger])
        .collect();
    iproduct!(BackupForm::ALL, all)
        .map(|(form, one)| Backup { form, ..one })
        .collect()
}

/// The simple chain with every option that it can have on one QEMU.
pub(crate) fn variants() -> Vec<Backup> {
    iproduct!(
        BackupForm::ALL,
        Granularity::ALL,
        Clusters::ALL,
        Bitmaps::ALL,
        Creation::ALL,
        Target::ALL
    )
    .map(
        |(form, granularity, clusters, bitmaps, creation, target)| Backup {
            form,
            granularity,
            clusters,
            bitmaps,
            creation,
            target,
            ..Backup::default()
        },
    )
    .collect()
}

/// Chains that are continued after a migration.
pub(crate) fn chains() -> Vec<Backup> {
    iproduct!(
        [StorageMigration::Shared, StorageMigration::Copied],
        BitmapTransfer::ALL,
        Writer::ALL
    )
    .map(|(journey, carrier, writer)| Backup {
        journey,
        carrier,
        writer,
        creation: Creation::InTransaction,
        ..Backup::default()
    })
    .collect()
}
