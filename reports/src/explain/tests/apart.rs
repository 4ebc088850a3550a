//! What failures say of themselves, and the back end that they are of: what goes together in a cause.

use super::*;

/// What accounts for the failures of a run of devices in which what `JUMP` says fails, each case by the condition
/// and with the words that `how` has of it.
fn failing_by(how: impl Fn(&Case) -> (Condition, &'static str)) -> Account {
    let devices = cases(Suite::Qemu, Backend::Qemu, Some(Profile::DEVICES));
    let fails = matching(JUMP);
    let judged = devices.iter().map(|case| {
        let mut judged = judged(case.clone(), false);
        let (condition, why) = how(case);
        let conditions = judged.conditions.iter_mut();
        let failed = conditions.filter(|(one, _)| fails(case) && *one == condition);
        failed.for_each(|(_, verdict)| *verdict = Verdict::fail(why));
        judged
    });
    let judged: Vec<_> = judged.collect();
    account(&Run::new(devices, judged).on(known()))
}

#[test]
fn failures_that_say_different_things_are_causes_of_their_own_where_a_value_tells_them_apart() {
    let is_disk = matching("devices(virtio-blk,virtio-scsi)");
    let told = failing_by(|case| match is_disk(case) {
        true => (Condition::Migrated, "the ring is too long"),
        false => (Condition::Migrated, "a section of this name is not known"),
    });
    let [first, second] = told.causes.as_slice() else {
        panic!("two causes: {:?}", causes(&told));
    };
    let disks = "source(qemu=10.0.13) & destination(qemu=11.1.3) & devices(virtio-blk,virtio-scsi)";
    assert_eq!(second.filter, disks);
    let why = |one: &Blame| one.reason.as_ref().map(|reason| reason.why.clone());
    assert_eq!(why(second).as_deref(), Some("the ring is too long"));
    assert!(first.sure && second.sure, "all of both was tried");
}

/// What libvirt says of a processor of which the destination has more, or less, than the guest was started with.
const EXTRA: &str = "expected success, the normal migration (none) from the source (bookworm, libvirt 9.0.0, QEMU 7.2.22) to \
                     the destination (trixie, libvirt 11.3.0, QEMU 10.0.13) was refused: operation failed: guest CPU doesn't match \
                     specification: extra features: ht,cmp_legacy (error code 9, domain 31)";
const MISSING: &str = "expected success, the normal migration (none) from the source (bookworm, libvirt 9.0.0, QEMU 7.2.22) to \
                       the destination (trixie, libvirt 11.3.0, QEMU 10.0.13) was refused: operation failed: guest CPU doesn't match \
                       specification: missing features: pcommit (error code 9, domain 31)";

#[test]
fn two_refusals_of_a_processor_are_two_causes_whether_a_list_knows_them_or_not() {
    let list = r#"
        [[known]]
        cases = "hardware(host-model) | hardware(two-*)"
        conditions = ["migrated"]
        reason = "of old"
    "#;
    let list = crate::KnownFailures::parse(list).expect("a list");
    let all = cases(Suite::Tck, Backend::Libvirt, Some(Profile::DEFAULT));
    let pair = matching("client(bookworm) & source(bookworm) & destination(trixie)");
    let (lacking, many) = (
        matching("hardware(host-model)"),
        matching("hardware(two-*)"),
    );
    let all: Vec<_> = all.into_iter().filter(pair).collect();
    let judged = all.iter().map(|case| {
        let mut judged = judged(case.clone(), lacking(case) || many(case));
        let failed = judged.conditions.iter_mut();
        let failed = failed.filter(|(_, verdict)| verdict.kind() == crate::Kind::Fail);
        failed.for_each(|(_, verdict)| {
            *verdict = Verdict::fail(if lacking(case) { MISSING } else { EXTRA });
        });
        judged
    });
    let judged: Vec<_> = judged.collect();
    let run = Run::new(all, judged).on(known());
    let mut listed = run.clone();
    listed.mark_known(&list, &releases()).expect("it fits");
    let rules = Rules {
        known: KnownAre::Failed,
        ..Rules::default()
    };
    let filters = |account: &Account| {
        let filters = account.causes.iter().map(|one| one.filter.clone());
        filters.collect::<std::collections::BTreeSet<_>>()
    };
    let sure = |account: &Account| account.causes.iter().all(|one| one.sure);
    let (plain, listed) = (account(&run), account(&listed.by(rules)));
    let two = ["hardware(host-model)", "hardware(two-*)"];
    assert_eq!(
        filters(&plain),
        two.map(str::to_owned).into(),
        "{}",
        super::told(&plain)
    );
    assert_eq!(
        filters(&listed),
        filters(&plain),
        "a list tells nothing apart"
    );
    assert!(sure(&plain) && sure(&listed), "{plain:?}");
}

#[test]
fn a_family_is_one_cause_where_the_destination_says_the_same_whatever_the_source_made_of_it() {
    let is_disk = matching("devices(virtio-blk,virtio-scsi)");
    let devices = cases(Suite::Qemu, Backend::Qemu, Some(Profile::DEVICES));
    let fails = matching(JUMP);
    let judged = devices.iter().map(|case| {
        let mut judged = judged(case.clone(), fails(case));
        let why = match is_disk(case) {
            true => "a section of this name is not known",
            false => "connection reset by peer",
        };
        let conditions = judged.conditions.iter_mut();
        let failed = conditions.filter(|(_, verdict)| verdict.kind() == crate::Kind::Fail);
        failed.for_each(|(_, verdict)| *verdict = Verdict::fail(why));
        judged.evidence.push(crate::Evidence {
            file: "evidence/case/destination-qemu.log".to_owned(),
            shows: "what QEMU said".to_owned(),
            said: Some("VQ 0 is too long".to_owned()),
        });
        judged
    });
    let judged: Vec<_> = judged.collect();
    let told = account(&Run::new(devices, judged).on(known()));
    let [only] = told.causes.as_slice() else {
        panic!("one cause: {:?}", causes(&told));
    };
    assert_eq!(only.filter, JUMP);
}

#[test]
fn failures_that_say_several_things_and_that_nothing_tells_apart_are_not_sure() {
    for other in [
        (Condition::Identity, "a device is gone"),
        (Condition::Migrated, "a section of this name is not known"),
    ] {
        let told = failing_by(|case| match case.to_string().contains("/running/") {
            true => (Condition::Migrated, "the ring is too long"),
            false => other,
        });
        let [only] = told.causes.as_slice() else {
            panic!("one cause: {:?}", causes(&told));
        };
        assert!(!only.sure, "{only:?}");
        assert_eq!(only.doubts, ["its failures say several things"]);
        let line = &causes(&told)[0];
        assert!(line.ends_with(" fail, not sure)"), "{line}");
    }
}

#[test]
fn the_hypervisor_in_memory_tells_nothing_of_releases_and_goes_with_no_real_one() {
    let of = |backend| run_of(&cases(Suite::Tck, backend, Some(Profile::TCK)), |_| false);
    let (fake, real) = (of(Backend::Fake), of(Backend::Libvirt));
    let text = told(&account(&fake));
    assert!(text.starts_with("no QEMU ran: "), "{text}");
    let refused = Study::of(&[&fake, &real], &[]).expect_err("they tell nothing together");
    let why = "some of the cases ran on the hypervisor in memory, where no QEMU runs";
    assert!(refused.to_string().starts_with(why), "{refused}");
    assert!(!told(&account(&real)).contains("no QEMU ran"));
}

#[test]
fn one_case_is_told_as_one() {
    let tck = cases(Suite::Tck, Backend::Libvirt, Some(Profile::TCK));
    let text = |fails| told(&account(&run_of(&tck[..1], |_| fails)));
    let passes = text(false);
    assert!(passes.starts_with("the only case passes: "), "{passes}");
    let fails = text(true);
    assert!(fails.starts_with("the only case fails: "), "{fails}");
}

#[test]
fn of_two_causes_that_meet_each_says_its_own_and_one_that_is_silent_where_they_do_may_be_narrower()
{
    let devices = cases(Suite::Qemu, Backend::Qemu, Some(Profile::DEVICES));
    let moved = matching("machine(q35) & devices(virtio-balloon,virtio-rng,virtio-rng-in-use)");
    let alive = matching("devices(virtio-rng-in-use)");
    let told = |first: Condition, second: Condition| {
        let judged = devices.iter().map(|case| {
            let mut judged = judged(case.clone(), false);
            let failed = match (moved(case), alive(case)) {
                (true, _) => Some((first, "the ring is too long")),
                (false, true) => Some((second, "it stands still for ever")),
                (false, false) => None,
            };
            let conditions = judged.conditions.iter_mut();
            for (condition, verdict) in conditions {
                if let Some((_, why)) = failed.filter(|(one, _)| one == condition) {
                    *verdict = Verdict::fail(why);
                }
            }
            judged
        });
        let judged: Vec<_> = judged.collect();
        account(&Run::new(devices.clone(), judged).on(known()))
    };
    let told = told(Condition::Migrated, Condition::Alive);
    let in_use = told.causes.iter();
    let mut in_use = in_use.filter(|one| one.filter == "devices(virtio-rng-in-use)");
    let silent = in_use.next().expect("it is told");
    let reason = silent.reason.as_ref().expect("it says something");
    assert_eq!(reason.condition, Some("alive"), "{reason}");
    assert!(!silent.sure, "{:?}", silent.doubts);
    let doubt = "it may be narrower: of its cases that another cause has as well, none says what its others say";
    assert!(silent.doubts.iter().any(|one| one == doubt));
    let other = told.causes.iter().find(|one| one.filter != silent.filter);
    assert!(other.expect("there are two").sure, "{:?}", causes(&told));
}
