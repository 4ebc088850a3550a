//! The release that an example is called with, and a guest for its hosts.

use std::{env, fs, path::PathBuf};

use migratrix_contract::{Host, Owner};
use migratrix_lab::{LabHost, Store, StoredRelease, cache_folder};
use migratrix_matrix::{Arch, ReleaseName};

use crate::sandboxed::Result;

const DOMAIN: &str = "<domain type='qemu'><name>NAME</name><memory unit='MiB'>32</memory>\
    <os><type arch='ARCH' machine='MACHINE'>hvm</type></os>\
    <devices><memballoon model='none'/></devices></domain>";

/// The release that is named first.
pub fn release() -> Result<StoredRelease> {
    let name = env::args().nth(1).ok_or("name a release")?;
    Ok(Store::open(&cache_folder())?.get(&ReleaseName::new(&name)?)?)
}

/// Who the host gets as a guest.
pub fn owner(domain: &str) -> Owner {
    Owner {
        domain: domain.to_owned(),
        uuids: [domain, domain].map(str::to_owned),
    }
}

/// Writes the guest's configuration to `/run/guest.xml` of the host.
pub fn configure(host: &LabHost, release: &StoredRelease, domain: &str) -> Result<()> {
    let machines = &release.record.machines;
    let machine = machines.first().ok_or("no machine types")?;
    let xml = DOMAIN
        .replace("NAME", domain)
        .replace("ARCH", Arch::default().word())
        .replace("MACHINE", machine);
    Ok(fs::write(inside(host, "/run/guest.xml")?, xml)?)
}

/// Where a file of the host is, as seen from here.
pub fn inside(host: &LabHost, path: &str) -> Result<PathBuf> {
    host.path(path).ok_or_else(|| "the host is down".into())
}

/// What `virsh` says on the host.
pub fn virsh(host: &LabHost, words: &str) -> Result<String> {
    let words: Vec<_> = ["virsh"].into_iter().chain(words.split(' ')).collect();
    let output = host.command(&words)?.output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&output.stderr).into())
}
