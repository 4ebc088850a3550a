//! A chain of backups around a migration through libvirt: its checkpoints, and what must come of
//! each act.
//!
//! A checkpoint is a bitmap of its name on each disk, stored in the image (libvirt's
//! `incremental-backup.rst`). A backup since a checkpoint leaves its bitmap as it is, and goes with
//! the next checkpoint. The bitmaps travel with the domain, the descriptions of the checkpoints
//! don't: who migrates saves them, and has the destination take them up
//! (`VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE`).

use std::{collections::BTreeSet, fmt, str::FromStr};

use itertools::iproduct;

use super::{
    acts::{Act, DirtyBitmap, Link, Since, Together},
    axes::Journey,
    model::{BitmapExpected, Count, JobEnd, JobExpected, Scene},
    writes::{Drive, WriteSet, touched},
};
use crate::{
    BadWord, Condition, Control, FlagSet, Place, Scenario, State,
    raw::axis::Axis,
    rules::{Row, Rule, first, row},
    word::serde_as_text,
};

/// A scenario of the suite `tck`, with a chain of backups around its migration. Its text is
/// `JOURNEY/CONTROL/STATE/FLAGS`, as in `shared-storage/p2p/persistent-running-bare/undefine`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Chained {
    /// How the disk comes to the destination.
    pub journey: Journey,
    /// What is migrated, and how.
    pub scenario: Scenario,
}

/// The bitmaps' granularity: what libvirt leaves to QEMU, in bytes.
const GRANULARITY: u64 = 64 << 10;

const DRIVE: Drive = Drive::First;
const BEFORE: DirtyBitmap = DirtyBitmap::First;
const BETWEEN: DirtyBitmap = DirtyBitmap::Second;

impl Chained {
    /// The link that the chain ends in.
    pub const LAST: Link = link(2);

    /// What is done on the source before the migration and on the destination after it, each with
    /// what must come of it.
    #[must_use]
    pub fn scenes(&self) -> Vec<Scene> {
        let mut model = Model::default();
        let acts = source().into_iter().map(|act| (Place::Source, act));
        let acts = acts.chain(destination().map(|act| (Place::Destination, act)));
        acts.map(|(side, act)| model.play(side, act)).collect()
    }

    /// The conditions that a case of it is judged by: those of its scenario, and those of the chain.
    #[must_use]
    pub fn conditions(&self) -> Vec<Condition> {
        let chain = [
            Condition::Jobs,
            Condition::Bitmap,
            Condition::Backups,
            Condition::Chain,
        ];
        [Condition::of_libvirt(), &chain].concat()
    }
}

fn source() -> Vec<Act> {
    let mut acts = vec![Act::Full(DRIVE, Together::Add), Act::Look];
    acts.extend([Act::Write(DRIVE, WriteSet::First), Act::Look]);
    acts.extend(backed_up(link(1), BEFORE, Some(BETWEEN)));
    acts.extend([Act::Write(DRIVE, WriteSet::Second), Act::Look, Act::Keep]);
    acts
}

fn destination() -> impl Iterator<Item = Act> {
    let arrival = [Act::Continue, Act::Reinstate, Act::Look];
    let writes = [Act::Write(DRIVE, WriteSet::Third), Act::Look];
    let backup = backed_up(Chained::LAST, BETWEEN, None);
    let acts = arrival.into_iter().chain(writes).chain(backup);
    acts.chain([Act::End])
}

fn backed_up(link: Link, checkpoint: DirtyBitmap, next: Option<DirtyBitmap>) -> [Act; 4] {
    [
        Act::Since(link, Since { checkpoint, next }),
        Act::Look,
        Act::Reference(link),
        Act::Compare(link),
    ]
}

/// All links are of one chain, whichever checkpoint each begins at.
const fn link(number: u8) -> Link {
    Link {
        drive: DRIVE,
        bitmap: DirtyBitmap::First,
        number,
        onto: number - 1,
    }
}

/// The bitmaps as they must be: what of each is dirty.
#[derive(Default)]
struct Model(Vec<(DirtyBitmap, BTreeSet<u64>)>);

impl Model {
    fn play(&mut self, side: Place, act: Act) -> Scene {
        let jobs = self.job(act).into_iter().collect();
        self.change(act);
        let bitmaps = self.0.iter();
        Scene {
            act,
            side,
            refusal: None,
            jobs,
            bitmaps: bitmaps.map(|(bitmap, _)| self.expected(*bitmap)).collect(),
        }
    }

    fn change(&mut self, act: Act) {
        if let Act::Write(drive, set) = act {
            let touched = touched(&set.writes(drive), GRANULARITY);
            self.0.iter_mut().for_each(|one| one.1.extend(&touched));
        }
        let made = if let Act::Since(_, since) = act {
            since.next
        } else {
            (act == Act::Full(DRIVE, Together::Add)).then_some(BEFORE)
        };
        self.0.extend(made.map(|made| (made, BTreeSet::new())));
    }

    /// The job of an act, before it changes anything.
    fn job(&self, act: Act) -> Option<JobExpected> {
        let (id, length) = if let Act::Full(drive, _) = act {
            (drive.full_job(), Drive::SIZE)
        } else if let Act::Reference(link) = act {
            (link.reference_job(), Drive::SIZE)
        } else if let Act::Since(link, since) = act {
            (link.job(), self.dirty(since.checkpoint))
        } else {
            return None;
        };
        Some(JobExpected {
            id,
            end: JobEnd::Completed,
            length: Some(length),
        })
    }

    /// How much of a bitmap is dirty, in bytes.
    fn dirty(&self, of: DirtyBitmap) -> u64 {
        let found = self.0.iter().find(|(bitmap, _)| *bitmap == of);
        found.map_or(0, |(_, dirt)| dirt.len() as u64 * GRANULARITY)
    }

    fn expected(&self, bitmap: DirtyBitmap) -> BitmapExpected {
        BitmapExpected {
            drive: DRIVE,
            bitmap,
            count: Count::Exactly(self.dirty(bitmap)),
            granularity: GRANULARITY,
            busy: false,
            persistent: true,
        }
    }
}

/// The chain around each of the scenarios with these sets of flags, by each way of the disk.
pub(crate) fn chained(flags: &[FlagSet]) -> Vec<Chained> {
    let journeys = [Journey::Shared, Journey::Copied];
    iproduct!(journeys, Control::ALL, State::all(), flags)
        .map(|(journey, control, state, flags)| Chained {
            journey,
            scenario: Scenario {
                control,
                state,
                flags: *flags,
            },
        })
        .collect()
}

static ROWS: [Row<Chained>; 2] = [
    row(
        "chain-jumps",
        |point| point.journey == Journey::Stay,
        "a chain that stays on its host is none around a migration",
        "the suite `backup`: a case shows what its name says",
    ),
    row(
        "tunnel-has-no-nbd",
        |point| point.journey == Journey::Copied && point.scenario.control == Control::Tunnelled,
        "a disk is copied over NBD, which libvirt's tunnel does not carry",
        "virDomainMigrateFlags, VIR_MIGRATE_NON_SHARED_DISK and VIR_MIGRATE_TUNNELLED",
    ),
];

/// The rule that leaves `point` out; `None` where it may be run.
pub(crate) fn excluded(point: &Chained) -> Option<&'static Rule> {
    first(&ROWS, point)
}

impl fmt::Display for Chained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.journey.word(), self.scenario)
    }
}

impl FromStr for Chained {
    type Err = BadWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('/').collect();
        let [journey, control, state, flags] = *parts else {
            return Err(BadWord {
                kind: "point",
                word: text.to_owned(),
                known: vec!["JOURNEY/CONTROL/STATE/FLAGS".to_owned()],
            });
        };
        Ok(Self {
            journey: journey.parse()?,
            scenario: Scenario {
                control: control.parse()?,
                state: state.parse()?,
                flags: flags.parse()?,
            },
        })
    }
}

serde_as_text!(Chained);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Backend, Case, ChainedFault, Fault, excluded};

    fn chain() -> Chained {
        let text = "shared-storage/p2p/persistent-running-bare/undefine+persist";
        text.parse().unwrap()
    }

    #[test]
    fn a_text_reads_back_and_a_wrong_one_is_told() {
        let text = chain().to_string();
        assert_eq!(text.parse(), Ok(chain()));
        let wrong = |text: &str| text.parse::<Chained>().unwrap_err().to_string();
        assert!(
            wrong(&text.replace("shared", "sharded")).contains("did you mean `shared-storage`")
        );
        assert!(wrong("shared-storage/p2p").contains("JOURNEY/CONTROL/STATE/FLAGS"));
    }

    #[test]
    fn a_checkpoint_counts_on_when_a_backup_was_made_since_it() {
        let looks = chain().scenes().into_iter();
        let looks = looks.filter(|scene| scene.act == Act::Look);
        let counts = looks.map(|scene| {
            let counts = scene.bitmaps.iter().map(|bitmap| bitmap.count);
            counts.collect::<Vec<_>>()
        });
        let exactly = |counts: &[u64]| counts.iter().copied().map(Count::Exactly).collect();
        let expected: [Vec<Count>; 7] = [
            exactly(&[0]),
            exactly(&[458_752]),
            exactly(&[458_752, 0]),
            exactly(&[1_638_400, 1_507_328]),
            // On the destination, as on the source.
            exactly(&[1_638_400, 1_507_328]),
            exactly(&[1_769_472, 1_638_400]),
            exactly(&[1_769_472, 1_638_400]),
        ];
        assert!(counts.eq(expected));
    }

    #[test]
    fn a_job_copies_what_was_written_since_its_checkpoint_or_the_whole_disk() {
        let scenes = chain().scenes().into_iter();
        let lengths = scenes.flat_map(|scene| scene.jobs).map(|job| job.length);
        let whole = Drive::SIZE;
        let expected = [whole, 458_752, whole, 1_638_400, whole].map(Some);
        assert!(lengths.eq(expected));
    }

    #[test]
    fn what_is_left_out_is_the_copy_through_a_tunnel_and_the_chain_that_stays() {
        let all = chained(&[FlagSet::NONE]);
        assert_eq!(all.len(), 48);
        let left = all.iter().filter_map(super::excluded);
        assert!(left.map(|rule| rule.name).eq(["tunnel-has-no-nbd"; 8]));
        let stays = Chained {
            journey: Journey::Stay,
            ..chain()
        };
        assert_eq!(super::excluded(&stays).unwrap().name, "chain-jumps");
    }

    #[test]
    fn each_fault_is_run_on_a_case_that_has_its_condition_and_no_rule_leaves_out() {
        for fault in ChainedFault::ALL {
            let fault = Fault::Chained(fault);
            let point = fault.point();
            assert!(point.conditions().contains(&fault.trips()));
            assert_eq!(point.backends(), [Backend::Libvirt]);
            let name = format!("faults/libvirt/a,a,b/{point}/{}", fault.word());
            assert_eq!(excluded(&name.parse::<Case>().unwrap()), None);
        }
    }

    #[test]
    fn beside_it_stands_the_same_chain_without_libvirt() {
        let case: Case = format!("backup/libvirt/c,a,b/{}", chain()).parse().unwrap();
        let beside = case.beside().unwrap().to_string();
        let raw = "backup/qemu/a,b/shared-storage/blockdev-backup/incremental-simple";
        assert_eq!(beside, format!("{raw}/in-transaction+image"));
        let astray = format!("tck/libvirt/c,a,b/{}", chain());
        assert!(
            astray
                .parse::<Case>()
                .unwrap_err()
                .wrong
                .contains("of the suite `backup`")
        );
    }
}
