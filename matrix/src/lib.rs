//! Which live migrations to try, and what must come of them.
//!
//! The first crate of the line: it touches no file, process or clock. Axes are multiplied to
//! [`Case`]s, which carry their [`Expectation`].

mod axes;
mod case;
mod condition;
mod fault;
mod release;

pub use axes::{Activity, Control, Flag, FlagSet, Persistence, Preparation};
pub use case::{Backend, Case, Expectation, Scenario, State, Suite};
pub use condition::Condition;
pub use fault::Fault;
pub use release::{BadReleaseName, BadVersion, Release, ReleaseName, Tuple, Version};
