//! Hosts for a person who wants to look inside: `lab [RELEASE...] [-- COMMAND...]` starts two
//! hosts of each release in the store, runs the command in the first of them, or waits for an
//! interrupt.
//! `lab exec HOST -- COMMAND...` runs a command in a host that another `lab` has started.

#[path = "shared/sandboxed.rs"]
mod sandboxed;

use std::{env, path::Path, process::ExitCode, time::Instant};

use migratrix_contract::Host;
use migratrix_lab::{
    BuildOptions, Store, cache_folder, dispatch, doctor, recipe, running_hosts, sandbox,
};
use migratrix_matrix::{HostSetup, ReleaseName, Side};
use sandboxed::{Result, lab, sandboxed};

fn main() -> Result<ExitCode> {
    if let Some(code) = dispatch() {
        return Ok(code);
    }
    let mut words: Vec<String> = env::args().skip(1).collect();
    let command = words
        .iter()
        .position(|word| word == "--")
        .map_or(Vec::new(), |at| {
            let command = words.split_off(at);
            command[1..].to_vec()
        });
    match words.first().map(String::as_str) {
        Some("exec") => exec(&words[1], &command),
        Some("doctor") => {
            let findings = doctor(&cache_folder(), Err("not asked for"));
            findings.iter().for_each(|finding| println!("{finding:?}"));
            Ok(ExitCode::SUCCESS)
        }
        Some("build") => build(&words[1]),
        Some("rm") => remove(&words[1]),
        Some("add") => add(&words[1], &words[2]),
        _ => sandboxed(run(&words, &command)),
    }
}

fn exec(hostname: &str, command: &[String]) -> Result<ExitCode> {
    let host = running_hosts()
        .into_iter()
        .find(|host| host.hostname == hostname);
    let host = host.ok_or_else(|| format!("no host `{hostname}` runs"))?;
    let status = host.command(command).status()?;
    Ok(ExitCode::from(u8::try_from(status.code().unwrap_or(255))?))
}

fn add(name: &str, path: &str) -> Result<ExitCode> {
    let (store, name, path) = (
        Store::open(&cache_folder())?,
        ReleaseName::new(name)?,
        Path::new(path),
    );
    let release = if path.is_dir() {
        store.add_directory(&name, path)?
    } else {
        store.add_tarball(&name, path)?.0
    };
    println!("{:#?}", release.record);
    Ok(ExitCode::SUCCESS)
}

fn build(name: &str) -> Result<ExitCode> {
    let store = Store::open(&cache_folder())?;
    let made = store.build(
        &ReleaseName::new(name)?,
        recipe(name)?,
        &BuildOptions::default(),
    )?;
    println!("{:#?}", made.record);
    Ok(ExitCode::SUCCESS)
}

fn remove(name: &str) -> Result<ExitCode> {
    let store = Store::open(&cache_folder())?;
    store.remove(&store.unused(&ReleaseName::new(name)?)?)?;
    Ok(ExitCode::SUCCESS)
}

async fn run(names: &[String], command: &[String]) -> Result<ExitCode> {
    // A request that comes as soon as the hosts are up must not be missed.
    let stop = tokio::spawn(sandbox::stop_requested());
    let store = Store::open(&cache_folder())?;
    let lab = lab()?;
    let mut hosts = Vec::new();
    for name in names {
        let release = store.get(&ReleaseName::new(name)?)?;
        for side in [Side::Source, Side::Destination] {
            let before = Instant::now();
            let host = lab.host(&release, side, HostSetup::AsShipped).await?;
            println!(
                "{} {} up in {:?}",
                host.hostname(),
                host.uri(),
                before.elapsed()
            );
            hosts.push(host);
        }
    }
    if command.is_empty() {
        stop.await??;
        println!("stopping");
        lab.close().await?;
        return Ok(ExitCode::SUCCESS);
    }
    let status = hosts[0].command(command)?.status()?;
    lab.close().await?;
    Ok(ExitCode::from(u8::try_from(status.code().unwrap_or(255))?))
}
