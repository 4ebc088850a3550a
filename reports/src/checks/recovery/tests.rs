//! What is proven by looks at both sides, and what by the moment at which a fault came. The whole of such cases is tried on
//! the hypervisor in memory.

mod beside;
mod daemons;
mod others;
mod stale;
mod unknown;

use migratrix_history::{
    Deed, DomainState, Glimpse, History, Observation, Outcome, Party, Proof, Refusal, RemoteCall,
    Side, Traffic, Verb, Watcher,
};
use migratrix_matrix::Condition;

use crate::{
    Kind,
    checks::all,
    story::{changed, empty, prepared, step},
};

const CASE: &str = "recovery/libvirt/trixie,bookworm,trixie/cancelled/first-pass/p2p/persistent-running-undefined/live";

fn history(case: &str) -> History {
    empty(case.parse().unwrap())
}

fn kind(history: &History, condition: Condition) -> Kind {
    let found = all(history).into_iter().find(|(one, _)| *one == condition);
    found.unwrap().1.kind()
}

fn glimpse(state: &str) -> Glimpse {
    match state {
        "absent" => Glimpse::Absent,
        "silent" => Glimpse::Silent,
        state => Glimpse::State {
            state: state.to_owned(),
            reason: String::new(),
        },
    }
}

/// A stretch of looks, in milliseconds.
fn watched(side: Side, by: Watcher, span: (u64, u64), state: &str) -> Observation {
    Observation::Watched {
        side,
        by,
        from_us: span.0 * 1_000,
        to_us: span.1 * 1_000,
        looks: 10,
        slowest_us: 1_000,
        glimpse: glimpse(state),
        laps: None,
    }
}

/// A case that is asked for at 0 and tried once more at 10 s, with these looks.
fn with(looks: Vec<Observation>) -> History {
    let mut history = history(CASE);
    step(&mut history, Verb::Begin, Vec::new());
    history.entries.iter_mut().for_each(|entry| entry.at_us = 0);
    step(&mut history, Verb::Retry, Vec::new());
    let count = history.entries.len();
    for entry in &mut history.entries[count - 2..] {
        entry.at_us = 10_000_000;
    }
    step(&mut history, Verb::Watch, looks);
    for entry in &mut history.entries[count..] {
        entry.at_us = 10_000_000;
    }
    history
}

const LIBVIRT: Watcher = Watcher::Libvirt;
const QEMU: Watcher = Watcher::Qemu;
const S: Side = Side::Source;
const D: Side = Side::Destination;

fn runs_once(looks: Vec<Observation>) -> Kind {
    kind(&with(looks), Condition::OneRuns)
}

#[test]
fn one_side_after_the_other_is_one_guest() {
    let looks = vec![
        watched(S, LIBVIRT, (0, 4_000), "running"),
        watched(S, LIBVIRT, (4_050, 10_000), "absent"),
        watched(D, LIBVIRT, (0, 3_950), "paused"),
        watched(D, LIBVIRT, (4_000, 10_000), "running"),
    ];
    assert_eq!(runs_once(looks), Kind::Pass);
}

#[test]
fn two_sides_that_run_at_once_are_two_guests() {
    let looks = vec![
        watched(S, LIBVIRT, (0, 10_000), "running"),
        watched(D, LIBVIRT, (0, 4_000), "paused"),
        watched(D, LIBVIRT, (4_050, 4_100), "running"),
        watched(D, LIBVIRT, (4_150, 10_000), "absent"),
    ];
    assert_eq!(runs_once(looks), Kind::Fail);
}

#[test]
fn what_a_daemon_says_of_a_guest_that_its_qemu_denies_proves_nothing() {
    let looks = vec![
        watched(S, LIBVIRT, (0, 4_500), "running"),
        watched(S, QEMU, (0, 3_900), "running"),
        watched(S, QEMU, (3_950, 10_000), "postmigrate"),
        watched(D, QEMU, (0, 3_950), "inmigrate"),
        watched(D, QEMU, (4_000, 10_000), "running"),
    ];
    assert_eq!(runs_once(looks), Kind::Pass);
}

#[test]
fn a_heartbeat_that_advances_runs_whatever_is_said_of_it() {
    let mut beats = watched(S, LIBVIRT, (4_000, 10_000), "paused");
    if let Observation::Watched { laps, .. } = &mut beats {
        *laps = Some([4, 9]);
    }
    let looks = vec![
        watched(S, LIBVIRT, (0, 3_900), "running"),
        beats,
        watched(D, LIBVIRT, (0, 3_950), "paused"),
        watched(D, LIBVIRT, (4_000, 10_000), "running"),
    ];
    assert_eq!(runs_once(looks), Kind::Fail);
}

#[test]
fn a_side_that_was_silent_is_unknown_unless_the_other_one_stood() {
    let source = |state: &str| {
        vec![
            watched(S, LIBVIRT, (0, 2_000), "running"),
            watched(S, LIBVIRT, (2_000, 8_000), "silent"),
            watched(S, LIBVIRT, (8_000, 10_000), "running"),
            watched(D, LIBVIRT, (0, 10_000), state),
        ]
    };
    assert_eq!(runs_once(source("absent")), Kind::Pass);
    assert_eq!(runs_once(source("silent")), Kind::Unknown);
    let other = vec![
        watched(S, LIBVIRT, (0, 2_000), "running"),
        watched(S, LIBVIRT, (2_000, 8_000), "silent"),
        watched(S, LIBVIRT, (8_000, 10_000), "absent"),
        watched(D, LIBVIRT, (0, 4_000), "paused"),
        watched(D, LIBVIRT, (4_000, 10_000), "running"),
    ];
    assert_eq!(runs_once(other), Kind::Unknown);
    assert_eq!(runs_once(Vec::new()), Kind::Unknown);
}

/// A case with this proof of its moment, in which this was done then.
fn struck(proof: Proof, strike: &str, deed: Deed) -> History {
    struck_in(CASE, proof, strike, deed)
}

fn struck_in(case: &str, proof: Proof, strike: &str, deed: Deed) -> History {
    let mut history = prepared(case.parse().unwrap());
    step(&mut history, Verb::Begin, Vec::new());
    let stood = Observation::Stood {
        moment: "first-pass".to_owned(),
        proof,
    };
    step(&mut history, Verb::Hold, vec![stood]);
    let began_us = history.entries.last().map_or(0, |entry| entry.at_us);
    let struck = Observation::Struck {
        strike: strike.to_owned(),
        side: Some(S),
        began_us,
        deed,
    };
    step(&mut history, Verb::Strike, vec![struck]);
    step(&mut history, Verb::Hold, Vec::new());
    history
}

fn aborted(outcome: Outcome) -> Deed {
    Deed::Asked {
        call: "abort-job".to_owned(),
        outcome,
    }
}

const SENT: Proof = Proof::Processed { bytes: 4_096 };

fn lands(history: &History) -> Kind {
    kind(history, Condition::Struck)
}

#[test]
fn a_fault_has_landed_where_its_moment_is_proven_and_it_came_then() {
    let good = struck(SENT, "cancelled", aborted(Outcome::Done));
    assert_eq!(lands(&good), Kind::Pass);
    let nothing_sent = Proof::Processed { bytes: 0 };
    let early = struck(nothing_sent, "cancelled", aborted(Outcome::Done));
    assert_eq!(lands(&early), Kind::Unknown);
    let other = struck(SENT, "suspended", aborted(Outcome::Done));
    assert_eq!(lands(&other), Kind::Fail);
    let why = "no answer".to_owned();
    let silent = struck(SENT, "cancelled", aborted(Outcome::Unknown { why }));
    assert_eq!(lands(&silent), Kind::Unknown);
    let idle = struck(SENT, "cancelled", Deed::Nothing);
    assert_eq!(lands(&idle), Kind::Unknown);
}

#[test]
fn what_was_held_otherwise_than_meant_tells_neither_that_it_landed_nor_what_came_of_it() {
    let mut held_too_long = struck(SENT, "cancelled", aborted(Outcome::Done));
    let end = held_too_long.entries.last_mut().unwrap();
    let Observation::Ended {
        verb: Verb::Hold,
        outcome,
        ..
    } = &mut end.saw
    else {
        panic!("{end:?}");
    };
    let why = "the daemon was held still for 4100 ms".to_owned();
    *outcome = Outcome::Unknown { why };
    assert_eq!(lands(&held_too_long), Kind::Unknown);
    assert_eq!(kind(&held_too_long, Condition::Owner), Kind::Unknown);
}

#[test]
fn a_fault_that_strikes_another_guest_than_the_case_names_has_not_landed() {
    let good = struck(SENT, "cancelled", aborted(Outcome::Done));
    let paused = changed(good.clone(), |saw| {
        if let Observation::Domain {
            side: S,
            look: DomainState::Present(domain),
            ..
        } = saw
        {
            domain.state = "paused".to_owned();
        }
    });
    assert_eq!(lands(&paused), Kind::Fail);
    let still = changed(good, |saw| {
        if let Observation::Beat { first, last, .. } = saw {
            *last = *first;
        }
    });
    assert_eq!(lands(&still), Kind::Fail);
}

#[test]
fn a_guest_has_done_it_where_its_qemu_tells_that() {
    for (strike, told) in [
        ("guest-powered-off", "SHUTDOWN (guest-shutdown)"),
        ("guest-rebooted", "RESET (guest-reset)"),
        ("guest-crashed", "SHUTDOWN (guest-reset)"),
    ] {
        let case = CASE.replace("cancelled", strike);
        let made = |what: &str| {
            let what = what.to_owned();
            lands(&struck_in(&case, SENT, strike, Deed::Made { what }))
        };
        assert_eq!(made(told), Kind::Pass, "{strike}");
        assert_eq!(made("SHUTDOWN (host-qmp-quit)"), Kind::Unknown, "{strike}");
    }
}

/// A case that strikes certificates, which came before the call, and this answer to it.
fn refused_with(strike: &str, outcome: Outcome) -> History {
    let case = format!(
        "recovery/libvirt/trixie,bookworm,trixie/{strike}/call/p2p/persistent-running-undefined/live"
    );
    let mut history = prepared(case.parse().unwrap());
    let began_us = history.entries.last().map_or(0, |entry| entry.at_us);
    let struck = Observation::Struck {
        strike: strike.to_owned(),
        side: Some(D),
        began_us,
        deed: Deed::Made {
            what: strike.to_owned(),
        },
    };
    step(&mut history, Verb::Strike, vec![struck]);
    step(&mut history, Verb::Begin, Vec::new());
    let answered = Observation::Answered {
        within_us: 1,
        outcome,
    };
    step(&mut history, Verb::Answer, vec![answered]);
    history
}

#[test]
fn a_certificate_is_wrong_where_qemu_says_so() {
    let refused = |strike: &str, message: &str| {
        lands(&refused_with(
            strike,
            Outcome::Refused(Refusal {
                code: 1,
                domain: 10,
                message: message.to_owned(),
            }),
        ))
    };
    let expired = "The server certificate /etc/pki/qemu/server-cert.pem has expired";
    let foreign = "The certificate hasn't got a known issuer";
    assert_eq!(refused("tls-expired", expired), Kind::Pass);
    assert_eq!(refused("tls-foreign", foreign), Kind::Pass);
    for (strike, other) in [
        ("tls-expired", foreign),
        ("tls-foreign", expired),
        ("tls-expired", "unable to access credentials"),
    ] {
        assert_eq!(refused(strike, other), Kind::Unknown, "{strike}: {other}");
        assert_eq!(lands(&refused_with(strike, Outcome::Done)), Kind::Unknown);
    }
}

#[test]
fn a_stream_is_encrypted_where_the_destination_was_asked_for_that() {
    let with = |flag: &str| {
        let mut history = refused_with("tls-right", Outcome::Done);
        let call = RemoteCall {
            from: Party::Source,
            to: Party::Destination,
            procedure: "domain-migrate-prepare3-params".to_owned(),
            flags: Some([flag.to_owned()].into()),
            parameters: std::collections::BTreeMap::new(),
        };
        let carried = Observation::Traffic(Traffic {
            calls: vec![call],
            ..Traffic::default()
        });
        step(&mut history, Verb::Leftovers, vec![carried]);
        lands(&history)
    };
    assert_eq!(with("VIR_MIGRATE_TLS"), Kind::Pass);
    assert_eq!(with("VIR_MIGRATE_LIVE"), Kind::Unknown);
}

#[test]
fn a_daemon_that_was_killed_once_was_not_killed_twice() {
    let strike = "source-daemon-killed-twice";
    let killed = |pid| Deed::Killed {
        process: "daemon".to_owned(),
        pid,
    };
    let mut history = struck_in(&CASE.replace("cancelled", strike), SENT, strike, killed(1));
    assert_eq!(lands(&history), Kind::Unknown);
    let is_struck = |saw: &Observation| matches!(saw, Observation::Struck { .. });
    let place = history
        .entries
        .iter()
        .position(|entry| is_struck(&entry.saw));
    let mut again = history.entries[place.unwrap()].clone();
    if let Observation::Struck { deed, .. } = &mut again.saw {
        *deed = killed(2);
    }
    history.entries.insert(place.unwrap() + 1, again);
    assert_eq!(lands(&history), Kind::Pass);
}

#[test]
fn a_fault_that_came_when_the_moment_was_over_proves_nothing() {
    let mut late = struck(SENT, "cancelled", aborted(Outcome::Done));
    for entry in &mut late.entries {
        if let Observation::Struck { began_us, .. } = &mut entry.saw {
            *began_us = u64::MAX;
        }
    }
    assert_eq!(lands(&late), Kind::Unknown);
    let mut passed = struck(SENT, "cancelled", aborted(Outcome::Done));
    let pass = Observation::Iteration {
        side: S,
        iteration: 2,
    };
    let place = passed
        .entries
        .iter()
        .position(|entry| matches!(entry.saw, Observation::Stood { .. }))
        .unwrap();
    let mut entry = passed.entries[place].clone();
    entry.saw = pass;
    passed.entries.insert(place, entry);
    assert_eq!(lands(&passed), Kind::Unknown);
}
