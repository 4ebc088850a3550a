//! The lists of known failures that are given, or that a run was begun with, and `--bless`, which adds to
//! one of them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use migratrix_contract::now_unix;
use migratrix_matrix::{KnownLists, Plan, Releases, RunOptions};
use migratrix_reports::{Blessing, Flaky, KnownAre, KnownFailures, Rules, Run};

use crate::{
    WrongUse,
    cli::{KnownArgs, ListArgs},
    config::Config,
    files,
    meaning::{absolute, known_releases, store},
    say::{self, Shown, count, typed_word},
};

/// The known failures that come with the program.
const KNOWN_FAILURES: &str = include_str!("../known-failures.toml");

impl ListArgs {
    /// The list of known failures: the one that comes with the program, and the files that are named, of which one
    /// may be still to be made.
    ///
    /// # Errors
    /// Fails where one can't be read.
    fn meaning(&self, unmade: Option<&Path>) -> Result<KnownFailures> {
        if self.only_known && self.known.is_empty() {
            bail!(WrongUse(
                "--only-known takes the lists of --known in the place of the program's, and none is named: \
                 name one by --known FILE; one that is empty excuses nothing"
                    .to_owned()
            ));
        }
        known_failures(&self.known, self.only_known, unmade)
    }

    /// The same, of a run that was begun by this plan: its own lists come before the program's. That
    /// they are others by now is told.
    ///
    /// # Errors
    /// Fails where one can't be read.
    pub fn or_kept(&self, plan: &Plan) -> Result<KnownFailures> {
        self.or_kept_with(plan, None)
    }

    fn or_kept_with(&self, plan: &Plan, unmade: Option<&Path>) -> Result<KnownFailures> {
        let kept = &plan.options.known;
        if self.is_given() || kept.is_empty() {
            return self.meaning(unmade);
        }
        let files: Vec<_> = kept.files.iter().map(PathBuf::from).collect();
        // One that was to be made where something fails is not there where nothing did.
        let unmade = files.last().filter(|last| {
            let unmade = known_failures(&files, kept.only, Some(last));
            unmade.is_ok_and(|list| Some(list.digest()) == plan.known)
        });
        let list = known_failures(&files, kept.only, unmade.map(PathBuf::as_path))
            .context("the run was begun with this list: give another by --known")?;
        if plan
            .known
            .as_ref()
            .is_some_and(|then| *then != list.digest())
        {
            let files = kept.files.join(", ");
            say::error(&format!(
                "migratrix: the known failures {files} are not those that the run was begun with: what \
                 they excuse now counts\n"
            ));
        }
        Ok(list)
    }

    /// The options by which another command takes the same lists.
    fn again(&self) -> Vec<String> {
        let files = self.known.iter().map(|file| file.to_string_lossy());
        let files = files.flat_map(|file| ["--known".to_owned(), typed_word(&file)]);
        let only = self.only_known.then(|| "--only-known".to_owned());
        only.into_iter().chain(files).collect()
    }

    fn is_given(&self) -> bool {
        !self.known.is_empty() || self.only_known
    }

    /// The lists as a plan keeps them.
    ///
    /// # Errors
    /// Names a path that no plan can keep.
    pub fn kept(&self) -> Result<KnownLists> {
        let files = self.known.iter().map(|file| absolute(file));
        Ok(KnownLists {
            files: files.collect::<Result<_>>()?,
            only: self.only_known,
        })
    }
}

impl KnownArgs {
    /// The list of known failures of a run that was begun by this plan, see [`ListArgs::or_kept`].
    ///
    /// # Errors
    /// Fails where one can't be read, or made.
    pub fn or_kept(&self, plan: &Plan) -> Result<KnownFailures> {
        self.lists.or_kept_with(plan, self.unmade()?)
    }

    /// The list that entries for new failures are written into, where that is asked for: the last one
    /// that is named here or, where none is, by the plan.
    ///
    /// # Errors
    /// Fails where there is none: that of the program is not written.
    pub fn blessed(&self, kept: &KnownLists) -> Result<Option<PathBuf>> {
        if !self.bless {
            return Ok(None);
        }
        let kept = kept.files.last().filter(|_| !self.lists.is_given());
        let kept = kept.map(PathBuf::from);
        let file = self.lists.known.last().cloned().or(kept);
        let file = file.ok_or_else(|| {
            WrongUse(
                "--bless writes into a list of your own, and none is named: name it by --known FILE, \
                 which is made where it is not there"
                    .to_owned(),
            )
        })?;
        Ok(Some(file))
    }

    /// The list that is to be written into, where it is not there and can be made.
    ///
    /// # Errors
    /// Says why it can't be made.
    fn unmade(&self) -> Result<Option<&Path>> {
        let Some(file) = self.lists.known.last().filter(|_| self.bless) else {
            return Ok(None);
        };
        if file.exists() {
            return Ok(None);
        }
        let folder = match file.parent() {
            Some(folder) if folder != Path::new("") => folder,
            Some(_) | None => Path::new("."),
        };
        if !folder.exists() {
            let (file, folder) = (file.shown(), folder.shown());
            bail!(WrongUse(format!(
                "can't make {file}: {folder} is not there: make it, or name another list by --known"
            )));
        }
        files::demand_folder(folder).with_context(|| format!("can't make {}", file.shown()))?;
        Ok(Some(file))
    }

    /// The options by which `explain` counts as failures what does here; each begins with a space.
    #[must_use]
    pub fn explained(&self) -> String {
        let fail_known = self.fail_known.then(|| "--fail-known".to_owned());
        let all = self.lists.again().into_iter().chain(fail_known);
        all.map(|word| format!(" {word}")).collect()
    }

    /// What counts as a failure, here or in a run that was begun with these options.
    #[must_use]
    pub fn rules(&self, kept: &RunOptions) -> Rules {
        Rules {
            flaky: if self.allow_flaky || kept.allow_flaky {
                Flaky::Allowed
            } else {
                Flaky::Failed
            },
            known: if self.fail_known || kept.fail_known {
                KnownAre::Failed
            } else {
                KnownAre::Excused
            },
        }
    }
}

/// What stands in a list that is made.
const BEGINNING: &str = "\
# Failures that are known, each with its reason: see docs/known-failures.md of Migratrix.
";

/// The text of a list; of one that is still to be made, how it begins.
fn text_of(file: &Path, unmade: Option<&Path>) -> Result<String> {
    if unmade == Some(file) && !file.exists() {
        return Ok(BEGINNING.to_owned());
    }
    files::text(file).with_context(|| format!("can't read the known failures {}", file.shown()))
}

/// The list of the program, where the others are not in its place, and the lists of these files, of which one may be
/// still to be made.
fn known_failures(files: &[PathBuf], only: bool, unmade: Option<&Path>) -> Result<KnownFailures> {
    let now = now_unix();
    let own = files.iter().map(|file| {
        let text = text_of(file, unmade)?;
        let name = file.shown();
        let known = KnownFailures::parse(&text).with_context(|| name.clone())?;
        Ok(known.named_as(&name))
    });
    let built_in = (!only).then(|| Ok(KnownFailures::parse(KNOWN_FAILURES)?.general()));
    let all: Vec<KnownFailures> = built_in.into_iter().chain(own).collect::<Result<_>>()?;
    let all = all.into_iter().reduce(KnownFailures::and);
    Ok(all.unwrap_or_default().on(now))
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

/// What is to be written into the list in `file`: entries for what failed in `run` and is not known.
///
/// # Errors
/// Fails where it is no list.
pub fn blessing(run: &Run, file: &Path) -> Result<Blessing> {
    let name = file.shown();
    let text = text_of(file, Some(file))?;
    Blessing::of(run, &text).with_context(|| name.to_string())
}

/// Writes it, and tells what is to be done with the new entries.
///
/// # Errors
/// Fails where the list can't be written.
pub fn bless(blessing: Blessing, file: &Path) -> Result<()> {
    let name = file.shown();
    let Blessing {
        text,
        entries,
        cases,
        left,
    } = blessing;
    if entries > 0 {
        files::write_whole(file, &text)?;
        let (added, of) = (entries_of(entries), count(cases, "case"));
        eprintln!(
            "{name}: {added} added, of {of}: say in each `reason` what is wrong, and whose it is"
        );
    } else {
        eprintln!("{name}: nothing failed that is not known: nothing was added");
    }
    if left > 0 {
        let left = count(left, "case");
        eprintln!(
            "{name}: no entry for {left}: what passes unexpectedly, failed at first only, is unknown or has a \
             fault of its own is no failure to know"
        );
    }
    Ok(())
}

fn entries_of(entries: usize) -> String {
    if entries == 1 {
        "1 entry".to_owned()
    } else {
        format!("{entries} entries")
    }
}
