//! `migratrix lab`: hosts for a person who wants to look inside.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};
use migratrix_guest::Parameters;
use migratrix_lab::{Lab, Role, Store, StoredRelease, cache_folder, running_hosts, sandbox};
use migratrix_matrix::{HostSetup, ReleaseName};

use crate::{cli::LabAction, meaning, rundir::write_whole};

/// Does what was asked with the lab, and gives the code to exit with.
///
/// # Errors
/// Fails where a host doesn't come up, or isn't there.
pub fn lab(action: &LabAction) -> Result<u8> {
    match action {
        LabAction::Up { releases } => up(releases),
        LabAction::Down => down(),
        LabAction::Exec { host, command } => exec(host, command),
        LabAction::Image { file } => image(file),
    }
}

/// Where the process that holds the lab is written down.
fn holder() -> PathBuf {
    cache_folder().join("lab.pid")
}

fn logs() -> PathBuf {
    cache_folder().join("lab")
}

fn up(names: &[String]) -> Result<u8> {
    let store = meaning::store()?;
    let releases = names
        .iter()
        .map(|name| stored(&store, name))
        .collect::<Result<Vec<_>>>()?;
    if !sandbox::is_inside() {
        write_whole(&holder(), &std::process::id().to_string())?;
    }
    if let sandbox::Entered::Left(code) = sandbox::enter(sandbox::Terminal::Outer)? {
        let _ = fs::remove_file(holder());
        return Ok(code);
    }
    on_runtime(async {
        let lab = Lab::new(&logs())?;
        for release in &releases {
            for role in [Role::Source, Role::Destination] {
                let host = lab.host(release, role, HostSetup::AsShipped).await?;
                println!(
                    "{}: migratrix lab exec {0} -- virsh list --all",
                    host.hostname()
                );
            }
        }
        println!("up until Ctrl-C or migratrix lab down");
        sandbox::stop_requested().await?;
        Ok(0)
    })
}

fn down() -> Result<u8> {
    let file = holder();
    let Ok(pid) = fs::read_to_string(&file) else {
        bail!("no lab is up: there is no {}", file.display());
    };
    let ended = Command::new("kill")
        .arg(pid.trim())
        .status()
        .context("can't run kill")?;
    fs::remove_file(&file).with_context(|| format!("can't remove {}", file.display()))?;
    if !ended.success() {
        bail!("process {} holds no lab any more", pid.trim());
    }
    Ok(0)
}

/// Runs a command on a host of the lab that is up; of one that is brought up for it, if there is none.
fn exec(name: &str, command: &[String]) -> Result<u8> {
    if let Some(host) = running_hosts()
        .into_iter()
        .find(|host| host.hostname == name)
    {
        return wait(host.command(command));
    }
    let (release, role) = match name.rsplit_once('-') {
        Some((release, "s")) => (release, Role::Source),
        Some((release, "d")) => (release, Role::Destination),
        Some(_) | None => bail!("`{name}` is not a host: RELEASE-s or RELEASE-d, as in bookworm-s"),
    };
    let stored = stored(&meaning::store()?, release)?;
    if let sandbox::Entered::Left(code) = sandbox::enter(sandbox::Terminal::Shared)? {
        return Ok(code);
    }
    on_runtime(async {
        let lab = Lab::new(&logs())?;
        let host = lab.host(&stored, role, HostSetup::AsShipped).await?;
        wait(host.command(command)?)
    })
}

fn wait(mut command: Command) -> Result<u8> {
    let status = command
        .status()
        .context("can't run nsenter: install util-linux")?;
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1))
}

fn stored(store: &Store, name: &str) -> Result<StoredRelease> {
    Ok(store.get(&ReleaseName::new(name)?)?)
}

fn image(file: &std::path::Path) -> Result<u8> {
    let image = Parameters::SMALL.boot_image()?;
    fs::write(file, image).with_context(|| format!("can't write {}", file.display()))?;
    println!(
        "{}: copy it to each machine, and name it there as boot_image",
        file.display()
    );
    Ok(0)
}

fn on_runtime<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}
