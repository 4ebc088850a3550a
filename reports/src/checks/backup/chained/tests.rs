//! Each check of a chain that libvirt makes is shown to be able to pass, to fail and to be unknown.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each spoiler changes one kind of observation"
)]

use migratrix_guest::{Disk, DiskSector, DiskSurvey};
use migratrix_history::{
    BitmapInfo, Entry, History, JobStats, Observation, Outcome, Refusal, Side, Verb, When,
};
use migratrix_matrix::{
    Activity, BackupAction, Condition, Count, ExpectedAction, Link, Point, Writer,
};

use crate::{
    Kind, Verdict,
    checks::all,
    story::{LAPS, changed, good, memory_at, sampled, without},
};

const CASE: &str = "backup/libvirt/trixie,bookworm,trixie/\
                    shared-storage/qemu-io/p2p/persistent-running-undefined/undefine";
const GUEST: &str = "backup/libvirt/trixie,bookworm,trixie/\
                     copied-storage/guest/p2p/persistent-running-undefined/live";

/// How much is dirty of what the guest writes, in bytes.
const DIRTY: u64 = 20 << 16;
/// The lap that the guest is on in the end.
const LAP: u32 = 60;

/// A history in which the migration and the chain around it went as the case says.
fn chain() -> History {
    chain_of(CASE)
}

pub(in crate::checks) fn chain_of(case: &str) -> History {
    let mut history = good(case);
    let Point::Chained(chained) = history.header.case.point else {
        panic!("{case} is a chain")
    };
    if chained.writer == Writer::Guest {
        history.header.guest.disk = Some(Disk::SMALL);
        let guest = history.header.guest;
        history = changed(history, |saw| {
            if let Observation::Memory { side, .. } = saw {
                *saw = memory_at(*side, guest, LAPS);
            }
        });
    }
    let acts = chained.expected_actions();
    let links = acts.iter().rev().find_map(|scene| match scene.act {
        BackupAction::Compare(link) | BackupAction::Since(link, ..) => Some(link),
        _ => None,
    });
    let end = links.expect("a chain has a link");
    let (source, destination): (Vec<_>, Vec<_>) = acts
        .into_iter()
        .partition(|scene| scene.side == Side::Source);
    put(&mut history, Verb::Clear, end, &destination);
    put(&mut history, Verb::Migrate, end, &source);
    if chained.writer == Writer::Guest {
        // Nobody knows what a guest has written.
        let is_written = |saw: &Observation| matches!(saw, Observation::Compared { other, .. } if other.ends_with("-written"));
        return without(history, is_written);
    }
    history
}

/// Puts the acts before the first step of this kind.
fn put(history: &mut History, before: Verb, end: Link, expected_actions: &[ExpectedAction]) {
    let is = |entry: &Entry| matches!(entry.saw, Observation::Began { verb, .. } if verb == before);
    let place = history.entries.iter().position(is).unwrap();
    let at_us = history.entries[place].at_us;
    let acts = expected_actions.iter().flat_map(|scene| done(end, scene));
    let entries: Vec<Entry> = acts.map(|saw| Entry { at_us, saw }).collect();
    history.entries.splice(place..place, entries);
}

fn done(end: Link, scene: &ExpectedAction) -> Vec<Observation> {
    let side = scene.side;
    let step = scene.act.to_string();
    let verb = Verb::Backup;
    let mut all = vec![Observation::Began {
        verb,
        step: step.clone(),
    }];
    all.extend(scene.jobs.iter().map(|job| Observation::JobEnded {
        side,
        job: JobStats {
            kind: "completed".to_owned(),
            operation: Some("backup".to_owned()),
            success: Some(true),
            disk_total: job.length.or(Some(DIRTY)),
            disk_processed: job.length.or(Some(DIRTY)),
            ..JobStats::default()
        },
    }));
    all.extend(seen(end, scene));
    let outcome = Outcome::Done;
    all.push(Observation::Ended {
        verb,
        step,
        outcome,
    });
    all
}

fn seen(end: Link, scene: &ExpectedAction) -> Vec<Observation> {
    let side = scene.side;
    match scene.act {
        BackupAction::Inspect => {
            let looks = scene.bitmaps.iter().map(|expected| BitmapInfo {
                drive: expected.drive.to_string(),
                name: expected.bitmap.to_string(),
                count: match expected.count {
                    Count::Exactly(bytes) => bytes,
                    Count::Some | Count::Any => DIRTY,
                },
                granularity: expected.granularity,
                recording: true,
                busy: expected.busy,
                persistent: expected.persistent,
                inconsistent: false,
            });
            let bitmaps = looks.collect();
            vec![Observation::Bitmaps { side, bitmaps }]
        }
        BackupAction::Write(drive, set) => {
            let writes = set.writes(drive).into_iter();
            let told = writes.map(|write| Observation::written(side, drive, &write, write.told()));
            told.collect()
        }
        BackupAction::Since(..) => vec![sectors(side)],
        BackupAction::Laps => vec![sampled(side, When::Writing, LAP - 3, Activity::Running)],
        BackupAction::Compare(link) => vec![
            compared(side, &link.file(), &link.reference()),
            compared(side, &link.file(), "drive0-written"),
            sectors(side),
        ],
        BackupAction::End => vec![
            compared(side, &end.file(), end.drive.name()),
            compared(side, end.drive.name(), "drive0-written"),
            sectors(side),
        ],
        _ => Vec::new(),
    }
}

fn compared(side: Side, one: &str, other: &str) -> Observation {
    let [one, other] = [one, other].map(|image| format!("mx-0001-{image}"));
    Observation::Compared {
        side,
        one,
        other,
        status: 0,
        told: "Images are identical.".to_owned(),
    }
}

/// The disk of a guest that has lapped so often.
fn sectors(side: Side) -> Observation {
    let sector = |number: u32| match LAP.checked_sub(LAP.wrapping_sub(number) % 64) {
        Some(lap @ 1..) => DiskSector::Stamped { lap },
        Some(0) | None => DiskSector::Blank,
    };
    let sectors = (0..64).map(sector).collect();
    Observation::Sectors {
        side,
        image: "one".to_owned(),
        survey: DiskSurvey { sectors },
    }
}

fn verdict(history: &History, condition: Condition) -> Verdict {
    let found = all(history).into_iter().find(|(one, _)| *one == condition);
    found.expect("the case has the condition").1
}

#[track_caller]
fn assert_kind(history: &History, condition: Condition, kind: Kind) {
    let verdict = verdict(history, condition);
    assert_eq!(verdict.kind(), kind, "{condition}: {verdict:?}");
}

/// With the statistics of each backup changed.
fn ended(change: impl Fn(&mut JobStats)) -> History {
    changed(chain(), |saw| {
        if let Observation::JobEnded { job, .. } = saw {
            change(job);
        }
    })
}

#[test]
fn a_good_chain_passes_its_own_conditions_and_those_of_its_scenario() {
    for case in [CASE, GUEST] {
        let verdicts = all(&chain_of(case));
        assert_eq!(verdicts.len(), 22);
        for (condition, verdict) in verdicts {
            assert_eq!(verdict, Verdict::Pass, "{condition} of {case}");
        }
    }
}

#[test]
fn a_write_of_the_guest_that_did_not_arrive_is_seen() {
    let fewer = changed(chain_of(GUEST), |saw| match saw {
        Observation::Bitmaps { side, bitmaps } if *side == Side::Destination => {
            bitmaps.iter_mut().for_each(|look| look.count -= 65_536);
        }
        _ => {}
    });
    assert_kind(&fewer, Condition::Bitmap, Kind::Fail);
    let lost = changed(chain_of(GUEST), |saw| {
        if let Observation::Sectors { survey, .. } = saw {
            survey.sectors[9] = DiskSector::Blank;
        }
    });
    let beyond = |by: u32| {
        changed(chain_of(GUEST), |saw| match saw {
            Observation::Beat { when, last, .. } if *when == When::Writing => *last = LAP + by,
            _ => {}
        })
    };
    assert_kind(&lost, Condition::Backups, Kind::Fail);
    assert_kind(&lost, Condition::Chain, Kind::Fail);
    // A lap is counted in memory right before it is written to the disk.
    assert_kind(&beyond(1), Condition::Chain, Kind::Pass);
    assert_kind(&beyond(2), Condition::Chain, Kind::Fail);
    let partly = changed(chain_of(GUEST), |saw| {
        if let Observation::JobEnded { job, .. } = saw {
            job.disk_processed = job.disk_total.map(|total| total - 65_536);
        }
    });
    assert_kind(&partly, Condition::BlockJobs, Kind::Fail);
}

#[test]
fn a_backup_that_fails_or_copies_too_little_is_seen() {
    for spoiled in [
        ended(|job| job.success = Some(false)),
        ended(|job| job.success = None),
        ended(|job| job.error = Some("no space".to_owned())),
        ended(|job| job.disk_processed = Some(65_536)),
        ended(|job| job.disk_total = None),
        ended(|job| job.operation = Some("snapshot".to_owned())),
    ] {
        assert_kind(&spoiled, Condition::BlockJobs, Kind::Fail);
    }
}

#[test]
fn a_backup_whose_end_nobody_told_is_seen_and_so_is_one_on_the_other_side() {
    let mut silent = chain();
    let is_end = |entry: &Entry| matches!(entry.saw, Observation::JobEnded { .. });
    silent.entries.retain(|entry| !is_end(entry));
    assert_kind(&silent, Condition::BlockJobs, Kind::Fail);
    let astray = changed(chain(), |saw| {
        if let Observation::JobEnded { side, .. } = saw {
            *side = side.other();
        }
    });
    assert_kind(&astray, Condition::BlockJobs, Kind::Fail);
}

/// With the outcome of the step that takes the checkpoints up.
fn taken_up(outcome: &Outcome) -> History {
    let words = BackupAction::Reinstate.to_string();
    changed(chain(), |saw| match saw {
        Observation::Ended {
            step, outcome: of, ..
        } if *step == words => *of = outcome.clone(),
        _ => {}
    })
}

#[test]
fn a_checkpoint_that_is_refused_is_seen_and_one_that_is_not_answered_is_unknown() {
    let refused = Outcome::Refused(Refusal {
        code: 103,
        domain: 10,
        message: "checkpoint inconsistent".to_owned(),
    });
    assert_kind(&taken_up(&refused), Condition::BlockJobs, Kind::Fail);
    let why = "no answer within 20 s".to_owned();
    let silent = taken_up(&Outcome::Unknown { why });
    assert_kind(&silent, Condition::BlockJobs, Kind::Unknown);
}

#[test]
fn a_bitmap_that_arrives_otherwise_is_seen() {
    let spoilers: [fn(&mut Vec<BitmapInfo>); 4] = [
        |looks| looks.clear(),
        |looks| looks.iter_mut().for_each(|look| look.count = 0),
        |looks| looks.iter_mut().for_each(|look| look.inconsistent = true),
        |looks| looks.iter_mut().for_each(|look| look.persistent = false),
    ];
    for spoil in spoilers {
        let spoiled = changed(chain(), |saw| match saw {
            Observation::Bitmaps { side, bitmaps } if *side == Side::Destination => spoil(bitmaps),
            _ => {}
        });
        assert_kind(&spoiled, Condition::Bitmap, Kind::Fail);
    }
}

#[test]
fn images_that_differ_are_seen_and_those_that_were_not_compared_prove_nothing() {
    let different = changed(chain(), |saw| {
        if let Observation::Compared { status, .. } = saw {
            *status = 1;
        }
    });
    let changed = changed(chain(), |saw| match saw {
        Observation::Compared { other, status, .. } if other.ends_with("-written") => *status = 1,
        _ => {}
    });
    let mut silent = chain();
    let is_compared = |entry: &Entry| matches!(entry.saw, Observation::Compared { .. });
    silent.entries.retain(|entry| !is_compared(entry));
    for condition in [Condition::Backups, Condition::Chain] {
        assert_kind(&different, condition, Kind::Fail);
        assert_kind(&changed, condition, Kind::Fail);
        assert_kind(&silent, condition, Kind::Unknown);
    }
}

#[test]
fn a_chain_that_ends_before_the_migration_proves_nothing_of_itself() {
    let mut cut = chain();
    let is = |entry: &Entry| matches!(&entry.saw, Observation::Began { verb, .. } if *verb == Verb::Migrate);
    let place = cut.entries.iter().position(is).unwrap();
    cut.entries.truncate(place);
    let own = [
        Condition::BlockJobs,
        Condition::Bitmap,
        Condition::Backups,
        Condition::Chain,
    ];
    for condition in own {
        assert_kind(&cut, condition, Kind::Unknown);
    }
}

#[test]
fn only_a_migration_that_copies_its_disks_may_tell_of_their_bytes() {
    for (case, kind) in [(CASE, Kind::Fail), (GUEST, Kind::Pass)] {
        let history = changed(chain_of(case), |saw| {
            if let Observation::Job { job, .. } = saw {
                job.disk_total = Some(1);
            }
        });
        assert_kind(&history, Condition::Statistics, kind);
    }
}
