//! `statistics`: the statistics of the migration job are there and add up; the downtime is within its bound.

use migratrix_history::JobStats;
use migratrix_matrix::{Method, Point};

use super::evidence::{Evidence, Judged};
use crate::Verdict;

/// The completed job tells of a whole migration.
pub(super) fn job(evidence: &Evidence<'_>) -> Judged {
    let (side, job) = evidence.job()?;
    let bound = evidence.header().downtime_bound_ms;
    let host = evidence.host(side);
    if job.kind != "completed" {
        return Ok(Verdict::fail(format!(
            "expected a completed job, {host} says `{}`",
            job.kind
        )));
    }
    let missing = missing(job);
    if !missing.is_empty() {
        return Ok(Verdict::fail(format!(
            "the statistics of {host} lack {}",
            missing.join(", ")
        )));
    }
    let raw = evidence.header().case.raw();
    let stays = raw.is_some_and(|raw| raw.hands_memory_over());
    let faults: Vec<_> = [
        remaining(job),
        processed(job, stays),
        downtime(job, bound),
        gap(evidence, job),
    ]
    .into_iter()
    .flatten()
    .collect();
    Ok(Verdict::pass_if(faults.is_empty(), || {
        format!(
            "the statistics of {host} do not add up: {}",
            faults.join("; ")
        )
    }))
}

fn missing(job: &JobStats) -> Vec<&'static str> {
    [
        ("time_elapsed", job.elapsed_ms),
        ("downtime", job.downtime_ms),
        ("memory_total", job.memory_total),
        ("memory_processed", job.memory_processed),
        ("memory_remaining", job.memory_remaining),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.is_none().then_some(name))
    .collect()
}

fn remaining(job: &JobStats) -> Option<String> {
    let left = job.memory_remaining.filter(|left| *left > 0)?;
    Some(format!("{left} bytes remain of a completed job"))
}

/// Each pass sends at most the whole memory, in pages with a head of 16 bytes at the most; nothing of
/// a memory that `stays` where it is.
fn processed(job: &JobStats, stays: bool) -> Option<String> {
    const PAGE: u64 = 4096;
    const HEAD: u64 = 16;
    let (total, processed) = (job.memory_total?, job.memory_processed?);
    if stays {
        return (total > 0).then(|| format!("{total} bytes were to be sent, and memory stays"));
    }
    let passes = job.memory_iteration.unwrap_or(1).max(1);
    let most = total
        .saturating_add(total / PAGE * HEAD)
        .saturating_mul(passes.saturating_add(1));
    if processed == 0 && job.memory_constant.unwrap_or(0) == 0 {
        return Some(format!("nothing of {total} bytes was sent"));
    }
    (processed > most)
        .then(|| format!("{processed} bytes were sent in {passes} iterations over {total} bytes"))
}

fn downtime(job: &JobStats, bound: u64) -> Option<String> {
    let (elapsed, down) = (job.elapsed_ms?, job.downtime_ms?);
    if down > elapsed {
        return Some(format!(
            "the downtime of {down} ms is longer than the whole job, {elapsed} ms"
        ));
    }
    (down > bound).then(|| format!("the downtime of {down} ms is above its bound of {bound} ms"))
}

/// How much a downtime that is reported may differ from the gap that the events show, in milliseconds,
/// and beside it the share of the shorter of both: events are heard late on a busy machine.
const APART_MS: u64 = 250;
const APART_SHARE: u64 = 4;

/// The downtime is the time for which the guest ran nowhere, where the events of both sides tell of it.
/// A destination that reads a file, or asks for pages, runs only later: there it is the least.
fn gap(evidence: &Evidence<'_>, job: &JobStats) -> Option<String> {
    let (gap, down) = (evidence.gap()? / 1_000, job.downtime_ms?);
    let at_once = match evidence.header().case.point {
        Point::Tck(_) | Point::Chained(_) => true,
        Point::Qemu(raw) => raw.method == Method::Precopy && !raw.transport.is_file(),
        Point::Colo(_) | Point::Backup(_) => return None,
    };
    let apart = gap.abs_diff(down);
    let most = APART_MS + gap.min(down) / APART_SHARE;
    let wrong = apart > most && (at_once || down > gap);
    wrong.then(|| {
        format!(
            "the downtime of {down} ms is not the {gap} ms for which the guest ran on neither side"
        )
    })
}
