//! The table, held to what was written out by hand, and to the rules that all of it must obey.

use super::{Answer, Ending, Libvirts, Owner, Remedy, Seen, Standing};
use crate::{
    Case, Recovery, Version, Way,
    suites::recovery::{
        axes::{RecoveryMoment, Strike},
        kinds::Family,
        profiles::product,
        rules::excluded,
    },
};

/// Each line: the strike, the moment, the method; then each ending: what the caller is told, who has the guest, and what
/// heals. All of a guest that runs.
const TABLE: &str = "
cancelled first-pass normal: 78/10 source nothing
cancelled switchover p2p: 78/10 source nothing | success destination nothing
cancelled confirm tunnelled: success destination nothing
client-killed first-pass normal: gone source nothing
client-killed first-pass p2p: gone destination nothing
client-killed switchover normal: gone source nothing | gone source resume
client-killed finish normal: gone source resume | gone destination destroy-source
source-qemu-killed first-pass p2p: 55/10,9/10,9/20,1/10,38/10,42/10,42/0,38/0 nobody start-anew
source-qemu-killed finish p2p: success destination nothing
destination-qemu-killed switchover p2p: 9/10,1/10,9/20,42/10,42/0,55/10 source nothing
destination-qemu-killed first-pass tunnelled: 39/38,9/10,1/10,9/20,42/10,42/0,55/10 source nothing
destination-qemu-killed finish normal: 1/10,42/0,9/10 source nothing
destination-qemu-killed confirm normal: success nobody start-anew
destination-destroyed prepare normal: success destination nothing
destination-destroyed later-pass normal: 9/10,1/10,9/20,42/10,42/0,55/10 source nothing
destination-daemon-killed first-pass normal: 9/10 source nothing
destination-daemon-killed first-pass p2p: 1/7 source nothing
source-daemon-killed finish normal: success destination destroy-source
source-daemon-killed finish p2p: 38/7,1/7 destination destroy-source
source-daemon-silent finish normal: success destination destroy-source | success destination nothing
source-daemon-silent finish p2p: 38/7,1/7 source nothing | success,38/7,1/7 destination nothing
reply-lost reply normal: 38/7,1/7 source nothing
suspended first-pass normal: success destination nothing
guest-powered-off first-pass p2p: 55/10,9/10,9/20,1/10,38/10,42/10,42/0,38/0 nobody start-anew
guest-crashed later-pass tunnelled: 55/10,9/10,9/20,1/10,38/10,42/10,42/0,38/0 nobody start-anew
guest-rebooted first-pass normal: success destination nothing
second-migration prepare p2p: success destination nothing
device-attached first-pass normal: success destination nothing
device-attached switchover p2p: success destination nothing
crossing prepare p2p: success destination nothing
crowd later-pass normal: success destination nothing
disk-unreadable call p2p: 1/10 source nothing
disk-short call tunnelled: success destination nothing
same-host call normal: 1/10 source nothing
name-taken call normal: 9/20 source nothing
tls-foreign call p2p: 9/10,1/10,9/20 source nothing
tls-expired call normal: 1/10 source nothing
tls-right call normal: success destination nothing
machine-unknown call p2p: 67/10 source nothing
cpu-model-unknown call normal: 1/31 source nothing
cpu-feature-unknown call tunnelled: 67/31 source nothing
log-folder-full call p2p: success destination nothing
daemon-dead call p2p: 38/7 source nothing
data-reset postcopy-middle p2p: 9/10,9/20,1/10,38/10 destination postcopy-resume
data-reset postcopy-middle+give-up p2p: 9/10,9/20,1/10,38/10 destination start-anew
destination-qemu-killed postcopy-end p2p: 9/10,9/20,1/10,38/10 nobody start-anew
source-daemon-killed postcopy-end normal: success destination nothing
source-daemon-killed postcopy-end p2p: 38/7,1/7,9/10 destination nothing
postcopy-paused postcopy-end p2p: 9/10,9/20,1/10,38/10 destination postcopy-resume | 9/10,9/20,1/10,38/10 destination destroy-source | success destination nothing
cancelled postcopy-end normal: success destination nothing
";

/// The same, before some version of libvirt: first the strike, the moment and the method, then which of the daemons is
/// 7.0.0.
const OLD_TABLE: &str = "
daemon-dead call p2p source: 38/7,9/10 source nothing
daemon-dead call tunnelled source: 38/7,9/10 source nothing
daemon-dead call normal source: 38/7 source nothing
daemon-dead call p2p destination: 38/7 source nothing
machine-unknown call p2p destination: 67/10,1/10 source nothing
machine-unknown call p2p source: 67/10 source nothing
cpu-model-unknown call p2p both: 1/31 source nothing
cpu-feature-unknown call p2p both: 67/31 source nothing
source-daemon-killed postcopy-middle normal source: success destination destroy-source
source-daemon-killed postcopy-end p2p source: 38/7,1/7,9/10 destination destroy-source
source-daemon-killed postcopy-end p2p destination: 38/7,1/7,9/10 destination nothing
destination-daemon-killed postcopy-end normal source: 38/7,1/7,9/10 destination destroy-source
destination-daemon-killed postcopy-middle p2p destination: 38/7,1/7,9/10 destination start-anew
destination-daemon-killed postcopy-middle p2p both: 38/7,1/7,9/10 destination start-anew
destination-daemon-killed postcopy-middle+give-up p2p both: 38/7,1/7,9/10 destination start-anew
management-reset postcopy-middle p2p source: 38/7,1/7,9/10 destination destroy-source | 38/7,1/7,9/10 destination start-anew
management-reset postcopy-middle p2p destination: 38/7,1/7,9/10 destination nothing | 38/7,1/7,9/10 destination start-anew
";

const NEW: Libvirts = Libvirts {
    client: Some(Version::new(9, 0, 0)),
    source: Some(Version::new(9, 0, 0)),
    destination: Some(Version::new(9, 0, 0)),
};

fn point(strike: &str, moment: &str, control: &str) -> Recovery {
    let text = format!("{strike}/{moment}/{control}/persistent-running-undefined/live");
    text.parse().unwrap()
}

fn told(answer: Answer) -> String {
    let listed = |classes: &[super::ErrorClass]| {
        let classes: Vec<_> = classes.iter().map(ToString::to_string).collect();
        classes.join(",")
    };
    match answer {
        Answer::Success => "success".to_owned(),
        Answer::Error(classes) => listed(classes),
        Answer::SuccessOr(classes) => format!("success,{}", listed(classes)),
        Answer::Gone => "gone".to_owned(),
    }
}

const fn owner(owner: Owner) -> &'static str {
    match owner {
        Owner::Source => "source",
        Owner::Destination => "destination",
        Owner::Nobody => "nobody",
    }
}

#[test]
fn the_endings_are_those_that_were_written_out_by_hand() {
    for line in TABLE.lines().filter(|line| !line.is_empty()) {
        let (head, wanted) = line.split_once(": ").unwrap();
        let [strike, moment, control] = head.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let endings = point(strike, moment, control).endings(&NEW);
        assert_eq!(written(&endings), wanted, "{head}");
    }
}

fn written(endings: &[Ending]) -> String {
    let endings = endings.iter().map(|one| {
        let (answer, owner) = (told(one.answer), owner(one.owner));
        format!("{answer} {owner} {}", one.remedy)
    });
    endings.collect::<Vec<_>>().join(" | ")
}

/// Both are old, but the one that is not named.
fn old(daemons: &str) -> Libvirts {
    let of = |other: &str| {
        if daemons == other {
            Version::new(9, 0, 0)
        } else {
            Version::new(7, 0, 0)
        }
    };
    Libvirts {
        client: NEW.client,
        source: Some(of("destination")),
        destination: Some(of("source")),
    }
}

#[test]
fn before_a_version_that_changed_them_the_endings_are_others() {
    for line in OLD_TABLE.lines().filter(|line| !line.is_empty()) {
        let (head, wanted) = line.split_once(": ").unwrap();
        let [strike, moment, control, daemons] = head.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let endings = point(strike, moment, control).endings(&old(daemons));
        assert_eq!(written(&endings), wanted, "{head}");
    }
}

#[test]
fn from_8_5_on_no_daemon_takes_a_postcopy_that_it_lost_sight_of_for_failed() {
    let at = |version| Libvirts {
        client: Some(version),
        source: Some(version),
        destination: Some(version),
    };
    let both = ["source-daemon-killed", "destination-daemon-killed"];
    for point in both.map(|strike| point(strike, "postcopy-middle", "p2p")) {
        let [before, since] = [Version::new(8, 4, 0), Version::new(8, 5, 0)]
            .map(|version| point.endings(&at(version)));
        assert_eq!(since, point.endings(&NEW), "{point}");
        assert_eq!(
            before[0].source,
            Standing::Active(&[("paused", "postcopy-failed")])
        );
        assert_eq!(since[0].source, Standing::Inactive(&["migrated"]));
    }
}

fn allowed() -> impl Iterator<Item = Recovery> {
    product().into_iter().filter(|one| excluded(one).is_none())
}

#[test]
fn every_point_that_may_be_run_has_an_ending_and_success_is_told_only_where_the_guest_has_gone() {
    for point in allowed() {
        let endings = point.endings(&NEW);
        assert!(!endings.is_empty(), "{point}");
        for ending in endings {
            let success = matches!(ending.answer, Answer::Success | Answer::SuccessOr(_));
            assert!(!(success && ending.owner == Owner::Source), "{point}");
            let classes = match ending.answer {
                Answer::Error(classes) | Answer::SuccessOr(classes) => classes,
                Answer::Success | Answer::Gone => continue,
            };
            assert!(!classes.is_empty(), "{point}");
        }
    }
}

#[test]
fn no_ending_has_the_guest_running_on_both_sides_and_none_without_a_domain_where_its_owner_is() {
    let runs = |standing: Standing| match standing {
        Standing::Active(states) => states.iter().any(|(state, _)| *state == "running"),
        Standing::Inactive(_) | Standing::Clear => false,
    };
    let is_active = |standing: Standing| matches!(standing, Standing::Active(_));
    for point in allowed() {
        for ending in point.endings(&NEW) {
            assert!(
                !(runs(ending.source) && runs(ending.destination)),
                "{point}"
            );
            match ending.owner {
                Owner::Source => assert!(is_active(ending.source), "{point}"),
                Owner::Destination => assert!(is_active(ending.destination), "{point}"),
                Owner::Nobody => assert!(!runs(ending.source), "{point}"),
            }
        }
    }
}

#[test]
fn in_postcopy_the_source_never_runs_again() {
    for point in allowed().filter(|one| one.family() == Family::Postcopy) {
        for ending in point.endings(&NEW) {
            if let Standing::Active(states) = ending.source {
                assert!(
                    states.iter().all(|(state, _)| *state == "paused"),
                    "{point}"
                );
            }
        }
    }
}

#[test]
fn what_heals_follows_from_how_both_sides_stand() {
    let first = |standing: Standing| -> Seen<'static> {
        match standing {
            Standing::Active(states) => Some(states[0]),
            Standing::Inactive(_) | Standing::Clear => None,
        }
    };
    for libvirts in [NEW, old("source"), old("destination"), old("both")] {
        for point in allowed() {
            for ending in point.endings(&libvirts) {
                let (source, destination) = (first(ending.source), first(ending.destination));
                let remedy = Remedy::of(source, destination, point.way, &libvirts);
                assert_eq!(
                    remedy, ending.remedy,
                    "{point}: {source:?}, {destination:?}"
                );
            }
        }
    }
}

#[test]
fn something_may_be_to_heal_also_where_only_an_old_libvirt_leaves_it() {
    let heals = |strike, moment| point(strike, moment, "p2p").may_heal();
    assert!(heals("destination-daemon-killed", "postcopy-middle"));
    assert!(heals("source-qemu-killed", "first-pass"));
    assert!(!heals("cancelled", "postcopy-middle"));
    assert!(!heals("daemon-dead", "call"));
}

#[test]
fn a_destination_that_has_run_the_guest_in_postcopy_has_its_configuration() {
    let prepared = "transient-running-undefined/live+undefine+persist";
    for strike in [
        "data-reset",
        "destination-qemu-killed",
        "source-qemu-killed",
    ] {
        let text = format!("{strike}/postcopy-middle/p2p/{prepared}");
        let point: Recovery = text.parse().unwrap();
        let endings = point.endings(&NEW);
        assert!(
            endings.iter().all(|one| point.destination_config(one)),
            "{text}"
        );
    }
}

#[test]
fn a_guest_that_was_paused_is_never_left_running() {
    for point in allowed().filter(|one| !one.runs()) {
        for ending in point.endings(&NEW) {
            for standing in [ending.source, ending.destination] {
                if let Standing::Active(states) = standing {
                    assert!(
                        states.iter().all(|(state, _)| *state == "paused"),
                        "{point}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_case_of_the_suite_is_read_as_it_is_written() {
    let name = "recovery/libvirt/a,b,c/data-reset/postcopy-middle+give-up/p2p/persistent-running-undefined/live";
    let case: Case = name.parse().unwrap();
    assert_eq!(case.to_string(), name);
    let crate::Point::Recovery(point) = case.point else {
        panic!("{name}");
    };
    assert_eq!(
        (point.strike, point.moment),
        (Strike::DataReset, RecoveryMoment::PostcopyMiddle)
    );
    assert_eq!(point.way, Way::GiveUp);
}
