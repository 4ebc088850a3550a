//! The rules of the `recovery` suite: which points can't be, or would show nothing, and why.

use super::{
    axes::{RecoveryMoment, Strike, Way},
    kinds::Family,
    point::Recovery,
};
use crate::{
    Control, Flag, FlagSet, Rule, Scenario,
    rule::{Row, first, row},
};
use RecoveryMoment::{Confirm, Finish, FirstPass, LaterPass, Launched, Prepare, Reply, Switchover};
use Strike::{
    DataReset, DataStalled, DestinationQemuKilled, DestinationQemuStopped, DeviceAttached,
    LinkDown, ManagementReset, NeverConverges, ReplyLost, Resumed, SourceDaemonKilled,
    SourceQemuKilled, SourceQemuStopped, Suspended,
};

const POINT: &str = "the suite `recovery`: a case shows what its name says";
const TUNNEL: &str = "virDomainMigrateFlags, VIR_MIGRATE_TUNNELLED";
const PROTOCOL: &str = "virDomainMigrateVersion3Full in libvirt's libvirt-domain.c";

static ROWS: [Row<Recovery>; 23] = [
    row(
        "other-family",
        |point| !strikes(point.family()).contains(&point.strike),
        "a refusal has its cause before the call, and what strikes postcopy is not all that strikes before it",
        POINT,
    ),
    row(
        "flags-of-success",
        |point| !flag_sets().contains(&point.scenario.flags) || has_options(&point.scenario),
        "flags and hardware matter only to what is left of the configurations, and two sets of flags show that",
        POINT,
    ),
    row(
        "reply-alone",
        |point| (point.moment == Reply) != (point.strike == ReplyLost),
        "an answer can be lost only where it is on its way; whatever else strikes then comes before or after it",
        POINT,
    ),
    row(
        "needs-a-later-pass",
        |point| point.strike == NeverConverges && point.moment != LaterPass,
        "a guest that never converges is seen by its passes",
        POINT,
    ),
    row(
        "no-qemu-there",
        has_no_qemu,
        "the destination has no QEMU of the guest before it is launched, and the source none when the \
         migration is confirmed",
        PROTOCOL,
    ),
    row(
        "no-data-connection",
        |point| {
            let connected = [FirstPass, LaterPass, Switchover, Finish];
            point.strike == DataReset
                && point.family() == Family::InFlight
                && !connected.contains(&point.moment)
        },
        "the source connects for the data when the destination listens and the hook has returned, and has no \
         QEMU any more when the migration is confirmed",
        PROTOCOL,
    ),
    row(
        "nothing-to-stall",
        |point| {
            point.strike == DataStalled
                && ![FirstPass, LaterPass, Switchover].contains(&point.moment)
        },
        "data that don't flow yet, or are all there, can't be held back",
        POINT,
    ),
    row(
        "nothing-crosses",
        |point| {
            (point.strike == LinkDown && [Launched, Confirm].contains(&point.moment))
                || (point.strike == ManagementReset && point.moment == Confirm)
        },
        "what is awaited then is on the host itself: nothing crosses the link",
        PROTOCOL,
    ),
    row(
        "stands-and-does-nothing",
        |point| point.strike.is_by_guest() && (!point.runs() || point.moment.is_stopped()),
        "a guest that is paused, or stopped for the switchover, does nothing by itself",
        POINT,
    ),
    row(
        "twice-in-perform-and-finish",
        |point| point.strike.is_twice() && ![FirstPass, Finish].contains(&point.moment),
        "a second restart meets what the first one has recovered, which is another thing in Perform and in Finish alone",
        "qemuProcessRecoverMigrationOut and qemuProcessRecoverMigrationIn in libvirt's qemu_process.c",
    ),
    row(
        "job-is-the-same",
        is_the_same_job,
        "the migration's job is one from Begin to Confirm, and whoever wants another waits for that alike",
        "enum qemuMigrationJobPhase in libvirt's qemu_domainjob.h",
    ),
    row(
        "others-need-both-daemons",
        |point| {
            !point.strike.companions().is_empty()
                && ![Prepare, FirstPass, LaterPass].contains(&point.moment)
        },
        "other guests migrate while this one is held by something that is its own, and by no daemon; where its memory \
         is there already, it is not in their way",
        POINT,
    ),
    row(
        "others-take-longer",
        |point| !point.strike.companions().is_empty() && !point.runs() && point.moment == FirstPass,
        "a pass over the memory of a guest that is paused is over before others have migrated",
        POINT,
    ),
    row(
        "no-data-fault-in-a-tunnel",
        |point| point.strike.is_of_data() && is_tunnelled(point),
        "a tunnel has no connection of the data: they are in that of the daemons",
        TUNNEL,
    ),
    row(
        "no-held-daemon-in-a-tunnel",
        |point| is_tunnelled(point) && point.moment.holds_daemon(),
        "the daemon that is held still to stand at that moment carries the data, and its peer's keepalive ends \
         the migration first",
        TUNNEL,
    ),
    row(
        "no-native-data-in-a-tunnel",
        |point| is_tunnelled(point) && point.strike.is_of_native_data(),
        "a tunnel has no migration URI, no port and no TLS of QEMU's",
        TUNNEL,
    ),
    row(
        "no-postcopy-in-a-tunnel",
        |point| is_tunnelled(point) && point.family() == Family::Postcopy,
        "postcopy needs a way back for the requests of pages, which a tunnel has not",
        TUNNEL,
    ),
    row(
        "paused-dirties-nothing",
        |point| !point.runs() && point.moment == LaterPass,
        "memory that nobody dirties needs no further pass",
        POINT,
    ),
    row(
        "paused-asks-for-no-page",
        |point| !point.runs() && point.family() == Family::Postcopy,
        "a guest that is paused does not run on the destination before its memory is there",
        POINT,
    ),
    row(
        "suspended-or-resumed-already",
        |point| {
            (point.strike == Suspended && !point.runs())
                || (point.strike == Resumed && point.runs())
        },
        "who is paused can't be suspended, and who runs can't be resumed",
        POINT,
    ),
    row(
        "conflict-takes-the-place",
        |point| point.strike.is_conflict() && point.is_prepared(),
        "where the destination has the domain's own configuration, its name and its UUID are taken by that",
        "virDomainObjListAdd in libvirt's virdomainobjlist.c",
    ),
    row(
        "one-way-on",
        |point| {
            point.way == Way::GiveUp
                && !(point.family() == Family::Postcopy && point.strike.has_two_ways())
        },
        "there is a choice only where a postcopy can be gone on with, or be given up",
        "virDomainMigrateFlags, VIR_MIGRATE_POSTCOPY_RESUME",
    ),
    row(
        "answered-when-given-up",
        |point| {
            point.way == Way::GiveUp
                && point.strike == SourceDaemonKilled
                && point.control() == Control::Normal
        },
        "the client waits for the destination's Finish, and that for memory which is held until it is given up: \
         there is no answer before",
        PROTOCOL,
    ),
];

/// The rule that leaves `point` out; `None` where it may be run.
pub(crate) fn excluded(point: &Recovery) -> Option<&'static Rule> {
    first(&ROWS, point)
}

/// What strikes in a part of the suite.
pub(super) const fn strikes(family: Family) -> &'static [Strike] {
    match family {
        Family::Refused => &Strike::REFUSED,
        Family::InFlight => &Strike::IN_FLIGHT,
        Family::Postcopy => &Strike::POSTCOPY,
    }
}

/// The sets of flags: those that change nothing of the configurations, and those that change both. A live
/// migration is the one that has further passes.
pub(super) fn flag_sets() -> [FlagSet; 2] {
    let live = FlagSet::NONE.with(Flag::Live);
    [
        live,
        live.with(Flag::UndefineSource).with(Flag::PersistDest),
    ]
}

fn has_options(scenario: &Scenario) -> bool {
    (scenario.hardware, scenario.parallel) != (Scenario::USUAL.hardware, Scenario::USUAL.parallel)
}

/// A second migration is another call in each phase that it would begin in; a device is another thing to a QEMU that
/// sends memory, and to one that has stopped its guest for the rest.
fn is_the_same_job(point: &Recovery) -> bool {
    let shown: &[RecoveryMoment] = if point.strike == DeviceAttached {
        &[FirstPass, LaterPass, Switchover]
    } else {
        &[Prepare, FirstPass, LaterPass, Reply, Confirm]
    };
    point.strike.is_further_job() && !shown.contains(&point.moment)
}

fn is_tunnelled(point: &Recovery) -> bool {
    point.control() == Control::Tunnelled
}

fn has_no_qemu(point: &Recovery) -> bool {
    let on_source = matches!(point.strike, SourceQemuKilled | SourceQemuStopped);
    let on_destination = matches!(point.strike, DestinationQemuKilled | DestinationQemuStopped);
    (on_source && point.moment == Confirm) || (on_destination && point.moment == Prepare)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::suites::recovery::profiles::product;

    #[test]
    fn every_rule_leaves_something_out_of_the_product() {
        let named: BTreeSet<_> = product()
            .iter()
            .filter_map(|point| excluded(point).map(|rule| rule.name))
            .collect();
        let unused: Vec<_> = ROWS
            .iter()
            .map(|row| row.name())
            .filter(|name| !named.contains(name))
            .collect();
        assert_eq!(unused, ["other-family", "flags-of-success"]);
    }

    #[test]
    fn a_point_that_only_a_name_can_make_is_left_out_too() {
        for (text, rule) in [
            (
                "tls-missing/first-pass/normal/persistent-running-undefined/live",
                "other-family",
            ),
            (
                "cancelled/first-pass/normal/persistent-running-undefined/none",
                "flags-of-success",
            ),
            (
                "cancelled/first-pass+give-up/normal/persistent-running-undefined/live",
                "one-way-on",
            ),
        ] {
            let point: Recovery = text.parse().unwrap();
            assert_eq!(excluded(&point).unwrap().name, rule, "{text}");
        }
    }
}
