//! Which live migrations to try, and what must come of them.
//!
//! The first crate of the line: it touches no file, process or clock. Axes are multiplied to
//! [`Case`]s, which carry their [`Expectation`].
//!
//! ```text
//!   Profile ─▶ Point × Tuple ─▶ rules ─▶ Filter ─▶ cover ─▶ Shard ─▶ Plan
//! ```

mod axes;
mod axes_text;
mod backup;
mod case;
mod colo;
mod condition;
mod cover;
mod fault;
mod filter;
mod hardware;
mod machine;
mod options;
mod parts;
mod plan;
mod point;
mod raw;
mod release;
mod rules;
mod scenario;
mod scope;
mod select_error;
mod selection;
mod setup;
mod shard;
mod suite;
mod version;
mod word;

pub use axes::{Activity, Control, Flag, FlagSet, Persistence, Preparation};
pub use backup::{
    Backup,
    acts::{Act, DirtyBitmap, Link, Misnamed, ODD_GRANULARITY, OnError, Since, Together},
    axes::{
        BackupForm, Bitmaps, Carrier, Clusters, Creation, Granularity, Journey, Operation, Target,
        Writer,
    },
    chained::Chained,
    model::{BitmapExpected, Count, JobEnd, JobExpected, Scene},
    writes::{Drive, Write, WriteSet},
};
pub use case::{Backend, BadCaseName, Case};
pub use colo::{CheckpointDelay, Colo, ColoChannel, ColoDisk, ColoMoment, Failover, Loss};
pub use condition::Condition;
pub use cover::cover;
pub use fault::{BackupFault, ChainedFault, ColoFault, Fault, Moment, RawFault, Trip};
pub use filter::{BadFilter, Filter};
pub use hardware::Hardware;
pub use machine::{is_versioned_machine, newest_common_machine, oldest_common_machine};
pub use options::{RunOptions, shell_word};
pub use parts::{NotOneRun, Parts};
pub use plan::{BadPlan, Plan};
pub use point::{Point, Trait};
pub use raw::{
    Features, Raw,
    axes::{
        Accelerator, Address, Channels, Devices, Feature, GuestState, Incident, MachineChoice,
        Method, Multifd, Tls, Transport, Uuids, ZeroPage,
    },
    axis::Axis,
    coverage::{Covered, coverage},
    model::{End, Failure, RawExpectation},
    needs::{Ability, Need},
    settings::Setting,
};
pub use release::{
    BadReleaseName, DuplicateRelease, Place, Release, ReleaseName, Releases, Tuple, UnknownRelease,
};
pub use rules::{Rule, excluded};
pub use scenario::{Expectation, Scenario, State};
pub use scope::scope;
pub use select_error::{Emptied, SelectError};
pub use selection::Selection;
pub use setup::HostSetup;
pub use shard::{BadShard, Shard, ShardBy};
pub use suite::{Profile, Suite};
pub use version::{BadVersion, Version};
pub use word::BadWord;
