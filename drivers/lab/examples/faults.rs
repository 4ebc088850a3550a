//! What a host says of a guest that lives, of one that was killed, of a daemon that was stopped,
//! and of its own replacement: `faults RELEASE` prints one line for each. The tests read them.

#[path = "shared/guest.rs"]
mod guest;
#[path = "shared/sandboxed.rs"]
mod sandboxed;

use std::{fs, process::ExitCode};

use guest::{configure, inside, owner, release, virsh};
use migratrix_contract::Host;
use migratrix_lab::{LabHost, dispatch};
use migratrix_matrix::{HostSetup, Side};
use sandboxed::{Result, lab, sandboxed};

fn main() -> Result<ExitCode> {
    if let Some(code) = dispatch() {
        return Ok(code);
    }
    sandboxed(run())
}

async fn run() -> Result<ExitCode> {
    let (release, lab) = (release()?, lab()?);
    let (host, same) = tokio::try_join!(
        lab.host(&release, Side::Source, HostSetup::AsShipped),
        lab.host(&release, Side::Source, HostSetup::AsShipped)
    )?;
    println!("one host for two wishes: {}", std::ptr::eq(&*host, &*same));
    for domain in ["guest-1", "guest-10"] {
        host.enter(&owner(domain));
        host.settle(&owner(domain));
        configure(&host, &release, domain)?;
        virsh(&host, "create /run/guest.xml")?;
    }
    show(&host, "alive")?;
    host.kill_qemu("guest-1")?;
    host.command(&["virsh", "destroy", "guest-1"])?.output()?;
    show(&host, "killed")?;
    host.command(&["ln", "-s", "/run/guest.xml", "/tmp/link"])?
        .status()?;
    let there = inside(&host, "/tmp/link")?;
    println!(
        "a link on the host leads to the host's file: {}",
        fs::read_to_string(there)?.contains("guest-10")
    );
    println!(
        "again: {:?}",
        host.kill_qemu("guest-1").map_err(|error| error.kind())
    );
    println!("health: {:?}", lab.check(&host).await);
    host.stop_daemon().await?;
    println!("stopped: {:?}", lab.check(&host).await);
    let seen = host.generation();
    tokio::try_join!(lab.replace(&host, seen), lab.replace(&host, seen))?;
    println!(
        "replaced: {:?}, run {}",
        lab.check(&host).await,
        host.generation()
    );
    let other = host.leftovers("guest-10")?.map(|left| left.own);
    println!("other guest: {other:?}");
    lab.close().await?;
    println!(
        "closed: {:?}",
        host.leftovers("guest-10").map_err(|error| error.kind())
    );
    Ok(ExitCode::SUCCESS)
}

/// Says which kinds of things are left of the first guest.
fn show(host: &LabHost, when: &str) -> Result<()> {
    let left = host.leftovers("guest-1")?.unwrap_or_default().own;
    let has = |kind: &str| left.iter().any(|thing| thing.starts_with(kind));
    println!(
        "{when}: {} process, {} file, {} in all",
        has("process"),
        has("file"),
        left.len()
    );
    Ok(())
}
