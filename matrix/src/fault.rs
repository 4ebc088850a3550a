//! Faults: what can be broken on purpose, behind the runner's back, and the condition that must see it.
//!
//! A case of the suite `faults` is a point with one fault among its steps. It passes when the
//! condition that the fault belongs to *detects* it: so each condition is proven on the real stack to be
//! able to fail. Each suite has a table of its own.

pub(crate) mod rows;

use crate::{
    Backend, BackupFault, ChainedFault, ColoFault, Condition, Point, RawFault, RecoveryFault,
    TckFault, word::words,
};

/// Makes the enum of all faults of those of the suites, in their order.
macro_rules! of_suites {
    ($($(#[$doc:meta])* $suite:ident($type:ident),)*) => {
        /// One thing to break on purpose.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Fault {
            $($(#[$doc])* $suite($type),)*
        }

        impl Fault {
            const COUNT: usize = 0 $(+ $type::ALL.len())*;

            /// All values: suite by suite, in the order of the conditions that detect them.
            pub const ALL: [Self; Self::COUNT] = {
                let mut all = [Self::Tck(TckFault::ALL[0]); Self::COUNT];
                let mut place = 0;
                $(
                    let mut own = 0;
                    while own < $type::ALL.len() {
                        all[place] = Self::$suite($type::ALL[own]);
                        place += 1;
                        own += 1;
                    }
                )*
                assert!(place == Self::COUNT, "each has its place");
                all
            };

            /// The word that stands for it in names and filters.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$suite(fault) => fault.word(),)*
                }
            }

            const fn row(self) -> Row {
                match self {
                    $(Self::$suite(fault) => fault.row(),)*
                }
            }
        }
    };
}

of_suites! {
    /// One of a migration through libvirt.
    Tck(TckFault),
    /// One that only QEMU itself can be done.
    Raw(RawFault),
    /// One of two guests in lock-step.
    Colo(ColoFault),
    /// One of a chain of backups.
    Backup(BackupFault),
    /// One of a chain of backups that libvirt makes.
    Chained(ChainedFault),
    /// One of a migration that is struck on its way.
    Recovery(RecoveryFault),
}

/// How a condition detects a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Detection {
    /// It sees that it does not hold.
    Fail,
    /// It can't be seen any more, and that is said.
    Unknown,
}

/// When something is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Moment {
    /// When all is prepared, before the first look.
    BeforeLook,
    /// After the first look, right before the migration.
    BeforeMigration,
    /// With the migration itself, which is asked for in another way.
    Migration,
    /// When the migration has returned, before the second look.
    AfterMigration,
    /// When everything is cleared away.
    Clearing,
}

/// What the table says of one fault.
pub(crate) struct Row {
    pub moment: Moment,
    pub point: Point,
    pub detected_by: Condition,
    pub how: Detection,
}

impl Fault {
    /// The point that it is run on: one in which it is a violation.
    #[must_use]
    pub const fn point(self) -> Point {
        self.row().point
    }

    /// Whether a back end can run it.
    #[must_use]
    pub fn runs_on(self, backend: Backend) -> bool {
        self.point().backends().contains(&backend)
    }

    /// The condition that must see it. Others may see it too.
    #[must_use]
    pub const fn detected_by(self) -> Condition {
        self.row().detected_by
    }

    /// How that condition detects it.
    #[must_use]
    pub const fn how(self) -> Detection {
        self.row().how
    }

    /// Whether it may be taken for another case's that is on the same hosts: it has them for itself.
    #[must_use]
    pub const fn is_alone(self) -> bool {
        matches!(self, Self::Tck(TckFault::StrangerConnected))
    }

    /// When it is committed.
    #[must_use]
    pub const fn moment(self) -> Moment {
        self.row().moment
    }
}

words!(Fault, "fault");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_has_a_fault_that_it_detects() {
        for condition in Condition::ALL {
            assert!(
                Fault::ALL
                    .iter()
                    .any(|fault| fault.detected_by() == condition),
                "{condition} detects nothing"
            );
        }
    }

    #[test]
    fn only_what_never_answers_or_never_happens_is_unknown() {
        let unknown = Fault::ALL
            .into_iter()
            .filter(|fault| fault.how() == Detection::Unknown);
        let neither = [
            Fault::Tck(TckFault::DaemonStopped),
            Fault::Tck(TckFault::ClientKilled),
            Fault::Raw(RawFault::QemuKilled),
            Fault::Raw(RawFault::QemuStopped),
            Fault::Raw(RawFault::QemuGarbled),
            Fault::Recovery(RecoveryFault::StrikeWithheld),
        ];
        assert!(unknown.eq(neither));
    }
}
