//! `effect`: what a capability is for happened.

use migratrix_history::{JobStats, Side};
use migratrix_matrix::{Feature, GuestState, Method, Raw, Tls, Transport, Version};

use super::{transport, wire};
use crate::{
    Verdict,
    checks::evidence::{Evidence, Judged},
};

/// What came of one effect: `Ok(None)` where it was seen, and the fault where it was seen to be
/// missing.
type Effect = Result<Option<String>, Verdict>;

/// Each effect that the case is to have was seen.
pub(super) fn effect(evidence: &Evidence<'_>, raw: &Raw) -> Judged {
    let featured = raw.features.iter();
    let featured = featured.filter_map(|one| of_feature(evidence, raw, one));
    let mut effects: Vec<Effect> = featured.collect();
    if raw.sends_compressed() {
        effects.push(compressed(evidence));
    }
    if raw.method == Method::Postcopy {
        effects.extend(postcopied(evidence, raw));
    }
    if effects.is_empty() {
        let why = "needs evidence that the version which ran the case did not record";
        return Err(Verdict::skipped(why));
    }
    let faults: Vec<_> = effects
        .iter()
        .filter_map(|effect| effect.as_ref().ok()?.clone())
        .collect();
    if !faults.is_empty() {
        let (host, faults) = (evidence.host(Side::Source), faults.join("; "));
        return Ok(Verdict::fail(format!(
            "of the migration from {host}: {faults}"
        )));
    }
    effects.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(Verdict::Pass)
}

/// What came of a feature; `None` where it has no effect that was looked for.
fn of_feature(evidence: &Evidence<'_>, raw: &Raw, feature: Feature) -> Option<Effect> {
    let is_traced = evidence.records_traces();
    Some(match feature {
        Feature::Xbzrle => counted(evidence, "page was sent as its difference", |job| {
            job.xbzrle_pages
        }),
        Feature::AutoConverge | Feature::DirtyLimit => throttled(evidence),
        Feature::PauseBeforeSwitchover => paused(evidence),
        Feature::SwitchoverAck => acknowledged(evidence, raw),
        Feature::IgnoreShared => ignored(evidence),
        Feature::MappedRam => in_place(evidence),
        Feature::ReturnPath if shows_answers(evidence, raw) => wire::unanswered(evidence, false),
        Feature::DirectIo if is_traced && raw.is_carried() => direct(evidence, raw),
        Feature::PostcopyPreempt if is_traced && raw.method == Method::Postcopy => {
            preempted(evidence, raw)
        }
        Feature::ReturnPath
        | Feature::ValidateUuid
        | Feature::PostcopyPreempt
        | Feature::PostcopyReady
        | Feature::DirectIo => return None,
    })
}

/// Whether what comes back can be read.
fn shows_answers(evidence: &Evidence<'_>, raw: &Raw) -> bool {
    wire::is_shown(evidence, raw) && raw.tls == Tls::None
}

/// Pages were asked for, and the destination had the kernel tell it which.
fn postcopied(evidence: &Evidence<'_>, raw: &Raw) -> Vec<Effect> {
    let requests = |job: &JobStats| job.postcopy_requests;
    let requested = (raw.guest == GuestState::Running)
        .then(|| counted(evidence, "page was requested", requests));
    let served = evidence.records_traces().then(|| served(evidence));
    requested.into_iter().chain(served).collect()
}

/// The destination of a postcopy has a `userfaultfd`, by which the kernel tells it of each page that is
/// touched and not there yet. No other migration has one.
fn served(evidence: &Evidence<'_>) -> Effect {
    let seen = evidence.userfaults(Side::Destination);
    let (_, count) = seen.ok_or_else(|| {
        evidence.unseen("what the destination has open in postcopy was not looked at")
    })?;
    Ok((count == 0).then(|| {
        let host = evidence.host(Side::Destination);
        format!("no page fault came to {host}, which has no userfaultfd in postcopy")
    }))
}

/// Pages that are asked for have a connection of their own.
fn preempted(evidence: &Evidence<'_>, raw: &Raw) -> Effect {
    let due = raw.connections_in_postcopy();
    let wrong = Side::BOTH.into_iter().map(|side| {
        let carriers = evidence.carriers_in_postcopy(side);
        let host = evidence.host(side);
        let seen = carriers.ok_or_else(|| {
            evidence.unseen(&format!(
                "the connections of {host} in postcopy were not seen"
            ))
        })?;
        Ok((seen.len() != due).then(|| {
            format!(
                "{host} had {} open in postcopy, where {due} connections are due",
                seen.len()
            )
        }))
    });
    let wrong = wrong.collect::<Result<Vec<_>, _>>()?;
    Ok(wrong.into_iter().flatten().next())
}

/// The statistics of the migration when it was over.
fn job<'h>(evidence: &Evidence<'h>) -> Result<&'h JobStats, Verdict> {
    let last = evidence.jobs(Side::Source).pop();
    last.ok_or_else(|| evidence.unseen("the source gave no statistics"))
}

fn counted(
    evidence: &Evidence<'_>,
    what: &str,
    count: impl Fn(&JobStats) -> Option<u64>,
) -> Effect {
    let count = count(job(evidence)?);
    let count = count.ok_or_else(|| evidence.unseen(&format!("not counted: that a {what}")))?;
    Ok((count == 0).then(|| format!("no {what}")))
}

/// The guest was throttled at some time. When it no longer is, QEMU says nothing of it.
fn throttled(evidence: &Evidence<'_>) -> Effect {
    let jobs = evidence.jobs(Side::Source);
    let told: Vec<u64> = jobs.iter().filter_map(|job| job.throttle_percent).collect();
    if told.is_empty() {
        return Err(evidence.unseen("the source did not say by how much the guest is throttled"));
    }
    let never = told.iter().all(|percent| *percent == 0);
    Ok(never.then(|| "the guest was never throttled".to_owned()))
}

fn paused(evidence: &Evidence<'_>) -> Effect {
    evidence.last_status(Side::Source)?;
    let states = evidence.statuses(Side::Source);
    let waited = states.iter().any(|state| state.word == "pre-switchover");
    Ok((!waited).then(|| "it did not wait before the switchover".to_owned()))
}

/// With `switchover-ack` on, a source does not switch over before the destination has said that it
/// is ready; so a completion is the proof that it has. Where it can be read, it must have gone by as well.
fn acknowledged(evidence: &Evidence<'_>, raw: &Raw) -> Effect {
    let on = evidence.settings(Side::Source);
    let settings = on.last();
    let (_, settings) =
        settings.ok_or_else(|| evidence.unseen("the source did not say what is set"))?;
    if !settings.capabilities.contains("switchover-ack") {
        return Ok(Some(
            "the destination need not say that it is ready".to_owned(),
        ));
    }
    let last = evidence.last_status(Side::Source)?;
    if last != "completed" {
        return Ok(Some(format!("it did not switch over: it is {last}")));
    }
    match shows_answers(evidence, raw) {
        true => wire::unanswered(evidence, says_ready(evidence)),
        false => Ok(None),
    }
}

/// Whether a destination says that it is ready though no device of it has asked for that: 10.0.13 does, and
/// 11.1.3 does not.
fn says_ready(evidence: &Evidence<'_>) -> bool {
    let version = evidence.versions().destination_qemu;
    version.is_some_and(|version| version < Version::new(11, 1, 0))
}

/// Each channel has the file open for direct I/O; of a set that was handed over, one more is there for
/// them to be made of.
fn direct(evidence: &Evidence<'_>, raw: &Raw) -> Effect {
    let handed = usize::from(raw.transport == Transport::FileFdset);
    let due = usize::from(raw.channels.count()) + handed;
    let carriers = transport::carriers(evidence, Side::Source)?;
    let seen: usize = carriers.iter().map(|one| one.direct).sum();
    Ok(
        (seen < due)
            .then(|| format!("the file is open for direct I/O {seen} times, and not {due}")),
    )
}

/// Each page lies in the file where it lies in memory. In a stream, there is a header before each.
fn in_place(evidence: &Evidence<'_>) -> Effect {
    if !evidence.records_all() {
        return Ok(None);
    }
    let stream = evidence.stream();
    let in_place = stream.and_then(|stream| stream.in_place);
    let in_place =
        in_place.ok_or_else(|| evidence.unseen("the guest's pages were not found in the file"))?;
    Ok((!in_place).then(|| "the guest's pages do not lie in the file as in memory".to_owned()))
}

/// Each stamped page would be sent once at least, as it is.
fn ignored(evidence: &Evidence<'_>) -> Effect {
    let sent = job(evidence)?.memory_processed;
    let sent = sent.ok_or_else(|| evidence.unseen("the bytes that were sent were not counted"))?;
    let stamped = u64::from(evidence.header().guest.bytes());
    Ok((sent >= stamped).then(|| {
        format!("{sent} bytes were sent, where {stamped} of shared memory were to stay in place")
    }))
}

/// Since this version `multifd-bytes` counts what really went over the channels; before it, the pages
/// as they were.
const COUNTS_COMPRESSED: Version = Version::new(8, 2, 0);

/// The channels carried less than the pages have, by the source's count. Where it doesn't count that,
/// the destination's word stands for it: it takes no packet that is compressed in another way than
/// its own setting says.
fn compressed(evidence: &Evidence<'_>) -> Effect {
    let job = job(evidence)?;
    let (Some(sent), Some(pages)) = (job.multifd_bytes, job.memory_normal_bytes) else {
        return Err(evidence.unseen("the bytes that went over the channels were not counted"));
    };
    let version = evidence.versions().source_qemu;
    let version = version.ok_or_else(|| evidence.unseen("the source did not tell its version"))?;
    if sent == 0 {
        return Ok(Some("nothing went over the channels".to_owned()));
    }
    let stamped = u64::from(evidence.header().guest.bytes());
    if pages < stamped {
        return Ok(Some(format!(
            "{pages} bytes of pages were sent, and the guest alone has stamped {stamped}"
        )));
    }
    if version < COUNTS_COMPRESSED {
        return by_the_setting(evidence);
    }
    Ok((sent >= pages).then(|| {
        format!("{sent} bytes went over the channels for {pages} bytes of pages: not compressed")
    }))
}

fn by_the_setting(evidence: &Evidence<'_>) -> Effect {
    let all = evidence.settings(Side::Destination);
    let method = all.last().and_then(|(_, settings)| {
        let method = settings.parameters.get("multifd-compression")?;
        method.as_str()
    });
    let method =
        method.ok_or_else(|| evidence.unseen("the destination did not say how it decompresses"))?;
    Ok((method == "none").then(|| "the destination decompresses nothing".to_owned()))
}
