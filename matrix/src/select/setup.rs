//! How the daemons of hosts are set up, and which case runs on which.

use std::collections::BTreeSet;

use crate::{Backend, Case, Plan, Point, Release, ReleaseName, RunOptions, Version, axis::axis};

axis! {
    /// How the daemon of a host of ours is set up.
    HostSetup, "setup", kind "setup of a host" {
        /// As hosts are.
        AsShipped = "as-shipped",
        /// With `capability_filters = ["cpu-unavailable-features"]` in its `qemu.conf`: libvirt doesn't ask
        /// each QEMU that it starts for some 400 properties of its processor, one by one, which is most of
        /// the processor time of a start. It then doesn't check either whether the guest got the processor
        /// that its domain names.
        Quick = "quick",
        /// With that filter where there is one, and so that what fails on them can be recovered from: a host outlives its daemon,
        /// which calls a hook script at each step of a domain, and takes a peer that is silent for four
        /// seconds for lost (`keepalive_interval = 1`, `keepalive_count = 3`).
        Resilient = "resilient",
    }
}

/// From here on libvirt asks for all properties of a processor at once (`qom-list-get`), and has no other way
/// to see what the guest got: with the filter it tells another domain (`check='none'`). Seen with 12.8.0;
/// those after 11.3.0, which does ask one by one, are left as they are shipped.
const ASKS_AT_ONCE: Version = Version::new(11, 4, 0);

impl HostSetup {
    /// How a host of this libvirt is set up, where its case asks for this.
    #[must_use]
    pub fn of(self, libvirt: Option<Version>) -> Self {
        match self {
            Self::Quick if !self.filters(libvirt) => Self::AsShipped,
            Self::Quick | Self::AsShipped | Self::Resilient => self,
        }
    }

    /// Whether a host of this libvirt that is set up so asks no QEMU for the properties of its processor.
    #[must_use]
    pub fn filters(self, libvirt: Option<Version>) -> bool {
        match self {
            Self::AsShipped => false,
            Self::Quick | Self::Resilient => libvirt.is_some_and(|version| version < ASKS_AT_ONCE),
        }
    }
}

impl HostSetup {
    /// How the hosts of a case are set up, where it is no control: see [`Plan::setups`].
    fn usual(case: &Case, releases: &[Release]) -> Self {
        let asks = |name: &ReleaseName| {
            let release = releases.iter().find(|one| one.name == *name);
            let libvirt = release.and_then(|one| one.libvirt);
            libvirt.is_none_or(|version| version < ASKS_AT_ONCE)
        };
        if matches!(case.point, Point::Recovery(_)) {
            return Self::Resilient;
        }
        let quicker = asks(&case.tuple.source) || asks(&case.tuple.destination);
        let scenario = case.point.scenario();
        match scenario.filter(|one| quicker && !one.hardware.names_processors()) {
            Some(_) => Self::Quick,
            None => Self::AsShipped,
        }
    }

    /// The option of a run by which its cases run on such hosts, where they can run on others too.
    #[must_use]
    pub const fn option(self) -> Option<&'static str> {
        match self {
            Self::AsShipped => Some("--as-shipped"),
            Self::Quick => Some("--without-controls"),
            Self::Resilient => None,
        }
    }
}

impl Plan {
    /// How the hosts of each case are set up, in the order of the cases.
    ///
    /// Resilient are those of migrations that are struck on their way. Of the others, as shipped are those of
    /// cases whose domain says something of its processors; as a control, unless the run's options leave these
    /// out, those of the first case of each tuple and control method; those of libvirts that none is
    /// [quick](HostSetup::of) of; and all if the run's options say so.
    #[must_use]
    pub fn setups(&self) -> Vec<HostSetup> {
        let mut controlled = BTreeSet::new();
        let setup = |case: &Case| {
            let usual = HostSetup::usual(case, &self.releases);
            let scenario = case.point.scenario();
            let scenario = scenario.filter(|_| usual != HostSetup::Resilient);
            let first =
                scenario.is_some_and(|one| controlled.insert((case.tuple.clone(), one.control)));
            let is_control = first && !self.options.without_controls;
            match usual {
                HostSetup::Quick if is_control || self.options.as_shipped => HostSetup::AsShipped,
                HostSetup::Quick | HostSetup::AsShipped | HostSetup::Resilient => usual,
            }
        };
        self.cases.iter().map(setup).collect()
    }

    /// The options of this run by which most of `cases` run again on hosts that are set up as theirs were, whatever
    /// others run beside them; and how many of them don't.
    #[must_use]
    pub fn again_on(&self, cases: &[(Case, HostSetup)]) -> (RunOptions, usize) {
        let kept = self.options.clone().of_a_case();
        let chosen = cases.iter().filter(|(case, _)| self.ways(case).len() > 1);
        let (quick, shipped): (Vec<_>, Vec<_>) =
            chosen.partition(|(_, setup)| *setup == HostSetup::Quick);
        let (most, others) = match (quick.len(), shipped.len()) {
            (0, 0) => return (kept, 0),
            (quick, shipped) if quick >= shipped => (HostSetup::Quick, shipped),
            (quick, _) => (HostSetup::AsShipped, quick),
        };
        let options = RunOptions {
            as_shipped: most == HostSetup::AsShipped,
            without_controls: most == HostSetup::Quick,
            ..kept
        };
        (options, others)
    }

    /// How the hosts of a case of libvirt could be set up by the [options](HostSetup::option) of a run, the
    /// usual way first. There is one way alone where the case needs it, or this run's options ask for it.
    #[must_use]
    pub fn ways(&self, case: &Case) -> Vec<HostSetup> {
        let usual = HostSetup::usual(case, &self.releases);
        match (case.backend, usual) {
            (Backend::Libvirt, HostSetup::Quick) if !self.options.as_shipped => {
                vec![HostSetup::Quick, HostSetup::AsShipped]
            }
            (Backend::Libvirt, HostSetup::Resilient) => vec![HostSetup::Resilient],
            (Backend::Libvirt | Backend::Qemu | Backend::Fake, _) => vec![HostSetup::AsShipped],
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Control, Profile, Releases, RunOptions, Selection};

    use super::*;

    fn plan(options: RunOptions) -> Plan {
        let release = |name| Release::unknown(ReleaseName::new(name).unwrap());
        let releases = Releases::new(["a", "b"].map(release).to_vec()).unwrap();
        let selection = Selection {
            profile: Some(Profile::DEFAULT),
            ..Selection::default()
        };
        let mut plan = Plan::new(selection, &releases).unwrap();
        plan.options = options;
        plan
    }

    #[test]
    fn each_tuple_and_method_has_a_control_and_no_named_processor_goes_unchecked() {
        let plan = plan(RunOptions::default());
        let setups = plan.setups();
        let cases = || plan.cases.iter().zip(&setups);
        for control in Control::ALL {
            let of = cases().filter(|(case, _)| case.scenario().unwrap().control == control);
            let shipped = of.filter(|(_, setup)| **setup == HostSetup::AsShipped);
            let tuples: BTreeSet<_> = shipped.map(|(case, _)| &case.tuple).collect();
            assert_eq!(tuples.len(), 8);
        }
        let named =
            cases().filter(|(case, _)| case.scenario().unwrap().hardware.names_processors());
        assert!(
            named
                .into_iter()
                .all(|(_, setup)| *setup == HostSetup::AsShipped)
        );
        let quick = setups.iter().filter(|setup| **setup == HostSetup::Quick);
        assert!(quick.count() * 10 > setups.len() * 8);
    }

    #[test]
    fn all_are_as_shipped_where_that_is_asked_for() {
        let as_shipped = true;
        let options = RunOptions {
            as_shipped,
            ..RunOptions::default()
        };
        let setups = plan(options).setups();
        assert!(setups.iter().all(|setup| *setup == HostSetup::AsShipped));
    }

    #[test]
    fn without_controls_each_case_runs_in_its_usual_way() {
        let without_controls = true;
        let plan = plan(RunOptions {
            without_controls,
            ..RunOptions::default()
        });
        let setups = plan.setups();
        for (case, setup) in plan.cases.iter().zip(&setups) {
            let ways = plan.ways(case);
            assert_eq!(ways.first(), Some(setup), "{case}");
            let is_named = case.scenario().unwrap().hardware.names_processors();
            assert_eq!(ways.len(), if is_named { 1 } else { 2 }, "{case}");
        }
        assert!(setups.contains(&HostSetup::Quick));
    }

    #[test]
    fn cases_run_again_on_hosts_set_up_as_theirs_were_where_one_option_can_do_it() {
        let before = plan(RunOptions::default());
        let ran: Vec<_> = before.cases.iter().cloned().zip(before.setups()).collect();
        let (chosen, named): (Vec<_>, Vec<_>) =
            (ran.into_iter()).partition(|(case, _)| before.ways(case).len() > 1);
        let (quick, controls): (Vec<_>, Vec<_>) =
            (chosen.into_iter()).partition(|(_, setup)| *setup == HostSetup::Quick);
        let (options, others) = before.again_on(&quick);
        assert_eq!((options.without_controls, others), (true, 0));
        let (options, others) = before.again_on(&controls);
        assert_eq!(
            (options.as_shipped, options.without_controls, others),
            (true, false, 0)
        );
        let both = [&quick[..], &controls[..1]].concat();
        let (options, others) = before.again_on(&both);
        assert_eq!((options.without_controls, others), (true, 1));
        assert!(!named.is_empty());
        assert_eq!(before.again_on(&named), (RunOptions::default(), 0));
    }

    #[test]
    fn a_libvirt_that_asks_at_once_is_never_filtered() {
        let quick = |major, minor| HostSetup::Quick.of(Some(Version::new(major, minor, 0)));
        assert_eq!(quick(7, 0), HostSetup::Quick);
        assert_eq!(quick(11, 3), HostSetup::Quick);
        assert_eq!(quick(11, 4), HostSetup::AsShipped);
        assert_eq!(quick(12, 8), HostSetup::AsShipped);
        assert_eq!(HostSetup::Quick.of(None), HostSetup::AsShipped);
        let resilient = HostSetup::Resilient;
        let filters = |major| resilient.filters(Some(Version::new(major, 0, 0)));
        assert_eq!([11, 12].map(filters), [true, false]);
        assert_eq!(resilient.of(Some(Version::new(12, 0, 0))), resilient);
        let shipped = HostSetup::AsShipped.of(Some(Version::new(7, 0, 0)));
        assert_eq!(shipped, HostSetup::AsShipped);
    }
}
