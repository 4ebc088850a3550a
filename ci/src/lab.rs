//! `migratrix lab`: hosts for a person who wants to look inside.

mod env;

use std::{
    collections::BTreeSet, fs, io::ErrorKind, os::unix::process::CommandExt, path::Path,
    process::Command,
};

use anyhow::{Context, Result, bail};
use migratrix_guest::Parameters;
use migratrix_lab::{
    Lab, LabName, Labs, RunningHost, Store, StoredRelease, UpLab, cache_folder, running_hosts,
    sandbox,
};
use migratrix_matrix::{HostSetup, ReleaseName, Side};

use crate::{
    WrongUse,
    cli::{DEFAULT_LAB, LabAction},
    meaning,
    say::Shown,
};
use env::{PATIENCE, await_up};

/// Does what was asked with the lab, and gives the code to exit with.
///
/// # Errors
/// Fails where a host doesn't come up, or isn't there.
pub fn lab(action: &LabAction) -> Result<u8> {
    match action {
        LabAction::Up { name, releases } => up(&LabName::new(name)?, releases),
        LabAction::Down { name } => down(&LabName::new(name)?),
        LabAction::Exec { lab, host, command } => exec(lab.as_deref(), host, command),
        LabAction::Env { lab } => env::env(&labs()?, &LabName::new(lab)?),
        LabAction::Image { file } => image(file),
    }
}

fn labs() -> Result<Labs> {
    Ok(Labs::open(&cache_folder())?)
}

fn up(name: &LabName, releases: &[String]) -> Result<u8> {
    let mut seen = BTreeSet::new();
    if let Some(twice) = releases.iter().find(|name| !seen.insert(*name)) {
        bail!(WrongUse(format!(
            "the release `{twice}` is given twice: give it once, each gets a source and a destination \
             host"
        )));
    }
    let store = meaning::store()?;
    let releases = releases
        .iter()
        .map(|name| stored(&store, name))
        .collect::<Result<Vec<_>>>()?;
    let _in_use = releases
        .iter()
        .map(|release| store.hold(release.name()))
        .collect::<Result<Vec<_>, _>>()?;
    let labs = labs()?;
    // The outer process holds the name, as long as it lives: nothing inside outlives it.
    let _held = if sandbox::is_outside() {
        Some(labs.hold(name)?)
    } else {
        None
    };
    if let sandbox::Entered::Left(code) = sandbox::enter(sandbox::Terminal::Outer)? {
        return Ok(code);
    }
    on_runtime(async {
        // A request that comes while hosts come up counts as well.
        tokio::select! {
            held = hold_up(name, &labs, &releases) => held,
            asked = sandbox::stop_requested() => Ok(asked?),
        }
    })?;
    Ok(0)
}

/// Brings the hosts up, and holds them for ever.
async fn hold_up(name: &LabName, labs: &Labs, releases: &[StoredRelease]) -> Result<()> {
    let lab = Lab::new(&labs.logs(name))?;
    for release in releases {
        for side in [Side::Source, Side::Destination] {
            let host = lab.host(release, side, HostSetup::AsShipped).await?;
            println!(
                "{}: migratrix lab exec {}{0} -- virsh list --all",
                host.hostname(),
                named(name, "--lab=", " ")
            );
        }
    }
    labs.mark_up(name)?;
    println!(
        "up until Ctrl-C or migratrix lab down{}",
        named(name, " ", "")
    );
    std::future::pending().await
}

/// A lab's name as an argument, where it has to be given.
fn named(name: &LabName, before: &str, after: &str) -> String {
    if name.as_str() == DEFAULT_LAB {
        String::new()
    } else {
        format!("{before}{}{after}", name.as_str())
    }
}

fn down(name: &LabName) -> Result<u8> {
    labs()?.get(name)?.end()?;
    println!("lab {} is down", name.as_str());
    Ok(0)
}

/// Runs a command on a host that is up; on one that is brought up for it, if no lab is.
fn exec(lab: Option<&str>, name: &str, command: &[String]) -> Result<u8> {
    // The labs that are up are those of the machine: from within the sandbox, none can be told.
    if sandbox::is_outside() {
        if let Some(host) = running(lab, name)? {
            // The terminal's keys are the command's alone from here on.
            let error = host.command(command).exec();
            return Err(error).context("can't run nsenter: install util-linux");
        }
    }
    let (release, side) = match name.rsplit_once('-') {
        Some((release, "s")) => (release, Side::Source),
        Some((release, "d")) => (release, Side::Destination),
        Some(_) | None => bail!(WrongUse(format!(
            "`{name}` is not a host: RELEASE-s or RELEASE-d, as in bookworm-s"
        ))),
    };
    let store = meaning::store()?;
    let stored = stored(&store, release)?;
    let _in_use = store.hold(stored.name())?;
    if let sandbox::Entered::Left(code) = sandbox::enter(sandbox::Terminal::Shared)? {
        return Ok(code);
    }
    on_runtime(async {
        // An interrupt is for the command.
        let _caught = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
        let lab = Lab::new(&cache_folder().join("lab"))?;
        let host = lab.host(&stored, side, HostSetup::AsShipped).await?;
        wait(host.command(command)?)
    })
}

/// The host of this name that is up: in the lab that is named. Where none is, in the one that has the default name,
/// by which `lab up` prints its commands; else in another lab, and else in a run, each if it alone has it. `None`
/// where nothing is up that could have it.
fn running(lab: Option<&str>, name: &str) -> Result<Option<RunningHost>> {
    let of = labs()?;
    let labs = of.up()?;
    let is_meant = |its: &str| lab.is_none_or(|lab| its == lab || is_same_folder(its, lab));
    // A lab that has it may be one that is still coming up.
    let has = |lab: &UpLab| lab.hosts().iter().any(|host| host.hostname == name);
    let meant = || labs.iter().filter(|lab| is_meant(lab.name().as_str()));
    // That of the default name goes before others, also while it is still coming up.
    let first = meant().find(|lab| lab.name().as_str() == DEFAULT_LAB && !has(lab));
    if let Some(first) = first {
        let is_up = await_up(&of, first.name(), PATIENCE);
        // Another one that has it will do.
        if !meant().any(has) {
            is_up?;
        }
    }
    if !meant().any(has) {
        meant().try_for_each(|lab| await_up(&of, lab.name(), PATIENCE).map(drop))?;
    }
    let all = with_runs(
        labs.iter()
            .map(|lab| (lab.name().as_str().to_owned(), lab.hosts())),
    );
    let rank = |its: &str| rank(its, labs.iter().any(|lab| lab.name().as_str() == its));
    let meant = all.iter().filter(|(its, _)| is_meant(its));
    let found = meant.flat_map(|(its, hosts)| hosts.iter().map(move |host| (its.as_str(), host)));
    let found = found.filter(|(_, host)| host.hostname == name);
    let found = first_of(found.collect(), |(its, _)| rank(its));
    match (found.as_slice(), lab) {
        ([], None) if labs.is_empty() => Ok(None),
        ([], _) => {
            let hosts = |of: &[RunningHost]| of.iter().map(|host| host.hostname.clone()).collect();
            let all = all.iter().map(|(its, of)| (its.clone(), hosts(of)));
            bail!(WrongUse(not_up(name, lab, &all.collect::<Vec<_>>())))
        }
        ([(_, host)], _) => Ok(Some((*host).clone())),
        (several, _) => {
            let names: Vec<_> = several
                .iter()
                .map(|(its, _)| Path::new(its).shown())
                .collect();
            bail!(WrongUse(format!(
                "{} have a host {name}: name one by --lab",
                names.join(" and ")
            )))
        }
    }
}

/// Whose host is meant where none is named: what is before goes before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// That of the lab by the default name.
    Default,
    /// That of another lab, which was brought up to be looked into as well.
    Lab,
    /// That of a run, which comes and goes.
    Run,
}

fn rank(name: &str, is_lab: bool) -> Rank {
    match (name, is_lab) {
        (DEFAULT_LAB, true) => Rank::Default,
        (_, true) => Rank::Lab,
        (_, false) => Rank::Run,
    }
}

/// Those of the first rank that there is.
fn first_of<T>(mut all: Vec<T>, rank: impl Fn(&T) -> Rank) -> Vec<T> {
    let first = all.iter().map(&rank).min();
    all.retain(|one| Some(rank(one)) == first);
    all
}

/// All hosts that are up, by their lab; those of a run by its directory.
fn with_runs(
    labs: impl Iterator<Item = (String, Vec<RunningHost>)>,
) -> Vec<(String, Vec<RunningHost>)> {
    let mut all: Vec<_> = labs.collect();
    for host in running_hosts() {
        let run = run_of(&host);
        if all.iter().any(|(_, hosts)| hosts.contains(&host)) {
            continue;
        }
        match all.iter_mut().find(|(its, _)| *its == run) {
            Some((_, hosts)) => hosts.push(host),
            None => all.push((run, vec![host])),
        }
    }
    all
}

fn is_same_folder(its: &str, typed: &str) -> bool {
    fs::canonicalize(typed).is_ok_and(|path| path == Path::new(its))
}

/// What is said of a host that isn't up, where others are, each under its lab.
fn not_up(name: &str, lab: Option<&str>, all: &[(String, Vec<String>)]) -> String {
    let sought = match lab {
        Some(lab) => format!("no lab `{lab}` with a host {name} is up"),
        None => format!("no host {name} is up"),
    };
    let has = |(its, hosts): &(String, Vec<String>)| {
        let hosts = match hosts.as_slice() {
            [] => "no host yet".to_owned(),
            hosts => hosts.join(", "),
        };
        format!("{} has {hosts}", Path::new(its).shown())
    };
    let others: Vec<_> = all.iter().map(has).collect();
    match others.as_slice() {
        [] => format!("{sought}, nor any other"),
        others => format!(
            "{sought}: {}; another lab comes up by `migratrix lab up --name NAME RELEASE`",
            others.join("; ")
        ),
    }
}

/// The directory of the run that a host belongs to: its logs are in `DIR/hosts/HOST`.
fn run_of(host: &RunningHost) -> String {
    let run = host.logs.parent().and_then(Path::parent);
    run.unwrap_or(&host.logs).to_string_lossy().into_owned()
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
    meaning::stored(store, &ReleaseName::new(name)?)
}

fn image(file: &Path) -> Result<u8> {
    let image = Parameters::SMALL.boot_image()?;
    if let Err(error) = fs::write(file, image) {
        let said = format!("can't write {}: {error}", file.shown());
        let unnamed = [
            ErrorKind::NotFound,
            ErrorKind::NotADirectory,
            ErrorKind::IsADirectory,
        ];
        if unnamed.contains(&error.kind()) {
            bail!(WrongUse(said));
        }
        bail!(said);
    }
    println!(
        "{}: copy it to each machine, and name it there as boot_image",
        file.shown()
    );
    Ok(0)
}

fn on_runtime<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_that_of_the_default_lab_then_of_another_and_then_of_a_run() {
        let labs = ["default", "next", "more"];
        let meant = |its: &[&'static str]| {
            let rank = |name: &&str| rank(name, labs.contains(name));
            first_of(its.to_vec(), rank)
        };
        assert_eq!(meant(&["/runs/a", "default", "next"]), ["default"]);
        assert_eq!(meant(&["/runs/a", "next"]), ["next"]);
        assert_eq!(meant(&["next", "/runs/a", "more"]), ["next", "more"]);
        assert_eq!(meant(&["/runs/a", "/runs/b"]), ["/runs/a", "/runs/b"]);
        assert_eq!(meant(&[]), [""; 0]);
    }

    #[test]
    fn a_host_that_no_lab_has_is_told_with_those_that_they_have() {
        let hosts = ["a-s", "a-d"].map(str::to_owned).to_vec();
        let all = [("default".to_owned(), hosts), ("new".to_owned(), vec![])];
        assert_eq!(
            not_up("b-s", None, &all),
            "no host b-s is up: default has a-s, a-d; new has no host yet; another lab comes up \
             by `migratrix lab up --name NAME RELEASE`"
        );
        assert!(
            not_up("a-s", Some("new"), &all).starts_with("no lab `new` with a host a-s is up:")
        );
        let none = not_up("a-s", Some("new"), &[]);
        assert_eq!(none, "no lab `new` with a host a-s is up, nor any other");
    }
}
