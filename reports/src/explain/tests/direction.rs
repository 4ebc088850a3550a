//! Causes that strike in one direction, or wherever the versions are others.

use super::*;

fn devices() -> Vec<Case> {
    cases(Suite::Qemu, Backend::Qemu, Some(Profile::DEVICES))
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
        let account = account(&run_of(&devices(), matching(planted)));
        let told: Vec<_> = account.causes.iter().map(|one| &*one.filter).collect();
        assert_eq!(told, [planted]);
        assert!(account.causes[0].sure, "{account:?}");
    }
}

#[test]
fn what_source_and_destination_say_in_as_many_words_is_told_by_them() {
    let of_two = |case: &Case| {
        let sides = [&case.tuple.source, &case.tuple.destination];
        sides
            .iter()
            .all(|one| ["bookworm", "trixie"].contains(&one.as_str()))
    };
    let two: Vec<_> = devices().into_iter().filter(of_two).collect();
    for (cases, planted) in [
        (
            &two,
            "source(qemu=7.2.22) & destination(qemu=10.0.13) & guest(stopped) & devices(ahci,e1000,vga)",
        ),
        (
            &devices(),
            "source(qemu=7.2.22) & destination(qemu=11.1.3) & devices(vga)",
        ),
        (
            &devices(),
            "source(qemu>=10.0.13) & destination(qemu=7.2.22) & devices(vga)",
        ),
    ] {
        let account = account(&run_of(cases, matching(planted)));
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
