//! Machine types: which one two releases share, and which one alone has.

use crate::{MachineChoice, Release};

impl MachineChoice {
    /// The machine type that is chosen of those that both releases offer; `None` where they have none
    /// of its family in common.
    #[must_use]
    pub fn among(self, a: &Release, b: &Release) -> Option<String> {
        let offered = a.machines.iter().map(String::as_str);
        let is_offered = |machine: &str| b.machines.iter().any(|other| other == machine);
        self.among_names(offered, is_offered).map(str::to_owned)
    }

    /// The machine type that is chosen of those that one side offers, and that the other offers too.
    ///
    /// Only plain numbers count as versions, as in `pc-q35-4.0.1`; the aliases `pc` and `q35`, which
    /// mean another machine in each release, and the types of distributions, as `pc-q35-rhel9.2.0`, do
    /// not.
    #[must_use]
    pub fn among_names<'n>(
        self,
        offered: impl Iterator<Item = &'n str>,
        other_offers: impl Fn(&str) -> bool,
    ) -> Option<&'n str> {
        let common = offered.filter(|machine| other_offers(machine));
        let numbered = common.filter_map(|name| Some((numbers(name, self.family())?, name)));
        let chosen = match self {
            Self::Q35 | Self::Pc => numbered.max(),
            Self::Q35Oldest | Self::PcOldest => numbered.min(),
        };
        chosen.map(|(_, name)| name)
    }
}

impl MachineChoice {
    /// The newest machine type of the family that `a` offers and `b` does not; `None` where `b` offers all of them.
    #[must_use]
    pub fn beyond(self, a: &Release, b: &Release) -> Option<String> {
        let only_there = a.machines.iter().filter(|name| !b.machines.contains(name));
        let numbered = only_there.filter_map(|name| Some((numbers(name, self.family())?, name)));
        numbered.max().map(|(_, name)| name.clone())
    }
}

/// Whether cases can run on a machine type of this name: it is a versioned one of a family that they
/// choose from.
#[must_use]
pub fn is_versioned_machine(machine: &str) -> bool {
    let mut families = MachineChoice::ALL.map(MachineChoice::family).into_iter();
    families.any(|family| numbers(machine, family).is_some())
}

/// The numbers of `machine`, if it is one of `family`.
fn numbers(machine: &str, family: &str) -> Option<Vec<u32>> {
    let version = machine.strip_prefix(family)?.strip_prefix('-')?;
    let parts = version.split('.').map(|part| part.parse().ok());
    parts.collect()
}

#[cfg(test)]
mod tests {
    use crate::ReleaseName;

    use super::*;

    fn release(machines: &[&str]) -> Release {
        Release {
            name: ReleaseName::new("a").unwrap(),
            libvirt: None,
            qemu: None,
            machines: machines.iter().map(|&machine| machine.to_owned()).collect(),
            packages: std::collections::BTreeMap::new(),
        }
    }

    fn newest(a: &[&str], b: &[&str]) -> Option<String> {
        MachineChoice::Q35.among(&release(a), &release(b))
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let both = ["pc-q35-10.0", "pc-q35-9.2", "pc-q35-4.0.1"];
        assert_eq!(newest(&both, &both).as_deref(), Some("pc-q35-10.0"));
        let old = ["pc-q35-4.0", "pc-q35-4.0.1", "pc-q35-3.1"];
        assert_eq!(newest(&old, &old).as_deref(), Some("pc-q35-4.0.1"));
    }

    #[test]
    fn the_oldest_is_as_common_as_the_newest() {
        let choose = |choice: MachineChoice| {
            let new = release(&["pc-q35-10.0", "pc-q35-7.2", "pc-q35-5.2", "pc-i440fx-7.2"]);
            choice.among(&new, &release(&["pc-q35-7.2", "pc-q35-5.2", "pc-q35-2.4"]))
        };
        assert_eq!(choose(MachineChoice::Q35).as_deref(), Some("pc-q35-7.2"));
        assert_eq!(
            choose(MachineChoice::Q35Oldest).as_deref(),
            Some("pc-q35-5.2")
        );
        assert_eq!(choose(MachineChoice::PcOldest), None);
    }

    #[test]
    fn only_what_both_offer_counts() {
        let new = ["pc-q35-7.2", "pc-q35-5.2"];
        assert_eq!(newest(&new, &["pc-q35-5.2"]).as_deref(), Some("pc-q35-5.2"));
        assert_eq!(newest(&new, &["pc-q35-8.0"]), None);
    }

    #[test]
    fn what_one_has_and_the_other_has_not_is_the_newest_such_and_may_be_an_old_one() {
        let of = |a: &[&str], b: &[&str]| MachineChoice::Q35.beyond(&release(a), &release(b));
        let old = ["pc-q35-4.2", "pc-q35-5.1", "pc-q35-5.2", "pc-i440fx-9.9"];
        let new = ["pc-q35-5.2", "pc-q35-9.2", "pc-q35-10.0", "q35"];
        assert_eq!(of(&new, &old).as_deref(), Some("pc-q35-10.0"));
        assert_eq!(of(&old, &new).as_deref(), Some("pc-q35-5.1"));
        assert_eq!(of(&new, &new), None);
        assert_eq!(of(&["pc-i440fx-7.2"], &new), None);
    }

    #[test]
    fn aliases_other_families_and_distributions_do_not_count() {
        let odd = [
            "q35",
            "pc",
            "pc-i440fx-7.2",
            "pc-q35-rhel9.2.0",
            "pc-q35-",
            "pc-q35",
        ];
        assert_eq!(newest(&odd, &odd), None);
    }

    #[test]
    fn a_versioned_machine_is_a_number_of_a_family() {
        for machine in ["pc-q35-9.2", "pc-i440fx-10.0"] {
            assert!(is_versioned_machine(machine), "{machine}");
        }
        for machine in ["q35", "pc-q35", "pc-q35-rhel9", "microvm-1.0", "none"] {
            assert!(!is_versioned_machine(machine), "{machine}");
        }
    }
}
