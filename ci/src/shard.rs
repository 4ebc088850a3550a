//! `--shard`: which part of the selection is meant, as typed or as the environment has it.

use std::env;

use anyhow::Result;
use migratrix_lab::sandbox;
use migratrix_matrix::{Environment, FoundShard, Shard, ShardBy};

/// The shard that was typed; of `auto` the one that the environment names, which is told.
///
/// # Errors
/// Names the text that is no shard, or the variables that name none.
pub fn shard(typed: &str) -> Result<Shard> {
    let by = match typed {
        "auto" | "hash:auto" => ShardBy::Hash,
        "slice:auto" => ShardBy::Slice,
        _ => return Ok(typed.parse()?),
    };
    let found = FoundShard::of(&environment(), by)?;
    // On the way into the sandbox, and within it, it is read again.
    if sandbox::is_outside() {
        eprintln!("--shard auto: {found}");
    }
    Ok(found.shard)
}

fn environment() -> Environment {
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    let all = env::vars_os().map(|(name, value)| (text(name), text(value)));
    all.collect()
}
