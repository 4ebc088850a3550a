//! Paths in a release's root, as the system in it would find them.
//!
//! A link in a root may say `/usr/lib64` or `../../..`: followed from outside, it would lead to the
//! machine's own files.

use std::{
    collections::VecDeque,
    ffi::OsString,
    fs, io,
    path::{Component, Path, PathBuf},
};

use migratrix_matrix::Shown;

/// How many links a path may go through, as for the kernel.
const LINKS: usize = 40;

/// Where the file is that the system in `root` calls `path`: links are followed as if `root` were
/// `/`. What isn't there yet is where it would be made.
///
/// # Errors
/// Returns an error where links go in a circle, or can't be read.
pub fn resolve(root: &Path, path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let path = path.as_ref();
    let mut left = parts(path);
    let mut found = PathBuf::new();
    let mut links = 0;
    while let Some(part) = left.pop_front() {
        if part == ".." {
            found.pop();
            continue;
        }
        let Some(target) = link(&root.join(&found).join(&part))? else {
            found.push(part);
            continue;
        };
        links += 1;
        if links > LINKS {
            let why = format!("{} leads through more than {LINKS} links", path.shown());
            return Err(io::Error::other(why));
        }
        if target.is_absolute() {
            found.clear();
        }
        let mut next = parts(&target);
        next.append(&mut left);
        left = next;
    }
    Ok(root.join(found))
}

/// The names in a path, and its `..`.
fn parts(path: &Path) -> VecDeque<OsString> {
    let named = |part: Component<'_>| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
    };
    path.components().filter_map(named).collect()
}

/// Where it leads to, if it is a link.
fn link(path: &Path) -> io::Result<Option<PathBuf>> {
    let no_link = [
        io::ErrorKind::InvalidInput,
        io::ErrorKind::NotFound,
        io::ErrorKind::NotADirectory,
    ];
    match fs::read_link(path) {
        Ok(target) => Ok(Some(target)),
        Err(error) if no_link.contains(&error.kind()) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn no_link_leads_out_of_a_root() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir_all(root.join("usr/bin")).unwrap();
        symlink("/usr/bin", root.join("bin")).unwrap();
        symlink("../../../etc", root.join("usr/etc")).unwrap();
        symlink("/proc/self/root/tmp", root.join("tmp")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        for (path, place) in [
            ("/bin/sh", "usr/bin/sh"),
            ("usr/etc/passwd", "etc/passwd"),
            ("/../../etc", "etc"),
            ("/tmp/x", "proc/self/root/tmp/x"),
            ("var/not/there", "var/not/there"),
        ] {
            assert_eq!(resolve(root, path).unwrap(), root.join(place), "{path}");
        }
        assert!(resolve(root, "loop/x").is_err());
    }
}
