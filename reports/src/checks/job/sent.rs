//! How much a migration says that it sent: no less than its pages take, and no more than its passes can send.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "it picks one kind of observation"
)]

use migratrix_history::{Connection, DomainState, JobStats, Observation, Purpose, Side, When};
use migratrix_matrix::{Feature, Raw};

use crate::checks::evidence::Evidence;

/// The size of a page.
const PAGE: u64 = 4096;

/// Each page is sent at least once: whole, or as one byte. What is to be sent is the machine's memory, and
/// what its devices have beside that.
pub(super) fn whole(evidence: &Evidence<'_>, job: &JobStats, stays: bool) -> Option<String> {
    let total = job.memory_total.filter(|_| !stays)?;
    let memory = memory(evidence)?;
    if total < memory {
        return Some(format!(
            "{total} bytes were to be sent, of a machine of {memory}"
        ));
    }
    let sent = job.memory_normal_bytes? + job.memory_constant? * PAGE;
    (sent < total).then(|| format!("only {sent} of {total} bytes were sent"))
}

/// How much memory the machine has that must be sent, in bytes, as far as it is known.
fn memory(evidence: &Evidence<'_>) -> Option<u64> {
    let shares = |raw: &Raw| raw.features.has(Feature::IgnoreShared);
    if evidence.header().case.raw().is_some_and(shares) {
        return Some(0);
    }
    let machine = match evidence.look(Side::Source, When::Before).ok()? {
        DomainState::Present(domain) => domain.identity.as_ref(),
        DomainState::Absent => None,
    };
    Some(machine.map_or(0, |machine| machine.memory_kib * 1024))
}

/// What leads each page on its way, at the least (`RAM_SAVE_FLAG_*` and the offset; with multifd, the offset).
const LEAST_HEAD: u64 = 8;

/// What was sent is no less than the pages that were sent whole, each with its head, unless they were
/// compressed; and no more than these and what the devices are in.
pub(super) fn pages(evidence: &Evidence<'_>, job: &JobStats) -> Option<String> {
    let raw = evidence.header().case.raw();
    let is = |which: fn(&Raw) -> bool| raw.is_some_and(which);
    let (normal, constant) = (job.memory_normal_bytes?, job.memory_constant?);
    let sent = job.memory_processed?;
    let pages = normal / PAGE + constant;
    let own = if is(Raw::sends_compressed) { 0 } else { normal };
    // In a file in which each page has its place, none has a head, and those of noughts are not written.
    let in_place = is(|raw| raw.features.has(Feature::MappedRam));
    let heads = if in_place { 0 } else { pages * LEAST_HEAD };
    let most = normal + pages * HEAD + BESIDE;
    (!(own + heads..=most).contains(&sent)).then(|| {
        format!(
            "{sent} bytes were sent, of {normal} bytes of pages and {constant} pages of one byte"
        )
    })
}

/// What leads each page on its way, at the most.
const HEAD: u64 = 16;

/// Each pass sends at most the whole memory, in pages with a head of 16 bytes at the most; nothing of
/// a memory that `stays` where it is.
pub(super) fn processed(job: &JobStats, stays: bool) -> Option<String> {
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

/// How much may go over the memory's connections beside it, in bytes: what its devices are in, and what is
/// sent again.
const BESIDE: u64 = 16 << 20;

/// What went over the connections that were the memory's own.
pub(super) fn carried(evidence: &Evidence<'_>, job: &JobStats) -> Option<String> {
    let traffic = evidence.last(|saw| match saw {
        Observation::Traffic(traffic) => Some(traffic),
        _ => None,
    })?;
    let own = |one: &&Connection| one.purpose == Purpose::Memory;
    let sent = traffic.connections.iter().filter(own).map(|one| one.sent);
    let sent: Vec<_> = sent.collect::<Option<_>>()?;
    let (sent, processed) = (sent.iter().sum::<u64>(), job.memory_processed?);
    let all = sent > 0 && traffic.dropped == 0;
    let most = processed.saturating_mul(2).saturating_add(BESIDE);
    (all && !(processed..=most).contains(&sent)).then(|| {
        format!("{processed} bytes of memory were sent, over connections that took {sent}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_iteration_sends_no_more_than_the_whole_memory_with_its_heads() {
        let of = |sent: u64, passes: Option<u64>, constant| {
            let job = JobStats {
                memory_total: Some(10 * PAGE),
                memory_processed: Some(sent),
                memory_iteration: passes,
                memory_constant: constant,
                ..JobStats::default()
            };
            processed(&job, false)
        };
        let whole = 10 * (PAGE + 16);
        for (passes, times) in [(None, 2), (Some(0), 2), (Some(1), 2), (Some(2), 3)] {
            assert_eq!(of(times * whole, passes, None), None);
            let why = of(times * whole + 1, passes, None).expect("it is too much");
            assert!(why.contains("bytes were sent in"), "{why}");
        }
        assert!(of(0, None, None).is_some());
        assert!(of(0, None, Some(0)).is_some());
        assert_eq!(of(0, None, Some(1)), None);
    }

    #[test]
    fn of_a_memory_that_stays_nothing_is_to_be_sent() {
        let of = |total| {
            let job = JobStats {
                memory_total: Some(total),
                memory_processed: Some(0),
                ..JobStats::default()
            };
            processed(&job, true)
        };
        assert_eq!(of(0), None);
        assert!(of(1).is_some());
    }
}
