//! What was typed, and what it means: the selection, the releases that are known, the client.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::ValueEnum;
use memchr::memmem;
use migratrix_lab::{LabError, Store, StoredRelease, cache_folder, recipes};
use migratrix_libvirt::CLIENT_MARK;
use migratrix_matrix::{
    Backend, Case, Profile, Release, ReleaseName, Releases, RunOptions, Selection, Suite,
};

use crate::{
    WrongUse,
    cli::{RunArgs, SelectionArgs},
    config::Config,
    files,
    formats::{Granularity, JunitArgs},
    run::qemus::OwnBuild,
    say::Shown,
    shard::shard,
};

/// The pair that is meant where none is named: Debian 12 to Debian 13.
const DEFAULT_SOURCE: &str = "bookworm";
const DEFAULT_DESTINATION: &str = "trixie";

/// Opens the store of releases.
///
/// # Errors
/// Fails where the cache's folder can't be made.
pub fn store() -> Result<Store> {
    let folder = cache_folder();
    Store::open(&folder).with_context(|| format!("can't use the cache {}", folder.shown()))
}

/// All releases that can be named: those of the store, the recipes that are not built yet, the
/// real machines of the settings, and the user's own QEMUs.
///
/// # Errors
/// Fails where the store can't be read, or a name is taken twice.
pub fn known_releases(store: &Store, config: &Config, own: &[OwnBuild]) -> Result<Releases> {
    let stock = store.list()?;
    let mut known: Vec<Release> = stock.whole.iter().map(StoredRelease::release).collect();
    // What is wrong with one is told where it is used.
    let damaged = stock.damaged.into_iter();
    known.extend(damaged.map(|(name, _)| Release::unknown(name)));
    for recipe in recipes() {
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

/// A release of the store.
///
/// # Errors
/// Says how it is built where it is not, and that it is not known where nobody can build it.
pub fn stored(store: &Store, name: &ReleaseName) -> Result<StoredRelease> {
    match store.get(name) {
        Err(LabError::NoRelease(..)) if recipes().any(|one| one.name == name.as_str()) => {
            bail!(WrongUse(not_built(name)))
        }
        stored => Ok(stored?),
    }
}

/// That a release is not built, and how it is.
fn not_built(name: &ReleaseName) -> String {
    format!("{name} is not built: migratrix releases build {name}")
}

/// The releases of `store` that run something in these cases, where no real machine of `config` and none of
/// `own` does.
///
/// # Errors
/// Names the first that is not built, and how it is.
pub fn built(
    cases: &[Case],
    store: &Store,
    config: &Config,
    own: &[OwnBuild],
) -> Result<Vec<StoredRelease>> {
    let mut seen = BTreeSet::new();
    let mut built = Vec::new();
    for Case { tuple, backend, .. } in cases {
        let is_machine = |name: &ReleaseName| config.hosts.contains_key(name);
        let sides = [&tuple.source, &tuple.destination];
        let needed: Vec<_> = match backend {
            Backend::Libvirt => {
                if is_machine(&tuple.client) {
                    bail!(WrongUse(no_client(&tuple.client)));
                }
                let client = Some(&tuple.client).filter(|client| !sides.contains(client));
                let sides = sides.into_iter().filter(|name| !is_machine(name));
                sides.chain(client).collect()
            }
            Backend::Qemu => {
                let is_own = |name: &ReleaseName| own.iter().any(|build| build.name == *name);
                sides.into_iter().filter(|name| !is_own(name)).collect()
            }
            Backend::Fake => Vec::new(),
        };
        for name in needed {
            if seen.insert(name) {
                built.push(stored(store, name)?);
            }
        }
    }
    Ok(built)
}

/// Sees to it that a release is what it was when the run was planned.
///
/// # Errors
/// Names what of it is of another version now.
pub fn check_planned(now: &Release, planned: &[Release]) -> Result<()> {
    let Some(then) = planned.iter().find(|then| then.name == now.name) else {
        return Ok(());
    };
    let programs = [
        ("libvirt", then.libvirt, now.libvirt),
        ("QEMU", then.qemu, now.qemu),
    ];
    let programs = programs.into_iter().filter_map(|(what, then, now)| {
        let (then, now) = (then?.to_string(), now?.to_string());
        Some((what, then, now))
    });
    let packages = then.packages().filter_map(|(what, then)| {
        let now = now.packages.get(what)?;
        Some((what, then.to_owned(), now.clone()))
    });
    match programs.chain(packages).find(|(_, then, now)| then != now) {
        Some((what, then, now_is)) => bail!(WrongUse(format!(
            "{what} of the release `{}` is {now_is} now, and was {then} when the run was begun, whose results \
             are of that one: begin a new run",
            now.name
        ))),
        None => Ok(()),
    }
}

/// That a machine of the settings has no client library here.
fn no_client(name: &ReleaseName) -> String {
    format!(
        "{name} is a machine, whose client library is not here: name a release's by --client, as --client {DEFAULT_DESTINATION}"
    )
}

/// The QEMUs that `NAME=PATH` stands for, each.
///
/// # Errors
/// Names what names none.
pub fn own_builds(named: &[String]) -> Result<Vec<OwnBuild>> {
    named.iter().map(|typed| OwnBuild::read(typed)).collect()
}

/// The cases of these names.
fn parsed(names: &[String]) -> Result<Vec<Case>> {
    let cases = names.iter().map(|name| name.parse());
    Ok(cases.collect::<Result<_, _>>()?)
}

impl SelectionArgs {
    /// The QEMUs that the arguments name.
    ///
    /// # Errors
    /// Names the argument that names none.
    pub fn own_builds(&self) -> Result<Vec<OwnBuild>> {
        own_builds(&self.qemus)
    }

    /// What the arguments select, where `cases` are named beside them. Where no place is named, it is
    /// Debian 12 to Debian 13; a client or a destination that is not named is what the source is.
    ///
    /// # Errors
    /// Names the argument that makes no sense.
    pub fn meaning(&self, cases: &[Case]) -> Result<Selection> {
        let followed = self.profile.map_or(Suite::Tck, Profile::suite);
        let suite = self.suite.unwrap_or(followed);
        let backends = self
            .profile
            .map_or_else(|| suite.backends(), Profile::backends);
        let mut selection = Selection {
            suite,
            profile: self.profile,
            backend: self.backend.unwrap_or(backends[0]),
            boundary: self.boundary.as_deref().map(boundary).transpose()?,
            filter: self.expression.as_deref().map(expression).transpose()?,
            names: [parsed(&self.names)?, cases.to_vec()].concat(),
            cover: self.cover.as_deref().map(str::parse).transpose()?,
            with: parsed(&self.with)?,
            cover_seed: self.cover_seed.unwrap_or_default(),
            shard: self.shard.as_deref().map(shard).transpose()?,
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
        if let Some(first) = selection.names.first() {
            if self.suite.is_some() || self.backend.is_some() || self.profile.is_some() {
                bail!(
                    "--case names suite and back end: leave --suite, --backend and --profile out"
                );
            }
            (selection.suite, selection.backend) = (first.suite(), first.backend);
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
            destination.to_vec()
        } else {
            once(&selection.sources)
        };
        selection.destinations = or(names(&self.destination)?, &usual);
        if selection.backend.has_client() || !self.client.is_empty() {
            selection.clients = or(names(&self.client)?, &once(&selection.sources));
        }
        Ok(())
    }
}

/// The names, each once: what is typed twice is blamed where it was typed.
fn once(names: &[ReleaseName]) -> Vec<ReleaseName> {
    let mut once = Vec::new();
    for name in names {
        if !once.contains(name) {
            once.push(name.clone());
        }
    }
    once
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

impl JunitArgs {
    /// What is given here, or where nothing is, what a run was begun with.
    ///
    /// # Errors
    /// Fails where the plan names a granularity that is not known.
    pub fn or_kept(&self, kept: &RunOptions) -> Result<Self> {
        let word = kept.granularity.as_deref();
        let kept = word.map(|word| Granularity::from_str(word, false));
        let kept = kept.transpose().map_err(|why| anyhow!(why))?;
        let granularity = self.granularity.or(kept);
        Ok(Self {
            granularity,
            junit_per_pair: self.junit_per_pair.clone(),
        })
    }
}

impl RunArgs {
    /// The options that are given, in the form in which a plan keeps them: `config` is the settings'
    /// file.
    ///
    /// # Errors
    /// Names a path that no plan can keep.
    pub fn options(&self, config: Option<&Path>) -> Result<RunOptions> {
        let word = |one: Granularity| Some(one.to_possible_value()?.get_name().to_owned());
        let qemus = self.selection.qemus.iter().map(|typed| {
            let Some((name, path)) = typed.split_once('=') else {
                return Ok(typed.clone());
            };
            Ok(format!("{name}={}", absolute(Path::new(path))?))
        });
        Ok(RunOptions {
            config: config.map(absolute).transpose()?,
            known: self.known.lists.kept()?,
            granularity: self.junit.granularity.and_then(word),
            junit_per_pair: (self.junit.junit_per_pair.as_deref())
                .map(absolute)
                .transpose()?,
            jobs: self.jobs.map(usize::from),
            retries: self.retries,
            qemus: qemus.collect::<Result<_>>()?,
            as_shipped: self.as_shipped,
            without_controls: self.without_controls,
            fail_known: self.known.fail_known,
            allow_flaky: self.known.allow_flaky,
        })
    }
}

/// The path as it is known from everywhere, as text.
pub fn absolute(path: &Path) -> Result<String> {
    let absolute = std::path::absolute(path)
        .with_context(|| format!("can't tell where `{}` is", path.shown()))?;
    let text = absolute.to_str().map(str::to_owned);
    text.with_context(|| {
        format!(
            "the path `{}` is not UTF-8, and a plan can't keep it: give it another name",
            path.shown()
        )
    })
}

/// The client programs that this program understands, the first before the others: `MIGRATRIX_CLIENT`, or
/// beside this program and where `ci/build-client` puts it.
///
/// # Errors
/// Fails where there is none in these places.
pub fn client_programs() -> Result<Vec<PathBuf>> {
    let here = std::env::current_exe().context("can't find out where this program is")?;
    let beside = here.with_file_name("migratrix-client");
    let built = here
        .parent()
        .map(|folder| folder.join("../client/migratrix-client"));
    let named = std::env::var_os("MIGRATRIX_CLIENT").filter(|named| !named.is_empty());
    // One that is named is meant, even where another one would do.
    let there = match named.map(PathBuf::from) {
        Some(named) if named.is_file() => [Some(named), None],
        Some(named) => bail!(
            "the client program {} is not there: name another by MIGRATRIX_CLIENT, or unset it",
            named.shown()
        ),
        None => [Some(beside), built],
    };
    let there = there.into_iter().flatten();
    let there: Vec<_> = there.filter(|path| path.is_file()).collect();
    let first = there.first().context(
        "the client program is not built: run ci/build-client, or name it by MIGRATRIX_CLIENT",
    )?;
    let stale = anyhow!(
        "the client program {} was built with another version of this program: build it again by \
         ci/build-client, or name another one by MIGRATRIX_CLIENT",
        first.shown()
    );
    let understood = |path: &&PathBuf| {
        files::bytes(path).is_ok_and(|it| memmem::find(&it, &CLIENT_MARK).is_some())
    };
    let all: Vec<_> = there.iter().filter(understood).cloned().collect();
    ensure!(!all.is_empty(), stale);
    Ok(all)
}
