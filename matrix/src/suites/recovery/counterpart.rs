//! The migration with QEMU alone that goes through the same, where there is one: it tells whose fault a failed recovery
//! is. What strikes a daemon, a client or a domain has none.

use super::{
    axes::{RecoveryMoment, Strike, Way},
    point::Recovery,
};
use crate::{GuestState, Raw};
use RecoveryMoment::{Call, Finish, FirstPass, LaterPass, PostcopyEnd, PostcopyMiddle, Switchover};
use Strike::{
    Cancelled, DataReset, DataStalled, DestinationQemuKilled, DestinationQemuStopped,
    NeverConverges, PostcopyPaused, Resumed, SourceQemuStopped, Suspended, Undisturbed,
    UriRefusing,
};

/// What a struck migration is, and the method and the options of the suite `qemu` that go through the same.
struct Row {
    strikes: &'static [Strike],
    /// None where any will do.
    moments: &'static [RecoveryMoment],
    method: &'static str,
    options: &'static str,
}

const ROWS: [Row; 12] = [
    Row {
        strikes: &[Cancelled, NeverConverges, DataStalled],
        moments: &[FirstPass, LaterPass],
        method: "precopy",
        options: "cancel-active",
    },
    Row {
        strikes: &[Cancelled, DataStalled],
        moments: &[Switchover],
        method: "precopy",
        options: "pause-before-switchover+cancel-pre-switchover",
    },
    Row {
        strikes: &[Cancelled],
        moments: &[Finish],
        method: "precopy",
        options: "cancel-completed",
    },
    Row {
        strikes: &[DataReset],
        moments: &[FirstPass, LaterPass],
        method: "precopy",
        options: "lose-active",
    },
    Row {
        strikes: &[DataReset],
        moments: &[Switchover],
        method: "precopy",
        options: "return-path+pause-before-switchover+lose-pre-switchover",
    },
    Row {
        strikes: &[DestinationQemuKilled],
        moments: &[FirstPass, LaterPass],
        method: "precopy",
        options: "kill-active",
    },
    Row {
        strikes: &[DestinationQemuKilled],
        moments: &[Switchover],
        method: "precopy",
        options: "return-path+pause-before-switchover+kill-pre-switchover",
    },
    Row {
        strikes: &[DestinationQemuStopped],
        moments: &[FirstPass, LaterPass],
        method: "precopy",
        options: "hold-active",
    },
    Row {
        strikes: &[UriRefusing],
        moments: &[Call],
        method: "precopy",
        options: "bad-destination",
    },
    Row {
        strikes: &[DataReset, PostcopyPaused],
        moments: &[PostcopyMiddle],
        method: "postcopy",
        options: "recover",
    },
    Row {
        strikes: &[Undisturbed, Cancelled],
        moments: &[PostcopyMiddle, PostcopyEnd],
        method: "postcopy",
        options: "plain",
    },
    Row {
        strikes: &[
            Suspended,
            Resumed,
            SourceQemuStopped,
            DestinationQemuStopped,
        ],
        moments: &[],
        method: "precopy",
        options: "plain",
    },
];

/// The raw migration that goes through the same.
pub(super) fn counterpart(point: &Recovery) -> Option<Raw> {
    let is = |row: &&Row| {
        let at = row.moments.is_empty() || row.moments.contains(&point.moment);
        at && row.strikes.contains(&point.strike) && point.way == Way::Documented
    };
    let row = ROWS.iter().find(is)?;
    let guest = match point.runs() {
        true => GuestState::Running,
        false => GuestState::Stopped,
    };
    let name = format!("{}/tcp/{}/{}", row.method, guest.word(), row.options);
    name.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        point::SuitePoint as _,
        suites::recovery::{profiles::product, rules::excluded},
    };

    #[test]
    fn each_row_has_points_and_its_raw_migrations_may_be_run() {
        let mut found = 0;
        for point in product().iter().filter(|one| excluded(one).is_none()) {
            if let Some(raw) = counterpart(point) {
                assert_eq!(raw.excluded(), None, "{point}: {raw}");
                found += 1;
            }
        }
        assert!(found > 0);
        for row in &ROWS {
            let name = format!("{}/tcp/running/{}", row.method, row.options);
            assert!(name.parse::<Raw>().is_ok(), "{name}");
        }
    }
}
