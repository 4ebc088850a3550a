//! Devices of which a cover tries some on each pair of releases: what is told of the others.

use super::*;

/// What fails by a real run of these: the devices of a machine with all of the family, and of it all but one.
const TRUTH: &str = "source(qemu=10.0.13) & destination(qemu=11.1.3) & devices(all-virtio,virtio-*) & !devices(virtio-blk)";

/// The devices between three releases, in few cases.
fn covered() -> (Vec<Case>, Vec<Case>) {
    let all = cases(Suite::Qemu, Backend::Qemu, Some(Profile::DEVICES));
    let of_debian = matching("!source(mine) & !destination(mine)");
    let all: Vec<_> = all.into_iter().filter(of_debian).collect();
    let few = migratrix_matrix::cover(&all, 2).expect("few enough");
    (all, few)
}

/// What is told of the few after so many further cases, and those.
fn confirmed(most: usize, fails: impl Fn(&Case) -> bool) -> (Account, Vec<Case>) {
    let (all, few) = covered();
    super::confirmed(&few, &all, most, fails)
}

#[test]
fn no_cause_is_sure_whose_filter_lacks_cases_that_fail() {
    let fails = matching(TRUTH);
    let (all, _) = covered();
    for most in [0, 1, 5, 10, 14, 20, 30, 45] {
        let (account, asked) = confirmed(most, &fails);
        assert!(asked.len() <= most);
        for cause in account.causes.iter().filter(|one| one.sure) {
            let told = matching(&cause.filter);
            let lacking = all.iter().find(|case| fails(case) && !told(case));
            assert_eq!(lacking, None, "{} after {most}", cause.filter);
        }
    }
}

#[test]
fn a_family_but_for_one_is_told_of_few_cases_after_twenty_more() {
    let (account, asked) = confirmed(20, matching(TRUTH));
    let filters = causes(&account);
    assert!(asked.len() <= 20, "{asked:?}");
    let [cause] = account.causes.as_slice() else {
        panic!("one cause: {filters:?}");
    };
    let (all, _) = covered();
    let (told, fails) = (matching(&cause.filter), matching(TRUTH));
    let family = matching("devices(virtio-*)");
    for case in all.iter().filter(|case| family(case)) {
        assert_eq!(told(case), fails(case), "{case} by {}", cause.filter);
    }
}

#[test]
fn what_was_never_tried_beside_what_is_not_sure_is_named() {
    let (all, few) = covered();
    let account = beside(&[run_of(&few, matching(TRUTH))], &all).account();
    let text = super::super::told(&account);
    let [cause] = account.causes.as_slice() else {
        panic!("one cause: {text}");
    };
    assert!(!cause.sure, "{text}");
    let [untried] = cause.untried.as_slice() else {
        panic!("some devices were not tried: {text}");
    };
    let line = "   never tried with the rest of it: ";
    assert!(text.contains(line), "{text}");
    let (told, untried) = (matching(&cause.filter), matching(untried));
    let pair = matching("source(trixie) & destination(sid)");
    for case in few.iter().filter(|case| pair(case)) {
        assert!(!untried(case), "{case} was tried");
    }
    let fails = matching(TRUTH);
    let missed = all.iter().filter(|case| fails(case) && !told(case));
    assert!(
        missed.clone().all(untried),
        "{:?}",
        missed.collect::<Vec<_>>()
    );
}

#[test]
fn a_list_is_told_without_what_another_cause_accounts_for_and_is_not_sure_of_it() {
    let devices = cases(Suite::Qemu, Backend::Qemu, Some(Profile::DEVICES));
    let list = "destination(qemu=11.1.3) & devices(ahci,vga)";
    let other = "destination(qemu>=10.0.13) & devices(rtl8139)";
    let account = account(&run_of(&devices, matching(&format!("{list} | {other}"))));
    let told: Vec<_> = account.causes.iter().map(|one| &*one.filter).collect();
    assert_eq!(told, [other, list]);
    assert!(account.causes.iter().all(|one| !one.sure), "{account:?}");
    let text = super::told(&account);
    for shared in ["devices(rtl8139)", "destination(qemu=11.1.3)"] {
        let doubt = format!("; not sure, whether {shared} is a part of it is open: all");
        assert!(text.contains(&doubt), "{text}");
    }
}

#[test]
fn a_family_and_a_negation_are_told_only_where_the_runs_have_all_that_they_stand_for() {
    let all = cases(Suite::Qemu, Backend::Qemu, Some(Profile::DEVICES));
    let filters = |selected: &str, fails: &str| {
        let own = all.iter().filter(|case| matching(selected)(case)).cloned();
        let account = account(&run_of(&own.collect::<Vec<Case>>(), matching(fails)));
        let filters = account.causes.into_iter().map(|one| one.filter);
        filters.collect::<Vec<_>>()
    };
    let pair = "source(qemu=10.0.13) & destination(qemu=11.1.3)";
    let family = format!("{pair} & devices(virtio-*)");
    assert_eq!(filters("name(*)", &family), std::slice::from_ref(&family));
    let few = "devices(virtio-net,virtio-rng,virtio-scsi,vga,ahci,no-devices)";
    let list = format!("{pair} & devices(virtio-net,virtio-scsi,virtio-rng)");
    assert_eq!(filters(few, &family), [list]);
    let but = format!("{pair} & !devices(vga)");
    assert_eq!(filters("name(*)", &but), std::slice::from_ref(&but));
    let list = format!("{pair} & devices(virtio-net,virtio-rng)");
    assert_eq!(filters("devices(virtio-net,virtio-rng,vga)", &but), [list]);
}

#[test]
fn causes_that_can_be_turned_round_say_what_the_others_are_then() {
    let on_two = matching("client(bookworm) & source(bookworm) & destination(bookworm,trixie)");
    let mut tck = cases(Suite::Tck, Backend::Libvirt, Some(Profile::TCK));
    tck.retain(on_two);
    // All but where each of three is so, and where none is.
    let planted = "!(destination(trixie) & flag(undefine) & flag(persist)) \
                   & !(destination(bookworm) & !flag(undefine) & !flag(persist))";
    let account = account(&run_of(&tck, matching(planted)));
    assert_eq!(account.causes.len(), 3, "{account:?}");
    assert!(account.causes.iter().all(|one| !one.sure), "{account:?}");
    let filters: Vec<_> = account.causes.iter().map(|one| &one.filter).collect();
    for cause in &account.causes {
        let rival = cause.rivals.first().expect("the other way round");
        let instead = rival.filter.iter().chain(&rival.with);
        let instead: Vec<_> = instead.collect();
        assert_eq!(instead.len(), 3, "{cause:?}");
        assert!(
            instead.iter().all(|one| !filters.contains(one)),
            "{cause:?}"
        );
    }
    let text = told(&account);
    assert!(text.contains(", where others are "), "{text}");
}
