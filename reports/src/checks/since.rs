//! From which version on something is so, for the tables of documented differences.

use migratrix_matrix::Version;

/// A change of a program: it came after one version, and was there by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Since {
    after: Version,
    by: Version,
}

impl Since {
    /// It came with this version, as its documentation says.
    pub const fn version(version: Version) -> Self {
        let before = match (version.minor, version.micro) {
            (0, 0) => Version::new(version.major - 1, u32::MAX, u32::MAX),
            (minor, 0) => Version::new(version.major, minor - 1, u32::MAX),
            (minor, micro) => Version::new(version.major, minor, micro - 1),
        };
        Self {
            after: before,
            by: version,
        }
    }

    /// It was seen not to be there in the one, and to be there in the other.
    pub const fn between(after: Version, by: Version) -> Self {
        Self { after, by }
    }

    /// Whether the change can stand between two versions: between the older and the newer one.
    pub fn divides(self, one: Version, other: Version) -> bool {
        let (older, newer) = (one.min(other), one.max(other));
        older < self.by && newer > self.after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn v(major: u32, minor: u32) -> Version {
        Version::new(major, minor, 0)
    }

    #[test]
    fn a_change_stands_between_a_version_that_has_it_and_one_that_has_not() {
        let since = Since::version(v(9, 1));
        assert!(since.divides(v(9, 0), v(9, 1)));
        assert!(since.divides(v(12, 8), v(7, 0)));
        assert!(!since.divides(v(7, 0), v(9, 0)));
        assert!(!since.divides(v(9, 1), v(12, 8)));
    }

    #[test]
    fn a_change_comes_with_its_version_and_not_with_the_one_before() {
        for (by, before, earlier) in [
            (Version::new(9, 1, 3), Version::new(9, 1, 2), v(9, 0)),
            (v(9, 1), Version::new(9, 0, 9), v(9, 0)),
            (v(10, 0), Version::new(9, 9, 9), v(9, 0)),
        ] {
            let since = Since::version(by);
            assert!(since.divides(before, by), "{by}");
            assert!(!since.divides(earlier, before), "{by}");
            assert!(!since.divides(by, by), "{by}");
        }
    }

    #[test]
    fn where_only_a_span_is_known_it_may_stand_anywhere_in_it() {
        let since = Since::between(v(5, 2), v(7, 2));
        assert!(since.divides(v(5, 2), v(7, 2)));
        assert!(since.divides(v(6, 0), v(6, 2)));
        assert!(!since.divides(v(7, 2), v(10, 0)));
        assert!(!since.divides(v(4, 2), v(5, 2)));
    }
}
