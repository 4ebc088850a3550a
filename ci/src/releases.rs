//! `migratrix releases`: the root file systems that hosts are made of.

use std::{collections::BTreeSet, path::Path};

use anyhow::{Context, Result, bail};
use migratrix_lab::{BuildOptions, Expired, Origin, Recipe, StoredRelease, recipe, recipes};
use migratrix_matrix::ReleaseName;

use crate::{WrongUse, cli::ReleaseAction, files, meaning, say::Shown};

/// Does what was asked with the releases.
///
/// # Errors
/// Fails where a release can't be built, added, read or removed.
pub fn releases(action: Option<&ReleaseAction>) -> Result<()> {
    match action {
        None | Some(ReleaseAction::List) => list(),
        Some(ReleaseAction::Build {
            names,
            allow_expired,
            mirror,
            again,
        }) => {
            let expired = if *allow_expired {
                Expired::Allow
            } else {
                Expired::Refuse
            };
            let options = BuildOptions {
                expired,
                mirror: mirror.clone(),
            };
            // All names are looked at before the first is built, which takes its time.
            let wanted = names.iter().map(|name| wanted(name));
            let wanted = wanted.collect::<Result<Vec<_>>>()?;
            if !*again {
                demand_by_recipes(&wanted)?;
            }
            wanted
                .iter()
                .try_for_each(|(name, recipe)| build(name, *recipe, &options, *again))
        }
        Some(ReleaseAction::Add { name, root }) => add(name, root),
        Some(ReleaseAction::Rm { names }) => remove(names),
    }
}

fn wanted(name: &str) -> Result<(ReleaseName, Recipe)> {
    Ok((ReleaseName::new(name)?, recipe(name)?))
}

/// Sees to it that what is there under the names of recipes was made by them: earlier versions let a root of
/// one's own have such a name.
fn demand_by_recipes(wanted: &[(ReleaseName, Recipe)]) -> Result<()> {
    let store = meaning::store()?;
    for (name, _) in wanted {
        match store.get(name).map(|there| there.record.origin) {
            Ok(own @ (Origin::Directory(_) | Origin::Tarball(_))) => bail!(WrongUse(format!(
                "the release `{name}` that is there is not the recipe's, it is {}: `migratrix releases rm {name}` \
                 removes it, `migratrix releases build --again {name}` makes the recipe's in its place",
                origin(&own)
            ))),
            Ok(Origin::Recipe { .. }) | Err(_) => {}
        }
    }
    Ok(())
}

fn list() -> Result<()> {
    let store = meaning::store()?;
    let stock = store.list()?;
    row("release", "libvirt", "QEMU", "where it is from");
    for release in &stock.whole {
        println!("{}", line(release));
    }
    for (name, why) in &stock.damaged {
        row(name.as_str(), "-", "-", &format!("damaged: {why}"));
    }
    let whole = stock.whole.iter().map(StoredRelease::name);
    let there: Vec<_> = whole
        .chain(stock.damaged.iter().map(|(name, _)| name))
        .collect();
    for Recipe { name, .. } in recipes() {
        if there.iter().all(|one| one.as_str() != name) {
            row(
                name,
                "-",
                "-",
                &format!("not built: migratrix releases build {name}"),
            );
        }
    }
    Ok(())
}

fn row(name: &str, libvirt: &str, qemu: &str, what: &str) {
    println!("{name:<20} {libvirt:>9} {qemu:>9}  {what}");
}

fn line(stored: &StoredRelease) -> String {
    let record = &stored.record;
    format!(
        "{:<20} {:>9} {:>9}  {}",
        record.name,
        record.libvirt.to_string(),
        record.qemu.to_string(),
        origin(&record.origin)
    )
}

fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Recipe { name, .. } => format!("built by the recipe {name}"),
        Origin::Directory(path) => format!("the directory {}", path.shown()),
        Origin::Tarball(path) => format!("the tarball {}", path.shown()),
    }
}

fn build(name: &ReleaseName, recipe: Recipe, options: &BuildOptions, again: bool) -> Result<()> {
    let store = meaning::store()?;
    if let (Ok(stored), false) = (store.get(name), again) {
        println!("{} (already there)", line(&stored));
        return Ok(());
    }
    eprintln!("building {name}: this takes half a minute or more");
    let _old = match store.get(name) {
        Ok(_) if again => Some(store.set_aside(store.unused(name)?)?),
        Ok(_) | Err(_) => None,
    };
    let stored = store
        .build(name, recipe, options)
        .with_context(|| format!("can't build {name}"))?;
    println!("{}", line(&stored));
    Ok(())
}

fn add(name: &str, root: &Path) -> Result<()> {
    let store = meaning::store()?;
    let name = ReleaseName::new(name)?;
    let there = if root.is_dir() {
        Ok(())
    } else {
        files::demand(root)
    };
    if let Err(error) = there {
        bail!(WrongUse(format!("can't read {}: {error}", root.shown())));
    }
    let context = || format!("can't add {}", root.shown());
    if root.is_dir() {
        let stored = store.add_directory(&name, root).with_context(context)?;
        println!("{}", line(&stored));
    } else {
        let (stored, contents) = store.add_tarball(&name, root).with_context(context)?;
        println!("{}", line(&stored));
        println!("{contents}");
    }
    Ok(())
}

fn remove(names: &[String]) -> Result<()> {
    let store = meaning::store()?;
    let names = names.iter().map(|name| ReleaseName::new(name));
    let names = names.collect::<Result<BTreeSet<_>, _>>()?;
    // Where one is not there, or in use, none is removed.
    let unused = names.iter().map(|name| store.unused(name));
    let unused = unused.collect::<Result<Vec<_>, _>>()?;
    names.iter().zip(&unused).try_for_each(|(name, unused)| {
        store
            .remove(unused)
            .with_context(|| format!("can't remove {name}"))
    })
}
