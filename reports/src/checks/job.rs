//! `statistics`: the statistics of the migration job are there and add up; the downtime is within its bound.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each question picks one kind of observation"
)]

mod sent;
mod told;

use migratrix_history::{JobStats, Observation, Side, Verb};
use migratrix_matrix::{Method, Point, StorageMigration};

use super::evidence::{Evidence, Judged};
use crate::Verdict;

/// The completed job tells of a whole migration.
pub(super) fn job(evidence: &Evidence<'_>) -> Judged {
    let (side, job) = evidence.job()?;
    let host = evidence.host(side);
    if job.kind != "completed" {
        let why = job.error.iter().map(|error| format!(": {error}"));
        return Ok(Verdict::fail(format!(
            "expected a completed job, {host} says `{}`{}",
            job.kind,
            why.collect::<String>()
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
    let (ended, unheard) = match told::ended(evidence) {
        Ok(wrong) => (wrong, None),
        Err(unseen) => (None, Some(unseen)),
    };
    let others = [
        came(side, job),
        remaining(job),
        sent::processed(job, stays),
        sent::whole(evidence, job, stays),
        sent::pages(evidence, job),
        sent::carried(evidence, job),
        elapsed(evidence, job),
        alike(evidence, side, job),
        told::iterations(evidence, job),
        disks(evidence, job),
        ended,
    ];
    let bound = evidence.header().downtime_bound_ms;
    let slow = slow(evidence, job, bound);
    let waited = waited_ms(evidence);
    let is_machines = self::slow(evidence, job, bound.saturating_add(waited)).is_empty();
    let faults: Vec<_> = others.into_iter().flatten().collect();
    if faults.is_empty() && !slow.is_empty() && is_machines {
        return Err(Verdict::unknown(format!(
            "{} of {host}; what moves the guest waited {waited} ms for a processor meanwhile",
            slow.join("; ")
        )));
    }
    let faults = [faults, slow].concat();
    if let (true, Some(unheard)) = (faults.is_empty(), unheard) {
        return Err(unheard);
    }
    Ok(Verdict::pass_if(faults.is_empty(), || {
        format!(
            "the statistics of {host} do not add up: {}",
            faults.join("; ")
        )
    }))
}

/// What took longer than it may with this bound on the downtime, in milliseconds.
fn slow(evidence: &Evidence<'_>, job: &JobStats, bound: u64) -> Vec<String> {
    let both = [downtime(job, bound), gap(evidence, job, bound)];
    both.into_iter().flatten().collect()
}

/// For how long what moves the guest waited for a processor, in milliseconds, as far as that was looked at: of the
/// machine's doing.
fn waited_ms(evidence: &Evidence<'_>) -> u64 {
    let waited = evidence.last(|saw| match saw {
        Observation::Waited { us } => Some(*us / 1_000),
        _ => None,
    });
    waited.unwrap_or(0)
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

/// A migration that succeeded, out of the source or into the destination (`virDomainJobOperation`).
fn came(side: Side, job: &JobStats) -> Option<String> {
    let expected = match side {
        Side::Source => "migration-out",
        Side::Destination => "migration-in",
    };
    if let Some(other) = job.operation.as_deref().filter(|it| *it != expected) {
        return Some(format!(
            "the job was `{expected}`, and is told as `{other}`"
        ));
    }
    if let Some(error) = &job.error {
        return Some(format!("a completed job has the error `{error}`"));
    }
    let failed = job.success == Some(false);
    failed.then(|| "a completed job has had no success".to_owned())
}

fn remaining(job: &JobStats) -> Option<String> {
    let left = job.memory_remaining.filter(|left| *left > 0)?;
    Some(format!("{left} bytes remain of a completed job"))
}

/// How far two times of one thing may be apart, in milliseconds, and beside it the share of the shorter of
/// both: each side has a clock of its own, and events are heard late on a busy machine.
const APART_MS: u64 = 250;
const APART_SHARE: u64 = 4;

/// Whether a time is longer than another one by more than `by` and the share, in milliseconds.
const fn is_beyond(time: u64, other: u64, by: u64) -> bool {
    time > other.saturating_add(by).saturating_add(other / APART_SHARE)
}

/// The job lasted no longer than from when it was asked for until it was seen to be over, and no shorter than it
/// was seen to copy.
fn elapsed(evidence: &Evidence<'_>, job: &JobStats) -> Option<String> {
    let elapsed = job.elapsed_ms?;
    let (asked, ended) = (evidence.migrate_began().ok()?, evidence.ended()?);
    let most = ended.saturating_sub(asked) / 1_000;
    if is_beyond(elapsed, most, APART_MS) {
        return Some(format!(
            "the job lasted {elapsed} ms, and was over {most} ms after it was asked for"
        ));
    }
    let statuses = evidence.all(|saw| match saw {
        Observation::Status {
            side: Side::Source,
            status,
        } => Some(COPIES.contains(&status.as_str())),
        _ => None,
    });
    let since = statuses.into_iter().filter(|(at_us, _)| *at_us >= asked);
    let copied: Vec<_> = since
        .filter_map(|(at_us, copies)| copies.then_some(at_us))
        .collect();
    // It is held until it is let go: what is heard after that may be heard late, by a program that had to wait.
    let freed = evidence.first_after(asked, &[Verb::Converge]);
    let (first, last) = (*copied.first()?, *copied.last()?);
    let least = freed.unwrap_or(last).min(last).saturating_sub(first) / 1_000;
    is_beyond(least, elapsed, APART_MS)
        .then(|| format!("the job lasted {elapsed} ms, and was seen to copy for {least} ms"))
}

/// The states of QEMU's migration in which the guest's memory moves (`MigrationStatus`).
const COPIES: [&str; 4] = ["active", "postcopy-active", "pre-switchover", "device"];

/// Both sides tell the same of one job.
fn alike(evidence: &Evidence<'_>, side: Side, job: &JobStats) -> Option<String> {
    let other = evidence.last(|saw| match saw {
        Observation::Job { side: other, job } | Observation::JobEnded { side: other, job } => {
            (*other != side && job.kind == "completed" && came(*other, job).is_none())
                .then_some(job)
        }
        _ => None,
    })?;
    let fields = |job: &JobStats| {
        [
            ("downtime", job.downtime_ms),
            ("memory_total", job.memory_total),
            ("memory_processed", job.memory_processed),
            ("memory_normal_bytes", job.memory_normal_bytes),
            ("memory_constant", job.memory_constant),
            ("memory_iteration", job.memory_iteration),
        ]
    };
    let both = fields(job).into_iter().zip(fields(other));
    let differ = both.filter_map(|((name, here), (_, there))| {
        let (here, there) = (here?, there?);
        let host = evidence.host(side.other());
        (here != there).then(|| format!("{name} is {here}, and {host} says {there}"))
    });
    let mut differ: Vec<_> = differ.collect();
    // The source's begins earlier, and ends later.
    if let (Some(here), Some(there)) = (job.elapsed_ms, other.elapsed_ms) {
        let host = evidence.host(side.other());
        let is_apart = is_beyond(here.max(there), here.min(there), APART_MS);
        differ.extend(is_apart.then(|| format!("it lasted {here} ms, and {host} says {there} ms")));
    }
    (!differ.is_empty()).then(|| differ.join(", "))
}

/// A migration that has no disks to copy copies none.
fn disks(evidence: &Evidence<'_>, job: &JobStats) -> Option<String> {
    let is_copied = match evidence.header().case.point {
        Point::Tck(_) | Point::Recovery(_) | Point::Qemu(_) | Point::Colo(_) => false,
        Point::Chained(chained) => chained.journey == StorageMigration::Copied,
        Point::Backup(_) => true,
    };
    let bytes = [job.disk_total, job.disk_processed];
    let most = bytes.into_iter().flatten().max().unwrap_or(0);
    (!is_copied && most > 0).then(|| format!("{most} bytes of disks were copied, where none are"))
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

/// The downtime is the time for which the guest ran nowhere, where the events of both sides tell of it. QEMU
/// alone counts until all is sent: what the destination then takes to run is bounded as the downtime is. One
/// that reads a file, or asks for pages, runs only later: there it is the least.
fn gap(evidence: &Evidence<'_>, job: &JobStats, bound: u64) -> Option<String> {
    let (gap, down) = (evidence.gap()? / 1_000, job.downtime_ms?);
    let later = match evidence.header().case.point {
        Point::Tck(_) | Point::Chained(_) => APART_MS,
        Point::Qemu(raw) if raw.method == Method::Precopy && !raw.transport.is_file() => bound,
        Point::Qemu(_) => u64::MAX,
        Point::Colo(_) | Point::Backup(_) | Point::Recovery(_) => return None,
    };
    let most = if gap > down { later } else { APART_MS };
    is_beyond(gap.max(down), gap.min(down), most).then(|| {
        format!(
            "the downtime of {down} ms is not the {gap} ms for which the guest ran on neither side"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_another_one_where_it_is_longer_by_a_quarter_and_some_time() {
        assert!(!is_beyond(1_500, 1_000, 250));
        assert!(is_beyond(1_501, 1_000, 250));
    }

    #[test]
    fn a_downtime_is_no_longer_than_its_job_nor_than_its_bound() {
        let of = |down: u64, bound| {
            let job = JobStats {
                elapsed_ms: Some(400),
                downtime_ms: Some(down),
                ..JobStats::default()
            };
            downtime(&job, bound)
        };
        assert_eq!(of(400, 400), None);
        assert!(of(401, 500).is_some_and(|why| why.contains("longer than the whole job")));
        assert!(of(400, 399).is_some_and(|why| why.contains("above its bound")));
    }
}
