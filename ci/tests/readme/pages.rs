//! The pages: their texts and blocks, and the parts of them that are made.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

pub struct Page {
    pub file: PathBuf,
    pub text: String,
}

/// A piece of a page.
pub enum Piece<'p> {
    /// A line of a block of this language.
    Block(&'p str, &'p str),
    /// A line of text.
    Text(&'p str),
}

pub fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().expect("the tree is there")
}

pub fn page(name: &str) -> Page {
    let file = root().join(name);
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
    Page { file, text }
}

pub fn pages() -> Vec<Page> {
    let own = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(page);
    let docs = fs::read_dir(root().join("docs")).expect("docs can be listed");
    let docs = docs.map(|entry| entry.expect("it can be listed").path());
    let docs = docs.filter(|file| file.extension().is_some_and(|one| one == "md"));
    let docs = docs.map(|file| page(file.to_str().expect("it is text")));
    own.into_iter().chain(docs).collect()
}

impl Page {
    pub fn name(&self) -> String {
        let name = self.file.strip_prefix(root()).unwrap_or(&self.file);
        name.display().to_string()
    }

    fn pieces(&self) -> Vec<Piece<'_>> {
        let mut language = None;
        let mut pieces = Vec::new();
        for line in self.text.lines() {
            match (line.trim_start().strip_prefix("```"), language) {
                (Some(of), None) => language = Some(of),
                (Some(_), Some(_)) => language = None,
                (None, Some(of)) => pieces.push(Piece::Block(of, line)),
                (None, None) => pieces.push(Piece::Text(line)),
            }
        }
        pieces
    }

    /// The lines of its blocks of a language.
    pub fn block(&self, language: &str) -> String {
        let lines = self.pieces().into_iter().filter_map(|piece| match piece {
            Piece::Block(of, line) if of == language => Some(format!("{line}\n")),
            Piece::Block(..) | Piece::Text(_) => None,
        });
        lines.collect()
    }

    /// What its text has between two signs, line by line.
    pub fn between(&self, open: &str, close: &str) -> Vec<&str> {
        let mut found = Vec::new();
        for piece in self.pieces() {
            let Piece::Text(mut line) = piece else {
                continue;
            };
            while let Some((_, rest)) = line.split_once(open) {
                let Some((inner, rest)) = rest.split_once(close) else {
                    break;
                };
                found.push(inner);
                line = rest;
            }
        }
        found
    }

    /// Compares a made part with what it should be, or writes it anew where that is asked for.
    pub fn holds(&self, part: &str, wanted: &str) {
        let (begin, end) = (
            format!("<!-- begin: {part} -->\n"),
            format!("<!-- end: {part} -->"),
        );
        let (before, rest) = self.text.split_once(&begin).expect("the part begins");
        let (is, after) = rest.split_once(&end).expect("the part ends");
        if env::var_os("UPDATE_PAGES").is_some() {
            let text = format!("{before}{begin}{wanted}{end}{after}");
            fs::write(&self.file, text).expect("the page can be written");
            return;
        }
        let name = self.name();
        assert_eq!(
            is, wanted,
            "{part} of {name} is not as the program has it: UPDATE_PAGES=1 cargo test -p migratrix --test readme"
        );
    }
}

/// Every Rust file of the tree as one text.
pub fn sources() -> String {
    let files = source_files().into_iter();
    files
        .map(|path| fs::read_to_string(path).expect("it is text"))
        .collect()
}

/// The Rust files of the tree, but for those of this test.
pub fn source_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders: Vec<_> = ["matrix", "guest", "drivers", "reports", "ci"]
        .map(|one| root().join(one))
        .into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder can be listed") {
            let path = entry.expect("it can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|one| one == "rs")
                && !path.starts_with(root().join("ci/tests/readme"))
            {
                files.push(path);
            }
        }
    }
    files
}
