//! `struck`: what stood before is what the case names, and the fault landed, at the moment that it names. What was
//! not proven is unknown.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each question picks one kind of observation"
)]

use migratrix_history::{Deed, Observation, Outcome, Proof, Side, Verb};
use migratrix_matrix::{Family, Recovery, RecoveryMoment, Strike};

use super::{beside, encrypted::encrypted};
use crate::{
    Verdict,
    checks::{
        evidence::{Evidence, Judged},
        struck::Struck,
        tck::before::{destination_prepared, source_defined, source_started},
    },
};

/// The moment was proven, the fault was committed while it lasted, and it is that of the case.
pub(super) fn struck(evidence: &Evidence<'_>, point: &Recovery) -> Judged {
    let struck = committed(evidence)?;
    if let Some(otherwise) = otherwise(evidence, point)? {
        return Ok(otherwise);
    }
    if struck.strike != point.strike.word() {
        return Ok(Verdict::fail(format!(
            "expected {}, and {} was committed",
            point.strike, struck.strike
        )));
    }
    if let Some(missed) = missed(point.strike, struck.deed) {
        return Err(Verdict::unknown(format!(
            "{} did not land: {missed}",
            point.strike
        )));
    }
    if point.strike.is_twice() {
        second(evidence, &struck)?;
    }
    encrypted(evidence, point.strike)?;
    match point.family() {
        Family::Refused => before_the_call(evidence, point, &struck),
        Family::InFlight | Family::Postcopy => at_its_moment(evidence, point, &struck),
    }
}

/// What is wrong with both sides before it: they stand otherwise than the scenario says.
fn otherwise(evidence: &Evidence<'_>, point: &Recovery) -> Result<Option<Verdict>, Verdict> {
    let expected = point.scenario.expectation();
    for check in [source_defined, source_started, destination_prepared] {
        let verdict = check(evidence, &expected)?;
        if verdict != Verdict::Pass {
            return Ok(Some(verdict));
        }
    }
    Ok(None)
}

/// Another process was killed before that one, at the same moment.
fn second(evidence: &Evidence<'_>, last: &Struck<'_>) -> Result<(), Verdict> {
    let all = evidence.all(Struck::of);
    let first = all.iter().find(|(_, one)| one.deed != last.deed);
    let missing = || evidence.unseen("the daemon was not killed twice");
    first.map(drop).ok_or_else(missing)
}

fn committed<'h>(evidence: &Evidence<'h>) -> Result<Struck<'h>, Verdict> {
    let struck = evidence.last(Struck::of);
    struck.ok_or_else(|| evidence.unseen("the fault was not committed"))
}

/// Why a fault has not landed, though it was tried. What libvirt refuses has landed: the answer is judged elsewhere.
fn missed(strike: Strike, deed: &Deed) -> Option<String> {
    let process = |wanted: &str, process: &str| {
        (wanted != process).then(|| format!("{process} was struck, and not {wanted}"))
    };
    match (strike, deed) {
        (_, Deed::Known { what, to }) if strike.is_of_guest() => no_difference(what, to),
        (_, _) if strike.is_of_guest() => Some("who knows what was not asked".to_owned()),
        (_, Deed::Known { what, .. }) => Some(format!("it was asked who knows {what}")),
        (Strike::Crossing | Strike::Crowd, _) => beside::missed(strike, deed),
        (
            _,
            Deed::Asked {
                call,
                outcome: Outcome::Unknown { why },
            },
        ) => Some(format!("{call} was not answered: {why}")),
        (
            Strike::SourceQemuKilled | Strike::DestinationQemuKilled,
            Deed::Killed { process: of, .. },
        )
        | (
            Strike::SourceQemuStopped | Strike::DestinationQemuStopped,
            Deed::Stopped { process: of, .. },
        ) => process("qemu", of),
        (
            Strike::SourceDaemonKilled
            | Strike::DestinationDaemonKilled
            | Strike::SourceDaemonKilledTwice
            | Strike::DestinationDaemonKilledTwice
            | Strike::DaemonDead,
            Deed::Killed { process: of, .. },
        )
        | (
            Strike::SourceDaemonSilent | Strike::DestinationDaemonSilent,
            Deed::Stopped { process: of, .. },
        ) => process("daemon", of),
        (_, Deed::Made { what }) => {
            let wanted = told_by_qemu(strike).filter(|wanted| wanted != what)?;
            Some(format!("QEMU told of {what}, and not of {wanted}"))
        }
        (Strike::ClientKilled, Deed::Killed { process: of, .. }) => process("client", of),
        (_, Deed::Cut { connections: 0, .. }) => Some("there was no connection to cut".to_owned()),
        (Strike::Undisturbed, Deed::Nothing) => None,
        (_, Deed::Nothing) => Some("nothing was done".to_owned()),
        (_, Deed::Killed { .. } | Deed::Stopped { .. } | Deed::Asked { .. }) => None,
        (_, Deed::Cut { .. } | Deed::Beside { .. }) => None,
    }
}

/// Why both sides are alike in what the guest is made of, where they are.
fn no_difference(what: &str, known_to: &[Side]) -> Option<String> {
    if !known_to.contains(&Side::Source) {
        return Some(format!("the guest is not made of {what}"));
    }
    let knows = known_to.contains(&Side::Destination);
    knows.then(|| format!("the destination knows {what}"))
}

/// What the source's QEMU tells of where the guest itself has done it: the event, and its reason (`ShutdownCause`).
const fn told_by_qemu(strike: Strike) -> Option<&'static str> {
    if matches!(strike, Strike::GuestPoweredOff) {
        Some("SHUTDOWN (guest-shutdown)")
    } else if matches!(strike, Strike::GuestRebooted) {
        Some("RESET (guest-reset)")
    } else if matches!(strike, Strike::GuestCrashed) {
        Some("SHUTDOWN (guest-reset)")
    } else {
        None
    }
}

fn before_the_call(evidence: &Evidence<'_>, point: &Recovery, struck: &Struck<'_>) -> Judged {
    let asked = evidence.began_last(Verb::Begin);
    Ok(Verdict::pass_if(
        struck.began_us < asked && asked < u64::MAX,
        || {
            format!(
                "{} was not there when the migration was asked for",
                point.strike
            )
        },
    ))
}

fn at_its_moment(evidence: &Evidence<'_>, point: &Recovery, struck: &Struck<'_>) -> Judged {
    let stood = evidence.all(|saw| match saw {
        Observation::Stood { moment, proof } if moment == point.moment.word() => Some(proof),
        _ => None,
    });
    let (stood_us, proof) = stood.last().copied().ok_or_else(|| {
        let what = format!("the migration was not seen to stand at {}", point.moment);
        evidence.unseen(&what)
    })?;
    if !proves(point.moment, proof) {
        return Err(Verdict::unknown(format!(
            "{proof:?} does not prove that the migration stands at {}",
            point.moment
        )));
    }
    let let_go = let_go(evidence, stood_us);
    if struck.began_us < stood_us || struck.began_us > let_go {
        return Err(Verdict::unknown(format!(
            "{} came {} than the migration stood at {}",
            point.strike,
            if struck.began_us < stood_us {
                "earlier"
            } else {
                "later"
            },
            point.moment
        )));
    }
    if let Some(why) = beside::outside(struck.deed, stood_us, let_go) {
        return Err(Verdict::unknown(why));
    }
    if let Some(why) = held_otherwise(evidence, stood_us) {
        return Err(Verdict::unknown(format!(
            "the migration was not held at {} as it should be: {why}",
            point.moment
        )));
    }
    if let Some(pass) = passed(evidence, point.moment, struck.began_us) {
        return Err(Verdict::unknown(format!(
            "pass {pass} over memory had begun when {} came",
            point.strike
        )));
    }
    Ok(Verdict::Pass)
}

/// Whether this proves that a migration stands at that moment.
fn proves(moment: RecoveryMoment, proof: &Proof) -> bool {
    use RecoveryMoment::{
        Call, Confirm, Finish, FirstPass, LaterPass, Launched, PostcopyEnd, PostcopyMiddle,
        Prepare, Reply, Switchover,
    };
    let hook = |of: Side, wanted: &[(&str, &str)]| match proof {
        Proof::Hook {
            side,
            operation,
            stage,
        } => *side == of && wanted.contains(&(operation.as_str(), stage.as_str())),
        _ => false,
    };
    let status = |wanted: &str| matches!(proof, Proof::Status { side: Side::Source, status } if status == wanted);
    match moment {
        Call => matches!(proof, Proof::NotCalled),
        Prepare => hook(Side::Destination, &[("migrate", "begin")]),
        Launched => hook(Side::Destination, &[("started", "begin")]),
        FirstPass => matches!(proof, Proof::Processed { bytes } if *bytes > 0),
        LaterPass => matches!(proof, Proof::Iteration { iteration } if *iteration >= 2),
        Switchover => status("pre-switchover"),
        Finish => status("completed"),
        Reply => matches!(
            proof,
            Proof::Runs {
                side: Side::Destination
            }
        ),
        Confirm => hook(Side::Source, &[("stopped", "end")]),
        PostcopyMiddle => matches!(
            proof,
            Proof::Postcopy { status, remaining } if status == "postcopy-active" && *remaining > 0
        ),
        PostcopyEnd => matches!(
            proof,
            Proof::Postcopy { status, remaining } if status == "postcopy-active" && *remaining == 0
        ),
    }
}

/// When the migration was let go, after it stood.
fn let_go(evidence: &Evidence<'_>, stood_us: u64) -> u64 {
    let began = evidence.all(|saw| match saw {
        Observation::Began {
            verb: Verb::Hold | Verb::Heal,
            ..
        } => Some(()),
        _ => None,
    });
    let mut later = began.into_iter().filter(|(at_us, ())| *at_us > stood_us);
    later.next().map_or(u64::MAX, |(at_us, ())| at_us)
}

/// Why nothing can be said of how it was held, where that is so: it was not let go as it should have been.
fn held_otherwise<'h>(evidence: &Evidence<'h>, stood_us: u64) -> Option<&'h str> {
    let ended = evidence.all(|saw| match saw {
        Observation::Ended {
            verb: Verb::Hold,
            outcome,
            ..
        } => Some(outcome),
        _ => None,
    });
    // The first is of the step in which it came to stand.
    let mut later = ended.into_iter().filter(|(at_us, _)| *at_us > stood_us);
    match later.nth(1) {
        Some((_, Outcome::Unknown { why })) => Some(why),
        _ => None,
    }
}

/// The further pass that had begun, where the first is meant.
fn passed(evidence: &Evidence<'_>, moment: RecoveryMoment, by_us: u64) -> Option<i32> {
    if moment != RecoveryMoment::FirstPass {
        return None;
    }
    let passes = evidence.all(|saw| match saw {
        Observation::Iteration {
            side: Side::Source,
            iteration,
        } => Some(*iteration),
        _ => None,
    });
    let mut later = passes
        .into_iter()
        .filter(|(at_us, pass)| *at_us < by_us && *pass > 1);
    later.next().map(|(_, pass)| pass)
}
