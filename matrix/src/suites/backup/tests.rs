//! The story and the model, held to the numbers of `qemu-iotests` 124.

use super::{
    acts::BackupAction,
    axes::{Clusters, Creation, Granularity, Operation, StorageMigration, Target, Writer},
    model::{Count, ExpectedAction, JobEnd},
    point::Backup,
    profiles::{chains, iotests_124, variants},
    rules::excluded,
};
use crate::Side;

fn counts(backup: Backup) -> Vec<u64> {
    let looks = backup.expected_actions().into_iter();
    let looks = looks.filter(|scene| scene.act == BackupAction::Inspect);
    let bitmaps = looks.filter_map(|scene| scene.bitmaps.first().copied());
    bitmaps
        .map(|bitmap| match bitmap.count {
            Count::Exactly(bytes) => bytes,
            Count::Some | Count::Any => panic!("nobody but us writes"),
        })
        .collect()
}

fn of(operation: Operation) -> Backup {
    Backup {
        operation,
        ..Backup::default()
    }
}

#[test]
fn what_is_dirty_is_as_was_measured_for_each_granularity() {
    for (granularity, first, second) in [
        (Granularity::Small, 360_448, 1_441_792),
        (Granularity::Usual, 458_752, 1_507_328),
        (Granularity::Large, 655_360, 1_572_864),
    ] {
        let backup = Backup {
            granularity,
            ..Backup::default()
        };
        assert_eq!(counts(backup), [0, 0, first, 0, second, 0]);
    }
}

#[test]
fn what_fails_or_is_cancelled_keeps_its_bitmap() {
    for operation in [Operation::Failure, Operation::Cancel] {
        assert_eq!(counts(of(operation)), [458_752, 458_752, 1_638_400, 0]);
    }
    assert_eq!(
        counts(of(Operation::TransactionFailure)),
        [458_752, 458_752, 0]
    );
    assert_eq!(counts(of(Operation::TransactionFailureRace)), [0, 0, 0]);
}

fn jobs(backup: Backup) -> Vec<(JobEnd, Option<u64>)> {
    let expected_actions = backup.expected_actions().into_iter();
    let jobs = expected_actions.flat_map(|scene| scene.jobs);
    let incrementals = jobs.filter(|job| job.id.starts_with("backup"));
    incrementals.map(|job| (job.end, job.length)).collect()
}

#[test]
fn a_larger_cluster_is_copied_whole() {
    let backup = Backup {
        clusters: Clusters::Larger,
        ..Backup::default()
    };
    let lengths: Vec<_> = jobs(backup).into_iter().map(|(_, length)| length).collect();
    assert_eq!(lengths, [Some(0), Some(655_360), Some(1_572_864)]);
}

#[test]
fn of_a_group_the_one_fails_and_the_other_is_cancelled() {
    let ends: Vec<_> = jobs(of(Operation::TransactionFailure))
        .into_iter()
        .collect();
    assert_eq!(ends[0], (JobEnd::Cancelled, Some(458_752)));
    assert_eq!(ends[1], (JobEnd::Failed, Some(458_752)));
    assert!(ends[2..].iter().all(|(end, _)| *end == JobEnd::Completed));
}

#[test]
fn a_bitmap_is_busy_while_its_job_waits() {
    let expected_actions = of(Operation::Pause).expected_actions();
    let looks: Vec<&ExpectedAction> = expected_actions
        .iter()
        .filter(|scene| scene.act == BackupAction::Inspect)
        .collect();
    let busy: Vec<bool> = looks.iter().map(|look| look.bitmaps[0].busy).collect();
    assert_eq!(busy, [false, true, false]);
}

#[test]
fn after_a_jump_all_is_done_on_the_destination() {
    let jump = Backup {
        journey: StorageMigration::Shared,
        ..Backup::default()
    };
    let expected_actions = jump.expected_actions();
    let place = expected_actions
        .iter()
        .position(|scene| scene.act == BackupAction::Migrate);
    let (before, after) = expected_actions.split_at(place.unwrap() + 1);
    assert!(before.iter().all(|scene| scene.side == Side::Source));
    assert!(after.iter().all(|scene| scene.side == Side::Destination));
    assert_eq!(after[0].bitmaps[0].count, Count::Exactly(1_507_328));
}

#[test]
fn what_a_guest_writes_is_not_counted_beforehand() {
    let guest = Backup {
        journey: StorageMigration::Shared,
        writer: Writer::Guest,
        creation: Creation::InTransaction,
        ..Backup::default()
    };
    let expected_actions = guest.expected_actions();
    let looks = expected_actions
        .iter()
        .filter(|scene| scene.act == BackupAction::Inspect);
    let counts: Vec<Count> = looks.map(|look| look.bitmaps[0].count).collect();
    assert_eq!(counts.first(), Some(&Count::Any));
    assert_eq!(counts.last(), Some(&Count::Exactly(0)));
}

#[test]
fn the_profile_has_all_of_124_in_both_forms_and_a_cancel() {
    let all = iotests_124();
    assert_eq!(all.len(), 2 * 14);
    assert!(all.iter().all(|point| excluded(point).is_none()));
}

#[test]
fn a_raw_target_has_one_chain_and_no_clusters() {
    let all = variants();
    let kept = all.iter().filter(|point| excluded(point).is_none());
    let raw = kept.clone().filter(|point| point.target == Target::Raw);
    assert_eq!((all.len(), kept.count(), raw.count()), (144, 90, 18));
}

#[test]
fn a_stored_bitmap_is_not_copied_with_the_disk() {
    let kept: Vec<Backup> = chains()
        .into_iter()
        .filter(|point| excluded(point).is_none())
        .collect();
    assert_eq!(kept.len(), 10);
}

#[test]
fn a_chain_migrates_where_it_is_judged_by_its_migration() {
    let all = [iotests_124(), variants(), chains()].concat();
    let journeys: std::collections::BTreeSet<_> = all.iter().map(|one| one.journey).collect();
    assert_eq!(journeys.len(), StorageMigration::ALL.len(), "each is there");
    for point in all {
        let judged = point.conditions().contains(&crate::Condition::Migrated);
        assert_eq!(crate::Point::Backup(point).migrates(), judged, "{point}");
    }
}
