//! What failures say of themselves: the commonest reason of those that one cause is to blame for.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use migratrix_matrix::{Condition, Role};
use serde::Serialize;

use crate::{
    Judgement, Kind,
    gist::{gist, without_hosts},
    groups,
    printable::{printable, shortened},
};

/// How much of what a failure says is told, in characters.
const TOLD: usize = 160;

/// What most of some failures say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reason {
    /// The condition that failed first; none where something was broken on purpose.
    pub condition: Option<&'static str>,
    /// Whether that could not be seen: a list of known failures says that it can't be.
    pub unseen: bool,
    /// Why, shortened: without the hosts, which are not the same in all of them, and with `…` for each other word that
    /// is not.
    pub why: String,
    /// How many of them say it.
    pub cases: usize,
    /// Of how many.
    pub of: usize,
}

/// What a failure says.
#[derive(Clone, Debug)]
pub(super) struct Says {
    condition: Option<Condition>,
    unseen: bool,
    why: String,
    /// The same without what differs from case to case.
    gist: String,
}

impl Says {
    pub fn of(failure: &Judgement) -> Self {
        let standing = failure.own_standing();
        let (condition, why) = groups::reason(failure, standing);
        // What a list of known failures says of it is told, and tells nothing apart.
        let (_, bare) = groups::reason_itself(failure, standing);
        let said = (condition == Some(Condition::Migrated))
            .then(|| failure.said_on(Role::Destination).map(printable))
            .flatten();
        let [why, bare] = [why, bare].map(|why| match &said {
            Some(said) => in_a_line(said),
            None => in_a_line(&essence(condition, &why)),
        });
        let gist = gist(failure, &bare);
        let verdict = condition.and_then(|condition| failure.of(condition));
        Self {
            condition,
            unseen: verdict.is_some_and(|verdict| verdict.kind() == Kind::Unknown),
            why,
            gist,
        }
    }

    /// Of each failure the number of what it says: those that say nearly the same of one condition have the
    /// same one.
    pub fn kinds(all: &[Option<Self>]) -> Vec<Option<u32>> {
        let mut firsts: Vec<(Option<Condition>, &str)> = Vec::new();
        let mut known: BTreeMap<_, u32> = BTreeMap::new();
        let mut kinds = Vec::new();
        for says in all {
            kinds.push(says.as_ref().map(|says| {
                *known
                    .entry((says.condition, &says.gist))
                    .or_insert_with(|| {
                        let place = firsts.iter().position(|(condition, first)| {
                            *condition == says.condition && say_alike(first, &says.gist)
                        });
                        let place = place.unwrap_or_else(|| {
                            firsts.push((says.condition, &says.gist));
                            firsts.len() - 1
                        });
                        u32::try_from(place).unwrap_or(u32::MAX)
                    })
            }));
        }
        kinds
    }
}

/// Whether two texts say nearly the same: most of their words are the same, and what they say it of is. Before its
/// last colon a text says of what kind it is, and may do so at length: `no such features: a` and `features too
/// many: a` are two things, whatever stands before both.
fn say_alike(one: &str, other: &str) -> bool {
    let mut kinds = kinds(one).zip(kinds(other));
    are_alike(one, other) && kinds.all(|(one, other)| is_name(one, other) || are_alike(one, other))
}

/// What stands before each colon of a text.
fn kinds(text: &str) -> impl Iterator<Item = &str> {
    let colons = text.matches(": ").count();
    text.split(": ").take(colons)
}

/// Whether one of two texts is a word: a device, or a function, and no kind of what is said.
fn is_name(one: &str, other: &str) -> bool {
    [one, other]
        .iter()
        .any(|text| text.split_whitespace().count() < 2)
}

/// Whether two texts have at least half of their words in common.
fn are_alike(one: &str, other: &str) -> bool {
    let [one, other] = [one, other].map(|text| text.split_whitespace().collect::<BTreeSet<_>>());
    2 * one.intersection(&other).count() >= one.union(&other).count()
}

impl Reason {
    /// What most of them say, in the words that all of those have.
    pub(super) fn of<'s>(failures: impl Iterator<Item = &'s Says>) -> Option<Self> {
        let mut alike: BTreeMap<_, Vec<&Says>> = BTreeMap::new();
        let mut of = 0;
        for says in failures {
            let same = alike.entry((says.condition, &says.gist)).or_default();
            same.push(says);
            of += 1;
        }
        // The first of equal ones.
        let most = alike.into_values().rev().max_by_key(Vec::len)?;
        let first = most.first()?;
        let shared = most.iter().fold(first.why.clone(), |shared, one| {
            in_common(&shared, &one.why)
        });
        Some(Self {
            condition: first.condition.map(Condition::word),
            unseen: first.unseen,
            why: shortened(&shared, TOLD),
            cases: most.len(),
            of,
        })
    }
}

/// The words of the first text, but for those that the other has not in their place; of texts of unlike lengths, those
/// with which both begin and end.
fn in_common(one: &str, other: &str) -> String {
    let [words, others] = [one, other].map(|text| text.split(' ').collect::<Vec<_>>());
    let same = |(one, other): &(&&str, &&str)| one == other;
    if words.len() == others.len() {
        let both = words.iter().zip(&others);
        let both = both.map(|both| if same(&both) { *both.0 } else { "…" });
        return both.collect::<Vec<_>>().join(" ");
    }
    let front = words.iter().zip(&others).take_while(same).count();
    let [words_left, others_left] = [&words[front..], &others[front..]];
    let both = words_left.iter().rev().zip(others_left.iter().rev());
    let back = both.take_while(same).count();
    let ends = [&words[..front], &["…"], &words[words.len() - back..]];
    ends.concat().join(" ")
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let came = if self.unseen {
            "could not be seen"
        } else {
            "failed"
        };
        match self.condition {
            Some(condition) => write!(f, "condition {condition} {came}")?,
            None => write!(f, "the case {came}")?,
        }
        if !self.why.is_empty() {
            write!(f, ": {}", self.why)?;
        }
        if self.cases < self.of {
            write!(f, " ({} of the {})", self.cases, self.of)?;
        }
        Ok(())
    }
}

/// What is expected of a migration is clear, and which hosts took part is said by the cause: what is left is
/// why it did not come.
fn essence(condition: Option<Condition>, why: &str) -> String {
    let bare = without_hosts(why);
    match (condition, bare.split_once(": ")) {
        (Some(Condition::Migrated), Some((_, said))) => named(said).to_owned(),
        (_, _) => bare,
    }
}

/// The words of a text of several lines, one after another.
fn in_a_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How QEMU begins to say which device it could not load.
const DEVICE: &str = "error while loading state for instance";

/// What names the device that was not loaded, where that is said: what stands before it is said of every failure.
fn named(said: &str) -> &str {
    said.find(DEVICE).map_or(said, |place| &said[place..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_what_came_in_place_of_what_was_expected_whatever_the_hosts() {
        let refused = "expected success, the p2p migration (live) from the source (bookworm, libvirt 9.0.0, \
                       QEMU 7.2.22) to the destination (sid, libvirt 12.8.0, QEMU 11.1.3) was refused: \
                       operation failed: no (error code 9)";
        let migrated = Some(Condition::Migrated);
        let said = "operation failed: no (error code 9)";
        assert_eq!(essence(migrated, refused), said);
        let failed = "expected a migration from the source (trixie, QEMU 10.0.13) to the destination (sid, QEMU \
                      11.1.3) that completes, it came through setup → active → failed: VQ 0 is too long";
        assert_eq!(essence(migrated, failed), "VQ 0 is too long");
        let device = "expected success, the p2p migration (live) from a to b was refused: operation failed: job \
                      'migration in' failed: load of migration failed: Invalid argument: error while loading state \
                      for instance 0x0 of device '00:01.0/virtio-blk': Failed to load";
        let named = "error while loading state for instance 0x0 of device '00:01.0/virtio-blk': Failed to load";
        assert_eq!(essence(migrated, device), named);
        let alone =
            "the guest (a) stands still on the destination (sid, QEMU 11.1.3): it was running";
        assert_eq!(
            essence(Some(Condition::Alive), alone),
            "the guest (a) stands still on the destination: it was running"
        );
    }

    #[test]
    fn failures_say_the_same_where_one_condition_fails_in_nearly_the_same_words() {
        let says = |condition, gist: &str| {
            Some(Says {
                condition: Some(condition),
                unseen: false,
                why: gist.to_owned(),
                gist: gist.to_owned(),
            })
        };
        let all = [
            says(
                Condition::Migrated,
                "the processor lacks missing features: ht",
            ),
            None,
            says(Condition::Migrated, "only one watchdog is supported"),
            says(
                Condition::Migrated,
                "the processor lacks missing features: pcommit",
            ),
            says(Condition::Identity, "only one watchdog is supported"),
        ];
        let kinds = [Some(0), None, Some(1), Some(0), Some(2)];
        assert_eq!(Says::kinds(&all), kinds);
    }

    #[test]
    fn two_kinds_of_refusal_are_two_things_whatever_stands_before_and_behind_both() {
        let refused = "operation failed: guest CPU doesn't match specification";
        let [extra, missing, other] = [
            "extra features: ht,cmp_legacy",
            "missing features: pcommit",
            "missing features: ht",
        ]
        .map(|what| format!("{refused}: {what} (error code 9, domain #"));
        assert!(!say_alike(&extra, &missing));
        assert!(say_alike(&other, &missing));
        let device = |name: &str| format!("{name}: Failed to load virtio/config");
        assert!(say_alike(&device("virtio-blk"), &device("virtio-net")));
    }

    #[test]
    fn of_several_reasons_the_commonest_is_told_and_how_common_it_is() {
        let says = |why: &str, gist: &str| Says {
            condition: Some(Condition::Migrated),
            unseen: false,
            why: why.to_owned(),
            gist: gist.to_owned(),
        };
        let all = [
            says("a: 1", "a: #"),
            says("b: 1", "b: #"),
            says("b: 2", "b: #"),
        ];
        let told = Reason::of(all.iter()).expect("there are some");
        assert_eq!(
            told.to_string(),
            "condition migrated failed: b: … (2 of the 3)"
        );
        let alike = Reason::of(all[1..].iter()).expect("there are some");
        assert_eq!(alike.to_string(), "condition migrated failed: b: …");
        let one = Reason::of(all[1..2].iter()).expect("there is one");
        assert_eq!(one.to_string(), "condition migrated failed: b: 1");
        assert_eq!(Reason::of([].iter()), None);
    }

    #[test]
    fn what_has_several_lines_is_told_in_one_and_nothing_behind_no_colon() {
        let forged = "no\n2. control(p2p)\n   9 of the 9\tfail; sure";
        assert_eq!(
            in_a_line(forged),
            "no 2. control(p2p) 9 of the 9 fail; sure"
        );
        let silent = Says {
            condition: Some(Condition::Memory),
            unseen: true,
            why: String::new(),
            gist: String::new(),
        };
        let told = Reason::of([silent].iter()).expect("there is one");
        assert_eq!(told.to_string(), "condition memory could not be seen");
    }

    #[test]
    fn texts_of_unlike_lengths_have_their_beginning_and_their_end_in_common() {
        let three = "pages 17 18 19 differ";
        assert_eq!(in_common(three, "pages 5 differ"), "pages … differ");
        assert_eq!(
            in_common("pages … differ", "pages 5 6 differ"),
            "pages … differ"
        );
        assert_eq!(in_common("a a", "a a a"), "a a …");
        assert_eq!(in_common(three, three), three);
    }
}
