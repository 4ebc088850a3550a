//! How the daemons of hosts are set up, and which case runs on which.

use std::collections::BTreeSet;

use crate::{Case, Plan, Point, axis::axis};

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
        /// As quick ones, and so that what fails on them can be recovered from: a host outlives its daemon,
        /// which calls a hook script at each step of a domain, and takes a peer that is silent for four
        /// seconds for lost (`keepalive_interval = 1`, `keepalive_count = 3`).
        Resilient = "resilient",
    }
}

impl Plan {
    /// How the hosts of each case are set up, in the order of the cases.
    ///
    /// Resilient are those of migrations that are struck on their way. Of the others, as shipped are those of cases whose domain says something of its processors; as a control,
    /// those of the first case of each tuple and control method; and all if the run's options say so.
    #[must_use]
    pub fn setups(&self) -> Vec<HostSetup> {
        let mut controlled = BTreeSet::new();
        let setup = |case: &Case| {
            if matches!(case.point, Point::Recovery(_)) {
                return HostSetup::Resilient;
            }
            let Some(scenario) = case.point.scenario() else {
                return HostSetup::AsShipped;
            };
            let first = controlled.insert((case.tuple.clone(), scenario.control));
            if first || scenario.hardware.names_processors() || self.options.as_shipped {
                HostSetup::AsShipped
            } else {
                HostSetup::Quick
            }
        };
        self.cases.iter().map(setup).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Control, Profile, Release, ReleaseName, Releases, RunOptions, Selection};

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
}
