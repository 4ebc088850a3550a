//! Causes that strike in one direction, or wherever the versions are others.

use super::*;

fn devices() -> Vec<Case> {
    cases(Suite::Qemu, Backend::Qemu, Some(Profile::DEVICES))
}

/// Those between two releases.
fn devices_of_two() -> Vec<Case> {
    let of_two = |case: &Case| {
        let sides = [&case.tuple.source, &case.tuple.destination];
        sides
            .iter()
            .all(|one| ["bookworm", "trixie"].contains(&one.as_str()))
    };
    devices().into_iter().filter(of_two).collect()
}

/// The cause that is planted into these cases is told in its words, alone, and is sure.
fn is_told_as_planted(cases: &[Case], planted: &str) {
    let account = account(&run_of(cases, matching(planted)));
    let told: Vec<_> = account.causes.iter().map(|one| &*one.filter).collect();
    assert_eq!(told, [planted], "{account:?}");
    assert!(account.causes[0].sure, "{account:?}");
}

#[test]
fn a_cause_that_strikes_in_one_direction_is_told_by_it() {
    for planted in [
        "forward()",
        "backward() & devices(vga)",
        "forward() & devices(ehci,xhci)",
        "same() & devices(vga)",
        "!same() & devices(vga)",
        "!backward() & devices(vga)",
        "backward() & guest(stopped) & machine(pc) & devices(vga)",
    ] {
        is_told_as_planted(&devices(), planted);
    }
}

#[test]
fn a_cause_of_one_direction_between_two_releases_or_of_both_others_is_told_by_it() {
    for planted in [
        "forward() & guest(stopped) & devices(ahci,e1000,vga)",
        "same() & devices(vga)",
        "!same() & devices(vga)",
        "!forward() & devices(vga)",
        "!backward() & devices(vga)",
        "!backward()",
    ] {
        is_told_as_planted(&devices_of_two(), planted);
    }
}

#[test]
fn what_is_of_the_same_release_may_be_of_another_direction_too_where_all_of_that_fails_of_another_cause()
 {
    let fails = matching("!backward() & devices(vga) | forward()");
    let account = account(&run_of(&devices_of_two(), fails));
    let vga = account.causes.iter().find(|one| one.filter.contains("vga"));
    assert!(!vga.expect("it is a cause").sure, "{account:?}");
}

#[test]
fn what_source_and_destination_say_in_as_many_words_is_told_by_them() {
    let cases = devices();
    for planted in [
        "source(qemu=7.2.22) & destination(qemu=11.1.3) & devices(vga)",
        "source(qemu>=10.0.13) & destination(qemu=7.2.22) & devices(vga)",
    ] {
        let account = account(&run_of(&cases, matching(planted)));
        let [cause] = account.causes.as_slice() else {
            panic!("one cause: {account:?}");
        };
        assert!(!cause.filter.contains("ward()"), "{}", cause.filter);
        let told = matching(&cause.filter);
        let same = |case: &Case| told(case) == matching(planted)(case);
        assert!(cases.iter().all(same), "{}", cause.filter);
    }
}

#[test]
fn a_direction_that_was_not_tried_with_a_device_may_be_no_part_of_its_cause() {
    let (is_tried, fails) = (
        matching("backward() | !devices(vga)"),
        matching("backward() & devices(vga)"),
    );
    let tried: Vec<_> = devices().into_iter().filter(is_tried).collect();
    let told = beside(&[run_of(&tried, &fails)], &devices()).account();
    assert!(told.causes.iter().all(|one| !one.sure), "{told:?}");
    let (told, _) = confirmed(&tried, &devices(), 20, &fails);
    let filters: Vec<_> = told.causes.iter().map(|one| &*one.filter).collect();
    assert_eq!(filters, ["backward() & devices(vga)"]);
}

#[test]
fn a_cause_of_one_release_is_not_sure_where_another_one_has_all_else_that_fails_in_its_direction() {
    let own = "source(qemu=7.2.22) & destination(qemu=7.2.22) & devices(vga)";
    let doubt = "not sure, whether it is same() & devices(vga) is open: all else that fails of that is of \
                 another cause as well";
    for (other, is_sure) in [
        ("source(qemu=10.0.13) & destination(qemu=10.0.13)", false),
        ("source(qemu=10.0.13) & devices(ahci)", true),
    ] {
        let planted = format!("{own} | {other}");
        let account = account(&run_of(&devices_of_two(), matching(&planted)));
        let told: Vec<_> = account
            .causes
            .iter()
            .map(|one| (&*one.filter, one.sure))
            .collect();
        let sorted: std::collections::BTreeSet<_> = told.into_iter().collect();
        let text = super::told(&account);
        assert_eq!(sorted, [(own, is_sure), (other, true)].into(), "{text}");
        assert_eq!(text.contains(doubt), !is_sure, "{text}");
    }
}
