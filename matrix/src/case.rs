//! A case: one scenario of a suite, on a tuple and a back end. It has one name.

use crate::{
    Activity, Control, Fault, Flag, FlagSet, Persistence, Preparation, Tuple,
};

/// A set of axes with their rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Suite {
    /// The scenarios of the libvirt TCK's migration test, and their extensions.
    Tck,
    /// Each condition's own test: a scenario with a real fault, whose condition must trip.
    Faults,
}

/// What runs the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Backend {
    /// Real libvirt daemons and client libraries.
    Libvirt,
    /// The hypervisor in memory, which tests the tester.
    Fake,
}

/// The state that both sides are in before the migration: 8 values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct State {
    /// Whether the source has a configuration.
    pub persistence: Persistence,
    /// Whether the guest runs.
    pub activity: Activity,
    /// Whether the destination has a configuration.
    pub preparation: Preparation,
}

/// Control method × state × flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scenario {
    /// Who drives the migration.
    pub control: Control,
    /// The state before it.
    pub state: State,
    /// The flags that are given.
    pub flags: FlagSet,
}

/// One thing to run and to judge.
///
/// Its name is `SUITE/BACKEND/CLIENT,SOURCE,DESTINATION/CONTROL/STATE/FLAGS`, as in
/// `tck/libvirt/trixie,bookworm,trixie/p2p/persistent-running-bare/undefine+persist`, and ends in
/// `/FAULT` where the case has one. What a report prints, `run --case` accepts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Case {
    /// The suite that it belongs to.
    pub suite: Suite,
    /// What runs it.
    pub backend: Backend,
    /// The releases at the three places.
    pub tuple: Tuple,
    /// What is done.
    pub scenario: Scenario,
    /// What is broken on purpose; always there in [`Suite::Faults`], and only there.
    pub fault: Option<Fault>,
}

/// What the model of libvirt says must come of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// Before: the source has a configuration.
    pub source_defined: bool,
    /// Before: what the guest does.
    pub activity: Activity,
    /// Before: the destination has an inactive configuration.
    pub destination_defined: bool,
    /// While memory is copied: what the guest does.
    pub during: Activity,
    /// After: the source has a configuration.
    pub source_config: bool,
    /// After: the destination's domain is persistent.
    pub destination_config: bool,
    /// After: what the guest does.
    pub destination_activity: Activity,
}

impl Scenario {
    /// What must come of it, by the documentation of `virDomainMigrateFlags`.
    ///
    /// - The source's configuration stays iff it was there and `UNDEFINE_SOURCE` was not given.
    /// - The destination's is there iff it was defined before or `PERSIST_DEST` was given.
    /// - The guest is paused at the end iff it was before or `PAUSED` was given.
    /// - It runs while its memory is copied iff it ran before and `LIVE` was given.
    #[must_use]
    pub fn expectation(&self) -> Expectation {
        let source_defined = self.state.persistence == Persistence::Persistent;
        let destination_defined = self.state.preparation == Preparation::Prepared;
        let runs_if = |runs: bool| {
            if runs { self.state.activity } else { Activity::Paused }
        };
        Expectation {
            source_defined,
            activity: self.state.activity,
            destination_defined,
            during: runs_if(self.flags.has(Flag::Live)),
            source_config: source_defined && !self.flags.has(Flag::UndefineSource),
            destination_config: destination_defined || self.flags.has(Flag::PersistDest),
            destination_activity: runs_if(!self.flags.has(Flag::Paused)),
        }
    }
}
