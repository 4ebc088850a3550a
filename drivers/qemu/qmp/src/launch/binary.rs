//! A QEMU that can be started: this machine's own, or that of a release's root.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use migratrix_matrix::Arch;
use migratrix_root::Root;
use sha2::{Digest, Sha256};

use crate::QemuError;

/// How a QEMU is called: its command words, and what it must find in its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binary {
    /// The program and its first arguments.
    pub words: Vec<OsString>,
    /// Variables of its environment, over those that are inherited.
    pub environment: Vec<(OsString, OsString)>,
    /// The QEMU itself, by which it is known again.
    pub file: PathBuf,
    /// Where it finds its modules, if it is told.
    pub modules: Option<PathBuf>,
    /// The root that it is of, whose links lead nowhere else.
    root: Option<Root>,
}

impl Binary {
    /// The QEMU at `file`, as it is.
    #[must_use]
    pub fn at(file: impl Into<PathBuf>) -> Self {
        let file = file.into();
        Self {
            words: vec![file.clone().into()],
            environment: Vec::new(),
            file,
            modules: None,
            root: None,
        }
    }

    /// A QEMU that was built or installed somewhere: the program at `path`, or the one in the folder
    /// `path`. It finds its firmware where its own build put it.
    ///
    /// # Errors
    /// Returns an error where there is no such program.
    pub fn of_build(path: &Path) -> Result<Self, QemuError> {
        path.metadata().map_err(QemuError::file("find", path))?;
        let programs = Arch::ALL.map(Arch::emulator);
        let inside = programs
            .into_iter()
            .flat_map(|name| [path.join(name), path.join("bin").join(name)]);
        let mut candidates = std::iter::once(path.to_owned()).chain(inside);
        let found = candidates.find(|file| file.is_file());
        let file = found.ok_or_else(|| QemuError::NotFound {
            root: path.to_owned(),
            sought: programs.join(", "),
        })?;
        let file = file
            .canonicalize()
            .map_err(QemuError::file("find", &file))?;
        Ok(Self::at(file))
    }

    /// The QEMU of the system in `root`, run without entering it: by the root's own loader, on its
    /// own libraries, modules and firmware. It takes no rights.
    ///
    /// # Errors
    /// Returns an error where the root has no QEMU, or no loader.
    pub fn of_root(root: &Path) -> Result<Self, QemuError> {
        let root = Root::at(root);
        let loader = root.loader()?;
        let file = root.qemu()?;
        let mut words = loader.words(&file);
        for folder in root.firmware() {
            words.extend(["-L".into(), folder.into()]);
        }
        let modules = loader.modules();
        let variable = modules
            .iter()
            .map(|folder| ("QEMU_MODULE_DIR".into(), folder.into()));
        Ok(Self {
            words,
            environment: variable.collect(),
            file,
            modules,
            root: Some(root),
        })
    }

    /// A tool of the same release, such as `qemu-img`: it lies beside the QEMU, and is called as that is.
    ///
    /// # Errors
    /// Returns an error where there is none.
    pub fn tool(&self, name: &str) -> Result<Self, QemuError> {
        let folder = self.file.parent().unwrap_or(Path::new(""));
        let candidates = [folder.join(name), folder.join("../bin").join(name)];
        let own = candidates.into_iter().filter_map(|file| match &self.root {
            Some(root) => root.own(&file),
            None => Some(file),
        });
        let file = own.into_iter().find(|file| file.is_file());
        let file = file.ok_or_else(|| QemuError::NotFound {
            root: folder.to_owned(),
            sought: name.to_owned(),
        })?;
        let own = self.words.iter().take_while(|word| **word != self.file);
        let words = own.cloned().chain([file.clone().into()]).collect();
        Ok(Self {
            words,
            file,
            ..self.clone()
        })
    }

    /// What tells this QEMU from others: the digest of its file, and of its modules' names, since they decide
    /// what it can do. Nothing does of a script: what it starts may be another one tomorrow.
    ///
    /// # Errors
    /// Returns the error where the files can't be read.
    pub fn digest(&self) -> Result<Option<String>, QemuError> {
        let program = fs::read(&self.file).map_err(QemuError::file("read", &self.file))?;
        if program.starts_with(b"#!") {
            return Ok(None);
        }
        let mut digest = Sha256::new_with_prefix(program);
        for name in self.module_names()? {
            digest.update([0]);
            digest.update(name.as_encoded_bytes());
        }
        Ok(Some(base16ct::lower::encode_string(&digest.finalize())))
    }

    fn module_names(&self) -> Result<Vec<OsString>, QemuError> {
        let Some(folder) = &self.modules else {
            return Ok(Vec::new());
        };
        let names = fs::read_dir(folder).and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.file_name()))
                .collect()
        });
        let mut names: Vec<OsString> = names.map_err(QemuError::file("read", folder))?;
        names.sort();
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_without_a_qemu_is_an_error_that_names_what_it_lacks() {
        let root = tempfile::tempdir().unwrap();
        let libraries = root.path().join("usr/lib64");
        fs::create_dir_all(&libraries).unwrap();
        let error = Binary::of_root(root.path()).unwrap_err().to_string();
        assert!(error.contains("/usr/lib64/ld-linux"), "{error}");
        fs::write(libraries.join("ld-linux-x86-64.so.2"), "").unwrap();
        let error = Binary::of_root(root.path()).unwrap_err().to_string();
        assert!(error.contains("qemu-system-x86_64"), "{error}");
    }

    #[test]
    fn a_build_that_is_not_there_is_told_so_and_a_script_is_like_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("qemu-system-x86_64");
        let error = Binary::of_build(&path).unwrap_err().to_string();
        assert!(error.starts_with("can't find "), "{error}");
        fs::write(&path, "#!/bin/sh\nexec qemu \"$@\"\n").unwrap();
        assert_eq!(Binary::of_build(&path).unwrap().digest().unwrap(), None);
        fs::write(&path, "\x7fELF").unwrap();
        assert!(Binary::of_build(&path).unwrap().digest().unwrap().is_some());
    }

    #[test]
    fn a_loader_that_is_a_link_out_of_the_root_is_not_taken() {
        let root = tempfile::tempdir().unwrap();
        let libraries = root.path().join("lib64");
        fs::create_dir_all(&libraries).unwrap();
        std::os::unix::fs::symlink("/bin/sh", libraries.join("ld-linux-x86-64.so.2")).unwrap();
        assert!(Binary::of_root(root.path()).is_err());
    }

    #[test]
    fn the_links_of_a_root_lead_to_its_own_programs() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for folder in ["usr/lib64", "usr/bin", "opt"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        fs::write(root.join("usr/lib64/ld-linux-x86-64.so.2"), "").unwrap();
        let link = |target, at| std::os::unix::fs::symlink(target, root.join(at)).unwrap();
        // The machine has a shell, and the root has none.
        link("/bin/sh", "usr/bin/qemu-system-x86_64");
        assert!(Binary::of_root(root).is_err());
        fs::remove_file(root.join("usr/bin/qemu-system-x86_64")).unwrap();
        fs::write(root.join("usr/bin/qemu-system-x86_64"), "elf").unwrap();
        let binary = Binary::of_root(root).unwrap();
        link("/bin/sh", "usr/bin/qemu-io");
        link("/opt/qemu-img", "usr/bin/qemu-img");
        fs::write(root.join("opt/qemu-img"), "elf").unwrap();
        assert!(binary.tool("qemu-io").is_err());
        assert_eq!(
            binary.tool("qemu-img").unwrap().file,
            root.join("opt/qemu-img")
        );
    }

    #[test]
    fn a_tool_is_called_as_its_qemu_is() {
        let folder = tempfile::tempdir().unwrap();
        let mut binary = Binary::at(folder.path().join("qemu"));
        binary.words.insert(0, "loader".into());
        binary.words.push("-L".into());
        assert!(binary.tool("qemu-img").is_err());
        let tool = folder.path().join("qemu-img");
        fs::write(&tool, "elf").unwrap();
        let words = binary.tool("qemu-img").unwrap().words;
        assert_eq!(words, ["loader".into(), tool.into_os_string()]);
    }

    #[test]
    fn a_module_more_makes_another_digest() {
        let folder = tempfile::tempdir().unwrap();
        let mut binary = Binary::at(folder.path().join("qemu"));
        fs::write(&binary.file, "elf").unwrap();
        binary.modules = Some(folder.path().to_owned());
        let before = binary.digest().unwrap();
        assert_eq!(before, binary.digest().unwrap());
        fs::write(folder.path().join("accel-qtest.so"), "").unwrap();
        assert_ne!(before, binary.digest().unwrap());
    }
}
