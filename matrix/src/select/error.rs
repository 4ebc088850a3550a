//! What can be wrong with a selection.

use std::fmt;

use migratrix_cover::CoverError;
use thiserror::Error;

use crate::{Backend, BadWord, Profile, ReleaseName, Role, Rule, Shard, Suite, UnknownRelease};

/// Why a selection gives no cases.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SelectError {
    /// A release that is none of the known ones.
    #[error(transparent)]
    UnknownRelease(#[from] UnknownRelease),
    /// A release that stands twice in the list of one place.
    #[error("the release `{name}` is given twice as a {place}: give it once")]
    ReleaseTwice {
        /// The release.
        name: ReleaseName,
        /// The place.
        place: Role,
    },
    /// A boundary between a release and itself.
    #[error("the boundary lies between two releases, and `{0}` is given for both")]
    FlatBoundary(ReleaseName),
    /// A boundary, which gives the releases of all places, and a list for one of them.
    #[error("a boundary gives the releases of all places: leave it out, or the {0}s")]
    BoundaryAndPlace(Role),
    /// Names, which have their releases, and releases.
    #[error("the names of cases give their releases: leave out the names, or the releases")]
    NamesAndPlaces,
    /// A name that is given twice.
    #[error("the case `{0}` is given twice: give it once")]
    NameTwice(String),
    /// A name of a case that a rule leaves out.
    #[error("there is no case `{name}`, by the rule {rule}")]
    Excluded {
        /// The name.
        name: String,
        /// The rule.
        rule: &'static Rule,
    },
    /// A profile of another suite.
    #[error("the profile `{profile}` is of the suite `{}`, and not of `{suite}`", profile.suite())]
    ForeignProfile {
        /// The profile.
        profile: Profile,
        /// The suite.
        suite: Suite,
    },
    /// A back end that does not run the suite.
    #[error(
        "the suite `{suite}` is not run by the back end `{backend}`, but by {}",
        crate::word::one_of(suite.backends())
    )]
    ForeignBackend {
        /// The back end.
        backend: Backend,
        /// The suite.
        suite: Suite,
    },
    /// A back end that runs another profile of the suite.
    #[error(
        "the profile `{profile}` is not run by the back end `{backend}`, but by {}",
        crate::word::one_of(profile.backends())
    )]
    BackendOfProfile {
        /// The back end.
        backend: Backend,
        /// The profile.
        profile: Profile,
    },
    /// Clients, where nobody stands between the two sides.
    #[error("with the back end `{0}` nobody stands between the two sides: leave out the clients")]
    NoClient(Backend),
    /// A cover that is too weak or too strong.
    #[error("a cover has a strength from 1 to {most}, and not {0}", most = crate::select::cover::STRONGEST)]
    Strength(usize),
    /// A group of a cover that has fewer axes than are to be combined, or has one twice.
    #[error(
        "the group `{group}` of the cover names {}: name {}each once, and give a strength from 1 to their number",
        if *axes == 1 { "1 axis".to_owned() } else { format!("{axes} different axes") },
        if *axes == 1 { "several, " } else { "" }
    )]
    SmallGroup {
        /// The group.
        group: String,
        /// How many axes it has.
        axes: usize,
    },
    /// An axis of a cover that the cases don't have.
    #[error(transparent)]
    Axis(#[from] BadWord),
    /// A word of filters that is several axes of a cover, or one of another name.
    #[error(
        "`{word}` is no axis of a cover: what filters ask by this word is {}; name these",
        parts.join("+")
    )]
    NoOneAxis {
        /// The word.
        word: String,
        /// The axes.
        parts: Vec<String>,
    },
    /// A cover that is stronger than the cases have axes for.
    #[error(
        "a cover of strength {strength} combines as many axes, and of these cases {} vary: {}; give a \
         smaller strength, or select more",
        varying.len(),
        crate::word::one_of(varying)
    )]
    FewAxes {
        /// The strength.
        strength: usize,
        /// The axes that have more than one value.
        varying: Vec<String>,
    },
    /// A case that the cover has to have, and that is none of the selected ones.
    #[error(
        "the case `{0}` is to be in the cover, and is not selected: leave it out of --with, or select it"
    )]
    NotSelected(String),
    /// A cover that is too large.
    #[error(transparent)]
    Cover(#[from] CoverError),
    /// A filter asks for a version that we don't know.
    #[error(
        "the filter asks for the {program} version of the release `{release}`, which is not known: \
         filter by its name"
    )]
    UnknownVersion {
        /// `libvirt` or `QEMU`.
        program: &'static str,
        /// The release.
        release: ReleaseName,
    },
    /// Nothing is left.
    #[error("none of {of} cases is selected: {by}")]
    Empty {
        /// What left nothing.
        by: Emptied,
        /// How many cases there were before.
        of: usize,
    },
}

/// The part of a selection that left no case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Emptied {
    /// No release is known.
    Releases,
    /// The filter, which is this.
    Filter(String),
    /// The filter, which is this; it is true of cases of this other profile, or of this one on another
    /// back end.
    FilterOfOthers(String, Profile, Backend),
    /// The shard.
    Shard(Shard),
    /// That those which were not as expected are asked for, and all of this earlier run were.
    AllAsExpected(String),
}

impl fmt::Display for Emptied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Releases => f.write_str("no release is known"),
            Self::Filter(filter) => write!(
                f,
                "the filter `{filter}` matches none of them{}",
                of_versions(filter)
            ),
            Self::FilterOfOthers(filter, profile, backend) => {
                let suite = profile.suite();
                write!(
                    f,
                    "the filter `{filter}` matches none of them; it matches cases of the suite \
                     `{suite}`: --suite {suite} --profile {profile}"
                )?;
                if profile.backends().first() != Some(backend) {
                    write!(f, " --backend {backend}")?;
                }
                f.write_str(of_versions(filter))
            }
            Self::Shard(shard) => write!(f, "the shard `{shard}` has none of them"),
            Self::AllAsExpected(run) => write!(f, "all were as expected in {run}"),
        }
    }
}

/// How versions are compared, where a filter does.
fn of_versions(filter: &str) -> &'static str {
    if filter.contains(['<', '>', '=']) {
        "; a version is that of libvirt, and of QEMU in suites without libvirt, unless it says which, as \
         source(qemu>=10); it counts as far as it is written: >7.2 is not true of 7.2.22"
    } else {
        ""
    }
}
