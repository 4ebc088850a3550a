//! `owner`: the guest is on the side, in the state and for the reason that fault and moment allow.

use migratrix_history::{Side, Verb, Watcher};
use migratrix_matrix::{Ending, Owner, Recovery, Standing};

use super::{
    beside, called,
    ending::{Chosen, chosen},
    watched::{Stretch, stretches},
};
use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        words::seen,
    },
};

/// Both sides stand as one of the endings says.
pub(super) fn owner(evidence: &Evidence<'_>, point: &Recovery) -> Judged {
    let chosen = chosen(evidence, point)?;
    if let Some(stray) = beside::stray(evidence, point.strike)? {
        return Ok(Verdict::fail(format!("{}: {stray}", called(point))));
    }
    if let Some(ran) = ran_away(evidence, &chosen) {
        return Ok(Verdict::fail(format!("{}: {ran}", called(point))));
    }
    Ok(Verdict::pass_if(chosen.fits, || {
        let (source, destination) = (
            evidence.host(Side::Source),
            evidence.host(Side::Destination),
        );
        let wanted: Vec<_> = chosen.all.iter().map(wanted).collect();
        format!(
            "{}: expected {}; {source} has {}, {destination} has {} ({})",
            called(point),
            wanted.join(", or "),
            seen(chosen.looks[0]),
            seen(chosen.looks[1]),
            chosen.ending.rule,
        )
    }))
}

/// That the destination ran a guest before anything was healed, which the source keeps.
fn ran_away(evidence: &Evidence<'_>, chosen: &Chosen<'_>) -> Option<String> {
    if chosen.ending.owner != Owner::Source || !chosen.fits {
        return None;
    }
    let healed_us = evidence.began_last(Verb::Heal);
    let watched = stretches(evidence, Side::Destination).into_iter();
    let mut there = watched.filter(|one| one.by == Watcher::Qemu && one.to_us < healed_us);
    let ran = there.find(Stretch::runs)?;
    let (from, to) = (
        evidence.host(Side::Source),
        evidence.host(Side::Destination),
    );
    let told = ran.told();
    Some(format!(
        "{from} keeps the guest, and {to} has run it: {told}"
    ))
}

/// How both sides must stand, for people.
fn wanted(ending: &Ending) -> String {
    let (source, destination) = (told(ending.source), told(ending.destination));
    format!("{source} on the source and {destination} on the destination")
}

/// How a side must stand, for people.
pub(super) fn told(standing: Standing) -> String {
    match standing {
        Standing::Active(states) => {
            let states = states.iter();
            let states: Vec<_> = states
                .map(|(state, reason)| format!("{state} ({reason})"))
                .collect();
            states.join(" or ")
        }
        Standing::Inactive(reasons) => {
            format!("nothing, or what is shut off ({})", reasons.join(" or "))
        }
        Standing::Clear => "nothing but what was defined".to_owned(),
    }
}
