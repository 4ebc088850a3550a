//! Why a history doesn't hold what a check asks for.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each question picks one kind of observation"
)]

use migratrix_history::{Observation, Outcome, Side, Verb, When};
use migratrix_matrix::{End, Raw};

use super::{
    evidence::Evidence,
    words::{no, told},
};
use crate::Verdict;

impl Evidence<'_> {
    /// How a host was lost, if it was before a first look after the migration.
    pub fn lost_in_migration(&self) -> Option<String> {
        let looked = self.last(|saw| match saw {
            Observation::Domain {
                when: When::After, ..
            } => Some(()),
            _ => None,
        });
        if looked.is_some() {
            None
        } else {
            self.host_lost()
        }
    }

    /// How the loss of a host was noticed, if one was lost.
    pub fn host_lost(&self) -> Option<String> {
        self.history
            .entries
            .iter()
            .find_map(|entry| match &entry.saw {
                Observation::HostLost { side, why, .. } => {
                    Some(format!("{} was lost: {why}", self.host(*side)))
                }
                _ => None,
            })
    }

    /// That a QEMU answered no more when a step was given up, if one did not.
    pub fn silence(&self) -> Option<&str> {
        let notes = self.history.entries.iter().map(|entry| &entry.saw);
        let mut notes = notes.filter_map(|saw| match saw {
            Observation::Note { text } => Some(text.as_str()),
            _ => None,
        });
        notes.find(|text| is_silence(text))
    }

    /// Whether a step was given up between two moments, in microseconds: what came then may not all be heard.
    pub fn gave_up_between(&self, [from, to]: [u64; 2]) -> bool {
        let mut ends = self.history.entries.iter().filter(|entry| {
            let end = bad_end(&entry.saw);
            end.is_some_and(|end| end.unknown)
        });
        ends.any(|entry| (from..=to).contains(&entry.at_us))
    }

    /// The unknown for evidence that is missing: the first thing that went wrong explains it best.
    pub fn unseen(&self, what: &str) -> Verdict {
        let cause = self.stumble().or_else(|| self.host_lost());
        let cause = cause.unwrap_or_else(|| "the record ends without it".to_owned());
        Verdict::unknown(format!("{what}: {cause}"))
    }

    /// A place with its release and versions, as `the source (trixie, libvirt 11.3.0, QEMU 10.0.2)`.
    pub fn host(&self, side: Side) -> String {
        let (tuple, versions) = (&self.header().case.tuple, self.versions());
        match side {
            Side::Source => told(
                side,
                &tuple.source,
                versions.source_libvirt,
                versions.source_qemu,
            ),
            Side::Destination => {
                let (libvirt, qemu) = (versions.destination_libvirt, versions.destination_qemu);
                told(side, &tuple.destination, libvirt, qemu)
            }
        }
    }

    /// What went wrong first: a step that ended unknown, else one that was refused, else one that
    /// never ended. A refusal that the case asks for, or one to sample a heartbeat where no guest is,
    /// is the cause of nothing.
    fn stumble(&self) -> Option<String> {
        let ends: Vec<_> = self
            .entries
            .iter()
            .filter_map(|entry| bad_end(&entry.saw))
            .filter(|end| end.unknown || !self.is_asked_for(end.verb))
            .collect();
        let unknown = ends.iter().find(|end| end.unknown).or(ends.first());
        let told = unknown.map(|end| match self.silence().filter(|_| end.unknown) {
            Some(silence) => format!("{silence}: {}", end.told),
            None => end.told.clone(),
        });
        told.or_else(|| self.unfinished())
    }

    /// Whether a refusal of such a step is what the case asks for.
    fn is_asked_for(&self, verb: Verb) -> bool {
        let refuses = |raw: &Raw| matches!(raw.expectation().end, End::Refused);
        match verb {
            Verb::Beat => true,
            Verb::Migrate => self.header().case.raw().is_some_and(refuses),
            _ => false,
        }
    }

    fn unfinished(&self) -> Option<String> {
        let last = self.last(|saw| match saw {
            Observation::Began { step, .. } => Some(Some(step)),
            Observation::Ended { .. } => Some(None),
            _ => None,
        })?;
        last.map(|step| format!("the step `{step}` never ended"))
    }
}

/// Whether a note tells that a QEMU answers no more. It is ours: no complaint of a QEMU.
pub fn is_silence(note: &str) -> bool {
    note.contains("'s QEMU did not answer for ")
}

/// A step that was not done.
struct BadEnd {
    verb: Verb,
    unknown: bool,
    told: String,
}

fn bad_end(saw: &Observation) -> Option<BadEnd> {
    let Observation::Ended {
        verb,
        step,
        outcome,
    } = saw
    else {
        return None;
    };
    let (unknown, told) = match outcome {
        Outcome::Done => return None,
        Outcome::Refused(refusal) => (false, format!("`{step}` was refused: {}", no(refusal))),
        Outcome::Unknown { why } => (true, format!("`{step}` ended unknown: {why}")),
    };
    Some(BadEnd {
        verb: *verb,
        unknown,
        told,
    })
}
