//! `effect`: what a capability is for happened.

use migratrix_history::{JobStats, Side};
use migratrix_matrix::{Feature, GuestState, Method, Raw, Version};

use crate::{
    Verdict,
    checks::evidence::{Evidence, Judged},
};

/// What came of one effect: `Ok(None)` where it was seen, and the fault where it was seen to be
/// missing.
type Effect = Result<Option<String>, Verdict>;

/// Each effect that the case is to have was seen.
pub(super) fn effect(evidence: &Evidence<'_>, raw: &Raw) -> Judged {
    let featured = raw.features.iter().map(|one| of_feature(evidence, one));
    let mut effects: Vec<Effect> = featured.collect();
    if raw.sends_compressed() {
        effects.push(compressed(evidence));
    }
    if raw.method == Method::Postcopy && raw.guest == GuestState::Running {
        let requests = |job: &JobStats| job.postcopy_requests;
        effects.push(counted(evidence, "page was requested", requests));
    }
    let faults: Vec<_> = effects
        .iter()
        .filter_map(|effect| effect.as_ref().ok()?.clone())
        .collect();
    if !faults.is_empty() {
        let (host, faults) = (evidence.host(Side::Source), faults.join("; "));
        return Ok(Verdict::fail(format!("by the word of {host}, {faults}")));
    }
    effects.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(Verdict::Pass)
}

fn of_feature(evidence: &Evidence<'_>, feature: Feature) -> Effect {
    match feature {
        Feature::Xbzrle => counted(evidence, "page was sent as its difference", |job| {
            job.xbzrle_pages
        }),
        Feature::AutoConverge | Feature::DirtyLimit => throttled(evidence),
        Feature::PauseBeforeSwitchover => paused(evidence),
        Feature::SwitchoverAck => acknowledged(evidence),
        Feature::IgnoreShared => ignored(evidence),
        Feature::MappedRam => in_place(evidence),
        Feature::ReturnPath
        | Feature::ValidateUuid
        | Feature::PostcopyPreempt
        | Feature::PostcopyReady
        | Feature::DirectIo => Ok(None),
    }
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
/// is ready; so a completion is the proof that it has.
fn acknowledged(evidence: &Evidence<'_>) -> Effect {
    let on = evidence.settings(Side::Source);
    let settings = on.last();
    let settings = settings.ok_or_else(|| evidence.unseen("the source did not say what is set"))?;
    if !settings.capabilities.contains("switchover-ack") {
        return Ok(Some(
            "the destination need not say that it is ready".to_owned(),
        ));
    }
    let last = evidence.last_status(Side::Source)?;
    Ok((last != "completed").then(|| format!("it did not switch over: it is {last}")))
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
    if version < COUNTS_COMPRESSED {
        return by_the_setting(evidence);
    }
    Ok((sent >= pages).then(|| {
        format!("{sent} bytes went over the channels for {pages} bytes of pages: not compressed")
    }))
}

fn by_the_setting(evidence: &Evidence<'_>) -> Effect {
    let all = evidence.settings(Side::Destination);
    let method = all.last().and_then(|settings| {
        let method = settings.parameters.get("multifd-compression")?;
        method.as_str()
    });
    let method =
        method.ok_or_else(|| evidence.unseen("the destination did not say how it decompresses"))?;
    Ok((method == "none").then(|| "the destination decompresses nothing".to_owned()))
}
