//! A case: one scenario of a suite, on a tuple and a back end. It has one name.

use std::{cmp::Ordering, fmt, str::FromStr};

use thiserror::Error;

use crate::{
    Fault, Point, Raw, ReleaseName, Scenario, Suite, Tuple,
    axis::{Value, axis},
    point::{Facet, UnreadPoint},
    word::{one_of, serde_as_text},
};

axis! {
    /// What runs the case.
    Backend, "backend", kind "back end" {
        /// Real libvirt daemons and client libraries.
        Libvirt = "libvirt",
        /// Real QEMUs, by QMP and qtest.
        Qemu = "qemu",
        /// The hypervisor in memory, which tests the tester.
        Fake = "fake",
    }
}

/// One thing to run and to judge.
///
/// Its name is `SUITE/BACKEND/RELEASES/POINT`, as in
/// `tck/libvirt/trixie,bookworm,trixie/p2p/persistent-running-undefined/undefine+persist` or
/// `qemu/qemu/bookworm,trixie/precopy/tcp/running/multifd`, and ends in `/FAULT` where the case has
/// one. The releases are `CLIENT,SOURCE,DESTINATION`, and `SOURCE,DESTINATION` where nobody stands
/// between the two. What a report prints, `run --case` accepts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Case {
    /// What runs it.
    pub backend: Backend,
    /// The releases at the three places; with [`Backend::Qemu`] the client is the source.
    pub tuple: Tuple,
    /// What is done.
    pub point: Point,
    /// What is broken on purpose: with it, the case is one of [`Suite::Faults`].
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
    /// Whether a client library stands between the caller and the two sides.
    #[must_use]
    pub const fn has_client(self) -> bool {
        match self {
            Self::Libvirt | Self::Fake => true,
            Self::Qemu => false,
        }
    }
}

impl Case {
    /// The scenario, where libvirt or the hypervisor in memory runs it.
    #[must_use]
    pub fn scenario(&self) -> Option<&Scenario> {
        self.point.scenario()
    }

    /// The raw migration, where there is no libvirt.
    #[must_use]
    pub const fn raw(&self) -> Option<&Raw> {
        self.point.raw()
    }

    /// The suite that it belongs to: that of its point, or that of what is broken on purpose.
    #[must_use]
    pub fn suite(&self) -> Suite {
        match self.fault {
            Some(_) => Suite::Faults,
            None => self.point.suite(),
        }
    }

    /// Whether a guest goes from its source to its destination.
    #[must_use]
    pub fn migrates(&self) -> bool {
        self.point.migrates()
    }

    /// Whether its axis of that name has the value of that word, or has it among others.
    #[must_use]
    pub fn is(&self, axis: &str, word: &str) -> bool {
        let own = [Value::of(self.suite()), Value::of(self.backend)];
        own.iter().any(|value| value.is(axis, word)) || self.point.is(axis, word)
    }

    /// The raw case of the same pair, machine and state: it tells whether QEMU alone carries the
    /// guest, and its chain of backups. Only a case of libvirt's own has one, and only where the suite
    /// `qemu` has its hardware.
    #[must_use]
    pub fn control_case(&self) -> Option<Self> {
        if self.backend != Backend::Libvirt || self.fault.is_some() {
            return None;
        }
        Some(Self {
            backend: Backend::Qemu,
            tuple: Tuple {
                client: self.tuple.source.clone(),
                ..self.tuple.clone()
            },
            point: self.point.counterpart()?,
            fault: None,
        })
    }

    /// What it is, facet by facet: its releases, and what its point is.
    #[must_use]
    pub fn facets(&self) -> Vec<Facet> {
        let mut all = self.places();
        all.extend(self.point.facets());
        all
    }

    /// Its releases, facet by facet.
    pub(crate) fn places(&self) -> Vec<Facet> {
        let Tuple {
            client,
            source,
            destination,
        } = &self.tuple;
        let mut all = vec![
            Facet::of("source", source),
            Facet::of("destination", destination),
        ];
        if self.backend.has_client() {
            all.push(Facet::of("client", client));
        }
        all
    }

    /// The name that it had first, before words of it changed: files and shards of then go by it.
    #[must_use]
    pub fn first_name(&self) -> String {
        let name = self.to_string();
        match self.scenario() {
            Some(Scenario { state, .. }) => {
                let part = |text: String| format!("/{text}/");
                name.replacen(&part(state.to_string()), &part(state.first_text()), 1)
            }
            None => name,
        }
    }

    /// Its name in a form that can be the name of a file: with `~` for each `/`.
    #[must_use]
    pub fn file_stem(&self) -> String {
        self.to_string().replace('/', "~")
    }

    /// What [`Case::file_stem`] was when the case had its [first name](Case::first_name).
    #[must_use]
    pub fn first_file_stem(&self) -> String {
        self.first_name().replace('/', "~")
    }

    /// The case whose [`Case::file_stem`] is `stem`.
    ///
    /// # Errors
    /// Returns the name where it is not that of a case.
    pub fn from_file_stem(stem: &str) -> Result<Self, BadCaseName> {
        stem.replace('~', "/").parse()
    }
}

/// Suite by suite, as they are listed.
impl Ord for Case {
    fn cmp(&self, other: &Self) -> Ordering {
        let suites = self.suite().cmp(&other.suite());
        let backends = self.backend.cmp(&other.backend);
        let tuples = || self.tuple.cmp(&other.tuple);
        let points = || self.point.cmp(&other.point);
        let rest = suites.then(backends).then_with(tuples).then_with(points);
        rest.then_with(|| self.fault.cmp(&other.fault))
    }
}

impl PartialOrd for Case {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (suite, backend) = (self.suite().word(), self.backend.word());
        let releases = if self.backend.has_client() {
            self.tuple.to_string()
        } else {
            format!("{},{}", self.tuple.source, self.tuple.destination)
        };
        write!(f, "{suite}/{backend}/{releases}/{}", self.point)?;
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

const SHAPE: &str = "expected SUITE/BACKEND/RELEASES/POINT, and /FAULT after it in the suite \
                     `faults`; a point of `tck` is CONTROL/STATE/FLAGS or \
                     CONTROL/STATE/FLAGS/OPTIONS, one of `qemu` is METHOD/TRANSPORT/GUEST/OPTIONS, one of `backup` on libvirt is \
                     JOURNEY/WRITER/CONTROL/STATE/FLAGS, one of `recovery` is STRIKE/MOMENT/CONTROL/STATE/FLAGS";

fn read(name: &str) -> Result<Case, String> {
    let mut parts = name.splitn(4, '/');
    let mut next = || parts.next().ok_or(SHAPE);
    let (suite, backend, tuple, rest) = (next()?, next()?, next()?, next()?);
    let (suite, backend): (Suite, Backend) = (part(suite)?, part(backend)?);
    if !suite.backends().contains(&backend) {
        return Err(format!(
            "the suite `{suite}` is not run by the back end `{backend}`, but by {}",
            one_of(suite.backends())
        ));
    }
    let (point, fault) = match (suite, rest.rsplit_once('/')) {
        (Suite::Faults, Some((point, fault))) => (point, Some(fault)),
        (
            Suite::Faults
            | Suite::Tck
            | Suite::Qemu
            | Suite::Colo
            | Suite::Backup
            | Suite::Recovery,
            _,
        ) => (rest, None),
    };
    // First, since a missing fault makes what comes before it look wrong.
    let fault = fault.map(part).transpose()?;
    let case = Case {
        backend,
        tuple: read_tuple(tuple, backend)?,
        point: Point::read(point, backend).map_err(unread)?,
        fault,
    };
    if suite != Suite::Faults && case.point.suite() != suite {
        return Err(format!(
            "`{}` is a point of the suite `{}`, and not of `{suite}`",
            case.point,
            case.point.suite()
        ));
    }
    if suite == Suite::Faults && case.fault.is_none() {
        return Err("a case of the suite `faults` ends in the name of its fault".to_owned());
    }
    Ok(case)
}

fn unread(wrong: UnreadPoint) -> String {
    match wrong {
        UnreadPoint::Shape => SHAPE.to_owned(),
        UnreadPoint::Word(word) => word.to_string(),
    }
}

fn part<T: FromStr<Err: fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

fn read_tuple(text: &str, backend: Backend) -> Result<Tuple, String> {
    let names: Vec<&str> = text.split(',').collect();
    let [client, source, destination] = match (backend.has_client(), &*names) {
        (true, [client, source, destination]) => [client, source, destination],
        (false, [source, destination]) => [source, source, destination],
        (true, _) => {
            return Err(format!(
                "expected three releases, CLIENT,SOURCE,DESTINATION, and not `{text}`"
            ));
        }
        (false, _) => {
            return Err(format!(
                "expected two releases, SOURCE,DESTINATION, and not `{text}`"
            ));
        }
    };
    Ok(Tuple {
        client: part::<ReleaseName>(client)?,
        source: part(source)?,
        destination: part(destination)?,
    })
}

serde_as_text!(Case);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Hardware, TckFault};

    const NAME: &str =
        "tck/libvirt/trixie,bookworm,trixie/p2p/persistent-running-undefined/undefine+persist";

    fn wrong(name: &str) -> String {
        name.parse::<Case>().unwrap_err().wrong
    }

    #[test]
    fn a_name_says_all_of_a_case() {
        let case: Case = NAME.parse().unwrap();
        assert_eq!(case.tuple.source.as_str(), "bookworm");
        assert_eq!(
            case.scenario().unwrap().flags.to_string(),
            "undefine+persist"
        );
        assert_eq!(case.to_string(), NAME);
    }

    #[test]
    fn a_name_ends_in_the_hardware_where_that_is_more_than_the_least() {
        let case: Case = format!("{NAME}/two-threads").parse().unwrap();
        assert_eq!(case.scenario().unwrap().hardware, Hardware::TwoThreads);
        assert_eq!(case.to_string(), format!("{NAME}/two-threads"));
        let least: Case = format!("{NAME}/minimal").parse().unwrap();
        assert_eq!(least.to_string(), NAME);
    }

    #[test]
    fn a_file_stem_has_no_slash_and_leads_back() {
        let case: Case = NAME.parse().unwrap();
        assert!(!case.file_stem().contains('/'));
        assert_eq!(Case::from_file_stem(&case.file_stem()), Ok(case));
    }

    #[test]
    fn a_name_of_before_is_read_and_known() {
        let old = NAME.replace("-undefined", "-bare");
        let case: Case = old.parse().unwrap();
        assert_eq!(case.to_string(), NAME);
        assert_eq!(case.first_name(), old);
        assert_eq!(Case::from_file_stem(&case.first_file_stem()), Ok(case));
        let name = "backup/libvirt/a,a,b/shared-storage/qemu-io/p2p/transient-paused-defined/none";
        let old = name.replace("-defined", "-prepared");
        let case: Case = old.parse().unwrap();
        assert_eq!(case.to_string(), name);
        assert_eq!(case.first_name(), old);
    }

    #[test]
    fn an_error_names_the_wrong_part_and_the_right_words() {
        assert_eq!(
            wrong(&NAME.replace("p2p", "p3p")),
            "unknown control method `p3p`: did you mean `p2p`? expected normal, p2p or tunnelled"
        );
        let bear = wrong(&NAME.replace("-undefined", "-undefimed"));
        assert!(
            bear.starts_with("unknown state `persistent-running-undefimed`"),
            "{bear}"
        );
        assert!(
            bear.contains("did you mean `persistent-running-undefined`"),
            "{bear}"
        );
        assert!(wrong(&NAME.replace("persist", "persistent")).starts_with("unknown state"));
        assert!(wrong(&NAME.replace("trixie,", "Trixie,")).contains("`Trixie`"));
        assert!(wrong(&NAME.replace("trixie,b", "b")).contains("three releases"));
        assert!(wrong("tck").starts_with("expected SUITE/BACKEND"));
    }

    #[test]
    fn the_suite_follows_from_the_point_and_from_what_is_broken() {
        let whole: Case = NAME.parse().unwrap();
        assert_eq!(whole.suite(), Suite::Tck);
        let broken = Case {
            fault: Some(Fault::Tck(TckFault::MemoryByte)),
            ..whole.clone()
        };
        assert_eq!(broken.suite(), Suite::Faults);
        assert_eq!(broken.to_string().parse(), Ok(broken.clone()));
        assert!(whole < broken, "suite by suite");
        let chain = "stay/blockdev-backup/incremental-simple/plain";
        let name = format!("qemu/qemu/a,b/{chain}");
        let error = wrong(&name);
        assert!(error.contains("a point of the suite `backup`"), "{error}");
    }

    #[test]
    fn a_fault_stands_in_its_suite_and_only_there() {
        let misplaced = wrong(&format!("{NAME}/memory-byte"));
        assert!(misplaced.starts_with("unknown option"), "{misplaced}");
        assert!(wrong(&NAME.replace("tck", "faults")).contains("unknown fault"));
        let name = format!("{}/memory-byte", NAME.replace("tck", "faults"));
        assert_eq!(
            name.parse::<Case>().unwrap().fault,
            Some(Fault::Tck(TckFault::MemoryByte))
        );
    }
}
