//! What this machine can do, and the command that mends what is missing.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use migratrix_matrix::Shown;

use crate::{
    privilege::{self, Privilege},
    releases::{source, space},
};

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub what: &'static str,
    /// How it is.
    pub state: State,
    /// What was found.
    pub detail: String,
    /// The command that mends it on Debian and Ubuntu, where it isn't fine.
    pub mend: Option<String>,
}

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Fine,
    /// There, but not for everything.
    Limited,
    /// Not there.
    Missing,
}

/// The memory below which hosts of several releases don't fit, in MiB.
const MEMORY_MIB: u64 = 4096;
/// The space below which the releases don't fit, in MiB.
const SPACE_MIB: u64 = 4096;
/// The first `unshare` that can map all of a user's ids.
const UNSHARE: (u32, u32) = (2, 38);

/// Looks at everything that the lab needs. `cache` is where releases are kept, `client` is the
/// client binary.
#[must_use]
pub fn doctor(cache: &Path, client: Result<&Path, &str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    match privilege::current() {
        Privilege::Held => findings.push(fine("rights", "root: no user namespace is needed")),
        Privilege::UserNamespace => {
            findings.extend([
                user_namespaces(),
                apparmor(),
                subordinate_ids(),
                id_mapper(),
            ]);
        }
    }
    findings.extend([
        unshare(),
        program("ip", "-V", "iproute2"),
        program("nsenter", "-V", "util-linux"),
    ]);
    let tools = source::tools();
    findings.extend(
        tools
            .iter()
            .map(|it| program(it.program, it.flag, it.package)),
    );
    findings.push(if findings.iter().any(|one| one.state == State::Missing) {
        untried(OVERLAY)
    } else {
        overlay()
    });
    findings.extend([post_copy(), kvm()]);
    findings.extend([space(cache), memory(), cores(), client_binary(client)]);
    findings
}

fn user_namespaces() -> Finding {
    let what = "user namespaces";
    if setting("user/max_user_namespaces") == Some(0) {
        return missing(
            what,
            "forbidden",
            "sudo sysctl -w user.max_user_namespaces=65536",
        );
    }
    if setting("kernel/unprivileged_userns_clone") == Some(0) {
        return missing(
            what,
            "for root only",
            "sudo sysctl -w kernel.unprivileged_userns_clone=1",
        );
    }
    // Of no ids but one's own: whether others can be mapped is another finding.
    match trial(&mut Command::new("unshare"), &["--user", "--", "true"]) {
        Ok(()) => fine(what, "allowed"),
        Err(said) => missing(what, &said, "sudo sysctl -w user.max_user_namespaces=65536"),
    }
}

/// Ubuntu's restriction, see its release notes since 23.10.
fn apparmor() -> Finding {
    let name = "kernel/apparmor_restrict_unprivileged_userns";
    let mend = "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0";
    match setting(name) {
        Some(0) | None => fine("AppArmor", "doesn't restrict user namespaces"),
        Some(_) => missing("AppArmor", "restricts user namespaces", mend),
    }
}

fn subordinate_ids() -> Finding {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid())
        .ok()
        .flatten();
    let name = user.map_or_else(|| "USER".to_owned(), |user| user.name);
    let has = |file: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        privilege::subordinate_ranges(&text, &name).any(|range| range.len() >= 65_535)
    };
    if has("/etc/subuid") && has("/etc/subgid") {
        return fine("subordinate ids", "65536 or more");
    }
    let range = "--add-subuids 100000-165535 --add-subgids 100000-165535";
    missing(
        "subordinate ids",
        "no range of 65536 in /etc/subuid and /etc/subgid",
        &format!("sudo usermod {range} {name}"),
    )
}

fn id_mapper() -> Finding {
    // Called in the wrong way it says how to call it: that it runs is enough.
    match Command::new("newuidmap")
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .status()
    {
        Ok(_) => fine("newuidmap", "installed"),
        Err(error) => missing(
            "newuidmap",
            &error.to_string(),
            "sudo apt-get install uidmap",
        ),
    }
}

fn unshare() -> Finding {
    let mend = "sudo apt-get install util-linux   # of Debian 12, Ubuntu 24.04 or later";
    let said = first_line("unshare", "--version");
    match said.as_deref().ok().and_then(version_in) {
        Some(version) if version >= UNSHARE => fine("unshare", &said.unwrap_or_default()),
        Some(_) if privilege::current() == Privilege::Held => {
            fine("unshare", &said.unwrap_or_default())
        }
        Some(_) => missing(
            "unshare",
            "older than 2.38: it can't map subordinate ids",
            mend,
        ),
        None => missing("unshare", &said.unwrap_or_else(|error| error), mend),
    }
}

fn program(name: &'static str, flag: &str, package: &str) -> Finding {
    match first_line(name, flag) {
        Ok(said) => fine(name, &said),
        Err(error) => missing(name, &error, &format!("sudo apt-get install {package}")),
    }
}

const OVERLAY: &str = "overlay and bridge";

/// Makes the namespaces, an overlay on a tmpfs and a bridge, as the lab does.
fn overlay() -> Finding {
    let what = OVERLAY;
    let option = match privilege::current() {
        Privilege::Held => "",
        Privilege::UserNamespace => ",userxattr",
    };
    let script = format!(
        "mount -t tmpfs none /tmp && mkdir /tmp/u /tmp/w /tmp/r && \
         mount -t overlay overlay -o lowerdir=/etc,upperdir=/tmp/u,workdir=/tmp/w{option} /tmp/r && \
         touch /tmp/r/migratrix && ip link add migratrix0 type bridge"
    );
    let spaces = [
        "--mount",
        "--net",
        "--pid",
        "--fork",
        "--mount-proc",
        "--",
        "sh",
        "-c",
        &script,
    ];
    match trial(&mut privilege::unshare(), &spaces) {
        Ok(()) => fine(what, "tried: they work"),
        Err(said) => missing(
            what,
            &said,
            "sudo modprobe -a overlay bridge veth   # kernel 5.11 or later",
        ),
    }
}

fn post_copy() -> Finding {
    let what = "postcopy";
    let usable = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/userfaultfd")
        .is_ok();
    let open = setting("vm/unprivileged_userfaultfd") == Some(1);
    if privilege::current() == Privilege::Held || usable || open {
        return fine(what, "page faults can be handled in user space");
    }
    let mend = "sudo sysctl -w vm.unprivileged_userfaultfd=1";
    limited(
        what,
        "only root may handle page faults: guests can't switch to postcopy",
        Some(mend),
    )
}

fn kvm() -> Finding {
    let there = if Path::new("/dev/kvm").exists() {
        "there"
    } else {
        "not there"
    };
    fine(
        "/dev/kvm",
        &format!("{there}; not needed: guests are emulated"),
    )
}

fn space(cache: &Path) -> Finding {
    let what = "free space";
    let there = cache
        .ancestors()
        .find(|folder| folder.exists())
        .unwrap_or(Path::new("/"));
    match space::free_mib(there) {
        Ok(mib) if mib >= SPACE_MIB => fine(what, &format!("{mib} MiB for {}", cache.shown())),
        Ok(mib) => limited(
            what,
            &format!("{mib} MiB for {}", cache.shown()),
            Some("export MIGRATRIX_CACHE=FOLDER"),
        ),
        Err(error) => limited(what, &error.to_string(), None),
    }
}

fn memory() -> Finding {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let mib = available_mib(&text).unwrap_or(0);
    let detail = format!("{mib} MiB available");
    if mib >= MEMORY_MIB {
        fine("memory", &detail)
    } else {
        limited("memory", &detail, Some("migratrix run --jobs 1"))
    }
}

fn cores() -> Finding {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    fine("cores", &count.to_string())
}

fn client_binary(client: Result<&Path, &str>) -> Finding {
    let what = "client binary";
    match client {
        Ok(path) => fine(what, &path.shown()),
        Err(why) => missing(what, why, "ci/build-client"),
    }
}

/// A number under /proc/sys; `None` where the kernel doesn't have it.
fn setting(name: &str) -> Option<u64> {
    fs::read_to_string(Path::new("/proc/sys").join(name))
        .ok()?
        .trim()
        .parse()
        .ok()
}

fn available_mib(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_whitespace()
        .next()?
        .parse::<u64>()
        .ok()
        .map(|kib| kib / 1024)
}

/// The first two numbers of the first version in a text.
fn version_in(said: &str) -> Option<(u32, u32)> {
    let word = said
        .split_whitespace()
        .find(|word| word.contains('.') && word.starts_with(|c: char| c.is_ascii_digit()))?;
    let mut numbers = word.split('.').map_while(|number| number.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}

fn first_line(program: &str, flag: &str) -> Result<String, String> {
    let output = Command::new(program)
        .arg(flag)
        .output()
        .map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(said.lines().next().unwrap_or("installed").to_owned())
}

/// Runs it, and gives what it says if it ends badly.
fn trial(command: &mut Command, arguments: &[&str]) -> Result<(), String> {
    let output = command
        .args(arguments)
        .env("LC_ALL", "C")
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

/// What could not but fail, for want of what is missing before it.
fn untried(what: &'static str) -> Finding {
    Finding {
        what,
        state: State::Missing,
        detail: "not tried: it needs what is missing above".to_owned(),
        mend: None,
    }
}

fn fine(what: &'static str, detail: &str) -> Finding {
    Finding {
        what,
        state: State::Fine,
        detail: detail.to_owned(),
        mend: None,
    }
}

fn limited(what: &'static str, detail: &str, mend: Option<&str>) -> Finding {
    let mend = mend.map(str::to_owned);
    Finding {
        what,
        state: State::Limited,
        detail: detail.to_owned(),
        mend,
    }
}

fn missing(what: &'static str, detail: &str, mend: &str) -> Finding {
    Finding {
        what,
        state: State::Missing,
        detail: detail.to_owned(),
        mend: Some(mend.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_what_a_program_says() {
        assert_eq!(version_in("unshare from util-linux 2.38.1"), Some((2, 38)));
        assert_eq!(version_in("unshare from util-linux 2.41"), Some((2, 41)));
        assert_eq!(version_in("unshare"), None);
    }

    #[test]
    fn available_memory_is_read_in_mebibytes() {
        assert_eq!(
            available_mib("MemTotal: 9 kB\nMemAvailable:    2048 kB\n"),
            Some(2)
        );
    }

    #[test]
    fn every_finding_that_is_not_fine_says_how_to_mend_it() {
        let findings = doctor(Path::new("/nowhere"), Err("not built"));
        let open = findings
            .iter()
            .filter(|finding| finding.state == State::Missing);
        assert!(open.clone().any(|finding| finding.what == "client binary"));
        assert!(open.into_iter().all(|finding| finding.mend.is_some()));
    }
}
