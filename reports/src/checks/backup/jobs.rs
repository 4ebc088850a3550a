//! `block-jobs`: each job ended as the case says, through the states of `JobStatus`; what must be refused
//! was, and made no job.

use migratrix_history::Outcome;
use migratrix_matrix::{BackupAction, JobEnd, JobExpected};
use serde_json::Value;

use super::seen::{JobSeen, Seen, Timeline};
use crate::{
    Verdict,
    checks::{
        evidence::Judged,
        words::{is_refusal_of, listed},
    },
};

/// What QEMU calls a read error.
const READ_ERROR: &str = "Input/output error";

/// The states of a job that does all its work, but for pauses.
const SUCCESS: &[&str] = &[
    "created",
    "running",
    "waiting",
    "pending",
    "concluded",
    "null",
];

/// The states of one that does not.
const FAILURE: &[&str] = &["created", "running", "aborting", "concluded", "null"];

/// The job that copies the disk to the destination: its end is the migration's affair.
const MIRROR: &str = "mirror";

pub(super) fn jobs(story: &Timeline<'_>) -> Judged {
    for seen in &story.acts {
        if let Some(wrong) = outcome(story, seen)? {
            let (act, host) = (seen.scene.act, story.host(seen));
            return Ok(Verdict::fail(format!("`{act}` on {host}: {wrong}")));
        }
    }
    story.whole()
}

/// What is wrong with an act; `Err` where that can't be seen.
fn outcome(story: &Timeline<'_>, seen: &Seen<'_>) -> Result<Option<String>, Verdict> {
    if [BackupAction::Meet, BackupAction::Migrate].contains(&seen.scene.act) {
        return Ok(None);
    }
    let unseen = || story.unseen(&format!("`{}` did not end", seen.scene.act));
    Ok(match (seen.outcome, seen.scene.refusal) {
        (Outcome::Done, None) => wrong_jobs(seen),
        (Outcome::Done, Some(wanted)) => Some(format!(
            "expected a refusal that names {}, it was done",
            listed(wanted)
        )),
        (Outcome::Refused(no), None) => Some(format!(
            "expected that it is done, it was refused: {}",
            no.message
        )),
        (Outcome::Refused(no), Some(wanted)) => {
            let wrong = (!is_refusal_of(no, wanted)).then(|| {
                let (wanted, told) = (listed(wanted), &no.message);
                format!("expected a refusal that names {wanted}, it says `{told}`")
            });
            wrong.or_else(|| wrong_jobs(seen))
        }
        (Outcome::Unknown { .. }, _) => return Err(unseen()),
    })
}

/// What is wrong with the jobs of an act: each that is expected, and no other.
fn wrong_jobs(seen: &Seen<'_>) -> Option<String> {
    let heard = seen.jobs();
    let expected = &seen.scene.jobs;
    let wrong = expected.iter().find_map(|job| {
        let fresh = !matches!(seen.scene.act, BackupAction::Resume(_));
        match heard.get(job.id.as_str()) {
            Some(told) => wrong(seen.scene.act, job, told, fresh),
            None => Some("nothing was heard of it".to_owned()),
        }
        .map(|wrong| format!("the job {}: {wrong}", job.id))
    });
    let strange = heard.keys().find(|id| {
        let known = expected.iter().any(|job| job.id == **id);
        !known && **id != MIRROR
    });
    wrong.or_else(|| strange.map(|id| format!("there is a job {id} that the case has not")))
}

fn wrong(act: BackupAction, job: &JobExpected, told: &JobSeen<'_>, fresh: bool) -> Option<String> {
    if let Some(kind) = told.other_kind {
        return Some(format!("expected a backup, it is a {kind}"));
    }
    if told.ends > 1 {
        return Some(format!(
            "its end was told {} times, at last {}",
            told.ends,
            end(told)
        ));
    }
    match job.end {
        JobEnd::Completed => wrong_success(job, told, fresh),
        JobEnd::Failed => wrong_failure(told),
        JobEnd::Cancelled => {
            let alone = matches!(act, BackupAction::Cancel(_));
            wrong_cancel(job.length.filter(|_| alone), told)
        }
        JobEnd::Stopped => wrong_stop(told),
    }
}

fn number(data: &Value, name: &str) -> Option<u64> {
    data.get(name).and_then(Value::as_u64)
}

fn text<'v>(data: &'v Value, name: &str) -> Option<&'v str> {
    data.get(name).and_then(Value::as_str)
}

fn wrong_success(job: &JobExpected, told: &JobSeen<'_>, fresh: bool) -> Option<String> {
    if let Some(error) = told.errors.first() {
        return Some(format!("expected no error, one came: {error}"));
    }
    let Some(("BLOCK_JOB_COMPLETED", data)) = told.end else {
        return Some(format!("expected that it completes, {}", end(told)));
    };
    if let Some(error) = text(data, "error") {
        return Some(format!("expected that it completes, it fails: {error}"));
    }
    let (length, offset) = (number(data, "len"), number(data, "offset"));
    if length != offset {
        return Some(format!("expected that all is copied, {}", end(told)));
    }
    if job.length.is_some() && job.length != length {
        let wanted = job.length.unwrap_or_default();
        return Some(format!("expected {wanted} bytes to copy, {}", end(told)));
    }
    let states = if fresh { SUCCESS } else { &SUCCESS[1..] };
    wrong_states(states, told).or_else(|| {
        let aborted = told.states.contains(&"aborting");
        aborted.then(|| format!("expected no abort, it came through {}", route(told)))
    })
}

fn wrong_failure(told: &JobSeen<'_>) -> Option<String> {
    let Some(("BLOCK_JOB_COMPLETED", data)) = told.end else {
        return Some(format!("expected that it fails, {}", end(told)));
    };
    if text(data, "error") != Some(READ_ERROR) {
        return Some(format!("expected `{READ_ERROR}`, {}", end(told)));
    }
    wrong_error("report", told).or_else(|| wrong_states(FAILURE, told))
}

fn wrong_cancel(length: Option<u64>, told: &JobSeen<'_>) -> Option<String> {
    let Some(("BLOCK_JOB_CANCELLED", data)) = told.end else {
        return Some(format!("expected that it is cancelled, {}", end(told)));
    };
    let on_the_way = number(data, "offset") < number(data, "len") && number(data, "len") == length;
    if length.is_some() && !on_the_way {
        return Some(format!("expected a cancel on the way, {}", end(told)));
    }
    wrong_states(FAILURE, told)
}

fn wrong_stop(told: &JobSeen<'_>) -> Option<String> {
    if told.end.is_some() {
        return Some(format!("expected that it waits, {}", end(told)));
    }
    wrong_error("stop", told).or_else(|| wrong_states(&["created", "running", "paused"], told))
}

/// A read error must have come, and this been done.
fn wrong_error(action: &str, told: &JobSeen<'_>) -> Option<String> {
    let right = |data: &&Value| {
        text(data, "operation") == Some("read") && text(data, "action") == Some(action)
    };
    let came = !told.errors.is_empty() && told.errors.iter().all(right);
    (!came).then(|| {
        let errors: Vec<String> = told.errors.iter().map(ToString::to_string).collect();
        let errors = errors.join(", ");
        format!("expected a read error with the action {action}, there were [{errors}]")
    })
}

/// The states must be passed through in this order; others may come between.
fn wrong_states(wanted: &[&str], told: &JobSeen<'_>) -> Option<String> {
    let mut states = told.states.iter();
    let passed = wanted.iter().all(|state| states.any(|seen| seen == state));
    (!passed).then(|| {
        let wanted = wanted.join(", ");
        format!(
            "expected the states {wanted}, it came through {}",
            route(told)
        )
    })
}

fn route(told: &JobSeen<'_>) -> String {
    told.states.join(", ")
}

fn end(told: &JobSeen<'_>) -> String {
    match told.end {
        Some((event, data)) => format!("its end is {event} {data}"),
        None => format!("it came through {} and did not end", route(told)),
    }
}
