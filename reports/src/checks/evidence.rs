//! What a history holds, by question.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each question picks one kind of observation"
)]

use std::{cell::OnceCell, ops::Range};

use migratrix_guest::{Ram, Registers, Survey};
use migratrix_history::{
    Document, DomainInfo, DomainState, Entry, Header, History, JobStats, Lines, Observation,
    Outcome, Side, Verb, Versions, When,
};

use migratrix_matrix::{Point, Uuids};

use super::words::{moment, place, seen};
use crate::Verdict;

/// A check's answer; `Err` is the verdict on evidence that is missing, so that `?` gives it.
pub(super) type Judged = Result<Verdict, Verdict>;

/// The history of one attempt, up to the loss of a host if one was lost: what a host says after it
/// was replaced is no evidence.
pub(super) struct Evidence<'h> {
    pub history: &'h History,
    pub entries: &'h [Entry],
    documents: OnceCell<Vec<Given>>,
}

/// A document that a host gave, and when; without a text where it can't be read.
struct Given {
    at_us: u64,
    place: (Side, When, Document),
    text: Option<String>,
}

/// The UUID of a machine that was given none.
const UNSET: &str = "00000000-0000-0000-0000-000000000000";

/// Two readings of the guest's lap counter.
#[derive(Clone, Copy)]
pub(super) struct Beat {
    /// When the last of them was recorded, in microseconds.
    pub at_us: u64,
    pub first: u32,
    pub last: u32,
    pub window_us: u64,
}

/// The guest's stamped memory, as it was read while the guest was held still.
#[derive(Clone, Copy)]
pub(super) struct Surveyed<'h> {
    /// When it was recorded, in microseconds.
    pub at_us: u64,
    pub survey: &'h Survey,
    /// Where the processor stood, if that was learned.
    pub registers: Option<&'h Registers>,
}

/// A life-cycle event, and when it came.
#[derive(Clone, Copy)]
pub(super) struct Event<'h> {
    pub at_us: u64,
    pub event: &'h str,
    pub detail: &'h str,
}

impl Beat {
    pub const fn beats(self) -> bool {
        self.last > self.first
    }

    /// For how long it was sampled before a moment, in microseconds; less than 0 where it was sampled only
    /// after it.
    pub fn sampled_until(self, at_us: u64) -> i64 {
        let [end, window, at] =
            [self.at_us, self.window_us, at_us].map(|time| i64::try_from(time).unwrap_or(i64::MAX));
        at.min(end) - (end - window)
    }

    /// Whether it was sampled within a span, from the first reading to the last.
    pub fn is_in(self, span: &Range<u64>) -> bool {
        self.at_us
            .checked_sub(self.window_us)
            .is_some_and(|first| span.contains(&first) && self.at_us <= span.end)
    }

    pub fn told(self) -> String {
        let Self {
            first,
            last,
            window_us,
            ..
        } = self;
        format!(
            "lap {first}, then lap {last} after {} ms",
            window_us / 1_000
        )
    }
}

impl<'h> Evidence<'h> {
    pub fn of(history: &'h History) -> Self {
        let lost = |entry: &Entry| matches!(entry.saw, Observation::HostLost { .. });
        let end = history
            .entries
            .iter()
            .position(lost)
            .unwrap_or(history.entries.len());
        Self {
            history,
            entries: &history.entries[..end],
            documents: OnceCell::new(),
        }
    }

    /// The same history, of which these entries are looked at. Documents are read from the first entry on.
    pub const fn part(&self, entries: &'h [Entry]) -> Self {
        Self {
            history: self.history,
            entries,
            documents: OnceCell::new(),
        }
    }

    /// The same, until what a failed migration left is healed.
    pub fn before_heal(&self) -> Self {
        let end = self.place_of(Verb::Heal);
        self.part(&self.entries[..end])
    }

    /// What was seen since that, and before the migration was tried once more.
    pub fn after_heal(&self) -> Self {
        let (from, to) = (self.place_of(Verb::Heal), self.place_of(Verb::Retry));
        self.since_look(from, to)
    }

    /// What was seen since it was tried once more.
    pub fn after_retry(&self) -> Self {
        self.since_look(self.place_of(Verb::Retry), self.entries.len())
    }

    fn since_look(&self, from: usize, to: usize) -> Self {
        self.part(&self.entries[from.min(to)..to])
    }

    /// Where the first step of a kind begins, or the end.
    fn place_of(&self, of: Verb) -> usize {
        let begins =
            |entry: &Entry| matches!(&entry.saw, Observation::Began { verb, .. } if *verb == of);
        let place = self.entries.iter().position(begins);
        place.unwrap_or(self.entries.len())
    }

    pub const fn header(&self) -> &'h Header {
        &self.history.header
    }

    /// The last thing seen that `choose` takes.
    pub fn last<T>(&self, choose: impl Fn(&'h Observation) -> Option<T>) -> Option<T> {
        self.entries
            .iter()
            .rev()
            .find_map(|entry| choose(&entry.saw))
    }

    /// All things seen that `choose` takes, by the time at which they came.
    pub fn all<T>(&self, choose: impl Fn(&'h Observation) -> Option<T>) -> Vec<(u64, T)> {
        let chosen = |entry: &'h Entry| Some((entry.at_us, choose(&entry.saw)?));
        let mut all: Vec<_> = self.entries.iter().filter_map(chosen).collect();
        all.sort_by_key(|(at_us, _)| *at_us);
        all
    }

    /// The last thing seen in a span of time that `choose` takes.
    fn last_in<T>(
        &self,
        span: &Range<u64>,
        choose: impl Fn(&'h Observation) -> Option<T>,
    ) -> Option<(u64, T)> {
        let mut seen = self.entries.iter().rev();
        seen.find_map(|entry| {
            let is_in = span.contains(&entry.at_us);
            is_in.then(|| Some((entry.at_us, choose(&entry.saw)?)))?
        })
    }

    /// What a host said of the domain's name.
    pub fn look(&self, side: Side, when: When) -> Result<&'h DomainState, Verdict> {
        let span = self.span(when);
        let looks = self.all(|saw| match saw {
            Observation::Domain {
                side: s,
                when: w,
                look,
            } if (*s, *w) == (side, when) => Some(look),
            _ => None,
        });
        let mut looks: Vec<_> = looks
            .into_iter()
            .filter(|(at_us, _)| span.contains(at_us))
            .map(|(_, look)| look)
            .collect();
        let last = looks
            .pop()
            .ok_or_else(|| self.unseen(&format!("no look at {} {}", place(side), moment(when))))?;
        match looks.into_iter().find(|look| !is_the_same(look, last)) {
            Some(other) if self.is_looked_at_once() => Err(Verdict::fail(format!(
                "{} contradicts itself {}: it had {}, then {}",
                self.host(side),
                moment(when),
                seen(other),
                seen(last)
            ))),
            Some(_) | None => Ok(last),
        }
    }

    /// When a host was looked at first, in microseconds.
    pub fn first_look(&self, of: Side) -> Option<u64> {
        let mut entries = self.entries.iter();
        entries.find_map(|entry| match &entry.saw {
            Observation::Domain { side, .. } if *side == of => Some(entry.at_us),
            _ => None,
        })
    }

    /// Whether what a host says of the domain stays the same within a span.
    const fn is_looked_at_once(&self) -> bool {
        match self.header().case.point {
            Point::Tck(_) | Point::Chained(_) | Point::Qemu(_) => true,
            Point::Recovery(_) | Point::Colo(_) | Point::Backup(_) => false,
        }
    }

    /// What a host said of our domain: `None` if it is absent or another one's.
    pub fn ours(&self, side: Side, when: When) -> Result<Option<&'h DomainInfo>, Verdict> {
        Ok(match self.look(side, when)? {
            DomainState::Present(domain) if self.is_ours(side, domain) => Some(domain),
            DomainState::Present(_) | DomainState::Absent => None,
        })
    }

    /// Whether a domain has the UUID that ours has on that side.
    pub fn is_ours(&self, side: Side, domain: &DomainInfo) -> bool {
        let (own, seen) = (self.header().uuid.as_str(), domain.uuid.as_str());
        let uuids = self
            .header()
            .case
            .raw()
            .map_or(Uuids::Same, |raw| raw.uuids);
        match (uuids, side) {
            (Uuids::SourceUnset, Side::Source) | (Uuids::DestinationUnset, Side::Destination) => {
                seen == UNSET
            }
            (Uuids::Mismatch, Side::Destination) => seen != own && seen != UNSET,
            (
                Uuids::Same | Uuids::Mismatch | Uuids::SourceUnset | Uuids::DestinationUnset,
                Side::Source | Side::Destination,
            ) => seen == own,
        }
    }

    pub fn beat_if_sampled(&self, side: Side, when: When) -> Option<Beat> {
        self.beats(side, when).pop()
    }

    /// The newest lap that was read at one of these looks, and when it was read last.
    pub fn latest_lap(&self, at: &[When]) -> Option<(u64, u32)> {
        let laps = self.all(|saw| match saw {
            Observation::Beat { when, last, .. } if at.contains(when) => Some(*last),
            _ => None,
        });
        laps.into_iter().max_by_key(|(at_us, lap)| (*lap, *at_us))
    }

    /// Each lap that a heartbeat ended with, and when it was read.
    pub fn laps(&self) -> Vec<(u64, u32)> {
        self.all(|saw| match saw {
            Observation::Beat {
                when: When::Before | When::During | When::After,
                last,
                ..
            } => Some(*last),
            _ => None,
        })
    }

    /// The lap that the first heartbeat began with, and a moment before it was read, in microseconds.
    pub fn earliest_reading(&self) -> Option<(u64, u32)> {
        let of_a_look =
            |(when, _): &(When, _)| matches!(when, When::Before | When::During | When::After);
        let first = self.readings().find(of_a_look);
        first.map(|(_, reading)| reading)
    }

    /// The newest lap that a heartbeat began with, and a moment before it was read, in microseconds: when
    /// its step began. A reading is told only when it has come, which may be long after.
    pub fn first_reading(&self) -> Option<(u64, u32)> {
        let at_rest = |(when, _): &(When, _)| matches!(when, When::Before | When::After);
        let readings = self.readings().filter(at_rest);
        let newest = readings.max_by_key(|(_, (began, lap))| (*lap, *began));
        newest.map(|(_, reading)| reading)
    }

    /// The lap that each heartbeat began with, when its step began, in microseconds, and at which look.
    fn readings(&self) -> impl Iterator<Item = (When, (u64, u32))> {
        let mut began = None;
        self.entries
            .iter()
            .filter_map(move |entry| match &entry.saw {
                Observation::Began { .. } => {
                    began = Some(entry.at_us);
                    None
                }
                Observation::Beat { when, first, .. } => Some((*when, (began?, *first))),
                _ => None,
            })
    }

    /// When the step began in which something was told, in microseconds.
    pub fn began_by(&self, at_us: u64) -> u64 {
        let began = self.all(|saw| match saw {
            Observation::Began { .. } => Some(()),
            _ => None,
        });
        let before = began.into_iter().map(|(began_us, ())| began_us);
        before.filter(|began| *began <= at_us).max().unwrap_or(0)
    }

    /// When each pass over the memory began, in microseconds.
    pub fn passes(&self, of: Side) -> Vec<u64> {
        let passes = self.all(|saw| match saw {
            Observation::Iteration { side, .. } if *side == of => Some(()),
            _ => None,
        });
        passes.into_iter().map(|(at_us, ())| at_us).collect()
    }

    /// Whether drivers recorded all kinds of evidence when it was written: see
    /// [`migratrix_history::Header::EVIDENCE`].
    pub const fn records_all(&self) -> bool {
        self.header().evidence >= 1
    }

    /// Whether drivers recorded what a raw migration leaves in the world beside QEMU's own word: what went
    /// by, and what is open in postcopy.
    pub const fn records_traces(&self) -> bool {
        self.header().evidence >= 2
    }

    /// Whether drivers asked again what is set when it was over, and compared images with what was written.
    pub const fn records_ends(&self) -> bool {
        self.header().evidence >= 3
    }

    /// The document that a host gave of the domain at a look.
    pub fn document(&self, side: Side, when: When, of: Document) -> Result<&str, Verdict> {
        self.document_if_given(side, when, of)
            .ok_or_else(|| self.unseen(&format!("{} {}", ungiven(side, of), moment(when))))
    }

    pub fn document_if_given(&self, side: Side, when: When, of: Document) -> Option<&str> {
        let span = self.span(when);
        let mut given = self.documents().iter().rev();
        let last = given.find(|one| one.place == (side, when, of) && span.contains(&one.at_us))?;
        last.text.as_deref()
    }

    /// All documents, each read once.
    fn documents(&self) -> &[Given] {
        self.documents.get_or_init(|| {
            let mut lines = Lines::default();
            let mut all = Vec::new();
            for entry in self.entries {
                if let Observation::Description {
                    side,
                    when,
                    of,
                    text,
                } = &entry.saw
                {
                    all.push(Given {
                        at_us: entry.at_us,
                        place: (*side, *when, *of),
                        text: lines.read(text),
                    });
                }
            }
            all
        })
    }

    /// What was left on a host once all was cleared away, where it let us see.
    pub fn left(&self, of: Side) -> Option<&'h [String]> {
        let asked = self.span(When::After).start;
        let cleared = self.all(|saw| match saw {
            Observation::Ended {
                verb: Verb::Clear, ..
            } => Some(()),
            _ => None,
        });
        let (cleared, ()) = cleared.into_iter().find(|(at_us, ())| *at_us >= asked)?;
        let left = self.last_in(&(cleared..u64::MAX), |saw| match saw {
            Observation::Leftovers { side, left } if *side == of => Some(left.as_slice()),
            _ => None,
        });
        left.map(|(_, left)| left)
    }

    /// The guest's stamped memory on a side when it was there to stay.
    pub fn survey(&self, of: Side) -> Result<Surveyed<'h>, Verdict> {
        let survey = self.last_in(&self.span(When::After), |saw| match saw {
            Observation::Memory {
                side,
                survey,
                registers,
            } if *side == of => Some((survey, registers.as_ref())),
            _ => None,
        });
        let (at_us, (survey, registers)) = survey
            .ok_or_else(|| self.unseen(&format!("the memory on {} was not read", place(of))))?;
        Ok(Surveyed {
            at_us,
            survey,
            registers,
        })
    }

    /// All of the memory on a side, the last time that it was read at a look.
    pub fn ram(&self, of: (Side, When)) -> Option<&'h Ram> {
        let ram = self.last_in(&self.span(of.1), |saw| match saw {
            Observation::Ram { side, when, ram } if (*side, *when) == of => Some(ram),
            _ => None,
        });
        ram.map(|(_, ram)| ram)
    }

    /// Whether all of the memory was to be read: a version that didn't know of it never asked.
    pub fn asks_for_ram(&self) -> bool {
        if self.records_all() {
            return true;
        }
        let begins = |entry: &Entry| {
            let saw = &entry.saw;
            matches!(saw, Observation::Began { verb, .. } if *verb == Verb::Ram)
        };
        self.history.entries.iter().any(begins)
    }

    /// The statistics of the migration, and which host gave them: libvirt's destination is asked, and
    /// the QEMU that sent.
    pub fn job(&self) -> Result<(Side, &'h JobStats), Verdict> {
        let asked = match self.header().case.point {
            Point::Tck(_) | Point::Chained(_) | Point::Recovery(_) => Side::Destination,
            Point::Qemu(_) | Point::Colo(_) | Point::Backup(_) => Side::Source,
        };
        let job = self.last_in(&self.span(When::After), |saw| match saw {
            Observation::Job { side, job } if *side == asked => Some((*side, job)),
            _ => None,
        });
        job.map(|(_, job)| job)
            .ok_or_else(|| self.unseen(&format!("{} gave no statistics of the job", place(asked))))
    }

    /// The versions that took part, as far as each side told them.
    pub fn versions(&self) -> Versions {
        let told = self.all(|saw| match saw {
            Observation::Versions(versions) => Some(versions),
            _ => None,
        });
        let told = told.into_iter().map(|(_, versions)| versions);
        told.fold(Versions::default(), |older, newer| Versions {
            client: newer.client.or(older.client),
            source_libvirt: newer.source_libvirt.or(older.source_libvirt),
            source_qemu: newer.source_qemu.or(older.source_qemu),
            destination_libvirt: newer.destination_libvirt.or(older.destination_libvirt),
            destination_qemu: newer.destination_qemu.or(older.destination_qemu),
        })
    }

    /// When the migration was asked for, in microseconds.
    pub fn migrate_began(&self) -> Result<u64, Verdict> {
        let began = self.all(|saw| match saw {
            Observation::Began {
                verb: Verb::Migrate,
                ..
            } => Some(()),
            _ => None,
        });
        began
            .last()
            .map(|(at_us, ())| *at_us)
            .ok_or_else(|| self.unseen("nothing was migrated"))
    }

    /// How many migrations were asked for.
    pub fn migrations(&self) -> usize {
        let began = |entry: &&Entry| {
            let saw = &entry.saw;
            matches!(saw, Observation::Began { verb, .. } if *verb == Verb::Migrate)
        };
        self.entries.iter().filter(began).count()
    }

    /// When the migration returned, and how.
    pub fn migrate_ended(&self) -> Result<(u64, &'h Outcome), Verdict> {
        let ended = self.all(|saw| match saw {
            Observation::Ended {
                verb: Verb::Migrate,
                outcome,
                ..
            } => Some(outcome),
            _ => None,
        });
        ended
            .last()
            .copied()
            .ok_or_else(|| self.unseen("the migration has not ended"))
    }

    /// A host's life-cycle events since the migration was asked for and until the first step that
    /// makes events of its own: the guest is held still to be surveyed, and cleared away.
    pub fn lifecycle(&self, of: Side) -> Result<Vec<Event<'h>>, Verdict> {
        let began = self.migrate_began()?;
        let ends = self.all(|saw| match saw {
            Observation::Began {
                verb: Verb::Survey | Verb::Clear,
                ..
            } => Some(()),
            _ => None,
        });
        let end = ends.into_iter().find(|(at_us, ())| *at_us > began);
        let (end, ()) = end.ok_or_else(|| self.unseen("the events were not heard to their end"))?;
        let events = self.all(|saw| match saw {
            Observation::Lifecycle {
                side,
                event,
                detail,
            } if *side == of => Some((event.as_str(), detail.as_str())),
            _ => None,
        });
        let heard = events
            .into_iter()
            .filter(|(at_us, _)| (began..end).contains(at_us));
        Ok(heard
            .map(|(at_us, (event, detail))| Event {
                at_us,
                event,
                detail,
            })
            .collect())
    }

    /// Both hosts' life-cycle events from the first step of one kind until the first of another after it.
    pub fn lifecycle_between(&self, from: Verb, to: Verb) -> Vec<(Side, Event<'h>)> {
        let began = |of: Verb, since: u64| {
            let mut entries = self.entries.iter();
            entries.find_map(|entry| match &entry.saw {
                Observation::Began { verb, .. } if *verb == of && entry.at_us >= since => {
                    Some(entry.at_us)
                }
                _ => None,
            })
        };
        let Some(start) = began(from, 0) else {
            return Vec::new();
        };
        let span = start..began(to, start).unwrap_or(u64::MAX);
        let events = self
            .entries
            .iter()
            .filter(|entry| span.contains(&entry.at_us));
        events
            .filter_map(|entry| match &entry.saw {
                Observation::Lifecycle {
                    side,
                    event,
                    detail,
                } => Some((
                    *side,
                    Event {
                        at_us: entry.at_us,
                        event,
                        detail,
                    },
                )),
                _ => None,
            })
            .collect()
    }

    /// Whether a host is not ours to look into, as was said when it was to be searched.
    pub fn is_foreign(&self, of: Side) -> bool {
        let says = |saw: &'h Observation| match saw {
            Observation::NotOurs { side } => (*side == of).then_some(()),
            _ => None,
        };
        self.last(says).is_some()
    }
}

/// What is missing where a host gave no document.
fn ungiven(side: Side, of: Document) -> String {
    let place = place(side);
    match of {
        Document::Live => format!("{place} did not describe the running domain"),
        Document::Kept => format!("{place} did not describe what it keeps of the domain"),
        Document::Machine => format!("the QEMU of {place} did not tell of its machine"),
    }
}

/// Whether two looks are of the same domain, in the same place and kept in the same way.
fn is_the_same(one: &DomainState, other: &DomainState) -> bool {
    match (one, other) {
        (DomainState::Absent, DomainState::Absent) => true,
        (DomainState::Present(one), DomainState::Present(other)) => {
            (&one.uuid, one.active, one.persistent) == (&other.uuid, other.active, other.persistent)
        }
        (DomainState::Present(_), DomainState::Absent)
        | (DomainState::Absent, DomainState::Present(_)) => false,
    }
}
