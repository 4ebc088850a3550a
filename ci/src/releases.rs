//! `migratrix releases`: the root file systems that hosts are made of.

use std::path::Path;

use anyhow::{Context, Result};
use migratrix_lab::{BuildOptions, Expired, Origin, RECIPES, StoredRelease, recipe};
use migratrix_matrix::ReleaseName;

use crate::{cli::ReleaseAction, meaning};

/// Does what was asked with the releases.
///
/// # Errors
/// Fails where a release can't be built, added, read or removed.
pub fn releases(action: Option<&ReleaseAction>) -> Result<()> {
    match action {
        None => list(),
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
            names
                .iter()
                .try_for_each(|name| build(name, &options, *again))
        }
        Some(ReleaseAction::Add { name, root }) => add(name, root),
        Some(ReleaseAction::Rm { names }) => names.iter().try_for_each(|name| remove(name)),
    }
}

fn list() -> Result<()> {
    let store = meaning::store()?;
    let stored = store.list()?;
    println!(
        "{:<20} {:>9} {:>9}  where it is from",
        "release", "libvirt", "QEMU"
    );
    for release in &stored {
        println!("{}", line(release));
    }
    for recipe in RECIPES {
        if stored
            .iter()
            .all(|release| release.name().as_str() != recipe.name)
        {
            println!(
                "{:<20} {:>9} {:>9}  not built: migratrix releases build {0}",
                recipe.name, "-", "-"
            );
        }
    }
    Ok(())
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
        Origin::Directory(path) => format!("the directory {}", path.display()),
        Origin::Tarball(path) => format!("the tarball {}", path.display()),
    }
}

fn build(name: &str, options: &BuildOptions, again: bool) -> Result<()> {
    let store = meaning::store()?;
    let release = ReleaseName::new(name)?;
    if let (Ok(stored), false) = (store.get(&release), again) {
        println!("{} (already there)", line(&stored));
        return Ok(());
    }
    eprintln!("building {name}: this takes half a minute or more");
    if again && store.get(&release).is_ok() {
        store.remove(&release)?;
    }
    let stored = store
        .build(&release, recipe(name)?, options)
        .with_context(|| format!("can't build {name}"))?;
    println!("{}", line(&stored));
    Ok(())
}

fn add(name: &str, root: &Path) -> Result<()> {
    let store = meaning::store()?;
    let release = ReleaseName::new(name)?;
    let stored = if root.is_dir() {
        store.add_directory(&release, root)
    } else {
        store.add_tarball(&release, root)
    };
    println!(
        "{}",
        line(&stored.with_context(|| format!("can't add {}", root.display()))?)
    );
    Ok(())
}

fn remove(name: &str) -> Result<()> {
    meaning::store()?
        .remove(&ReleaseName::new(name)?)
        .with_context(|| format!("can't remove {name}"))
}
