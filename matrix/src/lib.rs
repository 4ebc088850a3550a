//! Which live migrations to try, and what must come of them.
//!
//! The first crate of the line, but for that of covers: it touches no file, process or clock. Axes are
//! multiplied to [`Case`]s, which carry their [`Expectation`].
//!
//! ```text
//!   Profile ─▶ Point × Tuple ─▶ rules ─▶ Filter ─▶ cover ─▶ Shard ─▶ Plan
//!   └──── suites ────┘                └──────────── select ────────────┘
//! ```

mod arch;
mod axis;
mod case;
mod condition;
mod fault;
mod machine;
mod need;
mod outcome;
mod point;
mod printable;
mod release;
mod rule;
mod select;
mod side;
mod suite;
mod suites;
mod version;
mod word;

pub use arch::Arch;
pub use axis::{Axis, AxisInfo};
pub use case::{Backend, BadCaseName, Case};
pub use condition::Condition;
pub use fault::{Detection, Fault, Moment};
pub use machine::is_versioned_machine;
pub use need::{Ability, Holder, Requirement};
pub use outcome::CaseEnd;
pub use point::{Column, Expected, Facet, Point, axes};
pub use printable::{Shown, printable, within_line};
pub use release::{
    BadReleaseName, DuplicateRelease, Release, ReleaseName, Releases, Role, Tuple, UnknownRelease,
};
pub use rule::{Rule, excluded};
pub use select::{
    cover::{AxisGroup, BadStrengths, Strengths, cover},
    error::{Emptied, SelectError},
    filter::{BadFilter, Filter},
    options::{KnownLists, RunOptions, shell_word, typed_word},
    parts::{NotOneRun, Parts, missing_shards},
    plan::{BadPlan, Plan},
    scope::scope,
    selection::Selection,
    setup::HostSetup,
    shard::{
        BadShard, Shard, ShardBy,
        auto::{Environment, FoundShard, NoShard},
    },
};
pub use side::Side;
pub use suite::{Profile, Suite};
pub use suites::{
    backup::{
        acts::{
            BackupAction, DirtyBitmap, Link, Misnamed, ODD_GRANULARITY, OnError, Since, Together,
        },
        axes::*,
        chained::{Chained, faults::ChainedFault},
        faults::BackupFault,
        model::{BitmapExpected, Count, ExpectedAction, JobEnd, JobExpected},
        point::Backup,
        writes::{Drive, Write, WriteSet},
    },
    colo::{axes::*, faults::ColoFault, point::Colo},
    qemu::{
        axes::*,
        coverage::{Covered, coverage},
        faults::RawFault,
        kinds::Blow,
        model::{End, Failure, RawExpectation},
        point::{Features, Raw},
        settings::Setting,
    },
    recovery::{
        axes::*,
        companions::{Companion, Fate},
        expected::{
            Answer, Ending, ErrorClass, FlagEffect, Libvirts, Owner, POSTCOPY_RESUME, Remedy, Seen,
            Standing,
        },
        faults::RecoveryFault,
        kinds::{Family, Lasting},
        point::{HELD_BANDWIDTH_MIB, Recovery},
    },
    tck::{
        axes::*,
        faults::TckFault,
        hardware::Hardware,
        point::{Call, Expectation, Scenario, State},
    },
};
pub use version::{BadVersion, Version};
pub use word::BadWord;
