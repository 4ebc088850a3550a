//! `memory`: the a-b law holds over every page of the guest's memory, where the guest is, and the rest
//! of its machine's memory is what it was.

use migratrix_guest::{Place, Ram, Registers, Stamper};
use migratrix_history::{Side, When};

use super::{
    evidence::{Beat, Evidence, Judged, Surveyed},
    words::place,
};
use crate::Verdict;

/// How many laps a guest may have begun or ended beside the whole paces between two readings.
const SLACK: u64 = 2;

/// The law holds, and the guest is at a lap that it can be at; at the one that it had before if it was
/// to stand still all the while. What it doesn't stamp is what it was.
pub(super) fn memory(evidence: &Evidence<'_>, on: Side, stands: bool) -> Judged {
    match stamped(evidence, on, stands)? {
        Verdict::Pass => rest(evidence, (evidence, on)),
        wrong @ (Verdict::Fail { .. } | Verdict::Unknown { .. } | Verdict::Skipped { .. }) => {
            Ok(wrong)
        }
    }
}

/// The law holds, and the guest is at a lap that it can be at.
pub(super) fn stamped(evidence: &Evidence<'_>, on: Side, stands: bool) -> Judged {
    let surveyed = evidence.survey(on)?;
    let stamper = match lawful(evidence, on, &surveyed)? {
        Ok(stamper) => stamper,
        Err(fail) => return Ok(fail),
    };
    let wrong = bounds(evidence, surveyed.at_us, stamper.laps, stands)?;
    let wrong = wrong.or_else(|| newer(evidence, on, surveyed.at_us, stamper.laps));
    if let Some(wrong) = wrong.or_else(|| leap(evidence)) {
        return Ok(Verdict::fail(format!(
            "the memory of the guest on {} is of lap {}, and {wrong}",
            evidence.host(on),
            stamper.laps
        )));
    }
    Ok(Verdict::Pass)
}

/// Where the stamper stood, by memory that obeys the law and by registers of which it is; a failure where
/// it doesn't. Where a host that is ours was to tell of registers and did not, that is not known.
pub(super) fn lawful(
    evidence: &Evidence<'_>,
    on: Side,
    surveyed: &Surveyed<'_>,
) -> Result<Result<Stamper, Verdict>, Verdict> {
    let guest = &evidence.header().guest;
    // No guest is made of parameters that are not sound.
    let stood = surveyed.registers.and_then(|at| guest.place(at).ok());
    let host = evidence.host(on);
    let stamper = match surveyed
        .survey
        .law_at(guest, stood.unwrap_or(Place::Elsewhere))
    {
        Ok(stamper) => stamper,
        Err(breach) => {
            let stood = told(stood, surveyed.registers);
            return Ok(Err(Verdict::fail(format!(
                "the guest's memory on {host} breaks the law: {breach}{stood}"
            ))));
        }
    };
    let can_do_without = evidence.is_foreign(on) || !evidence.asks_for_ram();
    if stood.is_none() && !can_do_without {
        let what = format!("the registers of the guest on {} were not read", place(on));
        return Err(evidence.unseen(&what));
    }
    // The BIOS wakes a guest that sleeps; no other is ever out of its own code.
    Ok(if stood == Some(Place::Elsewhere) && !guest.suspend {
        let stood = told(stood, surveyed.registers);
        Err(Verdict::fail(format!(
            "the guest on {host} is not where it can be{stood}"
        )))
    } else {
        Ok(stamper)
    })
}

/// Where the registers say that the guest stood.
fn told(stood: Option<Place>, registers: Option<&Registers>) -> String {
    let next = registers.map_or(0, |registers| registers.next);
    match stood {
        None => String::new(),
        Some(Place::Elsewhere) => format!(", it stood outside of its own code (at {next:#x})"),
        Some(Place::Between) => format!(", where the guest stood between two laps (at {next:#x})"),
        Some(Place::Before(sector)) => {
            format!(", where the guest was to stamp {sector:#x} next (at {next:#x})")
        }
    }
}

/// All of the memory that the guest doesn't stamp is what it was `before` on the source. A host that
/// isn't ours does not let us see it, and an older history has no word of it.
pub(super) fn rest(before: &Evidence<'_>, (after, on): (&Evidence<'_>, Side)) -> Judged {
    let read = [
        (Side::Source, When::Before, before),
        (on, When::After, after),
    ];
    let is_foreign = read.iter().any(|(side, ..)| after.is_foreign(*side));
    if is_foreign || !after.asks_for_ram() {
        return Ok(Verdict::Pass);
    }
    let [was, is] = read.map(|(side, when, evidence)| {
        let what = || format!("all of the memory on {} was not read", place(side));
        let ram = evidence.ram((side, when));
        ram.ok_or_else(|| evidence.unseen(&what()))
    });
    let (was, is): (&Ram, &Ram) = (was?, is?);
    if let Some(difference) = was.difference(is) {
        let host = after.host(on);
        return Ok(Verdict::fail(format!(
            "the guest doesn't stamp all of its memory, and the rest is another one on {host} \
             than before on the source: {difference}"
        )));
    }
    // Where the guest's code runs, there is something on both sides.
    let guest = &after.header().guest;
    let runs_at = after.survey(on)?.registers;
    let runs_at = runs_at.filter(|at| guest.place(at).is_ok_and(|at| at != Place::Elsewhere));
    match runs_at.filter(|at| !is.has(at.next)) {
        None => Ok(Verdict::Pass),
        Some(_) => {
            let what = format!(
                "the memory on {} has nothing where the guest runs",
                place(on)
            );
            Err(after.unseen(&what))
        }
    }
}

/// What is wrong with a lap that was read at a moment on a side: a newer one was read there before.
pub(super) fn newer(evidence: &Evidence<'_>, on: Side, at_us: u64, lap: u32) -> Option<String> {
    let beat = evidence.beat_if_sampled(on, When::After)?;
    // A lap is counted before its last page is seen to be whole.
    let is_back = beat.at_us < at_us && beat.last > lap.saturating_add(1);
    is_back.then(|| format!("lap {} was seen there before", beat.last))
}

/// What is wrong where the guest is seen further than its pace lets it come since it was seen first.
pub(super) fn leap(evidence: &Evidence<'_>) -> Option<String> {
    let pace = u64::from(evidence.header().guest.pace_us);
    let from = evidence.earliest_reading().filter(|_| pace > 0)?;
    let mut laps = evidence.laps().into_iter();
    laps.find_map(|(at_us, lap)| {
        let most = furthest(from, at_us, pace);
        (u64::from(lap) > most)
            .then(|| format!("lap {lap} was seen where it can't have come further than lap {most}"))
    })
}

/// What is wrong with a lap that was read at a moment, after these heartbeats: it lies before one of them, or after
/// all that the guest can have come to since, at its pace.
pub(super) fn out_of_reach(
    evidence: &Evidence<'_>,
    beats: &[Beat],
    (at_us, lap): (u64, u32),
) -> Result<Option<String>, Verdict> {
    let newest = beats.iter().max_by_key(|beat| (beat.last, beat.at_us));
    let newest = newest.ok_or_else(|| evidence.unseen("no lap was read before"))?;
    if lap < newest.last {
        let seen = newest.last;
        return Ok(Some(format!(
            "lap {seen} was seen before: it has gone back in time"
        )));
    }
    Ok(too_far(evidence, *newest, (at_us, lap)))
}

/// What is wrong with a lap that was read at a moment: since a heartbeat the guest can't have come to it.
pub(super) fn too_far(
    evidence: &Evidence<'_>,
    since: Beat,
    (at_us, lap): (u64, u32),
) -> Option<String> {
    let pace = u64::from(evidence.header().guest.pace_us);
    // A reading is told only when it has come, which may be long after.
    let since_us = evidence.began_by(since.at_us);
    let most = furthest((since_us, since.first), at_us, pace.max(1));
    (pace > 0 && u64::from(lap) > most).then(|| {
        let first = since.first;
        format!("it can't have come further than lap {most} since lap {first} was seen")
    })
}

/// The furthest lap that a guest can have come to at a moment, which was at a lap at an earlier one and
/// makes one in a `pace`, all in microseconds.
fn furthest((since_us, lap): (u64, u32), at_us: u64, pace: u64) -> u64 {
    u64::from(lap) + at_us.saturating_sub(since_us) / pace + SLACK
}

/// What is wrong with a lap that was read at a moment: it lies before one that was seen, or after one
/// that the guest can have come to since, at its pace.
fn bounds(
    evidence: &Evidence<'_>,
    at_us: u64,
    lap: u32,
    stands: bool,
) -> Result<Option<String>, Verdict> {
    let before = evidence.latest_lap(&[When::Before, When::During]);
    let Some((_, seen)) = before else {
        return Err(evidence.unseen("no lap was read before the migration returned"));
    };
    if lap < seen {
        return Ok(Some(format!(
            "lap {seen} was seen before: it has gone back in time"
        )));
    }
    if stands && lap != seen {
        return Ok(Some(format!("it was paused all the while at lap {seen}")));
    }
    let pace = u64::from(evidence.header().guest.pace_us);
    let Some((seen_us, seen)) = evidence.first_reading().filter(|_| pace > 0) else {
        return Ok(None);
    };
    let most = furthest((seen_us, seen), at_us, pace);
    Ok((u64::from(lap) > most).then(|| {
        let since = at_us.saturating_sub(seen_us) / 1_000;
        format!(
            "it was not beyond lap {seen} {since} ms before: it can't have come further than lap {most}"
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_comes_as_far_as_its_pace_lets_it_and_two_laps_further() {
        assert_eq!(furthest((1_000, 5), 30_999, 10_000), 9);
        assert_eq!(furthest((1_000, 5), 31_000, 10_000), 10);
        assert_eq!(furthest((31_000, 5), 1_000, 10_000), 7);
    }
}
