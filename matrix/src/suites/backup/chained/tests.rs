//! The text, the story and the rules of a chain that libvirt makes.

use itertools::Itertools;

use super::{
    super::{acts::BackupAction, model::Count, writes::Drive},
    *,
};
use crate::{Backend, Case, ChainedFault, Fault, excluded, point::SuitePoint};

fn chain() -> Chained {
    let text = "shared-storage/qemu-io/p2p/persistent-running-undefined/undefine+persist";
    text.parse().unwrap()
}

#[test]
fn a_text_reads_back_and_a_wrong_one_is_told() {
    let text = chain().to_string();
    assert_eq!(text.parse(), Ok(chain()));
    let wrong = |text: &str| text.parse::<Chained>().unwrap_err().to_string();
    assert!(wrong(&text.replace("shared", "sharded")).contains("did you mean `shared-storage`"));
    assert!(wrong("shared-storage/p2p").contains("JOURNEY/WRITER/CONTROL/STATE/FLAGS"));
}

#[test]
fn a_checkpoint_counts_on_when_a_backup_was_made_since_it() {
    let looks = chain().expected_actions().into_iter();
    let looks = looks.filter(|scene| scene.act == BackupAction::Inspect);
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
    let expected_actions = guest.expected_actions();
    let counts = |act| {
        let of = expected_actions
            .iter()
            .filter(move |scene| scene.act == act);
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
    assert!(counts(BackupAction::Inspect).take(3).eq(looks));
    assert!(
        counts(BackupAction::Inspect)
            .skip(3)
            .all(|counts| counts == [some, some])
    );
    let lengths = expected_actions.iter().flat_map(|scene| &scene.jobs);
    let whole = Some(Drive::SIZE);
    assert!(lengths.map(|job| job.length).eq([whole, None, None, whole]));
}

#[test]
fn a_job_copies_what_was_written_since_its_checkpoint_or_the_whole_disk() {
    let expected_actions = chain().expected_actions().into_iter();
    let lengths = expected_actions
        .flat_map(|scene| scene.jobs)
        .map(|job| job.length);
    let whole = Drive::SIZE;
    let expected = [whole, 458_752, whole, 1_638_400, whole].map(Some);
    assert!(lengths.eq(expected));
}

#[test]
fn what_is_left_out_is_the_copy_through_a_tunnel_and_the_chain_that_stays() {
    let all = chained(&[FlagSet::NONE]);
    assert_eq!(all.len(), 48 + 96);
    let rules = all.iter().filter_map(SuitePoint::excluded);
    let counts = rules.counts_by(|rule| rule.name);
    // Of each copy through a tunnel: 8 states, and 4 in which a guest can write, live or not.
    assert_eq!(counts["tunnel-has-no-nbd"], 8 + 8);
    assert_eq!(counts["paused-guest"], 48);
    let stays = Chained {
        journey: StorageMigration::Stay,
        ..chain()
    };
    assert_eq!(stays.excluded().unwrap().name, "chain-jumps");
}

#[test]
fn each_fault_is_run_on_a_case_that_has_its_condition_and_no_rule_leaves_out() {
    for fault in ChainedFault::ALL {
        let fault = Fault::Chained(fault);
        let point = fault.point();
        assert!(point.conditions().contains(&fault.detected_by()));
        assert_eq!(point.backends(), [Backend::Libvirt]);
        let name = format!("faults/libvirt/a,a,b/{point}/{}", fault.word());
        assert_eq!(excluded(&name.parse::<Case>().unwrap()), None);
    }
}

#[test]
fn beside_it_stands_the_same_chain_without_libvirt() {
    let case: Case = format!("backup/libvirt/c,a,b/{}", chain()).parse().unwrap();
    let beside = case.control_case().unwrap().to_string();
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

#[test]
fn each_link_of_a_chain_lies_on_the_one_before() {
    let acts = chain().expected_actions().into_iter();
    let links: Vec<_> = acts
        .filter_map(|scene| {
            let BackupAction::Since(link, ..) = scene.act else {
                return None;
            };
            Some((link.number, link.onto))
        })
        .collect();
    assert!(links.len() > 1);
    assert!(
        links.iter().all(|(number, onto)| *onto + 1 == *number),
        "{links:?}"
    );
}
