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
    use crate::{Expected, Point, Profile, Raw, Suite};

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
    fn a_migration_that_is_refused_for_its_address_says_which() {
        let raw: Raw = "precopy/tcp/running/no-address"
            .parse()
            .expect("it is a point");
        let text = serde_json::to_string(&Point::Qemu(raw).end()).expect("it is JSON");
        assert_eq!(text, r#"{"end":"refused","class":"no-address"}"#);
    }
}
