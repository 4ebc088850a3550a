//! The releases that can be made from nothing: those that a source offers.

use std::env;

use crate::{
    LabError,
    releases::source::{ReleaseSource, SOURCES},
};

/// How a release is made.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    /// Its name, which is also the release's.
    pub name: &'static str,
    /// Who makes it.
    pub source: &'static dyn ReleaseSource,
}

/// What the person says about the making of a release.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildOptions {
    /// The mirror; else `MIGRATRIX_MIRROR`, else the one that the source knows.
    pub mirror: Option<String>,
    /// What to do about an index past its validity date.
    pub expired: Expired,
}

/// What to do about a package index past its validity date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expired {
    /// It is an error.
    #[default]
    Refuse,
    /// It is taken.
    Allow,
}

impl BuildOptions {
    /// The mirror that was named, here or in the environment.
    #[must_use]
    pub fn mirror(&self) -> Option<String> {
        let set = || {
            env::var("MIGRATRIX_MIRROR")
                .ok()
                .filter(|mirror| !mirror.is_empty())
        };
        self.mirror.clone().or_else(set)
    }
}

/// All recipes, source by source.
pub fn recipes() -> impl Iterator<Item = Recipe> {
    SOURCES.into_iter().flat_map(|source| {
        let names = source.offers().into_iter();
        names.map(move |name| Recipe { name, source })
    })
}

/// The recipe of this name.
///
/// # Errors
/// Returns an error that lists the known where there is none.
pub fn recipe(name: &str) -> Result<Recipe, LabError> {
    let found = recipes().find(|recipe| recipe.name == name);
    found.ok_or_else(|| LabError::NoRecipe {
        name: name.to_owned(),
        known: recipes()
            .map(|recipe| recipe.name)
            .collect::<Vec<_>>()
            .join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_recipe_is_an_error_that_lists_the_known() {
        let error = recipe("potato").unwrap_err().to_string();
        assert_eq!(
            error,
            "no recipe `potato`: known are bullseye, bookworm, bookworm-backports, trixie, \
             trixie-backports, sid"
        );
    }
}
