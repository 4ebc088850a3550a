//! Which live migrations to try, and what must come of them.
//!
//! The first crate of the line: it touches no file, process or clock. Axes are multiplied to
//! [`Case`]s, which carry their [`Expectation`].
//!
//! ```text
//!   Profile ─▶ Point × Tuple ─▶ rules ─▶ Filter ─▶ cover ─▶ Shard ─▶ Plan
//! ```

mod axes;
mod case;
mod condition;
mod cover;
mod fault;
mod filter;
mod machine;
mod plan;
mod release;
mod rules;
mod scenario;
mod select_error;
mod selection;
mod shard;
mod suite;
mod version;
mod word;

pub use axes::{Activity, Control, Flag, FlagSet, Persistence, Preparation};
pub use case::{Backend, BadCaseName, Case};
pub use condition::Condition;
pub use cover::cover;
pub use fault::{Fault, Moment, Trip};
pub use filter::{BadFilter, Filter};
pub use machine::newest_common_machine;
pub use plan::{BadPlan, Plan};
pub use release::{
    BadReleaseName, DuplicateRelease, Place, Release, ReleaseName, Releases, Tuple, UnknownRelease,
};
pub use rules::{Rule, excluded};
pub use scenario::{Expectation, Scenario, State};
pub use select_error::{Emptied, SelectError};
pub use selection::Selection;
pub use shard::{BadShard, Shard, ShardBy};
pub use suite::{Point, Profile, Suite};
pub use version::{BadVersion, Version};
pub use word::BadWord;
