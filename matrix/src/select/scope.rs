//! What a run has tried of the subjects that people ask about, and what it has not.

use itertools::Itertools;

use crate::{
    Axis, Case, Condition, Devices, Flag, Hardware, MachineChoice, Method, RecoveryMoment,
    StorageMigration, Strike, Suite, Tls,
};

/// Something about migrations that people ask for.
struct Subject {
    name: &'static str,
    is_tried_by: fn(&Case) -> bool,
    /// The arguments by which a run tries it.
    see: &'static str,
}

const SUBJECTS: [Subject; 10] = [
    Subject {
        name: "live migration (LIVE)",
        is_tried_by: |case| is(case, Flag::Live),
        see: "--profile default",
    },
    Subject {
        name: "the hardware of real guests",
        is_tried_by: |case| {
            let more = |hardware| hardware != Hardware::Minimal;
            case.scenario().is_some_and(|one| more(one.hardware))
        },
        see: "--profile default",
    },
    Subject {
        name: "the libvirt API",
        is_tried_by: |case| case.scenario().is_some(),
        see: "--profile default",
    },
    Subject {
        name: "postcopy",
        is_tried_by: |case| {
            let in_postcopy = |moment: RecoveryMoment| is(case, moment);
            is(case, Method::Postcopy) || RecoveryMoment::POSTCOPY.into_iter().any(in_postcopy)
        },
        see: "--suite qemu",
    },
    Subject {
        name: "multifd",
        is_tried_by: |case| case.point.conditions().contains(&Condition::Channels),
        see: "--suite qemu",
    },
    Subject {
        name: "TLS",
        is_tried_by: |case| {
            let is_raw = case.raw().is_some_and(|raw| raw.tls != Tls::None);
            is_raw || is(case, Strike::TlsRight)
        },
        see: "--suite qemu",
    },
    Subject {
        name: "pc machines",
        is_tried_by: |case| is(case, MachineChoice::Pc),
        see: "--suite qemu --profile devices",
    },
    Subject {
        name: "devices in use",
        is_tried_by: |case| {
            let used = |devices: Devices| devices.is_in_use();
            case.raw().is_some_and(|raw| used(raw.devices))
        },
        see: "--suite qemu --profile devices",
    },
    Subject {
        name: "copies of storage",
        is_tried_by: |case| is(case, StorageMigration::Copied),
        see: "--suite backup --profile checkpoints",
    },
    Subject {
        name: "recovery from failures",
        is_tried_by: |case| case.point.suite() == Suite::Recovery,
        see: "--suite recovery",
    },
];

/// What `cases` try and what they leave out, in a sentence; nothing where they are one case, or are
/// broken on purpose.
#[must_use]
pub fn scope(cases: &[Case]) -> Option<String> {
    if cases.len() < 2 || cases.iter().any(|case| case.fault.is_some()) {
        return None;
    }
    let tried = |subject: &&Subject| cases.iter().any(subject.is_tried_by);
    let (tried, left): (Vec<_>, Vec<_>) = SUBJECTS.iter().partition(tried);
    // None of them may be what a suite is about, as lock-step is not.
    let tried = if tried.is_empty() {
        let suites = cases.iter().map(|case| case.suite()).unique();
        let suites = suites.map(|suite| format!("the suite {}", suite.word()));
        suites.sorted().join(", ")
    } else {
        tried.iter().map(|subject| subject.name).join(", ")
    };
    let left = left.iter().chunk_by(|subject| subject.see);
    let left = left.into_iter().map(|(see, of)| {
        let names = of.map(|subject| subject.name).join(", ");
        format!("{names} (see {see})")
    });
    let left: Vec<String> = left.collect();
    let sentence = [("tried: ", tried), ("not tried: ", left.join(", "))];
    let said = sentence.iter().filter(|(_, what)| !what.is_empty());
    Some(said.map(|(verb, what)| format!("{verb}{what}")).join("; "))
}

fn is<A: Axis>(case: &Case, value: A) -> bool {
    case.is(A::NAME, value.word())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(names: &[&str]) -> Option<String> {
        let cases: Vec<Case> = names.iter().map(|name| name.parse().unwrap()).collect();
        scope(&cases)
    }

    #[test]
    fn what_was_left_out_is_told_with_the_way_to_try_it() {
        let said = said(&[
            "tck/libvirt/a,a,b/p2p/persistent-running-undefined/none",
            "tck/libvirt/a,a,b/p2p/persistent-running-undefined/live/net",
        ]);
        assert_eq!(
            said.as_deref(),
            Some(
                "tried: live migration (LIVE), the hardware of real guests, the libvirt API; not \
                 tried: postcopy, multifd, TLS (see --suite qemu), pc machines, devices in use (see \
                 --suite qemu --profile devices), copies of storage (see --suite backup \
                 --profile checkpoints), recovery from failures (see --suite recovery)"
            )
        );
    }

    #[test]
    fn cases_that_try_none_of_it_are_told_by_their_suite() {
        let said = said(&[
            "colo/qemu/a,b/single-channel/primary/idle/plain",
            "colo/qemu/a,b/single-channel/secondary/idle/plain",
        ]);
        let begin = "tried: the suite colo; not tried: live migration (LIVE), ";
        assert!(
            said.as_deref().is_some_and(|one| one.starts_with(begin)),
            "{said:?}"
        );
    }

    #[test]
    fn storage_is_copied_only_on_the_journey_that_copies_it() {
        for (journey, is_tried) in [
            ("stay", false),
            ("shared-storage", false),
            ("copied-storage", true),
        ] {
            let case =
                format!("backup/qemu/a,b/{journey}/blockdev-backup/incremental-simple/plain");
            let said = said(&[&case, &case]).expect("they are two");
            let tried = said.split("; not tried: ").next().unwrap_or_default();
            assert_eq!(tried.contains("copies of storage"), is_tried, "{said}");
        }
    }

    #[test]
    fn what_is_struck_with_right_certificates_alone_has_tried_encryption() {
        for (strike, is_tried) in [("tls-right", true), ("tls-expired", false)] {
            let scenario = "call/p2p/persistent-running-undefined/live";
            let case = format!("recovery/libvirt/a,a,b/{strike}/{scenario}");
            let said = said(&[&case, &case]).expect("they are two");
            let tried = said.split("; not tried: ").next().unwrap_or_default();
            assert_eq!(tried.contains("TLS"), is_tried, "{said}");
        }
    }

    #[test]
    fn what_has_a_flag_of_libvirt_was_not_tried_with_qemu_alone() {
        let case = "qemu/qemu/a,b/precopy/tcp/running/plain";
        let said = said(&[case, case]);
        let begin = "tried: the suite qemu; not tried: live migration (LIVE), ";
        assert!(
            said.as_deref().is_some_and(|one| one.starts_with(begin)),
            "{said:?}"
        );
    }

    #[test]
    fn one_case_and_faults_leave_nothing_out() {
        assert_eq!(
            said(&["tck/libvirt/a,a,b/p2p/persistent-running-undefined/none"]),
            None
        );
        let fault = "faults/libvirt/a,a,b/normal/persistent-running-undefined/none/memory-byte";
        assert_eq!(said(&[fault, fault]), None);
    }
}
