//! A history, cut into the acts of its story.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each question picks one kind of observation"
)]

use std::collections::BTreeMap;

use migratrix_guest::DiskSurvey;
use migratrix_history::{BitmapInfo, Entry, JobStats, Observation, Outcome, Side, Verb};
use migratrix_matrix::{Backup, BackupAction, Chained, Drive, ExpectedAction, Link, Write, Writer};
use serde_json::Value;

use crate::{
    Verdict,
    checks::{
        beats::READING_US,
        evidence::Evidence,
        qemu::seen::{command, status},
    },
};

/// The acts that were begun and have ended, in their order, and those that were not.
pub(super) struct Timeline<'h> {
    pub evidence: &'h Evidence<'h>,
    /// Whether the guest writes to the disk.
    pub guest_writes: bool,
    /// The last link of each chain that there is in the end.
    pub ends: Vec<Link>,
    /// What has been done.
    pub acts: Vec<Seen<'h>>,
    /// The first that has not.
    pub missing: Option<BackupAction>,
}

/// One act, and what was seen while it was done.
pub(super) struct Seen<'h> {
    pub scene: ExpectedAction,
    pub entries: &'h [Entry],
    pub outcome: &'h Outcome,
}

/// What was told of one job.
#[derive(Default)]
pub(super) struct JobSeen<'h> {
    pub states: Vec<&'h str>,
    /// The event that ended it, and its data.
    pub end: Option<(&'h str, &'h Value)>,
    /// How many events told that it ended.
    pub ends: usize,
    /// A kind of job that it was said to be, and no backup is.
    pub other_kind: Option<&'h str>,
    /// What it did on each error.
    pub errors: Vec<&'h Value>,
}

/// What QEMU calls the kind of a backup's job (`JobType`).
const BACKUP: &str = "backup";

/// A comparison.
pub(super) struct Comparison<'h> {
    pub side: Side,
    pub one: &'h str,
    pub other: &'h str,
    pub status: i32,
    pub told: &'h str,
}

impl<'h> Timeline<'h> {
    pub fn of(evidence: &'h Evidence<'h>, backup: &'h Backup) -> Self {
        let guest_writes = backup.writer == Writer::Guest;
        Self::told(
            evidence,
            backup.expected_actions(),
            guest_writes,
            backup.ends(),
        )
    }

    /// The story of a chain that libvirt makes.
    pub fn of_libvirt(evidence: &'h Evidence<'h>, chained: &Chained) -> Self {
        let guest_writes = chained.writer == Writer::Guest;
        let acts = chained.expected_actions();
        let links = acts.iter().rev().find_map(|one| match one.act {
            BackupAction::Compare(link) | BackupAction::Since(link, ..) => Some(link),
            _ => None,
        });
        Self::told(evidence, acts, guest_writes, links.into_iter().collect())
    }

    fn told(
        evidence: &'h Evidence<'h>,
        expected_actions: Vec<ExpectedAction>,
        guest_writes: bool,
        ends: Vec<Link>,
    ) -> Self {
        let mut expected_actions = expected_actions.into_iter();
        let mut acts = Vec::new();
        for (entries, outcome) in segments(evidence.entries) {
            acts.extend(expected_actions.next().map(|scene| Seen {
                scene,
                entries,
                outcome,
            }));
        }
        Self {
            evidence,
            guest_writes,
            ends,
            acts,
            missing: expected_actions.next().map(|scene| scene.act),
        }
    }

    /// The first act of a kind.
    pub fn find(&self, is: impl Fn(&BackupAction) -> bool) -> Result<&Seen<'h>, Verdict> {
        let found = self.acts.iter().find(|seen| is(&seen.scene.act));
        found.ok_or_else(|| self.unseen("it was not come to"))
    }

    pub fn unseen(&self, what: &str) -> Verdict {
        self.evidence.unseen(what)
    }

    /// The verdict where nothing speaks against a pass: a story that was cut short proves nothing.
    pub fn whole(&self) -> Result<Verdict, Verdict> {
        match self.missing {
            None => Ok(Verdict::Pass),
            Some(act) => Err(self.unseen(&format!("the story ends before `{act}`"))),
        }
    }

    /// The host on which an act is done.
    pub fn host(&self, seen: &Seen<'_>) -> String {
        self.evidence.host(seen.side())
    }
}

/// The entries of each act, and how it ended.
fn segments(entries: &[Entry]) -> Vec<(&[Entry], &Outcome)> {
    let mut all = Vec::new();
    let mut began = None;
    for (at, entry) in entries.iter().enumerate() {
        if is_begun(&entry.saw) {
            began = Some(at);
        } else if let (Some(start), Some(outcome)) = (began, ended(&entry.saw)) {
            all.push((&entries[start..at], outcome));
            began = None;
        }
    }
    all
}

fn is_begun(saw: &Observation) -> bool {
    matches!(saw, Observation::Began { verb, .. } if *verb == Verb::Backup)
}

fn ended(saw: &Observation) -> Option<&Outcome> {
    match saw {
        Observation::Ended { verb, outcome, .. } if *verb == Verb::Backup => Some(outcome),
        _ => None,
    }
}

impl<'h> Seen<'h> {
    pub fn side(&self) -> Side {
        self.scene.side
    }

    fn all<T>(&self, choose: impl Fn(&'h Observation) -> Option<T>) -> Vec<T> {
        let chosen = self.entries.iter().filter_map(|entry| choose(&entry.saw));
        chosen.collect()
    }

    /// The jobs that were heard of on the act's side, by their ids.
    pub fn jobs(&self) -> BTreeMap<&'h str, JobSeen<'h>> {
        let mut jobs: BTreeMap<&str, JobSeen<'_>> = BTreeMap::new();
        let own = self.side();
        let events = self.all(|saw| match saw {
            Observation::Event {
                side, event, data, ..
            } if *side == own => Some((event.as_str(), data)),
            _ => None,
        });
        for (event, data) in events {
            let told = |name: &str| data.get(name).and_then(Value::as_str);
            match (event, told("id"), told("device")) {
                ("JOB_STATUS_CHANGE", Some(id), _) => {
                    let states = &mut jobs.entry(id).or_default().states;
                    states.extend(told("status"));
                }
                ("BLOCK_JOB_COMPLETED" | "BLOCK_JOB_CANCELLED", _, Some(id)) => {
                    let job = jobs.entry(id).or_default();
                    job.end = Some((event, data));
                    job.ends += 1;
                    job.other_kind = job
                        .other_kind
                        .or(told("type").filter(|kind| *kind != BACKUP));
                }
                ("BLOCK_JOB_ERROR", _, Some(id)) => jobs.entry(id).or_default().errors.push(data),
                _ => {}
            }
        }
        jobs
    }

    /// The statistics of each job of libvirt's that has ended on the act's side.
    pub fn ended(&self) -> Vec<&'h JobStats> {
        let own = self.side();
        self.all(|saw| match saw {
            Observation::JobEnded { side, job } if *side == own => Some(job),
            _ => None,
        })
    }

    /// The bitmaps that a side showed last.
    pub fn bitmaps(&self, of: Side) -> Option<&'h [BitmapInfo]> {
        let looks = self.all(|saw| match saw {
            Observation::Bitmaps { side, bitmaps } if *side == of => Some(bitmaps.as_slice()),
            _ => None,
        });
        looks.last().copied()
    }

    pub fn comparisons(&self) -> Vec<Comparison<'h>> {
        self.all(|saw| match saw {
            Observation::Compared {
                side,
                one,
                other,
                status,
                told,
            } => Some(Comparison {
                side: *side,
                one,
                other,
                status: *status,
                told,
            }),
            _ => None,
        })
    }

    /// What the guest has stamped of each image that was read on the act's side.
    pub fn surveys(&self) -> Vec<(&'h str, &'h DiskSurvey)> {
        let own = self.side();
        self.all(|saw| match saw {
            Observation::Sectors {
                side,
                image,
                survey,
            } if *side == own => Some((image.as_str(), survey)),
            _ => None,
        })
    }

    /// What was told of each write to a drive on the act's side, and QEMU's words.
    pub fn writes(&self, to: Drive) -> Vec<(Write, &'h str)> {
        let own = self.side();
        self.all(|saw| match saw {
            Observation::Written {
                side,
                drive,
                pattern,
                offset,
                length,
                told,
            } if *side == own && drive == to.name() => {
                let write = Write {
                    pattern: *pattern,
                    offset: *offset,
                    length: *length,
                };
                Some((write, told.as_str()))
            }
            _ => None,
        })
    }

    /// Whether the guest was seen to go on, on the act's side.
    pub fn laps(&self) -> bool {
        let own = self.side();
        let beats = self.all(|saw| match saw {
            Observation::Beat {
                side,
                first,
                last,
                window_us,
                ..
            } if *side == own => Some(last > first && *window_us >= READING_US),
            _ => None,
        });
        beats.contains(&true)
    }

    /// The states that a side's migration came through.
    pub fn statuses(&self, of: Side) -> Vec<&'h str> {
        self.in_time(|saw| status(saw, of))
    }

    /// The arguments of each command of this name that a side was sent.
    pub fn commands(&self, of: Side, named: &str) -> Vec<&'h Value> {
        self.all(|saw| command(saw, of, named))
    }

    /// The events of one of these names that a side sent.
    pub fn events(&self, of: Side, names: &[&str]) -> Vec<&'h str> {
        self.in_time(|saw| match saw {
            Observation::Event { side, event, .. }
                if *side == of && names.contains(&event.as_str()) =>
            {
                Some(event.as_str())
            }
            _ => None,
        })
    }

    /// All that `choose` takes, by the time at which it came.
    fn in_time<T>(&self, choose: impl Fn(&'h Observation) -> Option<T>) -> Vec<T> {
        let mut entries: Vec<&Entry> = self.entries.iter().collect();
        entries.sort_by_key(|entry| entry.at_us);
        let chosen = entries.into_iter().filter_map(|entry| choose(&entry.saw));
        chosen.collect()
    }

    pub fn last_status(&self, of: Side) -> Option<&'h str> {
        self.all(|saw| status(saw, of)).last().copied()
    }
}
