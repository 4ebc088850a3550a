//! The QEMUs of a run's raw cases: those of the releases' roots, and those that the user names.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use migratrix_contract::told;
use migratrix_lab::{Store, cache_folder};
use migratrix_matrix::{Release, ReleaseName};
use migratrix_qemu::{Abilities, AbilityCache, Binary, RawHost};

/// How long a QEMU may take to say what it can do.
const PROBING: Duration = Duration::from_secs(20);

/// A QEMU that the user names: `NAME=PATH`.
#[derive(Clone, Debug)]
pub struct OwnBuild {
    /// What cases call it.
    pub name: ReleaseName,
    /// The program.
    pub binary: Binary,
}

/// All QEMUs of a run.
pub struct Qemus {
    binaries: BTreeMap<ReleaseName, Binary>,
    cache: AbilityCache,
    probed: RefCell<HashMap<ReleaseName, Result<Arc<Abilities>, String>>>,
    scratch: PathBuf,
}

impl OwnBuild {
    /// Reads `NAME=PATH`: a program, or the folder that it was built in.
    ///
    /// # Errors
    /// Says what of it is wrong, and what would be right.
    pub fn read(typed: &str) -> Result<Self> {
        let Some((name, path)) = typed.split_once('=') else {
            bail!(
                "`{typed}` names no QEMU: write NAME=PATH, as in --qemu mine=build/qemu-system-x86_64"
            );
        };
        let name = ReleaseName::new(name)?;
        let path = Path::new(path);
        let binary = Binary::of_build(path).with_context(|| format!("--qemu {typed}"))?;
        Ok(Self { name, binary })
    }

    /// What the matrix has to know of it, asked of itself.
    ///
    /// # Errors
    /// Fails where it can't be started, or doesn't answer.
    pub fn release(&self) -> Result<Release> {
        let probing = cache().abilities_of(&self.binary);
        let abilities = probing.with_context(|| format!("the QEMU `{}`", self.name))?;
        Ok(Release {
            name: self.name.clone(),
            libvirt: None,
            qemu: Some(abilities.version),
            machines: abilities.machines().map(str::to_owned).collect(),
            packages: BTreeMap::new(),
        })
    }
}

/// Asks a QEMU where there is no runtime yet.
trait Ask {
    fn abilities_of(&self, binary: &Binary) -> Result<Abilities>;
}

impl Ask for AbilityCache {
    fn abilities_of(&self, binary: &Binary) -> Result<Abilities> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(runtime.block_on(self.abilities(binary, PROBING))?)
    }
}

fn cache() -> AbilityCache {
    AbilityCache::new(cache_folder().join("abilities"))
}

impl Qemus {
    /// The QEMUs of `names`, as far as they have one here; none of them is started yet. Cases keep
    /// their files in `scratch`.
    ///
    /// # Errors
    /// Fails where a root has no QEMU that can be started from outside.
    pub fn new<'n>(
        names: impl Iterator<Item = &'n ReleaseName>,
        own: &[OwnBuild],
        store: &Store,
        scratch: PathBuf,
    ) -> Result<Self> {
        let mut binaries = BTreeMap::new();
        for name in names {
            let built = own.iter().find(|build| build.name == *name);
            let binary = match (built, store.get(name)) {
                (Some(build), _) => build.binary.clone(),
                (None, Ok(stored)) => Binary::of_root(&stored.root())?,
                (None, Err(_)) => continue,
            };
            binaries.insert(name.clone(), binary);
        }
        Ok(Self {
            binaries,
            cache: cache(),
            probed: RefCell::default(),
            scratch,
        })
    }

    /// Whether a QEMU of the release is here.
    ///
    /// # Errors
    /// Says how to get it where it is not.
    pub fn find(&self, name: &ReleaseName) -> Result<&Binary> {
        self.binaries.get(name).with_context(|| {
            format!(
                "no QEMU of {name} is here: migratrix releases build {name}, or --qemu {name}=PATH"
            )
        })
    }

    /// The QEMU of a release, asked what it can do when it is first needed.
    ///
    /// # Errors
    /// Says why there is none.
    pub async fn host(&self, name: &ReleaseName) -> Result<RawHost, String> {
        let binary = self.find(name).map_err(|error| format!("{error:#}"))?;
        let known = self.probed.borrow().get(name).cloned();
        let abilities = match known {
            Some(known) => known?,
            None => {
                let probed = self.cache.abilities(binary, PROBING).await;
                let probed = probed.map(Arc::new).map_err(|error| {
                    let why = told(&error);
                    format!("the QEMU of {name} does not say what it can do: {why}")
                });
                let mut all = self.probed.borrow_mut();
                all.entry(name.clone()).or_insert(probed).clone()?
            }
        };
        Ok(RawHost {
            name: name.to_string(),
            binary: binary.clone(),
            abilities,
        })
    }

    /// Whether the QEMU of a release is known not to answer: there is no use in asking again.
    #[must_use]
    pub fn lack(&self, name: &ReleaseName) -> bool {
        let probed = self.probed.borrow();
        probed.get(name).is_some_and(Result::is_err)
    }

    /// Where a case keeps its files.
    #[must_use]
    pub fn folder(&self, domain: &str) -> PathBuf {
        self.scratch.join(domain)
    }
}
