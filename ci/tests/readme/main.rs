//! The pages are held to the tree: what the README, `docs` and CONTRIBUTING.md say of paths, commands,
//! settings, filters and conditions is compared with the files, the program and the registry.
//!
//! Parts of pages between `<!-- begin: NAME -->` and `<!-- end: NAME -->` are made by these tests:
//! `UPDATE_PAGES=1 cargo test -p migratrix --test readme` writes them anew.

mod commands;
mod pages;
mod registry;
mod settings;

use std::{collections::BTreeSet, fs, path::Path};

use pages::{Page, page, pages, root, source_files, sources};

/// The first cells of the rows of tables whose first cell is code.
fn rows(page: &Page) -> BTreeSet<String> {
    let rows = page
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    rows.map(|(first, _)| first.to_owned()).collect()
}

#[test]
fn the_map_of_the_readme_names_every_folder_of_the_top_and_nothing_else() {
    let named = rows(&page("README.md"));
    let named: BTreeSet<_> = named
        .iter()
        .filter_map(|row| row.strip_suffix('/'))
        .map(str::to_owned)
        .collect();
    let there = fs::read_dir(root()).expect("the tree can be listed");
    let there = there.map(|entry| entry.expect("it can be listed"));
    let there = there.filter(|entry| entry.path().is_dir());
    let there = there.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let there =
        there.filter(|name| !name.starts_with('.') && !["target", "runs"].contains(&name.as_str()));
    assert_eq!(named, there.collect());
}

#[test]
fn the_map_of_the_architecture_names_every_package_and_nothing_else() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the manifest is there");
    let manifest: toml::Table = manifest.parse().expect("the manifest is TOML");
    let members = manifest["workspace"]["members"]
        .as_array()
        .expect("it lists its members");
    let members = members.iter().filter_map(|member| member.as_str());
    assert_eq!(
        rows(&page("docs/architecture.md")),
        members.map(str::to_owned).collect()
    );
}

#[test]
fn the_readme_and_the_architecture_can_be_read_in_one_go() {
    for name in ["README.md", "docs/architecture.md"] {
        let lines = page(name).text.lines().count();
        assert!(lines <= 150, "{name} has {lines} lines, 150 are enough");
    }
}

#[test]
fn every_link_of_the_pages_leads_to_a_file_or_a_heading_that_is_there() {
    for page in pages() {
        for link in page.between("](", ")") {
            if link.contains("://") {
                continue;
            }
            let (path, heading) = link
                .split_once('#')
                .map_or((link, None), |(path, at)| (path, Some(at)));
            let folder = page.file.parent().expect("a page is in a folder");
            let target = if path.is_empty() {
                page.file.clone()
            } else {
                folder.join(path)
            };
            assert!(target.exists(), "{}: {link} leads nowhere", page.name());
            let text =
                heading.map(|_| fs::read_to_string(&target).expect("a heading is in a page"));
            let there = |text: String| {
                text.lines()
                    .filter_map(anchor)
                    .any(|one| Some(one.as_str()) == heading)
            };
            assert!(
                text.is_none_or(there),
                "{}: {link} names no heading",
                page.name()
            );
        }
    }
}

/// What a heading is linked by.
fn anchor(line: &str) -> Option<String> {
    let title = line.strip_prefix('#')?.trim_start_matches('#').trim();
    let kept = title
        .chars()
        .filter(|one| one.is_alphanumeric() || " -_".contains(*one));
    Some(kept.collect::<String>().to_lowercase().replace(' ', "-"))
}

#[test]
fn every_path_that_the_pages_name_is_there() {
    for page in pages() {
        for code in page
            .between("`", "`")
            .into_iter()
            .filter(|code| is_path(code))
        {
            for path in alternatives(code) {
                let found = is_there(&root(), &path.split('/').collect::<Vec<_>>());
                assert!(found, "{}: `{code}` is not there ({path})", page.name());
            }
        }
    }
}

/// Whether a piece of code is a path of the tree: it starts in one of its folders, or is a page.
fn is_path(code: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./*{},".contains(c);
    let (first, rest) = code.split_once('/').unwrap_or((code, ""));
    let is_folder = !first.is_empty() && !rest.is_empty() && root().join(first).is_dir();
    let is_page = rest.is_empty() && code.ends_with(".md") && code != "summary.md";
    // What is run, and what a run writes, is not in the tree.
    code.chars().all(plain) && first != "runs" && (is_folder || is_page)
}

/// `a/{b,c}/d` is `a/b/d` and `a/c/d`.
fn alternatives(code: &str) -> Vec<String> {
    let Some((before, (inside, after))) = code
        .split_once('{')
        .and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    else {
        return vec![code.to_owned()];
    };
    let one = |part: &str| alternatives(&format!("{before}{part}{after}"));
    inside.split(',').flat_map(one).collect()
}

/// Whether the path leads somewhere, with `*` and words in capital letters for any name.
fn is_there(folder: &Path, parts: &[&str]) -> bool {
    let Some((first, rest)) = parts.split_first() else {
        return true;
    };
    if first.is_empty() {
        return folder.is_dir() && is_there(folder, rest);
    }
    let stem = first.split('.').next().unwrap_or_default();
    let any = first.contains('*')
        || stem.len() > 1
            && stem.chars().all(|c| c.is_ascii_uppercase())
            && !folder.join(first).exists();
    if !any {
        return folder.join(first).exists() && is_there(&folder.join(first), rest);
    }
    let end = first.trim_start_matches(|c: char| c == '*' || c.is_ascii_uppercase());
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut fitting = entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(end));
    fitting.any(|entry| is_there(&entry.path(), rest))
}

#[test]
fn every_item_of_the_code_that_the_recipes_name_is_there() {
    let sources = sources();
    for page in ["CONTRIBUTING.md", "docs/architecture.md"].map(page) {
        for code in page.between("`", "`") {
            let plain = |c: char| c.is_ascii_alphanumeric() || "_:!".contains(c);
            let is_item = code.contains("::") || code.ends_with('!');
            if !is_item || !code.chars().all(plain) {
                continue;
            }
            for word in code.split("::") {
                let word = word
                    .strip_suffix('!')
                    .map_or(word.to_owned(), |name| format!("{name}!"));
                assert!(
                    sources.contains(&word),
                    "{}: `{code}` is not in the code",
                    page.name()
                );
            }
        }
    }
}

/// Names that are those of one architecture.
const OF_AN_ARCHITECTURE: [&str; 5] = ["x86_64", "x86-64", "qemu-system-", "linux-gnu", "pc.ram"];

#[test]
fn the_names_of_an_architecture_stand_in_the_tables_that_its_recipe_names_and_nowhere_else() {
    let contributing = page("CONTRIBUTING.md").text;
    let (_, recipe) = contributing
        .split_once("### An architecture")
        .expect("there is a recipe");
    let (recipe, _) = recipe.split_once("\n### ").expect("another follows");
    for path in source_files() {
        let name = path.strip_prefix(root()).expect("it is in the tree");
        let named = name.to_string_lossy();
        let is_test = |part: &str| ["tests", "tests.rs", "benches"].contains(&part);
        if named.split('/').any(is_test) {
            continue;
        }
        let text = fs::read_to_string(&path).expect("it is text");
        let code = text
            .split("#[cfg(test)]\nmod tests {")
            .next()
            .unwrap_or_default();
        let mut lines = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let found = lines.find(|line| OF_AN_ARCHITECTURE.iter().any(|one| line.contains(one)));
        if let Some(line) = found {
            let is_named = recipe.contains(&format!("`{named}`"));
            assert!(is_named, "{named} is of one architecture: {line}");
        }
    }
}
