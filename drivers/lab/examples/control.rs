//! What may be done to a host itself, and whether it is as it was afterwards: `control RELEASE` prints one
//! line for each. The tests read them.

use std::{env, error::Error, net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use migratrix_contract::{Folder, Gate, HookPoint, Host, HostControl, Link, Owner, Signalled};
use migratrix_lab::{
    Lab, LabHost, Store, cache_folder, dispatch,
    sandbox::{self, Entered, Terminal},
};
use migratrix_matrix::{Arch, HostSetup, ReleaseName, Side};
use tokio::{net::TcpStream, time::timeout};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const DOMAIN: &str = "<domain type='qemu'><name>guest-1</name><memory unit='MiB'>32</memory>\
    <os><type arch='ARCH' machine='MACHINE'>hvm</type></os>\
    <devices><memballoon model='none'/></devices></domain>";

const SOON: Duration = Duration::from_millis(500);

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
    let plain = lab
        .host(&release, Side::Destination, HostSetup::Quick)
        .await?;
    println!("a plain host has a control: {}", plain.control().is_some());
    let host = lab
        .host(&release, Side::Source, HostSetup::Resilient)
        .await?;
    let owner = Owner {
        domain: "guest-1".to_owned(),
        uuids: ["guest-1", "guest-1"].map(str::to_owned),
    };
    host.enter(&owner);
    let machine = release.record.machines.first().ok_or("no machine types")?;
    let xml = DOMAIN.replace("ARCH", Arch::default().word());
    std::fs::write(
        inside(&host, "/run/guest.xml")?,
        xml.replace("MACHINE", machine),
    )?;
    virsh(&host, "create /run/guest.xml")?;
    virsh(&host, "destroy guest-1")?;
    host.settle();
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

fn virsh(host: &LabHost, words: &str) -> Result<String> {
    let words: Vec<_> = ["virsh"].into_iter().chain(words.split(' ')).collect();
    let output = host.command(&words)?.output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&output.stderr).into())
}

fn inside(host: &LabHost, path: &str) -> Result<PathBuf> {
    host.path(path).ok_or_else(|| "the host is down".into())
}
