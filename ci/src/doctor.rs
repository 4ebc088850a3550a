//! `migratrix doctor`: what this machine can do, and the command that mends what is missing; and
//! whether the real machines of the settings answer.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use migratrix_lab::{State, StoredRelease, cache_folder, client_command, doctor as examine};
use migratrix_libvirt::reach;
use migratrix_matrix::ReleaseName;
use tokio::runtime::Builder;

use crate::{
    config::{Config, HostConfig},
    files, meaning,
    run::client::that_starts,
    say::{Shown, typed_word},
};

/// Prints what was found; gives whether a run can go ahead.
#[must_use]
pub fn doctor(config: &Config) -> bool {
    let releases = meaning::store().and_then(|store| Ok(store.list()?.whole));
    let releases = releases.unwrap_or_default();
    let program = program(&releases).map_err(|why| format!("{why:#}"));
    let program = program.as_deref().map_err(String::as_str);
    let findings = examine(&cache_folder(), program);
    for finding in &findings {
        tell(
            finding.state,
            finding.what,
            &finding.detail,
            finding.mend.as_deref(),
        );
    }
    let fine = |state| state != State::Missing;
    let machine = findings.iter().all(|finding| fine(finding.state));
    let cache = cache();
    let client = client(&releases, program);
    let hosts = hosts(config, client.as_ref()).map(|(name, (state, detail, mend))| {
        tell(state, &format!("host {name}"), &detail, mend.as_deref());
        state
    });
    let hosts: Vec<_> = hosts.collect();
    machine && fine(cache) && hosts.into_iter().all(fine)
}

/// What was found at a real machine: whether it answers, and what mends it where it doesn't.
type Found = (State, String, Option<String>);

/// Asks the real machines of the settings. Each has the time for an answer that a run gives it.
fn hosts<'c>(
    config: &'c Config,
    client: Result<&'c Vec<OsString>, &'c anyhow::Error>,
) -> impl Iterator<Item = (&'c ReleaseName, Found)> {
    let patience = config.deadlines().step;
    let hosts = config.hosts.iter();
    hosts.map(move |(name, host)| (name, look_at(host, client, patience)))
}

/// Whether releases can be kept in the cache.
fn cache() -> State {
    let folder = cache_folder();
    let (state, detail, mend) = match files::demand_folder(&folder.join("releases")) {
        Ok(()) => (State::Fine, folder.shown(), None),
        Err(why) => (
            State::Missing,
            format!("{} can't be used: {why:#}", folder.shown()),
            Some("export MIGRATRIX_CACHE=FOLDER, a directory that you can write"),
        ),
    };
    tell(state, "cache", &detail, mend);
    state
}

fn tell(state: State, what: &str, detail: &str, mend: Option<&str>) {
    let mark = match state {
        State::Fine => "ok     ",
        State::Limited => "limited",
        State::Missing => "MISSING",
    };
    println!("{mark}  {what}: {detail}");
    if let Some(mend) = mend {
        println!("         fix: {mend}");
    }
}

/// The client program that starts with the libraries of all releases that are here.
fn program(releases: &[StoredRelease]) -> Result<PathBuf> {
    let programs = meaning::client_programs()?;
    let releases: Vec<_> = releases.iter().collect();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(that_starts(&programs, &releases))
}

/// A client with the library of a release that is here.
fn client(releases: &[StoredRelease], program: Result<&Path, &str>) -> Result<Vec<OsString>> {
    let release = releases
        .last()
        .context("no release is built whose client could ask")?;
    let program = program.map_err(|why| anyhow!("{why}"))?;
    Ok(client_command(release, program)?)
}

fn look_at(
    host: &HostConfig,
    client: Result<&Vec<OsString>, &anyhow::Error>,
    patience: Duration,
) -> Found {
    let uri = &host.uri;
    let command = match client {
        Ok(command) => command,
        Err(why) => {
            let mend = "migratrix releases build trixie; ci/build-client".to_owned();
            return (
                State::Limited,
                format!("{uri} was not asked: {why:#}"),
                Some(mend),
            );
        }
    };
    match ask(command, uri, patience) {
        Ok(detail) => (State::Fine, detail, None),
        Err(why) => (
            State::Missing,
            format!("{uri} does not answer: {why:#}"),
            Some(format!(
                "what this says: virsh -c {} version",
                typed_word(uri)
            )),
        ),
    }
}

fn ask(command: &[OsString], uri: &str, patience: Duration) -> Result<String> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let host = runtime.block_on(reach(command, uri, patience))?;
    let (libvirt, qemu, hostname) = (host.libvirt, host.qemu, host.hostname);
    Ok(format!(
        "{uri} answers as {hostname}: libvirt {libvirt}, QEMU {qemu}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_as_long_for_its_answer_as_the_settings_say() {
        let dir = tempfile::tempdir().expect("there is room");
        let file = dir.path().join("migratrix.toml");
        let text = "[deadlines]\nstep = 0.2\n[hosts.prod-a]\nuri = \"qemu+tcp://a/system\"\n\
                    boot_image = \"/a-b.img\"\nmachines = [\"pc-q35-8.2\"]\n";
        std::fs::write(&file, text).expect("there is room");
        let config = Config::read(Some(&file)).expect("it is as it should be");
        let silent = ["sh", "-c", "read a; exec sleep 60"].map(OsString::from);
        let client = silent.to_vec();
        let found: Vec<_> = hosts(&config, Ok(&client)).collect();
        let [(name, (state, detail, _))] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!((name.as_str(), *state), ("prod-a", State::Missing));
        assert!(detail.ends_with("within 0.2 s"), "{detail}");
    }
}
