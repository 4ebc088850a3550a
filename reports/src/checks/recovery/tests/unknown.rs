//! What the destination is not to know of the guest is unknown where both sides were asked.

use super::*;

/// What is said of a case that strikes so, in which this was done before the call.
fn asked(strike: &str, deed: Deed) -> Kind {
    let refused = Outcome::Refused(Refusal {
        code: 67,
        domain: 10,
        message: "unsupported configuration".to_owned(),
    });
    let history = refused_with(strike, refused);
    lands(&changed(history, |saw| {
        if let Observation::Struck { deed: done, .. } = saw {
            *done = deed.clone();
        }
    }))
}

fn known(to: &[Side]) -> Deed {
    Deed::Known {
        what: "pc-q35-11.1".to_owned(),
        to: to.to_vec(),
    }
}

#[test]
fn a_guest_is_of_what_the_destination_does_not_know_where_its_own_host_alone_knows_it() {
    for strike in [
        "machine-unknown",
        "cpu-model-unknown",
        "cpu-feature-unknown",
    ] {
        assert_eq!(asked(strike, known(&[S])), Kind::Pass, "{strike}");
        for otherwise in [&[S, D][..], &[D], &[]] {
            let found = asked(strike, known(otherwise));
            assert_eq!(found, Kind::Unknown, "{strike}: {otherwise:?}");
        }
        let what = strike.to_owned();
        let said = asked(strike, Deed::Made { what });
        assert_eq!(said, Kind::Unknown, "{strike}: nobody was asked");
    }
    assert_eq!(asked("name-active", known(&[S])), Kind::Unknown);
}
