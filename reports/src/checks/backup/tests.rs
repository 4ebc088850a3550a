//! Each check of a chain is shown to be able to pass, to fail and to be unknown.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each spoiler changes one kind of observation"
)]

mod moved;

use migratrix_guest::{Disk, DiskSector, DiskSurvey};
use migratrix_history::{BitmapInfo, History, Observation, Outcome, Refusal, Side, Verb, When};
use migratrix_matrix::{
    Backup, BackupAction, Case, Condition, Count, Drive, ExpectedAction, JobEnd, JobExpected,
    Point, Writer,
};
use serde_json::{Value, json};

use crate::{
    Kind, Verdict,
    checks::all,
    raw_story,
    story::{changed, empty, step_that, without},
};

const SIMPLE: &str = "stay/blockdev-backup/incremental-simple/plain";
const FAILURE: &str = "stay/drive-backup/incremental-failure/plain";
const PAUSE: &str = "stay/blockdev-backup/incremental-pause/plain";
const CANCEL: &str = "stay/blockdev-backup/incremental-cancel/plain";
const PAIR: &str = "stay/blockdev-backup/transaction-failure/plain";
const MISSING: &str = "stay/blockdev-backup/bitmap-missing/plain";
const SHARED: &str = "shared-storage/blockdev-backup/incremental-simple/in-transaction";
const GUEST: &str = "copied-storage/blockdev-backup/incremental-simple/guest+in-transaction";
const ALL: [&str; 8] = [SIMPLE, FAILURE, PAUSE, CANCEL, PAIR, MISSING, SHARED, GUEST];

/// A history in which all went as the case says.
pub(in crate::checks) fn of(point: &str) -> History {
    let case: Case = format!("backup/qemu/bookworm,trixie/{point}")
        .parse()
        .unwrap();
    let Point::Backup(backup) = case.point else {
        panic!("{point} is no chain of backups")
    };
    let mut story = Timeline {
        history: empty(case),
        backup,
        lap: 10,
    };
    if backup.writer == Writer::Guest {
        story.history.header.guest.disk = Some(Disk::SMALL);
    }
    for scene in backup.expected_actions() {
        story.perform(&scene);
    }
    story.step(Verb::Clear, vec![]);
    for side in [Side::Source, Side::Destination] {
        let left = Vec::new();
        story.step(Verb::Leftovers, vec![Observation::Leftovers { side, left }]);
    }
    story.history
}

struct Timeline {
    history: History,
    backup: Backup,
    lap: u32,
}

impl Timeline {
    fn step(&mut self, verb: Verb, seen: Vec<Observation>) {
        self.end(verb, seen, Outcome::Done);
    }

    fn end(&mut self, verb: Verb, seen: Vec<Observation>, outcome: Outcome) {
        step_that(&mut self.history, verb, seen, outcome);
    }

    fn perform(&mut self, scene: &ExpectedAction) {
        let side = scene.side;
        let jobs = scene.jobs.iter();
        let mut seen: Vec<_> = jobs.flat_map(|job| ran(side, scene.act, job)).collect();
        match scene.act {
            BackupAction::Inspect => seen.push(bitmaps(side, scene, self.lap)),
            BackupAction::Migrate => {
                seen.push(bitmaps(side, scene, self.lap));
                seen.extend(moved());
            }
            BackupAction::Write(drive, set) => {
                let writes = set.writes(drive).into_iter();
                seen.extend(
                    writes.map(|write| Observation::written(side, drive, &write, write.told())),
                );
            }
            BackupAction::Continue => seen.push(raw_story::event(side, "RESUME")),
            BackupAction::Laps => {
                self.lap += 8;
                seen.push(lapped(side, self.lap));
            }
            BackupAction::Compare(link) => {
                seen.push(compared(side, &link.file(), &link.reference()));
                seen.extend(self.as_written(side, &link.file(), link.drive));
                seen.extend(self.sectors(side, &link.file()));
            }
            BackupAction::End => {
                for link in self.backup.ends() {
                    seen.push(compared(side, &link.file(), link.drive.name()));
                    seen.extend(self.as_written(side, link.drive.name(), link.drive));
                    seen.extend(self.sectors(side, &link.file()));
                }
            }
            _ => {}
        }
        let outcome = scene.refusal.map_or(Outcome::Done, refused_for);
        self.end(Verb::Backup, seen, outcome);
    }

    /// An image compared with what was written, which of a guest nobody knows.
    fn as_written(&self, side: Side, image: &str, drive: Drive) -> Option<Observation> {
        let written = format!("{drive}-written");
        (self.backup.writer == Writer::QemuIo).then(|| compared(side, image, &written))
    }

    fn sectors(&self, side: Side, image: &str) -> Option<Observation> {
        let disk = self.history.header.guest.disk?;
        let sector = |number: u32| {
            let back = self.lap.wrapping_sub(number) % disk.sectors;
            match self.lap.checked_sub(back) {
                Some(lap @ 1..) => DiskSector::Stamped { lap },
                Some(0) | None => DiskSector::Blank,
            }
        };
        let sectors = (0..disk.sectors).map(sector).collect();
        Some(Observation::Sectors {
            side,
            image: image.to_owned(),
            survey: DiskSurvey { sectors },
        })
    }
}

fn refused_for(words: &[&str]) -> Outcome {
    refused(&words.join(" is not "))
}

fn refused(words: &str) -> Outcome {
    Outcome::Refused(Refusal {
        code: 0,
        domain: 0,
        message: format!("GenericError: {words}"),
    })
}

/// What is told of a chain's way to another QEMU.
fn moved() -> Vec<Observation> {
    let uri = json!({"uri": "unix:/tmp/jump"});
    let told = [
        (Side::Destination, "migrate-incoming"),
        (Side::Source, "migrate"),
    ];
    let told = told.map(|(side, command)| Observation::Command {
        side,
        command: command.to_owned(),
        arguments: uri.clone(),
    });
    let states = |side: Side, words: &[&str]| -> Vec<Observation> {
        let state = |status: &&str| Observation::Status {
            side,
            status: (*status).to_owned(),
        };
        words.iter().map(state).collect()
    };
    let source = ["setup", "active", "pre-switchover", "device", "completed"];
    let destination = ["setup", "active", "completed"];
    [
        told.to_vec(),
        states(Side::Source, &source[..2]),
        vec![raw_story::event(Side::Source, "STOP")],
        states(Side::Source, &source[2..]),
        states(Side::Destination, &destination),
    ]
    .concat()
}

fn lapped(side: Side, last: u32) -> Observation {
    Observation::Beat {
        side,
        when: When::During,
        first: last - 8,
        last,
        window_us: 80_000,
    }
}

fn compared(side: Side, one: &str, other: &str) -> Observation {
    Observation::Compared {
        side,
        one: one.to_owned(),
        other: other.to_owned(),
        status: 0,
        told: "Images are identical.".to_owned(),
    }
}

fn bitmaps(side: Side, scene: &ExpectedAction, lap: u32) -> Observation {
    let look = |expected: &migratrix_matrix::BitmapExpected| BitmapInfo {
        drive: expected.drive.to_string(),
        name: expected.bitmap.to_string(),
        count: match expected.count {
            Count::Exactly(bytes) => bytes,
            Count::Some | Count::Any => u64::from(lap) << 16,
        },
        granularity: expected.granularity,
        recording: true,
        busy: expected.busy,
        persistent: expected.persistent,
        inconsistent: false,
    };
    let bitmaps = scene.bitmaps.iter().map(look).collect();
    Observation::Bitmaps { side, bitmaps }
}

/// What is heard of a job that runs as it must.
fn ran(side: Side, act: BackupAction, job: &JobExpected) -> Vec<Observation> {
    let id = &job.id;
    let event = |name: &str, data: Value| Observation::Event {
        side,
        event: name.to_owned(),
        data,
        late_us: None,
    };
    let states = |states: &[&str]| -> Vec<Observation> {
        let told = |status: &&str| event("JOB_STATUS_CHANGE", json!({"id": id, "status": status}));
        states.iter().map(told).collect()
    };
    let length = job.length.unwrap_or(1 << 20);
    let error = |action: &str| {
        let data = json!({"device": id, "operation": "read", "action": action});
        event("BLOCK_JOB_ERROR", data)
    };
    let begun = match act {
        BackupAction::Resume(_) => states(&["running"]),
        _ => states(&["created", "running", "paused", "running"]),
    };
    let (middle, end) = match job.end {
        JobEnd::Completed => (
            states(&["waiting", "pending"]),
            json!({"device": id, "len": length, "offset": length, "type": "backup"}),
        ),
        JobEnd::Failed => (
            [vec![error("report")], states(&["aborting"])].concat(),
            json!({"device": id, "len": length, "offset": 0, "error": "Input/output error"}),
        ),
        JobEnd::Cancelled => (
            states(&["aborting"]),
            json!({"device": id, "len": length, "offset": 0}),
        ),
        JobEnd::Stopped => return [begun, vec![error("stop")], states(&["paused"])].concat(),
    };
    let name = match job.end {
        JobEnd::Cancelled => "BLOCK_JOB_CANCELLED",
        JobEnd::Completed | JobEnd::Failed | JobEnd::Stopped => "BLOCK_JOB_COMPLETED",
    };
    let end = vec![event(name, end)];
    [begun, middle, end, states(&["concluded", "null"])].concat()
}

fn verdict(history: &History, condition: Condition) -> Verdict {
    let found = all(history).into_iter().find(|(one, _)| *one == condition);
    found.expect("the case has the condition").1
}

fn assert_kind(history: &History, condition: Condition, kind: Kind) {
    let verdict = verdict(history, condition);
    let case = &history.header.case;
    assert_eq!(verdict.kind(), kind, "{condition} of {case}: {verdict:?}");
}

fn fails(history: &History, condition: Condition) {
    assert_kind(history, condition, Kind::Fail);
}

/// With the data of each event of this name changed.
fn told(point: &str, name: &str, change: impl Fn(&mut Value)) -> History {
    changed(of(point), |saw| match saw {
        Observation::Event { event, data, .. } if event == name => change(data),
        _ => {}
    })
}

fn looked(point: &str, change: impl Fn(&mut BitmapInfo)) -> History {
    changed(of(point), |saw| {
        if let Observation::Bitmaps { bitmaps, .. } = saw {
            bitmaps.iter_mut().for_each(&change);
        }
    })
}

fn cut(point: &str) -> History {
    let mut history = of(point);
    history.entries.truncate(history.entries.len() / 4);
    history
}

#[test]
fn a_good_chain_passes_everything() {
    for point in ALL {
        let history = of(point);
        for (condition, verdict) in all(&history) {
            assert_eq!(verdict, Verdict::Pass, "{condition} of {point}");
        }
    }
}

#[test]
fn a_chain_that_was_cut_short_proves_nothing() {
    for point in [SIMPLE, FAILURE, SHARED, GUEST] {
        let history = cut(point);
        for (condition, verdict) in all(&history) {
            assert_eq!(verdict.kind(), Kind::Unknown, "{condition} of {point}");
        }
    }
}

#[test]
fn a_swallowed_error_is_seen() {
    let silent = told(FAILURE, "BLOCK_JOB_COMPLETED", |data| {
        data.as_object_mut().unwrap().remove("error");
    });
    fails(&silent, Condition::BlockJobs);
    let ignored = told(FAILURE, "BLOCK_JOB_ERROR", |data| {
        data["action"] = json!("ignore");
    });
    fails(&ignored, Condition::BlockJobs);
    let other = told(FAILURE, "BLOCK_JOB_COMPLETED", |data| {
        data["error"] = json!("No space left on device");
    });
    fails(&other, Condition::BlockJobs);
}

#[test]
fn an_error_that_nobody_expects_is_seen() {
    let failed = told(SIMPLE, "BLOCK_JOB_COMPLETED", |data| {
        data["error"] = json!("Input/output error");
    });
    fails(&failed, Condition::BlockJobs);
}

#[test]
fn a_job_that_copies_less_or_more_than_is_dirty_is_seen() {
    for wrong in [0, 65_536] {
        let hollow = told(SIMPLE, "BLOCK_JOB_COMPLETED", |data| {
            data["len"] = json!(wrong);
            data["offset"] = json!(wrong);
        });
        fails(&hollow, Condition::BlockJobs);
    }
    let half = told(SIMPLE, "BLOCK_JOB_COMPLETED", |data| {
        data["offset"] = json!(1);
    });
    fails(&half, Condition::BlockJobs);
}

#[test]
fn a_state_that_is_left_out_is_seen() {
    for (point, state) in [
        (SIMPLE, "pending"),
        (FAILURE, "aborting"),
        (PAUSE, "paused"),
    ] {
        let history = without(of(point), |saw| match saw {
            Observation::Event { data, .. } => data.get("status") == Some(&json!(state)),
            _ => false,
        });
        fails(&history, Condition::BlockJobs);
    }
}

#[test]
fn a_cancel_that_comes_too_late_is_seen() {
    let late = told(CANCEL, "BLOCK_JOB_CANCELLED", |data| {
        data["offset"] = data["len"].clone();
    });
    fails(&late, Condition::BlockJobs);
    let verdict = verdict(&late, Condition::BlockJobs);
    let told = "expected a cancel on the way, its end is BLOCK_JOB_CANCELLED";
    assert!(verdict.why().contains(told), "{verdict:?}");
}

#[test]
fn a_job_that_the_case_has_not_is_seen() {
    let strange = told(SIMPLE, "JOB_STATUS_CHANGE", |data| {
        if data["id"] == "full-drive0" {
            data["id"] = json!("stranger");
        }
    });
    fails(&strange, Condition::BlockJobs);
}

fn ended(point: &str, how: &Outcome, which: impl Fn(&Outcome) -> bool) -> History {
    changed(of(point), |saw| match saw {
        Observation::Ended {
            verb: Verb::Backup,
            outcome,
            ..
        } if which(outcome) => *outcome = how.clone(),
        _ => {}
    })
}

#[test]
fn what_must_be_refused_and_what_must_not_are_told_apart() {
    let is_refused = |outcome: &Outcome| matches!(outcome, Outcome::Refused(_));
    fails(
        &ended(MISSING, &Outcome::Done, is_refused),
        Condition::BlockJobs,
    );
    let other = refused("Bitmap 'unknown' could not be found");
    fails(&ended(MISSING, &other, is_refused), Condition::BlockJobs);
    let no = refused("Could not open the target");
    fails(&ended(SIMPLE, &no, |_| true), Condition::BlockJobs);
    fails(&ended(SHARED, &no, |_| true), Condition::Migrated);
}

#[test]
fn a_bitmap_is_held_to_what_was_written() {
    let clean = looked(SIMPLE, |look| look.count = 0);
    fails(&clean, Condition::Bitmap);
    let why = verdict(&clean, Condition::Bitmap).why().to_owned();
    assert!(
        why.contains(", on the source (") && why.contains(") after `"),
        "{why}"
    );
    fails(
        &looked(SIMPLE, |look| look.count += 65_536),
        Condition::Bitmap,
    );
    fails(
        &looked(SIMPLE, |look| look.granularity *= 2),
        Condition::Bitmap,
    );
    fails(
        &looked(SIMPLE, |look| look.recording = false),
        Condition::Bitmap,
    );
    fails(
        &looked(SIMPLE, |look| look.persistent = true),
        Condition::Bitmap,
    );
    fails(
        &looked(SIMPLE, |look| look.inconsistent = true),
        Condition::Bitmap,
    );
    fails(&looked(PAUSE, |look| look.busy = false), Condition::Bitmap);
    fails(
        &looked(SIMPLE, |look| look.name = "other".to_owned()),
        Condition::Bitmap,
    );
    fails(
        &looked(GUEST, |look| look.count = Drive::SIZE),
        Condition::Bitmap,
    );
}

#[test]
fn a_bitmap_that_is_lost_or_one_too_many_is_seen() {
    let lost = changed(of(SHARED), |saw| {
        if let Observation::Bitmaps {
            side: Side::Destination,
            bitmaps,
        } = saw
        {
            bitmaps.clear();
        }
    });
    fails(&lost, Condition::Bitmap);
    let twice = changed(of(SIMPLE), |saw| {
        if let Observation::Bitmaps { bitmaps, .. } = saw {
            let mut other = bitmaps[0].clone();
            other.name = "bitmap1".to_owned();
            bitmaps.push(other);
        }
    });
    fails(&twice, Condition::Bitmap);
}

#[test]
fn a_bitmap_that_arrives_with_less_than_was_sent_is_seen() {
    let less = changed(of(GUEST), |saw| {
        if let Observation::Bitmaps {
            side: Side::Source,
            bitmaps,
        } = saw
        {
            bitmaps[0].count += 65_536;
        }
    });
    fails(&less, Condition::Bitmap);
}

/// Whether an image is the one with what was written.
fn is_written(image: &str) -> bool {
    image.ends_with("-written")
}

/// With every comparison of images of this kind ending so.
fn differs(point: &str, status: i32, of_reference: bool) -> History {
    changed(of(point), |saw| match saw {
        Observation::Compared {
            other, status: s, ..
        } if other.ends_with("reference") == of_reference && !is_written(other) => *s = status,
        _ => {}
    })
}

#[test]
fn an_image_that_differs_or_can_not_be_read_is_seen() {
    for point in [SIMPLE, PAIR, SHARED, GUEST] {
        for status in [1, 2] {
            fails(&differs(point, status, true), Condition::Backups);
            fails(&differs(point, status, false), Condition::Chain);
            assert_kind(
                &differs(point, status, false),
                Condition::Backups,
                Kind::Pass,
            );
        }
    }
}

#[test]
fn an_image_that_is_not_what_was_written_is_seen_though_all_images_are_the_same() {
    for point in [SIMPLE, FAILURE, PAIR, SHARED] {
        for condition in [Condition::Backups, Condition::Chain] {
            let other = changed(of(point), |saw| match saw {
                Observation::Compared { other, status, .. } if is_written(other) => *status = 1,
                _ => {}
            });
            fails(&other, condition);
            let is_it = |saw: &Observation| matches!(saw, Observation::Compared { other, .. } if is_written(other));
            let mut blind = without(of(point), is_it);
            assert_kind(&blind, condition, Kind::Unknown);
            blind.header.evidence = 2;
            assert_kind(&blind, condition, Kind::Pass);
        }
    }
}

#[test]
fn what_was_not_compared_or_not_written_proves_nothing() {
    let blind = without(of(SIMPLE), |saw| {
        matches!(saw, Observation::Compared { .. })
    });
    let idle = without(of(SIMPLE), |saw| matches!(saw, Observation::Written { .. }));
    let failed = changed(of(SIMPLE), |saw| {
        if let Observation::Written { told, .. } = saw {
            *told = "write failed: Input/output error".to_owned();
        }
    });
    for history in [blind, idle, failed] {
        assert_kind(&history, Condition::Backups, Kind::Unknown);
        assert_kind(&history, Condition::Chain, Kind::Unknown);
    }
}

#[test]
fn a_write_of_the_guest_that_is_lost_is_named() {
    let lost = changed(of(GUEST), |saw| {
        if let Observation::Sectors { survey, .. } = saw {
            survey.sectors[3] = DiskSector::Blank;
        }
    });
    fails(&lost, Condition::Backups);
    let verdict = verdict(&lost, Condition::Chain);
    assert!(verdict.why().contains("sector 6144"), "{verdict:?}");
}

#[test]
fn a_disk_that_is_older_than_its_guest_is_seen() {
    let old = changed(of(GUEST), |saw| {
        if let Observation::Beat { last, .. } = saw {
            *last += 100;
        }
    });
    fails(&old, Condition::Chain);
    let unread = without(of(GUEST), |saw| matches!(saw, Observation::Sectors { .. }));
    assert_kind(&unread, Condition::Chain, Kind::Unknown);
}

#[test]
fn a_migration_that_does_not_complete_is_seen() {
    let astray = changed(of(SHARED), |saw| {
        if let Observation::Status {
            side: Side::Destination,
            status,
        } = saw
        {
            *status = "active".to_owned();
        }
    });
    assert_kind(&astray, Condition::Migrated, Kind::Unknown);
}
