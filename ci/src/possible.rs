//! What a run could have tried beside its cases: what accounts for its failures is sure only where none of these
//! could tell another thing.

use std::collections::BTreeSet;

use anyhow::Result;
use migratrix_matrix::{Case, HostSetup, Plan, ReleaseName, Releases, Role, Selection};
use migratrix_reports::Possible;

use crate::config::Config;

/// What cases that were named stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// Themselves: another run says what could be tried.
    Themselves,
    /// Their suite's profile on their releases.
    TheirLike,
}

impl Named {
    /// What they stand for in these runs: for their like where no run was begun by anything else.
    pub fn of<'p>(mut plans: impl Iterator<Item = &'p Plan>) -> Self {
        if plans.all(|plan| !plan.selection.names.is_empty()) {
            Self::TheirLike
        } else {
            Self::Themselves
        }
    }
}

/// The cases that a run could try: those of its plan, and on its releases those of its selection without the
/// cover and the shard, but for those that its versions of QEMU rule out; and how their hosts could be set up.
/// Real machines are as they are.
///
/// # Errors
/// Fails where the plan names a release twice.
pub fn possible(plan: &Plan, config: &Config, named: Named) -> Result<Vec<Possible>> {
    let real = |name: &ReleaseName| config.hosts.contains_key(name);
    let ways = |case: &Case| {
        if real(&case.tuple.source) || real(&case.tuple.destination) {
            vec![HostSetup::AsShipped]
        } else {
            plan.ways(case)
        }
    };
    let releases = Releases::new(plan.releases.clone())?;
    let all = plan.cases.iter().cloned();
    let all: BTreeSet<_> = all.chain(space(plan, named, &releases)?).collect();
    let all = all
        .into_iter()
        .filter(|case| !is_ruled_out(case, &releases));
    let possible = all.map(|case| Possible {
        ways: ways(&case),
        case,
    });
    Ok(possible.collect())
}

/// What the run could have tried on its releases: its selection without the cover and the shard. Cases that were
/// named stand for the whole profile on their releases, or for the suite's first where they name none.
fn space(plan: &Plan, named: Named, releases: &Releases) -> Result<Vec<Case>> {
    if named == Named::Themselves && !plan.selection.names.is_empty() {
        return Ok(Vec::new());
    }
    let all = wholes(plan).into_iter().flat_map(|selection| {
        let whole = Selection {
            cover: None,
            with: Vec::new(),
            shard: None,
            ..selection
        };
        // The plan has only those releases that its cases name: a filter may name others.
        whole.cases(releases).unwrap_or_default()
    });
    Ok(all.collect())
}

/// Whether the versions of its QEMUs tell that a case would be skipped.
fn is_ruled_out(case: &Case, releases: &Releases) -> bool {
    let of = |name| releases.find(name).ok().and_then(|release| release.qemu);
    let versions = [&case.tuple.source, &case.tuple.destination].map(of);
    let needs = case.point.needs();
    needs.iter().any(|need| need.is_ruled_out(versions))
}

/// The selection of a run; where it was begun by the names of cases, that of all their like on their tuples.
fn wholes(plan: &Plan) -> Vec<Selection> {
    let Selection { names, .. } = &plan.selection;
    if names.is_empty() {
        return vec![plan.selection.clone()];
    }
    let kinds: BTreeSet<_> = names
        .iter()
        .map(|case| (case.suite(), case.backend))
        .collect();
    let of = |(suite, backend)| {
        let own = || {
            names
                .iter()
                .filter(move |case| (case.suite(), case.backend) == (suite, backend))
        };
        let at = |role| {
            let names: BTreeSet<_> = own().map(|case| case.tuple.at(role).clone()).collect();
            names.into_iter().collect()
        };
        Selection {
            suite,
            backend,
            clients: at(Role::Client),
            sources: at(Role::Source),
            destinations: at(Role::Destination),
            names: Vec::new(),
            ..plan.selection.clone()
        }
    };
    kinds.into_iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use migratrix_matrix::Release;

    use super::*;

    #[test]
    fn what_the_versions_of_a_pair_rule_out_could_not_have_been_tried() {
        let release = |(name, qemu): (&str, &str)| Release {
            qemu: qemu.parse().ok(),
            ..Release::unknown(ReleaseName::new(name).expect("a name"))
        };
        let all = [("trixie", "10.0.13"), ("sid", "11.1.3"), ("other", "")];
        let releases = Releases::new(all.map(release).to_vec()).expect("each once");
        for (case, expected) in [
            ("trixie,sid/precopy/unix/running/nvme", true),
            ("sid,sid/precopy/unix/running/nvme", false),
            ("sid,trixie/precopy/unix/running/nvme", true),
            ("sid,other/precopy/unix/running/nvme", false),
            ("trixie,sid/precopy/unix/running/vga", false),
        ] {
            let named = format!("qemu/qemu/{case}").parse().expect("a case");
            assert_eq!(is_ruled_out(&named, &releases), expected, "{case}");
        }
    }
}
