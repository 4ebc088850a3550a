//! The README is held to the tree.

use std::{collections::BTreeSet, fs, path::Path};

#[test]
fn the_map_of_the_folders_names_every_package_and_nothing_else() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = fs::read_to_string(root.join("README.md")).expect("the README is there");
    let named: BTreeSet<_> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .map(|(folder, _)| folder.to_owned())
        .collect();
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("the manifest is there");
    let manifest: toml::Table = manifest.parse().expect("the manifest is TOML");
    let members = manifest["workspace"]["members"]
        .as_array()
        .expect("it lists its members");
    let members = members.iter().filter_map(|member| member.as_str());
    let members = members.filter(|member| *member != "drivers/libvirt/client");
    assert_eq!(named, members.map(str::to_owned).collect());
}
