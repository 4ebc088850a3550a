//! Names of files as a run's own files give them: each is that of a file in the run's directory.

use std::path::{Component, Path};

use serde::{Deserialize, Deserializer, de::Error as _};

/// Reads the name of a file of a run.
///
/// # Errors
/// Refuses one that leads out of the run's directory.
pub fn file_of_the_run<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let name = String::deserialize(from)?;
    demand(&name).map_err(D::Error::custom)?;
    Ok(name)
}

/// Reads the name of a file of a run, where there is one.
pub(crate) fn file_if_any<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let name = Option::<String>::deserialize(from)?;
    name.iter()
        .try_for_each(|name| demand(name))
        .map_err(D::Error::custom)?;
    Ok(name)
}

fn demand(name: &str) -> Result<(), String> {
    let inside = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if !name.is_empty() && Path::new(name).components().all(inside) {
        return Ok(());
    }
    Err(format!(
        "the file `{name}` leads out of the run's directory: the name of one in it is wanted"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_leads_out_is_none() {
        for inside in ["history/a.jsonl", "./a", "history/..a/b"] {
            assert_eq!(demand(inside), Ok(()));
        }
        for outside in ["../a", "/etc/passwd", "history/../../a", "..", ""] {
            let why = demand(outside).expect_err(outside);
            assert!(why.contains(&format!("`{outside}`")), "{why}");
        }
    }
}
