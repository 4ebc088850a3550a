//! Releases: what they are made from, where they are kept, and what is in them.

pub(crate) mod builder;
pub(crate) mod caps_cache;
pub(crate) mod in_use;
pub(crate) mod jail;
pub(crate) mod probe;
pub(crate) mod recipe;
pub(crate) mod release;
pub(crate) mod source;
pub(crate) mod space;
pub(crate) mod store;
pub(crate) mod unpack;
