//! The store of releases: a folder in the cache, with one folder a release.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use migratrix_matrix::ReleaseName;
use tracing::info;

use crate::{
    BuildOptions, Contents, LabError, Origin, Recipe, StoredRelease, privilege,
    releases::{
        builder::{self, ReleaseBuilder},
        in_use::{self, InUse, Unused},
        probe,
        recipe::recipe,
        release::{FORMAT, Record},
        source::SOURCES,
        unpack,
    },
};

/// The folder that keeps releases, `<cache>/releases/<name>/{root/, warm/, release.json}`.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// What a store has, in the order of the names.
#[derive(Debug, Default)]
pub struct Stock {
    /// The releases.
    pub whole: Vec<StoredRelease>,
    /// Those that can't be read, and why.
    pub damaged: Vec<(ReleaseName, LabError)>,
}

/// Where the cache is: `MIGRATRIX_CACHE`, or `migratrix` in `XDG_CACHE_HOME`, or in `~/.cache`.
#[must_use]
pub fn cache_folder() -> PathBuf {
    let set = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    set("MIGRATRIX_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|folder| folder.join("migratrix")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/migratrix")))
        .unwrap_or_else(|| env::temp_dir().join("migratrix"))
}

/// A release that another one is made in the place of.
#[derive(Debug)]
pub struct SetAside {
    place: PathBuf,
    aside: PathBuf,
    _unused: Unused,
}

impl Drop for SetAside {
    fn drop(&mut self) {
        // What can't be moved or removed now is removed when the release is made again.
        if self.place.exists() {
            drop(builder::remove_tree(&self.aside));
        } else {
            drop(fs::rename(&self.aside, &self.place));
        }
    }
}

impl Store {
    /// Opens the store in the cache folder `cache`, and makes it where there is none.
    ///
    /// # Errors
    /// Returns an error where the folder can't be made.
    pub fn open(cache: &Path) -> Result<Self, LabError> {
        let folder = cache.join("releases");
        fs::create_dir_all(&folder).map_err(LabError::file("create", &folder))?;
        let folder = folder
            .canonicalize()
            .map_err(LabError::file("read", &folder))?;
        Ok(Self { folder })
    }

    /// All releases.
    ///
    /// # Errors
    /// Returns an error where the store's folder can't be read.
    pub fn list(&self) -> Result<Stock, LabError> {
        let entries = fs::read_dir(&self.folder).map_err(LabError::file("read", &self.folder))?;
        let mut stock = Stock::default();
        for entry in entries {
            let folder = entry.map_err(LabError::file("read", &self.folder))?.path();
            let Some(name) = named(&folder) else { continue };
            match read(&folder) {
                Ok(release) => stock.whole.push(release),
                Err(why) => stock.damaged.push((name, why)),
            }
        }
        stock.whole.sort_by(|a, b| a.name().cmp(b.name()));
        stock.damaged.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(stock)
    }

    /// The release of this name.
    ///
    /// # Errors
    /// Returns an error where there is none, or it can't be read.
    pub fn get(&self, name: &ReleaseName) -> Result<StoredRelease, LabError> {
        let folder = self.place(name);
        if !StoredRelease::record_file(&folder).exists() {
            return Err(LabError::NoRelease(name.clone(), self.folder.clone()));
        }
        read(&folder)
    }

    /// Sees to it that the root of a release still holds what was found in it when it was made.
    ///
    /// # Errors
    /// Says what has become another version, and how the release is taken as it is now.
    pub fn demand_unchanged(&self, name: &ReleaseName) -> Result<(), LabError> {
        let release = self.get(name)?;
        probe::demand_unchanged(&release.root(), &release.record)
    }

    /// Adds the root file system at `path` under a name. It stays where it is, and is only read.
    ///
    /// # Errors
    /// Returns an error where the name is taken or a recipe's, or the root lacks what a host needs.
    pub fn add_directory(
        &self,
        name: &ReleaseName,
        path: &Path,
    ) -> Result<StoredRelease, LabError> {
        demand_own(name)?;
        let path = path.canonicalize().map_err(LabError::file("read", path))?;
        let making = ReleaseBuilder::begin(&self.folder, name)?;
        let record = probe::look(&path, name, Origin::Directory(path.clone()), &SOURCES)?;
        privilege::can_hold(&path)?;
        making.finish(record)
    }

    /// Adds the root file system in a tarball under a name: it is extracted into the store. Says
    /// what came out of it, and what was left out.
    ///
    /// # Errors
    /// Returns an error where the name is taken or a recipe's, the tarball can't be extracted, or the root
    /// lacks what a host needs.
    pub fn add_tarball(
        &self,
        name: &ReleaseName,
        path: &Path,
    ) -> Result<(StoredRelease, Contents), LabError> {
        demand_own(name)?;
        let path = path.canonicalize().map_err(LabError::file("read", path))?;
        let making = ReleaseBuilder::begin(&self.folder, name)?;
        let root = making.root();
        fs::create_dir(&root).map_err(LabError::file("create", &root))?;
        let contents = unpack::tarball(&path, &root)?;
        // It is told of what was named, and not of where it is for the moment.
        let record = probe::look(&root, name, Origin::Tarball(path.clone()), &SOURCES)
            .map_err(|error| error.of_root(&path))?;
        Ok((making.finish(record)?, contents))
    }

    /// Makes a release by a recipe, which takes half a minute or more.
    ///
    /// # Errors
    /// Returns an error where the name is taken, or the making fails: then nothing is left of it.
    pub fn build(
        &self,
        name: &ReleaseName,
        recipe: Recipe,
        options: &BuildOptions,
    ) -> Result<StoredRelease, LabError> {
        let making = ReleaseBuilder::begin(&self.folder, name)?;
        let root = making.root();
        fs::create_dir(&root).map_err(LabError::file("create", &root))?;
        info!("{} is made from {}", recipe.name, recipe.source.name());
        recipe.source.make(recipe.name, options, &root)?;
        let origin = Origin::Recipe {
            name: recipe.name.to_owned(),
            mirror: options.mirror(),
        };
        let record = probe::look(&root, name, origin, &[recipe.source])?;
        making.finish(record)
    }

    /// Takes the right to use a release: it stays as it is while that is held.
    ///
    /// # Errors
    /// Returns an error where there is none, or it is being removed.
    pub fn hold(&self, name: &ReleaseName) -> Result<InUse, LabError> {
        self.demand(name)?;
        let none = || LabError::NoRelease(name.clone(), self.folder.clone());
        in_use::share(&self.place(name))?.ok_or_else(none)
    }

    /// Takes the right to remove or replace a release.
    ///
    /// # Errors
    /// Returns an error where there is none, or somebody uses it.
    pub fn unused(&self, name: &ReleaseName) -> Result<Unused, LabError> {
        self.demand(name)?;
        in_use::alone(name, &self.place(name))
    }

    /// Removes a release, and its root if that is in the store.
    ///
    /// # Errors
    /// Returns an error where it can't be removed.
    pub fn remove(&self, unused: &Unused) -> Result<(), LabError> {
        let name = &unused.name;
        let folder = self.place(name);
        let doomed = self.folder.join(format!(".{name}.partial"));
        builder::remove_tree(&doomed)?;
        fs::rename(&folder, &doomed).map_err(LabError::file("remove", &folder))?;
        builder::remove_tree(&doomed)
    }

    /// Takes a release out of its place, where another one is to be made. It comes back when what is
    /// given is dropped and no other has taken its place by then.
    ///
    /// # Errors
    /// Fails where it can't be moved.
    pub fn set_aside(&self, unused: Unused) -> Result<SetAside, LabError> {
        let name = &unused.name;
        let place = self.place(name);
        let aside = self.folder.join(format!(".{name}.old"));
        builder::remove_tree(&aside)?;
        fs::rename(&place, &aside).map_err(LabError::file("move", &place))?;
        Ok(SetAside {
            place,
            aside,
            _unused: unused,
        })
    }

    /// An error where there is no release of this name, whole or damaged.
    ///
    /// # Errors
    /// Returns it.
    pub fn demand(&self, name: &ReleaseName) -> Result<(), LabError> {
        if self.place(name).exists() {
            return Ok(());
        }
        Err(LabError::NoRelease(name.clone(), self.folder.clone()))
    }

    fn place(&self, name: &ReleaseName) -> PathBuf {
        self.folder.join(name.as_str())
    }
}

/// Sees to it that a root of one's own has a name that means no other: a recipe's is that of what it makes.
fn demand_own(name: &ReleaseName) -> Result<(), LabError> {
    match recipe(name.as_str()) {
        Ok(_) => Err(LabError::OfRecipe(name.clone())),
        Err(_) => Ok(()),
    }
}

/// The release that a folder of the store is of; none while it is made.
fn named(folder: &Path) -> Option<ReleaseName> {
    let name = folder.file_name()?.to_str()?;
    let is_there = StoredRelease::record_file(folder).exists();
    ReleaseName::new(name).ok().filter(|_| is_there)
}

fn read(folder: &Path) -> Result<StoredRelease, LabError> {
    let file = StoredRelease::record_file(folder);
    let is_special = fs::metadata(&file).is_ok_and(|there| !there.is_file());
    if is_special {
        let why = "it is no regular file".to_owned();
        return Err(LabError::Record { path: file, why });
    }
    let text = fs::read_to_string(&file).map_err(LabError::file("read", &file))?;
    let record = parse(&text).map_err(|why| LabError::Record { path: file, why })?;
    Ok(StoredRelease {
        record,
        folder: folder.to_owned(),
    })
}

fn parse(text: &str) -> Result<Record, String> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    match value.get("format").and_then(serde_json::Value::as_u64) {
        Some(format) if format == u64::from(FORMAT) => {
            serde_json::from_value(value).map_err(|error| error.to_string())
        }
        Some(format) => Err(format!(
            "its form is number {format}, this program knows {FORMAT}"
        )),
        None => Err("it has no format number".to_owned()),
    }
}
