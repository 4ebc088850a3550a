//! `migratrix.toml`: deadlines, and hosts that are real machines.

mod uri;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use migratrix_contract::Deadlines;
use migratrix_matrix::{Arch, Release, ReleaseName, is_versioned_machine};
use serde::Deserialize;

use crate::{files, say::Shown};

/// The settings of a run. Every field may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How long steps may take.
    pub deadlines: DeadlineConfig,
    /// Bounds that conditions are held to.
    pub bounds: BoundConfig,
    /// Real machines, by the name that they have as a source or a destination.
    pub hosts: BTreeMap<ReleaseName, HostConfig>,
}

/// How long steps may take, in seconds.
#[derive(Debug, Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "a table, as under [deadlines]"
)]
pub struct DeadlineConfig {
    /// The migration.
    migrate: Option<f64>,
    /// Any other step.
    step: Option<f64>,
    /// A step of clearing away.
    clear: Option<f64>,
}

/// Bounds that conditions are held to.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table, as under [bounds]")]
pub struct BoundConfig {
    /// The longest downtime of a guest that is migrated live, in milliseconds.
    pub live_downtime_ms: u64,
    /// The longest downtime of a guest that is not, in milliseconds.
    pub downtime_ms: u64,
}

impl Default for BoundConfig {
    fn default() -> Self {
        Self {
            live_downtime_ms: 1_000,
            downtime_ms: 2_500,
        }
    }
}

/// A real machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, as under [hosts.NAME]")]
pub struct HostConfig {
    /// The libvirt URI by which a client reaches it, as `qemu+ssh://root@a/system`.
    pub uri: String,
    /// The URI by which the other host's daemon reaches it, where that is another.
    pub peer_uri: Option<String>,
    /// Where the guest's boot image is on it: see `migratrix lab image`.
    pub boot_image: PathBuf,
    /// The versioned machine types that it offers, as `pc-q35-7.2`.
    pub machines: Vec<String>,
}

impl HostConfig {
    /// Names the key, the value and what would be right.
    fn check(&self) -> Result<()> {
        let peer = self.peer_uri.iter().map(|uri| ("peer_uri", uri));
        for (key, uri) in [("uri", &self.uri)].into_iter().chain(peer) {
            if let Some(why) = uri::wrong(uri) {
                bail!("{key} = {uri:?} {why}: write a URI as \"qemu+ssh://root@a/system\"");
            }
        }
        let image = self.boot_image.to_string_lossy();
        let is_file = !image.ends_with('/') && self.boot_image.file_name().is_some();
        if !self.boot_image.is_absolute() || !is_file || image.contains(char::is_control) {
            bail!(
                "boot_image = {image:?} is no absolute path of a file: say where it is on the host, as \
                 \"/var/lib/libvirt/images/a-b.img\""
            );
        }
        if self.machines.is_empty() {
            bail!("machines is empty: name a machine type, as in [\"pc-q35-7.2\"]");
        }
        let bad = |machine: &&String| !is_versioned_machine(machine);
        if let Some(machine) = self.machines.iter().find(bad) {
            bail!(
                "machines has {machine:?}, which is no versioned machine type: write it as \
                 \"pc-q35-7.2\" or \"pc-i440fx-7.2\" ({} -machine help lists them)",
                Arch::default().emulator()
            );
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = self.machines.iter().find(|one| !seen.insert(*one)) {
            bail!("machines has {twice:?} twice: name each machine type once");
        }
        Ok(())
    }
}

impl Config {
    /// The settings' file: the one that is named, else `migratrix.toml` here if there is one.
    #[must_use]
    pub fn file(named: Option<&Path>) -> Option<PathBuf> {
        let usual = || Some(PathBuf::from("migratrix.toml")).filter(|file| file.exists());
        named.map(Path::to_owned).or_else(usual)
    }

    /// Reads the settings' file, where there is one.
    ///
    /// # Errors
    /// Names the file, the line and the key of what is wrong.
    pub fn read(file: Option<&Path>) -> Result<Self> {
        let Some(file) = file else {
            return Ok(Self::default());
        };
        let text = files::text(file)
            .with_context(|| format!("can't read the settings {}", file.shown()))?;
        let config: Self = toml::from_str(&text)
            .map_err(|error| anyhow!("{}", with_what_would_be_right(&error.to_string())))
            .with_context(|| format!("{} is not as it should be", file.shown()))?;
        config
            .check()
            .with_context(|| format!("{} is not as it should be", file.shown()))?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        for (key, seconds) in [
            ("migrate", self.deadlines.migrate),
            ("step", self.deadlines.step),
            ("clear", self.deadlines.clear),
        ] {
            let outside = |seconds: &f64| !(0.001..=86_400.0).contains(seconds);
            if let Some(seconds) = seconds.filter(outside) {
                bail!("deadlines.{key} = {seconds} must lie between 0.001 and 86400 seconds");
            }
        }
        for (name, host) in &self.hosts {
            host.check().with_context(|| format!("hosts.{name}"))?;
        }
        Ok(())
    }

    /// The deadlines, with the defaults where none is set.
    #[must_use]
    pub fn deadlines(&self) -> Deadlines {
        let default = Deadlines::default();
        let or = |seconds: Option<f64>, default| seconds.map_or(default, Duration::from_secs_f64);
        Deadlines {
            migrate: or(self.deadlines.migrate, default.migrate),
            step: or(self.deadlines.step, default.step),
            clear: or(self.deadlines.clear, default.clear),
        }
    }

    /// The real machines, as releases that cases can name.
    pub fn releases(&self) -> impl Iterator<Item = Release> + '_ {
        self.hosts.iter().map(|(name, host)| Release {
            name: name.clone(),
            libvirt: None,
            qemu: None,
            machines: host.machines.clone(),
            packages: BTreeMap::new(),
        })
    }
}

/// What the reader of TOML says is expected, by what a person would write.
const EXPECTED: [(&str, &str); 4] = [
    (
        "expected u64",
        "expected a whole number from 0 on, without quotes",
    ),
    ("expected f64", "expected a number, without quotes"),
    ("expected a map", "expected tables, as under [hosts.NAME]"),
    (
        "expected a sequence",
        "expected a list, as in [\"pc-q35-7.2\"]",
    ),
];

fn with_what_would_be_right(told: &str) -> String {
    let told = told.to_owned();
    EXPECTED
        .iter()
        .fold(told, |told, (theirs, ours)| told.replace(theirs, ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../docs/configuration.md");

    #[test]
    fn the_machines_that_the_page_runs_on_are_those_that_its_example_defines() {
        let example = PAGE.split("```toml\n").nth(1).expect("it has one");
        let example = example.split("```").next().expect("it ends");
        let config: Config = toml::from_str(example).expect("it can be read");
        let names: Vec<_> = config.hosts.keys().map(ReleaseName::as_str).collect();
        assert_eq!(names, ["prod-a", "prod-b"]);
        config.hosts.values().for_each(|host| host.check().unwrap());
        let words = PAGE.split(|c: char| c.is_whitespace() || "`,.;:]".contains(c));
        let mut used = words.filter(|word| word.starts_with("prod-"));
        assert!(used.all(|word| names.contains(&word)));
    }
}
