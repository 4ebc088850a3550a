//! The settings of a host's daemon, written into the host before the daemon starts.

use std::{fs, path::Path};

use migratrix_matrix::{HostSetup, Version};

use crate::{LabError, hosts::hooks};

/// Where the kernel makes up a new UUID for every reader, see random(4).
const NEW_UUID: &str = "/proc/sys/kernel/random/uuid";

/// Networks that a daemon would start by itself. A host has its own.
const AUTOSTART: &str = "/etc/libvirt/qemu/networks/autostart";

/// No user, label, cgroup or lock that would need rights that we lack, and no other daemon for
/// logs.
const QEMU_CONF: &str = r#"user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
cgroup_controllers = []
namespaces = []
stdio_handler = "file"
"#;

/// What a host has beside it that [filters](HostSetup::filters).
const FILTER: &str = "capability_filters = [\"cpu-unavailable-features\"]\n";

/// What a resilient host has beside that in both files, see [`HostSetup::Resilient`]: the times are those in
/// which it takes a peer of its own, or a client, for lost.
const KEEPALIVE: &str = "keepalive_interval = 1\nkeepalive_count = 3\n";

/// Writes all settings of the host of this name. To be called in the host.
pub(crate) fn write(hostname: &str, setup: HostSetup, libvirt: Version) -> Result<(), LabError> {
    let uuid = fs::read_to_string(NEW_UUID).map_err(LabError::file("read", NEW_UUID))?;
    put("/etc/hostname", &format!("{hostname}\n"))?;
    put(
        "/etc/libvirt/libvirtd.conf",
        &libvirtd_conf(uuid.trim(), setup),
    )?;
    put("/etc/libvirt/qemu.conf", &qemu_conf(setup, libvirt))?;
    match setup {
        HostSetup::AsShipped | HostSetup::Quick => {}
        HostSetup::Resilient => hooks::write()?,
    }
    if Path::new(AUTOSTART).exists() {
        fs::remove_dir_all(AUTOSTART).map_err(LabError::file("remove", AUTOSTART))?;
    }
    Ok(())
}

fn qemu_conf(setup: HostSetup, libvirt: Version) -> String {
    let filter = if setup.filters(Some(libvirt)) {
        FILTER
    } else {
        ""
    };
    format!("{QEMU_CONF}{filter}{}", keepalive(setup))
}

const fn keepalive(setup: HostSetup) -> &'static str {
    match setup {
        HostSetup::AsShipped | HostSetup::Quick => "",
        HostSetup::Resilient => KEEPALIVE,
    }
}

/// Connections without authentication are safe because the network is private to the lab. The
/// limits are those of many cases at a time.
fn libvirtd_conf(uuid: &str, setup: HostSetup) -> String {
    let keepalive = keepalive(setup);
    format!(
        r#"listen_tls = 0
listen_tcp = 1
auth_tcp = "none"
auth_unix_ro = "none"
auth_unix_rw = "none"
host_uuid = "{uuid}"
log_outputs = "3:stderr"
max_clients = 1000
max_anonymous_clients = 500
max_queued_clients = 500
max_workers = 100
{keepalive}"#
    )
}

fn put(path: &str, text: &str) -> Result<(), LabError> {
    fs::write(path, text).map_err(LabError::file("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_that_need_not_ask_filter_capabilities() {
        let filters = |setup, major| {
            let conf = qemu_conf(setup, Version::new(major, 0, 0));
            conf.contains("capability_filters")
        };
        assert!(filters(HostSetup::Quick, 9) && filters(HostSetup::Resilient, 9));
        assert!(!filters(HostSetup::AsShipped, 9) && !filters(HostSetup::Resilient, 12));
    }

    #[test]
    fn only_a_resilient_host_gives_a_silent_peer_up_early() {
        let of = |setup| qemu_conf(setup, Version::new(9, 0, 0)) + &libvirtd_conf("", setup);
        assert_eq!(of(HostSetup::Resilient).matches(KEEPALIVE).count(), 2);
        assert!(!of(HostSetup::Quick).contains("keepalive"));
    }

    #[test]
    fn a_daemon_gets_an_identity_of_its_own() {
        let uuid = "c0ffee00-0000-4000-8000-000000000000";
        let conf = libvirtd_conf(uuid, HostSetup::AsShipped);
        assert!(conf.contains("host_uuid = \"c0ffee00-0000-4000-8000-000000000000\"\n"));
    }
}
