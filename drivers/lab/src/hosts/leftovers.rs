//! What is left on a host, and whose it is.
//!
//! ```text
//!   Inventory ─▶ not there from the start ─┬▶ carries my name or UUID, or I am alone here: mine
//!                                          ├▶ carries that of another case that is here: its own
//!                                          └▶ nobody's: of one of those who were here when it came
//! ```
//!
//! What is nobody's and lasts is told once for the run, and makes those unsure who may have left it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use migratrix_contract::{Leftovers, Owner, SHARED, other_name};

use crate::hosts::inventory::{Inventory, Thing};

/// How much of a domain's name libvirt puts into the names of its folders, in characters.
const SHORT_NAME: usize = 20;

/// How long a thing that is nobody's must have been there to be told: a daemon's helpers come and go.
const LASTS: Duration = Duration::from_secs(1);

/// What comes to be on every host by itself, once a guest was started: files of the daemon's own, and what
/// the lab puts there for all.
const COMMON: [&str; 1] = ["/var/lib/migratrix/a-b"];

/// Keeps the books of one run of a host.
#[derive(Debug, Default)]
pub(crate) struct Books {
    /// The cases that are on it.
    present: Vec<Owner>,
    /// The domains of those that were.
    departed: BTreeSet<String>,
    /// What is there and carries nobody's name.
    suspects: BTreeMap<Thing, Suspect>,
    /// What was found of cases that are on it, which they tell of themselves.
    owned: BTreeMap<Thing, String>,
    /// What is to be told of the host as a whole.
    strays: Vec<String>,
}

/// A thing that carries nobody's name.
#[derive(Debug)]
struct Suspect {
    since: Instant,
    /// The domains of the cases that may have left it.
    candidates: BTreeSet<String>,
    told: bool,
}

/// Whose a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose<'o> {
    /// That of a case that is here.
    Present(&'o str),
    /// That of a case that was here, or nobody's.
    Nobodys,
}

impl Books {
    /// Whether the text carries the name of a case that is here.
    pub(crate) fn has(&self, text: &str) -> bool {
        self.whose(text) != Whose::Nobodys
    }

    pub(crate) fn enter(&mut self, owner: &Owner) {
        self.present.push(owner.clone());
    }

    /// The cases that are on it.
    pub(crate) fn into_present(self) -> Vec<Owner> {
        self.present
    }

    /// A case has gone. What it left it has told of itself; what is nobody's and has lasted is told of
    /// the host.
    pub(crate) fn leave(&mut self, domain: &str) {
        self.present.retain(|owner| owner.domain != domain);
        self.departed.insert(domain.to_owned());
        self.tell_what_lasts();
    }

    /// What is left of the case with the domain of this name, by what is on the host now.
    pub(crate) fn left(&mut self, now: &Inventory, domain: &str) -> Leftovers {
        self.note(now);
        let mut left = Leftovers::default();
        let owned = self.owned.iter().filter(|(_, of)| *of == domain);
        left.own.extend(owned.map(|(thing, _)| thing.to_string()));
        for (thing, suspect) in &self.suspects {
            match (
                suspect.candidates.contains(domain),
                suspect.candidates.len(),
            ) {
                (false, _) => {}
                (true, 1) => left.own.push(thing.to_string()),
                (true, candidates) => {
                    left.unowned.push(thing.to_string());
                    left.others = left.others.max(candidates - 1);
                }
            }
        }
        left
    }

    /// What is on the host now, where no case looks for its own.
    pub(crate) fn note(&mut self, now: &Inventory) {
        self.suspects
            .retain(|thing, _| now.things.contains_key(thing));
        self.owned.retain(|thing, _| now.things.contains_key(thing));
        for (thing, text) in &now.things {
            if is_common(thing) || self.owned.contains_key(thing) {
                continue;
            }
            match self.whose(text) {
                Whose::Present(domain) => {
                    let domain = domain.to_owned();
                    self.suspects.remove(thing);
                    self.owned.insert(thing.clone(), domain);
                }
                Whose::Nobodys if self.suspects.contains_key(thing) => {}
                Whose::Nobodys if is_shared(thing) => {}
                Whose::Nobodys => {
                    let suspect = self.suspect(text);
                    self.suspects.insert(thing.clone(), suspect);
                }
            }
        }
    }

    /// What was found that is nobody's, and is not told yet.
    pub(crate) fn strays(&mut self) -> Vec<String> {
        std::mem::take(&mut self.strays)
    }

    /// Whether something waits to be told until it has lasted.
    pub(crate) fn is_unsure(&self) -> bool {
        self.suspects.values().any(|suspect| !suspect.told)
    }

    pub(crate) fn tell_what_lasts(&mut self) {
        for (thing, suspect) in &mut self.suspects {
            if suspect.told || suspect.since.elapsed() < LASTS {
                continue;
            }
            suspect.told = true;
            // The one who was alone here has told of it himself.
            if suspect.candidates.len() != 1 {
                self.strays.push(thing.to_string());
            }
        }
    }

    /// Has all that is here have lasted.
    #[cfg(test)]
    pub(crate) fn let_time_go_by(&mut self) {
        let suspects = self.suspects.values_mut();
        suspects.for_each(|suspect| suspect.since -= LASTS);
    }

    /// A new thing. What carries the name of one who has gone is of none who is here.
    fn suspect(&self, text: &str) -> Suspect {
        let of_departed = self.departed.iter().any(|domain| is_named(text, domain));
        let present = self.present.iter().filter(|_| !of_departed);
        Suspect {
            since: Instant::now(),
            candidates: present.map(|owner| owner.domain.clone()).collect(),
            told: false,
        }
    }

    fn whose(&self, text: &str) -> Whose<'_> {
        let owner = self.present.iter().find(|owner| is_of(text, owner));
        owner.map_or(Whose::Nobodys, |owner| Whose::Present(&owner.domain))
    }
}

fn is_shared(thing: &Thing) -> bool {
    matches!(thing, Thing::File(path) if path.starts_with(SHARED))
}

fn is_common(thing: &Thing) -> bool {
    matches!(thing, Thing::File(path) if COMMON.iter().any(|common| path.starts_with(common)))
}

/// Whether the text carries the name or a UUID of the owner.
fn is_of(text: &str, owner: &Owner) -> bool {
    is_named(text, &owner.domain)
        || is_folder_of(text, &owner.domain)
        || owner.uuids.iter().any(|uuid| names(text, uuid))
}

/// Whether the text has the name of the case's domain in it, or that of one beside it.
fn is_named(text: &str, domain: &str) -> bool {
    names(text, domain) || names(text, &other_name(domain))
}

/// Whether the text has the name in it, and not as a part of a longer word or number.
pub(crate) fn names(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, name)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        ![before, after]
            .into_iter()
            .flatten()
            .any(char::is_alphanumeric)
    })
}

/// Whether it is the folder of the running domain, as libvirt names it: `domain-<id>-<the name's
/// start>`.
fn is_folder_of(name: &str, domain: &str) -> bool {
    let short: String = domain.chars().take(SHORT_NAME).collect();
    let rest = name
        .strip_prefix("domain-")
        .and_then(|rest| rest.split_once('-'));
    rest.is_some_and(|(id, its)| id.parse::<u32>().is_ok() && its == short)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(domain: &str) -> Owner {
        let uuid = |kind: u8| format!("6d780000-000{kind}-4001-8000-{domain:0>12}");
        Owner {
            domain: domain.to_owned(),
            uuids: [uuid(1), uuid(2)],
        }
    }

    fn books(domains: &[&str]) -> Books {
        let mut books = Books::default();
        domains
            .iter()
            .for_each(|domain| books.enter(&owner(domain)));
        books
    }

    fn with(things: &[(Thing, &str)]) -> Inventory {
        let things = things
            .iter()
            .map(|(thing, text)| (thing.clone(), (*text).to_owned()));
        Inventory {
            things: things.collect(),
        }
    }

    fn qemu(line: &str) -> (Thing, &str) {
        let command_line = line.to_owned();
        (
            Thing::Process {
                pid: 7,
                started: 1,
                command_line,
            },
            line,
        )
    }

    fn file(name: &str) -> (Thing, &str) {
        (Thing::File(format!("/tmp/{name}")), name)
    }

    const NAMELESS: &str = "qemu-system-x86_64 -incoming tcp:0:49152";

    #[test]
    fn what_carries_a_name_or_a_uuid_belongs_to_its_case_alone() {
        let mut books = books(&["1a", "1b"]);
        let uuid = owner("1b").uuids[1].clone();
        let now = with(&[
            qemu("qemu -name guest=1a,debug"),
            file("domain-3-1a"),
            file(&uuid),
        ]);
        assert_eq!(books.left(&now, "1a").own.len(), 2);
        assert_eq!(books.left(&now, "1b").own, [format!("file /tmp/{uuid}")]);
        assert!(books.left(&now, "1b").unowned.is_empty());
    }

    #[test]
    fn a_guest_beside_that_of_a_case_is_its_own_and_of_none_who_was_there_with_it() {
        let mut books = books(&["1a", "1b"]);
        let now = with(&[qemu("qemu -name guest=b1-0,debug"), file("domain-3-b1-0")]);
        assert!(books.left(&now, "1a").is_empty());
        assert_eq!(books.left(&now, "1b").own.len(), 2);
        books.leave("1b");
        assert!(books.left(&now, "1a").is_empty());
    }

    #[test]
    fn what_is_nobodys_belongs_to_the_one_who_is_alone() {
        let mut books = books(&["1a"]);
        let things = [
            qemu(NAMELESS),
            file("x"),
            (Thing::Mount("/mnt".to_owned()), "/mnt"),
            (Thing::Interface("tap0".to_owned()), "tap0"),
            (
                Thing::Port {
                    port: 49_152,
                    pid: 7,
                },
                NAMELESS,
            ),
        ];
        assert_eq!(books.left(&with(&things), "1a").own.len(), 5);
        books.leave("1a");
        assert_eq!(books.strays(), [""; 0]);
    }

    #[test]
    fn what_may_be_of_several_is_of_none_and_is_told_once() {
        let mut books = books(&["1a", "1b"]);
        let now = with(&[qemu(NAMELESS)]);
        let left = books.left(&now, "1a");
        assert_eq!((left.own.len(), left.unowned.len(), left.others), (0, 1, 1));
        books.enter(&owner("1c"));
        assert!(books.left(&now, "1c").is_empty(), "it was there before");
        books.let_time_go_by();
        books.leave("1a");
        assert_eq!(books.strays(), [format!("process 7: {NAMELESS}")]);
        assert_eq!(books.left(&now, "1b").unowned.len(), 1, "it is as unsure");
        books.leave("1b");
        assert_eq!(books.strays(), [""; 0]);
        assert!(books.left(&now, "1c").is_empty());
    }

    #[test]
    fn what_goes_by_itself_is_no_more_than_a_helper() {
        let mut books = books(&["1a", "1b"]);
        assert!(!books.left(&with(&[qemu("qemu-img info")]), "1a").is_empty());
        assert!(books.left(&with(&[]), "1a").is_empty());
        books.leave("1a");
        assert_eq!(books.strays(), [""; 0]);
    }

    #[test]
    fn what_carries_the_name_of_one_who_has_gone_is_of_none_who_is_here() {
        let mut books = books(&["1a", "1b"]);
        books.leave("1b");
        let now = with(&[qemu("qemu -name guest=1b")]);
        assert!(books.left(&now, "1a").is_empty());
        books.let_time_go_by();
        books.leave("1a");
        assert_eq!(books.strays(), ["process 7: qemu -name guest=1b"]);
    }

    #[test]
    fn a_name_counts_only_as_a_whole() {
        assert!(names("qemu -name guest=t1,debug-threads=on", "t1"));
        assert!(names("t1.xml", "t1"));
        assert!(!names("t10.xml", "t1"));
        assert!(!names("at1", "t1"));
    }

    #[test]
    fn a_folder_is_known_by_the_start_of_a_long_name() {
        let domain = "abcdefghijklmnopqrstuvwxyz";
        assert!(is_folder_of("domain-3-abcdefghijklmnopqrst", domain));
        assert!(!is_folder_of("domain-x-abcdefghijklmnopqrst", domain));
        assert!(!is_folder_of("domain-3-abcdefghijklmnopqrsu", domain));
    }
}
