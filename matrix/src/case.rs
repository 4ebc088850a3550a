//! A case: one scenario of a suite, on a tuple and a back end. It has one name.

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::{
    Fault, ReleaseName, Scenario, Suite, Tuple,
    word::{serde_as_text, words},
};

/// What runs the case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Backend {
    /// Real libvirt daemons and client libraries.
    #[default]
    Libvirt,
    /// The hypervisor in memory, which tests the tester.
    Fake,
}

/// One thing to run and to judge.
///
/// Its name is `SUITE/BACKEND/CLIENT,SOURCE,DESTINATION/CONTROL/STATE/FLAGS`, as in
/// `tck/libvirt/trixie,bookworm,trixie/p2p/persistent-running-bare/undefine+persist`, and ends in
/// `/FAULT` where the case has one. What a report prints, `run --case` accepts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Case {
    /// The suite that it belongs to.
    pub suite: Suite,
    /// What runs it.
    pub backend: Backend,
    /// The releases at the three places.
    pub tuple: Tuple,
    /// What is done.
    pub scenario: Scenario,
    /// What is broken on purpose; always there in [`Suite::Faults`], and only there.
    pub fault: Option<Fault>,
}

/// A text that can't be the name of a case.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{name}` is not the name of a case: {wrong}")]
pub struct BadCaseName {
    /// The text.
    pub name: String,
    /// Which part is wrong, and what would be right.
    pub wrong: String,
}

impl Backend {
    /// All values, in the order of the names.
    pub const ALL: [Self; 2] = [Self::Libvirt, Self::Fake];

    /// The word that stands for it in names and filters.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Libvirt => "libvirt",
            Self::Fake => "fake",
        }
    }
}

impl Case {
    /// Its name in a form that can be the name of a file: with `~` for each `/`.
    #[must_use]
    pub fn file_stem(&self) -> String {
        self.to_string().replace('/', "~")
    }

    /// The case whose [`Case::file_stem`] is `stem`.
    ///
    /// # Errors
    /// Returns the name where it is not that of a case.
    pub fn from_file_stem(stem: &str) -> Result<Self, BadCaseName> {
        stem.replace('~', "/").parse()
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (suite, backend) = (self.suite.word(), self.backend.word());
        write!(f, "{suite}/{backend}/{}/{}", self.tuple, self.scenario)?;
        match self.fault {
            Some(fault) => write!(f, "/{}", fault.word()),
            None => Ok(()),
        }
    }
}

impl FromStr for Case {
    type Err = BadCaseName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        read(name).map_err(|wrong| BadCaseName {
            name: name.to_owned(),
            wrong,
        })
    }
}

const SHAPE: &str = "expected SUITE/BACKEND/CLIENT,SOURCE,DESTINATION/CONTROL/STATE/FLAGS, and \
                     /FAULT after it in the suite `faults`";

fn read(name: &str) -> Result<Case, String> {
    let parts: Vec<&str> = name.split('/').collect();
    let (parts, rest) = parts.split_first_chunk().ok_or(SHAPE)?;
    let [suite, backend, tuple, control, state, flags] = *parts;
    let case = Case {
        suite: part(suite)?,
        backend: part(backend)?,
        tuple: read_tuple(tuple)?,
        scenario: Scenario {
            control: part(control)?,
            state: part(state)?,
            flags: part(flags)?,
        },
        fault: match rest {
            [] => None,
            [fault] => Some(part(fault)?),
            [_, _, ..] => return Err(SHAPE.to_owned()),
        },
    };
    check_fault(&case)?;
    Ok(case)
}

fn check_fault(case: &Case) -> Result<(), String> {
    match (case.suite, case.fault) {
        (Suite::Tck, None) | (Suite::Faults, Some(_)) => Ok(()),
        (Suite::Tck, Some(fault)) => Err(format!(
            "the suite `tck` has no faults, and the name ends in `{fault}`: use the suite `faults`"
        )),
        (Suite::Faults, None) => {
            Err("a case of the suite `faults` ends in the name of its fault".to_owned())
        }
    }
}

fn part<T: FromStr<Err: fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

fn read_tuple(text: &str) -> Result<Tuple, String> {
    let names: Vec<&str> = text.split(',').collect();
    let [client, source, destination] = *names else {
        return Err(format!(
            "expected three releases, CLIENT,SOURCE,DESTINATION, and not `{text}`"
        ));
    };
    Ok(Tuple {
        client: part::<ReleaseName>(client)?,
        source: part(source)?,
        destination: part(destination)?,
    })
}

words!(Backend, "back end");
serde_as_text!(Case);

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str =
        "tck/libvirt/trixie,bookworm,trixie/p2p/persistent-running-bare/undefine+persist";

    fn wrong(name: &str) -> String {
        name.parse::<Case>().unwrap_err().wrong
    }

    #[test]
    fn a_name_says_all_of_a_case() {
        let case: Case = NAME.parse().unwrap();
        assert_eq!(case.tuple.source.as_str(), "bookworm");
        assert_eq!(case.scenario.flags.to_string(), "undefine+persist");
        assert_eq!(case.to_string(), NAME);
    }

    #[test]
    fn a_file_stem_has_no_slash_and_leads_back() {
        let case: Case = NAME.parse().unwrap();
        assert!(!case.file_stem().contains('/'));
        assert_eq!(Case::from_file_stem(&case.file_stem()), Ok(case));
    }

    #[test]
    fn an_error_names_the_wrong_part_and_the_right_words() {
        assert_eq!(
            wrong(&NAME.replace("p2p", "p3p")),
            "unknown control method `p3p`: did you mean `p2p`? expected normal, p2p or tunnelled"
        );
        assert!(wrong(&NAME.replace("-bare", "-bear")).contains("`persistent-running-bare`"));
        assert!(wrong(&NAME.replace("persist", "persistent")).starts_with("unknown state"));
        assert!(wrong(&NAME.replace("trixie,", "Trixie,")).contains("`Trixie`"));
        assert!(wrong(&NAME.replace("trixie,b", "b")).contains("three releases"));
        assert!(wrong("tck").starts_with("expected SUITE/BACKEND"));
    }

    #[test]
    fn a_fault_stands_in_its_suite_and_only_there() {
        assert!(wrong(&format!("{NAME}/memory-byte")).contains("`memory-byte`"));
        assert!(wrong(&NAME.replace("tck", "faults")).contains("ends in"));
        let name = format!("{}/memory-byte", NAME.replace("tck", "faults"));
        assert_eq!(name.parse::<Case>().unwrap().fault, Some(Fault::MemoryByte));
    }
}
