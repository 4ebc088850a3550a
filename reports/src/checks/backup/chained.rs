//! `block-jobs`, of a chain that libvirt makes: each backup ended as one job, which says that it succeeded
//! and how much it copied.

use migratrix_history::{JobStats, Outcome};
use migratrix_matrix::JobExpected;

use super::seen::{Seen, Timeline};
use crate::{Verdict, checks::evidence::Judged};

/// The word of `VIR_DOMAIN_JOB_OPERATION_BACKUP`.
const BACKUP: &str = "backup";

pub(super) fn jobs(story: &Timeline<'_>) -> Judged {
    for seen in &story.acts {
        let wrong = match seen.outcome {
            Outcome::Done => wrong_jobs(seen),
            Outcome::Refused(no) => Some(format!(
                "expected that it is done, it was refused: {}",
                no.message
            )),
            Outcome::Unknown { .. } => {
                let act = seen.scene.act;
                return Err(story.unseen(&format!("`{act}` did not end")));
            }
        };
        if let Some(wrong) = wrong {
            let (act, host) = (seen.scene.act, story.host(seen));
            return Ok(Verdict::fail(format!("`{act}` on {host}: {wrong}")));
        }
    }
    story.whole()
}

/// What is wrong with the jobs of an act: one for each that is expected, and no other.
fn wrong_jobs(seen: &Seen<'_>) -> Option<String> {
    let (expected, ended) = (&seen.scene.jobs, seen.ended());
    if expected.len() != ended.len() {
        let (wanted, found) = (expected.len(), ended.len());
        return Some(format!("expected {wanted} jobs to end, {found} did"));
    }
    let mut pairs = expected.iter().zip(ended);
    pairs.find_map(|(expected, job)| wrong(expected, job))
}

fn wrong(expected: &JobExpected, job: &JobStats) -> Option<String> {
    let told = || serde_json::to_string(job).unwrap_or_default();
    if job.operation.as_deref() != Some(BACKUP) {
        return Some(format!("expected the end of a backup, it is {}", told()));
    }
    if job.kind != "completed" || job.success != Some(true) || job.error.is_some() {
        return Some(format!("expected that it succeeds, {}", told()));
    }
    let (total, copied) = (job.disk_total, job.disk_processed);
    if total.is_none() || total != copied {
        return Some(format!("expected that all is copied, {}", told()));
    }
    let wanted = expected.length.filter(|_| total != expected.length);
    wanted.map(|wanted| format!("expected {wanted} bytes to be copied, {}", told()))
}

#[cfg(test)]
pub(in crate::checks) mod tests;
