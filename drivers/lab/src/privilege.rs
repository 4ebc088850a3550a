//! Who we are: root with all its rights, or an ordinary user who needs a user namespace.

use std::{ffi::OsStr, fs, os::unix::fs::MetadataExt, path::Path, process::Command};

use crate::LabError;

/// The number of `CAP_SYS_ADMIN`, see capability.h.
const SYS_ADMIN: u32 = 21;

/// What it takes to make namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Privilege {
    /// Nothing: we may already.
    Held,
    /// A user namespace, in which we are root.
    UserNamespace,
}

/// What we are.
pub(crate) fn current() -> Privilege {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    if nix::unistd::geteuid().is_root() && has_sys_admin(&status) {
        Privilege::Held
    } else {
        Privilege::UserNamespace
    }
}

/// Whether we are in a user namespace that is not the machine's first.
pub(crate) fn in_user_namespace() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_whitespace().ne(["0", "0", "4294967295"])
}

/// `unshare`, with a user namespace where it takes one.
pub(crate) fn unshare() -> Command {
    let mut command = Command::new("unshare");
    match current() {
        Privilege::Held => {}
        Privilege::UserNamespace => {
            command.args(["--user", "--map-root-user", "--map-auto"]);
        }
    }
    command
}

/// A command that may touch files of all the ids that a release's root holds.
pub(crate) fn as_owner(program: impl AsRef<OsStr>) -> Command {
    match current() {
        Privilege::Held => Command::new(program),
        Privilege::UserNamespace => {
            let mut command = unshare();
            command.arg("--").arg(program);
            command
        }
    }
}

/// An error if the root's owner has no id in our user namespace: overlayfs could not copy its
/// files up.
pub(crate) fn can_hold(root: &Path) -> Result<(), LabError> {
    let owner = fs::metadata(root)
        .map_err(LabError::file("read", root))?
        .uid();
    let ours = nix::unistd::geteuid().as_raw();
    match current() {
        Privilege::UserNamespace if owner != ours && !is_subordinate(owner) => {
            Err(LabError::Owner {
                root: root.to_owned(),
                owner,
            })
        }
        Privilege::UserNamespace | Privilege::Held => Ok(()),
    }
}

/// Whether an id is among those that the user may map.
fn is_subordinate(id: u32) -> bool {
    let name = nix::unistd::User::from_uid(nix::unistd::geteuid())
        .ok()
        .flatten();
    let ranges = fs::read_to_string("/etc/subuid").unwrap_or_default();
    name.is_some_and(|user| {
        subordinate_ranges(&ranges, &user.name).any(|range| range.contains(&id))
    })
}

/// The ranges that a user has in the text of /etc/subuid, see subuid(5).
pub(crate) fn subordinate_ranges(
    text: &str,
    user: &str,
) -> impl Iterator<Item = std::ops::Range<u32>> {
    text.lines().filter_map(move |line| {
        let (start, count) = line
            .strip_prefix(user)?
            .strip_prefix(':')?
            .split_once(':')?;
        let (start, count): (u32, u32) = (start.parse().ok()?, count.parse().ok()?);
        Some(start..start.saturating_add(count))
    })
}

fn has_sys_admin(status: &str) -> bool {
    let held = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let held = held.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    held.is_some_and(|held| held >> SYS_ADMIN & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_read_from_the_status() {
        assert!(has_sys_admin("Name:\tx\nCapEff:\t000001fffeffffff\n"));
        assert!(!has_sys_admin("CapEff:\t00000000a80425fb\n"));
        assert!(!has_sys_admin(""));
    }

    #[test]
    fn subordinate_ids_are_those_of_the_user_alone() {
        let text = "ann:100000:65536\nanna:165536:65536\n";
        let ranges: Vec<_> = subordinate_ranges(text, "ann").collect();
        assert_eq!(ranges.len(), 1);
        assert_eq!(ranges[0], 100_000..165_536);
    }
}
