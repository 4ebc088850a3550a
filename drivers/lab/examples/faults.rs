//! What a host says of a guest that lives, of one that was killed, of a daemon that was stopped,
//! and of its own replacement: `faults RELEASE` prints one line for each. The tests read them.

use std::{env, error::Error, fs, path::PathBuf, process::ExitCode};

use migratrix_contract::{Host, Owner};
use migratrix_lab::{
    Lab, LabHost, Store, cache_folder, dispatch,
    sandbox::{self, Entered, Terminal},
};
use migratrix_matrix::{Arch, HostSetup, ReleaseName, Side};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const DOMAIN: &str = "<domain type='qemu'><name>NAME</name><memory unit='MiB'>32</memory>\
    <os><type arch='ARCH' machine='MACHINE'>hvm</type></os>\
    <devices><memballoon model='none'/></devices></domain>";

fn main() -> Result<ExitCode> {
    if let Some(code) = dispatch() {
        return Ok(code);
    }
    if let Entered::Left(code) = sandbox::enter(Terminal::Outer)? {
        return Ok(ExitCode::from(code));
    }
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(run())
}

async fn run() -> Result<ExitCode> {
    let name = env::args().nth(1).ok_or("name a release")?;
    let release = Store::open(&cache_folder())?.get(&ReleaseName::new(&name)?)?;
    let dir = env::var_os("LAB_DIR").map_or_else(|| PathBuf::from("lab"), PathBuf::from);
    let lab = Lab::new(&dir)?;
    let (host, same) = tokio::try_join!(
        lab.host(&release, Side::Source, HostSetup::AsShipped),
        lab.host(&release, Side::Source, HostSetup::AsShipped)
    )?;
    println!("one host for two wishes: {}", std::ptr::eq(&*host, &*same));
    let machine = release.record.machines.first().ok_or("no machine types")?;
    for domain in ["guest-1", "guest-10"] {
        let domain_only = Owner {
            domain: domain.to_owned(),
            uuids: [domain, domain].map(str::to_owned),
        };
        host.enter(&domain_only);
        host.settle();
        start_guest(
            &host,
            &DOMAIN
                .replace("NAME", domain)
                .replace("ARCH", Arch::default().word())
                .replace("MACHINE", machine),
        )?;
    }
    show(&host, "alive")?;
    host.kill_qemu("guest-1")?;
    host.command(&["virsh", "destroy", "guest-1"])?.output()?;
    show(&host, "killed")?;
    host.command(&["ln", "-s", "/run/guest.xml", "/tmp/link"])?
        .status()?;
    let there = host.path("/tmp/link").ok_or("the host is down")?;
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

fn start_guest(host: &LabHost, xml: &str) -> Result<()> {
    fs::write(host.path("/run/guest.xml").ok_or("the host is down")?, xml)?;
    let created = host
        .command(&["virsh", "create", "/run/guest.xml"])?
        .output()?;
    if created.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&created.stderr).into())
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
