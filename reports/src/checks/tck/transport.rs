//! `transport`: the migration went the way that its control method names, by the flags of the case.
//!
//! What a daemon was asked, and by whom, stands in the calls that the network carried; what its
//! connections carried stands in the sequence numbers of their packets. Neither is a word of those who
//! are judged by it.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each question picks one kind of observation"
)]

use std::collections::{BTreeMap, BTreeSet};

use migratrix_history::{
    Connection, Observation, Outcome, Party, Purpose, RemoteCall, Side, Traffic,
};
use migratrix_matrix::{Activity, Control, Point, Scenario, StorageMigration};
use serde_json::Value;

use crate::{
    Verdict,
    checks::evidence::{Evidence, Judged},
};

const BEGIN: &str = "domain-migrate-begin3-params";
const PERFORM: &str = "domain-migrate-perform3-params";
const PREPARE: &str = "domain-migrate-prepare3-params";
const PREPARE_TUNNEL: &str = "domain-migrate-prepare-tunnel3-params";

/// The flags that the client library adds by itself: to what the client drives, so that nothing else is
/// done to the domain meanwhile, and to a guest that is paused, so that it stays so.
const ADDED: [&str; 2] = ["VIR_MIGRATE_CHANGE_PROTECTION", "VIR_MIGRATE_PAUSED"];

/// The parameter that the driver chooses, which is no part of the case.
const BANDWIDTH: &str = "bandwidth";

/// The daemons were asked as the case says, and the data went where they should.
pub(super) fn transport(evidence: &Evidence<'_>, scenario: &Scenario) -> Judged {
    let traffic = traffic(evidence)?;
    let is_refused = match evidence.migrate_ended()?.1 {
        Outcome::Done => false,
        Outcome::Refused(_) => true,
        Outcome::Unknown { .. } => {
            return Err(evidence.unseen("the migration did not come to its end"));
        }
    };
    // One that was refused got to some of it, or to none.
    let came = |procedure: &[&str]| {
        let mut calls = traffic.calls.iter();
        !is_refused || calls.any(|call| procedure.contains(&call.procedure.as_str()))
    };
    let faults = [
        came(&[PERFORM])
            .then(|| asked(evidence, scenario, traffic))
            .flatten(),
        came(&[PREPARE, PREPARE_TUNNEL])
            .then(|| driven(scenario, traffic))
            .flatten(),
        out_of_turn(scenario, traffic, is_refused),
        (!is_refused)
            .then(|| carried(evidence, scenario, traffic))
            .flatten(),
        strange(traffic, |others| others == 0),
    ];
    let faults: Vec<_> = faults.into_iter().flatten().collect();
    if traffic.dropped > 0 && !faults.is_empty() {
        let lost = traffic.dropped;
        return Err(evidence.unseen(&format!("the capture lost {lost} packets")));
    }
    if faults.is_empty() && traffic.calls.iter().any(|call| call.flags.is_none()) {
        return Err(evidence.unseen("the flags of a call were not captured"));
    }
    if let Some(strange) = strange(traffic, |others| others > 0).filter(|_| faults.is_empty()) {
        return Err(Verdict::unknown(format!(
            "{strange}, and other cases were there that may have made it"
        )));
    }
    if is_refused && faults.is_empty() {
        return Ok(Verdict::skipped(
            "needs a migration that is carried out: this one was asked for as it should be, and refused",
        ));
    }
    if faults.is_empty() && traffic.connections.iter().any(|one| one.sent.is_none()) {
        return Err(evidence.unseen("the end of a connection was not captured"));
    }
    Ok(Verdict::pass_if(faults.is_empty(), || {
        let [from, to] = Side::BOTH.map(|side| evidence.host(side));
        format!("from {from} to {to}: {}", faults.join("; "))
    }))
}

/// What was captured. Of a machine that is not ours nothing can be.
fn traffic<'h>(evidence: &Evidence<'h>) -> Result<&'h Traffic, Verdict> {
    let captured = evidence.last(|saw| match saw {
        Observation::Traffic(traffic) => Some(Ok(traffic)),
        Observation::NotCaptured { why } => Some(Err(why)),
        _ => None,
    });
    let foreign = Side::BOTH
        .into_iter()
        .find(|side| evidence.is_foreign(*side));
    match (captured, foreign) {
        (Some(Ok(traffic)), _) => Ok(traffic),
        (Some(Err(why)), _) => Err(Verdict::skipped(format!(
            "needs a network that can be captured: {why}"
        ))),
        (None, Some(side)) => Err(Verdict::skipped(format!(
            "needs hosts whose network we may look into, and {} is not ours",
            evidence.host(side)
        ))),
        (None, None) => Err(evidence.unseen("the traffic of the hosts was not captured")),
    }
}

/// What is wrong with the call that the source's daemon got.
fn asked(evidence: &Evidence<'_>, scenario: &Scenario, traffic: &Traffic) -> Option<String> {
    let performs = |call: &&RemoteCall| call.procedure == PERFORM && call.to == Party::Source;
    let Some(call) = traffic.calls.iter().find(performs) else {
        return Some(
            "expected that the source's daemon is asked to migrate, it never was".to_owned(),
        );
    };
    let mut calls = traffic.calls.iter();
    let wrong = calls.find_map(|call| other_flags(evidence, scenario, call));
    wrong
        .or_else(|| other_parameters(scenario, &call.parameters))
        .or_else(|| {
            let mut calls = traffic.calls.iter();
            calls.find_map(|call| unasked_parameters(scenario, call))
        })
}

/// What a call has beyond the parameters of the case: of those that it may have, not every call needs each.
fn unasked_parameters(scenario: &Scenario, asked: &RemoteCall) -> Option<String> {
    let wanted = scenario.call(None).parameters;
    let is_wanted = |name: &str| name == BANDWIDTH || wanted.iter().any(|(one, _)| *one == name);
    let mut names = asked.parameters.keys();
    let unasked = names.find(|name| !is_wanted(name))?;
    Some(format!(
        "{}, which {} got, has the parameter {unasked}, and nobody asked for it",
        asked.procedure,
        party(asked.to)
    ))
}

fn other_flags(evidence: &Evidence<'_>, scenario: &Scenario, asked: &RemoteCall) -> Option<String> {
    let seen = asked.flags.as_ref()?;
    let of_disks = match journey(evidence) {
        Some(StorageMigration::Stay) | None => None,
        Some(StorageMigration::Shared) => Some("VIR_MIGRATE_UNSAFE"),
        Some(StorageMigration::Copied) => Some("VIR_MIGRATE_NON_SHARED_DISK"),
    };
    let call = scenario.call(None);
    let wanted: BTreeSet<_> = call.flags.into_iter().chain(of_disks).collect();
    let seen: BTreeSet<_> = seen.iter().map(String::as_str).collect();
    let missing: Vec<_> = wanted.difference(&seen).copied().collect();
    // What drives the other daemon tells it to leave a paused guest paused: the client, or the source.
    let is_paused = scenario.state.activity == Activity::Paused;
    let is_driver = scenario.control == Control::Normal || asked.from == Party::Source;
    let is_the_clients = scenario.control == Control::Normal;
    let may_come = |flag: &&str| {
        (*flag == ADDED[0] && is_the_clients) || (*flag == ADDED[1] && is_paused && is_driver)
    };
    let added = seen.difference(&wanted).copied();
    let added: Vec<_> = added.filter(|flag| !may_come(flag)).collect();
    let told = |what: &str, flags: &[&str]| {
        (!flags.is_empty()).then(|| format!("{} {what}", flags.join(", ")))
    };
    let missing = told("of the case did not come", &missing);
    let added = told("came, and nobody asked for it", &added);
    let wrong: Vec<_> = missing.into_iter().chain(added).collect();
    (!wrong.is_empty()).then(|| {
        format!(
            "the flags of {}, which {} got: {}",
            asked.procedure,
            party(asked.to),
            wrong.join("; ")
        )
    })
}

fn other_parameters(scenario: &Scenario, seen: &BTreeMap<String, Value>) -> Option<String> {
    let wanted = scenario.call(None).parameters.into_iter();
    let wanted: BTreeMap<_, _> = wanted
        .map(|(name, number)| (name.to_owned(), number.into()))
        .collect();
    let mut seen = seen.clone();
    seen.remove(BANDWIDTH);
    (seen != wanted).then(|| {
        let told = |all: &BTreeMap<String, Value>| {
            let words = all.iter().map(|(name, number)| format!("{name}={number}"));
            let words: Vec<_> = words.collect();
            if words.is_empty() {
                "none".to_owned()
            } else {
                words.join(", ")
            }
        };
        let (wanted, seen) = (told(&wanted), told(&seen));
        format!("expected the parameters {wanted}, the source's daemon got {seen}")
    })
}

/// What is wrong with who has asked the destination's daemon, and for what.
fn driven(scenario: &Scenario, traffic: &Traffic) -> Option<String> {
    let wanted = match scenario.control {
        Control::Normal => (Party::Client, PREPARE),
        Control::P2p => (Party::Source, PREPARE),
        Control::Tunnelled => (Party::Source, PREPARE_TUNNEL),
    };
    let calls = traffic.calls.iter();
    let calls = calls.filter(|call| call.procedure == PREPARE || call.procedure == PREPARE_TUNNEL);
    let mut seen: Vec<_> = calls
        .map(|call| (call.from, call.procedure.as_str(), call.to))
        .collect();
    seen.dedup();
    let told = |(from, procedure): (Party, &str)| format!("{} by {procedure}", party(from));
    let is_it = seen == [(wanted.0, wanted.1, Party::Destination)];
    (!is_it).then(|| {
        let others: Vec<_> = seen
            .iter()
            .map(|(from, procedure, to)| {
                format!("{} was by {}", party(*to), told((*from, procedure)))
            })
            .collect();
        let others = if others.is_empty() {
            "nobody was".to_owned()
        } else {
            others.join(", ")
        };
        let word = migratrix_matrix::Axis::word(scenario.control);
        format!(
            "{word}: expected that the destination is prepared by {}, {others}",
            told(wanted)
        )
    })
}

/// A call: who asked for what, and whom.
type Turn<'a> = (Party, &'a str, Party);

const BY_THE_CLIENT: [Turn<'_>; 3] = [
    (Party::Client, BEGIN, Party::Source),
    (Party::Client, PREPARE, Party::Destination),
    (Party::Client, PERFORM, Party::Source),
];
const FROM_PEER_TO_PEER: [Turn<'_>; 2] = [
    (Party::Client, PERFORM, Party::Source),
    (Party::Source, PREPARE, Party::Destination),
];
const TUNNELLED: [Turn<'_>; 2] = [
    (Party::Client, PERFORM, Party::Source),
    (Party::Source, PREPARE_TUNNEL, Party::Destination),
];

/// What is wrong with the calls as a whole: each comes once, and in its turn. Of a migration that was
/// refused the last ones may be missing.
fn out_of_turn(scenario: &Scenario, traffic: &Traffic, is_refused: bool) -> Option<String> {
    let turns: &[Turn<'_>] = match scenario.control {
        Control::Normal => &BY_THE_CLIENT,
        Control::P2p => &FROM_PEER_TO_PEER,
        Control::Tunnelled => &TUNNELLED,
    };
    let calls = traffic.calls.iter();
    let seen: Vec<_> = calls
        .map(|call| (call.from, call.procedure.as_str(), call.to))
        .collect();
    let is_right = if is_refused {
        turns.starts_with(&seen)
    } else {
        turns == seen
    };
    (!is_right).then(|| {
        let told = |turns: &[Turn<'_>]| {
            let each = turns.iter().map(|(from, procedure, to)| {
                format!("{procedure} from {} to {}", party(*from), party(*to))
            });
            let each: Vec<_> = each.collect();
            match each.is_empty() {
                true => "none".to_owned(),
                false => each.join(", "),
            }
        };
        format!(
            "expected these calls: {}; there were {}",
            told(turns),
            told(&seen)
        )
    })
}

/// What is wrong with the connections, and with how much they carried.
fn carried(evidence: &Evidence<'_>, scenario: &Scenario, traffic: &Traffic) -> Option<String> {
    if let Some(astray) = astray(traffic) {
        return Some(astray);
    }
    let between = |one: &&Connection| (one.from, one.to) == (Party::Source, Party::Destination);
    let all = traffic.connections.iter().filter(between);
    let of = |purpose| {
        all.clone()
            .filter(move |one: &&Connection| one.purpose == purpose)
    };
    let own = 1 + scenario.call(None).channels();
    let disks = u32::from(journey(evidence) == Some(StorageMigration::Copied));
    let (wanted, carrying) = match scenario.control {
        Control::Normal => ([0, own, disks], Purpose::Memory),
        Control::P2p => ([1, own, disks], Purpose::Memory),
        Control::Tunnelled => ([1, 0, 0], Purpose::Calls),
    };
    let seen = [Purpose::Calls, Purpose::Memory, Purpose::Disks];
    let seen = seen.map(|purpose| u32::try_from(of(purpose).count()).unwrap_or(u32::MAX));
    if seen != wanted {
        let told = |[peers, memory, disks]: [u32; 3]| {
            format!(
                "{peers} of the daemons, {memory} of QEMU's own for memory and {disks} for disks"
            )
        };
        return Some(format!(
            "expected these connections from the source to the destination: {}; there were {}",
            told(wanted),
            told(seen)
        ));
    }
    let sent: Option<u64> = of(carrying).map(|one| one.sent).sum();
    let memory = u64::from(evidence.header().guest.bytes());
    let sent = sent.filter(|sent| *sent < memory)?;
    Some(format!(
        "expected that the connection carries the guest's {memory} bytes, it carried {sent}"
    ))
}

/// A connection that no call explains, made while so many other cases were there.
fn strange(traffic: &Traffic, of: impl Fn(usize) -> bool) -> Option<String> {
    let mut strangers = traffic.strangers.iter();
    let one = strangers.find(|one| of(one.others))?;
    let (from, to, port) = (party(one.from), party(one.to), one.port);
    Some(format!(
        "a connection went from {from} to port {port} of {to}, and no call explains it"
    ))
}

/// A connection that goes another way than from the source to the destination, or on which the daemon that was
/// called never answered.
fn astray(traffic: &Traffic) -> Option<String> {
    let mut connections = traffic.connections.iter();
    connections.find_map(|one| {
        let (from, to) = (party(one.from), party(one.to));
        if (one.from, one.to) != (Party::Source, Party::Destination) {
            return Some(format!("a connection went from {from} to {to}"));
        }
        let is_mute = one.purpose == Purpose::Calls && one.received == Some(0);
        is_mute.then(|| format!("{to} never answered the calls of {from}"))
    })
}

/// How the case's storage is moved, where it has one of its own.
fn journey(evidence: &Evidence<'_>) -> Option<StorageMigration> {
    match evidence.header().case.point {
        Point::Chained(chained) => Some(chained.journey),
        Point::Tck(_) | Point::Qemu(_) | Point::Colo(_) | Point::Backup(_) | Point::Recovery(_) => {
            None
        }
    }
}

const fn party(party: Party) -> &'static str {
    match party {
        Party::Client => "the client",
        Party::Source => "the source",
        Party::Destination => "the destination",
        Party::Other => "another host",
    }
}

#[cfg(test)]
mod tests {
    use migratrix_history::{History, Refusal, Stranger, Verb};
    use migratrix_matrix::Condition;

    use super::*;
    use crate::{
        checks,
        story::{changed, good, without},
    };

    const CONTROLS: [&str; 3] = ["normal", "p2p", "tunnelled"];

    fn case(control: &str) -> String {
        format!("tck/libvirt/trixie,bookworm,trixie/{control}/persistent-running-undefined/none")
    }

    fn judged(history: &History) -> Option<Verdict> {
        let all = checks::all(history).into_iter();
        let mut own = all.filter(|(one, _)| *one == Condition::Transport);
        own.next().map(|(_, verdict)| verdict)
    }

    fn traffic_of(control: &str) -> Traffic {
        let history = good(&case(control));
        let mut seen = history.entries.into_iter();
        seen.find_map(|entry| match entry.saw {
            Observation::Traffic(traffic) => Some(traffic),
            _ => None,
        })
        .unwrap()
    }

    fn with(control: &str, change: impl Fn(&mut Traffic)) -> Verdict {
        let history = changed(good(&case(control)), |saw| {
            if let Observation::Traffic(traffic) = saw {
                change(traffic);
            }
        });
        judged(&history).unwrap()
    }

    fn fails(verdict: &Verdict, words: &str) {
        let Verdict::Fail { why } = verdict else {
            panic!("{verdict:?} does not fail");
        };
        assert!(why.contains(words), "{why}");
    }

    #[test]
    fn a_migration_that_went_another_way_than_its_control_method_names_fails() {
        for wanted in CONTROLS {
            for went in CONTROLS {
                let verdict = with(wanted, |traffic| *traffic = traffic_of(went));
                if wanted == went {
                    assert_eq!(verdict, Verdict::Pass);
                } else {
                    fails(&verdict, wanted);
                }
            }
        }
    }

    #[test]
    fn a_connection_that_no_call_explains_fails_or_is_unknown_where_it_may_be_anothers() {
        let stranger = |others| Stranger {
            from: Party::Source,
            to: Party::Destination,
            port: 16_509,
            others,
        };
        for control in CONTROLS {
            let verdict = with(control, |traffic| traffic.strangers = vec![stranger(0)]);
            fails(
                &verdict,
                "port 16509 of the destination, and no call explains it",
            );
            let both = |traffic: &mut Traffic| traffic.strangers = [2, 0].map(stranger).to_vec();
            fails(&with(control, both), "no call explains it");
            let verdict = with(control, |traffic| traffic.strangers = vec![stranger(2)]);
            assert_eq!(verdict.kind(), crate::Kind::Unknown, "{verdict:?}");
            assert!(
                verdict.why().contains("other cases were there"),
                "{verdict:?}"
            );
        }
    }

    #[test]
    fn the_way_alone_tells_where_the_flags_are_those_of_the_case() {
        for wanted in CONTROLS {
            for went in CONTROLS.into_iter().filter(|went| *went != wanted) {
                let verdict = with(wanted, |traffic| {
                    let own = traffic.calls.clone();
                    *traffic = traffic_of(went);
                    traffic.calls = own;
                });
                fails(&verdict, "connections");
            }
        }
    }

    #[test]
    fn a_flag_that_is_added_or_lost_fails_and_what_the_library_adds_does_not() {
        let flags = |control: &str, change: fn(&mut BTreeSet<String>)| {
            with(control, |traffic| {
                let calls = traffic.calls.iter_mut();
                calls
                    .filter_map(|call| call.flags.as_mut())
                    .for_each(change);
            })
        };
        for control in CONTROLS {
            for word in [
                "VIR_MIGRATE_AUTO_CONVERGE",
                "VIR_MIGRATE_UNSAFE",
                "VIR_MIGRATE_PARALLEL",
            ] {
                let verdict = with(control, |traffic| {
                    let calls = traffic.calls.iter_mut();
                    let flags = calls.filter_map(|call| call.flags.as_mut());
                    flags.for_each(|flags| flags.extend([word.to_owned()]));
                });
                fails(&verdict, word);
            }
        }
        let protects = |flags: &mut BTreeSet<String>| flags.extend([ADDED[0].to_owned()]);
        assert_eq!(flags("normal", protects), Verdict::Pass);
        fails(&flags("p2p", protects), ADDED[0]);
        fails(&flags("tunnelled", BTreeSet::clear), "did not come");
        let paused = |flags: &mut BTreeSet<String>| flags.extend([ADDED[1].to_owned()]);
        fails(&flags("normal", paused), ADDED[1]);
    }

    #[test]
    fn who_drives_the_other_daemon_tells_it_that_a_paused_guest_stays_paused() {
        let told = |control: &str, told_by: Option<Party>| {
            let case = case(control).replace("persistent-running", "persistent-paused");
            let history = changed(good(&case), |saw| {
                if let Observation::Traffic(traffic) = saw {
                    let calls = traffic.calls.iter_mut();
                    let own = calls.filter(|call| told_by.is_none_or(|by| by == call.from));
                    own.filter_map(|call| call.flags.as_mut())
                        .for_each(|flags| flags.extend([ADDED[1].to_owned()]));
                }
            });
            judged(&history).unwrap()
        };
        assert_eq!(told("normal", None), Verdict::Pass);
        for control in ["p2p", "tunnelled"] {
            assert_eq!(told(control, Some(Party::Source)), Verdict::Pass);
            fails(&told(control, Some(Party::Client)), ADDED[1]);
        }
    }

    #[test]
    fn of_a_paused_guest_no_other_flag_may_be_added_either() {
        for control in CONTROLS {
            let case = case(control).replace("persistent-running", "persistent-paused");
            let history = changed(good(&case), |saw| {
                if let Observation::Traffic(traffic) = saw {
                    let flags = traffic
                        .calls
                        .iter_mut()
                        .filter_map(|call| call.flags.as_mut());
                    flags.for_each(|flags| flags.extend(["VIR_MIGRATE_UNSAFE".to_owned()]));
                }
            });
            fails(&judged(&history).unwrap(), "VIR_MIGRATE_UNSAFE");
        }
    }

    #[test]
    fn a_connection_that_carries_as_much_as_the_guest_stamps_is_enough() {
        let stamped = u64::from(good(&case("p2p")).header.guest.bytes());
        let sent = |bytes: u64| {
            with("p2p", |traffic| {
                let all = traffic.connections.iter_mut();
                all.for_each(|one| one.sent = Some(bytes));
            })
        };
        assert_eq!(sent(stamped), Verdict::Pass);
        fails(&sent(stamped - 1), "it carried");
    }

    #[test]
    fn a_connection_that_is_not_of_this_migration_fails() {
        let changes: [fn(&mut Traffic); 3] = [
            |traffic| traffic.connections.extend_from_within(..1),
            |traffic| traffic.connections[0].from = Party::Destination,
            |traffic| traffic.connections[0].to = Party::Other,
        ];
        for control in CONTROLS {
            for change in changes {
                fails(&with(control, change), "connection");
            }
        }
    }

    #[test]
    fn the_calls_of_a_migration_before_this_one_are_not_its_own() {
        for control in CONTROLS {
            let verdict = with(control, |traffic| {
                let (calls, connections) = (traffic.calls.len(), traffic.connections.len());
                traffic.calls.extend_from_within(..calls);
                traffic.connections.extend_from_within(..connections);
            });
            fails(&verdict, "expected these calls");
        }
    }

    #[test]
    fn a_parameter_that_nobody_gave_fails_and_the_bandwidth_is_no_part_of_the_case() {
        let parameter = |name: &str| {
            with("p2p", |traffic| {
                for call in &mut traffic.calls {
                    call.parameters.insert(name.to_owned(), 4.into());
                }
            })
        };
        fails(&parameter("parallel.connections"), "parallel.connections=4");
        assert_eq!(parameter(BANDWIDTH), Verdict::Pass);
        let begun = with("normal", |traffic| {
            let begins = traffic.calls.iter_mut().find(|one| one.procedure == BEGIN);
            let begins = begins.expect("the client begins");
            begins
                .parameters
                .insert("auto_converge.initial".to_owned(), 30.into());
        });
        fails(&begun, "auto_converge.initial");
    }

    #[test]
    fn memory_that_no_connection_carried_fails() {
        for control in CONTROLS {
            let verdict = with(control, |traffic| {
                traffic
                    .connections
                    .iter_mut()
                    .for_each(|one| one.sent = Some(500));
            });
            fails(&verdict, "it carried");
        }
    }

    #[test]
    fn a_call_that_was_never_made_fails() {
        fails(
            &with("normal", |traffic| traffic.calls.clear()),
            "never was",
        );
    }

    #[test]
    fn a_call_that_comes_twice_or_out_of_its_turn_or_from_somebody_else_fails() {
        let changes: [fn(&mut Traffic); 3] = [
            |traffic| traffic.calls.extend_from_within(..1),
            |traffic| traffic.calls.reverse(),
            |traffic| traffic.calls[0].from = Party::Other,
        ];
        for control in CONTROLS {
            for change in changes {
                fails(&with(control, change), "expected these calls");
            }
        }
    }

    #[test]
    fn flags_that_were_cut_off_are_unknown() {
        let verdict = with("p2p", |traffic| traffic.calls[0].flags = None);
        assert!(matches!(verdict, Verdict::Unknown { .. }), "{verdict:?}");
    }

    #[test]
    fn of_a_migration_that_was_refused_only_what_was_asked_is_judged() {
        let refused = |added: Option<&str>| {
            let history = changed(good(&case("p2p")), |saw| match saw {
                Observation::Traffic(traffic) => {
                    traffic.connections.clear();
                    let flags = traffic.calls.iter_mut();
                    for flags in flags.filter_map(|call| call.flags.as_mut()) {
                        flags.extend(added.map(str::to_owned));
                    }
                }
                Observation::Ended {
                    verb: Verb::Migrate,
                    outcome,
                    ..
                } => {
                    *outcome = Outcome::Refused(Refusal {
                        code: 9,
                        domain: 31,
                        message: "missing features: pcommit".to_owned(),
                    });
                }
                _ => {}
            });
            judged(&history).unwrap()
        };
        assert!(matches!(refused(None), Verdict::Skipped { .. }));
        fails(&refused(Some("VIR_MIGRATE_UNSAFE")), "VIR_MIGRATE_UNSAFE");
    }

    #[test]
    fn what_was_lost_makes_a_fault_unknown_and_no_pass() {
        let lossy = |control| {
            with("p2p", |traffic| {
                *traffic = traffic_of(control);
                traffic.dropped = 3;
            })
        };
        assert_eq!(lossy("p2p"), Verdict::Pass);
        assert!(matches!(lossy("normal"), Verdict::Unknown { .. }));
    }

    #[test]
    fn traffic_that_nobody_captured_is_unknown_and_of_a_machine_not_ours_skipped() {
        let bare = without(good(&case("p2p")), |saw| {
            matches!(saw, Observation::Traffic(_))
        });
        assert!(matches!(judged(&bare), Some(Verdict::Unknown { .. })));
        let remote = changed(bare.clone(), |saw| {
            if let Observation::Leftovers { side, .. } | Observation::Ram { side, .. } = saw {
                *saw = Observation::NotOurs { side: *side };
            }
        });
        assert!(matches!(judged(&remote), Some(Verdict::Skipped { .. })));
        let blind = changed(good(&case("p2p")), |saw| {
            if let Observation::Traffic(_) = saw {
                *saw = Observation::NotCaptured {
                    why: "no".to_owned(),
                };
            }
        });
        assert!(matches!(judged(&blind), Some(Verdict::Skipped { .. })));
        let mut old = bare;
        old.header.evidence = 0;
        assert!(
            matches!(judged(&old), Some(Verdict::Skipped { .. })),
            "it is of an earlier version"
        );
    }
}
