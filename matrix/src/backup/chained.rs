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
    axes::{Journey, Writer},
    model::{BitmapExpected, Count, JobEnd, JobExpected, Scene},
    writes::{Drive, WriteSet, touched},
};
use crate::{
    Activity, BadWord, Condition, Control, Flag, FlagSet, MachineChoice, Place, Scenario, State,
    raw::axis::Axis,
    rules::{Row, Rule, first, row},
    word::serde_as_text,
};

/// A scenario of the suite `tck`, with a chain of backups around its migration. Its text is
/// `JOURNEY/WRITER/CONTROL/STATE/FLAGS`, as in
/// `shared-storage/qemu-io/p2p/persistent-running-bare/undefine`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Chained {
    /// How the disk comes to the destination.
    pub journey: Journey,
    /// Who writes to it.
    pub writer: Writer,
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

    /// The value of each of its own axes: the axis's name and the value's word.
    #[must_use]
    pub(crate) fn values(&self) -> [(&'static str, &'static str); 2] {
        [
            (Journey::NAME, self.journey.word()),
            (Writer::NAME, self.writer.word()),
        ]
    }

    /// The machine: only the old one has the fixed ports by which a guest writes to its disk.
    #[must_use]
    pub const fn machine(&self) -> MachineChoice {
        match self.writer {
            Writer::QemuIo => MachineChoice::Q35,
            Writer::Guest => MachineChoice::Pc,
        }
    }

    /// What is done on the source before the migration and on the destination after it, each with
    /// what must come of it.
    #[must_use]
    pub fn scenes(&self) -> Vec<Scene> {
        let mut model = Model {
            writer: self.writer,
            bitmaps: Vec::new(),
        };
        let (before, after) = match self.writer {
            Writer::QemuIo => (source(), destination()),
            Writer::Guest => (source_of_guest(), destination_of_guest()),
        };
        let acts = before.into_iter().map(|act| (Place::Source, act));
        let acts = acts.chain(after.into_iter().map(|act| (Place::Destination, act)));
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

fn destination() -> Vec<Act> {
    let mut acts = vec![Act::Continue, Act::Reinstate, Act::Look];
    acts.extend([Act::Write(DRIVE, WriteSet::Third), Act::Look]);
    acts.extend(backed_up(Chained::LAST, BETWEEN, None));
    acts.push(Act::End);
    acts
}

/// A guest writes on while it is backed up: no other backup is of the same moment.
fn source_of_guest() -> Vec<Act> {
    let mut acts = vec![Act::Full(DRIVE, Together::Add), Act::Look];
    acts.extend([Act::Laps, Act::Look]);
    acts.extend([since(link(1), BEFORE, Some(BETWEEN)), Act::Look]);
    acts.extend([Act::Laps, Act::Look, Act::Keep]);
    acts
}

fn destination_of_guest() -> Vec<Act> {
    let mut acts = vec![Act::Continue, Act::Reinstate, Act::Look];
    acts.extend([Act::Laps, Act::Halt, Act::Look]);
    acts.extend(backed_up(Chained::LAST, BETWEEN, None));
    acts.push(Act::End);
    acts
}

const fn since(link: Link, checkpoint: DirtyBitmap, next: Option<DirtyBitmap>) -> Act {
    Act::Since(link, Since { checkpoint, next })
}

fn backed_up(link: Link, checkpoint: DirtyBitmap, next: Option<DirtyBitmap>) -> [Act; 4] {
    [
        since(link, checkpoint, next),
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

/// The bitmaps as they must be.
struct Model {
    writer: Writer,
    bitmaps: Vec<Bitmap>,
}

struct Bitmap {
    bitmap: DirtyBitmap,
    granules: BTreeSet<u64>,
    /// Whether the guest was left to write since it was clean.
    some: bool,
}

impl Model {
    fn play(&mut self, side: Place, act: Act) -> Scene {
        let jobs = self.job(act).into_iter().collect();
        self.change(act);
        let bitmaps = self.bitmaps.iter();
        Scene {
            act,
            side,
            refusal: None,
            jobs,
            bitmaps: bitmaps.map(|one| self.expected(one)).collect(),
        }
    }

    fn change(&mut self, act: Act) {
        if let Act::Write(drive, set) = act {
            let touched = touched(&set.writes(drive), GRANULARITY);
            let bitmaps = self.bitmaps.iter_mut();
            bitmaps.for_each(|one| one.granules.extend(&touched));
        }
        let laps = act == Act::Laps;
        self.bitmaps.iter_mut().for_each(|one| one.some |= laps);
        let made = if let Act::Since(_, since) = act {
            since.next
        } else {
            (act == Act::Full(DRIVE, Together::Add)).then_some(BEFORE)
        };
        self.bitmaps.extend(made.map(|bitmap| Bitmap {
            bitmap,
            granules: BTreeSet::new(),
            some: false,
        }));
    }

    /// The job of an act, before it changes anything.
    fn job(&self, act: Act) -> Option<JobExpected> {
        let (id, length) = if let Act::Full(drive, _) = act {
            (drive.full_job(), Some(Drive::SIZE))
        } else if let Act::Reference(link) = act {
            (link.reference_job(), Some(Drive::SIZE))
        } else if let Act::Since(link, since) = act {
            {
                let mut bitmaps = self.bitmaps.iter();
                let of = bitmaps.find(|one| one.bitmap == since.checkpoint);
                let counted = self.writer == Writer::QemuIo;
                (link.job(), of.filter(|_| counted).map(Bitmap::dirty))
            }
        } else {
            return None;
        };
        Some(JobExpected {
            id,
            end: JobEnd::Completed,
            length,
        })
    }

    fn expected(&self, one: &Bitmap) -> BitmapExpected {
        let count = match (self.writer, one.some) {
            (Writer::QemuIo, _) => Count::Exactly(one.dirty()),
            (Writer::Guest, true) => Count::Some,
            (Writer::Guest, false) => Count::Any,
        };
        BitmapExpected {
            drive: DRIVE,
            bitmap: one.bitmap,
            count,
            granularity: GRANULARITY,
            busy: false,
            persistent: true,
        }
    }
}

impl Bitmap {
    /// How much of it is dirty by what we have written, in bytes.
    fn dirty(&self) -> u64 {
        self.granules.len() as u64 * GRANULARITY
    }
}

/// The chain around each of the scenarios with these sets of flags, by each way of the disk; and with
/// a guest that writes, which has no time to where it is not live.
pub(crate) fn chained(flags: &[FlagSet]) -> Vec<Chained> {
    let live = [FlagSet::NONE, FlagSet::NONE.with(Flag::Live)];
    let of = |writer, flags: &[FlagSet]| {
        let journeys = [Journey::Shared, Journey::Copied];
        iproduct!(journeys, Control::ALL, State::all(), flags)
            .map(|(journey, control, state, flags)| Chained {
                journey,
                writer,
                scenario: Scenario {
                    control,
                    state,
                    flags: *flags,
                },
            })
            .collect::<Vec<_>>()
    };
    [of(Writer::QemuIo, flags), of(Writer::Guest, &live)].concat()
}

static ROWS: [Row<Chained>; 3] = [
    row(
        "chain-jumps",
        |point| point.journey == Journey::Stay,
        "a chain that stays on its host is none around a migration",
        "the suite `backup`: a case shows what its name says",
    ),
    row(
        "paused-guest",
        |point| point.writer == Writer::Guest && point.scenario.state.activity == Activity::Paused,
        "a guest that is paused writes nothing",
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
        let (journey, writer) = (self.journey.word(), self.writer.word());
        write!(f, "{journey}/{writer}/{}", self.scenario)
    }
}

impl FromStr for Chained {
    type Err = BadWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('/').collect();
        let [journey, writer, control, state, flags] = *parts else {
            return Err(BadWord {
                kind: "point",
                word: text.to_owned(),
                known: vec!["JOURNEY/WRITER/CONTROL/STATE/FLAGS".to_owned()],
            });
        };
        Ok(Self {
            journey: journey.parse()?,
            writer: writer.parse()?,
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
    use itertools::Itertools;

    use super::*;
    use crate::{Backend, Case, ChainedFault, Fault, excluded};

    fn chain() -> Chained {
        let text = "shared-storage/qemu-io/p2p/persistent-running-bare/undefine+persist";
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
        assert!(wrong("shared-storage/p2p").contains("JOURNEY/WRITER/CONTROL/STATE/FLAGS"));
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
    fn a_guest_that_writes_is_looked_at_when_it_has_and_backed_up_while_it_does() {
        let guest = Chained {
            writer: Writer::Guest,
            ..chain()
        };
        let scenes = guest.scenes();
        let counts = |act| {
            let of = scenes.iter().filter(move |scene| scene.act == act);
            of.map(|scene| {
                scene
                    .bitmaps
                    .iter()
                    .map(|one| one.count)
                    .collect::<Vec<_>>()
            })
        };
        let (some, any) = (Count::Some, Count::Any);
        let looks = [vec![any], vec![some], vec![some, any]];
        assert!(counts(Act::Look).take(3).eq(looks));
        assert!(
            counts(Act::Look)
                .skip(3)
                .all(|counts| counts == [some, some])
        );
        let lengths = scenes.iter().flat_map(|scene| &scene.jobs);
        let whole = Some(Drive::SIZE);
        assert!(lengths.map(|job| job.length).eq([whole, None, None, whole]));
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
        assert_eq!(all.len(), 48 + 96);
        let rules = all.iter().filter_map(super::excluded);
        let counts = rules.counts_by(|rule| rule.name);
        // Of each copy through a tunnel: 8 states, and 4 in which a guest can write, live or not.
        assert_eq!(counts["tunnel-has-no-nbd"], 8 + 8);
        assert_eq!(counts["paused-guest"], 48);
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
