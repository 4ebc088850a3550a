//! A case on hosts that are set up in a way: how they are is no axis of the case, and may be what it fails by.

use std::fmt;

use migratrix_matrix::{Backend, Case, HostSetup};

use crate::Judgement;

/// A case on hosts that are set up in a way.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Trial {
    /// The case.
    pub case: Case,
    /// How the daemons of its hosts are set up: those of libvirt alone have daemons.
    pub setup: HostSetup,
}

/// A case that could be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Possible {
    /// The case.
    pub case: Case,
    /// How its hosts could be set up, the usual way first.
    pub ways: Vec<HostSetup>,
}

impl Trial {
    /// What a judgement is of.
    #[must_use]
    pub fn of(judgement: &Judgement) -> Self {
        let setup = match judgement.case.backend {
            Backend::Libvirt => judgement.setup,
            Backend::Qemu | Backend::Fake => HostSetup::default(),
        };
        Self {
            case: judgement.case.clone(),
            setup,
        }
    }
}

impl Possible {
    pub(super) fn usually(&self) -> Option<Trial> {
        self.trials().next()
    }

    pub(super) fn trials(&self) -> impl Iterator<Item = Trial> {
        let trial = |setup: &HostSetup| Trial {
            case: self.case.clone(),
            setup: *setup,
        };
        self.ways.iter().map(trial)
    }
}

/// What a cause is: a filter, and where the setup of hosts is a part of it, these.
pub(crate) struct Told<'c> {
    pub filter: &'c str,
    pub setups: &'c [HostSetup],
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.filter, self.setups) {
            (filter, []) => f.write_str(filter),
            ("", setups) => write!(f, "all {}", on(setups)),
            (filter, setups) => write!(f, "{filter}, {}", on(setups)),
        }
    }
}

/// How hosts of a setup are, in words.
pub(crate) const fn words(setup: HostSetup) -> &'static str {
    match setup {
        HostSetup::AsShipped => "hosts are as shipped",
        HostSetup::Quick => "libvirt does not ask QEMU about processors (capability_filters)",
        HostSetup::Resilient => {
            "a host outlives its daemon, and a silent peer counts as lost after 4 s"
        }
    }
}

/// On hosts of which setup, in words.
#[must_use]
pub fn on_hosts(setup: HostSetup) -> String {
    on(&[setup])
}

/// On which hosts, in words.
pub(super) fn on(setups: &[HostSetup]) -> String {
    let words: Vec<_> = setups.iter().map(|one| words(*one)).collect();
    format!("where {}", words.join(" or "))
}
