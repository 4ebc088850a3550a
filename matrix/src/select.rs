//! Selection: which cases of the suites are to be tried, and their plan.

pub(crate) mod cover;
pub(crate) mod error;
pub(crate) mod filter;
pub(crate) mod options;
pub(crate) mod parts;
pub(crate) mod plan;
pub(crate) mod scope;
pub(crate) mod selection;
pub(crate) mod setup;
pub(crate) mod shard;
