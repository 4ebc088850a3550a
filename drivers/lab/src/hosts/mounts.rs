//! A host's file systems: an overlay on its release's root, and the least of /dev, /proc, /sys and
//! /run.

use std::{
    fs::{self, DirBuilder, File},
    io::Write,
    os::unix::fs::{DirBuilderExt, symlink},
    path::{Path, PathBuf},
};

use migratrix_contract::SHARED;
use migratrix_matrix::Shown;
use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    unistd::{chdir, pivot_root},
};

use crate::{
    LabError,
    hosts::spec::{LOGS, Spec},
    privilege,
    releases::caps_cache,
};

/// The devices that a host shares with the machine. There is no /dev/kvm: a guest's speed and CPU
/// must not depend on the machine.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];

/// The device that QEMU pulls pages over with after a switch to postcopy, where the machine has
/// it.
const USERFAULTFD: &str = "userfaultfd";

/// The devices that anyone may use.
const HARMLESS: [&str; 5] = ["null", "zero", "full", "random", "urandom"];

/// How what a jail writes is mounted.
const JAIL: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV);

const LINKS: [(&str, &str); 5] = [
    ("/proc/self/fd", "fd"),
    ("/proc/self/fd/0", "stdin"),
    ("/proc/self/fd/1", "stdout"),
    ("/proc/self/fd/2", "stderr"),
    ("pts/ptmx", "ptmx"),
];

/// Mounts a tmpfs for what hosts write, at `target`.
pub(crate) fn mount_scratch(target: &Path) -> Result<(), LabError> {
    mount_new("tmpfs", target, MsFlags::MS_NOSUID, "mode=755")
}

/// Makes a file system that is the one in `lower` and is kept in memory where it is written to, and
/// makes it ours. It has no device but the harmless ones, and neither /proc nor /sys.
pub(crate) fn enter_jail(lower: &Path) -> Result<(), LabError> {
    chdir(lower).map_err(LabError::system(format!("enter {}", lower.shown())))?;
    // The folder itself, which we are in already, is the one place that is there for sure.
    mount_new("tmpfs", lower, JAIL, "size=16m,mode=755")?;
    let root = overlay(Path::new("."), lower)?;
    let dev = inside(&root, "dev")?;
    make_folder(&dev, 0o755)?;
    mount_new("tmpfs", &dev, MsFlags::MS_NOSUID, "size=64k,mode=755")?;
    for device in HARMLESS {
        bind_file(&Path::new("/dev").join(device), &dev.join(device))?;
    }
    pivot(&root)
}

/// Makes the host's root file system, and makes it ours.
pub(crate) fn enter_root(spec: &Spec) -> Result<(), LabError> {
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .map_err(LabError::system("make mounts private"))?;
    let root = overlay(&spec.root, &spec.scratch)?;
    caps_cache::give(&spec.warm, &root).map_err(LabError::file("read", &spec.warm))?;
    fill_dev(&inside(&root, "dev")?)?;
    let proc = inside(&root, "proc")?;
    make_folder(&proc, 0o755)?;
    mount_new("proc", &proc, MsFlags::MS_NOSUID | MsFlags::MS_NODEV, "")?;
    mount_sys(&inside(&root, "sys")?)?;
    let run = inside(&root, "run")?;
    make_folder(&run, 0o755)?;
    mount_new(
        "tmpfs",
        &run,
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
        "mode=755",
    )?;
    bind_folder(&spec.logs, &inside(&root, LOGS)?)?;
    bind_folder(&spec.shared, &inside(&root, SHARED)?)?;
    bind_file(&spec.hosts_file, &inside(&root, "etc")?.join("hosts"))?;
    pivot(&root)
}

/// How much a folder holds that is to be full.
const FULL: usize = 16 << 10;

/// Hides a folder of the host that we are in behind a tiny file system, and fills that. libvirt makes that of its logs
/// when it has the first to write.
pub(crate) fn fill(folder: &Path) -> Result<(), LabError> {
    make_folder(folder, 0o755)?;
    let options = format!("size={FULL},mode=755");
    mount_new(
        "tmpfs",
        folder,
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
        &options,
    )?;
    let filler = folder.join(FILLER);
    let mut file = File::create(&filler).map_err(LabError::file("create", &filler))?;
    // The last that goes in does not go in whole.
    while let Ok(1..) = file.write(&[0; FULL]) {}
    Ok(())
}

/// The file that fills a folder.
const FILLER: &str = "full";

/// Whether a folder of a host is hidden and full, and `root` is that host's.
pub(crate) fn is_full(root: &Path, folder: &Path) -> bool {
    let inside = folder.strip_prefix("/").unwrap_or(folder);
    let filler = fs::metadata(root.join(inside).join(FILLER));
    filler.is_ok_and(|filler| filler.len() >= FULL as u64)
}

/// Takes what hides a folder away again.
pub(crate) fn empty(folder: &Path) -> Result<(), LabError> {
    let what = format!("empty {}", folder.shown());
    umount2(folder, MntFlags::MNT_DETACH).map_err(LabError::system(what))
}

fn overlay(lower: &Path, scratch: &Path) -> Result<PathBuf, LabError> {
    let [upper, work, root] = ["upper", "work", "root"].map(|name| scratch.join(name));
    for folder in [&upper, &work, &root] {
        make_folder(folder, 0o755)?;
    }
    let mut options = format!(
        "lowerdir={},upperdir={},workdir={}",
        escaped(lower),
        escaped(&upper),
        escaped(&work)
    );
    if privilege::in_user_namespace() {
        options.push_str(",userxattr");
    }
    mount_new("overlay", &root, MsFlags::empty(), &options)?;
    Ok(root)
}

/// A path as overlayfs takes it in its options.
fn escaped(path: &Path) -> String {
    let mut text = String::new();
    for letter in path.to_string_lossy().chars() {
        if matches!(letter, '\\' | ':' | ',') {
            text.push('\\');
        }
        text.push(letter);
    }
    text
}

fn fill_dev(dev: &Path) -> Result<(), LabError> {
    make_folder(dev, 0o755)?;
    mount_new("tmpfs", dev, MsFlags::MS_NOSUID, "mode=755")?;
    for device in DEVICES {
        bind_file(&Path::new("/dev").join(device), &dev.join(device))?;
    }
    if Path::new("/dev").join(USERFAULTFD).exists() {
        bind_file(&Path::new("/dev").join(USERFAULTFD), &dev.join(USERFAULTFD))?;
    }
    for (target, link) in LINKS {
        symlink(target, dev.join(link)).map_err(LabError::file("create", dev.join(link)))?;
    }
    let (pts, shm) = (dev.join("pts"), dev.join("shm"));
    make_folder(&pts, 0o755)?;
    mount_new(
        "devpts",
        &pts,
        MsFlags::MS_NOSUID,
        "newinstance,ptmxmode=0666,mode=620",
    )?;
    make_folder(&shm, 0o1777)?;
    mount_new(
        "tmpfs",
        &shm,
        MsFlags::MS_NOSUID | MsFlags::MS_NODEV,
        "mode=1777",
    )
}

/// Mounts a sysfs of the host's own, or, where a container forbids it, the machine's.
fn mount_sys(target: &Path) -> Result<(), LabError> {
    make_folder(target, 0o755)?;
    let flags = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount_new("sysfs", target, flags, "").or_else(|_| bind(Path::new("/sys"), target))
}

fn pivot(root: &Path) -> Result<(), LabError> {
    let failed = || LabError::system::<nix::Error>(format!("change the root to {}", root.shown()));
    chdir(root).map_err(failed())?;
    pivot_root(".", ".").map_err(failed())?;
    umount2(".", MntFlags::MNT_DETACH).map_err(failed())?;
    chdir("/").map_err(failed())
}

fn mount_new(kind: &str, target: &Path, flags: MsFlags, options: &str) -> Result<(), LabError> {
    mount(Some(kind), target, Some(kind), flags, Some(options)).map_err(LabError::system(format!(
        "mount {kind} ({options}) on {}",
        target.shown()
    )))
}

fn bind(source: &Path, target: &Path) -> Result<(), LabError> {
    let none: Option<&str> = None;
    mount(
        Some(source),
        target,
        none,
        MsFlags::MS_BIND | MsFlags::MS_REC,
        none,
    )
    .map_err(LabError::system(format!(
        "bind {} to {}",
        source.shown(),
        target.shown()
    )))
}

fn bind_folder(source: &Path, target: &Path) -> Result<(), LabError> {
    make_folder(target, 0o755)?;
    bind(source, target)
}

fn bind_file(source: &Path, target: &Path) -> Result<(), LabError> {
    // A link could lead out of the host's root.
    if fs::symlink_metadata(target).is_ok_and(|there| there.is_symlink()) {
        fs::remove_file(target).map_err(LabError::file("remove", target))?;
    }
    if !target.exists() {
        File::create(target).map_err(LabError::file("create", target))?;
    }
    bind(source, target)
}

fn make_folder(path: &Path, mode: u32) -> Result<(), LabError> {
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
        .map_err(LabError::file("create", path))
}

/// Where the host's own `path` is, in its root: a link in it could lead out of that.
fn inside(root: &Path, path: &str) -> Result<PathBuf, LabError> {
    migratrix_root::resolve(root, path).map_err(LabError::file("read", root.join(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlayfs_would_split_at_is_escaped() {
        assert_eq!(escaped(Path::new("/a:b,c\\d")), "/a\\:b\\,c\\\\d");
    }
}
