//! What was typed, and what it means: the selection, the releases that are known, the client.

use std::{
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail};
use migratrix_lab::{RECIPES, Store, cache_folder};
use migratrix_matrix::{Plan, Profile, Release, ReleaseName, Releases, Selection, Suite};
use migratrix_reports::{Flaky, KnownAre, KnownFailures, Rules};

use crate::{
    cli::{KnownArgs, SelectionArgs},
    config::Config,
    qemus::OwnBuild,
};

/// The pair that is meant where none is named: Debian 12 to Debian 13.
const DEFAULT_SOURCE: &str = "bookworm";
const DEFAULT_DESTINATION: &str = "trixie";

/// The known failures that come with the program.
const KNOWN_FAILURES: &str = include_str!("../known-failures.toml");

/// Opens the store of releases.
///
/// # Errors
/// Fails where the cache's folder can't be made.
pub fn store() -> Result<Store> {
    let folder = cache_folder();
    Store::open(&folder).with_context(|| format!("can't use the cache {}", folder.display()))
}

/// All releases that can be named: those of the store, the recipes that are not built yet, the
/// real machines of the settings, and the user's own QEMUs.
///
/// # Errors
/// Fails where the store can't be read, or a name is taken twice.
pub fn known_releases(store: &Store, config: &Config, own: &[OwnBuild]) -> Result<Releases> {
    let mut known: Vec<Release> = store
        .list()?
        .iter()
        .map(|stored| stored.release())
        .collect();
    for recipe in RECIPES {
        let name = ReleaseName::new(recipe.name)?;
        if known.iter().all(|release| release.name != name) {
            known.push(Release::unknown(name));
        }
    }
    known.extend(config.releases());
    for build in own {
        known.push(build.release()?);
    }
    Releases::new(known).context("a host of the settings, or a QEMU, needs a name of its own")
}

impl SelectionArgs {
    /// The QEMUs that the arguments name.
    ///
    /// # Errors
    /// Names the argument that names none.
    pub fn own_builds(&self) -> Result<Vec<OwnBuild>> {
        self.qemus
            .iter()
            .map(|typed| OwnBuild::read(typed))
            .collect()
    }

    /// What the arguments select. Where no place is named, it is Debian 12 to Debian 13; a client
    /// or a destination that is not named is what the source is.
    ///
    /// # Errors
    /// Names the argument that makes no sense.
    pub fn meaning(&self) -> Result<Selection> {
        let suite: Suite = self.suite.parse()?;
        let profile: Option<Profile> = self.profile.as_deref().map(str::parse).transpose()?;
        let backend = match (&self.backend, profile) {
            (Some(typed), _) => typed.parse()?,
            (None, Some(profile)) => profile.backends()[0],
            (None, None) => suite.backends()[0],
        };
        let mut selection = Selection {
            suite,
            profile,
            backend,
            boundary: self.boundary.as_deref().map(boundary).transpose()?,
            filter: self.expression.as_deref().map(expression).transpose()?,
            names: self
                .names
                .iter()
                .map(|name| name.parse())
                .collect::<Result<_, _>>()?,
            cover: self.cover,
            shard: self.shard.as_deref().map(str::parse).transpose()?,
            ..Selection::default()
        };
        if selection.boundary.is_none() && selection.names.is_empty() {
            self.place(&mut selection)?;
        } else if !(self.client.is_empty() && self.source.is_empty() && self.destination.is_empty())
        {
            bail!(
                "--case and --boundary name all three places: leave --client, --source and --destination out"
            );
        }
        Ok(selection)
    }

    fn place(&self, selection: &mut Selection) -> Result<()> {
        let or = |given: Vec<ReleaseName>, other: &[ReleaseName]| {
            if given.is_empty() {
                other.to_vec()
            } else {
                given
            }
        };
        let bare = self.source.is_empty() && self.client.is_empty();
        selection.sources = or(names(&self.source)?, &[ReleaseName::new(DEFAULT_SOURCE)?]);
        let destination = [ReleaseName::new(DEFAULT_DESTINATION)?];
        let usual = if bare {
            &destination[..]
        } else {
            &selection.sources
        };
        selection.destinations = or(names(&self.destination)?, usual);
        if selection.backend.has_client() || !self.client.is_empty() {
            selection.clients = or(names(&self.client)?, &selection.sources);
        }
        Ok(())
    }
}

fn names(typed: &[String]) -> Result<Vec<ReleaseName>> {
    Ok(typed
        .iter()
        .map(|name| ReleaseName::new(name))
        .collect::<Result<_, _>>()?)
}

fn boundary(typed: &str) -> Result<(ReleaseName, ReleaseName)> {
    let Some((old, new)) = typed.split_once(',') else {
        bail!("`{typed}` is not a boundary: name two releases, as in --boundary bookworm,trixie");
    };
    Ok((ReleaseName::new(old)?, ReleaseName::new(new)?))
}

fn expression(typed: &str) -> Result<migratrix_matrix::Filter> {
    typed
        .parse()
        .map_err(|bad: migratrix_matrix::BadFilter| anyhow::anyhow!("{bad}"))
}

impl KnownArgs {
    /// The list of known failures: the file that is named, or the one that comes with the program.
    ///
    /// # Errors
    /// Fails where it can't be read.
    pub fn meaning(&self) -> Result<KnownFailures> {
        let now = now_unix();
        let Some(file) = &self.known else {
            return Ok(KnownFailures::parse(KNOWN_FAILURES)?.general().on(now));
        };
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("can't read the known failures {}", file.display()))?;
        let known = KnownFailures::parse(&text).with_context(|| file.display().to_string())?;
        Ok(known.on(now))
    }

    /// What counts as a failure.
    #[must_use]
    pub fn rules(&self) -> Rules {
        Rules {
            flaky: if self.allow_flaky {
                Flaky::Allowed
            } else {
                Flaky::Failed
            },
            known: if self.fail_known {
                KnownAre::Failed
            } else {
                KnownAre::Excused
            },
        }
    }
}

/// Sees to it that the list of known failures names no release that nobody knows: not the plan, nor
/// this machine.
///
/// # Errors
/// Names the entry and the release.
pub fn check_known(known: &KnownFailures, config: &Config, plan: &Plan) -> Result<()> {
    if !known.names_releases() {
        return Ok(());
    }
    let mut all = plan.releases.clone();
    for release in known_releases(&store()?, config, &[])?.iter() {
        if all.iter().all(|one| one.name != release.name) {
            all.push(release.clone());
        }
    }
    Ok(known.check_releases(&Releases::new(all)?)?)
}

fn now_unix() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// The client program: `MIGRATRIX_CLIENT`, or beside this program, or where `ci/build-client` puts it.
///
/// # Errors
/// Fails where it is in none of these places.
pub fn client_binary() -> Result<PathBuf> {
    let here = std::env::current_exe().context("can't find out where this program is")?;
    let beside = here.with_file_name("migratrix-client");
    let built = here
        .parent()
        .map(|folder| folder.join("../client/migratrix-client"));
    let named = std::env::var_os("MIGRATRIX_CLIENT").map(PathBuf::from);
    [named, Some(beside), built]
        .into_iter()
        .flatten()
        .find(|path| path.is_file())
        .context(
            "the client program is not built: run ci/build-client, or name it by MIGRATRIX_CLIENT",
        )
}
