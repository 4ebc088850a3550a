//! A point of the `recovery` suite: a migration through libvirt that something strikes on its way.

use std::{fmt, str::FromStr};

use super::{
    axes::{RecoveryMoment, Strike, Way},
    kinds::Family,
};
use crate::{
    Activity, Axis, AxisInfo, BadWord, Call, Control, Flag, FlagSet, Preparation, Scenario,
    word::serde_as_text,
};

/// A scenario of the suite `tck`, and what strikes its migration, when, and how an operator goes on.
///
/// Its text is `STRIKE/MOMENT/CONTROL/STATE/FLAGS`, as in
/// `cancelled/first-pass/p2p/persistent-running-undefined/live`; the way on stands behind the moment
/// where it is not the usual one: `data-reset/postcopy-middle+give-up/…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Recovery {
    /// What goes wrong.
    pub strike: Strike,
    /// When.
    pub moment: RecoveryMoment,
    /// How it goes on.
    pub way: Way,
    /// What is migrated, and how.
    pub scenario: Scenario,
}

/// What the text of a point looks like.
const SHAPE: &str = "STRIKE/MOMENT/CONTROL/STATE/FLAGS";

/// The bandwidth of a migration that is to be struck, in MiB/s. It holds it in its passes: a guest that
/// dirties its megabyte a hundred times a second never fits into QEMU's usual downtime at that rate.
pub const HELD_BANDWIDTH_MIB: u32 = 1;

impl Recovery {
    /// Its axes; the others are those of its scenario.
    pub const AXES: &'static [&'static AxisInfo] =
        &[&Strike::INFO, &RecoveryMoment::INFO, &Way::INFO];

    /// A running, persistent guest with nothing on the destination, whose client drives the migration.
    pub const USUAL: Self = Self {
        strike: Strike::Cancelled,
        moment: RecoveryMoment::FirstPass,
        way: Way::Documented,
        scenario: Scenario::USUAL.with(Flag::Live),
    };

    /// The part of the suite that it is in.
    #[must_use]
    pub const fn family(&self) -> Family {
        self.moment.family()
    }

    /// Who drives the migration.
    #[must_use]
    pub const fn control(&self) -> Control {
        self.scenario.control
    }

    /// Whether the guest runs when the migration is asked for.
    #[must_use]
    pub const fn runs(&self) -> bool {
        matches!(self.scenario.state.activity, Activity::Running)
    }

    /// Whether the destination has the domain's configuration before.
    #[must_use]
    pub const fn is_prepared(&self) -> bool {
        matches!(self.scenario.state.preparation, Preparation::Defined)
    }

    /// Whether its hosts must be alone with it: something that all their domains share is touched, or a daemon may
    /// go with what is struck.
    #[must_use]
    pub const fn needs_hosts_alone(&self) -> bool {
        self.strike.touches_host() || self.moment.holds_daemon() || self.strikes_daemon()
    }

    /// Whether neither the fault nor what libvirt does about it asks whether the guest runs: what is refused,
    /// before the migration or beside it; what other guests do; what is held still and let go, or is struck a second time, where the
    /// first tells all; and what strikes before Perform, which is the step that looks at the guest
    /// (`qemuMigrationSrcPerform`).
    #[must_use]
    pub const fn is_blind_to_activity(&self) -> bool {
        let refused = matches!(self.family(), Family::Refused) || self.strike.is_further_job();
        let others = !self.strike.companions().is_empty();
        let waits = matches!(
            self.strike,
            Strike::SourceQemuStopped | Strike::DestinationQemuStopped
        );
        let prepares = matches!(self.moment, RecoveryMoment::Prepare);
        refused || others || waits || self.strike.is_twice() || prepares
    }

    /// Whether what is struck is in a daemon itself: the data of a tunnel, which end in a stream of the daemon's
    /// (`virDomainMigratePrepareTunnel3`), and a postcopy that the daemon is asked to go on with
    /// (`VIR_MIGRATE_POSTCOPY_RESUME`). Daemons were seen to die of both.
    const fn strikes_daemon(&self) -> bool {
        match self.family() {
            Family::Refused => false,
            Family::InFlight => matches!(self.control(), Control::Tunnelled),
            Family::Postcopy => matches!(self.way, Way::Documented),
        }
    }

    /// How the migration that is to be struck is asked for.
    #[must_use]
    pub fn call(&self) -> Call {
        let held = match self.family() {
            Family::Refused => None,
            Family::InFlight | Family::Postcopy => Some(HELD_BANDWIDTH_MIB),
        };
        let mut call = self.scenario.call(held);
        if self.family() == Family::Postcopy {
            call.flags.push("VIR_MIGRATE_POSTCOPY");
        }
        if self.strike.is_of_encryption() {
            call.flags.push("VIR_MIGRATE_TLS");
        }
        call
    }

    /// How a postcopy that was lost is gone on with: as it was asked for, with the same flags
    /// (`VIR_MIGRATE_POSTCOPY_RESUME`).
    #[must_use]
    pub fn resume_call(&self) -> Call {
        let mut call = self.call();
        call.flags.push("VIR_MIGRATE_POSTCOPY_RESUME");
        call
    }

    /// The plain migration that is tried in the end: by the same control method, live, with no other
    /// flag and no bound.
    #[must_use]
    pub fn retry(&self) -> Scenario {
        Scenario {
            flags: FlagSet::NONE.with(Flag::Live),
            ..self.scenario
        }
    }
}

impl Default for Recovery {
    fn default() -> Self {
        Self::USUAL
    }
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.strike.word(), self.moment.word())?;
        if self.way != Way::default() {
            write!(f, "+{}", self.way.word())?;
        }
        write!(f, "/{}", self.scenario)
    }
}

impl FromStr for Recovery {
    type Err = BadWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, '/');
        let (Some(strike), Some(moment), Some(scenario)) =
            (parts.next(), parts.next(), parts.next())
        else {
            return Err(BadWord {
                kind: "point",
                word: text.to_owned(),
                known: vec![SHAPE.to_owned()],
            });
        };
        let (moment, way) = match moment.split_once('+') {
            Some((moment, way)) => (moment, way.parse()?),
            None => (moment, Way::default()),
        };
        Ok(Self {
            strike: strike.parse()?,
            moment: moment.parse()?,
            way,
            scenario: scenario.parse()?,
        })
    }
}

serde_as_text!(Recovery);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_take_a_daemon_with_it_has_hosts_of_its_own() {
        let of = |name: &str| {
            let point: Recovery = name.parse().unwrap();
            point.needs_hosts_alone()
        };
        for (begin, expected) in [
            ("destination-qemu-killed/first-pass/tunnelled", true),
            ("destination-qemu-killed/first-pass/p2p", false),
            ("management-reset/prepare/tunnelled", true),
            ("port-taken/call/tunnelled", false),
            ("data-reset/postcopy-middle/p2p", true),
            ("data-reset/postcopy-middle+give-up/p2p", false),
            ("source-daemon-killed/first-pass/p2p", true),
            ("cancelled/switchover/p2p", true),
        ] {
            let name = format!("{begin}/persistent-running-undefined/live");
            assert_eq!(of(&name), expected, "{name}");
        }
    }
}
