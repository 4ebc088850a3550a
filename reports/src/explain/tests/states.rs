//! The words of a state: together they are one factor.

use super::*;

fn told_of(planted: &str) -> String {
    let tck = cases(Suite::Tck, Backend::Libvirt, Some(Profile::TCK));
    let account = account(&run_of(&tck, matching(planted)));
    let [cause] = account.causes.as_slice() else {
        panic!("one cause: {account:?}");
    };
    let told = matching(&cause.filter);
    let same = |case: &Case| told(case) == matching(planted)(case);
    assert!(tck.iter().all(same), "{}", cause.filter);
    assert!(cause.sure && account.left_over.is_empty(), "{account:?}");
    cause.filter.clone()
}

#[test]
fn a_whole_state_stands_beside_two_more_factors() {
    for planted in [
        "client(sid,mine) & control(p2p) & state(transient) & state(paused) & state(undefined)",
        "client(bookworm) & flag(persist) & state(transient) & state(running) & state(undefined)",
        "state(transient) & state(running) & state(undefined) & flag(persist)",
    ] {
        told_of(planted);
    }
}

#[test]
fn a_part_of_a_state_is_told_as_a_part() {
    for planted in [
        "state(transient) & state(paused)",
        "client(bookworm) & state(transient) & state(paused)",
        "control(p2p) & state(defined)",
    ] {
        let told = told_of(planted);
        let states = |text: &str| text.matches("state(").count();
        assert_eq!(states(&told), states(planted), "{told}");
    }
}

#[test]
fn what_takes_more_than_three_factors_is_not_said_to_have_nothing_in_common() {
    let tck = cases(Suite::Tck, Backend::Libvirt, Some(Profile::TCK));
    let planted =
        "client(bookworm) & control(p2p) & state(paused) & flag(persist) & flag(undefine)";
    let text = told(&account(&run_of(&tck, matching(planted))));
    let line = " cases fail, for which no cause of up to three factors stands out; see what migratrix report says";
    assert!(text.contains(line), "{text}");
}
