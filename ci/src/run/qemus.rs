//! The QEMUs of a run's raw cases: those of the releases' roots, and those that the user names.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use migratrix_contract::told;
use migratrix_lab::{Store, cache_folder};
use migratrix_matrix::{Arch, Release, ReleaseName};
use migratrix_qemu::{Binary, QemuCaps, QemuCapsCache, RawHost};
use tokio::sync::OnceCell;
use tracing::info;

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
    known: BTreeMap<ReleaseName, Known>,
    cache: QemuCapsCache,
    scratch: PathBuf,
}

/// A QEMU, and what it can do, or why it doesn't say, once it was asked.
struct Known {
    binary: Binary,
    abilities: OnceCell<Result<Arc<QemuCaps>, String>>,
}

impl OwnBuild {
    /// Reads `NAME=PATH`: a program, or the folder that it was built in.
    ///
    /// # Errors
    /// Says what of it is wrong, and what would be right.
    pub fn read(typed: &str) -> Result<Self> {
        let Some((name, path)) = typed.split_once('=') else {
            bail!(
                "`{typed}` names no QEMU: write NAME=PATH, as in --qemu mine=build/{}",
                Arch::default().emulator()
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

/// The QEMUs of one's own of a run that goes on.
pub struct OwnAgain {
    /// What names them: `NAME=PATH`.
    pub typed: Vec<String>,
    /// What that stands for.
    pub builds: Vec<OwnBuild>,
}

impl OwnAgain {
    /// Those that the run was begun with, by `kept`, each in another place where one is `given` for it.
    ///
    /// # Errors
    /// Names what is given and is none of the `planned` releases, what is not there any more, and what
    /// is of another version than it was.
    pub fn of(given: &[String], kept: &[String], planned: &[Release]) -> Result<Self> {
        for typed in given {
            demand_own(typed, planned)?;
        }
        let instead = |kept: &&String| given.iter().all(|typed| name_of(typed) != name_of(kept));
        let left: Vec<_> = kept.iter().filter(instead).collect();
        let builds = left.iter().map(|typed| {
            OwnBuild::read(typed).with_context(|| {
                let name = name_of(typed);
                format!("the run was begun with this QEMU: give another by --qemu {name}=PATH")
            })
        });
        let builds = builds.chain(given.iter().map(|typed| OwnBuild::read(typed)));
        let builds: Vec<_> = builds.collect::<Result<_>>()?;
        for build in &builds {
            demand_same(&build.release()?, planned)?;
        }
        let typed = left.into_iter().chain(given).cloned().collect();
        Ok(Self { typed, builds })
    }
}

fn name_of(typed: &str) -> &str {
    typed.split_once('=').map_or(typed, |(name, _)| name)
}

/// Sees to it that what is given is for a QEMU that the run was begun with, and that came without a
/// libvirt.
fn demand_own(typed: &str, planned: &[Release]) -> Result<()> {
    let own = |release: &&Release| release.libvirt.is_none() && release.qemu.is_some();
    let own: Vec<_> = planned.iter().filter(own).map(|one| &one.name).collect();
    let name = name_of(typed);
    if own.iter().any(|one| one.as_str() == name) {
        return Ok(());
    }
    let has = match &own[..] {
        [] => "none".to_owned(),
        own => own
            .iter()
            .map(|one| format!("`{one}`"))
            .collect::<Vec<_>>()
            .join(", "),
    };
    bail!(
        "--qemu {typed}: the run was begun with no QEMU of your own called `{name}`, it has {has}: \
         leave it out, or begin a new run"
    )
}

/// Sees to it that a QEMU is of the version that the run was begun with.
fn demand_same(now: &Release, planned: &[Release]) -> Result<()> {
    let then = planned.iter().find(|one| one.name == now.name);
    match (then.and_then(|then| then.qemu), now.qemu) {
        (Some(then), Some(version)) if then != version => bail!(
            "the QEMU `{}` is {version} now, and was {then} when the run was begun: name that one \
             by --qemu, or begin a new run",
            now.name
        ),
        (_, _) => Ok(()),
    }
}

/// Asks a QEMU where there is no runtime yet.
trait Ask {
    fn abilities_of(&self, binary: &Binary) -> Result<QemuCaps>;
}

impl Ask for QemuCapsCache {
    fn abilities_of(&self, binary: &Binary) -> Result<QemuCaps> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(runtime.block_on(self.abilities(binary, PROBING))?)
    }
}

fn cache() -> QemuCapsCache {
    QemuCapsCache::new(cache_folder().join("abilities"))
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
        let mut known = BTreeMap::new();
        for name in names {
            let built = own.iter().find(|build| build.name == *name);
            let binary = match (built, store.get(name)) {
                (Some(build), _) => build.binary.clone(),
                (None, Ok(stored)) => Binary::of_root(&stored.root())?,
                (None, Err(_)) => continue,
            };
            let abilities = OnceCell::new();
            known.insert(name.clone(), Known { binary, abilities });
        }
        Ok(Self {
            known,
            cache: cache(),
            scratch,
        })
    }

    /// Whether a QEMU of the release is here.
    ///
    /// # Errors
    /// Says how to get it where it is not.
    pub fn find(&self, name: &ReleaseName) -> Result<&Binary> {
        Ok(&self.known(name)?.binary)
    }

    fn known(&self, name: &ReleaseName) -> Result<&Known> {
        self.known.get(name).with_context(|| {
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
        let known = self.known(name).map_err(|error| format!("{error:#}"))?;
        let abilities = known.abilities.get_or_init(async || {
            let probed = self.cache.abilities(&known.binary, PROBING).await;
            let caps = probed.map_err(|error| {
                let why = told(&error);
                format!("the QEMU of {name} does not say what it can do: {why}")
            })?;
            info!("the QEMU of {name} says what it can do: {}", caps.version);
            Ok(Arc::new(caps))
        });
        Ok(RawHost {
            name: name.to_string(),
            binary: known.binary.clone(),
            abilities: abilities.await.clone()?,
        })
    }

    /// Whether the QEMU of a release is known not to answer: there is no use in asking again.
    #[must_use]
    pub fn lack(&self, name: &ReleaseName) -> bool {
        let known = self.known.get(name);
        known
            .and_then(|known| known.abilities.get())
            .is_some_and(Result::is_err)
    }

    /// Where a case keeps its files.
    #[must_use]
    pub fn folder(&self, domain: &str) -> PathBuf {
        self.scratch.join(domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(name: &str, libvirt: Option<&str>, qemu: &str) -> Release {
        let version = |text: &str| text.parse().expect("it is a version");
        Release {
            libvirt: libvirt.map(version),
            qemu: Some(version(qemu)),
            ..Release::unknown(ReleaseName::new(name).expect("it is a name"))
        }
    }

    #[test]
    fn only_a_qemu_of_ones_own_that_the_run_has_is_given_anew() {
        let stored = release("trixie", Some("11.3.0"), "10.0.13");
        let both = [stored.clone(), release("mine", None, "9.2.0")];
        demand_own("mine=/elsewhere", &both).expect("it has that");
        for name in ["trixie", "other"] {
            let why = demand_own(&format!("{name}=/x"), &both).expect_err("it has not");
            assert!(why.to_string().contains("it has `mine`"), "{why}");
        }
        let why = demand_own("mine=/x", &[stored]).expect_err("it has none");
        assert!(why.to_string().contains("it has none"), "{why}");
    }

    #[test]
    fn a_qemu_of_another_version_is_not_gone_on_with() {
        let planned = [release("mine", None, "9.2.0")];
        demand_same(&planned[0], &planned).expect("it is the same");
        let why = demand_same(&release("mine", None, "9.2.1"), &planned);
        let why = why.expect_err("it is another").to_string();
        assert!(why.contains("9.2.1 now, and was 9.2.0"), "{why}");
    }
}
