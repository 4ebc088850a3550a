//! What may be done to a host itself, and whether it is as it was afterwards: `control RELEASE` prints one
//! line for each. The tests read them.

#[path = "shared/guest.rs"]
mod guest;
#[path = "shared/sandboxed.rs"]
mod sandboxed;

use std::{net::SocketAddr, process::ExitCode, time::Duration};

use guest::{configure, inside, owner, release, virsh};
use migratrix_contract::{Folder, Gate, HookPoint, Host, HostControl, Link, Signalled};
use migratrix_lab::{LabHost, dispatch};
use migratrix_matrix::{HostSetup, Side};
use sandboxed::{Result, lab, sandboxed};
use tokio::{net::TcpStream, time::timeout};

const SOON: Duration = Duration::from_millis(500);

fn main() -> Result<ExitCode> {
    if let Some(code) = dispatch() {
        return Ok(code);
    }
    sandboxed(run())
}

async fn run() -> Result<ExitCode> {
    let (release, lab) = (release()?, lab()?);
    let plain = lab
        .host(&release, Side::Destination, HostSetup::Quick)
        .await?;
    println!("a plain host has a control: {}", plain.control().is_some());
    let host = lab
        .host(&release, Side::Source, HostSetup::Resilient)
        .await?;
    host.enter(&owner("guest-1"));
    configure(&host, &release, "guest-1")?;
    virsh(&host, "create /run/guest.xml")?;
    virsh(&host, "destroy guest-1")?;
    host.settle(&owner("guest-1"));
    virsh(&host, "create /run/guest.xml")?;
    let control = host.control().ok_or("it has no control")?;
    link(&host, control).await?;
    folders(&host, control).await?;
    daemon(&host, control).await?;
    gates(&host, control)?;
    limit(&host, control).await?;
    control.restore("guest-1").await?;
    println!("calls that are noted: {:?}", control.hook_calls("guest-1")?);
    println!("left: {:?}", host.leftovers("guest-1")?.unwrap_or_default());
    println!("health: {:?}", lab.check(&host).await);
    lab.close().await?;
    Ok(ExitCode::SUCCESS)
}

async fn daemon(host: &LabHost, control: &dyn HostControl) -> Result<()> {
    let before = control.daemon()?;
    control.signal_daemon(Signalled::Killed).await?;
    println!("killed: {:?}", control.daemon()?);
    control.start_daemon().await?;
    println!(
        "another one: {}",
        control.daemon()?.is_some_and(|now| Some(now) != before)
    );
    println!(
        "knows its guest: {}",
        virsh(host, "domstate guest-1")?.trim()
    );
    control.signal_daemon(Signalled::Stopped).await?;
    control.restore("guest-1").await?;
    println!("goes on: {}", virsh(host, "domstate guest-1")?.trim());
    control.signal_daemon(Signalled::Killed).await?;
    control.restore("guest-1").await?;
    println!(
        "is there again: {}",
        virsh(host, "domstate guest-1")?.trim()
    );
    Ok(())
}

async fn link(host: &LabHost, control: &dyn HostControl) -> Result<()> {
    let reached = async || {
        let daemon = SocketAddr::from((host.address(), 16_509));
        matches!(timeout(SOON, TcpStream::connect(daemon)).await, Ok(Ok(_)))
    };
    control.set_link(Link::Down)?;
    println!("reached without a link: {}", reached().await);
    control.restore("guest-1").await?;
    println!("reached with one: {}", reached().await);
    Ok(())
}

async fn folders(host: &LabHost, control: &dyn HostControl) -> Result<()> {
    for folder in Folder::ALL {
        control.fill(folder).await?;
        let path = inside(host, folder.path())?.join("more");
        let written = std::fs::write(&path, [1; 4096]);
        let full = written.is_err_and(|error| error.kind() == std::io::ErrorKind::StorageFull);
        control.restore("guest-1").await?;
        println!("{}: full {full}, hidden {}", folder.path(), path.exists());
    }
    Ok(())
}

fn gates(host: &LabHost, control: &dyn HostControl) -> Result<()> {
    virsh(host, "destroy guest-1")?;
    control.set_gate("guest-1", HookPoint::StartBegin, Gate::Refuses)?;
    println!("refused: {}", virsh(host, "create /run/guest.xml").is_err());
    control.open_gates("guest-1")?;
    control.set_gate("guest-1", HookPoint::StartedBegin, Gate::Holds)?;
    let mut held = host
        .command(&["virsh", "create", "/run/guest.xml"])?
        .spawn()?;
    let has_come = || {
        let calls = control.hook_calls("guest-1").unwrap_or_default();
        calls.last().is_some_and(|call| call == "started begin")
    };
    while !has_come() {
        std::thread::yield_now();
    }
    println!("held: {}", held.try_wait()?.is_none());
    control.open_gates("guest-1")?;
    println!("went on: {}", held.wait()?.success());
    Ok(())
}

async fn limit(host: &LabHost, control: &dyn HostControl) -> Result<()> {
    virsh(host, "destroy guest-1")?;
    control.limit_memory(Some(100 << 20))?;
    println!(
        "starts without memory: {}",
        virsh(host, "create /run/guest.xml").is_ok()
    );
    control.restore("guest-1").await?;
    println!(
        "starts with it: {}",
        virsh(host, "create /run/guest.xml").is_ok()
    );
    virsh(host, "destroy guest-1")?;
    Ok(())
}
