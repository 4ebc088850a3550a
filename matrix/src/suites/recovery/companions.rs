//! The guests that migrate beside the case's own.

use super::{
    axes::Strike,
    expected::{ABORTED, ErrorClass},
};
use crate::Side;

/// A small guest that is on one of both hosts, and migrates to the other by the same control method, while the case's
/// own is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Companion {
    /// Where it is before.
    pub from: Side,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of a migration beside the case's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It succeeds.
    Arrives,
    /// It is cancelled on its way (`virDomainAbortJob`), and its guest runs on where it is.
    Cancelled,
}

/// The errors of what is cancelled.
const CANCELLED: &[ErrorClass] = &[ABORTED];

const BACK: Companion = Companion {
    from: Side::Destination,
    fate: Fate::Arrives,
};
const ALONG: Companion = Companion {
    from: Side::Source,
    fate: Fate::Arrives,
};
const STOPPED: Companion = Companion {
    from: Side::Source,
    fate: Fate::Cancelled,
};

impl Strike {
    /// The guests that migrate beside the case's own.
    #[must_use]
    pub const fn companions(self) -> &'static [Companion] {
        if matches!(self, Self::Crossing) {
            &[BACK]
        } else if matches!(self, Self::Crowd) {
            &[ALONG, STOPPED, ALONG, STOPPED, ALONG]
        } else {
            &[]
        }
    }
}

impl Companion {
    /// Where it is afterwards.
    #[must_use]
    pub const fn to(self) -> Side {
        match self.fate {
            Fate::Arrives => self.from.other(),
            Fate::Cancelled => self.from,
        }
    }

    /// The classes of errors that its call may end with; `None` where it succeeds.
    #[must_use]
    pub const fn refused_by(self) -> Option<&'static [ErrorClass]> {
        match self.fate {
            Fate::Arrives => None,
            Fate::Cancelled => Some(CANCELLED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_guest_goes_the_other_way_and_of_five_two_stay() {
        let ends = |strike: Strike| strike.companions().iter().map(|one| one.to());
        assert!(ends(Strike::Crossing).eq([Side::Source]));
        let there = ends(Strike::Crowd).filter(|side| *side == Side::Destination);
        assert_eq!((ends(Strike::Crowd).len(), there.count()), (5, 3));
        assert!(Strike::Cancelled.companions().is_empty());
        let told = STOPPED.refused_by().map(|classes| classes[0].to_string());
        assert_eq!((told.as_deref(), ALONG.refused_by()), (Some("78/10"), None));
    }
}
