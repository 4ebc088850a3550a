//! A ladder: the releases of something that runs on top of libvirt and QEMU, the versions that each
//! takes at least, and the steps that its rules of upgrade allow.

use migratrix_matrix::{ReleaseName, Version};

use super::{
    Stop,
    grid::Pair,
    shortest::{reached, shortest},
};
use crate::ReportError;

/// The releases of something that runs on top, and the steps between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    pub(super) name: String,
    /// In the order in which they came out.
    pub(super) releases: Vec<Rung>,
}

/// A release of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rung {
    pub name: ReleaseName,
    /// What is said of it beside its name.
    pub note: Option<String>,
    /// The oldest libvirt that it takes, where it minds.
    pub libvirt: Option<Version>,
    /// The oldest QEMU, likewise.
    pub qemu: Option<Version>,
    /// To which releases an upgrade may go from it: their places.
    pub next: Vec<usize>,
}

impl Ladder {
    /// The place of the release of this name.
    pub(super) fn place(&self, name: &str) -> Result<usize, ReportError> {
        let all = self.releases.iter();
        let place = all.clone().position(|rung| rung.name.as_str() == name);
        place.ok_or_else(|| {
            let known: Vec<_> = all.map(|rung| rung.name.as_str()).collect();
            ReportError::NotOnLadder {
                name: name.to_owned(),
                ladder: self.name.clone(),
                known: known.join(", "),
            }
        })
    }

    /// The places of the shortest way along its steps.
    pub(super) fn way(&self, ends: Pair) -> Result<Vec<usize>, ReportError> {
        let (from, to) = ends;
        let name = |place: usize| self.releases[place].name.to_string();
        if from == to {
            return Err(ReportError::NoJump(name(from)));
        }
        self.shortest(ends).ok_or_else(|| ReportError::NoSteps {
            ladder: self.name.clone(),
            from: name(from),
            to: name(to),
            mend: match self.shortest((to, from)) {
                Some(_) => format!("upgrades go from `{}` to `{}`", name(to), name(from)),
                None => "give its releases the steps in `next`".to_owned(),
            },
        })
    }

    fn shortest(&self, ends: Pair) -> Option<Vec<usize>> {
        let next = |from: usize| self.releases[from].next.iter().copied();
        shortest(self.releases.len(), ends, next)
    }

    /// All steps that stand on a way between two places.
    pub(super) fn steps(&self, (from, to): Pair) -> Vec<Pair> {
        let count = self.releases.len();
        let ahead = reached(count, from, |place| &self.releases[place].next);
        let behind = self.behind();
        let behind = reached(count, to, |place| &behind[place]);
        let all = self.releases.iter().enumerate();
        let all = all.flat_map(|(place, rung)| rung.next.iter().map(move |next| (place, *next)));
        all.filter(|(begin, end)| ahead[*begin] && behind[*end])
            .collect()
    }

    /// Of each place those that a step leads to it from.
    fn behind(&self) -> Vec<Vec<usize>> {
        let mut behind = vec![Vec::new(); self.releases.len()];
        for (place, rung) in self.releases.iter().enumerate() {
            rung.next.iter().for_each(|next| behind[*next].push(place));
        }
        behind
    }
}

impl Rung {
    /// Whether it takes what a release has: what is not known is not taken.
    pub fn takes(&self, stop: &Stop) -> bool {
        let is_enough = |least: Option<Version>, own: Option<Version>| {
            least.is_none_or(|least| own.is_some_and(|own| own >= least))
        };
        is_enough(self.libvirt, stop.libvirt) && is_enough(self.qemu, stop.qemu)
    }
}
