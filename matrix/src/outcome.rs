//! How a case must end, in one word for all suites.

use serde::Serialize;

/// How a case must end, as far as one word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "end", rename_all = "kebab-case")]
pub enum CaseEnd {
    /// All that is asked for is done.
    Success,
    /// The migration is cancelled, and the guest stays.
    Cancelled,
    /// The migration fails, and the guest stays.
    Failed {
        /// For what.
        class: &'static str,
    },
    /// A command is refused.
    Refused {
        /// For what: the word of the case that says so.
        class: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{Answer, Expected, Point, Profile, Raw, Recovery, Suite};

    fn points() -> impl Iterator<Item = Point> {
        let plain = |one: &Profile| one.suite() != Suite::Faults;
        let all = Profile::ALL.into_iter().filter(plain);
        all.flat_map(|one| {
            one.points(one.backends()[0])
                .into_iter()
                .map(|(point, _)| point)
        })
    }

    #[test]
    fn a_class_stands_for_every_way_to_fail_and_to_be_refused() {
        let mut classes = BTreeSet::new();
        for point in points() {
            match point.end() {
                CaseEnd::Success | CaseEnd::Cancelled => {}
                CaseEnd::Failed { class } => {
                    if let Expected::Struck(endings) = point.expected() {
                        assert!(endings.iter().any(|one| one.answer != Answer::Success));
                        continue;
                    }
                    let Expected::Raw(raw) = point.expected() else {
                        panic!("{point:?} fails and is no raw migration");
                    };
                    let text = serde_json::to_value(raw).expect("it is JSON");
                    assert_eq!(text["end"]["failed"], class);
                    classes.insert(class);
                }
                CaseEnd::Refused { class } => {
                    classes.insert(class);
                }
            }
        }
        let known = [
            "authorization",
            "bad-granularity",
            "bad-offset",
            "bitmap-missing",
            "bitmap-not-found",
            "connection",
            "handshake",
            "hostname",
            "uuid",
        ];
        assert!(known.iter().all(|one| classes.contains(one)), "{classes:?}");
    }

    #[test]
    fn a_migration_that_is_struck_says_how_its_call_ends() {
        let end = |struck: &str| {
            let point = format!("{struck}/p2p/persistent-running-undefined/live");
            let point: Recovery = point.parse().expect("it is a point");
            Point::Recovery(point).end()
        };
        let class = "destination-qemu-killed";
        assert_eq!(end("cancelled/first-pass"), CaseEnd::Cancelled);
        assert_eq!(end("cancelled/confirm"), CaseEnd::Success);
        assert_eq!(
            end("destination-qemu-killed/first-pass"),
            CaseEnd::Failed { class }
        );
        let class = "disk-missing";
        assert_eq!(end("disk-missing/call"), CaseEnd::Refused { class });
    }

    #[test]
    fn a_migration_that_is_refused_for_its_address_says_which() {
        let raw: Raw = "precopy/tcp/running/no-address"
            .parse()
            .expect("it is a point");
        let text = serde_json::to_string(&Point::Qemu(raw).end()).expect("it is JSON");
        assert_eq!(text, r#"{"end":"refused","class":"no-address"}"#);
    }
}
